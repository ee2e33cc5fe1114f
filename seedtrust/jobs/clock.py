"""Letting the bank simulator follow the business clock."""

from __future__ import annotations

from datetime import datetime

from seedtrust.jobs.tools import Tools


def follow(tools: Tools, payload: dict[str, str]) -> None:
    """Move the simulator's clock to where business is; without a simulator nothing happens."""
    if tools.sandbox is not None:
        tools.sandbox.move_clock(datetime.fromisoformat(payload["to"]))
