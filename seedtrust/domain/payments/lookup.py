"""Small look-ups that jobs need before they lock anything."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.payments.models import PaymentInstruction


def case_of_instruction(session: Session, reference: str) -> int | None:
    """Return the id of the case that a payment belongs to, or None for an unknown reference."""
    return session.execute(
        select(PaymentInstruction.case_id).where(PaymentInstruction.reference == reference)
    ).scalar_one_or_none()
