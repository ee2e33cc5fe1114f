"""Notifications of change for staff: the list, and one with old and new side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.corrections import is_applicable
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction
from seedtrust.domain.payments.states import (
    CORRECTION_LABELS,
    CORRECTION_TONES,
    UNDECIDED_CORRECTIONS,
    CorrectionState,
)
from seedtrust.formats.nacha import CHANGE_CODES

_MOST = 200


@dataclass(frozen=True)
class CorrectionLine:
    """One notification of change in a list."""

    reference: str
    payee_name: str
    case_ref: str
    case_number: int
    code: str
    meaning: str
    received_on: date
    due_on: date
    label: str
    tone: str
    is_late: bool


@dataclass(frozen=True)
class Details:
    """The parts of an account that a notification speaks of, masked."""

    masked_number: str
    routing_number: str
    account_type: AccountType
    holder_name: str


@dataclass(frozen=True)
class CorrectionDetail:
    """One notification with what is on file and what the bank says, and what may be done."""

    line: CorrectionLine
    before: Details
    after: Details
    payee_ref: str
    account_ref: str
    payment_ref: str
    is_applicable: bool
    is_aligned: bool
    reason: str
    noted_on: date
    proposed_by: str
    proposed_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    may_propose: bool
    may_apply: bool
    may_set_aside: bool
    own_hand: bool


def correction_list(
    session: Session, actor: Actor, *, waiting: bool, today: date
) -> list[CorrectionLine]:
    """Return notifications, what is due first; all, or those that wait. One query."""
    actor.require(Permission.PAYEES_VIEW)
    query = (
        select(AccountCorrection, Payee.name, Case)
        .join(Payee, Payee.id == AccountCorrection.payee_id)
        .join(Case, Case.id == AccountCorrection.case_id)
        .limit(_MOST)
    )
    if waiting:
        states = tuple(state.value for state in UNDECIDED_CORRECTIONS)
        query = query.where(AccountCorrection.state.in_(states)).order_by(
            AccountCorrection.due_on, AccountCorrection.id
        )
    else:
        query = query.order_by(AccountCorrection.id.desc())
    return [_line(row, name, case, today) for row, name, case in session.execute(query)]


def correction_detail(
    session: Session, actor: Actor, reference: str, *, today: date
) -> CorrectionDetail:
    """Return one notification of change. Raises NotFound."""
    actor.require(Permission.PAYEES_VIEW)
    found = session.execute(
        select(AccountCorrection, Payee, Case, PayeeAccount, PaymentInstruction.reference)
        .join(Payee, Payee.id == AccountCorrection.payee_id)
        .join(Case, Case.id == AccountCorrection.case_id)
        .join(PayeeAccount, PayeeAccount.id == AccountCorrection.payee_account_id)
        .join(PaymentInstruction, PaymentInstruction.id == AccountCorrection.instruction_id)
        .where(AccountCorrection.reference == reference)
    ).one_or_none()
    if found is None:
        message = "There is no such notification of change."
        raise NotFound(message)
    row, payee, case, account, payment_ref = found
    state = CorrectionState(row.state)
    checks, approves = actor.may(Permission.PAYEES_CHECK), actor.may(Permission.PAYEES_APPROVE)
    proposed, own = state is CorrectionState.PROPOSED, row.proposed_by_user_id == actor.user_id
    return CorrectionDetail(
        line=_line(row, payee.name, case, today),
        before=_before(account),
        after=_after(row, account),
        payee_ref=payee.reference,
        account_ref=account.reference,
        payment_ref=payment_ref,
        is_applicable=is_applicable(row),
        is_aligned=row.is_aligned,
        reason=row.reason,
        noted_on=row.noted_on,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        may_propose=checks and state is CorrectionState.OPEN and is_applicable(row),
        may_apply=approves and proposed and not own,
        may_set_aside=approves and state in UNDECIDED_CORRECTIONS,
        own_hand=proposed and own,
    )


def _before(account: PayeeAccount) -> Details:
    return Details(
        masked(account.last_four),
        account.routing_number,
        AccountType(account.account_type),
        account.holder_name,
    )


def _after(row: AccountCorrection, account: PayeeAccount) -> Details:
    return Details(
        masked(row.last_four or account.last_four),
        row.routing_number or account.routing_number,
        AccountType(row.account_type or account.account_type),
        row.name or account.holder_name,
    )


def _line(row: AccountCorrection, payee_name: str, case: Case, today: date) -> CorrectionLine:
    state = CorrectionState(row.state)
    meaning = CHANGE_CODES.get(row.change_code)
    return CorrectionLine(
        reference=row.reference,
        payee_name=payee_name,
        case_ref=case.reference,
        case_number=case.number,
        code=row.change_code,
        meaning="The bank gave a code that is not in our table."
        if meaning is None
        else meaning.meaning,
        received_on=row.received_on,
        due_on=row.due_on,
        label=CORRECTION_LABELS[state],
        tone=CORRECTION_TONES[state],
        is_late=state in UNDECIDED_CORRECTIONS and row.due_on <= today,
    )
