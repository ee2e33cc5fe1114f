"""A simulated bank: real state, balanced books and a clock that others move. No real money."""

from __future__ import annotations

from seedtrust.sandbox.server import RunningBank, create_bank_app, serve

__all__ = ["RunningBank", "create_bank_app", "serve"]
