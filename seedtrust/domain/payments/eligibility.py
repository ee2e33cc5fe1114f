"""Whether something due can be paid now, and the reason if not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.db import Base
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind, RequestState
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.queries import destinations
from seedtrust.domain.payees.views import Destination
from seedtrust.domain.payments.first_payments import beyond_first_payment
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.payments.states import ExceptionReason, InstructionState
from seedtrust.domain.terms.queries import money_out_allowed
from seedtrust.domain.terms.states import Category

Row = TypeVar("Row", bound=Base)

_DUPLICATE_DAYS: Final = timedelta(days=10)

_SENTENCES: Final = {
    ExceptionReason.NO_ACTIVE_ACCOUNT: "The payee has no approved bank account.",
    ExceptionReason.COOLING_OFF: "The payee's new bank account is still cooling off.",
    ExceptionReason.ACCOUNT_CHANGE_OPEN: "A change of the payee's bank account is undecided.",
    ExceptionReason.HOLD: "It is on hold.",
    ExceptionReason.INSUFFICIENT: "The case's available balance is too low.",
    ExceptionReason.DUPLICATE_SUSPICION: (
        "Another request of the same payee asks for the same amount within ten days, without a "
        "written reason."
    ),
    ExceptionReason.CASE_STAGE: "The case's stage does not allow this payment now.",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something cannot be paid now, as a code and a sentence."""

    reason: ExceptionReason
    sentence: str

    @classmethod
    def account_changed(cls) -> Obstacle:
        """Return the obstacle of a payment whose payee has another account by now."""
        sentence = "The payee has another bank account by now."
        return cls(ExceptionReason.ACCOUNT_CHANGE_OPEN, sentence)


@dataclass(frozen=True, slots=True)
class Payable:
    """Something that can be paid now, with where the money goes."""

    request: DisbursementRequest
    case: Case
    payee: Payee
    account: PayeeAccount


@dataclass(frozen=True, slots=True)
class Sorted:
    """Requests that can be paid, in their order, and those that cannot, by id."""

    payable: tuple[Payable, ...]
    obstacles: dict[int, Obstacle]


def sort_out(session: Session, requests: Sequence[DisbursementRequest]) -> Sorted:
    """Tell which requests can be paid now; the number of queries does not grow with them."""
    cases = _by_id(session, Case, {row.case_id for row in requests})
    payees = _by_id(session, Payee, {row.payee_id for row in requests})
    where = destinations(session, payees)
    account_ids = {row.account_id for row in where.values() if row.account_id is not None}
    accounts = _by_id(session, PayeeAccount, account_ids)
    doubtful = _suspected_duplicates(session, requests)
    came_back = paid_before(session, {row.id for row in requests})
    payable: list[Payable] = []
    obstacles: dict[int, Obstacle] = {}
    for request in requests:
        reason = _reason(
            request,
            cases[request.case_id],
            where[request.payee_id],
            is_doubtful=request.id in doubtful,
            pays_again=request.id in came_back,
        )
        account_id = where[request.payee_id].account_id
        if reason is not None or account_id is None:
            reason = reason or ExceptionReason.NO_ACTIVE_ACCOUNT
            obstacles[request.id] = Obstacle(reason, _sentence(reason, where[request.payee_id]))
            continue
        payable.append(
            Payable(request, cases[request.case_id], payees[request.payee_id], accounts[account_id])
        )
    beyond = beyond_first_payment(session, payable)
    for request_id, sentence in beyond.items():
        obstacles[request_id] = Obstacle(ExceptionReason.CAP, sentence)
    return Sorted(tuple(item for item in payable if item.request.id not in beyond), obstacles)


def _sentence(reason: ExceptionReason, where: Destination) -> str:
    if reason is ExceptionReason.NO_ACTIVE_ACCOUNT and where.blocked_because:
        return f"The payee's bank account is blocked. {where.blocked_because}"[:300]
    return _SENTENCES[reason]


def _reason(
    request: DisbursementRequest,
    case: Case,
    where: Destination,
    *,
    is_doubtful: bool,
    pays_again: bool,
) -> ExceptionReason | None:
    if request.state == RequestState.INSUFFICIENT:
        return ExceptionReason.INSUFFICIENT
    if request.state == RequestState.ON_HOLD or case.stage == Stage.ON_HOLD:
        return ExceptionReason.HOLD
    if not money_out_allowed(case, Category(request.category), pays_again=pays_again):
        return ExceptionReason.CASE_STAGE
    if where.cooling:
        return ExceptionReason.COOLING_OFF
    if where.change_open:
        return ExceptionReason.ACCOUNT_CHANGE_OPEN
    if where.account_id is None:
        return ExceptionReason.NO_ACTIVE_ACCOUNT
    if request.hold_id is None:
        return ExceptionReason.INSUFFICIENT
    return ExceptionReason.DUPLICATE_SUSPICION if is_doubtful else None


def _suspected_duplicates(session: Session, requests: Collection[DisbursementRequest]) -> set[int]:
    """Return requests that repeat an earlier live one without a reason.

    A second request of the same payee and amount within ten days needs a written reason. Asking
    for it happens when the request is made; this catches two that were made at the same time.
    """
    asked = [
        row for row in requests if row.kind == RequestKind.REQUEST and not row.duplicate_reason
    ]
    if not asked:
        return set()
    gone = (RequestState.DENIED.value, RequestState.CANCELLED.value, RequestState.DRAFT.value)
    others = session.execute(
        select(
            DisbursementRequest.id,
            DisbursementRequest.case_id,
            DisbursementRequest.payee_id,
            DisbursementRequest.amount_cents,
            DisbursementRequest.requested_on,
        ).where(
            DisbursementRequest.kind == RequestKind.REQUEST.value,
            DisbursementRequest.state.not_in(gone),
            DisbursementRequest.case_id.in_({row.case_id for row in asked}),
            DisbursementRequest.payee_id.in_({row.payee_id for row in asked}),
        )
    ).all()
    return {
        row.id
        for row in asked
        if any(
            other.id < row.id
            and (other.case_id, other.payee_id, other.amount_cents)
            == (row.case_id, row.payee_id, row.amount_cents)
            and row.requested_on - other.requested_on <= _DUPLICATE_DAYS
            for other in others
        )
    }


def paid_before(session: Session, request_ids: Collection[int]) -> set[int]:
    """Return the requests of which an earlier payment came back."""
    rows = session.execute(
        select(PaymentInstruction.request_id).where(
            PaymentInstruction.request_id.in_(request_ids),
            PaymentInstruction.state == InstructionState.RETURNED.value,
        )
    )
    return set(rows.scalars())


def _by_id(session: Session, model: type[Row], ids: Collection[int]) -> dict[int, Row]:
    key = model.id  # type: ignore[attr-defined]
    rows = session.execute(select(model).where(key.in_(ids))).scalars()
    return {row.id: row for row in rows}  # type: ignore[attr-defined]
