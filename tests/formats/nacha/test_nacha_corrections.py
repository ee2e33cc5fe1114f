"""Notifications of change: what they say, however the bank placed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.formats.nacha import CHANGE_CODES, Correction, corrected_data, read_correction


@pytest.mark.parametrize(
    "code, data, expected",
    [
        ("C01", "1918171614", {"account_number": "1918171614"}),
        ("C01", "12-34 56", {"account_number": "12-34 56"}),
        ("C02", "121000248", {"routing_number": "121000248"}),
        (
            "C03",
            "121000248   1918171614",
            {"routing_number": "121000248", "account_number": "1918171614"},
        ),
        ("C04", "DOE-SMITH JANE", {"name": "DOE-SMITH JANE"}),
        ("C05", "37", {"transaction_code": 37}),
        (
            "C06",
            f"{'1918171614':<17}   32",
            {"account_number": "1918171614", "transaction_code": 32},
        ),
        (
            "C07",
            f"121000248{'1918171614':<17}32",
            {
                "routing_number": "121000248",
                "account_number": "1918171614",
                "transaction_code": 32,
            },
        ),
        ("C08", "NRNB010204987", {"foreign_bank": "NRNB010204987"}),
        ("C09", "MEMBER 42", {"identification": "MEMBER 42"}),
        ("C13", "", {}),
        ("C13", "ADDENDA 05 TOO LONG", {}),
        ("C14", "", {}),
    ],
)
def test_values_are_read_from_their_places(
    code: str, data: str, expected: dict[str, object]
) -> None:
    correction = read_correction(code, data)
    assert correction == Correction(code, is_complete=True, is_aligned=True, **expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "code, data",
    [
        ("C03", "121000248 1918171614"),
        ("C06", "1918171614 32"),
        ("C06", "1918171614       32"),
        ("C07", "121000248 1918171614 32"),
        ("C07", "121000248   1918171614        32"),
        ("C02", " 121000248"),
    ],
)
def test_values_beside_their_places_are_read_as_words(code: str, data: str) -> None:
    correction = read_correction(code, data)
    assert correction.is_complete
    assert not correction.is_aligned
    for name in CHANGE_CODES[code].corrects:
        expected = {"routing_number": "121000248", "account_number": "1918171614"}
        assert getattr(correction, name) == expected.get(name, 32)


@pytest.mark.parametrize(
    "code, data",
    [
        ("C01", ""),
        ("C01", "0000000000"),
        ("C02", "121000249"),
        ("C02", "000000000"),
        ("C03", "121000249   1918171614"),
        ("C03", "121000248"),
        ("C03", "1210002481918171614"),
        ("C05", "21"),
        ("C05", "99"),
        ("C05", "X7"),
        ("C06", "1918171614 23"),
        ("C07", "121000248191817161432"),
        ("C61", "1918171614"),
        ("C99", "1918171614"),
        ("", ""),
    ],
)
def test_what_cannot_be_right_gives_no_value(code: str, data: str) -> None:
    correction = read_correction(code, data)
    assert correction == Correction(code, is_complete=False, is_aligned=False)


@given(st.sampled_from([*CHANGE_CODES, "C00"]), st.text(max_size=40))
def test_any_text_gets_an_answer(code: str, data: str) -> None:
    correction = read_correction(code, data)
    if correction.is_complete:
        for name in CHANGE_CODES[code].corrects:
            assert getattr(correction, name) is not None


@pytest.mark.parametrize(
    "code, values",
    [
        ("C03", {"routing_number": "121000248", "account_number": "1918171614"}),
        ("C06", {"account_number": "12345678901234567", "transaction_code": "32"}),
        (
            "C07",
            {"routing_number": "121000248", "account_number": "42", "transaction_code": "27"},
        ),
        ("C13", {}),
    ],
)
def test_values_can_be_put_in_their_places(code: str, values: dict[str, str]) -> None:
    correction = read_correction(code, corrected_data(code, **values))
    assert correction.is_aligned
    for name, value in values.items():
        assert str(getattr(correction, name)) == value


@pytest.mark.parametrize("values", [{}, {"name": "JANE"}])
def test_other_values_than_the_code_corrects_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="C02 corrects routing_number"):
        corrected_data("C02", **values)


def test_a_code_that_corrects_nothing_takes_no_values() -> None:
    with pytest.raises(ValueError, match="corrects nothing"):
        corrected_data("C14", name="JANE")
