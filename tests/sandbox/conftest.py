"""A sandbox bank on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.support import FEES, TRUST, Caller, open_bank


@pytest.fixture
def empty_bank(tmp_path: Path) -> Iterator[Caller]:
    """Start a bank without accounts."""
    caller = open_bank(tmp_path / "bank")
    yield caller
    caller.stop()


@pytest.fixture
def bank(empty_bank: Caller) -> Caller:
    """Open two accounts, on Thursday 22 January 2026, 09:00 in New York."""
    empty_bank.post("/sim/accounts", TRUST)
    empty_bank.post("/sim/accounts", FEES)
    empty_bank.at("2026-01-22")
    return empty_bank
