"""Triggers that refuse changes to what is immutable, for migrations."""

from __future__ import annotations

from typing import Final

from seedtrust.domain.ledger.models import IMMUTABLE_TABLES

# A hold's terms never change and its counters only rise.
_HOLD_FIXED: Final = (
    "id",
    "kind",
    "debit_account_id",
    "credit_account_id",
    "amount_cents",
    "created_at",
)
_HOLD_CHANGED: Final = " OR ".join(
    (
        *(f"NEW.{column} <> OLD.{column}" for column in _HOLD_FIXED),
        "NEW.captured_cents < OLD.captured_cents",
        "NEW.released_cents < OLD.released_cents",
    )
)


def trigger_names(table_name: str) -> tuple[str, ...]:
    """Return the names of the triggers that a table must have, empty for most tables."""
    if table_name in (*IMMUTABLE_TABLES, "ledger_hold"):
        return (f"tr_{table_name}_update", f"tr_{table_name}_delete")
    if table_name == "ledger_balance":
        return (f"tr_{table_name}_delete",)
    return ()


def trigger_statements(table_name: str) -> dict[str, list[str]]:
    """Return the CREATE TRIGGER statements of a table by database, or nothing for most tables.

    They guard UPDATE and DELETE only: a trigger on INSERT would cost a quarter of the posting
    rate. TRUNCATE and DROP fire no trigger; the application's database user has neither right.
    """
    names = trigger_names(table_name)
    if not names:
        return {}
    return {
        "sqlite": [_sqlite(name, table_name) for name in names],
        "mysql": [_mysql(name, table_name) for name in names],
    }


def _event(name: str) -> str:
    return "UPDATE" if name.endswith("_update") else "DELETE"


def _condition(name: str, table_name: str) -> str:
    return _HOLD_CHANGED if table_name == "ledger_hold" and _event(name) == "UPDATE" else ""


def _message(name: str, table_name: str) -> str:
    verb = "changed" if _event(name) == "UPDATE" else "deleted"
    return f"rows of {table_name} are never {verb}"


def _sqlite(name: str, table_name: str) -> str:
    condition = _condition(name, table_name)
    when = f"WHEN {condition} " if condition else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {_event(name)} ON {table_name} FOR EACH ROW {when}"
        f"BEGIN SELECT RAISE(ABORT, '{_message(name, table_name)}'); END"
    )


def _mysql(name: str, table_name: str) -> str:
    condition = _condition(name, table_name)
    signal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{_message(name, table_name)}'"
    body = f"IF {condition} THEN {signal}; END IF" if condition else signal
    return f"CREATE TRIGGER {name} BEFORE {_event(name)} ON {table_name} FOR EACH ROW {body}"
