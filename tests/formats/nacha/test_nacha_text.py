"""Text that goes into a file: ASCII only, cut by one rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.formats.nacha import fit_name, is_printable, mask, transliterate


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Jane Doe", "Jane Doe"),
        ("Zoë Müller", "Zoe Muller"),
        ("Strauß", "Strauss"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Søren Ærø", "Soren AEro"),
        ("O’Brien", "O'Brien"),
        ("“Ann”–Lee…", '"Ann"-Lee...'),
        ("Şebnem I\N{LATIN SMALL LETTER DOTLESS I}k", "Sebnem Iik"),
        ("ﬁnance", "finance"),
        ("Tab\tand\nline", "Tab and line"),
        ("no\u00a0break", "no break"),
        ("bell\x07zero\x00", "bellzero"),
        ("right\u202eto left", "rightto left"),
        ("山田太郎", "????"),
        ("Ann 😀", "Ann ?"),
        ("", ""),
    ],
)
def test_text_is_brought_to_ascii(text: str, expected: str) -> None:
    assert transliterate(text) == expected


@given(st.text())
def test_the_result_is_always_printable_and_stays_as_it_is(text: str) -> None:
    once = transliterate(text)
    assert is_printable(once)
    assert transliterate(once) == once


@pytest.mark.parametrize(
    "name, width, expected",
    [
        ("Jane Doe", 22, "Jane Doe"),
        ("  Jane \t  Doe  ", 22, "Jane Doe"),
        ("Maximiliane von Hohenlohe-Langenburg", 22, "Maximiliane von Hohenl"),
        ("SEEDTRUST ESCROW SERVICES LLC", 16, "SEEDTRUST ESCROW"),
        ("SEEDTRUST ESCRO W", 16, "SEEDTRUST ESCRO"),
        ("\u3000", 22, ""),
    ],
)
def test_names_are_cut_by_one_rule(name: str, width: int, expected: str) -> None:
    assert fit_name(name, width) == expected


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_fitted_name_fits_and_stays_as_it_is(name: str, width: int) -> None:
    fitted = fit_name(name, width)
    assert len(fitted) <= width
    assert fitted == fitted.strip()
    assert fit_name(fitted, width) == fitted


@pytest.mark.parametrize(
    "text, expected",
    [("0123456789", "******6789"), ("12345", "*2345"), ("1234", "****"), ("", "")],
)
def test_a_mask_leaves_four_characters_at_most(text: str, expected: str) -> None:
    assert mask(text) == expected
