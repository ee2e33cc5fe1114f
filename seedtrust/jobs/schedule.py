"""Running what the calendar says is due: a row under a unique key decides who runs it."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from seedtrust.core.db import is_lost
from seedtrust.core.errors import DomainError
from seedtrust.domain.operations.queries import runs_begun
from seedtrust.domain.operations.service import (
    RunTurn,
    begin_job_run,
    finish_job_run,
    open_exception,
    renew_run,
)
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.leases import held
from seedtrust.jobs.registry import JOBS, Job
from seedtrust.jobs.tools import Tools

FAILED_KIND = "job.failed"
log = structlog.get_logger()


def tick(tools: Tools, lane: str | None = None) -> list[str]:
    """Run every job whose latest due time has no run yet; return the names of those that ran.

    Those of one lane, or of all where one process does everything.

    Two ticks at once, a late tick and a tick too many are all harmless: the row (job, due_at) is
    inserted once.
    """
    business_now = tools.moment().business_at
    due = [
        (job, due_at)
        for job in JOBS
        if lane in {None, job.lane} and (due_at := job.last_due(business_now)) is not None
    ]
    wanted, now = [(job.name, at) for job, at in due], tools.clock.now()
    known = reading(lambda session: runs_begun(session, wanted, now=now))
    return [
        job.name
        for job, due_at in due
        if (job.name, due_at) not in known and run_job(tools, job, due_at)
    ]


def run_job(tools: Tools, job: Job, due_at: datetime) -> bool:
    """Run one due job unless somebody else does; True if it ran here."""
    turn = in_transaction(
        lambda session: begin_job_run(session, job.name, due_at, now=tools.clock.now())
    )
    if turn is None:
        return False
    done, failed, error = 0, 0, ""
    try:
        with held(tools, lambda session, now: renew_run(session, turn, now=now)):
            done, failed = job.run(tools)
    except (DomainError, OSError) as problem:
        error = f"{type(problem).__name__}: {problem}"
    except Exception as problem:  # one broken job must not stop the others; its row says why
        if is_lost(problem):
            # Says nothing about the job: its lease runs out, and then another tick takes it over.
            log.warning("job.database_lost", job=job.name)
            return False
        log.exception("job.crashed", job=job.name)
        error = f"{type(problem).__name__}: {problem}"
    _finish(tools, job, turn, done, failed, error)
    return True


def _finish(tools: Tools, job: Job, turn: RunTurn, done: int, failed: int, error: str) -> None:  # noqa: PLR0917 - what a run has to tell
    now = tools.clock.now()

    def finish(session: Session) -> None:
        is_ours = finish_job_run(session, turn, done=done, failed=failed, error=error, now=now)
        if error and is_ours:
            sentence = f"The job “{job.name}” failed. Look at its run, then run it again."
            open_exception(session, FAILED_KIND, "job_run", str(turn.run_id), sentence, now=now)

    in_transaction(finish)
    log.info("job.ran", job=job.name, done=done, failed=failed, error=error)
