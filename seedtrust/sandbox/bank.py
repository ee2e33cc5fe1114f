"""The sandbox bank as a whole: its store, its drop folder and the march of its days."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Final

from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.clock import Clock, SystemClock, at_new_york, business_date
from seedtrust.sandbox import (
    checks,
    clock,
    corrections,
    faults,
    files,
    issuedchecks,
    payments,
    returns,
    settlement,
    statements,
    webhooks,
    wires,
)
from seedtrust.sandbox.dropfolder import DropFolder, ScanResult
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row, Store

FIRST_DAY: Final = date(2025, 1, 2)
STEPS_TOGETHER: Final = 20
OPENED_AT: Final = at_new_york(FIRST_DAY, *clock.WIRE_OPENING)


def _settle_file(connection: Connection, item: Row) -> None:
    settlement.settle(connection, int(item["subject"]), clock.from_text(item["due_at"]))


def _bring_back(connection: Connection, item: Row) -> None:
    returns.bring_back(connection, clock.from_text(item["due_at"]))


def _bring_changes(connection: Connection, item: Row) -> None:
    corrections.bring(connection, clock.from_text(item["due_at"]))


def _close_day(connection: Connection, item: Row) -> None:
    statements.close_day(connection, date.fromisoformat(item["subject"]))


def _advance_payment(connection: Connection, item: Row) -> None:
    payments.step(connection, item["subject"])


def _credit_wire(connection: Connection, item: Row) -> None:
    wires.credit(connection, item["subject"])


def _credit_check(connection: Connection, item: Row) -> None:
    checks.credit(connection, item["subject"])


def _bounce_check(connection: Connection, item: Row) -> None:
    checks.bounce(connection, item["subject"])


def _present_check(connection: Connection, item: Row) -> None:
    issuedchecks.present_due(connection, int(item["subject"]))


_STEPS: Final[dict[str, Callable[[Connection, Row], None]]] = {
    files.SETTLEMENT_DUE: _settle_file,
    returns.RETURNS_DUE: _bring_back,
    corrections.CHANGES_DUE: _bring_changes,
    statements.STATEMENTS_DUE: _close_day,
    payments.PAYMENT_DUE: _advance_payment,
    wires.INBOUND_DUE: _credit_wire,
    checks.DEPOSIT_DUE: _credit_check,
    checks.RETURN_DUE: _bounce_check,
    issuedchecks.PRESENTED_DUE: _present_check,
}


class Bank:
    """One bank in one folder; every step is one transaction, so a kill at any moment is safe."""

    def __init__(
        self,
        data_dir: Path,
        *,
        opened_at: datetime = OPENED_AT,
        real: Clock | None = None,
    ) -> None:
        """Open the bank in a folder; a new one starts its clock at ``opened_at``.

        ``real`` tells the time in which tokens end and callers wait; it is the machine's.
        """
        self.real = real or SystemClock()
        self.ended = threading.Event()
        self.courier_called = threading.Event()
        data_dir.mkdir(parents=True, exist_ok=True)
        self._store = Store(data_dir / "bank.sqlite3")
        with self.unit() as connection:
            if connection.execute("SELECT count(*) FROM clock").fetchone()[0] == 0:
                connection.execute(
                    "INSERT INTO clock (id, now_at, has_moved) VALUES (1, ?, 0)",
                    (clock.to_text(opened_at),),
                )
                statements.start(connection, business_date(opened_at))
            self.has_faults = faults.are_ordered(connection)
            self.has_webhooks = bool(webhooks.subscriptions(connection))
        self._store.after_commit = self._call_courier
        self.drop = DropFolder(data_dir / "drop", self._store)
        self.drop.write_outbox()

    def _call_courier(self) -> None:
        """Have the courier look, as there may be an event to bring."""
        if self.has_webhooks:
            self.courier_called.set()

    def end(self) -> None:
        """Let go of everybody who waits, so that nothing reaches a closed database."""
        self.ended.set()
        self.courier_called.set()

    def unit(self) -> AbstractContextManager[Connection]:
        """Begin a unit of work on the bank's database."""
        return self._store.unit()

    def scan(self) -> ScanResult:
        """Look into the drop folder now."""
        return self.drop.scan()

    def close(self) -> None:
        """Close the database; the bank cannot be used afterwards."""
        self.end()
        self._store.close()

    def move_clock(self, target: datetime) -> int:
        """Move the clock forward through all that is due; return how many steps that took.

        What lies in the drop folder counts as received before the move. A kill on the way leaves
        the clock at the last step done; the same call goes on from there. Raises BankProblem if
        the target lies before the bank's time.
        """
        self.scan()
        with self.unit() as connection:
            now = clock.now(connection)
            if target < now:
                raise BankProblem(
                    "clock_backwards",
                    f"The bank's time is {clock.shown(clock.to_text(now))}; it never goes back.",
                    now=clock.shown(clock.to_text(now)),
                )
            if _is_untouched(connection):
                clock.set_now(connection, target)
                statements.start(connection, business_date(target))
        steps = 0
        while done := self._steps(target):
            steps += done
        self.drop.write_outbox()
        return steps

    def _steps(self, target: datetime) -> int:
        """Do the next few things that are due by the target, or arrive there; count them.

        A few share a transaction, because with thousands of payments its end costs most.
        """
        with self.unit() as connection:
            for done in range(STEPS_TOGETHER):
                item = clock.next_due(connection, target)
                if item is None:
                    clock.set_now(connection, target)
                    return done
                clock.set_now(connection, clock.from_text(item["due_at"]))
                _STEPS[item["kind"]](connection, item)
                connection.execute("DELETE FROM agenda WHERE id = ?", (item["id"],))
            return STEPS_TOGETHER


def _is_untouched(connection: Connection) -> bool:
    """Tell whether nothing has happened yet, so that the first move may simply set the start."""
    row = connection.execute(
        "SELECT (SELECT has_moved FROM clock) + (SELECT count(*) FROM event)"
        " + (SELECT count(*) FROM agenda WHERE kind <> ?) AS touches",
        (statements.STATEMENTS_DUE,),
    ).fetchone()
    return int(row["touches"]) == 0


def clock_as_json(connection: Connection) -> dict[str, object]:
    """Return the bank's time as replies show it."""
    now = clock.now(connection)
    today = business_date(now)
    following = connection.execute("SELECT min(due_at) AS due_at FROM agenda").fetchone()
    return {
        "now": clock.shown(clock.to_text(now)),
        "business_on": today.isoformat(),
        "is_banking_day": is_banking_day(today),
        "next_due_at": clock.shown(following["due_at"]),
    }
