"""The life of a final accounting."""

from __future__ import annotations

from enum import StrEnum


class AccountingState(StrEnum):
    """A draft goes to the parties, is certified by all, then approved by a second reviewer."""

    SENT = "SENT"
    CERTIFIED = "CERTIFIED"
    APPROVED = "APPROVED"
    WITHDRAWN = "WITHDRAWN"
