"""The tests' own ground: nothing leaves this machine, and no test sees another's rows."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import FixedClock, business_date
from tests.support.databases import MariaSchema, on_both_databases
from tests.support.loopback import OutsideConnection, is_local

ROW = "INSERT INTO agencies (id, reference, name, created_at) VALUES (1, 'R', 'N', '2026-01-05')"
COUNT = "SELECT COUNT(*) FROM agencies"


def rows(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text(COUNT)).scalar_one())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "", None, b"localhost"])
def test_this_machine_may_be_reached(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["93.184.216.34", "10.0.0.1", "example.com", "2001:db8::1"])
def test_another_machine_may_not_be_reached(host: str) -> None:
    assert not is_local(host)
    with pytest.raises(OutsideConnection):
        socket.create_connection((host, 80))


@pytest.mark.parametrize("turn", ["first", "second"])
@on_both_databases
def test_every_test_begins_with_empty_tables(engine: Engine, turn: str) -> None:
    assert rows(engine) == 0, turn
    with engine.begin() as connection:
        connection.execute(text(ROW))
    assert rows(engine) == 1


@on_both_databases
def test_reading_outside_a_unit_of_work_raises(session_factory: sessionmaker[Session]) -> None:
    with session_factory() as session, pytest.raises(InvalidRequestError, match="begin"):
        session.execute(text(COUNT))


@on_both_databases
def test_foreign_keys_are_checked(engine: Engine) -> None:
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("INSERT INTO case_milestones (id, case_id) VALUES (1, 404)"))


@pytest.mark.mariadb
def test_an_altered_schema_is_migrated_anew(mariadb_schema: MariaSchema) -> None:
    from seedtrust.core.db import make_engine

    engine = make_engine(mariadb_schema.clean())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id INT)"))
    # Cleaning ends whatever connection a test has left open.
    engine.dispose()
    mariadb_schema.clean()
    with engine.begin() as connection:
        assert connection.execute(text("SHOW TABLES LIKE 'left_behind'")).all() == []
    engine.dispose()


@pytest.mark.mariadb
def test_a_forgotten_transaction_does_not_hold_up_the_next_test(
    mariadb_schema: MariaSchema,
) -> None:
    from seedtrust.core.db import make_engine

    engine = make_engine(mariadb_schema.clean())
    forgotten = engine.connect()
    forgotten.execute(text(ROW))
    assert forgotten.execute(text(COUNT)).scalar_one() == 1
    again = make_engine(mariadb_schema.clean())
    assert rows(again) == 0
    forgotten.invalidate()
    forgotten.close()
    engine.dispose()
    again.dispose()


@pytest.mark.redis
def test_redis_is_empty(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_the_clock_stands_on_a_banking_day(clock: FixedClock) -> None:
    assert clock.now() == datetime(2026, 1, 5, 15, tzinfo=UTC)
    assert business_date(clock.now()).isoformat() == "2026-01-05"


@on_both_databases
def test_the_application_starts_on_a_database_of_its_own(app: Flask) -> None:
    assert app.test_client().get("/health/live").status_code == 200
