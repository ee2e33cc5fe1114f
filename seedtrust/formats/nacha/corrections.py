"""What a notification of change says is right, read out of its 29 characters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedtrust.formats.nacha.codes import TRANSACTION_CODES, Account, Meaning
from seedtrust.formats.nacha.reasons import CHANGE_CODES
from seedtrust.formats.nacha.routing import is_valid_routing_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedtrust.formats.nacha.reasons import ChangeCode

_LIVE_CODES = frozenset(
    f"{row.code:02d}"
    for row in TRANSACTION_CODES.values()
    if row.meaning is Meaning.LIVE and row.account is not Account.ADVICE
)


@dataclass(frozen=True, slots=True)
class Correction:
    """The corrected values of one notification of change; None where nothing was corrected.

    `is_complete` is false when a value that the code promises is missing or cannot be right:
    then no value is given and a person must read the raw text. `is_aligned` is false when the
    values were not where the rules put them.
    """

    change_code: str
    is_complete: bool
    is_aligned: bool
    routing_number: str | None = None
    account_number: str | None = field(default=None, repr=False)
    transaction_code: int | None = None
    name: str | None = None
    identification: str | None = None
    foreign_bank: str | None = None


def _is_plausible(name: str, value: str) -> bool:
    if name == "routing_number":
        return is_valid_routing_number(value)
    if name == "transaction_code":
        return value in _LIVE_CODES
    if name == "account_number":
        return bool(value.strip("0 ")) and "  " not in value
    return bool(value)


def _by_position(row: ChangeCode, data: str) -> dict[str, str] | None:
    """Read the values from their places; None unless all fit and the gaps are blank."""
    values = {}
    rest = data
    for name, start, length in row.places:
        value = data[start : start + length].strip()
        if not _is_plausible(name, value):
            return None
        values[name] = value
        rest = rest[:start] + " " * length + rest[start + length :]
    return None if rest.strip() else values


def _by_tokens(row: ChangeCode, data: str) -> dict[str, str] | None:
    """Read the values as words in their order, for banks that misplace them."""
    tokens = data.split()
    if len(tokens) != len(row.places):
        return None
    values = dict(zip(row.corrects, tokens, strict=True))
    return values if all(_is_plausible(*pair) for pair in values.items()) else None


def _correction(code: str, values: Mapping[str, str], *, is_aligned: bool) -> Correction:
    transaction_code = values.get("transaction_code")
    return Correction(
        code,
        is_complete=True,
        is_aligned=is_aligned,
        routing_number=values.get("routing_number"),
        account_number=values.get("account_number"),
        transaction_code=None if transaction_code is None else int(transaction_code),
        name=values.get("name"),
        identification=values.get("identification"),
        foreign_bank=values.get("foreign_bank"),
    )


def read_correction(change_code: str, corrected_data: str) -> Correction:
    """Return what a change code and its corrected data say; never raises.

    The values are read by position first and, because banks misplace those of C03, C06 and C07,
    as words second. Either way a routing number must carry its check digit, a transaction code
    must be a live one and an account number must not be blank or zero.
    """
    row = CHANGE_CODES.get(change_code)
    if row is None or row.is_bank_to_bank:
        return Correction(change_code, is_complete=False, is_aligned=False)
    values = _by_position(row, corrected_data)
    if values is not None or not row.places:
        return _correction(change_code, values or {}, is_aligned=True)
    values = _by_tokens(row, corrected_data)
    if values is not None:
        return _correction(change_code, values, is_aligned=False)
    return Correction(change_code, is_complete=False, is_aligned=False)
