"""Switches of the sandbox bank that a caller may turn."""

from __future__ import annotations

import json

from seedtrust.sandbox.problems import Values
from seedtrust.sandbox.store import Connection

_ITEMISED = "itemised_settlement"


def itemised_settlement(connection: Connection) -> bool:
    """Tell whether settlements show one line for each entry in place of one total."""
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (_ITEMISED,)).fetchone()
    return row is not None and bool(json.loads(row["value"]))


def change(connection: Connection, body: object) -> None:
    """Turn the switches that a request names; raise BankProblem for unknown ones."""
    values = Values(body)
    flag = values.flag(_ITEMISED, default=itemised_settlement(connection))
    values.done()
    connection.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_ITEMISED, json.dumps(flag)),
    )


def as_json(connection: Connection) -> dict[str, object]:
    """Return all switches."""
    return {_ITEMISED: itemised_settlement(connection)}
