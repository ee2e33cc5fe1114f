"""Paying again after a return: only to an account in use, and little at first."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, Invalid, WrongState
from seedtrust.domain.disbursements.errors import PayeeNotPayable
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reissue import reissue
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.service import activate_cooled
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments import queries
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories.bank_answers import (
    THURSDAY,
    open_items,
    payments,
    request_states,
    tell_of_return,
)
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]
# Approved on Thursday; Friday, Monday and Tuesday are the three banking days.
IN_USE = date(2026, 1, 13)


def came_back(world: PaymentWorld, desk: Desk, *amounts: int, code: str = "R02") -> Payee:
    """Pay one payee several amounts that all come back on Thursday."""
    case, payee = world.case(funds_cents=5_000_000), world.payee()
    for cents in amounts:
        world.request(case, payee, amount_cents=cents)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    for payment in payments(world, run):
        tell_of_return(desk, payment, code=code)
    assert poll_events(desk.at(THURSDAY))[1] == 0
    return payee


def new_account(world: PaymentWorld, payee: Payee) -> None:
    """Give the payee an account that has passed check, call-back, approval and cooling off."""

    def work(session: Session) -> None:
        account = world.submit(session, payee, on=THURSDAY)
        world.approve(session, account, on=THURSDAY)

    world.do(work)
    world.do(lambda s: activate_cooled(s, SYSTEM, moment=moment_at(IN_USE)))


def pay_all_again(world: PaymentWorld, *, on: date = IN_USE) -> None:
    """Approve anew everything that came back."""

    def work(session: Session) -> None:
        rows = select(DisbursementRequest.reference).order_by(DisbursementRequest.id)
        for reference in session.execute(rows).scalars().all():
            reissue(
                session,
                world.lead,
                request_ref=reference,
                reason="The new account is in use.",
                moment=moment_at(on),
            )

    world.do(work)


def collected(world: PaymentWorld, *, on: date = IN_USE) -> tuple[list[int], list[str]]:
    """Collect what is due; return the amounts in the run and the reasons on its list."""
    run = world.collect(moment=moment_at(on))
    assert run is not None
    view = world.do(lambda s: queries.run_view(s, world.builder, run.reference))
    return (
        [row.amount_cents for row in view.payments],
        [row.sentence for row in view.exceptions],
    )


def test_what_came_back_waits_for_an_account_that_passed_everything(
    world: PaymentWorld, desk: Desk
) -> None:
    payee = came_back(world, desk, 25_000)
    with pytest.raises(PayeeNotPayable) as refusal:
        pay_all_again(world, on=THURSDAY)
    assert (refusal.value.code, "blocked" in refusal.value.detail) == ("payee_not_payable", True)

    def submit(session: Session) -> PayeeAccount:
        return world.submit(session, payee, on=THURSDAY)

    account = world.do(submit)
    with pytest.raises(PayeeNotPayable, match="wait for a decision"):
        pay_all_again(world, on=THURSDAY)
    world.do(lambda s: world.approve(s, s.get_one(PayeeAccount, account.id), on=THURSDAY))
    with pytest.raises(PayeeNotPayable, match="cooling off"):
        pay_all_again(world, on=THURSDAY)
    world.do(lambda s: activate_cooled(s, SYSTEM, moment=moment_at(date(2026, 1, 12))))
    with pytest.raises(PayeeNotPayable):
        pay_all_again(world, on=date(2026, 1, 12))
    world.do(lambda s: activate_cooled(s, SYSTEM, moment=moment_at(IN_USE)))
    pay_all_again(world)
    assert request_states(world) == ["READY"]
    assert open_items(world) == ["payment.returned"]
    assert collected(world) == ([25_000], [])
    assert open_items(world) == []
    with pytest.raises(WrongState):
        pay_all_again(world)


def test_only_a_lead_pays_again_and_with_a_reason(world: PaymentWorld, desk: Desk) -> None:
    new_account(world, came_back(world, desk, 25_000))
    reference = world.do(lambda s: s.execute(select(DisbursementRequest.reference)).scalar_one())
    for actor, reason, refused in (
        (world.escrow, "It is fine.", Forbidden),
        (world.lead, " ", Invalid),
    ):
        with pytest.raises(refused):
            world.do(
                lambda s, who=actor, why=reason: reissue(  # type: ignore[misc]
                    s, who, request_ref=reference, reason=why, moment=moment_at(IN_USE)
                )
            )
    assert request_states(world) == ["RETURNED"]


def test_the_first_payment_to_a_changed_account_is_the_sum_of_its_first_day(
    world: PaymentWorld, desk: Desk
) -> None:
    payee = came_back(world, desk, 25_000, 577_778, 147_222, 1)
    new_account(world, payee)
    pay_all_again(world)
    amounts, reasons = collected(world)
    # 250.00 + 5,777.78 + 1,472.22 are 7,500.00 together; a cent more has to wait.
    assert (amounts, len(reasons)) == ([25_000, 577_778, 147_222], 1)
    assert "at most $7,500.00" in reasons[0]
    # Collected again, nothing changes.
    assert collected(world) == (amounts, reasons)


def test_after_the_first_settlement_the_limit_is_gone(world: PaymentWorld, desk: Desk) -> None:
    new_account(world, came_back(world, desk, 700_000, 900_000))
    pay_all_again(world)
    run = world.released(moment=moment_at(IN_USE))
    assert [row.amount_cents for row in payments(world, run)] == [700_000]
    transmit_run(desk.at(IN_USE), {"run": run.reference})
    nxt = date(2026, 1, 14)
    amounts, reasons = collected(world, on=nxt)
    assert (amounts, len(reasons)) == ([], 1)
    desk.bank.tell_of_file("file.settled", nxt, settles_on="2026-01-14", is_complete=True)
    poll_events(desk.at(nxt))
    assert collected(world, on=nxt) == ([900_000], [])


def test_companies_first_accounts_and_accounts_without_a_limit_are_not_held(
    world: PaymentWorld,
) -> None:
    case = world.case(funds_cents=9_000_000)
    world.request(case, world.payee(), amount_cents=1_000_000)
    company = world.payee(kind=PayeeKind.COMPANY)
    new_account(world, company)
    world.request(case, company, amount_cents=1_000_001)
    assert collected(world) == ([1_000_000, 1_000_001], [])
    person = world.payee()
    new_account(world, person)
    world.request(case, person, amount_cents=1_000_002)
    amounts, reasons = collected(world)
    assert (len(amounts), len(reasons)) == (2, 1)

    def lift(session: Session) -> None:
        session.get_one(TrustAccount, world.trust_account_id).first_payment_limit_cents = None

    world.do(lift)
    assert collected(world) == ([1_000_000, 1_000_001, 1_000_002], [])


def test_what_is_due_to_a_blocked_account_says_why_on_the_list(
    world: PaymentWorld, desk: Desk
) -> None:
    payee = came_back(world, desk, 25_000, code="R03")
    case = world.case()
    world.request(case, payee, amount_cents=20_000)
    amounts, reasons = collected(world, on=THURSDAY)
    assert (amounts, len(reasons)) == ([], 1)
    assert "blocked" in reasons[0]
    assert "no such account" in reasons[0]


def test_a_second_return_is_told_again(world: PaymentWorld, desk: Desk) -> None:
    came_back(world, desk, 25_000, code="R01")
    pay_all_again(world, on=THURSDAY)
    run: PaymentRun = world.released(moment=moment_at(THURSDAY))
    transmit_run(desk.at(THURSDAY), {"run": run.reference})
    [payment] = payments(world, run)
    tell_of_return(desk, payment, returned_on="2026-01-13")
    assert poll_events(desk.at(IN_USE)) == (1, 0)
    keys = select(NoticeDelivery.event_key).where(
        NoticeDelivery.event == NoticeEvent.PAYMENT_RETURNED_STAFF.value
    )
    assert len(world.do(lambda s: set(s.execute(keys).scalars()))) == 2
