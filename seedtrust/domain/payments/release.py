"""Releasing a payment run: by other people than its builder, each with a fresh second factor."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import Forbidden, StepUpRequired
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.outbox.service import bank_lane, promise
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, goes_by_file, locked_run, move_run
from seedtrust.domain.payments.calendar import earliest_day
from seedtrust.domain.payments.errors import (
    BankDetailsTouched,
    BuilderCannotRelease,
    ContentChanged,
    EffectiveDatePassed,
    SecondReleaserMustDiffer,
)
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun, TrustAccount
from seedtrust.domain.payments.runs import content_hash as hash_of
from seedtrust.domain.payments.runs import require_payable
from seedtrust.domain.payments.states import InstructionState, Rail, RunState

SEND_RUN: Final = "run.transmit"
SEND_PAYMENT: Final = "payment.send"
_TOUCHED_DAYS: Final = timedelta(days=30)


def release_run(
    session: Session,
    actor: Actor,
    *,
    run_ref: str,
    content_hash: str,
    moment: Moment,
    step_up_seconds: int,
) -> PaymentRun:
    """Release a locked run for sending, bound to the content that the releaser was shown.

    Above the account's limit the first release is kept and a second person has to release as
    well. Everything is checked again under lock: each payee's account, hold and case. Raises
    BuilderCannotRelease, BankDetailsTouched, SecondReleaserMustDiffer, StepUpRequired,
    ContentChanged, EffectiveDatePassed, PaymentsNotPossible, WrongState, NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_RELEASE)
    run = locked_run(session, run_ref)
    rows = life.of_run(session, run.id, {InstructionState.CREATED})
    if run.state != RunState.LOCKED:
        move_run(run, RunState.RELEASED)  # says why not; only OPEN and later states come here
    _require_other_person(session, actor, run, rows, moment)
    require_fresh(actor, moment, step_up_seconds)
    shown_is_current = hmac.compare_digest(content_hash.encode(), run.content_hash.encode())
    if not shown_is_current or hash_of(run, rows) != run.content_hash:
        message = "This run is not the one you looked at. Reload the page and check it again."
        raise ContentChanged(message, run=run.reference)
    account = account_of(session, run.trust_account_id)
    if earliest_day(session, account, Rail(run.rail), moment) > run.effective_on:
        message = (
            f"The bank's cut-off for settling on {run.effective_on.isoformat()} has passed. "
            "Reopen the run and lock it again; it then settles a banking day later."
        )
        raise EffectiveDatePassed(message, effective_on=run.effective_on.isoformat())
    require_payable(session, rows)
    total_cents = sum(row.amount_cents for row in rows)
    second_needed = needs_second_releaser(account.second_release_above_cents, total_cents)
    if second_needed and run.releaser_user_id is None:
        run.releaser_user_id, run.releaser_name = actor.user_id, actor.name
        _log(session, actor, "run.first_release", run, total_cents=total_cents, moment=moment)
        return run
    if run.releaser_user_id is None:
        run.releaser_user_id, run.releaser_name = actor.user_id, actor.name
    else:
        run.second_releaser_user_id, run.second_releaser_name = actor.user_id, actor.name
    _release(session, actor, run, rows, account, moment)
    _log(session, actor, "run.released", run, total_cents=total_cents, moment=moment)
    return run


def needs_second_releaser(limit_cents: int | None, total_cents: int) -> bool:
    """Tell whether a run of this total needs two releasers; without a limit none does."""
    return limit_cents is not None and total_cents > limit_cents


def _release(  # noqa: PLR0917 - who releases what from which account, when
    session: Session,
    actor: Actor,
    run: PaymentRun,
    rows: list[PaymentInstruction],
    account: TrustAccount,
    moment: Moment,
) -> None:
    move_run(run, RunState.RELEASED)
    run.released_at = moment.at
    for row in rows:
        life.step(session, actor, row, InstructionState.RELEASED, moment=moment)
    lane = bank_lane(account.bank_code)
    if goes_by_file(account, run.rail):
        payload = {"run": run.reference}
        promise(
            session,
            SEND_RUN,
            run.reference,
            payload,
            now=moment.at,
            lane=lane,
            request_id=actor.request_id,
        )
        return
    for row in rows:
        promise(
            session,
            SEND_PAYMENT,
            row.reference,
            {"instruction": row.reference},
            now=moment.at,
            lane=lane,
            request_id=actor.request_id,
        )


def _require_other_person(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    rows: Collection[PaymentInstruction],
    moment: Moment,
) -> None:
    if actor.user_id is None:
        message = "A person has to release a payment run."
        raise Forbidden(message)
    if actor.user_id == run.builder_user_id or actor.user_id in {
        row.added_by_user_id for row in rows
    }:
        message = "You built this run, so another person has to release it."
        raise BuilderCannotRelease(message, run=run.reference)
    if actor.user_id == run.releaser_user_id:
        message = "You have released this run already. A second person has to release it as well."
        raise SecondReleaserMustDiffer(message, run=run.reference)
    touched = session.execute(
        select(PayeeAccount.last_four).where(
            PayeeAccount.id.in_({row.payee_account_id for row in rows}),
            PayeeAccount.active_on > moment.today - _TOUCHED_DAYS,
            (PayeeAccount.submitted_by_user_id == actor.user_id)
            | (PayeeAccount.checked_by_user_id == actor.user_id)
            | (PayeeAccount.verified_by_user_id == actor.user_id)
            | (PayeeAccount.approved_by_user_id == actor.user_id),
        )
    ).first()
    if touched is not None:
        message = (
            f"You handled the bank details ending in {touched[0]} that this run pays, less than "
            "thirty days ago. Another person has to release it."
        )
        raise BankDetailsTouched(message, run=run.reference)


def require_fresh(actor: Actor, moment: Moment, step_up_seconds: int) -> None:
    """Refuse unless the actor has just given a second factor. Raises StepUpRequired."""
    fresh_since = moment.at - timedelta(seconds=step_up_seconds)
    if actor.stepped_up_at is None or actor.stepped_up_at < fresh_since:
        message = "Releasing money needs a fresh code from your authenticator app."
        raise StepUpRequired(message, max_age=step_up_seconds)


def _log(
    session: Session,
    actor: Actor,
    action: str,
    run: PaymentRun,
    *,
    total_cents: int,
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "run",
        run.reference,
        facts={
            "rail": run.rail,
            "total_cents": total_cents,
            "content_hash": run.content_hash,
            "effective_on": run.effective_on.isoformat(),
        },
        now=moment.at,
    )
