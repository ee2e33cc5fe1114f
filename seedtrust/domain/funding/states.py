"""The lives of a deposit and of a shortage."""

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
    # A check may bounce before anybody has found out whose it was.
    DepositState.UNIDENTIFIED: {
        DepositState.MATCHED,
        DepositState.SENT_BACK,
        DepositState.RETURNED,
    },
    DepositState.MATCHED: {DepositState.RECEIVED},
    DepositState.RECEIVED: {DepositState.COLLECTED, DepositState.RETURNED},
    DepositState.COLLECTED: {DepositState.RETURNED},
    DepositState.RETURNED: set(),
    DepositState.SENT_BACK: set(),
}

# Banking days from the deposit of a check until its money counts as collected.
CHECK_BANKING_DAYS: Final = 5


class ReceiptRail(StrEnum):
    """How money reached the trust account; a check may bounce, a wire may not."""

    WIRE = "wire"
    CHECK = "check"


class ShortageState(StrEnum):
    """Whether the company still owes the trust what a bounced deposit took."""

    OPEN = "OPEN"
    CURED = "CURED"
