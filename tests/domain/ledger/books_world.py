"""A small set of books for tests: two cases, a trust account, and verbs with few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import chart, queries, service
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.ledger.service import (
    Leg,
    PostedTxn,
    Posting,
    TxnKind,
    credit,
    debit,
)

Result = TypeVar("Result")

NOW = datetime(2026, 1, 22, 15, 30, tzinfo=UTC)
DAY = date(2026, 1, 22)
CLERK = Actor.system("test")


@dataclass(frozen=True)
class World:
    """The accounts that tests post to, and the maker of units of work."""

    make_session: sessionmaker[Session]
    bank: int
    case: int
    other_case: int
    fees: int
    transit: int
    commitments: int
    operating_cash: int

    def do(self, work: Callable[[Session], Result]) -> Result:
        """Run work in one unit of work and commit it."""
        with self.make_session() as session, session.begin():
            return work(session)

    def post(self, posting: Posting) -> PostedTxn:
        """Post in a unit of its own."""
        return self.do(lambda session: service.post(session, CLERK, posting, now=NOW))

    def deposit(self, cents: int, key: str = "deposit", on: date = DAY) -> PostedTxn:
        """Put money on the first case."""
        return self.post(self.deposit_posting(cents, key, on))

    def deposit_posting(self, cents: int, key: str = "deposit", on: date = DAY) -> Posting:
        """Return a deposit to the first case."""
        return two_legs(self.bank, self.case, cents, key, kind=TxnKind.DEPOSIT, on=on)

    def spend(self, cents: int, key: str, on: date = DAY) -> PostedTxn:
        """Take a fee from the first case."""
        return self.post(self.spend_posting(cents, key, on))

    def spend_posting(self, cents: int, key: str, on: date = DAY) -> Posting:
        """Return a fee on the first case."""
        return two_legs(self.case, self.fees, cents, key, kind=TxnKind.FEE, on=on)

    def reserve(self, cents: int, key: str = "hold") -> int:
        """Hold money of the first case."""
        return self.do(
            lambda session: service.reserve(
                session,
                CLERK,
                self.case,
                cents,
                key=key,
                effective_on=DAY,
                source_type="request",
                source_ref="R1",
                now=NOW,
            )
        )

    def capture(self, hold: int, cents: int | None = None, key: str = "capture") -> PostedTxn:
        """Send held money off by ACH."""
        return self.do(
            lambda session: service.capture(
                session,
                CLERK,
                hold,
                amount_cents=cents,
                key=key,
                effective_on=DAY,
                credit_account_id=self.transit,
                kind=TxnKind.DISBURSEMENT,
                category="legal",
                memo="Attorney",
                source_type="payment",
                source_ref="P1",
                now=NOW,
            )
        )

    def release(self, hold: int, cents: int | None = None, key: str = "release") -> PostedTxn:
        """Give held money back."""
        return self.do(
            lambda session: service.release_hold(
                session, CLERK, hold, amount_cents=cents, key=key, now=NOW
            )
        )

    def reverse(self, txn_id: int, key: str = "reverse") -> PostedTxn:
        """Write the mirror of a transaction."""
        return self.do(
            lambda session: service.reverse(
                session,
                CLERK,
                txn_id,
                key=key,
                effective_on=DAY,
                memo="Failed at the bank",
                kind=TxnKind.RETURN,
                now=NOW,
            )
        )

    def balance(self, account_id: int | None = None) -> Balance:
        """Return the figures of an account, the first case without one."""
        return self.do(lambda session: queries.balance_of(session, account_id or self.case))


def two_legs(
    debited: int,
    credited: int,
    cents: int,
    key: str,
    *,
    kind: str = TxnKind.MATCH,
    on: date = DAY,
) -> Posting:
    """Return a posting of two legs."""
    return Posting(kind, key, on, (debit(debited, cents), credit(credited, cents)))


def legs(*sides: Leg, key: str = "legs") -> Posting:
    """Return a posting of any legs."""
    return Posting(TxnKind.CORRECTION, key, DAY, sides)


def open_world(make_session: sessionmaker[Session]) -> World:
    """Open both books, a trust account and two cases."""
    with make_session() as session, session.begin():
        chart.open_books(session, NOW)
        bank = chart.open_trust_account(session, "main", NOW)
        case = chart.open_case_account(session, 1, NOW)
        other_case = chart.open_case_account(session, 2, NOW)
        transit = chart.in_transit_code("ach", "out")
        trust = chart.account_ids(session, "trust", ["fees_payable", transit, "commitments"])
        cash = chart.account_id(session, "operating", "operating_cash")
    return World(
        make_session,
        bank,
        case,
        other_case,
        trust["fees_payable"],
        trust[transit],
        trust["commitments"],
        cash,
    )


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile, transaction control apart."""
    sent: list[str] = []

    def note(*call: object) -> None:
        if call[2] not in {"BEGIN", "BEGIN IMMEDIATE"}:
            sent.append(str(call[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)
