"""The log of calls to banks: what was asked when, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from seedtrust.core.ids import new_id
from seedtrust.domain.payments.models import BankCallRow, PaymentInstruction
from seedtrust.domain.payments.ports import BankCall
from seedtrust.domain.payments.states import UNCLEAR_STATES


@dataclass(frozen=True, slots=True)
class CallView:
    """One call as staff may read it."""

    verb: str
    outcome: str
    status: int
    duration_ms: int
    sentence: str
    at: datetime


def keep_call(session: Session, call: BankCall, *, now: datetime) -> None:
    """Write one call into the log. Its sentence has been redacted by who made it."""
    session.add(
        BankCallRow(
            id=new_id(),
            bank=call.bank,
            verb=call.verb,
            reference=call.reference[:80],
            outcome=call.outcome,
            status=call.status,
            duration_ms=call.duration_ms,
            sentence=call.sentence[:300],
            at=now,
        )
    )


def prune_calls(session: Session, before: datetime, *, limit: int = 1_000) -> int:
    """Delete calls that were made before an instant, the oldest first; returns how many.

    Calls about a payment whose outcome is still unknown stay: they are what people decide by. No
    money hangs on the others, for what they did stands in the books and on the trail.
    """
    unclear = select(PaymentInstruction.reference).where(
        PaymentInstruction.state.in_([state.value for state in UNCLEAR_STATES])
    )
    old = session.execute(
        select(BankCallRow.id)
        .where(BankCallRow.at < before, BankCallRow.reference.not_in(unclear))
        .order_by(BankCallRow.id)
        .limit(limit)
    )
    found = list(old.scalars())
    if found:
        session.execute(delete(BankCallRow).where(BankCallRow.id.in_(found)))
    return len(found)


def calls_about(session: Session, reference: str, *, limit: int = 50) -> list[CallView]:
    """Return the calls about one payment, the newest first; the caller has checked the right."""
    rows = session.execute(
        select(BankCallRow)
        .where(BankCallRow.reference == reference)
        .order_by(BankCallRow.id.desc())
        .limit(limit)
    ).scalars()
    return [
        CallView(row.verb, row.outcome, row.status, row.duration_ms, row.sentence, row.at)
        for row in rows
    ]
