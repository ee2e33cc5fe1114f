"""Released payments that wait to be sent, in the books and at the simulated bank alike."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import at_new_york
from seedtrust.core.db import make_engine
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.terms.states import Category, TaxClass
from seedtrust.gateways.bank import FileDropBank, HttpSandboxControl
from seedtrust.jobs.bank import poll_events
from seedtrust.sandbox import RunningBank
from tests.factories import payment_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import ACCOUNT_NUMBER, MONDAY, ROUTING, PaymentWorld

API_KEY: Final = "test-key"
ACCOUNT: Final = "trust"
DATABASE: Final = "seedtrust.sqlite3"
# How many payments each run has.
FILES: Final = (2, 1, 3, 1, 2)
WIRES: Final = (3, 2, 3)


@dataclass(frozen=True)
class Payment:
    """One payment that has to reach the bank once."""

    reference: str
    rail: str
    amount_cents: int


@dataclass(frozen=True)
class Place:
    """Where a round takes place: a database, the bank's folder, and what has to be paid."""

    database_url: str
    bank_dir: Path
    trust_account_id: int
    funded_cents: int
    payments: tuple[Payment, ...]
    bank_code: str = FILE_DROP

    @property
    def paid_cents(self) -> int:
        """Return what has left when all is paid."""
        return sum(payment.amount_cents for payment in self.payments)


@dataclass(frozen=True)
class Template:
    """A place as it is before a round, kept to begin again from; only a SQLite file can be."""

    place: Place
    kept: Path

    @classmethod
    def of(cls, place: Place, kept: Path) -> Template:
        """Keep a copy of a place that nobody uses at the moment."""
        kept.mkdir()
        shutil.copytree(place.bank_dir, kept / "bank")
        shutil.copyfile(_file_of(place), kept / DATABASE)
        return cls(place, kept)

    def again(self) -> Place:
        """Put the place back to its beginning; its address stays, so that caches stay warm."""
        database = _file_of(self.place)
        for path in database.parent.glob(f"{database.name}*"):
            path.unlink()
        shutil.copyfile(self.kept / DATABASE, database)
        shutil.rmtree(self.place.bank_dir)
        shutil.copytree(self.kept / "bank", self.place.bank_dir)
        return self.place


def _file_of(place: Place) -> Path:
    return Path(place.database_url.removeprefix("sqlite:///"))


def lay_out(
    database_url: str,
    bank_dir: Path,
    *,
    files: Sequence[int] = FILES,
    wires: Sequence[int] = WIRES,
    bank_code: str = FILE_DROP,
) -> Place:
    """Fund cases through the bank, and release runs of ACH payments and of wires from them.

    `bank_code` says whether ACH payments go in files or one by one.
    """
    running = RunningBank(bank_dir, 0, API_KEY, scan_seconds=None)
    running.start()
    engine = make_engine(database_url)
    try:
        control = HttpSandboxControl(running.url, API_KEY)
        _open(control)
        world = payment_world.build(sessionmaker(engine, autobegin=False, expire_on_commit=False))
        bank = FileDropBank(running.url, API_KEY, bank_dir / "drop")
        families = [_case(world, Stage.CYCLE_IN_PROGRESS)]
        refunds = [_case(world, Stage.FINAL_DISBURSEMENT) for _ in range(sum(wires))]
        funded_cents = _fund(control, [*families, *refunds])
        with database_of_jobs(database_url):
            assert poll_events(JobDesk.open(bank).tools)[1] == 0
        _move(world, [*families, *refunds])
        world.do(lambda s: _speak_by(s, world.trust_account_id, bank_code))
        _release_files(world, families[0], files)
        _release_wires(world, refunds, wires)
        return Place(
            database_url,
            bank_dir,
            world.trust_account_id,
            funded_cents,
            _payments(world),
            bank_code,
        )
    finally:
        engine.dispose()
        running.stop()


def _open(control: HttpSandboxControl) -> None:
    control.open_account(
        {
            "id": ACCOUNT,
            "name": "Client trust",
            "routing_number": ROUTING,
            "account_number": ACCOUNT_NUMBER,
            "company_identifications": ["1844200017"],
            "opening_cents": 0,
        }
    )
    control.move_clock(at_new_york(MONDAY, 10))


@dataclass(frozen=True)
class _Family:
    case: Case
    stage: Stage
    funds_cents: int = 1_000_000


def _case(world: PaymentWorld, stage: Stage) -> _Family:
    return _Family(world.case(funds_cents=0, stage=Stage.PENDING_FUNDING), stage)


def _fund(control: HttpSandboxControl, families: Sequence[_Family]) -> int:
    for family in families:
        wire = {
            "account_id": ACCOUNT,
            "amount_cents": family.funds_cents,
            "sender_name": "Rosalind Ashgrove",
            "text": family.case.reference,
            "reference": "",
        }
        control.receive_wire(wire, key=family.case.reference)
    return sum(family.funds_cents for family in families)


def _move(world: PaymentWorld, families: Sequence[_Family]) -> None:
    def work(session: Session) -> None:
        for family in families:
            session.get_one(Case, family.case.id).stage = family.stage.value

    world.do(work)


def _speak_by(session: Session, trust_account_id: int, bank_code: str) -> None:
    session.get_one(TrustAccount, trust_account_id).bank_code = bank_code


def _release_files(world: PaymentWorld, family: _Family, sizes: Sequence[int]) -> None:
    payee, cents = world.payee(), 10_000
    for size in sizes:
        for _ in range(size):
            cents += 1
            world.request(family.case, payee, amount_cents=cents)
        world.released()


def _release_wires(world: PaymentWorld, families: Sequence[_Family], sizes: Sequence[int]) -> None:
    payee: Payee = world.payee(name="Rosalind Ashgrove")
    waiting = list(families)
    cents = 200_000
    for size in sizes:
        for _ in range(size):
            cents += 1
            world.request(
                waiting.pop().case,
                payee,
                amount_cents=cents,
                kind=RequestKind.REFUND,
                category=Category.CLOSING_REFUND,
                tax_class=TaxClass.NONE,
            )
        world.released(rail=Rail.WIRE)


def _payments(world: PaymentWorld) -> tuple[Payment, ...]:
    rows = select(
        PaymentInstruction.reference, PaymentInstruction.rail, PaymentInstruction.amount_cents
    ).order_by(PaymentInstruction.id)
    return tuple(Payment(*row) for row in world.do(lambda s: s.execute(rows).all()))
