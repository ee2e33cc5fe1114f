"""Asking for an e-check, releasing it, calling it off, and presenting one again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents, format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.checks import clean_text, require_active
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.echecks import life
from seedtrust.domain.echecks.authorising import require_offered
from seedtrust.domain.echecks.errors import (
    AskerCannotRelease,
    CannotPresentAgain,
    NotAuthorised,
    NothingToPull,
    PullLimitExceeded,
    PullUnderWay,
)
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.states import (
    AUTHORISATION_LABELS,
    DESCRIPTION,
    MOST_PRESENTMENTS,
    PRESENTMENT_DAYS,
    RETRY_DESCRIPTION,
    AuthorisationState,
    PullState,
)
from seedtrust.domain.funding.models import FundingRequest
from seedtrust.domain.funding.states import AWAITED, FundingState
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.formats.nacha import RETURN_CODES

_P = PullState


def ask_for_pull(
    session: Session,
    actor: Actor,
    *,
    authorisation_ref: str,
    funding_request_ref: str,
    amount_cents: int,
    moment: Moment,
) -> EcheckPull:
    """Ask for a debit of an authorised account towards a request for funds, in cents.

    What the holder of the account asks for goes with the next file; what staff ask for waits for a
    second person. Raises EchecksNotOffered, NotAuthorised, NothingToPull, PullUnderWay,
    PullLimitExceeded, InvalidAmount, CaseClosed, OnHold, NotFound, Forbidden.
    """
    case, authorisation = _authorised(session, actor, authorisation_ref)
    request = _request(session, case, funding_request_ref)
    cents = check_amount_cents(amount_cents)
    _require_asked_for(request, cents)
    _require_none_under_way(session, request)
    account = session.get_one(TrustAccount, case.trust_account_id)
    require_offered(account)
    _require_within_limits(session, case, account, cents, moment)
    pull = _pull(actor, case, authorisation, request, cents, moment)
    session.add(pull)
    session.flush()  # one e-check under way for a request: the unique key speaks
    if not actor.is_staff:
        _release(session, actor, pull, moment)
    return pull


def release_pull(session: Session, actor: Actor, *, pull_ref: str, moment: Moment) -> EcheckPull:
    """Release an e-check that another person of the staff asked for; it goes with the next file.

    Raises AskerCannotRelease, EchecksNotOffered, NotAuthorised, WrongState, NotFound, Forbidden.
    """
    case, pull = locked_pull(session, actor, pull_ref, Permission.ECHECKS_RELEASE)
    require_active(case)
    if actor.user_id is not None and actor.user_id == pull.asked_by_user_id:
        message = "You asked for this e-check, so somebody else has to release it."
        raise AskerCannotRelease(message)
    authorisation = session.get_one(DebitAuthorisation, pull.authorisation_id)
    _require_in_use(authorisation)
    require_offered(session.get_one(TrustAccount, pull.trust_account_id))
    _release(session, actor, pull, moment)
    return pull


def cancel_pull(
    session: Session, actor: Actor, *, pull_ref: str, reason: str, moment: Moment
) -> EcheckPull:
    """Call an e-check off as long as no file holds it. Raises WrongState, Invalid, NotFound."""
    _, pull = locked_pull(session, actor, pull_ref, Permission.ECHECKS_ASK)
    _require_holder(session, actor, pull)
    if pull.run_id is not None:
        message = "This e-check is in a file for the bank already and cannot be called off."
        raise WrongState(message, echeck=pull.reference, state=pull.state)
    reason = clean_text(reason, "reason", most=300)
    life.step(session, actor, pull, _P.CANCELLED, reason=reason, moment=moment)
    return pull


def present_again(session: Session, actor: Actor, *, pull_ref: str, moment: Moment) -> EcheckPull:
    """Ask to present a debit again that came back for want of money; a second person releases it.

    Twice more at most, within 180 days of the first settlement, for the same amount (Nacha
    Operating Rules, reinitiation). Raises CannotPresentAgain, EchecksNotOffered, NotAuthorised,
    NothingToPull, PullUnderWay, NotFound, Forbidden.
    """
    case, pull = locked_pull(session, actor, pull_ref, Permission.ECHECKS_PRESENT)
    require_active(case)
    require_offered(session.get_one(TrustAccount, case.trust_account_id))
    tries = lock_where(
        session,
        select(EcheckPull)
        .where(EcheckPull.first_pull_id == pull.first_pull_id)
        .order_by(EcheckPull.presentment),
    )
    _require_presentable(tries, moment)
    authorisation = session.get_one(DebitAuthorisation, pull.authorisation_id)
    _require_in_use(authorisation)
    request = session.get_one(FundingRequest, pull.funding_request_id)
    _require_asked_for(request, pull.amount_cents)
    _require_none_under_way(session, request)
    again = _pull(actor, case, authorisation, request, pull.amount_cents, moment)
    again.first_pull_id, again.presentment = pull.first_pull_id, len(tries) + 1
    again.entry_description = RETRY_DESCRIPTION
    session.add(again)
    session.flush()
    return again


def may_present_again(tries: list[EcheckPull], today_ordinal: int) -> bool:
    """Tell whether the rules allow another try after these, the first one first."""
    first, last = tries[0], tries[-1]
    code = RETURN_CODES.get(last.return_code)
    in_time = (
        first.settled_on is not None
        and today_ordinal <= (first.settled_on + timedelta(days=PRESENTMENT_DAYS)).toordinal()
    )
    return (
        last.state == _P.RETURNED
        and len(tries) < MOST_PRESENTMENTS
        and code is not None
        and code.may_be_represented
        and in_time
    )


def locked_pull(
    session: Session, actor: Actor, reference: str, permission: Permission
) -> tuple[Case, EcheckPull]:
    """Lock an e-check after its case. Raises NotFound, Forbidden."""
    found = session.execute(
        select(Case.reference)
        .join(EcheckPull, EcheckPull.case_id == Case.id)
        .where(EcheckPull.reference == reference)
    ).scalar_one_or_none()
    if found is None:
        message = "There is no such e-check."
        raise NotFound(message)
    case = case_for(session, actor, found, permission, locked=True)
    [pull] = lock_where(session, select(EcheckPull).where(EcheckPull.reference == reference))
    return case, pull


def _authorised(session: Session, actor: Actor, reference: str) -> tuple[Case, DebitAuthorisation]:
    found = session.execute(
        select(Case.reference)
        .join(DebitAuthorisation, DebitAuthorisation.case_id == Case.id)
        .where(DebitAuthorisation.reference == reference)
    ).scalar_one_or_none()
    if found is None:
        raise _no_authorisation()
    case = case_for(session, actor, found, Permission.ECHECKS_ASK, locked=True)
    require_active(case)
    [row] = lock_where(
        session, select(DebitAuthorisation).where(DebitAuthorisation.reference == reference)
    )
    if not actor.is_staff and row.user_id != actor.user_id:
        raise _no_authorisation()
    _require_in_use(row)
    return case, row


def _no_authorisation() -> NotFound:
    return NotFound("There is no such authorisation.")


def _require_in_use(row: DebitAuthorisation) -> None:
    if row.state != AuthorisationState.ACTIVE:
        label = AUTHORISATION_LABELS[AuthorisationState(row.state)].lower()
        message = f"The authorisation of this account is not in use: {label}."
        raise NotAuthorised(message, state=row.state)


def _require_holder(session: Session, actor: Actor, pull: EcheckPull) -> None:
    holder = session.get_one(DebitAuthorisation, pull.authorisation_id).user_id
    if not actor.is_staff and holder != actor.user_id:
        message = "There is no such e-check."
        raise NotFound(message)


def _request(session: Session, case: Case, reference: str) -> FundingRequest:
    rows = lock_where(
        session,
        select(FundingRequest).where(
            FundingRequest.reference == reference, FundingRequest.case_id == case.id
        ),
    )
    if not rows or rows[0].sent_on is None:
        message = "There is no such request for funds on this case."
        raise NotFound(message)
    return rows[0]


def _require_asked_for(request: FundingRequest, cents: int) -> None:
    missing = request.amount_cents - request.funded_cents
    if FundingState(request.state) not in AWAITED or cents > missing:
        message = f"The request for funds still asks for {format_dollars(missing)} at most."
        raise NothingToPull(message, open_cents=missing, errors={"amount_cents": [message]})


def _require_none_under_way(session: Session, request: FundingRequest) -> None:
    found = session.execute(
        select(EcheckPull.reference).where(EcheckPull.live_funding_request_id == request.id)
    ).scalar_one_or_none()
    if found is not None:
        message = "An e-check for this request is under way. Wait for the bank's word on it."
        raise PullUnderWay(message, echeck=found)


def _require_within_limits(
    session: Session, case: Case, account: TrustAccount, cents: int, moment: Moment
) -> None:
    once, daily = account.pull_limit_cents, account.pull_daily_limit_cents
    if once is not None and cents > once:
        message = f"One e-check may draw {format_dollars(once)} at most. Send a wire for more."
        raise PullLimitExceeded(message, limit_cents=once, errors={"amount_cents": [message]})
    today = session.execute(
        select(func.coalesce(func.sum(EcheckPull.amount_cents), 0)).where(
            EcheckPull.case_id == case.id,
            EcheckPull.asked_on == moment.today,
            EcheckPull.state != _P.CANCELLED.value,
        )
    ).scalar_one()
    if daily is not None and int(today) + cents > daily:
        message = f"E-checks may draw {format_dollars(daily)} a day at most. Send a wire for more."
        raise PullLimitExceeded(message, limit_cents=daily, errors={"amount_cents": [message]})


def _require_presentable(tries: list[EcheckPull], moment: Moment) -> None:
    if not may_present_again(tries, moment.today.toordinal()):
        message = (
            "Only a debit that came back for want of money is presented again, twice more at most "
            "and within 180 days. Ask the parents for a wire."
        )
        raise CannotPresentAgain(message, presentments=len(tries))


def _pull(  # noqa: PLR0917 - whose account is debited, for what, by whom
    actor: Actor,
    case: Case,
    authorisation: DebitAuthorisation,
    request: FundingRequest,
    cents: int,
    moment: Moment,
) -> EcheckPull:
    row_id = new_id()
    return EcheckPull(
        id=row_id,
        reference=new_reference(),
        authorisation_id=authorisation.id,
        case_id=case.id,
        trust_account_id=case.trust_account_id,
        funding_request_id=request.id,
        live_funding_request_id=request.id,
        first_pull_id=row_id,
        presentment=1,
        amount_cents=cents,
        state=_P.REQUESTED.value,
        state_since_at=moment.at,
        asked_by_user_id=actor.user_id,
        asked_by=actor.name,
        asked_on=moment.today,
        sec_code=authorisation.sec_code,
        entry_description=DESCRIPTION,
    )


def _release(session: Session, actor: Actor, pull: EcheckPull, moment: Moment) -> None:
    life.step(session, actor, pull, _P.RELEASED, moment=moment)
    pull.released_by_user_id, pull.released_by = actor.user_id, actor.name
