"""Which cases jobs have to look at, and locking one of them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.db import lock
from seedtrust.core.errors import NotFound
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage


def open_case_ids(session: Session, *stages: Stage) -> list[int]:
    """Return the ids of cases that have not ended, of the given stages only if there are any."""
    ended = (Stage.CLOSED.value, Stage.CANCELLED.value)
    query = select(Case.id).where(Case.stage.not_in(ended))
    if stages:
        query = query.where(Case.stage.in_([stage.value for stage in stages]))
    return list(session.execute(query.order_by(Case.id)).scalars())


def locked_case(session: Session, case_id: int) -> Case:
    """Lock a case and return it fresh. Raises NotFound if there is none with this id."""
    case = lock(session, Case, case_id)
    if case is None:
        message = "There is no such case."
        raise NotFound(message)
    return case
