"""Caps by line, day, week and journey, as worked examples and as properties."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.domain.terms.limits import Piece, allowed, divide, missing
from seedtrust.domain.terms.plans import Cap
from seedtrust.domain.terms.states import CapPeriod

DAILY = Cap(CapPeriod.DAY, amount_cents=10_000)
WEEKLY = Cap(CapPeriod.WEEK, amount_cents=12_500)
HOURS = Cap(CapPeriod.WEEK, quantity_hundredths=4_000, unit="hours")
MONDAY = date(2025, 11, 24)


def _on(day: int, cents: int, units: int | None = None) -> Piece:
    return Piece(cents, MONDAY + timedelta(days=day), units)


def _cents(caps: list[Cap], pieces: list[Piece], used: list[Piece] | None = None) -> list[int]:
    return [one.cents for one in allowed(caps, pieces, used or ())]


def test_the_worked_childcare_is_cut_to_its_cap_a_day() -> None:
    pieces = [_on(day, 9_000) for day in range(4)] + [_on(day, 10_900) for day in range(4, 8)]
    left = allowed([DAILY], pieces)
    assert sum(piece.amount_cents for piece in pieces) == 79_600
    assert sum(one.cents for one in left) == 76_000
    assert [one.cap for one in left] == [None] * 4 + [DAILY] * 4


def test_two_lines_of_a_day_share_its_cap_and_so_does_what_was_approved_before() -> None:
    assert _cents([DAILY], [_on(0, 7_000), _on(0, 7_000)]) == [7_000, 3_000]
    assert _cents([DAILY], [_on(0, 7_000), _on(1, 7_000)], [_on(0, 8_000)]) == [2_000, 7_000]


def test_weeks_run_from_monday_to_sunday() -> None:
    assert _cents([WEEKLY], [_on(0, 12_500), _on(6, 100), _on(7, 12_500)]) == [12_500, 0, 12_500]


def test_hours_beyond_a_week_are_not_paid() -> None:
    assert _cents([HOURS], [_on(0, 99_400, 4_000)]) == [99_400]
    assert _cents([HOURS], [_on(0, 124_250, 5_000)]) == [99_400]
    assert _cents([HOURS], [_on(2, 24_850, 1_000)], [_on(0, 99_400, 4_000)]) == [0]


def test_caps_by_line_and_over_the_journey() -> None:
    line, all_days = Cap(CapPeriod.ITEM, 5_000), Cap(CapPeriod.JOURNEY, 8_000)
    assert _cents([line, all_days], [Piece(6_000), Piece(6_000)]) == [5_000, 3_000]
    assert _cents([line, all_days], [Piece(6_000)], [Piece(7_900)]) == [100]


@pytest.mark.parametrize(
    "caps, pieces, word",
    [
        ([DAILY], [], "day"),
        ([DAILY], [Piece(100)], "day"),
        ([WEEKLY], [_on(0, 100), Piece(100)], "day"),
        ([HOURS], [_on(0, 100)], "hours"),
        ([DAILY], [_on(0, 100)], ""),
        ([HOURS], [_on(0, 100, 100)], ""),
        ([Cap(CapPeriod.ITEM, 100)], [], ""),
        ([], [], ""),
    ],
)
def test_what_a_cap_needs_to_know_is_asked_for(
    caps: list[Cap], pieces: list[Piece], word: str
) -> None:
    sentence = missing(caps, pieces)
    assert bool(sentence) is bool(word)
    assert word in sentence


def test_a_piece_that_does_not_say_its_day_is_left_nothing() -> None:
    assert _cents([DAILY], [Piece(100), _on(0, 100)]) == [0, 100]


PIECES = st.lists(
    st.builds(
        _on,
        st.integers(0, 20),
        st.integers(1, 100_000),
        st.integers(1, 10_000),
    ),
    max_size=30,
)
CAPS = st.lists(
    st.one_of(
        st.builds(Cap, st.sampled_from(CapPeriod), amount_cents=st.integers(1, 200_000)),
        st.builds(
            Cap,
            st.sampled_from(CapPeriod),
            quantity_hundredths=st.integers(1, 20_000),
            unit=st.just("hours"),
        ),
    ),
    min_size=1,
    max_size=4,
)


@given(CAPS, PIECES, PIECES)
def test_no_cap_is_ever_exceeded_however_requests_follow_one_another(
    caps: list[Cap], first: list[Piece], second: list[Piece]
) -> None:
    whole = allowed(caps, [*first, *second])
    before = allowed(caps, first)
    assert [one.cents for one in whole[: len(first)]] == [one.cents for one in before]
    for piece, left in zip([*first, *second], whole, strict=True):
        assert 0 <= left.cents <= piece.amount_cents
        assert (left.cap is None) == (left.cents == piece.amount_cents)
    for cap in caps:
        if cap.amount_cents is None:
            continue
        sums: dict[object, int] = {}
        for index, (piece, left) in enumerate(zip([*first, *second], whole, strict=True)):
            assert piece.serves_on is not None
            key: object = {
                CapPeriod.ITEM: index,
                CapPeriod.DAY: piece.serves_on,
                CapPeriod.WEEK: piece.serves_on.isocalendar()[:2],
                CapPeriod.JOURNEY: 0,
            }[cap.period]
            sums[key] = sums.get(key, 0) + left.cents
        assert max(sums.values(), default=0) <= cap.amount_cents


@given(st.lists(st.integers(0, 10_000), max_size=20), st.data())
def test_an_approved_amount_is_divided_over_the_lines_to_the_cent(
    most: list[int], data: st.DataObject
) -> None:
    cents = data.draw(st.integers(0, sum(most)))
    parts = divide(cents, most)
    assert sum(parts) == cents
    assert all(0 <= part <= limit for part, limit in zip(parts, most, strict=True))


def test_more_than_the_lines_allow_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match="more is approved"):
        divide(101, [50, 50])
