"""What a case's balance will be: today's money against everything that is known to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import previous_banking_day
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.states import ItemState

# Requests of these states have not left the ledger balance yet and will.
_COMING = (
    RequestState.SUBMITTED,
    RequestState.IN_REVIEW,
    RequestState.NEEDS_INFO,
    RequestState.PENDING_APPROVAL,
    RequestState.APPROVED,
    RequestState.READY,
    RequestState.INSUFFICIENT,
    RequestState.ON_HOLD,
    RequestState.RETURNED,
)


@dataclass(frozen=True)
class ForecastPoint:
    """The expected balance at the end of a day, and what moves it."""

    on: date
    balance_cents: int
    label: str
    is_past: bool


@dataclass(frozen=True)
class Shortfall:
    """What is missing up to a day: from when on, until when it has to be there, and the most.

    `first_cents` is missing on the first day, `most_cents` on the worst one.
    """

    on: date
    needed_by_on: date
    first_cents: int
    most_cents: int


@dataclass(frozen=True)
class Forecast:
    """Past balances, expected ones, and the first day below the minimum or zero."""

    points: tuple[ForecastPoint, ...]
    minimum_cents: int
    today: date
    shortfall_on: date | None
    shortfall_cents: int

    def until(self, last_day: date) -> Shortfall | None:
        """Return what is missing below the minimum from today to a day; None if nothing is.

        A day counts with the balance at its end. The money is needed on the banking day before it
        is missing, today at the latest.
        """
        ends = {point.on: point.balance_cents for point in self.points if not point.is_past}
        missing = {
            on: self.minimum_cents - cents
            for on, cents in ends.items()
            if on <= last_day and cents < self.minimum_cents
        }
        if not missing:
            return None
        first = min(missing)
        needed_by = max(self.today, previous_banking_day(first))
        return Shortfall(first, needed_by, missing[first], max(missing.values()))


def forecast_of(
    session: Session, case: Case, today: date, *, stands: Balance | None = None
) -> Forecast:
    """Return the course of a case's balance to its last dated item.

    Four queries, three for who knows already how the balance `stands`.
    """
    stands = stands or ledger_queries.balance_of(session, case.ledger_account_id)
    past = _past(session, case, today)
    balance = past[-1].balance_cents if past else 0
    points = list(past)
    points.append(ForecastPoint(today, balance, "Today", is_past=False))
    shortfall_on, shortfall = None, 0
    for on, cents, label in sorted(_coming(session, case, today, stands), key=lambda item: item[0]):
        balance -= cents
        points.append(ForecastPoint(on, balance, label, is_past=False))
        missing = case.minimum_balance_cents - balance
        if missing > 0 and shortfall_on is None:
            shortfall_on = on
        shortfall = max(shortfall, missing)
    return Forecast(
        tuple(points), case.minimum_balance_cents, today, shortfall_on, max(shortfall, 0)
    )


def _past(session: Session, case: Case, today: date) -> list[ForecastPoint]:
    # The newest of a long history, so that the last balance is today's.
    lines = ledger_queries.case_lines(
        session, case.ledger_account_id, limit=1000, newest_first=True
    )
    days: dict[date, ForecastPoint] = {}
    for line in reversed(lines):
        on = min(line.effective_on, today)
        label = (line.category or line.kind).replace("_", " ")
        days[on] = ForecastPoint(on, line.balance_cents, label, is_past=True)
    return [days[on] for on in sorted(days)]


def _coming(
    session: Session, case: Case, today: date, stands: Balance
) -> list[tuple[date, int, str]]:
    items = session.execute(
        select(ScheduleItem.due_on, ScheduleItem.amount_cents, ContractTerm.title)
        .join(ContractTerm, ContractTerm.id == ScheduleItem.term_id)
        .where(
            ScheduleItem.case_id == case.id,
            ScheduleItem.state == ItemState.PLANNED.value,
            ScheduleItem.due_on.is_not(None),
        )
    )
    requests = session.execute(
        select(DisbursementRequest).where(
            DisbursementRequest.case_id == case.id,
            DisbursementRequest.state.in_([state.value for state in _COMING]),
        )
    ).scalars()
    coming = [(max(due, today), cents, title) for due, cents, title in items if due is not None]
    in_runs = stands.reserved_cents
    for request in requests:
        cents = request.approved_cents or request.amount_cents
        coming.append((max(request.pay_on or today, today), cents, request.description))
        if request.state == RequestState.READY:
            in_runs -= cents
    # What is reserved beyond that lies in runs that the bank has not got yet.
    return [*coming, (today, in_runs, "Payments in a run")] if in_runs > 0 else coming
