"""Keeping what a process holds: leases are short, and renewed for as long as it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from seedtrust.core.failpoints import reach
from seedtrust.ext import db
from seedtrust.jobs.tools import Tools

# A lease (`domain.outbox.service.LEASE`) outlives three renewals that fail or come late.
RENEW_EVERY_SECONDS: Final = 5.0
# A quarter of an hour. Nothing takes that long; who holds on longer hangs, and is overtaken.
MOST_RENEWALS: Final = 180

# Holds for another lease what somebody has, and tells whether it is still theirs.
Renew = Callable[[Session, datetime], bool]

log = structlog.get_logger()


@contextmanager
def held(tools: Tools, renew: Renew) -> Iterator[None]:
    """Renew a lease in a thread of its own for as long as the block lasts.

    The thread dies, or stands still, with its process; then the lease runs out and somebody else
    takes over. Whoever wakes later finds another fence, and reports nothing.
    """
    over = threading.Event()
    thread = threading.Thread(
        target=_renew_until, args=(over, tools, db.engine, renew), name="lease", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew_until(over: threading.Event, tools: Tools, engine: Engine, renew: Renew) -> None:
    for _ in range(MOST_RENEWALS):
        if over.wait(RENEW_EVERY_SECONDS):
            return
        try:
            is_ours = _renewed(engine, renew, tools.clock.now())
        except SQLAlchemyError:
            log.warning("lease.not_renewed")
            continue
        if not is_ours:
            log.warning("lease.lost")
            return


def _renewed(engine: Engine, renew: Renew, now: datetime) -> bool:
    with Session(engine) as session:
        reach("lease.before_renewal")
        with session.begin():
            is_ours = renew(session, now)
    reach("lease.renewed")
    return is_ours
