"""Whole US cents: parsing, printing and dividing without loss."""

from __future__ import annotations

import re
from typing import Final

from seedtrust.core.errors import InvalidAmount

# The widest amount that one NACHA entry can carry (entry detail record, positions 30-39).
MAX_AMOUNT_CENTS: Final = 9_999_999_999

_DOLLARS = re.compile(r"\$?\s?(?P<dollars>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<cents>\d{1,2}))?")
_LONGEST_TEXT: Final = 20


def parse_dollars(text: str, field: str = "amount") -> int:
    """Read dollars and cents as people type them (`1,234.50`, `$12`) and return whole cents.

    Raises InvalidAmount, naming `field`, for anything else: signs, exponents, more than two
    decimals, zero, or more than MAX_AMOUNT_CENTS.
    """
    cleaned = text.strip()
    match = _DOLLARS.fullmatch(cleaned) if len(cleaned) <= _LONGEST_TEXT else None
    if match is None or not cleaned.isascii():
        raise _refused(field, "Enter an amount in dollars and cents, for example 1,234.50.")
    cents = (match["cents"] or "").ljust(2, "0")
    return check_amount_cents(int(match["dollars"].replace(",", "") + cents), field)


def check_amount_cents(value: object, field: str = "amount_cents") -> int:
    """Return `value` if it is a whole number of cents from 1 to MAX_AMOUNT_CENTS.

    Raises InvalidAmount, naming `field`, for booleans, floats, text, zero, negatives and excess.
    """
    if type(value) is not int:
        raise _refused(field, "Give the amount as a whole number of cents.")
    if value <= 0:
        raise _refused(field, "Enter an amount above zero.")
    if value > MAX_AMOUNT_CENTS:
        raise _refused(field, f"Enter at most {format_dollars(MAX_AMOUNT_CENTS)}.")
    return value


def _refused(field: str, message: str) -> InvalidAmount:
    return InvalidAmount(message, errors={field: [message]}, field=field)


def format_dollars(cents: int) -> str:
    """Print cents as dollars with separators and a sign: `-1,234.50`."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}{dollars:,}.{rest:02d}"


def format_accounting(cents: int) -> str:
    """Print cents the accountant's way, negatives in brackets: `(1,234.50)`."""
    text = format_dollars(abs(cents))
    return f"({text})" if cents < 0 else text


def plain_dollars(cents: int) -> str:
    """Print cents without separators, as the sample files do: `-1234.50`."""
    return format_dollars(cents).replace(",", "")


def allocate_equally(total_cents: int, parts: int) -> list[int]:
    """Divide a total into equal instalments, rounded to the cent, the residue in the last one.

    52,000.00 in nine parts is eight times 5,777.78 and 5,777.76. Raises ValueError below one part.
    """
    if parts < 1:
        message = "there must be at least one part"
        raise ValueError(message)
    share = (2 * total_cents + parts) // (2 * parts)
    return [share] * (parts - 1) + [total_cents - share * (parts - 1)]


def percent_of(total_cents: int, basis_points: int) -> int:
    """Return a share of the total in basis points (2,000 = 20 %), half a cent rounded up."""
    return (total_cents * basis_points * 2 + 10_000) // 20_000
