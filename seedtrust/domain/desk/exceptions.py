"""The one queue of what went wrong and waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.operations.models import ExceptionItem


@dataclass(frozen=True)
class Exceptional:
    """One item: what happened in a sentence, to what, since when."""

    reference: str
    kind: str
    subject_type: str
    subject_ref: str
    sentence: str
    opened_at: datetime
    case_ref: str
    case_number: int | None


def open_items(
    session: Session, actor: Actor, *, kind: str = "", limit: int = 200
) -> list[Exceptional]:
    """Return the open items, the oldest first. One query."""
    actor.require(Permission.TODAY_VIEW)
    query = (
        select(ExceptionItem, Case.reference, Case.number)
        .outerjoin(Case, Case.id == ExceptionItem.case_id)
        .where(ExceptionItem.closed_at.is_(None))
    )
    if kind:
        query = query.where(ExceptionItem.kind == kind)
    rows = session.execute(query.order_by(ExceptionItem.opened_at, ExceptionItem.id).limit(limit))
    return [
        Exceptional(
            item.reference,
            item.kind,
            item.subject_type,
            item.subject_ref,
            item.sentence,
            item.opened_at,
            case_ref or "",
            number,
        )
        for item, case_ref, number in rows
    ]
