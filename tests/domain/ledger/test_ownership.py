"""Whose money it is: the same answer from sums by day as from every entry ever written."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, literal, select, text, union_all
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.ledger import chart, check, ownership
from seedtrust.domain.ledger.account_kinds import AccountKind, BookCode
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit
from tests.domain.ledger.books_world import DAY, NOW, World, open_world, two_legs
from tests.support.databases import on_both_databases

OURS, THEIRS = 71, 72
Sums = dict[tuple[int, AccountKind], int]
DAYS = [DAY + timedelta(days=number) for number in range(-4, 5)]

# The whole answer, from every entry, without any sum kept on the way.
FULL = """
    WITH owned AS (SELECT account_id, owner FROM ({owned}) o),
    whose AS (
        SELECT t.id AS txn_id, COALESCE(
            (SELECT MIN(o.owner) FROM ledger_entry s JOIN owned o ON o.account_id = s.account_id
             WHERE s.txn_id = t.id AND s.layer = 0),
            (SELECT MIN(o.owner) FROM ledger_txn c
             JOIN ledger_entry s ON s.txn_id = c.id AND s.layer = 0
             JOIN owned o ON o.account_id = s.account_id
             WHERE c.source_type = t.source_type AND c.source_ref = t.source_ref
             AND c.source_ref <> '' AND c.book_id = t.book_id), 0) AS owner
        FROM ledger_txn t
    )
    SELECT COALESCE(o.owner, w.owner) AS owner, a.kind,
           SUM(a.normal_side * e.side * e.amount_cents) AS cents
    FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    JOIN whose w ON w.txn_id = e.txn_id LEFT JOIN owned o ON o.account_id = e.account_id
    WHERE e.layer = 0 AND e.effective_on <= :on_day
    GROUP BY 1, 2
"""


class Pots:
    """Books of two trust accounts, with a case each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cash = world.do(lambda s: chart.open_trust_account(s, "other", NOW))
        self.accounts = {
            world.bank: OURS,
            world.case: OURS,
            self.cash: THEIRS,
            world.other_case: THEIRS,
        }
        self.unidentified = world.do(
            lambda s: chart.account_id(s, BookCode.TRUST, AccountKind.UNIDENTIFIED_RECEIPTS)
        )
        self.posted = 0

    def owned(self) -> Select[int, int]:
        """Return which account belongs to whom."""
        rows = union_all(
            *(
                select(literal(account).label("account_id"), literal(owner).label("owner"))
                for account, owner in self.accounts.items()
            )
        ).subquery()
        return select(rows.c[0], rows.c[1])

    def post(self, shape: int, cents: int, on: date) -> None:
        """Post one of the movements that a trust account knows."""
        self.posted += 1
        key, world = f"p{self.posted}", self.world
        moves: list[Callable[[], Posting]] = [
            lambda: two_legs(world.bank, world.case, cents, key, on=on),
            lambda: two_legs(self.cash, world.other_case, cents, key, on=on),
            lambda: two_legs(world.bank, self.unidentified, cents, key, on=on),
            lambda: two_legs(self.cash, self.unidentified, cents, key, on=on),
            lambda: two_legs(world.transit, world.bank, cents, key, on=on),
            lambda: two_legs(self.unidentified, world.transit, cents, key, on=on),
            lambda: self._sent_back(cents, key, on),
        ]
        world.post(moves[shape % len(moves)]())

    def _sent_back(self, cents: int, key: str, on: date) -> Posting:
        received = Posting(
            TxnKind.DEPOSIT,
            f"in {key}",
            on,
            (debit(self.cash, cents), credit(self.unidentified, cents)),
            source_type="deposit",
            source_ref=f"D{key}",
        )
        self.world.post(received)
        return Posting(
            TxnKind.DEPOSIT,
            key,
            on,
            (debit(self.unidentified, cents), credit(self.world.transit, cents)),
            source_type="deposit",
            source_ref=f"D{key}",
        )

    def roll_up(self) -> int:
        """Roll up everything; return how many accounts moved."""
        moved = 0
        while found := self.world.do(lambda s: ownership.roll_up_owners(s, self.owned())):
            moved += found
        return moved

    def sums(self, on: date) -> Sums:
        """Return what the product answers."""
        found = self.world.do(lambda s: ownership.kinds_by_owner(s, self.owned(), on))
        return {(who, kind): n for who, kinds in found.items() for kind, n in kinds.items() if n}

    def full(self, on: date) -> Sums:
        """Return the sum of every entry."""
        owned = " UNION ALL ".join(
            f"SELECT {account} AS account_id, {owner} AS owner"
            for account, owner in self.accounts.items()
        )

        def read(session: Session) -> Sums:
            rows = session.execute(text(FULL.format(owned=owned)), {"on_day": on.isoformat()})
            return {(int(who), AccountKind(kind)): int(n) for who, kind, n in rows if n}

        return self.world.do(read)


@pytest.fixture
def pots(world: World) -> Pots:
    """Return two trust accounts with nothing on them."""
    return Pots(world)


@on_both_databases
def test_sums_by_owner_are_the_sum_of_every_entry_also_after_back_dating(
    session_factory: sessionmaker[Session],
) -> None:
    pots = Pots(open_world(session_factory))
    chance = random.Random(20260105)  # noqa: S311 - a history, no secret
    for _ in range(6):
        for _ in range(8):
            pots.post(chance.randrange(7), chance.randrange(1, 9_999), chance.choice(DAYS))
        assert [pots.sums(on) for on in DAYS] == [pots.full(on) for on in DAYS]
        pots.roll_up()
        assert [pots.sums(on) for on in DAYS] == [pots.full(on) for on in DAYS]
    assert pots.roll_up() == 0
    assert pots.world.do(check.check) == []


Steps = st.lists(
    st.one_of(
        st.just("roll up"),
        st.tuples(st.integers(0, 6), st.integers(1, 10_000), st.sampled_from(DAYS)),
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=Steps)
def test_any_order_of_postings_and_roll_ups_gives_the_full_sum(pots: Pots, steps: list) -> None:  # type: ignore[type-arg]
    # The books of one example go on in the next: the longer the history, the better.
    for step in steps:
        if isinstance(step, str):
            pots.roll_up()
        else:
            pots.post(*step)
    for on in DAYS:
        assert pots.sums(on) == pots.full(on)


def test_what_was_rolled_up_twice_counts_once(pots: Pots) -> None:
    pots.post(0, 500, DAY)
    assert pots.roll_up() == 2
    assert pots.roll_up() == 0
    assert pots.sums(DAY) == {(OURS, AccountKind.BANK_CASH): 500, (OURS, AccountKind.CASE): 500}


def test_money_that_no_entry_ties_to_a_trust_account_is_nobodys(pots: Pots) -> None:
    pots.post(2, 500, DAY)
    pots.post(5, 200, DAY)
    nobody = {(ownership.NOBODY, kind): cents for kind, cents in _loose()}
    for _ in range(2):
        assert {key: n for key, n in pots.sums(DAY).items() if key[0] == 0} == nobody
        pots.roll_up()


def _loose() -> list[tuple[AccountKind, int]]:
    return [(AccountKind.UNIDENTIFIED_RECEIPTS, -200), (AccountKind.IN_TRANSIT, -200)]


@pytest.mark.broken_books
@pytest.mark.parametrize(
    "change, expected",
    [
        ("UPDATE ledger_owner_daily SET cr_cents = cr_cents + 1", {"owner_sums_differ"}),
        (
            "UPDATE ledger_owner_mark SET seq = seq + 1000",
            {"owner_mark_ahead"},
        ),
    ],
)
def test_the_books_name_sums_by_owner_that_are_wrong(
    pots: Pots, change: str, expected: set[str]
) -> None:
    pots.post(0, 500, DAY)
    pots.roll_up()
    assert pots.world.do(check.check) == []
    pots.world.do(lambda session: session.execute(text(change)))
    assert {fault.code for fault in pots.world.do(check.check)} == expected


def test_a_roll_up_takes_part_of_a_long_history_at_a_time(
    pots: Pots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "_ENTRIES_AT_A_TIME", 3)
    for number in range(7):
        pots.post(0, 100 + number, DAYS[number % 3])
    assert pots.world.do(lambda s: ownership.roll_up_owners(s, pots.owned())) == 2
    assert pots.sums(DAY) == pots.full(DAY)
    assert pots.roll_up() == 4
    assert pots.sums(DAY) == pots.full(DAY)
