"""One ACH payment, all the way: from a READY request to the bank's last word."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, TUESDAY, PaymentWorld
from tests.fakes.bank import FakeBank


def test_a_ready_request_is_paid_by_a_file_that_the_bank_settles(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    [request_ref] = world.ready()
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    assert _state_of_run(world, run) == "TRANSMITTED"
    assert len(desk.bank.deliveries) == 1
    desk.bank.tell_of_file("file.accepted", MONDAY)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.at(TUESDAY)) == (2, 0)
    assert _state_of_run(world, run) == "SETTLED"
    [payment] = _payments(world, run)
    assert (payment.state, payment.settled_on) == ("SETTLED", TUESDAY)
    request = world.do(
        lambda session: session.execute(
            select(DisbursementRequest).where(DisbursementRequest.reference == request_ref)
        ).scalar_one()
    )
    assert request.state == "PAID"
    assert _balance(world, "in_transit:ach:out") == 0
    assert _balance(world, "bank_cash:main") == 990_000
    [line] = _case_lines(world, payment.case_id)[1:]
    assert (line.kind, line.effective_on, line.amount_cents) == ("DISBURSEMENT", TUESDAY, -10_000)
    assert line.category == "per_diem"


def _state_of_run(world: PaymentWorld, run: PaymentRun) -> str:
    return world.do(lambda session: session.get_one(PaymentRun, run.id).state)


def _payments(world: PaymentWorld, run: PaymentRun) -> list[PaymentInstruction]:
    statement = select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def _balance(world: PaymentWorld, code: str) -> int:
    def work(session: Session) -> int:
        account_id = chart.account_id(session, "trust", code)
        return ledger_queries.balance_as_of(session, account_id, date(2027, 1, 1))

    return world.do(work)


def _case_lines(world: PaymentWorld, case_id: int) -> list[ledger_queries.CaseLine]:
    def work(session: Session) -> list[ledger_queries.CaseLine]:
        case = session.get_one(Case, case_id)
        return ledger_queries.case_lines(session, case.ledger_account_id)

    return world.do(work)
