"""Payment runs that wait for somebody, and when the bank's doors close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import is_banking_day, next_banking_day
from seedtrust.core.clock import NEW_YORK, business_date
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun, TrustAccount
from seedtrust.domain.payments.states import MONEY_OUT, InstructionState, Rail, RunState

_WAITING: Final = (RunState.OPEN.value, RunState.LOCKED.value, RunState.UNKNOWN.value)


@dataclass(frozen=True)
class WaitingRun:
    """A run that somebody has to lock, release or look after, with its sum in cents."""

    reference: str
    account: str
    rail: Rail
    state: RunState
    effective_on: date
    builder_user_id: int | None
    builder_name: str
    count: int
    total_cents: int
    cutoff_local: str


def waiting_runs(session: Session, actor: Actor) -> list[WaitingRun]:
    """Return the runs that wait for a person, the oldest first. One query."""
    actor.require(Permission.RUNS_VIEW)
    row = PaymentInstruction
    rows = session.execute(
        select(PaymentRun, TrustAccount, func.count(row.id), func.sum(row.amount_cents))
        .join(TrustAccount, TrustAccount.id == PaymentRun.trust_account_id)
        .outerjoin(
            row,
            and_(row.run_id == PaymentRun.id, row.state != InstructionState.CANCELLED.value),
        )
        .where(PaymentRun.state.in_(_WAITING), PaymentRun.direction == MONEY_OUT)
        .group_by(PaymentRun.id, TrustAccount.id)
        .order_by(PaymentRun.id)
    )
    return [
        WaitingRun(
            run.reference,
            account.name,
            Rail(run.rail),
            RunState(run.state),
            run.effective_on,
            run.builder_user_id,
            run.builder_name,
            count,
            int(total or 0),
            account.ach_cutoff_local if run.rail == Rail.ACH else account.wire_cutoff_local,
        )
        for run, account, count, total in rows
    ]


def next_cutoff(local: str, business_now: datetime) -> datetime:
    """Return when the bank next stops taking what should be worked on the same day."""
    at, today = time.fromisoformat(local), business_date(business_now)
    here = business_now.astimezone(NEW_YORK)
    in_time = is_banking_day(today) and here.time() < at
    day = today if in_time else next_banking_day(today)
    return datetime.combine(day, at, tzinfo=NEW_YORK)
