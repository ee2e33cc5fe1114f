"""Routing numbers of United States banks: the check digit and the rules on top of it."""

from __future__ import annotations

import re

_LENGTH = 9
_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)
_PREFIX = r"(?:0[0-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)"

#: Eight leading digits: a prefix that the Federal Reserve hands out, and not all zeros.
FIRST_EIGHT_PATTERN = rf"(?!0{{8}}){_PREFIX}[0-9]{{6}}"

_FIRST_EIGHT = re.compile(FIRST_EIGHT_PATTERN, re.ASCII)
_EIGHT_DIGITS = re.compile(r"[0-9]{8}", re.ASCII)


def check_digit(first_eight: str) -> str:
    """Return the ninth digit of a routing number, as a text of one character.

    The weights are 3 7 1 3 7 1 3 7 (1 for the digit itself) and the sum is a multiple of ten.
    Raises ValueError if the text is not eight digits.
    """
    if not _EIGHT_DIGITS.fullmatch(first_eight):
        message = "A check digit is computed from exactly eight digits."
        raise ValueError(message)
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_eight, strict=True))
    return str(-total % 10)


def is_valid_routing_number(text: str) -> bool:
    """Tell whether the text is nine digits with a known prefix and the right check digit.

    The checksum alone lets one random number in ten through, and all zeros, so the prefix
    (00-12, 21-32, 61-72, 80) counts as well. A valid number need not belong to a bank.
    """
    return (
        len(text) == _LENGTH
        and _FIRST_EIGHT.fullmatch(text, 0, 8) is not None
        and check_digit(text[:8]) == text[8]
    )
