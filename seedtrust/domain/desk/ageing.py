"""How long requests, deposits without a case and payments of unknown outcome have been waiting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import CompoundSelect, func, literal, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import SelectBase

from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.payments.states import UNCLEAR_STATES

# Nobody has decided on these, or something stands in their way.
WAITING_REQUESTS: Final = (
    RequestState.SUBMITTED,
    RequestState.IN_REVIEW,
    RequestState.NEEDS_INFO,
    RequestState.PENDING_APPROVAL,
    RequestState.INSUFFICIENT,
    RequestState.ON_HOLD,
    RequestState.RETURNED,
    RequestState.DISPUTED,
)
# The first day of age that is too old for each bucket but the last, which is open.
_BOUNDS_DAYS: Final = (1, 3, 8)


class Ages(StrEnum):
    """What ages, in the order in which it is shown."""

    REQUEST = "request"
    DEPOSIT = "deposit"
    PAYMENT = "payment"


@dataclass(frozen=True)
class Bucket:
    """So many things of one age, and their sum in cents."""

    count: int = 0
    cents: int = 0


@dataclass(frozen=True)
class Ageing:
    """One kind by age in business days of the calendar: today, 1 to 2 days, 3 to 7, older."""

    kind: Ages
    buckets: tuple[Bucket, ...]

    @property
    def count(self) -> int:
        """Return how many wait altogether."""
        return sum(bucket.count for bucket in self.buckets)


def ageing(session: Session, today: date) -> list[Ageing]:
    """Return what waits by age on a business day, kinds without anything too. One query.

    A request ages from the day on which it was asked for, a deposit from the day on which it was
    received, a payment of unknown outcome from the day on which it was to settle.
    """
    everything: CompoundSelect[str, date, int, int | None] = union_all(
        _requests(), _deposits(), _payments()
    )
    rows = [(kind, on, count, cents or 0) for kind, on, count, cents in session.execute(everything)]
    return [_by_age(kind, (row[1:] for row in rows if row[0] == kind), today) for kind in Ages]


def _by_age(kind: Ages, days: Iterable[tuple[date, int, int]], today: date) -> Ageing:
    counts, sums = [0] * (len(_BOUNDS_DAYS) + 1), [0] * (len(_BOUNDS_DAYS) + 1)
    for on, count, cents in days:
        age = (today - on).days
        place = sum(1 for bound in _BOUNDS_DAYS if age >= bound)
        counts[place] += count
        sums[place] += int(cents)
    return Ageing(
        kind, tuple(Bucket(count, cents) for count, cents in zip(counts, sums, strict=True))
    )


def _requests() -> SelectBase:
    row = DisbursementRequest
    amount = func.coalesce(row.approved_cents, row.amount_cents)
    return (
        select(literal(Ages.REQUEST.value), row.requested_on, func.count(), func.sum(amount))
        .where(row.state.in_([state.value for state in WAITING_REQUESTS]))
        .group_by(row.requested_on)
    )


def _deposits() -> SelectBase:
    row = Deposit
    return (
        select(
            literal(Ages.DEPOSIT.value), row.received_on, func.count(), func.sum(row.amount_cents)
        )
        .where(row.state == DepositState.UNIDENTIFIED.value)
        .group_by(row.received_on)
    )


def _payments() -> SelectBase:
    row = PaymentInstruction
    return (
        select(
            literal(Ages.PAYMENT.value), row.effective_on, func.count(), func.sum(row.amount_cents)
        )
        .where(row.state.in_([state.value for state in UNCLEAR_STATES]))
        .group_by(row.effective_on)
    )
