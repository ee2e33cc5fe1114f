"""What waits for whom: one query that counts, sums and dates everything that is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import CompoundSelect, func, literal, null, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import SelectBase

from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import OPEN_STATES
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.states import OPEN_CHANGE
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction
from seedtrust.domain.payments.states import (
    IN_FLIGHT_STATES,
    UNCLEAR_STATES,
    UNDECIDED_CORRECTIONS,
)
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine

REQUESTS: Final = "request"
ACCOUNTS: Final = "account"
DEPOSITS: Final = "deposit"
PAYMENTS: Final = "payment"
EXCEPTIONS: Final = "exception"
CASES: Final = "case"
OUTBOX: Final = "outbox"
LINES: Final = "line"
STATEMENTS: Final = "statement"
CORRECTIONS: Final = "correction"


@dataclass(frozen=True)
class Pile:
    """So many things of a kind in a state, their sum in cents, and since when the oldest waits.

    For bank statements `first_on` is the day of the latest.
    """

    count: int = 0
    cents: int = 0
    since_at: datetime | None = None
    first_on: date | None = None


@dataclass(frozen=True)
class Worklist:
    """Every pile by its kind and state."""

    piles: dict[tuple[str, str], Pile]

    def of(self, kind: str, *states: str) -> Pile:
        """Return what lies in the named states together."""
        found = [self.piles[kind, state] for state in states if (kind, state) in self.piles]
        since = [pile.since_at for pile in found if pile.since_at is not None]
        days = [pile.first_on for pile in found if pile.first_on is not None]
        return Pile(
            sum(pile.count for pile in found),
            sum(pile.cents for pile in found),
            min(since, default=None),
            min(days, default=None),
        )

    def each(self, kind: str) -> Iterator[tuple[str, Pile]]:
        """Give the piles of one kind, the largest first."""
        found = [(state, pile) for (name, state), pile in self.piles.items() if name == kind]
        yield from sorted(found, key=lambda item: (-item[1].count, item[0]))


def worklist(session: Session) -> Worklist:
    """Return what is open in the whole house. One query, whatever there is."""
    everything: CompoundSelect[str, str, int, int | None, datetime | None, date | None] = union_all(
        _requests(),
        _accounts(),
        _deposits(),
        _payments(),
        _exceptions(),
        _cases(),
        _outbox(),
        _lines(),
        _statements(),
        _corrections(),
    )
    return Worklist(
        {
            (kind, state): Pile(count, int(cents or 0), since_at, first_on)
            for kind, state, count, cents, since_at, first_on in session.execute(everything)
        }
    )


def _requests() -> SelectBase:
    row = DisbursementRequest
    return (
        select(
            literal(REQUESTS).label("kind"),
            row.state.label("state"),
            func.count().label("count"),
            func.sum(func.coalesce(row.approved_cents, row.amount_cents)).label("cents"),
            func.min(row.state_since_at).label("since_at"),
            func.min(row.pay_on).label("first_on"),
        )
        .where(row.state.in_([state.value for state in OPEN_STATES]))
        .group_by(row.state)
    )


def _accounts() -> SelectBase:
    row = PayeeAccount
    return (
        select(
            literal(ACCOUNTS), row.state, func.count(), null(), func.min(row.submitted_at), null()
        )
        .where(row.state.in_([state.value for state in OPEN_CHANGE]))
        .group_by(row.state)
    )


def _deposits() -> SelectBase:
    row = Deposit
    return (
        select(
            literal(DEPOSITS),
            row.state,
            func.count(),
            func.sum(row.amount_cents),
            null(),
            func.min(row.received_on),
        )
        .where(row.state == DepositState.UNIDENTIFIED.value)
        .group_by(row.state)
    )


def _payments() -> SelectBase:
    row = PaymentInstruction
    states = [state.value for state in (*IN_FLIGHT_STATES, *UNCLEAR_STATES)]
    return (
        select(
            literal(PAYMENTS),
            row.state,
            func.count(),
            func.sum(row.amount_cents),
            func.min(row.state_since_at),
            null(),
        )
        .where(row.state.in_(states))
        .group_by(row.state)
    )


def _exceptions() -> SelectBase:
    row = ExceptionItem
    return (
        select(literal(EXCEPTIONS), row.kind, func.count(), null(), func.min(row.opened_at), null())
        .where(row.closed_at.is_(None))
        .group_by(row.kind)
    )


def _cases() -> SelectBase:
    waiting = (Stage.AWAITING_CLOSE_APPROVAL.value, Stage.FINAL_ACCOUNTING.value)
    return (
        select(
            literal(CASES), Case.stage, func.count(), null(), null(), func.min(Case.stage_since_on)
        )
        .where(Case.stage.in_(waiting))
        .group_by(Case.stage)
    )


def _outbox() -> SelectBase:
    row = OutboxMessage
    parked = select(
        literal(OUTBOX), literal("parked"), func.count(), null(), func.min(row.parked_at), null()
    )
    return parked.where(row.done_at.is_(None), row.parked_at.is_not(None))


def _lines() -> SelectBase:
    row = BankStatementLine
    return (
        select(
            literal(LINES),
            row.status,
            func.count(),
            func.sum(row.amount_cents),
            null(),
            func.min(row.as_of_on),
        )
        .where(row.status == "unmatched")
        .group_by(row.status)
    )


def _statements() -> SelectBase:
    row = BankStatement
    return select(
        literal(STATEMENTS),
        literal("current"),
        func.count(row.current_on),
        null(),
        func.max(row.imported_at),
        func.max(row.current_on),
    )


def _corrections() -> SelectBase:
    row = AccountCorrection
    return (
        select(literal(CORRECTIONS), row.state, func.count(), null(), null(), func.min(row.due_on))
        .where(row.state.in_([state.value for state in UNDECIDED_CORRECTIONS]))
        .group_by(row.state)
    )
