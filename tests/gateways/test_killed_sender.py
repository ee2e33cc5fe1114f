"""A sender whose process ends at any place, against the real adapter and the bank simulator."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.failpoints import armed
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.terms.states import Category, TaxClass
from seedtrust.ext import db
from seedtrust.gateways.bank import FileDropBank
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import inquire_due, send_payment
from tests.factories import payment_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import TUESDAY, PaymentWorld
from tests.gateways.conftest import API_KEY, Simulator

KILLED = 9
FILE_POINTS = (
    "file.sealed",
    "file.begun",
    "file.before_lookup",
    "file.part_written",
    "file.before_rename",
    "file.totals_in_place",
    "file.in_place",
    "file.delivered",
    "file.recorded",
)
WIRE_POINTS = (
    "wire.begun",
    "wire.before_call",
    "wire.after_call",
    "wire.answered",
    "wire.recorded",
)


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
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator, stage: Stage
) -> Case:
    """Open a case whose money came in by wire."""
    case = world.case(funds_cents=0, stage=Stage.PENDING_FUNDING)
    wire = {
        "account_id": "trust",
        "amount_cents": 1_000_000,
        "sender_name": "Rosalind Ashgrove",
        "text": case.reference,
        "reference": "",
    }
    simulator.control.receive_wire(wire, key=case.reference)
    assert poll_events(desk.tools)[1] == 0

    def move(session: Session) -> None:
        session.get_one(Case, case.id).stage = stage.value

    world.do(move)
    return case


def in_a_process_that_dies_at(point: str, work: Callable[[], object]) -> int:
    """Do the work in a forked process that ends without a word at a place; return its status."""
    child = os.fork()
    if child == 0:
        # The parent's connections are not the child's to use or to close.
        db.engine.dispose(close=False)
        with armed(point, lambda: os._exit(KILLED)):
            work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def bank_has(simulator: Simulator, path: str) -> list[dict[str, object]]:
    """Return what the simulator lists."""
    response = requests.get(
        f"{simulator.running.url}{path}", headers={"Authorization": f"Bearer {API_KEY}"}, timeout=20
    )
    found: list[dict[str, object]] = response.json()["data"]
    return found


@pytest.mark.parametrize("point", FILE_POINTS)
def test_a_file_whose_sender_dies_reaches_the_bank_once(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator, point: str
) -> None:
    case = funded(world, desk, simulator, Stage.CYCLE_IN_PROGRESS)
    world.request(case, world.payee(), amount_cents=10_000)
    run = world.released()
    payload = {"run": run.reference}
    died = in_a_process_that_dies_at(point, lambda: transmit_run(desk.tools, payload))
    assert died == KILLED
    simulator.control.scan()
    transmit_run(desk.tools, payload)
    simulator.control.scan()
    transmit_run(desk.tools, payload)
    assert len(bank_has(simulator, "/v1/files")) == 1
    simulator.at(TUESDAY)
    assert poll_events(desk.at(TUESDAY))[1] == 0
    assert world.do(lambda s: s.get_one(PaymentRun, run.id).state) == "SETTLED"
    day = world.do(lambda s: three_way(s, world.trust_account_id, TUESDAY))
    assert (day.agrees, day.owners_cents) == (True, 990_000)
    assert simulator.bank.get_balance("trust").ledger_cents == 990_000


@pytest.mark.parametrize("point", WIRE_POINTS)
def test_a_wire_whose_sender_dies_is_paid_once(
    world: PaymentWorld, desk: JobDesk[FileDropBank], simulator: Simulator, point: str
) -> None:
    case = funded(world, desk, simulator, Stage.FINAL_DISBURSEMENT)
    world.request(
        case,
        world.payee(name="Rosalind Ashgrove"),
        amount_cents=1_000_000,
        kind=RequestKind.REFUND,
        category=Category.CLOSING_REFUND,
        tax_class=TaxClass.NONE,
    )
    run = world.released(rail=Rail.WIRE)
    statement = select(PaymentInstruction.reference).where(PaymentInstruction.run_id == run.id)
    reference = world.do(lambda s: s.execute(statement).scalar_one())
    payload = {"instruction": reference}
    died = in_a_process_that_dies_at(point, lambda: send_payment(desk.tools, payload))
    assert died == KILLED
    send_payment(desk.tools, payload)
    for _ in range(3):
        desk.later(60)
        inquire_due(desk.tools, "filedrop")
    assert len(bank_has(simulator, "/v1/payments")) == 1
    assert poll_events(desk.tools)[1] == 0
    assert world.do(lambda s: s.get_one(PaymentRun, run.id).state) == "SETTLED"
    day = world.do(lambda s: three_way(s, world.trust_account_id, date(2026, 1, 5)))
    assert (day.agrees, day.owners_cents) == (True, 0)
