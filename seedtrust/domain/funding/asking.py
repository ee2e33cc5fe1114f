"""Asking parents for money: because a milestone says so, because the minimum is in danger."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import next_banking_day, on_or_after
from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents, format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, refuse_field, require_active
from seedtrust.domain.cases.funding_rules import FundingPolicy, policy_of
from seedtrust.domain.cases.models import Case, CaseMilestone
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.stages import MILESTONE_LABELS
from seedtrust.domain.cases.states import Milestone, Stage
from seedtrust.domain.disbursements.forecast import Shortfall, forecast_of
from seedtrust.domain.funding.allocating import nothing_to_chase, step
from seedtrust.domain.funding.models import Deposit, FundingRequest
from seedtrust.domain.funding.states import (
    OPEN_FUNDING,
    DepositState,
    FundingCause,
    FundingState,
)
from seedtrust.domain.funding.telling import tell_parents
from seedtrust.domain.ledger.queries import balance_of
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import close_exceptions_of, open_exception

DRAFT_KIND: Final = "funding.draft"
# How far ahead the minimum is guarded, and how long parents have by default, in calendar days.
LOOK_AHEAD_DAYS: Final = 45
DAYS_TO_PAY: Final = 10
# Without an agreed amount a request is rounded up to whole hundreds of dollars.
_ROUND_UP_CENTS: Final = 100_00
_GUARDED: Final = frozenset(
    {
        Stage.AWAITING_EXECUTED_AGREEMENT,
        Stage.AWAITING_HEARTBEAT,
        Stage.PREGNANT,
        Stage.POST_DELIVERY,
        Stage.CYCLE_IN_PROGRESS,
        Stage.POST_RETRIEVAL,
        Stage.AWAITING_CLOSE_APPROVAL,
    }
)
_ASKED_FOR_MILESTONES: Final = _GUARDED | {Stage.PENDING_FUNDING}
_RECEIVED: Final = (DepositState.RECEIVED.value, DepositState.COLLECTED.value)


def ask_for_milestones(session: Session, actor: Actor, case: Case, *, moment: Moment) -> int:
    """Ask for what the contracts make due at milestones that were reached; returns how many asks.

    With the signed escrow agreement the agreed funding is due, less what has come in. Each
    milestone is asked for once. The caller holds the case's lock.
    """
    if Stage(case.stage) not in _ASKED_FOR_MILESTONES:
        return 0
    due = dict(policy_of(session, case.id).due_at)
    if case.stage == Stage.PENDING_FUNDING:
        missing = case.funding_required_cents - _received(session, case)
        due.setdefault(Milestone.ESCROW_AGREEMENT_EXECUTED.value, max(missing, 0))
    reached = session.execute(
        select(CaseMilestone.code).where(
            CaseMilestone.case_id == case.id, CaseMilestone.code.in_(due)
        )
    )
    asked = 0
    for code in sorted(set(reached.scalars())):
        if not due[code] or _known(session, case, FundingCause.MILESTONE, code):
            continue
        reason = f"Due with the milestone “{MILESTONE_LABELS[Milestone(code)]}”"
        row = _raise(
            session, actor, case, FundingCause.MILESTONE, code, due[code], reason, moment=moment
        )
        _send(session, actor, case, row, moment=moment)
        asked += 1
    return asked


def guard_minimum(
    session: Session, actor: Actor, case: Case, *, moment: Moment
) -> FundingRequest | None:
    """Ask for money when the available balance is, or within 45 days will be, below the minimum.

    What is asked for already counts as if it were there. With an agreed top-up the request goes
    out at once, over that amount or more if more is missing; else it waits as a draft for a
    person. The caller holds the case's lock.
    """
    if Stage(case.stage) not in _GUARDED:
        return None
    short = _shortfall(session, case, moment.today)
    if short is None:
        return None
    missing = short.most_cents - _asked_for(session, case)
    key = moment.today.isoformat()
    if missing <= 0 or _known(session, case, FundingCause.MINIMUM, key):
        return None
    policy = policy_of(session, case.id)
    reason = (
        f"The balance is expected to fall below the minimum of "
        f"{format_dollars(case.minimum_balance_cents)} on {short.on.isoformat()}"
    )
    row = _raise(
        session,
        actor,
        case,
        FundingCause.MINIMUM,
        key,
        _amount(policy, missing),
        reason,
        short=short,
        moment=moment,
    )
    if policy.top_up_cents is not None:
        _send(session, actor, case, row, moment=moment)
    else:
        open_exception(
            session,
            DRAFT_KIND,
            "funding_request",
            row.reference,
            f"{reason}. Look at the amount of the request for funds and send it.",
            case_id=case.id,
            now=moment.at,
        )
    return row


def draft_request(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    amount_cents: int,
    reason: str,
    moment: Moment,
) -> FundingRequest:
    """Prepare a request for funds by hand.

    Raises Invalid without a reason, InvalidAmount, CaseClosed, CaseOnHold, NotFound, Forbidden.
    """
    case = case_for(session, actor, case_ref, Permission.FUNDING_ASK, locked=True)
    require_active(case)
    return _raise(
        session,
        actor,
        case,
        FundingCause.HAND,
        new_reference(),
        check_amount_cents(amount_cents),
        clean_text(reason, "reason", most=300),
        moment=moment,
    )


def send_request(
    session: Session,
    actor: Actor,
    *,
    funding_ref: str,
    amount_cents: int | None = None,
    due_on: date | None = None,
    moment: Moment,
) -> FundingRequest:
    """Send a draft to the parents, over another amount or to another day if given.

    Raises NotFound, WrongState, Invalid for a day that is not ahead, InvalidAmount, CaseClosed.
    """
    case, row = locked_request(session, actor, funding_ref)
    require_active(case)
    if due_on is not None and due_on <= moment.today:
        raise refuse_field("due_on", "Choose a day after today.")
    if amount_cents is not None and row.state == FundingState.DRAFT:
        row.amount_cents = check_amount_cents(amount_cents)
    _send(session, actor, case, row, due_on=due_on, moment=moment)
    return row


def cancel_request(
    session: Session, actor: Actor, *, funding_ref: str, reason: str, moment: Moment
) -> FundingRequest:
    """Withdraw a request for funds that is not needed any more.

    What came in towards it stays on the case. Raises NotFound, WrongState, Invalid without a
    reason.
    """
    _, row = locked_request(session, actor, funding_ref)
    _withdraw(session, actor, row, clean_text(reason, "reason", most=300), moment)
    return row


def withdraw_all(session: Session, actor: Actor, case: Case, *, reason: str, moment: Moment) -> int:
    """Withdraw every open request for funds of a case, and return how many there were.

    The caller holds the case's lock.
    """
    rows = lock_where(
        session,
        select(FundingRequest)
        .where(
            FundingRequest.case_id == case.id,
            FundingRequest.state.in_([state.value for state in OPEN_FUNDING]),
        )
        .order_by(FundingRequest.id),
    )
    for row in rows:
        _withdraw(session, actor, row, reason, moment)
    return len(rows)


def _withdraw(
    session: Session, actor: Actor, row: FundingRequest, reason: str, moment: Moment
) -> None:
    step(session, actor, row, FundingState.CANCELLED, reason=reason, moment=moment)
    nothing_to_chase(session, actor, row, moment)
    close_exceptions_of(session, DRAFT_KIND, row.reference, closed_by=actor.name, now=moment.at)


def locked_request(session: Session, actor: Actor, funding_ref: str) -> tuple[Case, FundingRequest]:
    """Lock a request for funds after its case. Raises NotFound, Forbidden."""
    case_ref = session.execute(
        select(Case.reference)
        .join(FundingRequest, FundingRequest.case_id == Case.id)
        .where(FundingRequest.reference == funding_ref)
    ).scalar_one_or_none()
    if case_ref is None:
        message = "There is no such request for funds."
        raise NotFound(message)
    case = case_for(session, actor, case_ref, Permission.FUNDING_ASK, locked=True)
    [row] = lock_where(
        session, select(FundingRequest).where(FundingRequest.reference == funding_ref)
    )
    return case, row


def _shortfall(session: Session, case: Case, today: date) -> Shortfall | None:
    stands = balance_of(session, case.ledger_account_id)
    forecast = forecast_of(session, case, today, stands=stands)
    ahead = forecast.until(today + timedelta(days=LOOK_AHEAD_DAYS))
    missing_now = case.minimum_balance_cents - stands.available_cents
    if missing_now <= 0:
        return ahead
    most = missing_now if ahead is None else max(missing_now, ahead.most_cents)
    return Shortfall(today, today, missing_now, most)


def _amount(policy: FundingPolicy, missing_cents: int) -> int:
    rounded = -(-missing_cents // _ROUND_UP_CENTS) * _ROUND_UP_CENTS
    return max(policy.top_up_cents or 0, rounded)


def _received(session: Session, case: Case) -> int:
    return int(
        session.execute(
            select(func.coalesce(func.sum(Deposit.amount_cents), 0)).where(
                Deposit.case_id == case.id, Deposit.state.in_(_RECEIVED)
            )
        ).scalar_one()
    )


def _asked_for(session: Session, case: Case) -> int:
    return int(
        session.execute(
            select(
                func.coalesce(
                    func.sum(FundingRequest.amount_cents - FundingRequest.funded_cents), 0
                )
            ).where(
                FundingRequest.case_id == case.id,
                FundingRequest.state.in_([state.value for state in OPEN_FUNDING]),
            )
        ).scalar_one()
    )


def _known(session: Session, case: Case, cause: FundingCause, key: str) -> bool:
    query = select(FundingRequest.id).where(
        FundingRequest.case_id == case.id,
        FundingRequest.cause == cause.value,
        FundingRequest.cause_key == key,
    )
    return session.execute(query).first() is not None


def _raise(  # noqa: PLR0917 - why money is asked for, and how much
    session: Session,
    actor: Actor,
    case: Case,
    cause: FundingCause,
    key: str,
    amount_cents: int,
    reason: str,
    *,
    short: Shortfall | None = None,
    moment: Moment,
) -> FundingRequest:
    row = FundingRequest(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        state=FundingState.DRAFT.value,
        cause=cause.value,
        cause_key=key,
        amount_cents=amount_cents,
        funded_cents=0,
        reason=reason,
        raised_on=moment.today,
        raised_by=actor.name,
        raised_at=moment.at,
        short_on=None if short is None else short.on,
        short_cents=0 if short is None else short.first_cents,
        due_on=_due_on(moment.today, short),
    )
    session.add(row)
    session.flush()  # the unique key on the cause speaks before anybody is told
    record(
        session,
        actor,
        "funding.raised",
        "funding_request",
        row.reference,
        case_id=case.id,
        reason=reason,
        facts={"amount_cents": amount_cents, "cause": cause.value},
        now=moment.at,
    )
    return row


def _due_on(today: date, short: Shortfall | None) -> date:
    usual = on_or_after(today + timedelta(days=DAYS_TO_PAY))
    if short is None:
        return usual
    return max(next_banking_day(today), min(usual, short.needed_by_on))


def _send(
    session: Session,
    actor: Actor,
    case: Case,
    row: FundingRequest,
    *,
    due_on: date | None = None,
    moment: Moment,
) -> None:
    step(session, actor, row, FundingState.SENT, moment=moment)
    row.sent_on = moment.today
    if due_on is not None:
        row.due_on = due_on
    elif row.raised_on != moment.today:
        row.due_on = max(row.due_on or moment.today, next_banking_day(moment.today))
    close_exceptions_of(session, DRAFT_KIND, row.reference, closed_by=actor.name, now=moment.at)
    tell_parents(
        session,
        NoticeEvent.FUNDING_REQUESTED,
        f"funding.requested:{row.reference}",
        case,
        facts_of(row),
        moment=moment,
    )


def facts_of(row: FundingRequest) -> dict[str, str]:
    """Return what a notice says of a request for funds: what is open and until when."""
    due = row.due_on or row.raised_on
    return {
        "amount": format_dollars(row.amount_cents - row.funded_cents),
        "due_on": f"{due:%B} {due.day}, {due.year}",
    }
