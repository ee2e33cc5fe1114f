"""Transaction codes, entry classes and reserved descriptions, one table each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.fields import Layout


class Account(StrEnum):
    """The kind of account that a transaction code speaks of."""

    CHECKING = "checking"
    SAVINGS = "savings"
    GENERAL_LEDGER = "general ledger"
    LOAN = "loan"
    ADVICE = "advice"


class Meaning(StrEnum):
    """What an entry with a transaction code does."""

    LIVE = "live"
    PRENOTE = "prenote"
    ZERO_DOLLAR = "zero dollar"
    RETURN_OR_CHANGE = "return or change"


class ServiceClass(Enum):
    """The directions that a batch may hold."""

    MIXED = 200
    CREDITS = 220
    DEBITS = 225
    ADVICES = 280


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """One transaction code; `reversed_by` is the live code that undoes it, if any."""

    code: int
    account: Account
    meaning: Meaning
    is_debit: bool
    reversed_by: int | None = None


def _family(first: int, account: Account, *, has_debits: bool) -> list[TransactionCode]:
    """Build the codes of one kind of account: credits x1-x4, debits x6-x9."""
    rows = [
        TransactionCode(first + 1, account, Meaning.RETURN_OR_CHANGE, is_debit=False),
        TransactionCode(first + 3, account, Meaning.PRENOTE, is_debit=False),
        TransactionCode(first + 4, account, Meaning.ZERO_DOLLAR, is_debit=False),
        TransactionCode(first + 6, account, Meaning.RETURN_OR_CHANGE, is_debit=True),
    ]
    live_debit = first + (7 if has_debits else 5)
    rows += [
        TransactionCode(first + 2, account, Meaning.LIVE, is_debit=False, reversed_by=live_debit),
        TransactionCode(live_debit, account, Meaning.LIVE, is_debit=True, reversed_by=first + 2),
    ]
    if has_debits:
        rows += [
            TransactionCode(first + 8, account, Meaning.PRENOTE, is_debit=True),
            TransactionCode(first + 9, account, Meaning.ZERO_DOLLAR, is_debit=True),
        ]
    return rows


#: Every code that may stand in an entry. A loan account knows one debit, 55, a reversal.
TRANSACTION_CODES: dict[int, TransactionCode] = {
    row.code: row
    for row in (
        *_family(20, Account.CHECKING, has_debits=True),
        *_family(30, Account.SAVINGS, has_debits=True),
        *_family(40, Account.GENERAL_LEDGER, has_debits=True),
        *_family(50, Account.LOAN, has_debits=False),
        *(
            TransactionCode(code, Account.ADVICE, Meaning.LIVE, is_debit=code % 2 == 0)
            for code in range(81, 89)
        ),
    )
}


@dataclass(frozen=True, slots=True)
class SecCode:
    """One standard entry class: its layouts and what its entries may carry.

    `max_remittance` is the number of 05 addenda an entry may have, `required` the addenda types
    that every forward entry must have, `optional` further types and how often each may come.
    """

    code: str
    title: str
    entry: Layout = layouts.NAMELESS_ENTRY
    batch: Layout = layouts.BATCH_HEADER
    control: Layout = layouts.BATCH_CONTROL
    max_remittance: int = 0
    required: tuple[str, ...] = ()
    optional: tuple[tuple[str, int], ...] = ()
    is_corporate: bool = False
    is_originated: bool = False
    has_payment_type: bool = False
    has_trace: bool = True
    is_international: bool = False


_CTX = layouts.CTX_ENTRY
_IAT_ADDENDA = ("10", "11", "12", "13", "14", "15", "16")
_IAT_OPTIONAL = (("17", 2), ("18", 5))

SEC_CODES: dict[str, SecCode] = {
    row.code: row
    for row in (
        SecCode(
            "PPD",
            "payment to or from a consumer, agreed beforehand",
            layouts.ENTRY,
            max_remittance=1,
            is_originated=True,
        ),
        SecCode(
            "CCD",
            "payment to or from a business",
            layouts.ENTRY,
            max_remittance=1,
            is_corporate=True,
            is_originated=True,
        ),
        SecCode(
            "CTX",
            "payment to or from a business with many remittance records",
            _CTX,
            max_remittance=9999,
            is_corporate=True,
            is_originated=True,
        ),
        SecCode(
            "WEB",
            "payment that a consumer authorised online",
            layouts.ENTRY,
            max_remittance=1,
            is_originated=True,
            has_payment_type=True,
        ),
        SecCode(
            "TEL",
            "payment that a consumer authorised by telephone",
            layouts.ENTRY,
            is_originated=True,
            has_payment_type=True,
        ),
        SecCode("COR", "notification of change", layouts.NAMELESS_ENTRY),
        SecCode(
            "IAT",
            "international payment",
            layouts.IAT_ENTRY,
            layouts.IAT_BATCH_HEADER,
            layouts.IAT_BATCH_CONTROL,
            required=_IAT_ADDENDA,
            optional=_IAT_OPTIONAL,
            is_international=True,
        ),
        SecCode(
            "ADV",
            "advice of the operator",
            layouts.ADV_ENTRY,
            control=layouts.ADV_BATCH_CONTROL,
            has_trace=False,
        ),
        SecCode("ACK", "acknowledgement of a CCD", max_remittance=1, is_corporate=True),
        SecCode("ARC", "check converted at a lockbox"),
        SecCode("ATX", "acknowledgement of a CTX", _CTX, max_remittance=9999, is_corporate=True),
        SecCode("BOC", "check converted in the back office"),
        SecCode("CIE", "payment that a consumer starts", layouts.CIE_ENTRY, max_remittance=1),
        SecCode("DNE", "death notice of a federal agency", max_remittance=1, required=("05",)),
        SecCode("ENR", "enrolment with a federal agency", _CTX, max_remittance=9999),
        SecCode("MTE", "machine transfer", required=("02",)),
        SecCode("POP", "check converted at the counter"),
        SecCode("POS", "point of sale", required=("02",)),
        SecCode("RCK", "check presented again"),
        SecCode("SHR", "shared network", required=("02",)),
        SecCode("TRC", "truncated check"),
        SecCode("TRX", "truncated checks with many records", _CTX, max_remittance=9999),
        SecCode("XCK", "destroyed check"),
    )
}

#: A notification of change of an international entry: class COR, laid out like IAT.
INTERNATIONAL_CHANGE = SecCode(
    "COR",
    "notification of change of an international payment",
    layouts.IAT_ENTRY,
    layouts.IAT_BATCH_HEADER,
    layouts.IAT_BATCH_CONTROL,
    optional=tuple((kind, 1) for kind in _IAT_ADDENDA) + _IAT_OPTIONAL,
    is_international=True,
)

_UNKNOWN = SecCode("", "unknown", max_remittance=9999)


def sec_of_header(record: str) -> SecCode:
    """Return the entry class of a batch header record; one without a code if it is unknown."""
    sec = SEC_CODES.get(record[50:53], _UNKNOWN)
    if sec.code == INTERNATIONAL_CHANGE.code and record[4:20].rstrip() == "IATCOR":
        return INTERNATIONAL_CHANGE
    return sec


class Purpose(StrEnum):
    """Why a batch is sent, as far as the rules reserve a description for it."""

    PAYMENT = "payment"
    REVERSAL = "reversal"
    RETRY = "retry"
    ACCOUNT_CHECK = "account check"
    RETURN = "return"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class ReservedDescription:
    """A company entry description that the rules reserve.

    `purpose` is the only purpose of a batch that may carry it, None if we never send it.
    `prefix_only` means that up to three characters may follow.
    """

    text: str
    meaning: str
    purpose: Purpose | None
    sec_codes: tuple[str, ...] = ()
    is_debit: bool | None = None
    prefix_only: bool = False


RESERVED_DESCRIPTIONS: tuple[ReservedDescription, ...] = (
    ReservedDescription(
        "PAYROLL",
        "wages, salary or similar compensation of a consumer",
        Purpose.PAYMENT,
        ("PPD",),
        is_debit=False,
        prefix_only=True,
    ),
    ReservedDescription(
        "PURCHASE",
        "goods that a consumer bought online",
        Purpose.PAYMENT,
        ("WEB", "PPD", "TEL"),
        is_debit=True,
    ),
    ReservedDescription("REVERSAL", "undoes an entry that was sent in error", Purpose.REVERSAL),
    ReservedDescription(
        "RETRY PYMT",
        "a debit sent again after it was returned unpaid",
        Purpose.RETRY,
        is_debit=True,
    ),
    ReservedDescription("ACCTVERIFY", "micro-entries that test an account", Purpose.ACCOUNT_CHECK),
    ReservedDescription("RETURN FEE", "a fee for a returned debit", None),
    ReservedDescription("NONSETTLED", "entries that never settled", None),
    ReservedDescription("RECLAIM", "benefits reclaimed", None),
    ReservedDescription("AUTOENROLL", "enrolment with a federal agency", None),
    ReservedDescription("REDEPCHECK", "a check presented again", None),
    ReservedDescription("NO CHECK", "a destroyed check", None),
    ReservedDescription("HCCLAIMPMT", "a health plan paying a provider's claim", None),
)


def reserved_description(text: str) -> ReservedDescription | None:
    """Return the reserved description that the text is, or looks like in any case, else None."""
    squeezed = "".join(text.upper().split())
    for row in RESERVED_DESCRIPTIONS:
        reserved = row.text.replace(" ", "")
        if squeezed == reserved or (row.prefix_only and squeezed.startswith(reserved)):
            return row
    return None
