"""Job runs, the business clock, and exception items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import Invalid, NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.operations.models import BusinessClock, ExceptionItem, JobRun
from seedtrust.domain.outbox.service import LEASE, promise

REAL = "real"


def business_now(session: Session, kind: str, real_now: datetime) -> datetime:
    """Return the business instant: the machine's, or the stored one in the demo and in tests."""
    if kind == REAL:
        return real_now
    row = session.get(BusinessClock, 1)
    return real_now if row is None else row.business_now_at


def moment_of(session: Session, kind: str, real_now: datetime) -> Moment:
    """Return both clocks as one value, read in this unit of work."""
    return Moment(real_now, business_now(session, kind, real_now))


def set_business_clock(
    session: Session, actor: Actor, to: datetime, *, now: datetime
) -> BusinessClock:
    """Move business time forward and promise the bank simulator the same.

    Raises Invalid when `to` lies before where the clock stands, Forbidden without the permission.
    """
    actor.require(Permission.CLOCK_MOVE)
    row = lock(session, BusinessClock, 1)
    if row is None:
        row = BusinessClock(id=1, business_now_at=to)
        session.add(row)
    elif to < row.business_now_at:
        message = "The business date only moves forward. Choose a later day."
        raise Invalid(message, errors={"to": [message]})
    row.business_now_at = to
    stamp = to.isoformat()
    promise(session, "sandbox.clock", stamp, {"to": stamp}, now=now, request_id=actor.request_id)
    record(session, actor, "clock.moved", "business_clock", "1", facts={"to": stamp}, now=now)
    return row


@dataclass(frozen=True, slots=True)
class RunTurn:
    """One worker's turn with one due run; `fence` proves that the run is still its own."""

    run_id: int
    fence: int


def begin_job_run(session: Session, job: str, due_at: datetime, *, now: datetime) -> RunTurn | None:
    """Take the turn to do a due run, for the length of a lease; None when somebody else has it.

    A run that was never finished and whose lease has run out is taken over: its worker died.
    Earlier ones of that kind end here, since this run finds whatever they left undone.
    """
    known = lock_where(session, select(JobRun).where(JobRun.job == job, JobRun.due_at == due_at))
    if known:
        return _take_over(known[0], now)
    run = JobRun(
        id=new_id(),
        job=job,
        due_at=due_at,
        started_at=now,
        lease_until=now + LEASE,
        fence=1,
        items_done=0,
        items_failed=0,
        error="",
    )
    try:
        with session.begin_nested():
            session.add(run)
            session.flush()  # two beats race here: the unique key lets one of them in
    except IntegrityError:
        return None
    _end_dead_runs(session, run)
    return RunTurn(run.id, run.fence)


def _take_over(run: JobRun, now: datetime) -> RunTurn | None:
    is_held = run.lease_until is not None and run.lease_until >= now
    if run.finished_at is not None or is_held:
        return None
    run.started_at, run.lease_until = now, now + LEASE
    run.fence += 1
    return RunTurn(run.id, run.fence)


def _end_dead_runs(session: Session, successor: JobRun) -> None:
    dead = select(JobRun).where(
        JobRun.job == successor.job,
        JobRun.due_at < successor.due_at,
        JobRun.finished_at.is_(None),
        JobRun.lease_until.is_(None) | (JobRun.lease_until < successor.started_at),
    )
    for run in lock_where(session, dead):
        run.finished_at, run.lease_until = successor.started_at, None
        run.fence += 1
        run.error = "Its worker died. The next run did what was left."


def renew_run(session: Session, turn: RunTurn, *, now: datetime) -> bool:
    """Hold a run for another lease; False once somebody else has it, or it is finished."""
    result = session.execute(
        update(JobRun)
        .where(
            JobRun.id == turn.run_id,
            JobRun.fence == turn.fence,
            JobRun.finished_at.is_(None),
        )
        .values(lease_until=now + LEASE)
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def give_up_runs(session: Session) -> int:
    """Let unfinished runs be taken over at once; only where no worker is alive."""
    rows = lock_where(session, select(JobRun).where(JobRun.finished_at.is_(None)))
    for row in rows:
        row.lease_until = None
    return len(rows)


def finish_job_run(
    session: Session, turn: RunTurn, *, done: int, failed: int, error: str = "", now: datetime
) -> bool:
    """Record how a run ended; False if somebody else has taken it over since."""
    run = lock(session, JobRun, turn.run_id)
    if run is None or run.fence != turn.fence:
        return False
    run.finished_at, run.items_done, run.items_failed = now, done, failed
    run.lease_until = None
    run.error = error[:500]
    return True


def open_exception(
    session: Session,
    kind: str,
    subject_type: str,
    subject_ref: str,
    sentence: str,
    *,
    case_id: int | None = None,
    occurrence: str = "",
    now: datetime,
) -> ExceptionItem:
    """Put something in front of a person; the same kind, subject and occurrence opens once."""
    known = session.execute(
        select(ExceptionItem).where(
            ExceptionItem.kind == kind,
            ExceptionItem.subject_ref == subject_ref,
            ExceptionItem.occurrence == occurrence,
        )
    ).scalar_one_or_none()
    if known is not None:
        return known
    item = ExceptionItem(
        id=new_id(),
        reference=new_reference(),
        kind=kind,
        subject_type=subject_type,
        subject_ref=subject_ref,
        occurrence=occurrence,
        case_id=case_id,
        sentence=sentence[:500],
        opened_at=now,
        closed_by="",
    )
    session.add(item)
    return item


def close_exception(
    session: Session, actor: Actor, reference: str, *, now: datetime
) -> ExceptionItem:
    """Close an item that a person has dealt with. Raises NotFound or WrongState."""
    actor.require(Permission.TODAY_VIEW)
    rows = lock_where(session, select(ExceptionItem).where(ExceptionItem.reference == reference))
    if not rows:
        message = "There is no such item."
        raise NotFound(message)
    item = rows[0]
    if item.closed_at is not None:
        message = f"{item.closed_by} has already closed this item."
        raise WrongState(message)
    item.closed_at, item.closed_by = now, actor.name
    record(
        session, actor, "exception.closed", "exception", reference, case_id=item.case_id, now=now
    )
    return item


def next_occurrence(session: Session, kind: str, subject_ref: str) -> str:
    """Return the occurrence under which something opens that was closed before and is back.

    While an item of this kind and subject is open, it is the open one's: nothing opens twice.
    """
    items = session.execute(
        select(ExceptionItem.occurrence, ExceptionItem.closed_at).where(
            ExceptionItem.kind == kind, ExceptionItem.subject_ref == subject_ref
        )
    ).all()
    still_open = [occurrence for occurrence, closed_at in items if closed_at is None]
    return still_open[0] if still_open else str(len(items) + 1)


def close_exceptions_of(
    session: Session, kind: str, subject_ref: str, *, closed_by: str, now: datetime
) -> None:
    """Close what a later event has made moot."""
    for item in lock_where(
        session,
        select(ExceptionItem).where(
            ExceptionItem.kind == kind,
            ExceptionItem.subject_ref == subject_ref,
            ExceptionItem.closed_at.is_(None),
        ),
    ):
        item.closed_at, item.closed_by = now, closed_by
