"""What a posting costs on a server: round trips, counted by the server itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from seedtrust.core import db
from seedtrust.core.db import make_engine
from seedtrust.core.errors import InsufficientFunds
from seedtrust.domain.ledger import chart, service
from seedtrust.domain.ledger.errors import AccountClosed
from tests.domain.ledger.books_world import CLERK, NOW, World, two_legs
from tests.support.databases import only_on_mariadb


def questions(world: World) -> int:
    """Return how many statements the server has had from the pool's one connection."""

    def ask(session: Session) -> int:
        row = session.execute(text("SHOW SESSION STATUS LIKE 'Questions'")).one()
        return int(row[1])

    return world.do(ask)


def trips(world: World, work: Callable[[], object]) -> int:
    """Return how many trips to the server some work takes, its commits among them."""
    before = questions(world)
    work()
    # The commit of the first question and the second question itself are counted too.
    return questions(world) - before - 2


@only_on_mariadb
def test_a_posting_is_one_trip_and_a_commit(world: World) -> None:
    world.deposit(500)
    assert trips(world, lambda: world.spend(5, "fee")) == 2


@only_on_mariadb
def test_a_hold_is_one_trip_and_its_capture_two_beside_the_commits(world: World) -> None:
    world.deposit(500)
    world.reserve(5, "first")
    assert trips(world, lambda: world.reserve(5, "hold")) == 2
    hold = world.reserve(5, "hold")
    assert trips(world, lambda: world.capture(hold)) == 3


@only_on_mariadb
def test_a_server_without_blocks_gets_one_statement_after_the_other(
    world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.dialect, "is_mariadb", False)
    world.deposit(500)
    assert trips(world, lambda: world.spend(5, "fee")) == 4
    assert world.spend(5, "fee").replayed
    with pytest.raises(InsufficientFunds):
        world.spend(496, "more")
    world.do(lambda session: chart.close_account(session, world.other_case))
    with pytest.raises(AccountClosed):
        world.post(two_legs(world.bank, world.other_case, 5, "closed"))
    hold = world.reserve(100)
    world.capture(hold, 40)
    world.release(hold)
    assert world.balance().available_cents == 455


@only_on_mariadb
def test_a_thousand_postings_in_bulk_are_a_dozen_statements(world: World) -> None:
    postings = [world.deposit_posting(5, f"d{number}") for number in range(1_000)]
    post = partial(service.post_many, actor=CLERK, postings=postings, now=NOW)
    assert trips(world, lambda: world.do(post)) <= 12


@only_on_mariadb
def test_a_connection_that_the_server_ended_is_replaced_before_use(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "ASK_AFTER_IDLE_SECONDS", 0.0)
    number = world.do(lambda session: session.execute(text("SELECT CONNECTION_ID()")).scalar_one())
    other: Engine = make_engine(database_url)
    with other.connect() as connection:
        connection.execute(text(f"KILL {number:d}"))
    other.dispose()
    world.deposit(500)
    assert world.balance().ledger_cents == 500


@only_on_mariadb
def test_a_lock_that_does_not_come_free_is_an_error_to_try_again(world: World) -> None:
    world.deposit(500)

    def wait_for_nothing(session: Session) -> None:
        session.execute(text("SET SESSION innodb_lock_wait_timeout = 0"))
        with pytest.raises(OperationalError) as refusal:
            service.post(session, CLERK, world.spend_posting(5, "fee"), now=NOW)
        session.execute(text("SET SESSION innodb_lock_wait_timeout = 5"))
        assert db.is_retryable(refusal.value)

    with world.make_session() as session, session.begin():
        service.post(session, CLERK, world.spend_posting(1, "first"), now=NOW)
        world.do(wait_for_nothing)
    assert world.balance().ledger_cents == 499
