"""Returns, corrections and copies against the bank simulator, by event and by file alike."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.cases.models import Case
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.service import account_aad
from seedtrust.domain.payments import corrections
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction, PaymentRun
from seedtrust.gateways.bank import FileDropBank
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories import payment_world
from tests.factories.bank_answers import open_items, payments
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import KEYRING, TUESDAY, PaymentWorld, moment_at
from tests.gateways.conftest import Simulator

FRIDAY = date(2026, 1, 9)
Desk = JobDesk[FileDropBank]


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account with the people who pay from it."""
    return payment_world.build(session_factory)


@pytest.fixture
def desk(database_url: str, world: PaymentWorld, simulator: Simulator) -> Iterator[Desk]:
    """Return a desk from which jobs reach the simulator, whose account has money."""
    del world
    simulator.control.receive_wire(
        {
            "account_id": "trust",
            "amount_cents": 1_000_000,
            "sender_name": "Rosalind Ashgrove",
            "text": "hello",
            "reference": "",
        },
        key="fund",
    )
    with database_of_jobs(database_url):
        yield JobDesk.open(simulator.bank)


def payee_at(world: PaymentWorld, number: str) -> Payee:
    """Open a payee whose account has a number that the simulator answers to."""
    payee = world.payee(active=False)

    def work(session: Session) -> None:
        world.approve(session, world.submit(session, payee, number=number))

    world.do(work)
    return payee


def paid(
    world: PaymentWorld, desk: Desk, simulator: Simulator, *numbers: str
) -> tuple[Case, PaymentRun]:
    """Pay one payee for each number, and let the bank do what it does until Friday."""
    case = world.case()
    for place, number in enumerate(numbers):
        world.request(case, payee_at(world, number), amount_cents=10_000 + place)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    simulator.control.scan()
    simulator.at(FRIDAY)
    return case, run


def test_returns_by_event_and_by_file_count_once(
    world: PaymentWorld, desk: Desk, simulator: Simulator
) -> None:
    _, run = paid(world, desk, simulator, "4411009901", "4411009904", "4411000000")
    assert fetch_inbound(desk.at(FRIDAY))[1] == 0
    assert poll_events(desk.at(FRIDAY))[1] == 0
    assert fetch_inbound(desk.tools) == (0, 0)
    found = [(row.state, row.return_code) for row in payments(world, run)]
    assert found == [("RETURNED", "R01"), ("RETURNED", "R04"), ("SETTLED", "")]
    states = select(PayeeAccount.state).order_by(PayeeAccount.id)
    assert world.do(lambda s: list(s.execute(states).scalars())) == ["ACTIVE", "BLOCKED", "ACTIVE"]
    assert open_items(world).count("payment.returned") == 2


def test_a_correction_in_the_banks_file_is_a_task_and_the_next_payment_goes_there(
    world: PaymentWorld, desk: Desk, simulator: Simulator
) -> None:
    case, _ = paid(world, desk, simulator, "4411009851")
    assert poll_events(desk.at(FRIDAY))[1] == 0
    assert fetch_inbound(desk.tools)[1] == 0
    [row] = world.do(lambda s: list(s.execute(select(AccountCorrection)).scalars()))
    assert (row.change_code, row.last_four, row.state) == ("C01", "4051", "OPEN")
    dumped = world.do(lambda s: repr(s.execute(text("SELECT * FROM bank_inbox")).all()))
    assert "4411004051" not in dumped

    def apply(session: Session) -> None:
        ask = {"correction_ref": row.reference, "moment": moment_at(FRIDAY)}
        corrections.propose_correction(session, world.checker, **ask)  # type: ignore[arg-type]
        corrections.apply_correction(session, world.approver, keyring=KEYRING, **ask)  # type: ignore[arg-type]

    world.do(apply)
    payee = world.do(lambda s: s.execute(select(Payee)).scalar_one())
    world.request(case, payee, amount_cents=7_000)
    run = world.released(moment=moment_at(FRIDAY))
    [payment] = payments(world, run)
    account = world.do(lambda s: s.get_one(PayeeAccount, payment.payee_account_id))
    number = KEYRING.open(account.account_number_sealed, account_aad(account.id))
    assert (number, account.state) == ("4411004051", "ACTIVE")


@pytest.mark.parametrize("name", ["COPY.ach", ""])
def test_an_old_file_put_into_the_folder_by_hand_is_paid_once(
    world: PaymentWorld, desk: Desk, simulator: Simulator, name: str
) -> None:
    case = world.case()
    world.request(case, world.payee(), amount_cents=10_000)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    simulator.control.scan()
    assert poll_events(desk.tools)[1] == 0
    [file] = (simulator.drop / "archive").glob("ST*.ach")
    shutil.copyfile(file, simulator.drop / "inbox" / (name or file.name))
    simulator.control.scan()
    assert poll_events(desk.tools)[1] == 0
    simulator.at(TUESDAY)
    assert poll_events(desk.at(TUESDAY))[1] == 0
    rows = select(PaymentInstruction.state)
    assert world.do(lambda s: list(s.execute(rows).scalars())) == ["SETTLED"]
    assert simulator.bank.get_balance("trust").ledger_cents == 990_000
    if name:
        sentence = select(ExceptionItem.sentence).where(ExceptionItem.kind == "run.copied")
        assert "once more" in world.do(lambda s: s.execute(sentence).scalar_one())


def test_a_file_that_we_never_made_is_told(
    world: PaymentWorld, desk: Desk, simulator: Simulator
) -> None:
    (simulator.drop / "inbox" / "STRANGE.ach").write_bytes(b"101 nothing of ours\n")
    simulator.control.scan()
    assert poll_events(desk.tools)[1] == 0
    assert "file.foreign" in open_items(world)
