"""Many threads at the same books: only outcomes that some order allows, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.db import is_retryable
from seedtrust.core.errors import DomainError
from seedtrust.domain.ledger import chart, daily, queries, service
from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance, LedgerBook, LedgerTxn
from seedtrust.domain.ledger.service import TxnKind
from tests.domain.ledger.books_world import CLERK, DAY, NOW, World, open_world, two_legs
from tests.support.databases import on_both_databases

THREADS: Final = 64
ATTEMPTS: Final = 50

Verb = Callable[[Session], object]


def outcome(make_session: sessionmaker[Session], verb: Verb) -> str:
    """Run a verb in one unit of work, again after a deadlock; return its code or `done`."""
    for _ in range(ATTEMPTS):
        try:
            with make_session() as session, session.begin():
                verb(session)
        except DomainError as refusal:
            return refusal.code
        except DBAPIError as error:
            if not is_retryable(error):
                raise
        else:
            return "done"
    return "gave up"


def race(make_session: sessionmaker[Session], verbs: list[Verb], threads: int) -> Counter[str]:
    """Start all verbs as close to one another as threads can; count the outcomes."""
    start = threading.Barrier(threads)

    def run(share: list[Verb]) -> list[str]:
        start.wait()
        return [outcome(make_session, verb) for verb in share]

    with ThreadPoolExecutor(threads) as pool:
        shares = [verbs[number::threads] for number in range(threads)]
        return Counter(found for part in pool.map(run, shares) for found in part)


def pooled(engine: Engine) -> sessionmaker[Session]:
    """Return a maker of sessions that wait for one of the engine's connections."""
    return sessionmaker(engine, autobegin=False, expire_on_commit=False)


class Watcher:
    """Reads the guarded balance over and over, and remembers the lowest it saw."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.lowest = 0
        self.reads = 0

    def __enter__(self) -> Self:
        """Start reading."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            with self._world.make_session() as session, session.begin():
                session.connection(execution_options={"seedtrust_read_only": True})
                self.lowest = min(
                    self.lowest, queries.balance_of(session, self._world.case).available_cents
                )
                self.reads += 1


@on_both_databases
def test_sixty_four_threads_spend_one_balance_and_never_more(engine: Engine) -> None:
    world = open_world(pooled(engine))
    world.deposit(100_000)
    spends: list[Verb] = [
        lambda session, key=f"spend {number}": service.post(  # type: ignore[misc]
            session, CLERK, world.spend_posting(1_000, key), now=NOW
        )
        for number in range(10 * THREADS)
    ]
    with Watcher(world) as watcher:
        found = race(world.make_session, spends, THREADS)
    assert found == {"done": 100, "insufficient_funds": 540}
    assert watcher.lowest == 0
    assert watcher.reads > 0
    assert world.balance().ledger_cents == 0
    assert world.balance(world.fees).ledger_cents == 100_000


@on_both_databases
def test_holds_of_many_threads_never_exceed_the_balance(engine: Engine) -> None:
    world = open_world(pooled(engine))
    world.deposit(10_000)

    def hold(number: int) -> Verb:
        def verb(session: Session) -> None:
            held = service.reserve(
                session,
                CLERK,
                world.case,
                700,
                key=f"hold {number}",
                effective_on=DAY,
                source_type="request",
                source_ref=str(number),
                now=NOW,
            )
            if number % 2:
                service.capture(
                    session,
                    CLERK,
                    held,
                    key=f"capture {number}",
                    effective_on=DAY,
                    credit_account_id=world.transit,
                    kind=TxnKind.DISBURSEMENT,
                    now=NOW,
                )

        return verb

    found = race(world.make_session, [hold(number) for number in range(THREADS)], 16)
    assert found == {"done": 14, "insufficient_funds": THREADS - 14}
    assert world.balance().available_cents == 10_000 - 14 * 700


@on_both_databases
def test_one_hold_is_captured_once_however_many_try(engine: Engine) -> None:
    world = open_world(pooled(engine))
    world.deposit(10_000)
    hold = world.reserve(10_000)

    def finish(number: int) -> Verb:
        if number % 3 == 0:
            return lambda session: service.release_hold(
                session, CLERK, hold, key=f"release {number}", now=NOW
            )
        return lambda session: service.capture(
            session,
            CLERK,
            hold,
            key=f"capture {number}",
            effective_on=DAY,
            credit_account_id=world.transit,
            kind=TxnKind.DISBURSEMENT,
            now=NOW,
        )

    found = race(world.make_session, [finish(number) for number in range(32)], 16)
    assert found == {"done": 1, "hold_exceeded": 31}
    assert world.balance().reserved_cents == 0


@on_both_databases
def test_a_transaction_is_reversed_once_however_many_try(engine: Engine) -> None:
    world = open_world(pooled(engine))
    first = world.deposit(1_000)
    world.deposit(100_000, "more")

    def reverse(number: int) -> Verb:
        return lambda session: service.reverse(
            session, CLERK, first.txn_id, key=f"r{number}", effective_on=DAY, memo="", now=NOW
        )

    found = race(world.make_session, [reverse(number) for number in range(32)], 16)
    assert found == {"done": 1, "already_reversed": 31}
    assert world.balance().ledger_cents == 100_000


@on_both_databases
def test_sixteen_deliveries_of_each_key_have_one_effect(engine: Engine) -> None:
    world = open_world(pooled(engine))
    deliveries: list[Verb] = [
        lambda session, key=f"wire {number // 16}": service.post(  # type: ignore[misc]
            session, CLERK, world.deposit_posting(100, key), now=NOW
        )
        for number in range(16 * 20)
    ]
    found = race(world.make_session, deliveries, 16)
    assert found == {"done": 320}
    assert world.balance().ledger_cents == 20 * 100


@on_both_databases
def test_writers_on_four_accounts_all_get_through(engine: Engine) -> None:
    world = open_world(pooled(engine))
    world.deposit(1_000_000)
    world.post(two_legs(world.bank, world.other_case, 1_000_000, "other"))
    accounts = [world.case, world.other_case, world.fees, world.bank]

    def move(number: int) -> Verb:
        source = accounts[number % 4]
        target = accounts[(number % 4 + 1 + number // 4 % 3) % 4]
        posting = two_legs(source, target, 10, f"move {number}")
        return lambda session: service.post(session, CLERK, posting, now=NOW)

    found = race(world.make_session, [move(number) for number in range(480)], 16)
    assert found == {"done": 480}
    with world.make_session() as session, session.begin():
        debited, credited = session.execute(
            select(func.sum(LedgerBalance.dr_posted), func.sum(LedgerBalance.cr_posted))
        ).one()
        count = session.execute(select(func.count()).select_from(LedgerTxn)).scalar_one()
    assert debited == credited
    assert count == 482


@on_both_databases
def test_bulk_posting_and_single_posting_share_accounts(engine: Engine) -> None:
    world = open_world(pooled(engine))

    def batch(number: int) -> Verb:
        postings = [world.deposit_posting(1, f"batch {number}:{item}") for item in range(100)]
        return lambda session: service.post_many(session, CLERK, postings, now=NOW)

    def single(number: int) -> Verb:
        posting = world.deposit_posting(1, f"single {number}")
        return lambda session: service.post(session, CLERK, posting, now=NOW)

    verbs = [batch(number) if number % 4 == 0 else single(number) for number in range(64)]
    found = race(world.make_session, verbs, 8)
    assert found == {"done": 64}
    assert world.balance().ledger_cents == 16 * 100 + 48


@on_both_databases
def test_daily_sums_count_each_entry_once_while_others_post(engine: Engine) -> None:
    world = open_world(pooled(engine))
    for number in range(20):
        world.deposit(1, f"before {number}")

    def work(number: int) -> Verb:
        if number % 3 == 0:
            return lambda session: daily.roll_up(session, at_least=1)
        posting = world.deposit_posting(1, f"during {number}")
        return lambda session: service.post(session, CLERK, posting, now=NOW)

    found = race(world.make_session, [work(number) for number in range(60)], 8)
    assert found == {"done": 60}
    balance = world.do(lambda session: queries.balance_as_of(session, world.case, DAY))
    assert balance == 20 + 40


@on_both_databases
def test_books_and_accounts_are_opened_once_however_many_open_them(engine: Engine) -> None:
    make_session = pooled(engine)

    def open_everything(session: Session) -> None:
        chart.open_books(session, NOW)
        chart.open_case_account(session, 7, NOW)

    found = race(make_session, [open_everything] * 12, 12)
    assert found == {"done": 12}
    with make_session() as session, session.begin():
        codes = session.execute(select(LedgerAccount.book_id, LedgerAccount.code)).all()
        books = session.execute(select(LedgerBook.code)).scalars().all()
    assert sorted(books) == ["operating", "trust"]
    assert len(set(codes)) == len(codes) == 16
