"""Typed values of a BAI2 file; amounts are integers in the currency's minor unit (cents)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from seedtrust.formats.bai2.codes import Direction, direction_of
from seedtrust.formats.bai2.findings import Finding

UPDATE = "1"
DELETION = "2"
CORRECTION = "3"
TEST = "4"

INTERIM_PREVIOUS_DAY = "1"
FINAL_PREVIOUS_DAY = "2"
INTERIM_SAME_DAY = "3"
FINAL_SAME_DAY = "4"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: its first line (from 1) and its physical records unchanged."""

    line: int
    raw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Funds:
    """When an amount becomes available.

    ``kind`` is the funds type as written: empty, 0, 1, 2 or Z without more; V with ``value_on``
    and ``value_time``; S with three and D with any number of (days, cents) pairs.
    """

    kind: str = ""
    value_on: date | None = None
    value_time: str = ""
    parts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance (001-099), a total or another summary of a 03 record; ``None`` means not given."""

    type_code: str
    amount_cents: int | None = None
    item_count: int | None = None
    funds: Funds = Funds()


@dataclass(frozen=True, slots=True)
class Transaction:
    """A 16 record; the amount is unsigned and ``direction`` follows from the type code.

    ``text_lines`` holds the text as the bank broke it over 88 records.
    """

    type_code: str
    amount_cents: int | None
    funds: Funds = Funds()
    bank_reference: str = ""
    customer_reference: str = ""
    text_lines: tuple[str, ...] = ()
    source: Source | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The whole text; continuation records are joined without a gap, as the format says."""
        return "".join(self.text_lines)

    @property
    def direction(self) -> Direction:
        """Which way the money moved."""
        return direction_of(self.type_code)

    @property
    def signed_cents(self) -> int:
        """The effect on the account: credits positive, debits negative, 0 for other codes."""
        amount_cents = self.amount_cents or 0
        if self.direction is Direction.CREDIT:
            return amount_cents
        if self.direction is Direction.DEBIT:
            return -amount_cents
        return 0


@dataclass(frozen=True, slots=True)
class Account:
    """Records 03 to 49: one account's summaries and transactions."""

    account_number: str
    currency: str = ""
    balances: tuple[Balance, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    source: Source | None = field(default=None, compare=False, repr=False)

    def balance_cents(self, type_code: str) -> int | None:
        """Return the first amount given for a status or summary code, or None."""
        return next(
            (
                item.amount_cents
                for item in self.balances
                if item.type_code == type_code and item.amount_cents is not None
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Records 02 to 98: the accounts of one bank and one as-of date.

    A group replaces an earlier one with the same originator, account, date and modifier when its
    ``status`` is ``CORRECTION``, and withdraws it when it is ``DELETION``.
    """

    originator: str
    as_of_on: date
    ultimate_receiver: str = ""
    status: str = UPDATE
    as_of_time: str = ""
    currency: str = ""
    as_of_modifier: str = ""
    accounts: tuple[Account, ...] = ()
    source: Source | None = field(default=None, compare=False, repr=False)

    @property
    def is_final_previous_day(self) -> bool:
        """True for the statement that closes a day."""
        return self.as_of_modifier == FINAL_PREVIOUS_DAY


@dataclass(frozen=True, slots=True)
class Bai2File:
    """Records 01 to 99; trailers are not kept, because the writer computes them anew."""

    sender: str
    receiver: str
    created_on: date
    created_time: str
    file_id: str
    record_length: int | None = None
    block_size: int | None = None
    groups: tuple[Group, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    source: Source | None = field(default=None, compare=False, repr=False)
