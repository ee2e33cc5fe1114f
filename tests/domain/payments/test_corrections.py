"""Notifications of change: kept once, due in six banking days, applied by two people at once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seedtrust.core.errors import Conflict, Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.payees.errors import AccountChangeOpen, AccountUnchanged
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.service import account_aad, activate_cooled
from seedtrust.domain.payments import corrections
from seedtrust.domain.payments.corrections import Noted, note_correction
from seedtrust.domain.payments.errors import FileAltered, ProposerCannotApply
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction
from seedtrust.domain.payments.ports import BankStatus, CorrectionNotice, PaymentSnapshot
from seedtrust.domain.payments.states import Rail
from seedtrust.formats import nacha
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.payees import remind_of_nocs
from seedtrust.jobs.payments import transmit_run
from tests.factories.bank_answers import THURSDAY, file_of, open_items, payments, settled
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import KEYRING, ROUTING, SYSTEM, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]
NEW_NUMBER = "99887766554"


def paid(world: PaymentWorld, desk: Desk) -> PaymentInstruction:
    """Settle one payment and return it."""
    [payment] = payments(world, settled(world, desk))
    return payment


def noted(payment: PaymentInstruction, code: str = "C01", **values: str) -> Noted:
    """Return what a bank tells of a change."""
    return Noted(
        trace_number=payment.trace_number or "",
        identification=payment.reference,
        change_code=code,
        corrected_data=nacha.corrected_data(code, **(values or {"account_number": NEW_NUMBER})),
        noted_on=THURSDAY,
    )


def note(world: PaymentWorld, told: Noted, *, on: date = THURSDAY) -> AccountCorrection | None:
    """Take in a notification."""
    return world.do(
        lambda s: note_correction(s, SYSTEM, told, keyring=KEYRING, moment=moment_at(on))
    )


def task(world: PaymentWorld, told: Noted) -> str:
    """Take in a notification and return the task's reference."""
    row = note(world, told)
    assert row is not None
    return row.reference


def propose(world: PaymentWorld, reference: str, actor: Actor | None = None) -> None:
    """Ask for a correction to be applied."""
    world.do(
        lambda s: corrections.propose_correction(
            s, actor or world.checker, correction_ref=reference, moment=moment_at(THURSDAY)
        )
    )


def apply(world: PaymentWorld, reference: str, actor: Actor | None = None) -> PayeeAccount:
    """Apply a correction."""
    return world.do(
        lambda s: corrections.apply_correction(
            s,
            actor or world.approver,
            correction_ref=reference,
            keyring=KEYRING,
            moment=moment_at(THURSDAY),
        )
    )


def accounts(world: PaymentWorld) -> list[PayeeAccount]:
    """Return all accounts, oldest first."""
    statement = select(PayeeAccount).order_by(PayeeAccount.id)
    return world.do(lambda s: list(s.execute(statement).scalars()))


def test_two_people_apply_a_new_number_and_it_is_in_use_at_once(
    world: PaymentWorld, desk: Desk
) -> None:
    reference = task(world, noted(paid(world, desk)))
    row = world.do(lambda s: s.execute(select(AccountCorrection)).scalar_one())
    # Thursday the 8th and six banking days; the 19th is a holiday, the 16th a Friday.
    assert (row.state, row.due_on, row.last_four) == ("OPEN", date(2026, 1, 16), "6554")
    with pytest.raises(WrongState):
        apply(world, reference)
    propose(world, reference)
    with pytest.raises(WrongState):
        propose(world, reference)
    account = apply(world, reference)
    old, new = accounts(world)
    assert (old.state, new.state, new.id) == ("SUPERSEDED", "ACTIVE", account.id)
    assert (new.active_on, new.cooling_until_on) == (THURSDAY, None)
    assert KEYRING.open(new.account_number_sealed, account_aad(new.id)) == NEW_NUMBER
    assert (new.routing_number, new.account_type, new.holder_name) == (
        old.routing_number,
        old.account_type,
        old.holder_name,
    )
    assert (new.checked_by, new.approved_by) == (world.checker.name, world.approver.name)
    with pytest.raises(WrongState):
        apply(world, reference)


@pytest.mark.parametrize(
    "code,values",
    [
        ("C02", {"routing_number": ROUTING}),
        ("C03", {"routing_number": ROUTING, "account_number": NEW_NUMBER}),
        ("C05", {"transaction_code": "32"}),
        ("C06", {"account_number": NEW_NUMBER, "transaction_code": "32"}),
        (
            "C07",
            {"routing_number": ROUTING, "account_number": NEW_NUMBER, "transaction_code": "32"},
        ),
    ],
)
def test_every_part_of_an_account_can_be_corrected(
    world: PaymentWorld, desk: Desk, code: str, values: dict[str, str]
) -> None:
    reference = task(world, noted(paid(world, desk), code, **values))
    propose(world, reference)
    new = apply(world, reference)
    old = accounts(world)[0]
    before = KEYRING.open(old.account_number_sealed, account_aad(old.id))
    number = values.get("account_number", before)
    assert new.routing_number == values.get("routing_number", old.routing_number)
    assert KEYRING.open(new.account_number_sealed, account_aad(new.id)) == number
    assert new.account_type == ("savings" if "transaction_code" in values else "checking")
    assert new.account_fingerprint == KEYRING.fingerprint(f"{new.routing_number}:{number}")


def test_who_proposed_does_not_apply_and_a_job_does_neither(
    world: PaymentWorld, desk: Desk
) -> None:
    both = Actor(
        world.checker.kind,
        world.checker.user_id,
        world.checker.name,
        world.checker.roles | world.approver.roles,
    )
    reference = task(world, noted(paid(world, desk)))
    with pytest.raises(Forbidden):
        propose(world, reference, SYSTEM)
    with pytest.raises(Forbidden):
        propose(world, reference, world.escrow)
    propose(world, reference, both)
    with pytest.raises(ProposerCannotApply) as refusal:
        apply(world, reference, both)
    assert refusal.value.code == "proposer_cannot_apply"
    with pytest.raises(Forbidden):
        apply(world, reference, SYSTEM)
    assert [row.state for row in accounts(world)] == ["ACTIVE"]
    assert apply(world, reference).state == "ACTIVE"


def test_the_same_notification_by_two_ways_is_one_task(world: PaymentWorld, desk: Desk) -> None:
    payment = paid(world, desk)
    entry = nacha.OutgoingEntry(
        transaction_code=21,
        routing_number=ROUTING,
        account_number="1234567",
        amount_cents=0,
        identification=payment.reference,
        name="Delphine Quarles",
        trace_number="021000020000009",
        addenda=(
            nacha.OutgoingChange(
                "C01",
                payment.trace_number or "",
                "02100002",
                nacha.corrected_data("C01", account_number=NEW_NUMBER),
            ),
        ),
    )
    for number, modifier in enumerate("AB"):
        content = file_of([entry], purpose=nacha.Purpose.CHANGE, modifier=modifier)
        desk.bank.outbox[f"NOC-2026-01-08-{number}.ach"] = content
    assert fetch_inbound(desk.at(THURSDAY)) == (2, 0)
    assert note(world, noted(payment)) is None
    assert world.do(lambda s: len(s.execute(select(AccountCorrection.id)).all())) == 1
    told = select(NoticeDelivery.recipient).where(
        NoticeDelivery.event == NoticeEvent.CORRECTION_RECEIVED.value,
        NoticeDelivery.channel == "mail",
    )
    recipients = world.do(lambda s: list(s.execute(told).scalars()))
    assert world.builder.email in recipients
    assert len(recipients) == len(set(recipients))


def test_a_correction_of_nothing_of_ours_is_put_before_a_person(
    world: PaymentWorld, desk: Desk
) -> None:
    payment = paid(world, desk)
    payment.reference, payment.trace_number = "A" * 15, "044000029999999"
    assert note(world, noted(payment)) is None
    assert open_items(world) == ["correction.unknown"]


@pytest.mark.parametrize(
    "told",
    [("C04", "QUARLES DELPHINE"), ("C13", ""), ("C14", ""), ("C02", "123456789"), ("C99", "X")],
)
def test_what_cannot_be_applied_by_itself_is_read_and_set_aside(
    world: PaymentWorld, desk: Desk, told: tuple[str, str]
) -> None:
    payment = paid(world, desk)
    data = Noted(payment.trace_number or "", payment.reference, told[0], told[1], THURSDAY)
    reference = task(world, data)
    with pytest.raises(Conflict, match="by itself"):
        propose(world, reference)
    for reason in ("", "Changed in the usual way."):
        if not reason:
            with pytest.raises(Invalid):
                aside(world, reference, reason)
        else:
            assert aside(world, reference, reason).state == "SET_ASIDE"
    with pytest.raises(WrongState):
        aside(world, reference, "Again.")


def aside(world: PaymentWorld, reference: str, reason: str) -> AccountCorrection:
    """Set a correction aside."""
    return world.do(
        lambda s: corrections.set_aside(
            s, world.approver, correction_ref=reference, reason=reason, moment=moment_at(THURSDAY)
        )
    )


def test_a_second_person_may_send_it_back(world: PaymentWorld, desk: Desk) -> None:
    reference = task(world, noted(paid(world, desk)))
    propose(world, reference)
    row = world.do(
        lambda s: corrections.send_correction_back(
            s,
            world.approver,
            correction_ref=reference,
            reason="Ask the payee first.",
            moment=moment_at(THURSDAY),
        )
    )
    assert (row.state, row.proposed_by) == ("OPEN", "")
    propose(world, reference, world.other_builder)
    assert apply(world, reference, world.lead).approved_by == world.lead.name


def test_new_bank_details_of_the_payee_come_first(world: PaymentWorld, desk: Desk) -> None:
    reference = task(world, noted(paid(world, desk)))
    propose(world, reference)

    def submit(session: Session) -> PayeeAccount:
        return world.submit(session, session.execute(select(Payee)).scalar_one())

    account = world.do(submit)
    with pytest.raises(AccountChangeOpen):
        apply(world, reference)
    world.do(lambda s: world.approve(s, s.get_one(PayeeAccount, account.id)))
    cooled = date(2025, 11, 10)
    world.do(lambda s: activate_cooled(s, SYSTEM, moment=moment_at(cooled)))
    with pytest.raises(Conflict, match="another account by now"):
        apply(world, reference)


def test_a_correction_that_changes_nothing_is_refused(world: PaymentWorld, desk: Desk) -> None:
    payment = paid(world, desk)
    account = accounts(world)[0]
    number = KEYRING.open(account.account_number_sealed, account_aad(account.id))
    reference = task(world, noted(payment, account_number=number))
    propose(world, reference)
    with pytest.raises(AccountUnchanged):
        apply(world, reference)


def test_the_corrected_number_is_sealed_to_its_row(world: PaymentWorld, desk: Desk) -> None:
    payment = paid(world, desk)
    first = task(world, noted(payment))
    second = task(world, noted(payment, account_number="11122233344"))
    tables = ("account_corrections", "bank_inbox", "audit_events", "notice_deliveries")
    dumped = world.do(
        lambda s: repr([s.execute(text(f"SELECT * FROM {name}")).all() for name in tables])
    )
    assert NEW_NUMBER not in dumped
    propose(world, first)

    def swap(session: Session) -> None:
        rows = {row.reference: row for row in session.execute(select(AccountCorrection)).scalars()}
        rows[first].corrected_sealed = rows[second].corrected_sealed

    world.do(swap)
    with pytest.raises(FileAltered):
        apply(world, first)
    assert [row.state for row in accounts(world)] == ["ACTIVE"]


def test_what_is_due_is_put_before_a_person_until_it_is_decided(
    world: PaymentWorld, desk: Desk
) -> None:
    reference = task(world, noted(paid(world, desk)))
    assert remind_of_nocs(desk.at(date(2026, 1, 15))) == (0, 0)
    for _ in range(2):
        assert remind_of_nocs(desk.at(date(2026, 1, 16))) == (1, 0)
    assert open_items(world) == ["correction.overdue"]
    propose(world, reference)
    apply(world, reference)
    assert open_items(world) == []
    assert remind_of_nocs(desk.at(date(2026, 1, 20))) == (0, 0)


def test_an_unknown_notification_is_not_found(world: PaymentWorld) -> None:
    with pytest.raises(NotFound):
        propose(world, "AAAAAAAAAAAAAAA")


def test_a_bank_that_takes_single_payments_tells_of_corrections_when_asked(
    world: PaymentWorld, desk: Desk
) -> None:
    world.ready()
    run = world.released(rail=Rail.ACH)
    transmit_run(desk.tools, {"run": run.reference})
    [payment] = payments(world, run)
    data = nacha.corrected_data("C01", account_number=NEW_NUMBER)
    desk.bank.payments[payment.reference] = PaymentSnapshot(
        bank_ref="PMT-1",
        client_reference=payment.reference,
        amount_cents=payment.amount_cents,
        status=BankStatus.ACCEPTED,
        word="accepted",
        corrections=(CorrectionNotice("C01", data, THURSDAY),),
    )
    for _ in range(3):
        desk.bank.tell("payment.changed", THURSDAY, client_reference=payment.reference)
    assert poll_events(desk.at(THURSDAY)) == (3, 0)
    [row] = world.do(lambda s: list(s.execute(select(AccountCorrection)).scalars()))
    assert (row.change_code, row.last_four, row.noted_on) == ("C01", "6554", THURSDAY)
    kept = world.do(lambda s: repr(s.execute(text("SELECT payload FROM bank_inbox")).all()))
    assert NEW_NUMBER not in kept


def test_a_corrected_number_in_an_event_is_not_kept(world: PaymentWorld, desk: Desk) -> None:
    payment = paid(world, desk)
    desk.bank.tell(
        "entry.corrected",
        THURSDAY,
        identification=payment.reference,
        trace_number=payment.trace_number,
        change_code="C01",
        corrected_data=NEW_NUMBER,
    )
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    kept = world.do(lambda s: repr(s.execute(text("SELECT payload FROM bank_inbox")).all()))
    assert NEW_NUMBER not in kept
    assert payment.reference in kept
    assert open_items(world) == []
