"""What a posting costs on a server: round trips, counted by the server itself."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from seedtrust.core import db
from seedtrust.core.db import make_engine
from seedtrust.domain.ledger import service
from tests.domain.ledger.books_world import CLERK, NOW, World
from tests.support.databases import only_on_mariadb


def questions(world: World) -> int:
    """Return how many statements the server has had from the pool's one connection."""

    def ask(session: Session) -> int:
        row = session.execute(text("SHOW SESSION STATUS LIKE 'Questions'")).one()
        return int(row[1])

    return world.do(ask)


@only_on_mariadb
def test_a_posting_is_three_statements_and_a_commit(world: World) -> None:
    world.deposit(500)
    before = questions(world)
    world.spend(5, "fee")
    # The commit of the first question and the second question itself are counted too.
    assert questions(world) - before - 2 == 4


@only_on_mariadb
def test_a_thousand_postings_in_bulk_are_a_dozen_statements(world: World) -> None:
    postings = [world.deposit_posting(5, f"d{number}") for number in range(1_000)]
    before = questions(world)
    world.do(lambda session: service.post_many(session, CLERK, postings, now=NOW))
    assert questions(world) - before - 2 <= 12


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
