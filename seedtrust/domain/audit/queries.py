"""Reading the audit trail: of one object, of one case, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.audit.models import AuditEvent


@dataclass(frozen=True)
class AuditView:
    """One act, as the activity list shows it."""

    id: int
    at: datetime
    actor_name: str
    actor_user_id: int | None
    action: str
    subject_type: str
    subject_ref: str
    reason: str
    facts: Mapping[str, object]


def of_subject(
    session: Session, subject_type: str, subject_ref: str, *, limit: int = 100
) -> list[AuditView]:
    """Return the acts on one object, newest first."""
    statement = select(AuditEvent).where(
        AuditEvent.subject_type == subject_type, AuditEvent.subject_ref == subject_ref
    )
    rows = session.scalars(statement.order_by(AuditEvent.id.desc()).limit(limit))
    return [_view(row) for row in rows]


def of_case(
    session: Session, case_id: int, *, before_id: int | None = None, limit: int = 100
) -> list[AuditView]:
    """Return the acts on one case, newest first; `before_id` continues an earlier page."""
    statement = select(AuditEvent).where(AuditEvent.case_id == case_id)
    if before_id is not None:
        statement = statement.where(AuditEvent.id < before_id)
    rows = session.scalars(statement.order_by(AuditEvent.id.desc()).limit(limit))
    return [_view(row) for row in rows]


def _view(row: AuditEvent) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        actor_name=row.actor_name,
        actor_user_id=row.actor_user_id,
        action=row.action,
        subject_type=row.subject_type,
        subject_ref=row.subject_ref,
        reason=row.reason,
        facts=row.facts,
    )
