"""Routing numbers: check digit, prefix, length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.formats.nacha import check_digit, is_valid_routing_number


@pytest.mark.parametrize(
    "number", ["044000024", "091000019", "121000248", "021000021", "011000015"]
)
def test_numbers_of_real_banks_are_valid(number: str) -> None:
    assert is_valid_routing_number(number)
    assert check_digit(number[:8]) == number[8]


@pytest.mark.parametrize(
    "text",
    [
        "000000000",
        "044000025",
        "44000024",
        "0440000240",
        "",
        "04400002X",
        "O44000024",
        "130000009",
        "330000003",
        "990000008",
        " 44000024",
        "٠٤٤٠٠٠٠٢٤",
        "0440000²4",
    ],
)
def test_everything_else_is_not(text: str) -> None:
    assert not is_valid_routing_number(text)


@pytest.mark.parametrize("text", ["0440000", "044000024", "0440000X", "٠٤٤٠٠٠٠٢"])
def test_a_check_digit_needs_eight_digits(text: str) -> None:
    with pytest.raises(ValueError, match="eight digits"):
        check_digit(text)


@given(st.text(alphabet="0123456789", min_size=8, max_size=8))
def test_only_one_digit_fits_eight(first_eight: str) -> None:
    valid = [d for d in "0123456789" if is_valid_routing_number(first_eight + d)]
    assert valid in ([], [check_digit(first_eight)])


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert is_valid_routing_number(text) in {True, False}
