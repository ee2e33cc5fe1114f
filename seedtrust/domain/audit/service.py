"""The one writer of the audit trail: called by every verb, in the verb's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.models import AuditEvent

Fact = str | int | bool | None


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject_type: str,
    subject_ref: str,
    *,
    case_id: int | None = None,
    reason: str = "",
    facts: Mapping[str, Fact] | None = None,
    now: datetime,
) -> AuditEvent:
    """Write down who did what to which object, and why.

    `action` is feature.verb. Facts hold codes, references and numbers, never secrets, account
    numbers or texts that people wrote. `now` is real time.
    """
    event = AuditEvent(
        id=new_id(),
        at=now,
        actor_kind=actor.kind.value,
        actor_user_id=actor.user_id,
        actor_name=actor.name,
        action=action,
        subject_type=subject_type,
        subject_ref=subject_ref,
        case_id=case_id,
        reason=reason,
        facts=dict(facts or {}),
        request_id=actor.request_id,
    )
    session.add(event)
    return event
