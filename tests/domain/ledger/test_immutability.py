"""What is in the books stays as it is, whoever asks."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from seedtrust.core.db import is_check_violation
from seedtrust.domain.ledger.models import IMMUTABLE_TABLES
from seedtrust.domain.ledger.triggers import trigger_names, trigger_statements
from tests.domain.ledger.books_world import World

CHANGES = {
    "ledger_account": "code = 'x'",
    "ledger_txn": "memo = 'x'",
    "ledger_txn_link": "exclusive_key = NULL",
    "ledger_entry": "amount_cents = amount_cents + 1",
    "ledger_hold": "amount_cents = amount_cents + 1",
}


def with_every_row(world: World) -> None:
    first = world.deposit(1_000)
    hold = world.reserve(400)
    world.capture(hold, 100, "part")
    world.release(hold, 100, "some")
    world.reverse(world.deposit(5, "wrong").txn_id)
    assert first.txn_id


def run(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize("table", sorted(CHANGES))
def test_rows_are_never_changed(world: World, engine: Engine, table: str) -> None:
    with_every_row(world)
    with pytest.raises(DBAPIError, match=f"rows of {table} are never changed"):
        run(engine, f"UPDATE {table} SET {CHANGES[table]}")


@pytest.mark.parametrize("table", [*sorted(CHANGES), "ledger_balance"])
def test_rows_are_never_deleted(world: World, engine: Engine, table: str) -> None:
    with_every_row(world)
    with pytest.raises(DBAPIError, match=f"rows of {table} are never deleted"):
        run(engine, f"DELETE FROM {table}")


@pytest.mark.parametrize("column", ["captured_cents", "released_cents"])
def test_a_hold_gives_nothing_back_of_what_was_captured_or_released(
    world: World, engine: Engine, column: str
) -> None:
    with_every_row(world)
    with pytest.raises(DBAPIError, match="never changed"):
        run(engine, f"UPDATE ledger_hold SET {column} = {column} - 1")


def test_a_hold_is_never_over_captured(world: World, engine: Engine) -> None:
    with_every_row(world)
    with pytest.raises(DBAPIError) as refusal:
        run(engine, "UPDATE ledger_hold SET captured_cents = captured_cents + 201")
    assert is_check_violation(refusal.value)


@pytest.mark.parametrize(
    "change",
    [
        "dr_posted = cr_posted + 1",
        "dr_pending = cr_posted + 1",
        "cr_pending = dr_pending + 1",
        "seq = -1",
        "guard = 2",
    ],
)
def test_the_database_itself_refuses_an_overdraft(
    world: World, engine: Engine, change: str
) -> None:
    world.deposit(1_000)
    with pytest.raises(DBAPIError) as refusal:
        run(engine, f"UPDATE ledger_balance SET {change} WHERE account_id = {world.case}")
    assert is_check_violation(refusal.value)


def test_every_immutable_table_has_its_triggers_in_both_dialects() -> None:
    for table in IMMUTABLE_TABLES:
        statements = trigger_statements(table)
        assert len(statements["sqlite"]) == len(statements["mysql"]) == 2
        assert len(trigger_names(table)) == 2
    assert trigger_statements("users") == {}
    assert trigger_names("users") == ()
