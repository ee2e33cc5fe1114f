"""How much of a term's cap is used, by what its requests ask for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.domain.terms.requests_seen import NOT_COUNTED, REQUESTS

_USED: Final = func.coalesce(
    func.sum(func.coalesce(REQUESTS.c.approved_cents, REQUESTS.c.amount_cents)), 0
)


def used_of_cap(session: Session, term_id: int, *, except_request_id: int | None = None) -> int:
    """Return how many cents of a term are asked for, approved or paid, less one request."""
    query = select(_USED).where(REQUESTS.c.term_id == term_id, REQUESTS.c.state.not_in(NOT_COUNTED))
    if except_request_id is not None:
        query = query.where(REQUESTS.c.id != except_request_id)
    return _whole(session.execute(query).scalar_one())


def used_of_caps(session: Session, term_ids: Sequence[int]) -> dict[int, int]:
    """Return the same for several terms in one query; terms without requests are left out."""
    rows = session.execute(
        select(REQUESTS.c.term_id, _USED)
        .where(REQUESTS.c.term_id.in_(term_ids), REQUESTS.c.state.not_in(NOT_COUNTED))
        .group_by(REQUESTS.c.term_id)
    )
    return {term_id: _whole(cents) for term_id, cents in rows}


def _whole(value: Decimal | int) -> int:
    # A sum over BIGINT is a Decimal on MariaDB.
    return int(value)
