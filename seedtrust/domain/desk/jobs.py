"""What jobs have done lately and what the outbox still owes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.outbox.models import OutboxMessage


@dataclass(frozen=True)
class JobLine:
    """One job: when it was last due, how that went, and how often it has failed."""

    job: str
    runs: int
    failures: int
    due_at: datetime
    finished_at: datetime | None
    items_done: int
    items_failed: int
    error: str


@dataclass(frozen=True)
class RunLine:
    """One run of a job."""

    job: str
    due_at: datetime
    started_at: datetime
    finished_at: datetime | None
    items_done: int
    items_failed: int
    error: str


@dataclass(frozen=True)
class MessageLine:
    """One promise that is not kept yet."""

    id: int
    topic: str
    message_key: str
    attempts: int
    created_at: datetime
    due_at: datetime
    parked_at: datetime | None
    last_error: str


def latest_of_each(session: Session, actor: Actor) -> list[JobLine]:
    """Return every job that has ever run with its latest run. One query."""
    actor.require(Permission.JOBS_VIEW)
    grouped = (
        select(
            JobRun.job.label("job"),
            func.count().label("runs"),
            func.max(JobRun.due_at).label("due_at"),
            func.count(func.nullif(JobRun.error, "")).label("failures"),
        )
        .group_by(JobRun.job)
        .subquery()
    )
    rows = session.execute(
        select(JobRun, grouped.c.runs, grouped.c.failures)
        .join(grouped, (grouped.c.job == JobRun.job) & (grouped.c.due_at == JobRun.due_at))
        .order_by(JobRun.job)
    )
    return [
        JobLine(
            run.job,
            runs,
            failures,
            run.due_at,
            run.finished_at,
            run.items_done,
            run.items_failed,
            run.error,
        )
        for run, runs, failures in rows
    ]


def job_runs(
    session: Session,
    actor: Actor,
    *,
    job: str = "",
    failed: bool = False,
    page: int = 1,
    per_page: int = 50,
) -> tuple[list[RunLine], int]:
    """Return a page of runs, the newest first, and how many there are. Two queries."""
    actor.require(Permission.JOBS_VIEW)
    conditions = [JobRun.job == job] if job else []
    if failed:
        conditions.append((JobRun.error != "") | (JobRun.items_failed > 0))
    rows = session.execute(
        select(JobRun)
        .where(*conditions)
        .order_by(JobRun.due_at.desc(), JobRun.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    ).scalars()
    count = session.execute(select(func.count()).select_from(JobRun).where(*conditions))
    lines = [
        RunLine(
            row.job,
            row.due_at,
            row.started_at,
            row.finished_at,
            row.items_done,
            row.items_failed,
            row.error,
        )
        for row in rows
    ]
    return lines, count.scalar_one()


def unkept(session: Session, actor: Actor, *, limit: int = 100) -> list[MessageLine]:
    """Return promises that are not kept, the parked ones first. One query."""
    actor.require(Permission.JOBS_VIEW)
    rows = session.execute(
        select(OutboxMessage)
        .where(OutboxMessage.done_at.is_(None))
        .order_by(OutboxMessage.parked_at.is_(None), OutboxMessage.due_at, OutboxMessage.id)
        .limit(limit)
    ).scalars()
    return [
        MessageLine(
            row.id,
            row.topic,
            row.message_key,
            row.attempts,
            row.created_at,
            row.due_at,
            row.parked_at,
            row.last_error,
        )
        for row in rows
    ]
