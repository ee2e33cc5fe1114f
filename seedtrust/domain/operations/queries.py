"""Open exception items and the history of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.domain.operations.models import BusinessClock, ExceptionItem, JobRun


def open_exceptions(session: Session, limit: int = 100) -> Sequence[ExceptionItem]:
    """Return what waits for a person, the oldest first."""
    return (
        session.execute(
            select(ExceptionItem)
            .where(ExceptionItem.closed_at.is_(None))
            .order_by(ExceptionItem.opened_at, ExceptionItem.id)
            .limit(limit)
        )
        .scalars()
        .all()
    )


def open_exception_counts(session: Session) -> dict[str, int]:
    """Return how many items of each kind wait."""
    rows = session.execute(
        select(ExceptionItem.kind, func.count())
        .where(ExceptionItem.closed_at.is_(None))
        .group_by(ExceptionItem.kind)
    )
    return dict(rows.all())


def recent_job_runs(session: Session, limit: int = 50) -> Sequence[JobRun]:
    """Return the latest job runs, newest first."""
    return session.execute(select(JobRun).order_by(JobRun.id.desc()).limit(limit)).scalars().all()


def clock_is_set(session: Session) -> bool:
    """Tell whether a stored business clock exists."""
    return session.get(BusinessClock, 1) is not None


DueRun = tuple[str, datetime]


def runs_begun(session: Session, wanted: Sequence[DueRun], *, now: datetime) -> set[DueRun]:
    """Return which of the due runs, as (job, due at), are finished or under way.

    One that is unfinished and whose lease has run out died with its worker.
    """
    rows = session.execute(
        select(JobRun.job, JobRun.due_at).where(
            JobRun.job.in_([job for job, _ in wanted]),
            JobRun.due_at.in_([due_at for _, due_at in wanted]),
            JobRun.finished_at.is_not(None) | (JobRun.lease_until >= now),
        )
    )
    return {(job, due_at) for job, due_at in rows}


def unfinished_runs(session: Session, *, now: datetime) -> int:
    """Return how many runs are under way; one whose lease has run out died with its worker."""
    return session.execute(
        select(func.count())
        .select_from(JobRun)
        .where(JobRun.finished_at.is_(None), JobRun.lease_until >= now)
    ).scalar_one()
