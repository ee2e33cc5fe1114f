"""Checks against the bank simulator: told, presented, stopped, stale, and proved to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.bankdays import next_banking_day
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.checks import service
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.gateways.bank import FileDropBank
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.checks import find_stale, tell_bank
from seedtrust.jobs.statements import import_all
from tests.factories import payment_world
from tests.factories.check_world import ADDRESS, CENTS, CheckWorld
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import MONDAY, PaymentWorld, moment_at
from tests.gateways.conftest import Simulator

THURSDAY = date(2026, 1, 8)
FRIDAY = date(2026, 1, 9)
STALE_DAY = next_banking_day(MONDAY + timedelta(days=180))
FUNDS = 1_000_000


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


@pytest.fixture
def checks(world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator) -> CheckWorld:
    """Return a case whose money came in by wire."""
    case = world.case(funds_cents=0, stage=Stage.PENDING_FUNDING)
    wire = {
        "account_id": "trust",
        "amount_cents": FUNDS,
        "sender_name": "Rosalind Ashgrove",
        "text": f"Escrow {case.reference}",
        "reference": "",
    }
    simulator.control.receive_wire(wire, key="fund")
    assert poll_events(desk.tools)[1] == 0

    def work(session: Session) -> None:
        session.get_one(Case, case.id).stage = Stage.CYCLE_IN_PROGRESS.value

    world.do(work)
    return CheckWorld(world, case)


def told(checks: CheckWorld, desk: JobDesk[FileDropBank], simulator: Simulator) -> int:
    """Keep every promise to tell the bank of checks, twice; return how many there were."""
    wanted = select(OutboxMessage.payload).where(OutboxMessage.topic == service.TELL_BANK)
    payloads = checks.world.do(lambda session: list(session.execute(wanted).scalars()))
    for payload in [*payloads, *payloads]:
        tell_bank(desk.tools, payload)
    simulator.control.scan()
    return len(payloads)


def proof(checks: CheckWorld, on: date) -> ThreeWay:
    """Return the three-way proof of a day."""
    account_id = checks.world.trust_account_id
    return checks.world.do(lambda session: three_way(session, account_id, on))


def line_types(checks: CheckWorld) -> list[str]:
    """Return what the lines of all statements were matched to."""
    wanted = select(BankStatementLine.matched_type).order_by(BankStatementLine.id)
    return checks.world.do(lambda session: list(session.execute(wanted).scalars()))


def test_a_check_is_paid_on_the_third_banking_day_and_proved_on_every_day(
    checks: CheckWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    reference = checks.issued()
    assert told(checks, desk, simulator) == 1
    day = proof(checks, MONDAY)
    assert (day.agrees, day.outstanding_checks_cents) == (True, -CENTS)
    simulator.at(FRIDAY)
    assert import_all(desk.at(FRIDAY))[1] == 0
    row = checks.check(reference)
    assert (row.state, row.ended_on) == ("PRESENTED", THURSDAY)
    assert line_types(checks) == ["deposit", "check"]
    for on in (MONDAY, date(2026, 1, 7), THURSDAY, FRIDAY):
        assert proof(checks, on).agrees
    assert proof(checks, FRIDAY).items == ()
    assert proof(checks, FRIDAY).statement_cents == FUNDS - CENTS


def test_a_stopped_check_is_not_paid(
    checks: CheckWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    reference, world = checks.issued(), checks.world
    told(checks, desk, simulator)
    checks.do(service.ask_to_stop, world.builder, reference, reason="Lost in the mail")
    checks.do(service.confirm_stop, world.lead, reference)
    assert told(checks, desk, simulator) == 2
    simulator.at(FRIDAY)
    assert import_all(desk.at(FRIDAY))[1] == 0
    assert line_types(checks) == ["deposit"]
    day = proof(checks, FRIDAY)
    assert (day.agrees, day.statement_cents, day.cases_cents) == (True, FUNDS, FUNDS)


def test_a_stale_check_stays_owed_until_another_is_paid(
    checks: CheckWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    reference, world = checks.issued(), checks.world
    told(checks, desk, simulator)
    simulator.control.hold_check("trust", checks.check(reference).number or 0)
    simulator.at(STALE_DAY)
    tools = desk.at(STALE_DAY)
    assert import_all(tools)[1] == 0
    assert find_stale(tools) == (1, 0)
    assert find_stale(tools) == (0, 0)
    day = proof(checks, STALE_DAY)
    assert (day.agrees, day.outstanding_checks_cents) == (True, 0)
    assert [(item.code, item.amount_cents) for item in day.liabilities] == [("stale_items", CENTS)]
    later = moment_at(STALE_DAY)
    again = checks.do(
        service.prepare_reissue, world.builder, reference, mail_to=ADDRESS, moment=later
    )
    checks.do(service.issue_check, world.lead, again.reference, moment=later)
    told(checks, desk, simulator)
    assert proof(checks, STALE_DAY).agrees
    simulator.control.present_check("trust", 1002)
    after = next_banking_day(STALE_DAY)
    simulator.at(after)
    assert import_all(desk.at(after))[1] == 0
    assert checks.check(again.reference).state == "PRESENTED"
    day = proof(checks, after)
    assert (day.agrees, day.statement_cents, day.items) == (True, FUNDS - CENTS, ())
    assert day.liabilities == ()
