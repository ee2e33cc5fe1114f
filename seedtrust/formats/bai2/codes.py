"""BAI2 type codes: their names and the direction of money that their range implies."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Direction(StrEnum):
    """Which way a coded amount moves the account; ``NONE`` for balances and unknown codes."""

    CREDIT = "credit"
    DEBIT = "debit"
    NONE = "none"


NAMES: Final[dict[str, str]] = {
    "010": "Opening ledger",
    "015": "Closing ledger",
    "030": "Current ledger",
    "040": "Opening available",
    "045": "Closing available",
    "060": "Current available",
    "072": "One-day float",
    "074": "Two or more days float",
    "100": "Total credits",
    "115": "Lockbox deposit",
    "140": "Total ACH credits",
    "142": "ACH credit received",
    "145": "ACH concentration credit",
    "165": "Preauthorised ACH credit",
    "166": "ACH settlement credit",
    "168": "ACH return or adjustment settlement credit",
    "169": "Miscellaneous ACH credit",
    "175": "Deposit package",
    "190": "Total incoming money transfers",
    "191": "Individual incoming internal transfer",
    "195": "Incoming money transfer",
    "196": "Money transfer adjustment credit",
    "206": "Book transfer credit",
    "208": "International money transfer credit",
    "252": "Debit reversal",
    "255": "Check posted and returned",
    "257": "Individual ACH return item credit",
    "258": "ACH reversal credit",
    "275": "ZBA credit",
    "277": "ZBA credit transfer",
    "301": "Commercial deposit",
    "308": "Trust credit",
    "330": "Total escrow credits",
    "331": "Individual escrow credit",
    "354": "Interest credit",
    "357": "Credit adjustment",
    "395": "Check reversal",
    "398": "Miscellaneous fee refund",
    "399": "Miscellaneous credit",
    "400": "Total debits",
    "445": "ACH concentration debit",
    "447": "ACH disbursement funding debit",
    "450": "Total ACH debits",
    "451": "ACH debit received",
    "455": "Preauthorised ACH debit",
    "462": "Account holder initiated ACH debit",
    "466": "ACH settlement debit",
    "468": "ACH return or adjustment settlement debit",
    "469": "Miscellaneous ACH debit",
    "470": "Total checks paid",
    "474": "Certified check debit",
    "475": "Check paid",
    "490": "Total outgoing money transfers",
    "491": "Individual outgoing internal transfer",
    "493": "Customer terminal initiated money transfer",
    "495": "Outgoing money transfer",
    "496": "Money transfer adjustment debit",
    "506": "Book transfer debit",
    "508": "International money transfer debit",
    "552": "Credit reversal",
    "555": "Deposited item returned",
    "557": "Individual ACH return item debit",
    "558": "ACH reversal debit",
    "564": "Overdraft fee",
    "567": "Return item fee",
    "575": "ZBA debit",
    "577": "ZBA debit transfer",
    "631": "Debit adjustment",
    "633": "Trust debit",
    "640": "Total escrow debits",
    "641": "Individual escrow debit",
    "654": "Interest debit",
    "661": "Account analysis fee",
    "698": "Miscellaneous fees",
    "699": "Miscellaneous debit",
    "890": "Non-monetary information",
}

_THREE_DIGITS: Final = re.compile(r"[0-9]{3}")
_CREDIT_RANGES: Final = ((100, 399), (720, 728), (920, 959))
_DEBIT_RANGES: Final = ((400, 699), (760, 760), (960, 999))


def direction_of(type_code: str) -> Direction:
    """Return the direction that the code's range implies (BAI2 manual, appendix A).

    Ranges 920-959 and 960-999 are the custom credits and debits that every reader must accept.
    """
    if not _THREE_DIGITS.fullmatch(type_code):
        return Direction.NONE
    number = int(type_code)
    if any(low <= number <= high for low, high in _CREDIT_RANGES):
        return Direction.CREDIT
    if any(low <= number <= high for low, high in _DEBIT_RANGES):
        return Direction.DEBIT
    return Direction.NONE


def name_of(type_code: str) -> str:
    """Return the plain name of a code, or ``Code NNN`` for one that is not in the table."""
    return NAMES.get(type_code, f"Code {type_code}")
