"""The life of a deposit."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class DepositState(StrEnum):
    """From the bank's word to spendable money."""

    EXPECTED = "EXPECTED"
    IN_PROCESS = "IN_PROCESS"
    UNIDENTIFIED = "UNIDENTIFIED"
    MATCHED = "MATCHED"
    RECEIVED = "RECEIVED"
    COLLECTED = "COLLECTED"
    RETURNED = "RETURNED"
    SENT_BACK = "SENT_BACK"


STEPS: Final = {
    DepositState.EXPECTED: {DepositState.IN_PROCESS},
    DepositState.IN_PROCESS: {DepositState.RECEIVED, DepositState.RETURNED},
    DepositState.UNIDENTIFIED: {DepositState.MATCHED, DepositState.SENT_BACK},
    DepositState.MATCHED: {DepositState.RECEIVED},
    DepositState.RECEIVED: {DepositState.COLLECTED, DepositState.RETURNED},
    DepositState.COLLECTED: {DepositState.RETURNED},
    DepositState.RETURNED: set(),
    DepositState.SENT_BACK: set(),
}
