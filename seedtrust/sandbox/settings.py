"""Switches of the sandbox bank that a caller may turn."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Final

from seedtrust.sandbox.problems import Values
from seedtrust.sandbox.store import Connection

RAILS: Final = ("ach", "wire")
_LONGEST_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """How the bank behaves; the defaults are those of a bank that helps its customers.

    ``lookup`` says what a search by client reference finds: everything at once, what came in
    more than ``lookup_stale_seconds`` ago (real time), or that there is no such service. A failed
    webhook is tried again after each of ``webhook_retry_seconds``, and after the last for ever.
    """

    itemised_settlement: bool = False
    idempotent_payments: bool = True
    lookup: str = "consistent"
    lookup_stale_seconds: int = 0
    after_cutoff: str = "roll"
    rails: tuple[str, ...] = RAILS
    token_seconds: int = 600
    webhook_retry_seconds: tuple[float, ...] = (1, 5, 30, 120, 600, 3600)


def read(connection: Connection) -> Settings:
    """Return the switches as they stand."""
    rows = connection.execute("SELECT name, value FROM setting").fetchall()
    values = {row["name"]: json.loads(row["value"]) for row in rows}
    known = {field.name: values[field.name] for field in fields(Settings) if field.name in values}
    for name in ("rails", "webhook_retry_seconds"):
        if name in known:
            known[name] = tuple(known[name])
    return Settings(**known)


def change(connection: Connection, body: object) -> None:
    """Turn the switches that a request names; raise BankProblem for unknown ones."""
    before = read(connection)
    values = Values(body)
    lookup, stale_seconds = _lookup(values, before)
    after = Settings(
        itemised_settlement=values.flag("itemised_settlement", default=before.itemised_settlement),
        idempotent_payments=values.flag("idempotent_payments", default=before.idempotent_payments),
        lookup=lookup,
        lookup_stale_seconds=stale_seconds,
        after_cutoff=values.choice("after_cutoff", ("roll", "refuse"), default=before.after_cutoff),
        rails=values.some_of("rails", RAILS, default=before.rails),
        token_seconds=values.number(
            "token_seconds", highest=_LONGEST_SECONDS, default=before.token_seconds
        ),
        webhook_retry_seconds=values.amounts_of_seconds(
            "webhook_retry_seconds",
            highest=_LONGEST_SECONDS,
            default=before.webhook_retry_seconds,
        ),
    )
    values.done()
    connection.executemany(
        "INSERT INTO setting (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(name, json.dumps(value)) for name, value in asdict(after).items()],
    )


def _lookup(values: Values, before: Settings) -> tuple[str, int]:
    """Take the look-up's switch: a word, or an object with the seconds that it lags behind."""
    stale = values.optional_part("lookup") if values.is_object("lookup") else None
    if stale is not None:
        seconds = stale.number("stale_seconds", highest=_LONGEST_SECONDS, default=None)
        return "stale", seconds
    word = values.choice("lookup", ("consistent", "off"), default="")
    return (word, 0) if word else (before.lookup, before.lookup_stale_seconds)


def as_json(connection: Connection) -> dict[str, object]:
    """Return all switches, in the shape in which they are turned."""
    settings = read(connection)
    shown = asdict(settings) | {"rails": list(settings.rails)}
    seconds = shown.pop("lookup_stale_seconds")
    if settings.lookup == "stale":
        shown["lookup"] = {"stale_seconds": seconds}
    return shown
