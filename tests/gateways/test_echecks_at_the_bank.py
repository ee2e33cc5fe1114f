"""E-checks against the bank simulator: drawn, uncollected, collected, returned, proved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.gateways.bank import FileDropBank
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.cases import collect_deposits
from seedtrust.jobs.statements import import_all
from tests.factories import echeck_world, payment_world
from tests.factories.echeck_world import ASKED_CENTS, EcheckWorld, drawn
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import MONDAY, TUESDAY, PaymentWorld
from tests.gateways.conftest import Simulator

WEDNESDAY = date(2026, 1, 7)
THURSDAY = date(2026, 1, 8)
FRIDAY = date(2026, 1, 9)
COLLECTED = date(2026, 1, 13)
NO_FUNDS = "5501889901"
NOT_AUTHORISED = "5501889910"


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account with the people who work with it."""
    return payment_world.build(session_factory)


@pytest.fixture
def desk(
    database_url: str, world: PaymentWorld, simulator: Simulator
) -> Iterator[JobDesk[FileDropBank]]:
    """Return a desk from which jobs reach the simulator."""
    del world
    with database_of_jobs(database_url):
        yield JobDesk.open(simulator.bank)


def proof(world: PaymentWorld, on: date) -> ThreeWay:
    """Return the three-way proof of a day."""
    return world.do(lambda session: three_way(session, world.trust_account_id, on))


def line_types(world: PaymentWorld) -> list[str]:
    """Return what the lines of all statements were matched to."""
    wanted = select(BankStatementLine.matched_type).order_by(BankStatementLine.id)
    return world.do(lambda session: list(session.execute(wanted).scalars()))


def sent(desk: JobDesk[FileDropBank], simulator: Simulator, echecks: EcheckWorld) -> str:
    """Ask for an e-check, take it to the bank, and return its reference."""
    reference = echecks.ask().reference
    drawn(desk.tools, echecks, reference)
    simulator.control.scan()
    assert poll_events(desk.tools)[1] == 0
    return reference


def test_an_echeck_is_uncollected_for_five_banking_days(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    echecks = echeck_world.build(world)
    reference = sent(desk, simulator, echecks)
    assert echecks.pull(reference).state == "SENT"
    day = proof(world, MONDAY)
    assert (day.agrees, day.deposits_in_transit_cents) == (True, ASKED_CENTS)
    assert (day.adjusted_bank_cents, day.cases_cents) == (ASKED_CENTS, 0)
    simulator.at(TUESDAY)
    assert poll_events(desk.at(TUESDAY))[1] == 0
    assert echecks.pull(reference).state == "SETTLED"
    balance = echecks.balance()
    assert (balance.ledger_cents, balance.available_cents) == (ASKED_CENTS, 0)
    assert proof(world, MONDAY).agrees
    assert proof(world, TUESDAY).agrees
    simulator.at(WEDNESDAY)
    assert import_all(desk.at(WEDNESDAY)) == (2, 0)
    assert line_types(world) == ["debits"]
    day = proof(world, WEDNESDAY)
    assert (day.agrees, day.statement_cents, day.items) == (True, ASKED_CENTS, ())
    assert collect_deposits(desk.at(date(2026, 1, 12))) == (0, 0)
    assert collect_deposits(desk.at(COLLECTED)) == (1, 0)
    assert echecks.balance().available_cents == ASKED_CENTS
    assert collect_deposits(desk.tools) == (0, 0)


def test_an_echeck_that_finds_no_money_goes_out_of_the_case_again(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator
) -> None:
    echecks = echeck_world.build(world, account_number=NO_FUNDS)
    reference = sent(desk, simulator, echecks)
    simulator.at(THURSDAY)
    tools = desk.at(THURSDAY)
    assert poll_events(tools)[1] == 0
    assert fetch_inbound(tools)[1] == 0
    pull = echecks.pull(reference)
    assert (pull.state, pull.return_code, pull.ended_on) == ("RETURNED", "R01", THURSDAY)
    balance = echecks.balance()
    assert (balance.ledger_cents, balance.available_cents) == (0, 0)
    assert echecks.authorisation().state == "ACTIVE"
    simulator.at(FRIDAY)
    assert import_all(desk.at(FRIDAY))[1] == 0
    assert line_types(world) == ["debits", "deposit_return"]
    for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY):
        assert proof(world, day).agrees
    assert proof(world, FRIDAY).items == ()
    assert proof(world, FRIDAY).owners_cents == 0
