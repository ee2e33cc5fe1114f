"""A bank simulator on a real socket, and the adapter that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from seedtrust.core.clock import at_new_york
from seedtrust.gateways.bank import FileDropBank, HttpSandboxControl
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.sandbox import RunningBank

API_KEY = "test-key"


@dataclass
class Simulator:
    """A running simulator with the adapter and the strings that move it."""

    running: RunningBank
    drop: Path
    bank: FileDropBank
    control: HttpSandboxControl

    def at(self, day: date, hour: int = 10, minute: int = 0) -> None:
        """Move the simulator's clock."""
        self.control.move_clock(at_new_york(day, hour, minute))


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """Start a simulator with one account, on Monday 5 January 2026 at ten in New York."""
    running = RunningBank(tmp_path / "bank", 0, API_KEY, scan_seconds=None)
    running.start()
    timeouts = LineTimeouts(connect_seconds=5.0, read_seconds=20.0)
    control = HttpSandboxControl(running.url, API_KEY)
    drop = tmp_path / "bank" / "drop"
    found = Simulator(running, drop, FileDropBank(running.url, API_KEY, drop, timeouts), control)
    control.open_account(
        {
            "id": "trust",
            "name": "Client trust",
            "routing_number": "044000024",
            "account_number": "2200418806",
            "company_identifications": ["1844200017"],
            "opening_cents": 0,
        }
    )
    found.at(date(2026, 1, 5))
    yield found
    running.stop()
