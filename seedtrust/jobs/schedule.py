"""Running what the calendar says is due: a row under a unique key decides who runs it."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.domain.operations.queries import runs_begun
from seedtrust.domain.operations.service import (
    DEAD_AFTER,
    begin_job_run,
    finish_job_run,
    open_exception,
)
from seedtrust.ext import in_transaction, reading
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
    wanted, alive_since = [(job.name, at) for job, at in due], tools.clock.now() - DEAD_AFTER
    known = reading(lambda session: runs_begun(session, wanted, alive_since=alive_since))
    return [
        job.name
        for job, due_at in due
        if (job.name, due_at) not in known and run_job(tools, job, due_at)
    ]


def run_job(tools: Tools, job: Job, due_at: datetime) -> bool:
    """Run one due job unless somebody else does; True if it ran here."""

    def begin(session: Session) -> int | None:
        now = tools.clock.now()
        return begin_job_run(session, job.name, due_at, alive_since=now - DEAD_AFTER, now=now)

    run_id = in_transaction(begin)
    if run_id is None:
        return False
    done, failed, error = 0, 0, ""
    try:
        done, failed = job.run(tools)
    except (DomainError, OSError) as problem:
        error = f"{type(problem).__name__}: {problem}"
    except Exception as problem:  # one broken job must not stop the others; its row says why
        log.exception("job.crashed", job=job.name)
        error = f"{type(problem).__name__}: {problem}"
    _finish(tools, job, run_id, done, failed, error)
    return True


def _finish(tools: Tools, job: Job, run_id: int, done: int, failed: int, error: str) -> None:  # noqa: PLR0917 - what a run has to tell
    now = tools.clock.now()

    def finish(session: Session) -> None:
        finish_job_run(session, run_id, done=done, failed=failed, error=error, now=now)
        if error:
            sentence = f"The job “{job.name}” failed. Look at its run, then run it again."
            open_exception(session, FAILED_KIND, "job_run", str(run_id), sentence, now=now)

    in_transaction(finish)
    log.info("job.ran", job=job.name, done=done, failed=failed, error=error)
