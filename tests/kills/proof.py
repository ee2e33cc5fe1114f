"""Asking the books: what the bank has, what we have, and whether the two are the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.db import make_engine
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.ledger.check import check
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.sandbox import books
from seedtrust.sandbox.bank import Bank
from tests.kills.rounds import DAYS
from tests.kills.world import ACCOUNT, Payment, Place


@dataclass
class BankView:
    """What the bank has: payments by our reference, entries by their trace, copies of files."""

    payments: Counter[str] = field(default_factory=Counter)
    entries: Counter[str] = field(default_factory=Counter)
    cents: dict[str, int] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)
    ledger_cents: int = 0
    faults: list[str] = field(default_factory=list)


def faults(place: Place) -> list[str]:
    """Return everything that is wrong when all work is done, or nothing."""
    bank = look_into(place)
    engine = make_engine(place.database_url)
    try:
        with Session(engine) as session, session.begin():
            return [
                *bank.faults,
                *(str(fault) for fault in check(session)),
                *_wrong_at_the_bank(session, place, bank),
                *_unfinished(session),
                *_unequal(session, place, bank),
            ]
    finally:
        engine.dispose()


def faults_without_keys(place: Place) -> list[str]:
    """Return what is wrong at a bank without keys, where people decide about what is unclear.

    Nothing is doubled, nothing is called sent that the bank has not, and the two books agree.
    """
    bank = look_into(place)
    engine = make_engine(place.database_url)
    try:
        with Session(engine) as session, session.begin():
            rows = select(PaymentInstruction.reference, PaymentInstruction.state)
            states: dict[str, str] = dict(session.execute(rows).all())
            expected = {reference: int(state == "SETTLED") for reference, state in states.items()}
            wrong = [
                f"{reference} is {states[reference]}, and the bank has it {times} times"
                for reference, wanted in expected.items()
                if (times := bank.payments[reference]) != wanted
                or states[reference] not in {"SETTLED", "UNKNOWN"}
            ]
            day = three_way(session, place.trust_account_id, DAYS[-1])
            amounts = {bank.ledger_cents, day.adjusted_bank_cents, day.book_cents, day.owners_cents}
            if len(amounts) > 1:
                wrong.append(f"bank, book and owners differ: {sorted(amounts)}")
            return [*bank.faults, *(str(fault) for fault in check(session)), *wrong]
    finally:
        engine.dispose()


def look_into(place: Place) -> BankView:
    """Read the bank's own database and its archive, after its process has ended."""
    bank, found = Bank(place.bank_dir), BankView()
    try:
        with bank.unit() as connection:
            for row in connection.execute("SELECT client_reference, amount_cents FROM payment"):
                found.payments[row[0]] += 1
                found.cents[row[0]] = row[1]
            entries = (
                "SELECT e.trace_number, e.amount_cents FROM ach_entry e"
                " JOIN ach_batch b ON b.id = e.batch_id JOIN ach_file f ON f.id = b.file_id"
                " WHERE f.status IN ('accepted', 'settled') AND e.amount_cents > 0"
            )
            for row in connection.execute(entries):
                found.entries[row[0]] += 1
                found.cents[row[0]] = row[1]
            if not books.proof(connection)["is_proved"]:
                found.faults.append("the bank's own books are not proved")
            found.ledger_cents = books.ledger_cents(connection, ACCOUNT)
    finally:
        bank.close()
    # A copy that came a second time got its hash before its name.
    for path in (place.bank_dir / "drop" / "archive").glob("*.ach"):
        found.files["ST" + path.name.partition("ST")[2]] += 1
    return found


def _wrong_at_the_bank(session: Session, place: Place, bank: BankView) -> list[str]:
    traces: dict[str, str] = dict(
        session.execute(select(PaymentInstruction.reference, PaymentInstruction.trace_number)).all()  # type: ignore[arg-type]
    )
    wrong = [f"file {name} came {times} times" for name, times in bank.files.items() if times > 1]
    known: set[str] = set()
    for payment in place.payments:
        in_file = payment.rail == Rail.ACH and place.bank_code == FILE_DROP
        key = (traces[payment.reference] or "") if in_file else payment.reference
        times = (bank.entries if in_file else bank.payments)[key]
        known.add(key)
        wrong += _judged(payment, times, bank.cents.get(key))
    strange = (bank.payments.keys() | bank.entries.keys()) - known
    return wrong + [f"the bank has {key}, which nobody ordered" for key in strange]


def _judged(payment: Payment, times: int, cents: int | None) -> list[str]:
    if times == 0:
        return [f"LOST {payment.reference}"]
    if times > 1:
        return [f"DOUBLED {payment.reference}: {times} times"]
    return [] if cents == payment.amount_cents else [f"{payment.reference} has another amount"]


def _unfinished(session: Session) -> list[str]:
    expected = [
        (PaymentInstruction, "SETTLED"),
        (PaymentRun, "SETTLED"),
        (DisbursementRequest, "PAID"),
    ]
    wrong = [
        f"{number} {model.__tablename__} are {state}"
        for model, wanted in expected
        for state, number in session.execute(
            select(model.state, func.count()).group_by(model.state)  # type: ignore[attr-defined]
        ).all()
        if state != wanted
    ]
    open_promises = select(OutboxMessage.topic).where(OutboxMessage.done_at.is_(None))
    return wrong + [f"{topic} was promised" for topic in session.execute(open_promises).scalars()]


def _unequal(session: Session, place: Place, bank: BankView) -> list[str]:
    day = three_way(session, place.trust_account_id, DAYS[-1])
    expected = place.funded_cents - place.paid_cents
    amounts = {
        "bank's ledger": bank.ledger_cents,
        "adjusted bank": day.adjusted_bank_cents,
        "book": day.book_cents,
        "owners": day.owners_cents,
    }
    return [
        f"{name} is {cents}, not {expected}" for name, cents in amounts.items() if cents != expected
    ]
