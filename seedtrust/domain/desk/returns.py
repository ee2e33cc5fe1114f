"""What came back, for staff: the list, what happens next, and the rates that banks watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reissue import why_not_payable
from seedtrust.domain.disbursements.states import STATE_LABELS as REQUEST_LABELS
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payees.states import STATE_LABELS, AccountState
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.payments.return_codes import ReturnReason, reason_of
from seedtrust.domain.payments.states import InstructionState, Rail
from seedtrust.formats.nacha import Rate

DAYS: Final = 60
_RETURNED: Final = PaymentInstruction.state == InstructionState.RETURNED.value


@dataclass(frozen=True)
class ReturnLine:
    """One payment that came back, and where its request stands now."""

    reference: str
    payee_name: str
    masked_number: str
    case_ref: str
    case_number: int
    returned_on: date | None
    code: str
    meaning: str
    amount_cents: int
    request_ref: str
    request_label: str
    is_settled: bool


@dataclass(frozen=True)
class ReturnTable:
    """One page of returns, and count and sum of all of them."""

    rows: tuple[ReturnLine, ...]
    count: int
    total_cents: int


@dataclass(frozen=True)
class AfterReturn:
    """What follows from one return: its reason, the account, and the payment that replaced it."""

    reason: ReturnReason
    account_ref: str
    account_label: str
    is_blocked: bool
    waits_for: str
    request_label: str
    came_to_case: bool
    replaced_by: str


@dataclass(frozen=True)
class Meter:
    """One return rate over sixty days: how many of how many, and the network's limit in percent."""

    name: str
    count: int
    of: int
    limit_percent: float

    @property
    def percent(self) -> float:
        """Return the rate in percent; zero while nothing was sent."""
        return 100 * self.count / self.of if self.of else 0.0

    @property
    def tone(self) -> str:
        """Return how worrying it is: half the limit warns, the limit is bad."""
        if not self.count:
            return "ok"
        if self.percent >= self.limit_percent:
            return "bad"
        return "warn" if self.percent * 2 >= self.limit_percent else "ok"


def return_table(
    session: Session, actor: Actor, *, waiting: bool, page: int = 1, per_page: int = 50
) -> ReturnTable:
    """Return a page of what came back, the newest first; all, or what still waits. Two queries."""
    actor.require(Permission.RUNS_VIEW)
    row = PaymentInstruction
    conditions = [_RETURNED]
    if waiting:
        conditions.append(DisbursementRequest.state == RequestState.RETURNED.value)
    base = (
        select(row, Case, DisbursementRequest)
        .join(Case, Case.id == row.case_id)
        .join(DisbursementRequest, DisbursementRequest.id == row.request_id)
        .where(*conditions)
        .order_by(row.returned_on.desc(), row.id.desc())
    )
    found = session.execute(base.limit(per_page).offset((page - 1) * per_page))
    count, total = session.execute(
        select(func.count(), func.sum(row.amount_cents))
        .select_from(row)
        .join(DisbursementRequest, DisbursementRequest.id == row.request_id)
        .where(*conditions)
    ).one()
    return ReturnTable(
        tuple(_line(payment, case, request) for payment, case, request in found),
        count,
        int(total or 0),
    )


def after_return(session: Session, actor: Actor, reference: str) -> AfterReturn | None:
    """Return what follows from a payment's return; None if it did not come back."""
    actor.require(Permission.RUNS_VIEW)
    found = session.execute(
        select(PaymentInstruction, DisbursementRequest, PayeeAccount)
        .join(DisbursementRequest, DisbursementRequest.id == PaymentInstruction.request_id)
        .join(PayeeAccount, PayeeAccount.id == PaymentInstruction.payee_account_id)
        .where(PaymentInstruction.reference == reference, _RETURNED)
    ).one_or_none()
    if found is None:
        return None
    payment, request, account = found
    waits = request.state == RequestState.RETURNED
    newer = session.execute(
        select(PaymentInstruction.reference)
        .where(PaymentInstruction.replaces_id == payment.id)
        .order_by(PaymentInstruction.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return AfterReturn(
        reason=reason_of(payment.return_code),
        account_ref=account.reference,
        account_label=STATE_LABELS[AccountState(account.state)],
        is_blocked=account.state == AccountState.BLOCKED.value,
        waits_for=why_not_payable(session, request.payee_id) if waits else "",
        request_label=REQUEST_LABELS[RequestState(request.state)],
        came_to_case=payment.returned_to_case,
        replaced_by=newer or "",
    )


def return_rates(session: Session, today: date) -> tuple[Meter, ...]:
    """Return the three rates over the last sixty days. One query.

    The network measures debits of an originator (Nacha rules on return-rate levels); we send
    credits, so ours are watched by the same yardstick, and every figure names its numerator.
    """
    since = today - timedelta(days=DAYS)
    row = PaymentInstruction
    ach = row.rail == Rail.ACH.value
    both = union_all(
        select(literal("").label("code"), func.count().label("count")).where(
            ach, row.settled_on >= since
        ),
        select(row.return_code, func.count())
        .where(ach, row.returned_on >= since, _RETURNED)
        .group_by(row.return_code),
    )
    sent = 0
    codes: dict[str, int] = {}
    for code, count in session.execute(both):
        if code:
            codes[code] = count
        else:
            sent = count
    return (
        Meter("Unauthorised", _of_rate(codes, Rate.UNAUTHORISED), sent, 0.5),
        Meter("Administrative", _of_rate(codes, Rate.ADMINISTRATIVE), sent, 3),
        Meter("Overall", sum(codes.values()), sent, 15),
    )


def _of_rate(codes: Mapping[str, int], rate: Rate) -> int:
    return sum(count for code, count in codes.items() if reason_of(code).rate is rate)


def _line(row: PaymentInstruction, case: Case, request: DisbursementRequest) -> ReturnLine:
    state = RequestState(request.state)
    reason = reason_of(row.return_code)
    return ReturnLine(
        row.reference,
        row.payee_name,
        masked(row.last_four),
        case.reference,
        case.number,
        row.returned_on,
        row.return_code,
        reason.meaning,
        row.amount_cents,
        request.reference,
        REQUEST_LABELS[state],
        state is not RequestState.RETURNED,
    )
