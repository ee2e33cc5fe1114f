"""Reading authorisations and e-checks, in the words of whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import case_for, cases_in_scope
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.pulling import may_present_again
from seedtrust.domain.echecks.states import (
    AUTHORISATION_LABELS,
    AUTHORISATION_TONES,
    OPEN_PULLS,
    PULL_LABELS,
    PULL_TONES,
    RETURN_RISK_DAYS,
    AuthorisationState,
    PullState,
)
from seedtrust.domain.funding.models import Deposit, FundingRequest
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payments.return_codes import reason_of

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class AuthorisationView:
    """An authorisation as its holder and the staff read it; the number is masked for good."""

    reference: str
    state: AuthorisationState
    state_label: str
    state_tone: str
    holder_name: str
    account_type: str
    masked_number: str
    text: str
    paper: str
    given_by: str
    given_at: datetime
    given_from: str
    checked_by: str
    check_note: str
    ended_by: str
    ended_reason: str


@dataclass(frozen=True, slots=True)
class PullView:
    """An e-check in cents; `may_return_until` is the last day on which its holder's bank may."""

    id: int
    reference: str
    case_ref: str
    case_number: int
    case_name: str
    authorisation_ref: str
    funding_ref: str
    deposit_ref: str
    state: PullState
    state_label: str
    state_tone: str
    state_reason: str
    amount_cents: int
    presentment: int
    holder_name: str
    masked_number: str
    asked_by: str
    asked_by_user_id: int | None
    asked_on: date
    released_by: str
    sec_code: str
    trace_number: str
    effective_on: date | None
    sent_on: date | None
    settled_on: date | None
    ended_on: date | None
    return_code: str
    return_reason: str
    may_return_until: date | None


def authorisations_for(session: Session, actor: Actor, case_ref: str) -> list[AuthorisationView]:
    """Return who authorised which account for a case, the newest first; parents see their own.

    Two queries. Raises Forbidden, NotFound out of scope.
    """
    case = case_for(session, actor, case_ref, Permission.ECHECKS_VIEW)
    wanted = select(DebitAuthorisation).where(DebitAuthorisation.case_id == case.id)
    if not (actor.is_staff or actor.is_system):
        wanted = wanted.where(DebitAuthorisation.user_id == actor.user_id)
    rows = session.execute(wanted.order_by(DebitAuthorisation.id.desc()).limit(_MOST)).scalars()
    return [_authorisation(row) for row in rows]


def authorisation_view(session: Session, actor: Actor, reference: str) -> AuthorisationView:
    """Return one authorisation. Raises NotFound, Forbidden."""
    actor.require(Permission.ECHECKS_VIEW)
    wanted = (
        select(DebitAuthorisation)
        .join(Case, Case.id == DebitAuthorisation.case_id)
        .where(DebitAuthorisation.reference == reference)
    )
    row = session.execute(
        cases_in_scope(wanted, actor, Permission.ECHECKS_VIEW)
    ).scalar_one_or_none()
    is_own = row is not None and (actor.is_staff or row.user_id == actor.user_id)
    if row is None or not is_own:
        message = "There is no such authorisation."
        raise NotFound(message)
    return _authorisation(row)


def pulls_for(
    session: Session,
    actor: Actor,
    *,
    case_ref: str | None = None,
    state: PullState | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[PullView]:
    """Return e-checks, the newest first: of a case, or of all in reach; parents see their own.

    One query, two with a case. Raises Forbidden, NotFound out of scope.
    """
    wanted = _rows(actor)
    if case_ref is not None:
        case = case_for(session, actor, case_ref, Permission.ECHECKS_VIEW)
        wanted = wanted.where(EcheckPull.case_id == case.id)
    if state is not None:
        wanted = wanted.where(EcheckPull.state == state.value)
    if after is not None:
        wanted = wanted.where(EcheckPull.id < after)
    rows = session.execute(wanted.order_by(EcheckPull.id.desc()).limit(min(limit, _MOST)))
    return [_pull(*row) for row in rows]


def pull_view(session: Session, actor: Actor, reference: str) -> PullView:
    """Return one e-check. Raises NotFound, Forbidden."""
    row = session.execute(_rows(actor).where(EcheckPull.reference == reference)).one_or_none()
    if row is None:
        message = "There is no such e-check."
        raise NotFound(message)
    return _pull(*row)


def is_presentable(session: Session, reference: str, today: date) -> bool:
    """Tell whether the rules allow to present an e-check again. One query."""
    first = select(EcheckPull.first_pull_id).where(EcheckPull.reference == reference)
    tries: Sequence[EcheckPull] = (
        session.execute(
            select(EcheckPull)
            .where(EcheckPull.first_pull_id == first.scalar_subquery())
            .order_by(EcheckPull.presentment)
        )
        .scalars()
        .all()
    )
    return bool(tries) and may_present_again(list(tries), today.toordinal())


def has_open_pulls(session: Session, case_id: int) -> bool:
    """Tell whether the bank's word on an e-check of a case is awaited. One query."""
    wanted = select(EcheckPull.id).where(
        EcheckPull.case_id == case_id,
        EcheckPull.state.in_([state.value for state in OPEN_PULLS]),
    )
    return session.execute(wanted.limit(1)).scalar_one_or_none() is not None


def _rows(
    actor: Actor,
) -> Select[EcheckPull, DebitAuthorisation, Case, str, str | None]:
    wanted = (
        select(EcheckPull, DebitAuthorisation, Case, FundingRequest.reference, Deposit.reference)
        .join(DebitAuthorisation, DebitAuthorisation.id == EcheckPull.authorisation_id)
        .join(Case, Case.id == EcheckPull.case_id)
        .join(FundingRequest, FundingRequest.id == EcheckPull.funding_request_id)
        .outerjoin(Deposit, Deposit.id == EcheckPull.deposit_id)
    )
    if not (actor.is_staff or actor.is_system):
        wanted = wanted.where(DebitAuthorisation.user_id == actor.user_id)
    return cases_in_scope(wanted, actor, Permission.ECHECKS_VIEW)


def _authorisation(row: DebitAuthorisation) -> AuthorisationView:
    state = AuthorisationState(row.state)
    return AuthorisationView(
        reference=row.reference,
        state=state,
        state_label=AUTHORISATION_LABELS[state],
        state_tone=AUTHORISATION_TONES[state],
        holder_name=row.holder_name,
        account_type=row.account_type,
        masked_number=masked(row.last_four),
        text=row.text,
        paper=row.paper,
        given_by=row.given_by,
        given_at=row.given_at,
        given_from=row.given_from,
        checked_by=row.checked_by,
        check_note=row.check_note,
        ended_by=row.ended_by,
        ended_reason=row.ended_reason,
    )


def _pull(
    row: EcheckPull,
    authorisation: DebitAuthorisation,
    case: Case,
    funding_ref: str,
    deposit_ref: str | None,
) -> PullView:
    state, settled_on = PullState(row.state), row.settled_on
    at_risk = settled_on is not None and state is PullState.SETTLED
    return PullView(
        id=row.id,
        reference=row.reference,
        case_ref=case.reference,
        case_number=case.number,
        case_name=case.name,
        authorisation_ref=authorisation.reference,
        funding_ref=funding_ref,
        deposit_ref=deposit_ref or "",
        state=state,
        state_label=PULL_LABELS[state],
        state_tone=PULL_TONES[state],
        state_reason=row.state_reason,
        amount_cents=row.amount_cents,
        presentment=row.presentment,
        holder_name=authorisation.holder_name,
        masked_number=masked(authorisation.last_four),
        asked_by=row.asked_by,
        asked_by_user_id=row.asked_by_user_id,
        asked_on=row.asked_on,
        released_by=row.released_by,
        sec_code=row.sec_code,
        trace_number=row.trace_number or "",
        effective_on=row.effective_on,
        sent_on=row.sent_on,
        settled_on=settled_on,
        ended_on=row.ended_on,
        return_code=row.return_code,
        return_reason=reason_of(row.return_code).meaning if row.return_code else "",
        may_return_until=(
            settled_on + timedelta(days=RETURN_RISK_DAYS) if at_risk and settled_on else None
        ),
    )
