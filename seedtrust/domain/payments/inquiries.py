"""When the bank is asked about a payment that it may or may not have, and what it said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id
from seedtrust.domain.payments.models import (
    PaymentInquiry,
    PaymentInstruction,
    PaymentRun,
    TrustAccount,
)
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.payments.states import InstructionState, Rail

# After the call that stayed without an answer: soon, then ever more rarely, but without end.
_WAITS: Final = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
)
_THEN_EVERY: Final = timedelta(minutes=30)


def wait_after(asked: int) -> timedelta:
    """Return how long to wait before the bank is asked again, having been asked so often."""
    return _WAITS[asked] if asked < len(_WAITS) else _THEN_EVERY


def start(session: Session, row: PaymentInstruction, moment: Moment) -> PaymentInquiry:
    """Begin to ask the bank about a payment that has just become UNKNOWN."""
    inquiry = of_payment(session, row)
    if inquiry is None:
        inquiry = PaymentInquiry(id=new_id(), instruction_id=row.id, asked=0, resends=0)
        session.add(inquiry)
    inquiry.unknown_since_at, inquiry.asked = moment.at, 0
    inquiry.next_ask_at = moment.at + wait_after(0)
    inquiry.last_answer = ""
    return inquiry


def end(session: Session, row: PaymentInstruction) -> None:
    """Ask no more: it is known what became of the payment."""
    inquiry = of_payment(session, row)
    if inquiry is not None:
        inquiry.next_ask_at = None


def note(session: Session, row: PaymentInstruction, sentence: str) -> None:
    """Keep what the bank, or the line to it, said last."""
    inquiry = of_payment(session, row)
    if inquiry is not None:
        inquiry.last_answer = sentence[:300]


def of_payment(session: Session, row: PaymentInstruction) -> PaymentInquiry | None:
    """Return the inquiry about a payment; the caller holds the payment's lock."""
    session.flush()
    found = lock_where(
        session, select(PaymentInquiry).where(PaymentInquiry.instruction_id == row.id)
    )
    return found[0] if found else None


def due_inquiries(session: Session, bank: str, now: datetime) -> list[str]:
    """Return the payments of a bank about which it is to be asked now, the longest due first."""
    rows = session.execute(
        select(PaymentInstruction.reference)
        .join(PaymentInquiry, PaymentInquiry.instruction_id == PaymentInstruction.id)
        .join(TrustAccount, TrustAccount.id == PaymentInstruction.trust_account_id)
        .where(
            PaymentInstruction.state == InstructionState.UNKNOWN.value,
            TrustAccount.bank_code == bank,
            PaymentInquiry.next_ask_at <= now,
        )
        .order_by(PaymentInquiry.next_ask_at, PaymentInstruction.id)
    )
    return list(rows.scalars())


def is_sent_singly() -> ColumnElement[bool]:
    """Return the condition on a payment's run that its payments go to the bank one by one."""
    of_files = select(TrustAccount.id).where(TrustAccount.bank_code == FILE_DROP)
    return not_(and_(PaymentRun.rail == Rail.ACH.value, PaymentRun.trust_account_id.in_(of_files)))
