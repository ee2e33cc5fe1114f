"""Preparing, issuing, stopping and voiding checks, and what the bank and time do to them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, require_active
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.worklists import locked_case
from seedtrust.domain.checks import books
from seedtrust.domain.checks.errors import AskerCannotStop, CheckNotPossible, PreparerCannotIssue
from seedtrust.domain.checks.models import Check
from seedtrust.domain.checks.states import (
    CHECK_LABELS,
    CHECK_STEPS,
    LIVE_CHECKS,
    PAYABLE,
    STALE_AFTER_DAYS,
    CheckState,
)
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reservation import amount_to_pay
from seedtrust.domain.disbursements.states import RequestKind, RequestState
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.outbox.service import bank_lane, promise
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.terms.queries import money_out_allowed
from seedtrust.domain.terms.states import Category

SOURCE: Final = books.SOURCE
TELL_BANK: Final = "checks.tell_bank"
STALE_KIND: Final = "check.stale"
PAID_ANYWAY_KIND: Final = "check.paid_anyway"
_C = CheckState


def prepare_check(
    session: Session, actor: Actor, *, request_ref: str, mail_to: str, moment: Moment
) -> Check:
    """Take a READY request out of what goes by bank and prepare a check for it.

    Its money stays reserved. `mail_to` is the address on the envelope. Raises CheckNotPossible
    for a refund, another state, or a stage that lets no money out; Invalid, CaseClosed, OnHold,
    NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_BUILD)
    address = clean_text(mail_to, "mail_to", most=300)
    case, request = _locked_request(session, request_ref)
    require_active(case)
    if request.state != RequestState.READY or request.kind == RequestKind.REFUND:
        message = "Only an approved request whose money is reserved, and no refund, goes by check."
        raise CheckNotPossible(message, state=request.state)
    if not money_out_allowed(case, Category(request.category)):
        message = "The case's stage does not allow this payment now."
        raise CheckNotPossible(message, stage=case.stage)
    paying.mark_in_payment(session, actor, request, moment=moment)
    row = _check(session, actor, case, request, address, moment)
    session.add(row)
    session.flush()  # one live check for a request: the unique key speaks
    _record(session, actor, "check.prepared", row, moment)
    return row


def cancel_prepared(
    session: Session, actor: Actor, *, check_ref: str, reason: str, moment: Moment
) -> Check:
    """Give up a check that was never issued; its request is READY again.

    Raises WrongState, Invalid without a reason, NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_BUILD)
    reason = clean_text(reason, "reason", most=300)
    row, request = _locked(session, check_ref)
    _step(row, _C.CANCELLED, reason, moment)
    if row.replaces_id is None:
        paying.leave_run(session, actor, request, reason=reason, moment=moment)
    row.replaces_id = None
    _record(session, actor, "check.cancelled", row, moment)
    return row


def issue_check(session: Session, actor: Actor, *, check_ref: str, moment: Moment) -> Check:
    """Issue a prepared check as a second person: it gets its number and may be printed.

    The reservation becomes a check outstanding on this day. Numbers ascend without a gap, because
    the account is locked while one is given. Raises PreparerCannotIssue, WrongState, NotFound,
    Forbidden.
    """
    actor.require(Permission.RUNS_RELEASE)
    account = _locked_account(session, check_ref)
    row, request = _locked(session, check_ref)
    if actor.user_id is None or actor.user_id == row.prepared_by_user_id:
        message = "You prepared this check, so somebody else has to issue it."
        raise PreparerCannotIssue(message)
    require_active(session.get_one(Case, row.case_id))
    _step(row, _C.ISSUED, "", moment)
    row.number, account.next_check_number = account.next_check_number, account.next_check_number + 1
    row.issued_by_user_id, row.issued_by = actor.user_id, actor.name
    row.issued_on = moment.today
    if row.replaces_id is None:
        books.issue(session, actor, row, request, moment)
    else:
        _replace(session, actor, row, moment)
    _tell_bank(session, row, moment)
    _record(session, actor, "check.issued", row, moment)
    return row


def ask_to_stop(
    session: Session, actor: Actor, *, check_ref: str, reason: str, moment: Moment
) -> Check:
    """Ask for the stop of a check that was lost or must not be paid; a second person confirms.

    Raises WrongState once the bank has paid it, Invalid without a reason, NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_BUILD)
    reason = clean_text(reason, "reason", most=300)
    row, _ = _locked(session, check_ref)
    _step(row, _C.STOP_ASKED, reason, moment)
    row.stop_asked_by_user_id, row.stop_asked_by = actor.user_id, actor.name
    _record(session, actor, "check.stop_asked", row, moment)
    return row


def confirm_stop(session: Session, actor: Actor, *, check_ref: str, moment: Moment) -> Check:
    """Confirm a stop as a second person: the bank is told, and the money is back on the case.

    Its request is READY again. The check's row is locked, so whichever comes first, the stop or
    the bank's line that it was paid, counts, and the other is refused. Raises AskerCannotStop,
    WrongState, NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_RELEASE)
    row, request = _locked(session, check_ref)
    if actor.user_id is None or actor.user_id == row.stop_asked_by_user_id:
        message = "You asked for this stop, so somebody else has to confirm it."
        raise AskerCannotStop(message)
    _step(row, _C.STOPPED, row.reason, moment)
    _give_back(session, actor, row, request, "Stopped", moment)
    return row


def keep_check(session: Session, actor: Actor, *, check_ref: str, moment: Moment) -> Check:
    """Refuse a stop that was asked for: the check stays outstanding.

    Raises WrongState, NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_RELEASE)
    row, _ = _locked(session, check_ref)
    if row.state != _C.STOP_ASKED:
        message = "Nobody asked for the stop of this check."
        raise WrongState(message, state=row.state)
    _step(row, _C.ISSUED, "", moment)
    row.stop_asked_by_user_id, row.stop_asked_by = None, ""
    _record(session, actor, "check.kept", row, moment)
    return row


def void_check(
    session: Session, actor: Actor, *, check_ref: str, reason: str, moment: Moment
) -> Check:
    """Make a check void whose paper is in our hands, spoiled or come back unopened.

    Whoever issued it may not do so. The money is back on the case and the request READY. Raises
    PreparerCannotIssue, WrongState, Invalid without a reason, NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_RELEASE)
    reason = clean_text(reason, "reason", most=300)
    row, request = _locked(session, check_ref)
    if actor.user_id is None or actor.user_id == row.issued_by_user_id:
        message = "You issued this check, so somebody else has to make it void."
        raise PreparerCannotIssue(message)
    _step(row, _C.VOIDED, reason, moment)
    _give_back(session, actor, row, request, "Void", moment)
    return row


def prepare_reissue(
    session: Session, actor: Actor, *, check_ref: str, mail_to: str, moment: Moment
) -> Check:
    """Prepare a check in the place of a stale one; another person issues it.

    The money stays a stale item until then. Raises WrongState for any other check, Invalid,
    NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_BUILD)
    address = clean_text(mail_to, "mail_to", most=300)
    old, request = _locked(session, check_ref)
    if old.state != _C.STALE:
        message = "Only a stale check is replaced by another one."
        raise WrongState(message, state=old.state)
    case = session.get_one(Case, old.case_id)
    row = _check(session, actor, case, request, address, moment)
    row.replaces_id, row.amount_cents = old.id, old.amount_cents
    session.add(row)
    session.flush()  # one check in the place of another: the unique key speaks
    _record(session, actor, "check.reissue_prepared", row, moment)
    return row


def present_check(
    session: Session,
    actor: Actor,
    *,
    trust_account_id: int,
    number: int,
    amount_cents: int,
    on: date,
    moment: Moment,
) -> Check | None:
    """Record that the bank has paid a check, by number and amount to the cent.

    None when the register has no such check or it may not be paid: a person is told, because the
    bank paid what it should not have. The same line again changes nothing.
    """
    found = session.execute(
        select(Check.reference).where(
            Check.trust_account_id == trust_account_id, Check.number == number
        )
    ).scalar_one_or_none()
    if found is None:
        return None
    row, request = _locked(session, found)
    if row.state == _C.PRESENTED and row.ended_on == on and row.amount_cents == amount_cents:
        return row
    if CheckState(row.state) not in PAYABLE or row.amount_cents != amount_cents:
        sentence = (
            f"The bank paid check {number} over {format_dollars(amount_cents)}, which the register "
            f"has as {CHECK_LABELS[CheckState(row.state)].lower()} over "
            f"{format_dollars(row.amount_cents)}. Claim it from the bank today."
        )
        open_exception(
            session,
            PAID_ANYWAY_KIND,
            SOURCE,
            row.reference,
            sentence,
            case_id=row.case_id,
            now=moment.at,
        )
        return None
    books.present(session, actor, row, on, was_stale=row.state == _C.STALE, moment=moment)
    _step(row, _C.PRESENTED, "", moment)
    row.ended_on, row.ended_by = on, actor.name
    paying.mark_paid(session, actor, request, payment=row.reference, moment=moment)
    close_exceptions_of(session, STALE_KIND, row.reference, closed_by=actor.name, now=moment.at)
    _record(session, actor, "check.presented", row, moment)
    return row


def stale_checks(session: Session, today: date) -> list[int]:
    """Return the checks that are outstanding for longer than a bank need pay them."""
    rows = session.execute(
        select(Check.id)
        .where(
            Check.state == _C.ISSUED.value,
            Check.issued_on < today - timedelta(days=STALE_AFTER_DAYS),
        )
        .order_by(Check.id)
    )
    return list(rows.scalars())


def make_stale(session: Session, actor: Actor, check_id: int, *, moment: Moment) -> bool:
    """Move the money of an old check to stale items: still owed to the payee, and unclaimed.

    False when there is nothing to do any more. A person is asked to write to the payee.
    """
    known = session.get_one(Check, check_id)
    row, _ = _locked(session, known.reference)
    limit = moment.today - timedelta(days=STALE_AFTER_DAYS)
    if row.state != _C.ISSUED or row.issued_on is None or row.issued_on >= limit:
        return False
    _step(row, _C.STALE, "", moment)
    row.stale_on = moment.today
    books.make_stale(session, actor, row, moment)
    _tell_bank(session, row, moment)
    sentence = (
        f"Check {row.number} over {format_dollars(row.amount_cents)} was not cashed within "
        f"{STALE_AFTER_DAYS} days. Write to the payee, then replace it."
    )
    open_exception(
        session,
        STALE_KIND,
        SOURCE,
        row.reference,
        sentence,
        case_id=row.case_id,
        now=moment.at,
    )
    _record(session, actor, "check.stale", row, moment)
    return True


def _replace(session: Session, actor: Actor, row: Check, moment: Moment) -> None:
    old = lock(session, Check, row.replaces_id or 0)
    assert old is not None, "what a check replaces is never deleted"
    _step(old, _C.REISSUED, "", moment)
    books.reissue(session, actor, row, old, moment)
    close_exceptions_of(session, STALE_KIND, old.reference, closed_by=actor.name, now=moment.at)


def _give_back(  # noqa: PLR0917 - which check's money goes back to whom, and why
    session: Session,
    actor: Actor,
    row: Check,
    request: DisbursementRequest,
    why: str,
    moment: Moment,
) -> None:
    row.ended_on, row.ended_by = moment.today, actor.name
    books.give_back(session, actor, row, request, moment)
    paying.leave_run(session, actor, request, reason=why, money_came_back=True, moment=moment)
    _tell_bank(session, row, moment)
    _record(session, actor, f"check.{row.state.lower()}", row, moment)


def _check(  # noqa: PLR0917 - what is paid to whom, by whom, where to
    session: Session,
    actor: Actor,
    case: Case,
    request: DisbursementRequest,
    mail_to: str,
    moment: Moment,
) -> Check:
    return Check(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=case.trust_account_id,
        request_id=request.id,
        live_request_id=request.id,
        case_id=case.id,
        payee_id=request.payee_id,
        payee_name=session.get_one(Payee, request.payee_id).name[:80],
        mail_to=mail_to,
        amount_cents=amount_to_pay(request),
        state=_C.PREPARED.value,
        state_since_at=moment.at,
        prepared_by_user_id=actor.user_id,
        prepared_by=actor.name,
        prepared_on=moment.today,
    )


def _locked_request(session: Session, reference: str) -> tuple[Case, DisbursementRequest]:
    known = session.execute(
        select(DisbursementRequest.case_id).where(DisbursementRequest.reference == reference)
    ).scalar_one_or_none()
    if known is None:
        message = "There is no such request."
        raise NotFound(message)
    case = locked_case(session, known)
    [request] = lock_where(
        session, select(DisbursementRequest).where(DisbursementRequest.reference == reference)
    )
    return case, request


def _locked(session: Session, reference: str) -> tuple[Check, DisbursementRequest]:
    """Lock a check after its case and request. Raises NotFound."""
    known = session.execute(
        select(Check.case_id, Check.request_id).where(Check.reference == reference)
    ).one_or_none()
    if known is None:
        message = "There is no such check."
        raise NotFound(message)
    locked_case(session, known[0])
    request = lock(session, DisbursementRequest, known[1])
    [row] = lock_where(session, select(Check).where(Check.reference == reference))
    assert request is not None, "a check pays a request"
    return row, request


def _locked_account(session: Session, check_ref: str) -> TrustAccount:
    known = session.execute(
        select(Check.trust_account_id).where(Check.reference == check_ref)
    ).scalar_one_or_none()
    account = lock(session, TrustAccount, known or 0)
    if account is None:
        message = "There is no such check."
        raise NotFound(message)
    return account


def _step(row: Check, to: CheckState, reason: str, moment: Moment) -> None:
    state = CheckState(row.state)
    if to not in CHECK_STEPS[state]:
        message = (
            f"This check is {CHECK_LABELS[state].lower()}; it cannot become "
            f"{CHECK_LABELS[to].lower()} from there."
        )
        raise WrongState(message, check=row.reference, state=state.value)
    row.state, row.state_since_at, row.reason = to.value, moment.at, reason
    if to not in LIVE_CHECKS:
        row.live_request_id = None


def _tell_bank(session: Session, row: Check, moment: Moment) -> None:
    """Promise that the bank hears which checks it may pay; each state is told once."""
    lane = bank_lane(FILE_DROP)
    key, payload = f"{row.reference}:{row.state}", {"check": row.reference, "state": row.state}
    promise(session, TELL_BANK, key, payload, now=moment.at, lane=lane)


def _record(session: Session, actor: Actor, event: str, row: Check, moment: Moment) -> None:
    record(
        session,
        actor,
        event,
        SOURCE,
        row.reference,
        case_id=row.case_id,
        reason=row.reason,
        facts={"number": row.number, "amount_cents": row.amount_cents},
        now=moment.at,
    )
