"""Bank details that wait, beside those on file; numbers by their last four only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reissue import why_not_payable
from seedtrust.domain.disbursements.reservation import amount_to_pay
from seedtrust.domain.disbursements.states import STATE_LABELS, STATE_TONES, RequestState
from seedtrust.domain.payees.models import AccountUnblock, Payee, PayeeAccount
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payees.states import AccountState

_MOST: Final = 50
_WAITING: Final = (
    RequestState.APPROVED,
    RequestState.READY,
    RequestState.INSUFFICIENT,
    RequestState.ON_HOLD,
    RequestState.RETURNED,
)


def on_file(session: Session, actor: Actor, payee_refs: Collection[str]) -> dict[str, str]:
    """Return the masked number of the active account of several payees, by payee. One query."""
    actor.require(Permission.PAYEES_VIEW)
    rows = session.execute(
        select(Payee.reference, PayeeAccount.last_four)
        .join(Payee, Payee.id == PayeeAccount.payee_id)
        .where(Payee.reference.in_(payee_refs), PayeeAccount.state == AccountState.ACTIVE.value)
    )
    return {reference: masked(last_four) for reference, last_four in rows}


def payee_of_account(session: Session, actor: Actor, account_ref: str) -> str:
    """Return the reference of the payee whose account it is. Raises NotFound."""
    actor.require(Permission.PAYEES_VIEW)
    found = session.execute(
        select(Payee.reference)
        .join(PayeeAccount, PayeeAccount.payee_id == Payee.id)
        .where(PayeeAccount.reference == account_ref)
    ).scalar_one_or_none()
    if found is None:
        message = "There is no such bank account."
        raise NotFound(message)
    return found


@dataclass(frozen=True)
class HeldPayment:
    """A payment of a payee that waits, in cents, and where its request stands."""

    request_ref: str
    case_ref: str
    case_number: int
    category: str
    amount_cents: int
    label: str
    tone: str


Held = tuple[str, list[HeldPayment]]


def held_payments(session: Session, actor: Actor, payee_ref: str) -> Held:
    """Return why a payee is not paid now, and what waits for that; empty while it can be paid."""
    actor.require(Permission.PAYEES_VIEW)
    payee_id = session.execute(
        select(Payee.id).where(Payee.reference == payee_ref)
    ).scalar_one_or_none()
    why = "" if payee_id is None else why_not_payable(session, payee_id)
    if not why:
        return "", []
    rows = session.execute(
        select(DisbursementRequest, Case.reference, Case.number)
        .join(Case, Case.id == DisbursementRequest.case_id)
        .where(
            DisbursementRequest.payee_id == payee_id,
            DisbursementRequest.state.in_([state.value for state in _WAITING]),
        )
        .order_by(DisbursementRequest.id)
        .limit(_MOST)
    )
    return why, [
        HeldPayment(
            row.reference,
            case_ref,
            number,
            row.category,
            amount_to_pay(row),
            STATE_LABELS[RequestState(row.state)],
            STATE_TONES[RequestState(row.state)],
        )
        for row, case_ref, number in rows
    ]


def open_question(session: Session, actor: Actor, account_ref: str) -> tuple[str, str, bool]:
    """Return who asked to use a blocked account again, why, and whether it was the reader."""
    actor.require(Permission.PAYEES_VIEW)
    row = session.execute(
        select(AccountUnblock)
        .join(PayeeAccount, PayeeAccount.id == AccountUnblock.open_account_id)
        .where(PayeeAccount.reference == account_ref)
    ).scalar_one_or_none()
    if row is None:
        return "", "", False
    return row.asked_by, row.reason, row.asked_by_user_id == actor.user_id
