"""What columns take and refuse, and what a lock and a refusal look like, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.orm import Session

from seedtrust.core.db import (
    CentsType,
    UtcDateTime,
    canonical_json,
    is_check_violation,
    is_duplicate_key,
    is_retryable,
    lock,
)
from seedtrust.core.ids import new_id, new_reference
from seedtrust.domain.funding.models import Deposit
from tests.support.databases import on_both_databases

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)


def a_deposit(**changes: object) -> dict[str, object]:
    """Return the columns of a deposit."""
    return {
        "id": new_id(),
        "reference": new_reference(),
        "trust_account_id": 1,
        "rail": "wire",
        "amount_cents": 100,
        "state": "RECEIVED",
        "bank": "main",
        "bank_reference": new_reference(),
        "sender_name": "",
        "text": "",
        "received_on": MIDNIGHT.date(),
        "matched_at": MIDNIGHT,
    } | changes


@pytest.mark.parametrize("value", [1.0, 1.5, "1", True, b"2"])
def test_a_column_of_cents_takes_an_int_alone(value: Any) -> None:
    with pytest.raises(TypeError, match="cents must be an int"):
        CentsType().process_bind_param(value, sqlite.dialect())
    assert CentsType().process_bind_param(None, sqlite.dialect()) is None


@on_both_databases
def test_half_a_cent_never_reaches_the_database(engine: Engine) -> None:
    with Session(engine) as session, session.begin(), pytest.raises(StatementError):
        session.execute(insert(Deposit).values(a_deposit(amount_cents=1.5)))


@on_both_databases
def test_instants_keep_their_microseconds_and_come_back_in_utc(engine: Engine) -> None:
    summer = timezone(timedelta(hours=-4))
    instant = datetime(2026, 7, 1, 8, 30, 15, 123_456, tzinfo=summer)
    row = a_deposit(matched_at=instant)
    with Session(engine) as session, session.begin():
        session.execute(insert(Deposit).values(row))
        found = session.execute(
            select(Deposit.matched_at).where(Deposit.id == row["id"])
        ).scalar_one()
    assert found == instant
    assert found is not None
    assert found.utcoffset() == timedelta(0)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(TypeError, match="aware"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 5), mysql.dialect())  # noqa: DTZ001 - the naive value is the point
    assert UtcDateTime().process_bind_param(None, mysql.dialect()) is None
    assert UtcDateTime().process_result_value(None, mysql.dialect()) is None


@on_both_databases
def test_a_lock_shows_what_the_database_says_and_not_what_was_loaded(engine: Engine) -> None:
    row = a_deposit()
    with Session(engine, expire_on_commit=False) as session:
        with session.begin():
            session.execute(insert(Deposit).values(row))
        with session.begin():
            loaded = session.get_one(Deposit, row["id"])
        with Session(engine) as other, other.begin():
            other.execute(update(Deposit).where(Deposit.id == row["id"]).values(text="changed"))
        with session.begin():
            locked = lock(session, Deposit, loaded.id)
            assert locked is loaded
            assert locked.text == "changed"
            assert lock(session, Deposit, 1) is None


@on_both_databases
def test_a_refusal_of_the_database_is_told_by_its_kind(engine: Engine) -> None:
    row = a_deposit()
    with Session(engine) as session, session.begin():
        session.execute(insert(Deposit).values(row))
    for changes, is_check in (
        ({"amount_cents": -1}, True),
        ({"reference": row["reference"]}, False),
    ):
        with Session(engine) as session, session.begin(), pytest.raises(DBAPIError) as refused:
            session.execute(insert(Deposit).values(a_deposit(**changes)))
        assert is_check_violation(refused.value) is is_check
        assert is_duplicate_key(refused.value) is not is_check
        assert not is_retryable(refused.value)


@on_both_databases
def test_references_are_compared_byte_by_byte(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.execute(insert(Deposit).values(a_deposit(bank_reference="AbC")))
        session.execute(insert(Deposit).values(a_deposit(bank_reference="aBc")))
        found = session.execute(
            select(Deposit.bank_reference).where(Deposit.bank_reference == "AbC")
        ).scalars()
        assert found.all() == ["AbC"]


@pytest.mark.parametrize("code", [1205, 1213, 1020, 2006, 2013])
def test_what_a_busy_server_says_may_be_tried_again(code: int) -> None:
    error = OperationalError("SELECT 1", {}, Exception(code, "later"))
    assert is_retryable(error)


def test_other_errors_are_not_tried_again() -> None:
    assert not is_retryable(OperationalError("SELECT 1", {}, Exception(1064, "syntax")))
    assert not is_retryable(DBAPIError("SELECT 1", {}, Exception(1213, "deadlock")))
    assert is_retryable(OperationalError("SELECT 1", {}, Exception("database is locked")))


@on_both_databases
def test_a_server_is_asked_in_utc_and_at_read_committed(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            pragmas = ("foreign_keys", "synchronous")
            found = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in pragmas]
        assert found == [1, 2]
        return
    with engine.connect() as connection:
        zone, mode = connection.execute(
            text("SELECT @@session.time_zone, @@session.sql_mode")
        ).one()
        assert zone == "+00:00"
        assert "STRICT_ALL_TABLES" in mode
        assert connection.get_isolation_level() == "READ COMMITTED"


def test_json_for_hashing_is_one_text_for_one_value() -> None:
    assert canonical_json({"b": 1, "a": [1, "é"]}) == canonical_json({"a": [1, "é"], "b": 1})
    assert canonical_json({"b": 1, "a": MIDNIGHT.date()}) == '{"a":"2026-01-05","b":1}'
