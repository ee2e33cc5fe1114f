"""What two people decide about a shortage: the company's advance, its way back, or the freeze.

An approved advance waits for the company's own transfer: the wire that names its reference, for
exactly its amount, makes the shortage good. A wire that somebody has to look at is given to it by
hand. One person proposes, another decides, and one decision of a kind is open at a time.
"""

from __future__ import annotations

import re
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
from seedtrust.domain.cases.checks import clean_text
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.moves import thaw
from seedtrust.domain.cases.states import SHORTAGE
from seedtrust.domain.disbursements.reservation import recheck_case
from seedtrust.domain.funding import clearing
from seedtrust.domain.funding.errors import (
    AdvanceDoesNotFit,
    DecisionOpen,
    NothingToRepay,
    ProposerCannotDecide,
)
from seedtrust.domain.funding.locks import locked_deposit
from seedtrust.domain.funding.models import Deposit, Shortage, ShortageDecision
from seedtrust.domain.funding.shortages import (
    ADVANCE_DUE_KIND,
    close_decision,
    cure,
    decision_exception,
    locked_shortage,
    nobody_waits,
    require_still_open,
)
from seedtrust.domain.funding.states import (
    DECISION_STEPS,
    UNIDENTIFIED_KIND,
    CureSource,
    DecisionKind,
    DecisionState,
    DepositState,
    ShortageState,
)
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.account_kinds import AccountKind, BookCode
from seedtrust.domain.ledger.service import TxnKind
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.terms.states import Category

_WORDS: Final = re.compile(r"[A-Z0-9]{15}")
_SENTENCES: Final = {
    DecisionKind.ADVANCE: "The company shall advance {amount} for a shortage.",
    DecisionKind.REPAYMENT: "A case shall repay {amount} that the company advanced.",
    DecisionKind.LIFT: "The freeze of a case shall be lifted although {amount} are missing.",
}


def propose(
    session: Session,
    actor: Actor,
    *,
    shortage_ref: str,
    kind: DecisionKind,
    reason: str,
    moment: Moment,
) -> ShortageDecision:
    """Propose an advance of all that is missing, the repayment of it, or to lift the freeze.

    Another person decides. Raises WrongState where there is nothing to advance or to lift,
    NothingToRepay, DecisionOpen while one of its kind is open, Invalid without a reason,
    NotFound and Forbidden.
    """
    actor.require(Permission.SHORTAGES_PROPOSE)
    case, shortage = locked_shortage(session, shortage_ref)
    why = clean_text(reason, "reason", most=500)
    cents = _amount_of(case, shortage, kind)
    if _open_of(session, shortage, kind):
        message = "This has been proposed already and waits. Decide or withdraw that first."
        raise DecisionOpen(message)
    row = ShortageDecision(
        id=new_id(),
        reference=new_reference(),
        shortage_id=shortage.id,
        kind=kind.value,
        open_kind=kind.value,
        state=DecisionState.PROPOSED.value,
        amount_cents=cents,
        reason=why,
        proposed_on=moment.today,
        proposed_by_user_id=actor.user_id,
        proposed_by=actor.name,
        decided_by="",
        transfer_ref="",
    )
    session.add(row)
    session.flush()
    sentence = _SENTENCES[kind].format(amount=f"${format_dollars(cents)}")
    open_exception(
        session,
        decision_exception(kind),
        "shortage",
        shortage.reference,
        f"{sentence} A second person has to decide.",
        case_id=case.id,
        occurrence=row.reference,
        now=moment.at,
    )
    _record(session, actor, "proposed", shortage, row, moment, reason=why)
    return row


def approve(
    session: Session, actor: Actor, *, decision_ref: str, moment: Moment
) -> ShortageDecision:
    """Decide as the second person: let the company advance, or lift the freeze.

    A repayment is approved where its transfer is ordered. Raises ProposerCannotDecide,
    WrongState, NotFound and Forbidden.
    """
    case, shortage, row = decision_for(session, actor, decision_ref)
    if row.kind == DecisionKind.ADVANCE:
        take_step(row, DecisionState.APPROVED)
        require_still_open(shortage)
        _decide(session, actor, shortage, row, moment)
        row.state = DecisionState.APPROVED.value
        open_exception(
            session,
            ADVANCE_DUE_KIND,
            "shortage",
            shortage.reference,
            f"Send {format_dollars(row.amount_cents)} from the operating account to the trust "
            f"account, with the reference {row.reference}.",
            case_id=case.id,
            occurrence=row.reference,
            now=moment.at,
        )
    elif row.kind == DecisionKind.LIFT:
        take_step(row, DecisionState.DONE)
        _decide(session, actor, shortage, row, moment)
        if not thaw(session, actor, case, because=SHORTAGE, reason=row.reason, moment=moment):
            message = f"Case {case.number} is not frozen any more."
            raise WrongState(message)
        close_decision(session, actor, shortage, row, DecisionState.DONE, moment=moment)
        recheck_case(session, actor, case, moment=moment)
    else:
        message = "A repayment is approved together with its transfer."
        raise WrongState(message)
    return row


def withdraw(
    session: Session, actor: Actor, *, decision_ref: str, reason: str, moment: Moment
) -> ShortageDecision:
    """Withdraw what was proposed, or an advance whose money has not come.

    Whoever may propose or decide may do it. Raises WrongState once it is done, Invalid without a
    reason, NotFound and Forbidden.
    """
    if not actor.may(Permission.SHORTAGES_DECIDE):
        actor.require(Permission.SHORTAGES_PROPOSE)
    _, shortage, row = _locked_decision(session, decision_ref)
    why = clean_text(reason, "reason", most=500)
    if row.open_kind is None:
        message = "This is done or withdrawn already."
        raise WrongState(message)
    close_decision(session, actor, shortage, row, DecisionState.WITHDRAWN, moment=moment)
    _record(session, actor, "withdrawn", shortage, row, moment, reason=why)
    return row


def decision_for(
    session: Session, actor: Actor, decision_ref: str
) -> tuple[Case, Shortage, ShortageDecision]:
    """Lock what waits for a second person, for one who may decide it.

    Lifting a freeze is decided by who may hold cases; money by who may decide on shortages.
    Raises ProposerCannotDecide, WrongState, NotFound and Forbidden.
    """
    case, shortage, row = _locked_decision(session, decision_ref)
    is_lift = row.kind == DecisionKind.LIFT
    actor.require(Permission.CASES_HOLD if is_lift else Permission.SHORTAGES_DECIDE)
    if row.state != DecisionState.PROPOSED:
        message = f"{row.decided_by or 'Somebody'} has decided this already, or it was withdrawn."
        raise WrongState(message)
    if actor.user_id is None or actor.user_id == row.proposed_by_user_id:
        message = "You proposed this yourself. Another person has to decide."
        raise ProposerCannotDecide(message)
    return case, shortage, row


def take_step(row: ShortageDecision, to: DecisionState) -> None:
    """Raise WrongState unless the decision may become this from where it stands."""
    if to not in DECISION_STEPS[DecisionState(row.state)]:
        message = "This is done or withdrawn already."
        raise WrongState(message)


def approve_repayment(
    session: Session,
    actor: Actor,
    case: Case,
    shortage: Shortage,
    row: ShortageDecision,
    *,
    transfer_ref: str,
    moment: Moment,
) -> None:
    """Note that a repayment is ordered; the caller has it from `decision_for` and books it."""
    _check_repayment(case, shortage, row.amount_cents)
    take_step(row, DecisionState.DONE)
    _decide(session, actor, shortage, row, moment)
    row.transfer_ref = transfer_ref
    shortage.repaid_cents += row.amount_cents
    close_decision(session, actor, shortage, row, DecisionState.DONE, moment=moment)


def case_of_repayment(session: Session, transfer_ref: str) -> Case:
    """Lock and return the case from which a transfer repays the company. Raises NotFound."""
    return _locked_decision(session, _decision_of(session, transfer_ref))[0]


def take_repayment_back(
    session: Session, actor: Actor, *, transfer_ref: str, moment: Moment
) -> None:
    """Undo a repayment that nobody made at the bank. Raises WrongState and NotFound."""
    decision_ref = _decision_of(session, transfer_ref)
    _, shortage, row = _locked_decision(session, decision_ref)
    take_step(row, DecisionState.WITHDRAWN)
    row.state = DecisionState.WITHDRAWN.value
    shortage.repaid_cents -= row.amount_cents
    _record(session, actor, "withdrawn", shortage, row, moment)


def named_advance(
    session: Session, trust_account_id: int, text: str, amount_cents: int
) -> tuple[Case, Shortage, ShortageDecision] | None:
    """Lock and return the approved advance that a wire's text names, if the amount is its own."""
    words = _WORDS.findall(text.upper())
    known = session.execute(
        select(ShortageDecision.id, Shortage.id, Case.id)
        .join(Shortage, Shortage.id == ShortageDecision.shortage_id)
        .join(Case, Case.id == Shortage.case_id)
        .where(
            ShortageDecision.reference.in_(words),
            ShortageDecision.open_kind == DecisionKind.ADVANCE.value,
            ShortageDecision.state == DecisionState.APPROVED.value,
            Case.trust_account_id == trust_account_id,
        )
    ).all()
    if len(known) != 1:
        return None
    decision_id, shortage_id, case_id = known[0]
    case, shortage = lock(session, Case, case_id), lock(session, Shortage, shortage_id)
    row = lock(session, ShortageDecision, decision_id)
    if case is None or shortage is None or row is None or not _fits(row, shortage, amount_cents):
        return None
    return case, shortage, row


def arrived(  # noqa: PLR0917 - which money makes which shortage good, as two people decided
    session: Session,
    actor: Actor,
    case: Case,
    shortage: Shortage,
    row: ShortageDecision,
    deposit: Deposit,
    moment: Moment,
) -> None:
    """Let an advance that has come make its shortage good; the caller has booked the money.

    The case's requests that had to wait are tried again.
    """
    take_step(row, DecisionState.DONE)
    close_decision(session, actor, shortage, row, DecisionState.DONE, moment=moment)
    _record(session, actor, "arrived", shortage, row, moment)
    source = CureSource.ADVANCE
    cure(session, actor, case, shortage, row.amount_cents, source, deposit, moment=moment)
    recheck_case(session, actor, case, moment=moment)


def match_advance(
    session: Session, actor: Actor, *, deposit_ref: str, decision_ref: str, moment: Moment
) -> Deposit:
    """Say that an unidentified deposit is the company's advance, effective on the day of matching.

    Raises AdvanceDoesNotFit for another amount or account, WrongState for a deposit that is
    matched or a decision that waits for no money, NotFound and Forbidden.
    """
    actor.require(Permission.DEPOSITS_MATCH)
    case, shortage, row = _locked_decision(session, decision_ref)
    known = session.execute(select(Deposit.id).where(Deposit.reference == deposit_ref))
    _, deposit = locked_deposit(session, known.scalar_one_or_none() or 0)
    if deposit.state != DepositState.UNIDENTIFIED or not clearing.is_collected(session, deposit):
        message = "Only collected money without a case can be the company's advance."
        raise WrongState(message)
    is_same_account = deposit.trust_account_id == case.trust_account_id
    if not is_same_account or not _fits(row, shortage, deposit.amount_cents):
        message = "An approved advance takes exactly its own amount, on its own trust account."
        raise AdvanceDoesNotFit(message)
    deposit.state = DepositState.COLLECTED.value
    deposit.matched_on, deposit.matched_by = moment.today, actor.name
    deposit.matched_at = moment.at
    close_exceptions_of(
        session, UNIDENTIFIED_KIND, deposit.reference, closed_by=actor.name, now=moment.at
    )
    ledger.transfer(
        session,
        actor,
        debit_account_id=chart.account_id(
            session, BookCode.TRUST, AccountKind.UNIDENTIFIED_RECEIPTS
        ),
        credit_account_id=chart.account_id(
            session, BookCode.TRUST, AccountKind.SHORTAGE_RECEIVABLE
        ),
        amount_cents=deposit.amount_cents,
        kind=TxnKind.SHORTAGE_CURE,
        key=f"match:{deposit.reference}",
        effective_on=moment.today,
        memo="The company's advance",
        category=Category.FUNDING.value,
        source_type="deposit",
        source_ref=deposit.reference,
        now=moment.at,
    )
    arrived(session, actor, case, shortage, row, deposit, moment)
    return deposit


def _amount_of(case: Case, shortage: Shortage, kind: DecisionKind) -> int:
    if kind is DecisionKind.REPAYMENT:
        cents = shortage.advanced_cents - shortage.repaid_cents
        _check_repayment(case, shortage, cents)
        return cents
    require_still_open(shortage)
    if kind is DecisionKind.LIFT and case.frozen_by != SHORTAGE:
        message = f"Case {case.number} is not frozen."
        raise WrongState(message)
    return shortage.amount_cents - shortage.cured_cents


def _check_repayment(case: Case, shortage: Shortage, cents: int) -> None:
    if cents <= 0 or cents > shortage.advanced_cents - shortage.repaid_cents:
        message = "The company has advanced nothing that is not repaid."
        raise NothingToRepay(message)
    if case.frozen_by:
        message = f"Case {case.number} is frozen. What is still missing comes before a repayment."
        raise NothingToRepay(message)


def _fits(row: ShortageDecision, shortage: Shortage, amount_cents: int) -> bool:
    return (
        row.kind == DecisionKind.ADVANCE
        and row.state == DecisionState.APPROVED
        and row.amount_cents == amount_cents
        and shortage.state == ShortageState.OPEN
        and amount_cents <= shortage.amount_cents - shortage.cured_cents
    )


def _open_of(session: Session, shortage: Shortage, kind: DecisionKind) -> bool:
    found = session.execute(
        select(ShortageDecision.id).where(
            ShortageDecision.shortage_id == shortage.id, ShortageDecision.open_kind == kind.value
        )
    )
    return found.first() is not None


def _locked_decision(session: Session, reference: str) -> tuple[Case, Shortage, ShortageDecision]:
    known = session.execute(
        select(Shortage.reference)
        .join(ShortageDecision, ShortageDecision.shortage_id == Shortage.id)
        .where(ShortageDecision.reference == reference)
    ).scalar_one_or_none()
    if known is None:
        message = "There is no such decision."
        raise NotFound(message)
    case, shortage = locked_shortage(session, known)
    [row] = lock_where(
        session, select(ShortageDecision).where(ShortageDecision.reference == reference)
    )
    return case, shortage, row


def _decision_of(session: Session, transfer_ref: str) -> str:
    found = session.execute(
        select(ShortageDecision.reference).where(ShortageDecision.transfer_ref == transfer_ref)
    ).scalar_one_or_none()
    return found or ""


def _decide(
    session: Session, actor: Actor, shortage: Shortage, row: ShortageDecision, moment: Moment
) -> None:
    row.decided_on, row.decided_by = moment.today, actor.name
    row.decided_by_user_id = actor.user_id
    nobody_waits(session, actor, shortage, DecisionKind(row.kind), moment=moment)
    _record(session, actor, "approved", shortage, row, moment)


def _record(  # noqa: PLR0917 - who took which step of which decision
    session: Session,
    actor: Actor,
    step: str,
    shortage: Shortage,
    row: ShortageDecision,
    moment: Moment,
    *,
    reason: str = "",
) -> None:
    record(
        session,
        actor,
        f"shortage.{row.kind}_{step}",
        "shortage",
        shortage.reference,
        case_id=shortage.case_id,
        reason=reason,
        facts={"decision": row.reference, "amount_cents": row.amount_cents},
        now=moment.at,
    )
