"""Chart geometry: what the lines mean, and that no input draws outside the plot."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.web.charts import axis_label, bar_chart, forecast_chart, sparkline

START = date(2026, 1, 1)
TODAY = date(2026, 7, 6)
YEAR = [(date(2026, month, 1), 1_000_000 - month * 50_000) for month in range(1, 13)]

days = st.lists(
    st.dates(date(2020, 1, 1), date(2035, 12, 31)), min_size=1, max_size=40, unique=True
).map(sorted)
cents = st.integers(-9_999_999_999, 9_999_999_999)


def numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", path)]


@pytest.mark.parametrize(
    "amount, label",
    [
        (0, "$0"),
        (75_000, "$750"),
        (100_000, "$1k"),
        (1_250_000, "$12.5k"),
        (50_000_000, "$500k"),
        (120_000_000, "$1.2M"),
        (-1_000_000, "\N{MINUS SIGN}$10k"),
        (123_456_700_000_000, "$1,234,567M"),
    ],
)
def test_axis_labels_are_short_and_in_dollars(amount: int, label: str) -> None:
    assert axis_label(amount) == label


def test_a_balance_is_drawn_in_steps_that_break_today() -> None:
    chart = forecast_chart(
        [(START, 0), (START + timedelta(days=50), 100_000), (START + timedelta(days=100), 50_000)],
        None,
        START + timedelta(days=75),
    )

    assert chart.past_path == "M0 1000H500V0H750"
    assert chart.future_path == "M750 0H1000V500H1000"
    assert chart.area_path == "M0 1000H500V0H1000V500H1000V1000H0Z"
    assert chart.today_x == 75


@pytest.mark.parametrize(
    "today, past, future",
    [(date(2025, 12, 31), False, True), (date(2027, 1, 1), True, False), (TODAY, True, True)],
)
def test_a_series_may_lie_wholly_before_or_after_today(
    today: date, *, past: bool, future: bool
) -> None:
    chart = forecast_chart(YEAR, 100_000, today)

    assert bool(chart.past_path) == past
    assert bool(chart.future_path) == future
    assert (chart.today_x is None) == (not (past and future))


def test_the_minimum_and_the_shortfall_are_named_in_words() -> None:
    low = (date(2026, 12, 1), 400_000)
    chart = forecast_chart(YEAR, 500_000, TODAY, low)

    assert chart.minimum_label == "Minimum $5,000.00"
    assert chart.shortfall is not None
    assert chart.shortfall.label == "Below minimum on Dec 1, 2026: $4,000.00"
    assert chart.summary == (
        "From $9,500.00 on Jan 1, 2026 to $4,000.00 on Dec 1, 2026. "
        "The minimum balance is $5,000.00. On Dec 1, 2026 it falls below, to $4,000.00."
    )


def test_every_point_is_in_the_table_and_has_its_column() -> None:
    chart = forecast_chart(YEAR, None, TODAY)

    assert chart.rows == tuple(YEAR)
    assert [hit.day for hit in chart.hits][:2] == ["Jan 1, 2026", "Feb 1, 2026"]
    assert round(sum(hit.width for hit in chart.hits), 1) == 100
    assert chart.hits[0].amount == "$9,500.00"


def test_a_single_day_is_enough() -> None:
    chart = forecast_chart([(START, 0)], None, START)

    assert chart.today_x == 0
    assert chart.past_path == ""
    assert chart.future_path == "M0 1000H1000"


@pytest.mark.parametrize("points", [[], [(START, 1), (START, 2)], [(TODAY, 1), (START, 2)]])
def test_an_empty_or_unordered_series_is_refused(points: list[tuple[date, int]]) -> None:
    with pytest.raises(ValueError, match="in order"):
        forecast_chart(points, None, TODAY)


@given(days=days, data=st.data(), minimum=st.none() | cents, today=st.dates(START, TODAY))
def test_no_balance_is_drawn_outside_the_plot(
    days: list[date], data: st.DataObject, minimum: int | None, today: date
) -> None:
    points = [(day, data.draw(cents)) for day in days]
    chart = forecast_chart(points, minimum, today)
    drawn = numbers(chart.past_path + " " + chart.future_path + " " + chart.area_path)
    ticks = [tick.y for tick in chart.value_ticks]

    assert all(0 <= number <= 1000 for number in drawn)
    assert all(0 <= hit.point_x <= 100 and 0 <= hit.point_y <= 100 for hit in chart.hits)
    assert ticks[0] == 0
    assert ticks[-1] == 100
    assert 2 <= len(ticks) <= 8
    assert sum(tick.zero for tick in chart.value_ticks) == 1
    assert len({tick.label for tick in chart.value_ticks}) == len(ticks)
    gaps = [round(later - earlier, 1) for earlier, later in pairwise(ticks)]
    assert max(gaps) - min(gaps) <= 0.2


@given(days=days)
def test_dates_below_the_plot_are_few_ordered_and_inside(days: list[date]) -> None:
    chart = forecast_chart([(day, 100) for day in days], None, TODAY)
    places = [tick.x for tick in chart.date_ticks]

    assert len(places) <= 10
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


def test_a_long_series_is_labelled_by_month_and_a_short_one_by_week() -> None:
    long = forecast_chart(YEAR, None, TODAY)
    short = forecast_chart([(START, 0), (START + timedelta(days=28), 1)], None, START)

    assert [tick.label for tick in long.date_ticks][:3] == ["Jan 2026", "Mar", "May"]
    assert [tick.label for tick in short.date_ticks] == [
        "Jan 1",
        "Jan 8",
        "Jan 15",
        "Jan 22",
        "Jan 29",
    ]
    assert [tick.minor for tick in short.date_ticks] == [False, True, False, True, False]


def test_bars_stand_on_zero_and_say_their_amount() -> None:
    chart = bar_chart([("Jan", 400_000, 200_000), ("Feb", 0, 500_000)])
    first = chart.groups[0]

    assert (first.money_in.y, first.money_in.height) == (20, 80)
    assert first.money_in.y + first.money_in.height == 100
    assert first.money_in.title == "Jan: in $4,000.00"
    assert chart.groups[1].money_in.height == 0
    assert chart.summary == "Jan to Feb: $4,000.00 in, $7,000.00 out."


@given(
    st.lists(
        st.tuples(st.just("Jan"), st.integers(0, 10**10), st.integers(0, 10**10)),
        min_size=1,
        max_size=36,
    )
)
def test_no_bar_leaves_its_month(series: list[tuple[str, int, int]]) -> None:
    chart = bar_chart(series)
    slot = 100 / len(series)

    for index, group in enumerate(chart.groups):
        for bar in (group.money_in, group.money_out):
            assert slot * index - 0.3 <= bar.x <= bar.x + bar.width <= slot * (index + 1) + 0.3
            assert 0 <= bar.y <= 100


@pytest.mark.parametrize("series", [[], [("Jan", -1, 0)]])
def test_bars_refuse_nothing_and_negatives(series: list[tuple[str, int, int]]) -> None:
    with pytest.raises(ValueError, match="at least one month"):
        bar_chart(series)


def test_a_sparkline_reaches_from_edge_to_edge() -> None:
    line = sparkline([100, 300, 200], title="Requests")

    assert line.path == "M0 1000L500 0L1000 500"
    assert line.area_path == "M0 1000L500 0L1000 500V1000H0Z"
    assert sparkline([7, 7], title="Flat").path == "M0 0L1000 0"


def test_a_sparkline_needs_two_values() -> None:
    with pytest.raises(ValueError, match="two values"):
        sparkline([1], title="Alone")
