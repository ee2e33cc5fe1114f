"""The life of a day's reconciliation, and of a line of a statement."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class DayState(StrEnum):
    """From the figures of a night to a report that two people have signed."""

    OPEN = "OPEN"
    PREPARED = "PREPARED"
    REVIEWED = "REVIEWED"
    LOCKED = "LOCKED"
    STALE = "STALE"


# Figures that change before the lock lead back; after it, only the bank's correction does.
STEPS: Final = {
    DayState.OPEN: {DayState.PREPARED},
    DayState.PREPARED: {DayState.PREPARED, DayState.REVIEWED, DayState.OPEN},
    DayState.REVIEWED: {DayState.PREPARED, DayState.LOCKED, DayState.OPEN},
    DayState.LOCKED: {DayState.STALE},
    DayState.STALE: set(),
}


class TransferKind(StrEnum):
    """Why a person moves money at the bank by hand."""

    SEND_BACK = "send_back"
    FEE_SWEEP = "fee_sweep"
    REPAYMENT = "repayment"


class TransferState(StrEnum):
    """Whether the bank's statement shows the transfer."""

    ORDERED = "ORDERED"
    SETTLED = "SETTLED"
    CANCELLED = "CANCELLED"
