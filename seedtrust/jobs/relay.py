"""Keeping the outbox's promises: claim, do, report, and never lose one."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.orm import Session

from seedtrust.core.db import is_lost
from seedtrust.core.errors import DomainError
from seedtrust.domain.operations.queries import unfinished_runs
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.outbox import queries as outbox_queries
from seedtrust.domain.outbox.service import Claim, claim_due, mark_done, mark_failed, renew
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.leases import held
from seedtrust.jobs.registry import HANDLERS
from seedtrust.jobs.tools import Tools

PARKED_KIND: Final = "outbox.parked"

log = structlog.get_logger()


def drain(tools: Tools, lane: str | None = None) -> int:
    """Keep promises until none is due, one unit of work each; return how many were tried.

    In one lane, or in all where one process does everything. One is claimed at a time, so that a
    worker that dies leaves one behind.
    """
    total = 0
    while _keep_next(tools, lane):
        total += 1
    return total


def _keep_next(tools: Tools, lane: str | None) -> bool:
    claims = in_transaction(
        lambda session: claim_due(session, now=tools.clock.now(), lane=lane, limit=1)
    )
    for claim in claims:
        _keep(tools, claim)
    return bool(claims)


def wait_until_kept(tools: Tools, *, seconds: float = 120.0) -> bool:
    """Keep what is due and wait for what other workers have in hand; False if time runs out.

    Mail is not waited for: a mail server that is down delays nothing else.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        drain(tools)
        now = tools.clock.now()
        if not reading(lambda session: _still_open(session, now)):  # noqa: B023 - at once
            return True
        threading.Event().wait(0.05)
    return False


def _still_open(session: Session, now: datetime) -> int:
    promised: int = outbox_queries.open_count(session, except_topic="notice.mail")
    return promised + unfinished_runs(session, now=now)


def _keep(tools: Tools, claim: Claim) -> None:
    handler = HANDLERS.get(claim.topic)
    if handler is None:
        _failed(tools, claim, f"no handler for the topic {claim.topic}")
        return
    structlog.contextvars.bind_contextvars(request_id=claim.request_id, topic=claim.topic)
    try:
        with held(tools, lambda session, now: renew(session, claim, now=now)):
            handler(tools, claim.payload)
    except (DomainError, OSError) as error:
        _failed(tools, claim, f"{type(error).__name__}: {error}")
    except Exception as error:  # a broken promise must not stop the others; it is parked in the end
        if is_lost(error):
            # Says nothing about the promise: its lease runs out, and then it is claimed again.
            log.warning("outbox.database_lost", message_id=claim.message_id)
            return
        log.exception("outbox.handler_crashed", message_id=claim.message_id)
        _failed(tools, claim, f"{type(error).__name__}: {error}")
    else:
        in_transaction(lambda session: mark_done(session, claim, now=tools.clock.now()))
        log.info("outbox.done", message_id=claim.message_id, attempts=claim.attempts)
    finally:
        structlog.contextvars.unbind_contextvars("request_id", "topic")


def _failed(tools: Tools, claim: Claim, error: str) -> None:
    now = tools.clock.now()

    def report(session: Session) -> bool:
        parked = mark_failed(session, claim, error, now=now)
        if parked:
            open_exception(
                session,
                PARKED_KIND,
                "outbox_message",
                str(claim.message_id),
                f"“{claim.topic}” failed {claim.attempts} times. Look at the error, then retry.",
                now=now,
            )
        return parked

    parked = in_transaction(report)
    log.warning("outbox.failed", message_id=claim.message_id, error=error, parked=parked)
