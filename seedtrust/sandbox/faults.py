"""Faults that a test orders from the sandbox bank: which call, how often, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from seedtrust.sandbox.problems import BankProblem, Values
from seedtrust.sandbox.store import Connection, Row

# Before the work is done, so that nothing has happened at the bank.
BEFORE: Final = frozenset(
    {
        "timeout_before_commit",
        "reset_before_commit",
        "rate_limit",
        "error_500_before",
        "error_502_before",
        "error_503_before",
        "expired_token",
        "hang",
    }
)
# After the work is done, so that the money moves whatever the caller sees.
AFTER: Final = frozenset(
    {
        "timeout_after_commit",
        "reset_after_commit",
        "error_500_after",
        "error_504_after",
        "wrong_content_type",
        "malformed_json",
        "truncated_body",
        "wrong_amount",
        "unknown_status",
    }
)
# The last digits of a receiver's account number order a fault for its payment: effect, times.
ENDINGS: Final = {
    "9810": ("timeout_after_commit", 1),
    "9811": ("timeout_before_commit", 1),
    "9812": ("error_500_before", 1),
    "9813": ("rate_limit", 2),
}
_ENDING_LENGTH: Final = 4
DEFAULT_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 3600
_MOST: Final = 1_000_000
_PATH: Final = re.compile(r"/[\x21-\x7e]{0,199}")
_SUFFIX: Final = re.compile(r"[A-Za-z0-9-]{1,17}")
_METHODS: Final = ("DELETE", "GET", "POST", "PUT")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request to the bank is known by."""

    method: str
    path: str
    client_reference: str = ""
    account_number: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that strikes now; ``seconds`` is how long it holds, or asks to wait."""

    effect: str
    seconds: float


def call_of(method: str, path: str, query: Mapping[str, str], body: object) -> Call:
    """Return what a request is known by; the body may be anything."""
    values = body if isinstance(body, dict) else {}
    counterparty = values.get("counterparty")
    account = counterparty.get("account_number") if isinstance(counterparty, dict) else ""
    reference = values.get("client_reference") or query.get("client_reference") or ""
    return Call(method, path, str(reference), str(account or ""))


def add(connection: Connection, body: object) -> dict[str, object]:
    """Order a fault from its nth matching call on, a number of times; return it."""
    values = Values(body)
    match = values.optional_part("match")
    effect = values.choice("effect", BEFORE | AFTER)
    usual = RETRY_SECONDS if effect == "rate_limit" else DEFAULT_SECONDS
    columns: dict[str, str | float | None] = {
        "method": "" if match is None else match.choice("method", _METHODS, default=""),
        "path": ""
        if match is None
        else match.text("path", longest=200, pattern=_PATH, is_required=False),
        "client_reference": ""
        if match is None
        else match.text("client_reference", longest=32, is_required=False),
        "account_suffix": ""
        if match is None
        else match.text("account_suffix", longest=17, pattern=_SUFFIX, is_required=False),
        "effect": effect,
        "nth": values.number("nth", lowest=1, highest=_MOST, default=1),
        "times": values.number("times", lowest=1, highest=_MOST, default=1),
        "seconds": values.seconds("seconds", highest=_LONGEST_SECONDS, default=usual),
    }
    values.done()
    fault_id = connection.execute(
        f"INSERT INTO fault ({', '.join(columns)}, seen, fired)"  # noqa: S608 - names of columns
        f" VALUES ({', '.join('?' for _ in columns)}, 0, 0)",
        tuple(columns.values()),
    ).lastrowid
    row = connection.execute("SELECT * FROM fault WHERE id = ?", (fault_id,)).fetchone()
    return as_json(row)


def everyone(connection: Connection) -> list[dict[str, object]]:
    """Return all faults that were ordered and not removed, also those that are used up."""
    return [as_json(row) for row in connection.execute("SELECT * FROM fault ORDER BY id")]


def remove(connection: Connection, fault_id: int | None) -> None:
    """Remove a fault, or all of them; raise BankProblem 404 if there is none of that number."""
    if fault_id is None:
        connection.execute("DELETE FROM fault")
        return
    if connection.execute("DELETE FROM fault WHERE id = ?", (fault_id,)).rowcount == 0:
        raise BankProblem("not_found", f"There is no fault {fault_id}.")


def are_ordered(connection: Connection) -> bool:
    """Tell whether any fault may still strike."""
    query = "SELECT 1 FROM fault WHERE fired < times LIMIT 1"
    return connection.execute(query).fetchone() is not None


def ending_of(call: Call) -> str | None:
    """Return the ending of a new payment's account number that orders a fault, or None."""
    ending = call.account_number[-_ENDING_LENGTH:]
    is_payment = (call.method, call.path) == ("POST", "/v1/payments")
    return ending if is_payment and ending in ENDINGS else None


def strike(connection: Connection, call: Call) -> Fault | None:
    """Count a call and return the fault that strikes it, the one ordered first."""
    struck: Fault | None = None
    for row in connection.execute("SELECT * FROM fault WHERE fired < times ORDER BY id").fetchall():
        if not _matches(row, call):
            continue
        fires = struck is None and row["seen"] + 1 >= row["nth"]
        connection.execute(
            "UPDATE fault SET seen = seen + 1, fired = fired + ? WHERE id = ?", (fires, row["id"])
        )
        if fires:
            struck = Fault(row["effect"], row["seconds"])
    return struck or _strike_by_ending(connection, call)


def _matches(row: Row, call: Call) -> bool:
    return (
        row["method"] in {"", call.method}
        and (not row["path"] or fnmatchcase(call.path, row["path"]))
        and row["client_reference"] in {"", call.client_reference}
        and call.account_number.endswith(row["account_suffix"])
    )


def _strike_by_ending(connection: Connection, call: Call) -> Fault | None:
    ending = ending_of(call)
    if ending is None:
        return None
    effect, times = ENDINGS[ending]
    connection.execute(
        "INSERT INTO fault_by_ending (client_reference, ending, fired) VALUES (?, ?, 0)"
        " ON CONFLICT DO NOTHING",
        (call.client_reference, ending),
    )
    fired = connection.execute(
        "UPDATE fault_by_ending SET fired = fired + 1"
        " WHERE client_reference = ? AND ending = ? AND fired < ?",
        (call.client_reference, ending, times),
    ).rowcount
    seconds = RETRY_SECONDS if effect == "rate_limit" else DEFAULT_SECONDS
    return Fault(effect, seconds) if fired else None


def as_json(row: Row) -> dict[str, object]:
    """Return a fault as replies show it; ``seen`` counts matching calls, ``fired`` its strikes."""
    fields = ("method", "path", "client_reference", "account_suffix")
    return {
        "id": row["id"],
        "match": {name: row[name] for name in fields if row[name]},
        "effect": row["effect"],
        "nth": row["nth"],
        "times": row["times"],
        "seconds": row["seconds"],
        "seen": row["seen"],
        "fired": row["fired"],
    }
