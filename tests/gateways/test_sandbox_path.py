"""The whole path against the bank simulator: file, wire, return, statement, three-way proof."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.service import account_aad
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.domain.terms.states import Category, TaxClass
from seedtrust.gateways.bank import FileDropBank
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import send_payment
from seedtrust.jobs.statements import import_all
from tests.factories import payment_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import KEYRING, MONDAY, TUESDAY, PaymentWorld, moment_at
from tests.gateways.conftest import Simulator

WEDNESDAY = date(2026, 1, 7)
THURSDAY = date(2026, 1, 8)
FRIDAY = date(2026, 1, 9)


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account with the people who pay from it."""
    return payment_world.build(session_factory)


@pytest.fixture
def desk(
    database_url: str, world: PaymentWorld, simulator: Simulator
) -> Iterator[JobDesk[FileDropBank]]:
    """Return a desk from which jobs reach the simulator."""
    del world
    with database_of_jobs(database_url):
        yield JobDesk.open(simulator.bank)


def funded(
    world: PaymentWorld,
    desk: JobDesk[FileDropBank],
    simulator: Simulator,
    *,
    stage: Stage = Stage.CYCLE_IN_PROGRESS,
) -> Case:
    """Open a case and have its money come in by wire, as the parents send it."""
    case = world.case(funds_cents=0, stage=Stage.PENDING_FUNDING)
    simulator.control.receive_wire(
        {
            "account_id": "trust",
            "amount_cents": 1_000_000,
            "sender_name": "Rosalind Ashgrove",
            "text": f"Escrow {case.reference}",
            "reference": "",
        },
        key=f"fund-{case.reference}",
    )
    assert poll_events(desk.tools)[1] == 0

    def work(session: Session) -> None:
        session.get_one(Case, case.id).stage = stage.value

    world.do(work)
    return case


def proof(world: PaymentWorld, on: date) -> ThreeWay:
    """Return the three-way proof of a day."""
    return world.do(lambda session: three_way(session, world.trust_account_id, on))


def payments_of(world: PaymentWorld, run: PaymentRun) -> list[PaymentInstruction]:
    """Return the payments of a run in their order."""
    statement = (
        select(PaymentInstruction)
        .where(PaymentInstruction.run_id == run.id)
        .order_by(PaymentInstruction.position)
    )
    return world.do(lambda session: list(session.execute(statement).scalars()))


def test_a_file_settles_and_its_statement_line_is_matched(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    case = funded(world, desk, simulator)
    payee = world.payee()
    for cents in (10_000, 20_000):
        world.request(case, payee, amount_cents=cents)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    simulator.control.scan()
    simulator.at(TUESDAY)
    assert poll_events(desk.at(TUESDAY)) == (5, 0)
    assert {row.state for row in payments_of(world, run)} == {"SETTLED"}
    day = proof(world, TUESDAY)
    assert (day.agrees, day.adjusted_bank_cents) == (True, 970_000)
    assert day.statement_on is None
    simulator.at(WEDNESDAY)
    assert import_all(desk.at(WEDNESDAY)) == (2, 0)
    assert {row.reconciliation_status for row in payments_of(world, run)} == {"matched"}
    day = proof(world, WEDNESDAY)
    assert (day.agrees, day.statement_on, day.statement_cents) == (True, TUESDAY, 970_000)
    assert day.items == ()
    assert import_all(desk.tools) == (0, 0)


def test_a_closed_account_sends_the_money_back_and_blocks_what_is_still_to_come(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    case = funded(world, desk, simulator)
    payee = world.payee()
    world.request(case, payee)
    account = world.do(
        lambda session: session.execute(
            select(PayeeAccount).where(PayeeAccount.payee_id == payee.id)
        ).scalar_one()
    )
    number = KEYRING.open(account.account_number_sealed, account_aad(account.id))
    simulator.control.close_counterparty(account.routing_number, number, MONDAY)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    simulator.control.scan()
    simulator.at(THURSDAY)
    assert poll_events(desk.at(THURSDAY))[1] == 0
    [payment] = payments_of(world, run)
    assert (payment.state, payment.return_code) == ("RETURNED", "R02")
    assert (payment.settled_on, payment.returned_on) == (TUESDAY, THURSDAY)
    assert world.do(lambda session: session.get_one(PayeeAccount, account.id).state) == "BLOCKED"
    simulator.at(FRIDAY)
    assert import_all(desk.at(FRIDAY))[1] == 0
    day = proof(world, FRIDAY)
    assert (day.agrees, day.cases_cents, day.items) == (True, 1_000_000, ())
    lines = world.do(
        lambda session: list(
            session.execute(
                select(BankStatementLine.matched_type).order_by(BankStatementLine.id)
            ).scalars()
        )
    )
    assert lines == ["deposit", "run", "return"]


def test_a_refund_goes_by_wire_and_is_settled_at_once(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    case = funded(world, desk, simulator, stage=Stage.FINAL_DISBURSEMENT)
    world.request(
        case,
        world.payee(name="Rosalind Ashgrove"),
        amount_cents=1_000_000,
        kind=RequestKind.REFUND,
        category=Category.CLOSING_REFUND,
        tax_class=TaxClass.NONE,
    )
    run = world.released(rail=Rail.WIRE)
    [payment] = payments_of(world, run)
    send_payment(desk.tools, {"instruction": payment.reference})
    [payment] = payments_of(world, run)
    assert (payment.state, payment.settled_on) == ("SETTLED", MONDAY)
    assert poll_events(desk.tools) == (2, 0)
    assert world.do(lambda session: session.get_one(PaymentRun, run.id).state) == "SETTLED"
    day = proof(world, MONDAY)
    assert (day.agrees, day.owners_cents) == (True, 0)


def test_a_wire_that_names_no_case_is_owed_to_somebody_unknown(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    simulator.control.receive_wire(
        {
            "account_id": "trust",
            "amount_cents": 5_000,
            "sender_name": "Somebody",
            "text": "hello",
            "reference": "",
        },
        key="unknown",
    )
    assert poll_events(desk.tools) == (1, 0)
    day = proof(world, moment_at().today)
    assert (day.agrees, day.cases_cents, day.owners_cents) == (True, 0, 5_000)
    assert [item.kind for item in day.items] == ["unidentified_deposit"]
