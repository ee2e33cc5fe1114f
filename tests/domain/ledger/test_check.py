"""The proof of the books names what somebody did to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from seedtrust.cli_ledger import ledger
from seedtrust.domain.ledger import check as proof
from seedtrust.domain.ledger import daily, service
from seedtrust.domain.ledger.check import Fault, check, register_check
from tests.domain.ledger.books_world import CLERK, NOW, World
from tests.support import databases

TABLES = (
    "ledger_account",
    "ledger_txn",
    "ledger_txn_link",
    "ledger_entry",
    "ledger_hold",
    "ledger_balance",
)


@pytest.fixture
def busy(world: World) -> World:
    """Return books in which everything has happened once."""
    world.deposit(100_000)
    world.spend(5_000, "fee")
    hold = world.reserve(40_000)
    world.capture(hold, 10_000, "part")
    world.release(hold, 5_000, "some")
    world.reverse(world.deposit(700, "wrong").txn_id)
    world.do(
        lambda session: service.post_many(
            session,
            CLERK,
            [world.deposit_posting(10 + number, f"m{number}") for number in range(20)],
            now=NOW,
        )
    )
    world.do(lambda session: daily.roll_up(session, at_least=10))
    world.deposit(3, "after the roll-up")
    return world


def faults(world: World) -> list[Fault]:
    return world.do(check)


def codes(world: World) -> set[str]:
    return {fault.code for fault in faults(world)}


def tamper(engine: Engine, *changes: str, bare: bool = True) -> None:
    """Change the books the way an administrator could: without triggers, keys or checks."""
    with engine.connect() as connection:
        switch_off(connection)
        with connection.begin():
            if bare:
                without_triggers(connection, changes)
            else:
                for change in changes:
                    connection.execute(text(change))
        connection.invalidate()


def switch_off(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        connection.rollback()
    else:
        connection.execute(text("SET SESSION foreign_key_checks = 0"))
        connection.execute(text("SET SESSION check_constraint_checks = 0"))
        connection.rollback()


def without_triggers(connection: Connection, changes: tuple[str, ...]) -> None:
    from seedtrust.domain.ledger.triggers import trigger_names, trigger_statements

    for table in TABLES:
        for name in trigger_names(table):
            connection.execute(text(f"DROP TRIGGER {name}"))
    for change in changes:
        connection.execute(text(change))
    dialect = "sqlite" if connection.dialect.name == "sqlite" else "mysql"
    for table in TABLES:
        for statement in trigger_statements(table)[dialect]:
            connection.exec_driver_sql(statement)


def test_whole_books_have_no_faults(busy: World) -> None:
    assert faults(busy) == []


Change = Callable[[World], list[str]]


def last(account: int) -> str:
    return (
        f"account_id = {account} AND seq = (SELECT seq FROM ledger_balance "
        f"WHERE account_id = {account})"
    )


TAMPERING: dict[str, tuple[Change, set[str]]] = {
    "one amount raised": (
        lambda world: [
            (
                "UPDATE ledger_entry SET amount_cents = amount_cents + 1 "
                f"WHERE account_id = {world.case} AND seq = 1"
            )
        ],
        {
            "transaction_unbalanced",
            "balance_differs",
            "running_balance_broken",
            "transaction_altered",
            "daily_sums_differ",
        },
    ),
    "both legs of a transaction raised, with the balances": (
        lambda world: [
            (
                "UPDATE ledger_entry SET amount_cents = amount_cents + 1, "
                "posted_after_cents = posted_after_cents + 1 "
                f"WHERE {last(world.case)} OR {last(world.bank)}"
            ),
            f"UPDATE ledger_balance SET cr_posted = cr_posted + 1 WHERE account_id = {world.case}",
            f"UPDATE ledger_balance SET dr_posted = dr_posted + 1 WHERE account_id = {world.bank}",
        ],
        {"transaction_altered"},
    ),
    "a balance raised": (
        lambda world: [
            f"UPDATE ledger_balance SET cr_posted = cr_posted + 7 WHERE account_id = {world.case}"
        ],
        {"balance_differs", "book_unbalanced"},
    ),
    "an entry deleted": (
        lambda world: [f"DELETE FROM ledger_entry WHERE account_id = {world.case} AND seq = 2"],
        {
            "transaction_unbalanced",
            "transaction_incomplete",
            "sequence_broken",
            "balance_differs",
            "running_balance_broken",
            "transaction_altered",
            "daily_sums_differ",
        },
    ),
    "a whole transaction deleted": (
        lambda _: [
            "DELETE FROM ledger_entry WHERE txn_id = (SELECT MAX(id) FROM ledger_txn)",
            "CREATE TABLE newest AS SELECT MAX(id) AS id FROM ledger_txn",
            "DELETE FROM ledger_txn WHERE id IN (SELECT id FROM newest)",
            "DROP TABLE newest",
        ],
        {"sequence_broken", "balance_differs"},
    ),
    "a header deleted": (
        lambda _: [
            "CREATE TABLE newest AS SELECT MAX(id) AS id FROM ledger_txn",
            "DELETE FROM ledger_txn WHERE id IN (SELECT id FROM newest)",
            "DROP TABLE newest",
        ],
        {"entry_orphaned"},
    ),
    "the entries of a transaction deleted": (
        lambda _: ["DELETE FROM ledger_entry WHERE txn_id = (SELECT MAX(id) FROM ledger_txn)"],
        {"transaction_incomplete", "sequence_broken", "balance_differs"},
    ),
    "an effective day moved in the entries": (
        lambda world: [
            (
                "UPDATE ledger_entry SET effective_on = '2020-01-01' "
                f"WHERE account_id = {world.case} AND seq = 1"
            )
        ],
        {"effective_day_differs", "daily_sums_differ"},
    ),
    "an effective day moved everywhere": (
        lambda world: [
            (
                f"UPDATE ledger_entry SET effective_on = '2020-01-01' WHERE {last(world.case)} "
                f"OR {last(world.bank)}"
            ),
            "CREATE TABLE newest AS SELECT MAX(id) AS id FROM ledger_txn",
            "UPDATE ledger_txn SET effective_on = '2020-01-01' WHERE id IN (SELECT id FROM newest)",
            "DROP TABLE newest",
        ],
        {"transaction_altered"},
    ),
    "a running balance changed": (
        lambda world: [
            (
                "UPDATE ledger_entry SET posted_after_cents = 1 "
                f"WHERE account_id = {world.case} AND seq = 2"
            )
        ],
        {"running_balance_broken"},
    ),
    "a memo rewritten": (
        lambda _: ["UPDATE ledger_txn SET memo = 'Something else' WHERE kind = 'DISBURSEMENT'"],
        {"transaction_altered"},
    ),
    "a kind rewritten": (
        lambda _: ["UPDATE ledger_txn SET kind = 'REFUND' WHERE kind = 'FEE'"],
        {"transaction_altered"},
    ),
    "a guarded account overdrawn": (
        lambda world: [
            (
                "UPDATE ledger_balance SET dr_posted = dr_posted + 1000000 "
                f"WHERE account_id = {world.case}"
            )
        ],
        {"overdrawn", "balance_differs", "book_unbalanced"},
    ),
    "a guard lifted": (
        lambda world: [f"UPDATE ledger_balance SET guard = 0 WHERE account_id = {world.case}"],
        {"balance_misfiled"},
    ),
    "a balance row deleted": (
        lambda world: [f"DELETE FROM ledger_balance WHERE account_id = {world.other_case}"],
        {"balance_misfiled"},
    ),
    "an account deleted": (
        lambda world: [f"DELETE FROM ledger_account WHERE id = {world.case}"],
        {"entry_orphaned", "balance_orphaned", "book_unbalanced"},
    ),
    "an account moved to the other book": (
        lambda world: [
            (
                "UPDATE ledger_account SET book_id = (SELECT id FROM ledger_book "
                f"WHERE code = 'operating') WHERE id = {world.case}"
            )
        ],
        {"entry_in_other_book", "balance_misfiled", "book_unbalanced"},
    ),
    "a hold made smaller": (
        lambda _: ["UPDATE ledger_hold SET amount_cents = amount_cents - 1"],
        {"holds_differ", "hold_without_legs"},
    ),
    "a hold marked as released": (
        lambda _: ["UPDATE ledger_hold SET released_cents = released_cents + 25000"],
        {"holds_differ", "hold_counters_differ"},
    ),
    "a hold deleted": (
        lambda _: ["DELETE FROM ledger_hold"],
        {"holds_differ", "hold_missing", "link_without_hold", "transaction_altered"},
    ),
    "a hold without its transaction": (
        lambda _: [
            "DELETE FROM ledger_entry WHERE txn_id = (SELECT id FROM ledger_hold)",
            "DELETE FROM ledger_txn WHERE id = (SELECT id FROM ledger_hold)",
        ],
        {
            "hold_orphaned",
            "hold_without_legs",
            "link_orphaned",
            "sequence_broken",
            "balance_differs",
            "running_balance_broken",
        },
    ),
    "a tie deleted": (
        lambda _: ["DELETE FROM ledger_txn_link WHERE relation = 'captures'"],
        {"link_missing", "hold_counters_differ", "transaction_altered"},
    ),
    "a tie to another transaction": (
        lambda world: [
            (
                "UPDATE ledger_txn_link SET target_id = (SELECT txn_id FROM ledger_entry "
                f"WHERE account_id = {world.case} AND seq = 1) WHERE relation = 'reverses'"
            )
        ],
        {"reversal_differs", "transaction_altered"},
    ),
    "a daily sum changed": (
        lambda _: ["UPDATE ledger_daily SET cr_cents = cr_cents + 1"],
        {"daily_sums_differ"},
    ),
    "a daily mark moved": (
        lambda _: ["UPDATE ledger_daily_mark SET seq = seq + 1000"],
        {"daily_mark_ahead", "daily_sums_differ"},
    ),
}


# Each of these costs a new database, which MariaDB is slow to make: it gets one test of its own.
on_sqlite = pytest.mark.parametrize("database_url", [databases.SQLITE], indirect=True)


@on_sqlite
@pytest.mark.broken_books
@pytest.mark.parametrize("name", sorted(TAMPERING))
def test_tampering_is_named(busy: World, engine: Engine, name: str) -> None:
    changes, expected = TAMPERING[name]
    tamper(engine, *changes(busy))
    assert codes(busy) == expected


@databases.only_on_mariadb
@pytest.mark.broken_books
def test_one_kind_of_tampering_after_the_other_is_named_on_a_server(
    busy: World, engine: Engine
) -> None:
    steps = {
        "a running balance changed": "running_balance_broken",
        "a memo rewritten": "transaction_altered",
        "a daily sum changed": "daily_sums_differ",
        "a daily mark moved": "daily_mark_ahead",
        "an effective day moved in the entries": "effective_day_differs",
        "a guard lifted": "balance_misfiled",
        "a hold marked as released": "hold_counters_differ",
        "a tie deleted": "link_missing",
        "one amount raised": "transaction_unbalanced",
        "a guarded account overdrawn": "overdrawn",
        "an account moved to the other book": "entry_in_other_book",
        "an entry deleted": "sequence_broken",
        "a header deleted": "entry_orphaned",
    }
    seen: set[str] = set()
    for name, code in steps.items():
        assert code not in seen, f"{code} was there before: {name}"
        tamper(engine, *TAMPERING[name][0](busy))
        seen = codes(busy)
        assert code in seen, name
    tamper(engine, "DROP TRIGGER tr_ledger_entry_delete", bare=False)
    assert "trigger_missing" in codes(busy)


@on_sqlite
@pytest.mark.broken_books
@pytest.mark.parametrize("table", TABLES)
def test_a_dropped_trigger_is_missed(busy: World, engine: Engine, table: str) -> None:
    tamper(engine, f"DROP TRIGGER tr_{table}_delete", bare=False)
    found = faults(busy)
    assert [fault.code for fault in found] == ["trigger_missing"]
    assert found[0].subject == f"table {table}"


@on_sqlite
@pytest.mark.broken_books
def test_a_fault_says_where_and_what(busy: World, engine: Engine) -> None:
    changes, _ = TAMPERING["a balance raised"]
    tamper(engine, *changes(busy))
    told = [str(fault) for fault in faults(busy)]
    assert (
        f"balance_differs: account {busy.case}: "
        "The stored balance is not the sum of the account's entries."
    ) in told
    assert (
        "book_unbalanced: book trust: "
        "Debits and credits of all accounts differ by -7 cents posted, 0 pending."
    ) in told


def test_other_features_add_their_own_proof_once(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_registered", [])
    asked: list[Session] = []

    @register_check
    def payments_agree(session: Session) -> list[Fault]:
        asked.append(session)
        return [Fault("payment_without_cause", "Nobody asked for it.", "payment P1")]

    register_check(payments_agree)
    assert [fault.code for fault in faults(busy)] == ["payment_without_cause"]
    assert len(asked) == 1


def test_the_command_says_that_all_is_well(
    busy: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del busy
    monkeypatch.setenv("SEEDTRUST_DATABASE_URL", database_url)
    result = CliRunner().invoke(ledger, ["check"])
    assert result.output == "The books are whole.\n"
    assert result.exit_code == 0


@on_sqlite
@pytest.mark.broken_books
def test_the_command_names_the_fault_and_fails(
    busy: World, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, _ = TAMPERING["a running balance changed"]
    tamper(engine, *changes(busy))
    monkeypatch.setenv("SEEDTRUST_DATABASE_URL", database_url)
    result = CliRunner().invoke(ledger, ["check"])
    assert result.exit_code == 1
    assert f"running_balance_broken: account {busy.case}" in result.output
