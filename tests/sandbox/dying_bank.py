"""A bank that dies by itself, in the middle of a step, when its clock reaches a day.

    python -m tests.sandbox.dying_bank 2026-03-01 --port 8701 --data FOLDER

The moment is the bank's own, so that a test need not hope to be quicker than the bank is.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import date
from typing import TYPE_CHECKING

from seedtrust.sandbox import clock
from seedtrust.sandbox.cli_sandbox import sandbox_bank

if TYPE_CHECKING:
    from datetime import datetime
    from sqlite3 import Connection


def _die_from(day: date) -> None:
    """Have the process killed when the clock is set to the day or later, before the commit."""
    set_now = clock.set_now

    def set_and_die(connection: Connection, instant: datetime) -> None:
        set_now(connection, instant)
        if instant.date() >= day:
            os.kill(os.getpid(), signal.SIGKILL)

    clock.set_now = set_and_die


if __name__ == "__main__":
    _die_from(date.fromisoformat(sys.argv.pop(1)))
    sandbox_bank()
