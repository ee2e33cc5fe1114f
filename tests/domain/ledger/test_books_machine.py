"""Random lives of the books, compared step by step with a model in plain Python."""

# ruff: noqa: D102 - rules read as sentences, like tests

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError, InsufficientFunds
from seedtrust.core.ids import new_id
from seedtrust.domain.ledger import chart, daily, queries, service
from seedtrust.domain.ledger.check import check
from seedtrust.domain.ledger.errors import AlreadyReversed, HoldExceeded, PostingKeyReused
from seedtrust.domain.ledger.service import HoldKind, PostedTxn, TxnKind
from tests.domain.ledger.books_world import CLERK, DAY, NOW, World, open_world, two_legs

CENTS = st.integers(min_value=1, max_value=5_000)
DAYS = st.integers(min_value=-10, max_value=10).map(lambda days: DAY + timedelta(days=days))


@dataclass
class HoldModel:
    """What a hold should have left."""

    case: int
    kind: HoldKind
    left: int


@dataclass
class CaseModel:
    """What a case should show: its posted lines in posting order."""

    account: int
    lines: list[tuple[date, int]] = field(default_factory=list)

    @property
    def posted(self) -> int:
        return sum(cents for _, cents in self.lines)

    def statement(self) -> list[tuple[date, int, int]]:
        """Return day, amount and running balance in effective order."""
        found, running = [], 0
        for day, cents in sorted(self.lines, key=lambda line: line[0]):
            running += cents
            found.append((day, cents, running))
        return found


@dataclass
class PostedModel:
    """A transaction as it should stand in the books."""

    txn_id: int
    case_moves: list[tuple[int, int]]
    reversed: bool = False


Replay = Callable[[Session], PostedTxn | int]


class BooksMachine(RuleBasedStateMachine):
    """Every verb of the books in any order, refused exactly when the model says so."""

    make_session: sessionmaker[Session]

    def __init__(self) -> None:
        super().__init__()
        self.world: World = open_world(self.make_session)
        self.number = 0
        self.prefix = str(new_id())
        self.cases: list[CaseModel] = []
        self.holds: dict[int, HoldModel] = {}
        self.posted: list[PostedModel] = []
        self.replays: list[tuple[Replay, int]] = []

    # The model

    def key(self) -> str:
        self.number += 1
        return f"{self.prefix}:{self.number}"

    def held(self, case: int, kind: HoldKind | None = None) -> int:
        return sum(
            hold.left
            for hold in self.holds.values()
            if hold.case == case and kind in (None, hold.kind)
        )

    def available(self, case: int) -> int:
        return self.cases[case].posted - self.held(case)

    def attempt(self, verb: Replay, *, short: bool = False) -> int | None:
        """Run a verb; return its id, or None when it had to be refused for want of money."""
        if short:
            with pytest.raises(InsufficientFunds):
                self.world.do(verb)
            return None
        done = self.world.do(verb)
        found = done if isinstance(done, int) else done.txn_id
        self.replays.append((verb, found))
        return found

    def note(self, txn_id: int, day: date, moves: list[tuple[int, int]]) -> None:
        for case, cents in moves:
            self.cases[case].lines.append((day, cents))
        self.posted.append(PostedModel(txn_id, moves))

    def pick(self, data: st.DataObject, label: str) -> int:
        return data.draw(st.integers(0, len(self.cases) - 1), label=label)

    # The life

    @initialize()
    def two_cases(self) -> None:
        self.open_case()
        self.open_case()

    @precondition(lambda self: len(self.cases) < 4)
    @rule()
    def open_case(self) -> None:
        number = new_id()
        account = self.world.do(lambda s: chart.open_case_account(s, number, NOW))
        self.cases.append(CaseModel(account))

    @rule(data=st.data(), cents=CENTS, day=DAYS)
    def deposit(self, data: st.DataObject, cents: int, day: date) -> None:
        case = self.pick(data, "case")
        posting = two_legs(
            self.world.bank,
            self.cases[case].account,
            cents,
            self.key(),
            kind=TxnKind.DEPOSIT,
            on=day,
        )
        done = self.attempt(lambda s: service.post(s, CLERK, posting, now=NOW))
        assert done is not None
        self.note(done, day, [(case, cents)])

    @rule(data=st.data(), cents=CENTS, day=DAYS)
    def move_between_cases(self, data: st.DataObject, cents: int, day: date) -> None:
        source, target = self.pick(data, "from"), self.pick(data, "to")
        if source == target:
            return
        posting = two_legs(
            self.cases[source].account, self.cases[target].account, cents, self.key(), on=day
        )
        done = self.attempt(
            lambda s: service.post(s, CLERK, posting, now=NOW),
            short=cents > self.available(source),
        )
        if done is not None:
            self.note(done, day, [(source, -cents), (target, cents)])

    @rule(data=st.data(), day=DAYS, amounts=st.lists(st.tuples(st.booleans(), CENTS), max_size=8))
    def many(self, data: st.DataObject, day: date, amounts: list[tuple[bool, int]]) -> None:
        case = self.pick(data, "case")
        account, world = self.cases[case].account, self.world
        postings, left, short = [], self.available(case), False
        for into, cents in amounts:
            ends = (world.bank, account) if into else (account, world.fees)
            postings.append(two_legs(*ends, cents, self.key(), on=day))
            left += cents if into else -cents
            short = short or left < 0

        def verb(session: Session) -> list[PostedTxn]:
            return service.post_many(session, CLERK, postings, now=NOW)

        if short:
            with pytest.raises(InsufficientFunds):
                world.do(verb)
            return
        for done, (into, cents) in zip(world.do(verb), amounts, strict=True):
            self.note(done.txn_id, day, [(case, cents if into else -cents)])
        assert all(done.replayed for done in world.do(verb))

    @rule(data=st.data(), cents=CENTS, kind=st.sampled_from(HoldKind))
    def reserve(self, data: st.DataObject, cents: int, kind: HoldKind) -> None:
        case, key = self.pick(data, "case"), self.key()
        hold = self.attempt(
            lambda s: service.reserve(
                s,
                CLERK,
                self.cases[case].account,
                cents,
                key=key,
                effective_on=DAY,
                source_type="request",
                source_ref="R",
                kind=kind,
                now=NOW,
            ),
            short=cents > self.available(case),
        )
        if hold is not None:
            self.holds[hold] = HoldModel(case, kind, cents)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), cents=st.none() | CENTS, day=DAYS)
    def capture(self, data: st.DataObject, cents: int | None, day: date) -> None:
        hold = data.draw(st.sampled_from(sorted(self.holds)), label="hold")
        model, key = self.holds[hold], self.key()

        def verb(session: Session) -> PostedTxn:
            return service.capture(
                session,
                CLERK,
                hold,
                amount_cents=cents,
                key=key,
                effective_on=day,
                credit_account_id=self.world.transit,
                kind=TxnKind.DISBURSEMENT,
                now=NOW,
            )

        amount = model.left if cents is None else cents
        if amount > model.left or not model.left:
            with pytest.raises(HoldExceeded):
                self.world.do(verb)
            return
        done = self.attempt(verb)
        assert done is not None
        model.left -= amount
        self.note(done, day, [(model.case, -amount)])

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), cents=st.none() | CENTS)
    def release(self, data: st.DataObject, cents: int | None) -> None:
        hold = data.draw(st.sampled_from(sorted(self.holds)), label="hold")
        model, key = self.holds[hold], self.key()

        def verb(session: Session) -> PostedTxn:
            return service.release_hold(session, CLERK, hold, amount_cents=cents, key=key, now=NOW)

        amount = model.left if cents is None else cents
        if amount > model.left or not model.left:
            with pytest.raises(HoldExceeded):
                self.world.do(verb)
            return
        self.attempt(verb)
        model.left -= amount

    @precondition(lambda self: self.posted)
    @rule(data=st.data(), day=DAYS)
    def reverse(self, data: st.DataObject, day: date) -> None:
        model = data.draw(st.sampled_from(self.posted), label="transaction")
        key = self.key()

        def verb(session: Session) -> PostedTxn:
            return service.reverse(
                session, CLERK, model.txn_id, key=key, effective_on=day, memo="", now=NOW
            )

        short = any(-cents < 0 and cents > self.available(case) for case, cents in model.case_moves)
        if model.reversed or short:
            expected: tuple[type[DomainError], ...] = (
                (AlreadyReversed,)
                if not short
                else (
                    AlreadyReversed,
                    InsufficientFunds,
                )
            )
            with pytest.raises(expected):
                self.world.do(verb)
            return
        done = self.attempt(verb)
        assert done is not None
        model.reversed = True
        self.note(done, day, [(case, -cents) for case, cents in model.case_moves])

    @precondition(lambda self: self.replays)
    @rule(data=st.data())
    def replay_anything(self, data: st.DataObject) -> None:
        verb, expected = data.draw(st.sampled_from(self.replays), label="verb")
        done = self.world.do(verb)
        assert (done if isinstance(done, int) else done.txn_id) == expected
        assert isinstance(done, int) or done.replayed

    @rule(data=st.data(), cents=CENTS)
    def change_a_request(self, data: st.DataObject, cents: int) -> None:
        case, key = self.pick(data, "case"), self.key()
        account = self.cases[case].account
        first = two_legs(self.world.bank, account, cents, key)
        second = two_legs(self.world.bank, account, cents + 1, key)

        def verb(session: Session) -> int:
            done = service.post(session, CLERK, first, now=NOW)
            with pytest.raises(PostingKeyReused):
                service.post(session, CLERK, second, now=NOW)
            return done.txn_id

        self.note(self.world.do(verb), DAY, [(case, cents)])

    @rule()
    def roll_up(self) -> None:
        assert self.world.do(lambda session: daily.roll_up(session, at_least=1)) >= 0

    # What must always be so

    @invariant()
    def balances_agree(self) -> None:
        accounts = [case.account for case in self.cases]
        found = self.world.do(lambda session: queries.balances_of(session, accounts))
        for number, case in enumerate(self.cases):
            figures = found[case.account]
            assert figures.ledger_cents == case.posted
            assert figures.reserved_cents == self.held(number, HoldKind.RESERVED)
            assert figures.uncollected_cents == self.held(number, HoldKind.UNCOLLECTED)
            assert figures.available_cents == self.available(number) >= 0

    @rule(data=st.data(), day=DAYS)
    def statements_agree(self, data: st.DataObject, day: date) -> None:
        case = self.cases[self.pick(data, "case")]
        lines = self.world.do(lambda s: queries.case_lines(s, case.account, limit=1_000))
        expected = case.statement()
        assert [
            (one.effective_on, one.amount_cents, one.balance_cents) for one in lines
        ] == expected
        on_the_day = self.world.do(lambda s: queries.balance_as_of(s, case.account, day))
        assert on_the_day == sum(cents for when, cents in case.lines if when <= day)

    def teardown(self) -> None:
        assert self.world.do(check) == []


def run_machine(make_session: sessionmaker[Session], *, lives: int, steps: int) -> None:
    class Machine(BooksMachine):
        pass

    Machine.make_session = make_session
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_lives_of_the_books_match_the_model(session_factory: sessionmaker[Session]) -> None:
    run_machine(session_factory, lives=25, steps=30)
    assert open_world(session_factory).balance().ledger_cents == 0


@pytest.mark.night
def test_long_random_lives_of_the_books_match_the_model(
    session_factory: sessionmaker[Session],
) -> None:
    run_machine(session_factory, lives=300, steps=60)
    assert open_world(session_factory).balance().ledger_cents == 0
