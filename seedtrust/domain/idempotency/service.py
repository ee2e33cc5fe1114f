"""Replaying first answers: one effect for however many calls with one key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from seedtrust.core.errors import IdempotencyConflict, StillRunning
from seedtrust.core.ids import new_id
from seedtrust.domain.idempotency.models import IdempotencyKey

# A row that somebody else holds: MariaDB's lock wait code for NOWAIT, and MySQL's own.
_LOCKED: Final = frozenset({(1205,), (3572,)})


@dataclass(frozen=True)
class FirstAnswer:
    """What the first call was answered."""

    status: int
    response: str


def recall(
    session: Session, *, user_id: int, route: str, key: str, body_hash: str
) -> FirstAnswer | None:
    """Return the first answer under this key, or None when this call is the first.

    Raises IdempotencyConflict when the key came with another request, StillRunning when the first
    call has not committed yet (seen on MySQL and MariaDB; SQLite lets the second one wait).
    """
    statement = (
        select(IdempotencyKey)
        .where(
            IdempotencyKey.user_id == user_id,
            IdempotencyKey.route == route,
            IdempotencyKey.key == key,
        )
        .with_for_update(nowait=True)
        .execution_options(populate_existing=True)
    )
    try:
        row = session.scalars(statement).one_or_none()
    except OperationalError as error:
        if error.orig is None or error.orig.args[:1] not in _LOCKED:
            raise
        message = "The first call with this key is still running. Ask again in a moment."
        raise StillRunning(message) from error
    if row is None:
        return None
    if row.body_hash != body_hash:
        message = "This idempotency key was used for another request. Use a new one."
        raise IdempotencyConflict(message)
    return FirstAnswer(status=row.status, response=row.response)


def keep(
    session: Session,
    *,
    user_id: int,
    route: str,
    key: str,
    body_hash: str,
    answer: FirstAnswer,
    now: datetime,
) -> None:
    """Keep the answer in the transaction of its effect; a twin's insert fails on the unique key."""
    session.add(
        IdempotencyKey(
            id=new_id(),
            user_id=user_id,
            route=route,
            key=key,
            body_hash=body_hash,
            status=answer.status,
            response=answer.response,
            created_at=now,
        )
    )
