"""Any order and any doubling of what a bank tells gives the same books and the same states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.db import make_engine
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.ledger.models import LedgerAccount, LedgerEntry, LedgerTxn
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import BankStatus, ReturnNotice
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.terms.states import Category, TaxClass
from seedtrust.formats import nacha
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import send_payment
from seedtrust.jobs.statements import import_all
from tests.factories import payment_world
from tests.factories.bank_answers import THURSDAY, file_of, payments, return_entry
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import TUESDAY, PaymentWorld
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank
from tests.support import books, databases

# Eight examples of eighteen messages, each told seven times: a thousand messages and eight.
COUNT: Final = 6
COPIES: Final = 7
EXAMPLES: Final = 8
FRIDAY: Final = date(2026, 1, 9)


@dataclass(frozen=True)
class Prepared:
    """A database in which a run has just gone to the bank, and what the bank will tell of it."""

    path: Path
    bank: FakeBank = field(repr=False)
    told: tuple[Told, ...] = field(repr=False)


@dataclass(frozen=True)
class Told:
    """One thing that the bank tells: an event, or a file in its outbox."""

    kind: str
    data: dict[str, str | int | bool | None] = field(repr=False)
    content: bytes = field(default=b"", repr=False)


@pytest.fixture(scope="module")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Send six payments by file and two one by one; every example begins with a copy."""
    path = tmp_path_factory.mktemp("any_order") / "prepared.sqlite3"
    url = databases.copy_of(sqlite_template, path)
    engine = make_engine(url)
    world = payment_world.build(sessionmaker(engine, autobegin=False, expire_on_commit=False))
    case = world.case()
    for number in range(COUNT):
        world.request(case, world.payee(), amount_cents=10_000 + number)
    run = world.released()
    ended = world.case(stage=Stage.FINAL_DISBURSEMENT)
    for cents in (30_000, 40_000):
        refund(world, ended, cents)
    wires = world.released(rail=Rail.WIRE)
    bank = FakeBank()
    with database_of_jobs(url):
        tools = JobDesk.open(bank).tools
        transmit_run(tools, {"run": run.reference})
        for row in payments(world, wires):
            send_payment(tools, {"instruction": row.reference})
    rows, singles = payments(world, run), payments(world, wires)
    engine.dispose()
    for row in singles:
        settle(bank, row, came_back=row is singles[-1])
    told = (*everything(run, rows, bank), *about_singles(singles))
    return Prepared(path, bank, told)


def refund(world: PaymentWorld, case: Case, cents: int) -> None:
    """Ask for what goes by wire."""
    world.request(
        case,
        world.payee(),
        amount_cents=cents,
        kind=RequestKind.REFUND,
        category=Category.CLOSING_REFUND,
        tax_class=TaxClass.NONE,
    )


def settle(bank: FakeBank, row: PaymentInstruction, *, came_back: bool) -> None:
    """Have the bank know a single payment as settled, or as come back after that."""
    known = bank.payments[row.reference]
    bank.payments[row.reference] = replace(
        known,
        status=BankStatus.RETURNED if came_back else BankStatus.SETTLED,
        settled_on=row.effective_on,
        returned=ReturnNotice("R02", THURSDAY, "021000020000077") if came_back else None,
    )


def about_singles(rows: Sequence[PaymentInstruction]) -> Iterator[Told]:
    """Give what a bank tells of single payments: that it is worth asking about them."""
    for row in rows:
        for _ in range(2):
            yield Told("payment.changed", {"client_reference": row.reference})


def everything(
    run: PaymentRun, rows: Sequence[PaymentInstruction], bank: FakeBank
) -> Iterator[Told]:
    """Give what a bank tells of a run: two come back by event, one by file, one by both."""
    upload = bank.files[bank.deliveries[-1]]
    about: dict[str, str | int | bool | None] = {
        "id": "FILE-1",
        "sha256": upload.sha256,
        "client_reference": upload.client_reference,
    }
    yield Told("file.received", about)
    yield Told("file.accepted", about)
    yield Told("file.settled", about | {"settles_on": "2026-01-06", "is_complete": True})
    for row, code in ((rows[0], "R01"), (rows[1], "R03"), (rows[2], "R16")):
        yield Told(
            "entry.returned",
            {
                "identification": row.reference,
                "trace_number": row.trace_number,
                "amount_cents": row.amount_cents,
                "return_code": code,
                "returned_on": "2026-01-08",
            },
        )
    back = [return_entry(rows[2], code="R16"), return_entry(rows[3], code="R02", number=2)]
    yield Told("RET-1.ach", {}, file_of(back))
    yield Told("RET-2.ach", {}, file_of(back[1:], modifier="B"))
    changes = [correction(rows[4], "77001122"), correction(rows[5], "77001123")]
    yield Told("COR-1.ach", {}, file_of(changes, purpose=nacha.Purpose.CHANGE, modifier="C"))
    yield Told("COR-2.ach", {}, file_of(changes[1:], purpose=nacha.Purpose.CHANGE, modifier="D"))
    yield Told("wire.received", wire("LINE-W1", 50_000))
    yield Told("wire.received", wire("LINE-W2", 70_001))
    total = sum(row.amount_cents for row in rows)
    yield Told("STMT-2026-01-06.bai2", {}, statement(TUESDAY, 0, Line(-total, "B1", run.reference)))
    returned = [Line(row.amount_cents, f"B{n}", row.reference) for n, row in enumerate(rows[:4], 2)]
    wires = [Line(50_000, "LINE-W1"), Line(70_001, "LINE-W2")]
    yield Told("STMT-2026-01-08.bai2", {}, statement(THURSDAY, -total, *returned, *wires))


def correction(row: PaymentInstruction, number: str) -> nacha.OutgoingEntry:
    """Write the entry by which a bank corrects the number of an account."""
    data = nacha.corrected_data("C01", account_number=number)
    return nacha.OutgoingEntry(
        transaction_code=21,
        routing_number=payment_world.ROUTING,
        account_number="1234567",
        amount_cents=0,
        identification=row.reference,
        name="Delphine Quarles",
        trace_number=f"021000020{number[-6:]}",
        addenda=(nacha.OutgoingChange("C01", row.trace_number or "", "02100002", data),),
    )


def wire(reference: str, cents: int) -> dict[str, str | int | bool | None]:
    """Write what the bank tells of a wire that came in."""
    return {
        "account_id": "trust",
        "bank_reference": reference,
        "amount_cents": cents,
        "sender_name": "Somebody",
        "text": "",
        "business_on": "2026-01-08",
    }


def play(prepared: Prepared, path: Path, order: Sequence[Told]) -> dict[str, object]:
    """Tell everything in an order, let the jobs hear it as they would, and return what is left."""
    url = databases.copy_of(prepared.path, path)
    known = prepared.bank
    bank = FakeBank(files=known.files, deliveries=known.deliveries, payments=known.payments)
    engine = make_engine(url)
    with database_of_jobs(url):
        tools = JobDesk.open(bank).at(FRIDAY)
        for told in order:
            if not told.content:
                bank.tell(told.kind, THURSDAY, **told.data)
                poll_events(tools)
            elif told.kind.endswith(".ach"):
                bank.outbox[told.kind] = told.content
                fetch_inbound(tools)
            else:
                bank.outbox[told.kind] = told.content
                import_all(tools)
        # The jobs come round again; what was kept for later is tried once more.
        for _ in range(2):
            poll_events(tools)
            fetch_inbound(tools)
            import_all(tools)
    with (
        sessionmaker(engine, autobegin=False, expire_on_commit=False)() as session,
        session.begin(),
    ):
        left = what_is_left(session)
    engine.dispose()
    assert books.faults(url) == []
    path.unlink()
    return left


def what_is_left(session: Session) -> dict[str, object]:
    """Return books and states, without the ids and instants of the telling."""

    def rows(*columns: object) -> list[tuple[object, ...]]:
        found = session.execute(select(*columns)).all()  # type: ignore[call-overload]
        return sorted(tuple(row) for row in found)

    entries = (
        select(
            LedgerTxn.kind,
            LedgerTxn.effective_on,
            LedgerTxn.source_ref,
            LedgerAccount.code,
            LedgerEntry.amount_cents,
        )
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTxn.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
    )
    row = PaymentInstruction
    # A deposit has a new reference in every telling; a payment keeps its own for life.
    paid = set(session.execute(select(row.reference)).scalars())
    return {
        "books": sorted(
            (kind, str(on), ref if ref in paid else "", code, cents)
            for kind, on, ref, code, cents in session.execute(entries)
        ),
        "payments": [
            tuple(map(str, line))
            for line in rows(
                row.reference,
                row.state,
                row.return_code,
                row.settled_on,
                row.returned_on,
                row.reconciliation_status,
            )
        ],
        "requests": rows(DisbursementRequest.reference, DisbursementRequest.state),
        "accounts": rows(PayeeAccount.reference, PayeeAccount.state),
        "run": rows(PaymentRun.reference, PaymentRun.state),
        "deposits": rows(Deposit.bank_reference, Deposit.state, Deposit.amount_cents),
        "corrections": rows(AccountCorrection.change_code, AccountCorrection.last_four),
        "open items": sorted(
            session.execute(
                select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_(None))
            ).scalars()
        ),
    }


# A failing order is long either way; making it shorter would take an hour.
@settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_any_order_and_any_doubling_of_a_thousand_messages_gives_the_same_books(
    prepared: Prepared, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("order")
    once = play(prepared, folder / "once.sqlite3", prepared.told)
    every = [told for told in prepared.told for _ in range(COPIES)]
    assert len(every) * EXAMPLES >= 1_000
    order = data.draw(st.permutations(every))
    assert play(prepared, folder / "shuffled.sqlite3", order) == once


def test_what_is_told_in_order_ends_as_a_person_would_expect(
    prepared: Prepared, tmp_path: Path
) -> None:
    left = play(prepared, tmp_path / "told.sqlite3", prepared.told)
    states = [line[1] for line in left["payments"]]  # type: ignore[attr-defined]
    assert sorted(states) == ["RETURNED"] * 5 + ["SETTLED"] * 3
    matched = [line[-1] for line in left["payments"]]  # type: ignore[attr-defined]
    assert sorted(matched) == ["matched"] * COUNT + ["unmatched"] * 2
    assert [state for _, state in left["accounts"]].count("BLOCKED") == 4  # type: ignore[attr-defined]
    assert len(left["corrections"]) == 2  # type: ignore[arg-type]
    assert left["open items"] == ["deposit.unidentified"] * 2 + ["payment.returned"] * 5
