"""Whole cents: what people may type, what is printed, and dividing without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.errors import InvalidAmount
from seedtrust.core.money import (
    MAX_AMOUNT_CENTS,
    allocate_equally,
    check_amount_cents,
    format_accounting,
    format_dollars,
    parse_dollars,
    percent_of,
    plain_dollars,
)

AMOUNTS = st.integers(1, MAX_AMOUNT_CENTS)
ANY = st.integers(-MAX_AMOUNT_CENTS, MAX_AMOUNT_CENTS)


@pytest.mark.parametrize(
    "typed, cents",
    [
        ("12", 1_200),
        ("12.5", 1_250),
        ("0.01", 1),
        ("$1,234.50", 123_450),
        ("$ 12", 1_200),
        ("  99,999,999.99 ", MAX_AMOUNT_CENTS),
        ("0012", 1_200),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, cents: int) -> None:
    assert parse_dollars(typed) == cents


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "0", "0.00", "-1", "+1", "1e3", "12.345", "12.", ".5", "1,23", "1,2345", "12 3"),
        *(
            "ten",
            "NaN",
            "inf",
            "0x10",
            "1_000",
            "\uff11\uff12",
            "\u0661\u0662",
            "12€",
            "1.2.3",
            "1" * 16,
            "9" * 21,
        ),
        *("99,999,999.995", "100,000,000.00", "$", "$$1", "1\n2", "1\x00"),
    ],
)
def test_everything_else_is_refused_with_the_field_and_what_to_do(typed: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        parse_dollars(typed, "fee")
    assert refused.value.errors.keys() == {"fee"}
    assert refused.value.detail.startswith("Enter")


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, b"2"])
def test_cents_are_whole_numbers_and_nothing_that_looks_like_one(value: object) -> None:
    with pytest.raises(InvalidAmount, match="whole number"):
        check_amount_cents(value)


@pytest.mark.parametrize("value", [0, -1, -MAX_AMOUNT_CENTS, MAX_AMOUNT_CENTS + 1, 10**15])
def test_cents_are_above_zero_and_fit_a_payment(value: int) -> None:
    with pytest.raises(InvalidAmount, match="Enter"):
        check_amount_cents(value)


@given(AMOUNTS)
def test_what_is_printed_can_be_typed_again(cents: int) -> None:
    assert parse_dollars(format_dollars(cents)) == cents
    assert parse_dollars(plain_dollars(cents)) == cents
    assert check_amount_cents(cents) == cents


@given(ANY)
def test_a_negative_amount_differs_by_its_sign_alone(cents: int) -> None:
    assert format_dollars(-abs(cents)).lstrip("-") == format_dollars(abs(cents))
    assert format_accounting(-abs(cents)).strip("()") == format_dollars(abs(cents))
    assert "," not in plain_dollars(cents)


def test_amounts_are_printed_for_people_for_accountants_and_for_files() -> None:
    assert format_dollars(-123_450) == "-1,234.50"
    assert format_accounting(-123_450) == "(1,234.50)"
    assert plain_dollars(-123_450) == "-1234.50"
    assert format_dollars(-5) == "-0.05"


def test_nine_instalments_of_a_worked_contract() -> None:
    assert allocate_equally(5_200_000, 9) == [577_778] * 8 + [577_776]


@given(ANY, st.integers(1, 400))
def test_instalments_add_up_and_differ_only_in_the_last(total: int, parts: int) -> None:
    shares = allocate_equally(total, parts)
    assert sum(shares) == total
    assert len(shares) == parts
    assert len(set(shares[:-1])) <= 1
    # Rounding to the nearest cent leaves at most half a cent for each of the others.
    assert abs(shares[-1] - shares[0]) <= parts / 2 + 1


@pytest.mark.parametrize("parts", [0, -1])
def test_nothing_is_divided_into_no_parts(parts: int) -> None:
    with pytest.raises(ValueError, match="at least one part"):
        allocate_equally(100, parts)


@pytest.mark.parametrize(
    "total, basis_points, share",
    [(1_200_000, 2_000, 240_000), (1, 5_000, 1), (1, 4_999, 0), (3, 5_000, 2), (0, 10_000, 0)],
)
def test_half_a_cent_is_rounded_up(total: int, basis_points: int, share: int) -> None:
    assert percent_of(total, basis_points) == share
