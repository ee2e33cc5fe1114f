"""The bulk door: many transactions in few statements, by the rules of the single one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import journal
from seedtrust.domain.ledger.posting import PostedTxn, Posting


def post_many(
    session: Session, actor: Actor, postings: Sequence[Posting], *, now: datetime
) -> list[PostedTxn]:
    """Write many transactions, in order. Raises what `post` raises, for the first that fails."""
    items = [journal.draft(posting) for posting in postings]
    return [journal.write(session, actor, item, now=now) for item in items]
