"""Verbs that end a case: account, certify, approve, refund, close; and back for a late bill."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import Forbidden
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text
from seedtrust.domain.cases.errors import StageNotAllowed
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.moves import move_stage, require_stage
from seedtrust.domain.cases.queries import case_for, parties_of
from seedtrust.domain.cases.stages import BEFORE_THE_JOURNEY
from seedtrust.domain.cases.states import Side, Stage
from seedtrust.domain.closing.accounting import sums_of
from seedtrust.domain.closing.errors import (
    AccountingOpen,
    AccountingOutdated,
    AlreadyCertified,
    NoAccounting,
    NotReadyToClose,
    NotYourCertification,
    PreparerCannotApprove,
    RefundPayeeMissing,
    RefundUnderWay,
)
from seedtrust.domain.closing.models import Certification, FinalAccounting
from seedtrust.domain.closing.queries import (
    Obstacle,
    accounting_of,
    certified_parties,
    certifiers_of,
    obstacles,
)
from seedtrust.domain.closing.states import AccountingState
from seedtrust.domain.disbursements.life import may, move
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.queries import open_requests_of
from seedtrust.domain.disbursements.reservation import let_go
from seedtrust.domain.disbursements.service import open_refund
from seedtrust.domain.disbursements.states import OPEN_STATES, RequestEvent, RequestState
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms.queries import planned_items
from seedtrust.domain.terms.schedule import cancel_items

MAY_END_IN: Final = (
    Stage.POST_DELIVERY,
    Stage.POST_RETRIEVAL,
    Stage.CYCLE_IN_PROGRESS,
    Stage.AWAITING_HEARTBEAT,
    Stage.PREGNANT,
    Stage.AWAITING_CLOSE_APPROVAL,
)
_UNDER_WAY: Final = frozenset(
    {AccountingState.SENT, AccountingState.CERTIFIED, AccountingState.APPROVED}
)
_CLOSING_STAGES: Final = (
    Stage.AWAITING_CLOSE_APPROVAL,
    Stage.FINAL_ACCOUNTING,
    Stage.FINAL_DISBURSEMENT,
)


def start_closing(
    session: Session, actor: Actor, *, case_ref: str, moment: Moment
) -> FinalAccounting:
    """Draw up the final accounting and send it to the parties to certify.

    The obligations have ended, no request is open, no planned payment is left. Items whose
    milestone never came are cancelled. Raises NotReadyToClose, naming every obstacle,
    AccountingOpen, StageNotAllowed, CaseClosed, CaseOnHold, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_PROPOSE_ACCOUNTING, locked=True)
    require_stage(case, *MAY_END_IN)
    _nothing_under_way(session, case)
    _ready(obstacles(session, case))
    accounting = _draw_up(session, actor, case, AccountingState.SENT, moment)
    if case.stage != Stage.AWAITING_CLOSE_APPROVAL:
        cause = "Final accounting sent to the parties"
        move_stage(session, actor, case, Stage.AWAITING_CLOSE_APPROVAL, cause=cause, moment=moment)
    return accounting


def propose_cancellation(
    session: Session, actor: Actor, *, case_ref: str, reason: str, moment: Moment
) -> FinalAccounting:
    """Draw up the accounting of a journey that was funded and never began.

    There is nothing to certify; a second person approves it with approve_accounting, and the
    case is cancelled when the refund has settled. Raises NotReadyToClose, AccountingOpen,
    StageNotAllowed, CaseClosed, CaseOnHold, Invalid without a reason, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_PROPOSE_ACCOUNTING, locked=True)
    require_stage(case, *BEFORE_THE_JOURNEY)
    why = clean_text(reason, "reason", most=500)
    _nothing_under_way(session, case)
    for item in planned_items(session, case.id):
        cancel_items(session, case.id, term_id=item.term_id)
    requests = open_requests_of(session, case.id)
    if requests:
        _ready([Obstacle("requests_open", f"Open requests: {requests}. Settle them.")])
    return _draw_up(session, actor, case, AccountingState.CERTIFIED, moment, reason=why)


def certify(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    party_ref: str | None = None,
    moment: Moment,
) -> Certification:
    """Certify for one's own party that all is paid and nothing more is due.

    With the last party's word the case goes to final accounting. Raises NotYourCertification,
    AlreadyCertified, AccountingOutdated, NoAccounting, StageNotAllowed, CaseClosed, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_CERTIFY, locked=True)
    parties = parties_of(session, case.id)
    party = _own_party(actor, parties, party_ref)
    accounting = _locked_accounting(session, case)
    done = {} if accounting is None else certified_parties(session, accounting.id)
    if party.id in done:
        raise AlreadyCertified("You have certified already. Nothing more is needed from you.")
    require_stage(case, Stage.AWAITING_CLOSE_APPROVAL)
    if accounting is None or accounting.state != AccountingState.SENT:
        raise NoAccounting("There is no final accounting to certify now. You will be told.")
    _still_true(session, case, accounting)
    certification = Certification(
        id=new_id(),
        accounting_id=accounting.id,
        party_id=party.id,
        content_hash=accounting.content_hash,
        certified_on=moment.today,
        certified_at=moment.at,
        certified_by=actor.name,
    )
    session.add(certification)
    _audit(session, actor, case, "closing.certified", accounting, party=party, moment=moment)
    if {one.id for one in certifiers_of(parties)} <= {*done, party.id}:
        accounting.state = AccountingState.CERTIFIED.value
        cause = "Certified by all parties"
        move_stage(session, actor, case, Stage.FINAL_ACCOUNTING, cause=cause, moment=moment)
    return certification


def approve_accounting(
    session: Session, actor: Actor, *, case_ref: str, moment: Moment
) -> FinalAccounting:
    """Approve the certified accounting as a second person and ask for the refund of the rest.

    The refund goes to the intended parent who was put on the case first and is a payee. With
    nothing left the case ends at once. Raises PreparerCannotApprove, AccountingOutdated,
    RefundPayeeMissing, NoAccounting, StageNotAllowed, CaseClosed, CaseOnHold, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_APPROVE_ACCOUNTING, locked=True)
    require_stage(case, Stage.FINAL_ACCOUNTING, *BEFORE_THE_JOURNEY)
    accounting = _locked_accounting(session, case)
    if accounting is None or accounting.state != AccountingState.CERTIFIED:
        raise NoAccounting("No certified accounting of this case waits for approval.")
    if actor.user_id is None or actor.user_id == accounting.prepared_by_user_id:
        raise PreparerCannotApprove(
            "You prepared this accounting. A second reviewer has to approve it."
        )
    _still_true(session, case, accounting)
    if case.stage == Stage.FINAL_ACCOUNTING:
        cause = "Accounting approved by a second reviewer"
        move_stage(session, actor, case, Stage.FINAL_DISBURSEMENT, cause=cause, moment=moment)
    accounting.state = AccountingState.APPROVED.value
    accounting.approved_on, accounting.approved_by = moment.today, actor.name
    _audit(session, actor, case, "closing.approved", accounting, moment=moment)
    if accounting.refund_cents > 0:
        refund = open_refund(
            session,
            actor,
            case=case,
            payee_id=_refund_payee(session, case),
            amount_cents=accounting.refund_cents,
            moment=moment,
        )
        accounting.refund_request_id = refund.id
    else:
        close_when_settled(session, actor, case, moment=moment)
    return accounting


def close_when_settled(session: Session, actor: Actor, case: Case, *, moment: Moment) -> bool:
    """End the case once its refund is paid, its ledger at 0.00 and nothing on its way.

    A journey that never began is cancelled instead of closed. The caller holds the case's lock
    and calls this whenever a payment of the case has settled; True when the case ended now.
    """
    accounting = accounting_of(session, case.id)
    if accounting is None or accounting.state != AccountingState.APPROVED:
        return False
    stage = Stage(case.stage)
    if stage is not Stage.FINAL_DISBURSEMENT and stage not in BEFORE_THE_JOURNEY:
        return False
    balance = ledger.balance_of(session, case.ledger_account_id)
    if balance.ledger_cents or balance.available_cents or open_requests_of(session, case.id):
        return False
    called_off = stage in BEFORE_THE_JOURNEY
    end = Stage.CANCELLED if called_off else Stage.CLOSED
    cause = "Everything settled; ledger at 0.00"
    move_stage(session, actor, case, end, cause=cause, moment=moment)
    _audit(session, actor, case, "closing.closed", accounting, moment=moment)
    return True


def withdraw_accounting(
    session: Session, actor: Actor, *, case_ref: str, reason: str, moment: Moment
) -> FinalAccounting:
    """Take the final accounting back for a late bill; the case stands before certification again.

    An unpaid refund is cancelled and its reservation released; a paid one stays, and what came in
    after it is accounted for anew. Raises RefundUnderWay while the refund is with the bank,
    NoAccounting, StageNotAllowed, Invalid without a reason, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_PROPOSE_ACCOUNTING, locked=True)
    require_stage(case, *_CLOSING_STAGES, *BEFORE_THE_JOURNEY)
    why = clean_text(reason, "reason", most=500)
    accounting = _locked_accounting(session, case)
    if accounting is None or AccountingState(accounting.state) not in _UNDER_WAY:
        raise NoAccounting("There is no final accounting to take back.")
    _cancel_refund(session, actor, accounting, reason=why, moment=moment)
    _withdraw(session, actor, case, accounting, reason=why, moment=moment)
    if case.stage in {Stage.FINAL_ACCOUNTING, Stage.FINAL_DISBURSEMENT}:
        cause = "Final accounting withdrawn"
        move_stage(session, actor, case, Stage.AWAITING_CLOSE_APPROVAL, cause=cause, moment=moment)
    return accounting


def reopen(session: Session, actor: Actor, *, case_ref: str, reason: str, moment: Moment) -> Case:
    """Reopen a closed case before certification, for a late bill or a correction.

    Raises Forbidden but for the controller, StageNotAllowed unless it is closed, Invalid without
    a reason, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_APPROVE_ACCOUNTING, locked=True)
    return reopen_on(session, actor, case, reason=reason, moment=moment)


def reopen_on(session: Session, actor: Actor, case: Case, *, reason: str, moment: Moment) -> Case:
    """Do the same for a payment that came back after the end; the caller holds the case's lock."""
    why = clean_text(reason, "reason", most=500)
    if case.stage != Stage.CLOSED:
        raise StageNotAllowed("Only a closed case is reopened.", from_stage=case.stage)
    accounting = _locked_accounting(session, case)
    if accounting is not None:
        _withdraw(session, actor, case, accounting, reason=why, moment=moment)
    cause = "Reopened"
    return move_stage(
        session, actor, case, Stage.AWAITING_CLOSE_APPROVAL, cause=cause, moment=moment
    )


def _nothing_under_way(session: Session, case: Case) -> None:
    accounting = _locked_accounting(session, case)
    if accounting is not None and AccountingState(accounting.state) in _UNDER_WAY:
        raise AccountingOpen(
            "A final accounting of this case is under way. Withdraw it first.",
            accounting=accounting.reference,
        )


def _ready(found: list[Obstacle]) -> None:
    if not found:
        return
    words = " ".join(obstacle.sentence for obstacle in found)
    codes = ",".join(obstacle.code for obstacle in found)
    raise NotReadyToClose(f"Before closing: {words}", obstacles=codes)


def _draw_up(
    session: Session,
    actor: Actor,
    case: Case,
    state: AccountingState,
    moment: Moment,
    *,
    reason: str = "",
) -> FinalAccounting:
    if actor.user_id is None:
        raise Forbidden("A person has to draw up the final accounting.")
    cancel_items(session, case.id)
    last = session.execute(
        select(func.max(FinalAccounting.number)).where(FinalAccounting.case_id == case.id)
    ).scalar_one()
    number = (last or 0) + 1
    sums = sums_of(session, case)
    accounting = FinalAccounting(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        number=number,
        state=state.value,
        deposits_cents=sums.deposits_cents,
        paid_cents=sums.paid_cents,
        refund_cents=sums.refund_cents,
        content_hash=sums.content_hash(case, number),
        prepared_on=moment.today,
        prepared_by_user_id=actor.user_id,
        prepared_by=actor.name,
        approved_on=None,
        approved_by="",
        refund_request_id=None,
    )
    session.add(accounting)
    session.flush()  # certifications refer to the row
    _audit(session, actor, case, "closing.sent", accounting, reason=reason, moment=moment)
    return accounting


def _locked_accounting(session: Session, case: Case) -> FinalAccounting | None:
    found = accounting_of(session, case.id)
    return None if found is None else lock(session, FinalAccounting, found.id)


def _still_true(session: Session, case: Case, accounting: FinalAccounting) -> None:
    requests = open_requests_of(session, case.id)
    current = sums_of(session, case).content_hash(case, accounting.number)
    if requests or current != accounting.content_hash:
        raise AccountingOutdated(
            "Requests or payments came in after this accounting was sent. "
            "SeedTrust has to withdraw it and send a new one.",
            open_requests=requests,
        )


def _own_party(actor: Actor, parties: list[CaseParty], party_ref: str | None) -> CaseParty:
    for party in certifiers_of(parties):
        is_own = actor.user_id is not None and party.user_id == actor.user_id
        if is_own and party_ref in {None, party.reference}:
            return party
    raise NotYourCertification("Each party certifies for itself, with its own login.")


def _refund_payee(session: Session, case: Case) -> int:
    found = session.execute(
        select(Payee.id)
        .join(CaseParty, CaseParty.id == Payee.party_id)
        .where(
            CaseParty.case_id == case.id,
            CaseParty.side == Side.RECIPIENT.value,
            CaseParty.role.in_((Role.INTENDED_PARENT.value, Role.IP_REPRESENTATIVE.value)),
        )
        .order_by(CaseParty.id)
        .limit(1)
    ).scalar_one_or_none()
    if found is None:
        raise RefundPayeeMissing(
            "No intended parent of this case is a payee. Record their bank details first."
        )
    return found


def _cancel_refund(
    session: Session,
    actor: Actor,
    accounting: FinalAccounting,
    *,
    reason: str,
    moment: Moment,
) -> None:
    if accounting.refund_request_id is None:
        return
    rows = lock_where(
        session,
        select(DisbursementRequest).where(DisbursementRequest.id == accounting.refund_request_id),
    )
    refund = rows[0]
    if may(refund, RequestEvent.CANCEL):
        move(session, actor, refund, RequestEvent.CANCEL, reason=reason, moment=moment)
        let_go(session, actor, refund, moment=moment)
    elif RequestState(refund.state) in OPEN_STATES:
        raise RefundUnderWay(
            "The refund is with the bank. Wait for its outcome.", request=refund.reference
        )


def _withdraw(
    session: Session,
    actor: Actor,
    case: Case,
    accounting: FinalAccounting,
    *,
    reason: str,
    moment: Moment,
) -> None:
    accounting.state = AccountingState.WITHDRAWN.value
    _audit(session, actor, case, "closing.withdrawn", accounting, reason=reason, moment=moment)


def _audit(
    session: Session,
    actor: Actor,
    case: Case,
    action: str,
    accounting: FinalAccounting,
    *,
    party: CaseParty | None = None,
    reason: str = "",
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "final_accounting",
        accounting.reference,
        case_id=case.id,
        reason=reason,
        facts={
            "number": accounting.number,
            "refund_cents": accounting.refund_cents,
            "content_hash": accounting.content_hash,
            "party": party.reference if party else None,
        },
        now=moment.at,
    )
