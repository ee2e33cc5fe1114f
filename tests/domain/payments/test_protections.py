"""What was altered, swapped or copied behind our back: refused, told, and nothing leaves."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.service import account_aad
from seedtrust.domain.payments import transmission
from seedtrust.domain.payments.files import seal_file
from seedtrust.domain.payments.models import BankFile, PaymentRun
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.terms.states import Category, TaxClass
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import send_payment
from tests.factories.bank_answers import open_items, payments, request_states, run_state
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import (
    KEYRING,
    MONDAY,
    SYSTEM,
    TUESDAY,
    PaymentWorld,
    moment_at,
)
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]
RAILS = (Rail.ACH, Rail.WIRE)


def released(world: PaymentWorld, rail: Rail) -> PaymentRun:
    """Release a run that pays two payees."""
    if rail is Rail.ACH:
        case = world.case()
        for cents in (1_000, 2_000):
            world.request(case, world.payee(), amount_cents=cents)
    else:
        case = world.case(stage=Stage.FINAL_DISBURSEMENT)
        for cents in (1_000, 2_000):
            world.request(
                case,
                world.payee(),
                amount_cents=cents,
                kind=RequestKind.REFUND,
                category=Category.CLOSING_REFUND,
                tax_class=TaxClass.NONE,
            )
    return world.released(rail=rail)


def send(world: PaymentWorld, desk: Desk, run: PaymentRun) -> None:
    """Let the jobs send a released run, whatever its rail."""
    if run.rail == Rail.ACH:
        transmit_run(desk.tools, {"run": run.reference})
        return
    for payment in payments(world, run):
        send_payment(desk.tools, {"instruction": payment.reference})


def left_for_the_bank(desk: Desk) -> int:
    """Return how many files and payments the bank was given."""
    return len(desk.bank.deliveries) + len(desk.bank.orders)


def told(world: PaymentWorld) -> set[str]:
    """Return whom the notice of something that was stopped goes to."""
    rows = select(NoticeDelivery.recipient).where(
        NoticeDelivery.event == NoticeEvent.PAYMENT_STOPPED.value
    )
    return world.do(lambda s: set(s.execute(rows).scalars()))


def alter_accounts(world: PaymentWorld, how: str) -> None:
    """Write into the rows of the two accounts, as somebody with access to the database may."""

    def work(session: Session) -> None:
        one, two = session.execute(select(PayeeAccount).order_by(PayeeAccount.id)).scalars()
        if how == "swapped":
            swapped = (two.account_number_sealed, one.account_number_sealed)
            one.account_number_sealed, two.account_number_sealed = swapped
        elif how == "byte":
            for row in (one, two):
                sealed = row.account_number_sealed
                letter = "A" if sealed[-6] != "A" else "B"
                row.account_number_sealed = f"{sealed[:-6]}{letter}{sealed[-5:]}"
        else:
            for row in (one, two):
                row.account_number_sealed = KEYRING.seal("66600066", account_aad(row.id))

    world.do(work)


@pytest.mark.parametrize("rail", RAILS)
@pytest.mark.parametrize("how", ["swapped", "byte", "another number with our own key"])
def test_altered_account_numbers_are_refused_told_and_nothing_is_sent(
    world: PaymentWorld, desk: Desk, rail: Rail, how: str
) -> None:
    run = released(world, rail)
    alter_accounts(world, how)
    for _ in range(2):
        send(world, desk, run)
    assert left_for_the_bank(desk) == 0
    assert set(open_items(world)) == {"payment.refused"}
    assert {world.lead.email, world.controller.email} <= told(world)
    assert set(request_states(world)) == {"IN_PAYMENT"}


@pytest.mark.parametrize("place", [10, -5])
def test_a_byte_of_the_sealed_file_changed_before_transmission_stops_it(
    world: PaymentWorld, desk: Desk, place: int
) -> None:
    run = released(world, Rail.ACH)
    world.do(
        lambda s: seal_file(s, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at())
    )

    def alter(session: Session) -> None:
        file = session.execute(select(BankFile)).scalar_one()
        whole, at = file.content_sealed, place % len(file.content_sealed)
        letter = "A" if whole[at] != "A" else "B"
        file.content_sealed = whole[:at] + letter + whole[at + 1 :]

    world.do(alter)
    for _ in range(2):
        send(world, desk, run)
    assert left_for_the_bank(desk) == 0
    assert open_items(world) == ["payment.refused"]
    assert world.controller.email in told(world)


@pytest.mark.parametrize("rail", RAILS)
def test_a_second_sending_of_what_the_bank_has_sends_nothing(
    world: PaymentWorld, desk: Desk, rail: Rail
) -> None:
    run = released(world, rail)
    send(world, desk, run)
    before = left_for_the_bank(desk)
    for _ in range(3):
        send(world, desk, run)
    assert left_for_the_bank(desk) == before


def test_nobody_but_the_job_takes_a_turn_to_send(world: PaymentWorld, desk: Desk) -> None:
    run = released(world, Rail.ACH)
    with pytest.raises(Forbidden):
        world.do(
            lambda s: transmission.begin(
                s, world.builder, run_ref=run.reference, keyring=KEYRING, moment=moment_at()
            )
        )
    assert left_for_the_bank(desk) == 0


@pytest.mark.parametrize("named", [True, False])
def test_a_copy_of_a_file_that_the_bank_refused_changes_nothing_and_is_told(
    world: PaymentWorld, desk: Desk, named: bool
) -> None:
    run = released(world, Rail.ACH)
    send(world, desk, run)
    desk.bank.tell_of_file("file.received", MONDAY)
    upload = desk.bank.files[desk.bank.deliveries[-1]]
    copy: dict[str, str | int | bool | None] = {
        "id": "FILE-2",
        "sha256": upload.sha256,
        "client_reference": run.reference if named else None,
    }
    for kind in ("file.received", "file.rejected"):
        desk.bank.tell(kind, MONDAY, **copy)
    assert poll_events(desk.tools)[1] == 0
    assert request_states(world) == ["IN_PAYMENT", "IN_PAYMENT"]
    assert open_items(world) == ["run.copied"]
    assert world.controller.email in told(world)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.at(TUESDAY))[1] == 0
    assert (run_state(world, run)[0], request_states(world)) == ("SETTLED", ["PAID", "PAID"])


def test_a_file_at_the_bank_that_is_not_ours_is_told_once(world: PaymentWorld, desk: Desk) -> None:
    for kind in ("file.received", "file.accepted", "file.settled"):
        desk.bank.tell(kind, MONDAY, id="FILE-9", sha256="9" * 64, client_reference=None)
    assert poll_events(desk.tools) == (3, 0)
    assert open_items(world) == ["file.foreign"]
    assert world.lead.email in told(world)
