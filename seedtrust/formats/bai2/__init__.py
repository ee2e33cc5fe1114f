"""Bank statements in the BAI2 format (Cash Management Balance Reporting, version 2)."""

from __future__ import annotations

from seedtrust.formats.bai2.codes import Direction, direction_of, name_of
from seedtrust.formats.bai2.findings import Bai2Error, Finding
from seedtrust.formats.bai2.model import (
    CORRECTION,
    DELETION,
    FINAL_PREVIOUS_DAY,
    FINAL_SAME_DAY,
    INTERIM_PREVIOUS_DAY,
    INTERIM_SAME_DAY,
    TEST,
    UPDATE,
    Account,
    Bai2File,
    Balance,
    Funds,
    Group,
    Source,
    Transaction,
)
from seedtrust.formats.bai2.reader import read
from seedtrust.formats.bai2.writer import write

__all__ = [
    "CORRECTION",
    "DELETION",
    "FINAL_PREVIOUS_DAY",
    "FINAL_SAME_DAY",
    "INTERIM_PREVIOUS_DAY",
    "INTERIM_SAME_DAY",
    "TEST",
    "UPDATE",
    "Account",
    "Bai2Error",
    "Bai2File",
    "Balance",
    "Direction",
    "Finding",
    "Funds",
    "Group",
    "Source",
    "Transaction",
    "direction_of",
    "name_of",
    "read",
    "write",
]
