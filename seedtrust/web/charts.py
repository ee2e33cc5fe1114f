"""Geometry of the charts: pure functions from money and dates to shapes that a macro prints.

Paths live in a square of 1,000 by 1,000 units that the page stretches over the card; every other
position is in percent of the plot, so letters and line widths never stretch. Coordinates are
floats, money never is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal

from seedtrust.core.money import format_dollars

Anchor = Literal["start", "middle", "end"]

UNITS: Final = 1000
_MINUS: Final = "\N{MINUS SIGN}"
_TICK_STEPS: Final = (1, 2, 5)
_MOST_INTERVALS: Final = 5
_MOST_DATE_LABELS: Final = 8
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60)
_SHORT_SPAN_DAYS: Final = 62
_THOUSAND_DOLLARS: Final = 100_000
_MILLION_DOLLARS: Final = 100_000_000
_EDGE: Final = 12.0
_BAR_SHARE: Final = 0.68
_WIDEST_BAR: Final = 5.0
_BAR_GAP: Final = 0.25


@dataclass(frozen=True)
class ValueTick:
    """A horizontal grid line; `y` in percent from the top."""

    y: float
    label: str
    zero: bool


@dataclass(frozen=True)
class DateTick:
    """A label under the plot; the minor ones are hidden where there is little room."""

    x: float
    label: str
    minor: bool
    anchor: Anchor


@dataclass(frozen=True)
class Hit:
    """A column that shows one point's value while the pointer is over it."""

    x: float
    width: float
    point_x: float
    point_y: float
    day: str
    amount: str
    anchor: Anchor


@dataclass(frozen=True)
class Marker:
    """A single point with a sentence; used for a shortfall."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class ForecastChart:
    """A case balance over time, what was and what is expected."""

    title: str
    summary: str
    past_path: str
    future_path: str
    area_path: str
    value_ticks: tuple[ValueTick, ...]
    date_ticks: tuple[DateTick, ...]
    hits: tuple[Hit, ...]
    minimum_y: float | None
    minimum_label: str
    today_x: float | None
    today_anchor: Anchor
    shortfall: Marker | None
    rows: tuple[tuple[date, int], ...]


@dataclass(frozen=True)
class Bar:
    """One rectangle in percent of the plot."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class BarGroup:
    """The two bars of one month and their label."""

    label: DateTick
    money_in: Bar
    money_out: Bar


@dataclass(frozen=True)
class BarChart:
    """Money in and out by month."""

    title: str
    summary: str
    value_ticks: tuple[ValueTick, ...]
    groups: tuple[BarGroup, ...]
    rows: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Sparkline:
    """A line without axes for the inside of a card."""

    title: str
    path: str
    area_path: str


@dataclass(frozen=True)
class _Scale:
    low_cents: int
    high_cents: int
    step_cents: int

    def percent(self, cents: int) -> float:
        return _two((self.high_cents - cents) * 100 / (self.high_cents - self.low_cents))

    def units(self, cents: int) -> float:
        return _two(self.percent(cents) * UNITS / 100)

    def ticks(self) -> tuple[ValueTick, ...]:
        values = range(self.high_cents, self.low_cents - 1, -self.step_cents)
        return tuple(
            ValueTick(self.percent(value), axis_label(value), zero=value == 0) for value in values
        )


def _two(value: float) -> float:
    return round(value, 2)


def axis_label(cents: int) -> str:
    """Return an amount short enough for an axis: `$0`, `$750`, `$12.5k`, `$1.2M`."""
    sign, amount = ("" if cents >= 0 else _MINUS), abs(cents)
    for unit, letter in ((_MILLION_DOLLARS, "M"), (_THOUSAND_DOLLARS, "k")):
        if amount >= unit:
            whole, rest = divmod(amount * 100 // unit, 100)
            decimals = f"{rest:02d}".rstrip("0")
            return f"{sign}${whole:,}{'.' if decimals else ''}{decimals}{letter}"
    return f"{sign}${amount // 100:,}"


def full_amount(cents: int) -> str:
    """Return an amount as `$1,234.50` with a true minus sign."""
    return f"{_MINUS if cents < 0 else ''}${format_dollars(abs(cents))}"


def _day_text(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _scale(values_cents: Sequence[int]) -> _Scale:
    low, high = min(0, *values_cents), max(0, *values_cents)
    # At least four dollars from bottom to top, so that labels in whole dollars differ.
    spread = max(high - low, 400)
    step = 100
    while spread > step * _MOST_INTERVALS:
        step = next(
            size
            for size in (factor * 10**power for power in range(2, 16) for factor in _TICK_STEPS)
            if size > step
        )
    bottom = low // step * step
    top = -(-high // step) * step
    return _Scale(bottom, max(top, bottom + step), step)


def _anchor(x: float) -> Anchor:
    if x < _EDGE:
        return "start"
    return "end" if x > 100 - _EDGE else "middle"


def _day_percent(day: date, first: date, last: date) -> float:
    return _two((day - first).days * 100 / max((last - first).days, 1))


def _date_ticks(first: date, last: date) -> tuple[DateTick, ...]:
    days = _weekly(first, last) if (last - first).days <= _SHORT_SPAN_DAYS else ()
    days = days or _month_starts(first, last)
    short = (last - first).days <= _SHORT_SPAN_DAYS
    return tuple(
        DateTick(
            x := _day_percent(day, first, last),
            f"{day:%b} {day.day}" if short else _month_label(day, index),
            minor=index % 2 == 1,
            anchor="end" if x > 100 - _EDGE / 3 else "start" if x < _EDGE / 3 else "middle",
        )
        for index, day in enumerate(days)
    )


def _month_label(day: date, index: int) -> str:
    return f"{day:%b %Y}" if index == 0 or day.month == 1 else f"{day:%b}"


def _weekly(first: date, last: date) -> tuple[date, ...]:
    step = max(7, -(-(last - first).days // _MOST_DATE_LABELS))
    return tuple(
        first + timedelta(days=offset) for offset in range(0, (last - first).days + 1, step)
    )


def _month_starts(first: date, last: date) -> tuple[date, ...]:
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next(
        (size for size in _MONTH_STEPS if months // size < _MOST_DATE_LABELS), _MONTH_STEPS[-1]
    )
    start = first.year * 12 + first.month - 1
    numbers = range(start + (-start % step), last.year * 12 + last.month, step)
    starts = (date(number // 12, number % 12 + 1, 1) for number in numbers)
    return tuple(day for day in starts if first <= day <= last)


def _steps(points: Sequence[tuple[float, float]], end_x: float) -> str:
    (x, y), *rest = points
    moves = [f"M{x:g} {y:g}", *(f"H{next_x:g}V{next_y:g}" for next_x, next_y in rest)]
    return "".join([*moves, f"H{end_x:g}"])


def _hits(corners: Sequence[tuple[date, int]], scale: _Scale, last: date) -> tuple[Hit, ...]:
    first = corners[0][0]
    edges = [_day_percent(day, first, last) for day, _ in corners] + [100.0]
    return tuple(
        Hit(
            x=left,
            width=_two(right - left),
            point_x=left,
            point_y=scale.percent(cents),
            day=_day_text(day),
            amount=full_amount(cents),
            anchor=_anchor(left),
        )
        for (day, cents), (left, right) in zip(corners, pairwise(edges), strict=True)
    )


def forecast_chart(
    points: Sequence[tuple[date, int]],
    minimum_cents: int | None,
    today: date,
    shortfall: tuple[date, int] | None = None,
    *,
    title: str = "Balance and forecast",
) -> ForecastChart:
    """Draw a balance as steps: each point is a date and the balance in cents at its end.

    Points are in order of date, one a day at most. `shortfall` is the first point below the
    minimum. Raises ValueError for an empty or unordered series.
    """
    days = [day for day, _ in points]
    if not points or any(later <= earlier for earlier, later in pairwise(days)):
        message = "a forecast needs points in order of date"
        raise ValueError(message)
    first, last = days[0], max(days[-1], days[0] + timedelta(days=1))
    scale = _scale([cents for _, cents in points] + [minimum_cents or 0])
    corners = [
        (_day_percent(day, first, last) * UNITS / 100, scale.units(cents)) for day, cents in points
    ]
    line = _steps(corners, UNITS)
    today_x = _day_percent(today, first, last) if first <= today <= last else None
    split = UNITS if today > last else 0 if today_x is None else today_x * UNITS / 100
    past = [corner for corner in corners if corner[0] <= split]
    future = [past[-1]] if past else []
    if future:
        future = [(split, future[0][1])]
    future += [corner for corner in corners if corner[0] > split]
    return ForecastChart(
        title=title,
        summary=_forecast_summary(points, minimum_cents, shortfall),
        past_path=_steps(past, split) if past and split else "",
        future_path=_steps(future, UNITS) if split < UNITS else "",
        area_path=f"{line}V{scale.units(max(scale.low_cents, 0)):g}H0Z",
        value_ticks=scale.ticks(),
        date_ticks=_date_ticks(first, last),
        hits=_hits(points, scale, last),
        minimum_y=None if minimum_cents is None else scale.percent(minimum_cents),
        minimum_label="" if minimum_cents is None else f"Minimum {full_amount(minimum_cents)}",
        today_x=today_x,
        today_anchor="end" if today_x is not None and today_x > 100 - _EDGE else "start",
        shortfall=_shortfall_marker(shortfall, scale, first, last),
        rows=tuple(points),
    )


def _shortfall_marker(
    shortfall: tuple[date, int] | None, scale: _Scale, first: date, last: date
) -> Marker | None:
    if shortfall is None:
        return None
    day, cents = shortfall
    label = f"Below minimum on {_day_text(day)}: {full_amount(cents)}"
    return Marker(_day_percent(day, first, last), scale.percent(cents), label)


def _forecast_summary(
    points: Sequence[tuple[date, int]],
    minimum_cents: int | None,
    shortfall: tuple[date, int] | None,
) -> str:
    (start, opening), (end, closing) = points[0], points[-1]
    opened = f"{full_amount(opening)} on {_day_text(start)}"
    closed = f"{full_amount(closing)} on {_day_text(end)}"
    sentences = [f"From {opened} to {closed}."]
    if minimum_cents is not None:
        sentences.append(f"The minimum balance is {full_amount(minimum_cents)}.")
    if shortfall is not None:
        day, cents = shortfall
        sentences.append(f"On {_day_text(day)} it falls below, to {full_amount(cents)}.")
    return " ".join(sentences)


def bar_chart(
    series: Sequence[tuple[str, int, int]], *, title: str = "Money in and out"
) -> BarChart:
    """Draw two bars a month from (label, cents in, cents out), both as positive amounts.

    Raises ValueError for an empty series or a negative amount.
    """
    amounts = [cents for _, in_cents, out_cents in series for cents in (in_cents, out_cents)]
    if not series or min(amounts) < 0:
        message = "bars need at least one month and no negative amounts"
        raise ValueError(message)
    scale = _scale(amounts)
    slot = 100 / len(series)
    width = min(slot * _BAR_SHARE / 2, _WIDEST_BAR)
    total_in, total_out = sum(row[1] for row in series), sum(row[2] for row in series)
    return BarChart(
        title=title,
        summary=(
            f"{series[0][0]} to {series[-1][0]}: {full_amount(total_in)} in, "
            f"{full_amount(total_out)} out."
        ),
        value_ticks=scale.ticks(),
        groups=tuple(
            _bar_group(row, slot * (index + 0.5), width, scale, minor=index % 2 == 1)
            for index, row in enumerate(series)
        ),
        rows=tuple(series),
    )


def _bar_group(
    row: tuple[str, int, int], middle: float, width: float, scale: _Scale, *, minor: bool
) -> BarGroup:
    label, in_cents, out_cents = row
    return BarGroup(
        label=DateTick(_two(middle), label, minor=minor, anchor="middle"),
        money_in=_bar(f"{label}: in", in_cents, middle - width - _BAR_GAP, width, scale),
        money_out=_bar(f"{label}: out", out_cents, middle + _BAR_GAP, width, scale),
    )


def _bar(words: str, cents: int, x: float, width: float, scale: _Scale) -> Bar:
    y = scale.percent(cents)
    return Bar(_two(x), y, _two(width), _two(scale.percent(0) - y), f"{words} {full_amount(cents)}")


def sparkline(values_cents: Sequence[int], *, title: str) -> Sparkline:
    """Draw values in order as a bare line from the lowest to the highest.

    Raises ValueError for fewer than two values.
    """
    if len(values_cents) <= 1:
        message = "a line needs two values"
        raise ValueError(message)
    low, high = min(values_cents), max(values_cents)
    spread = (high - low) or 1
    width = UNITS / (len(values_cents) - 1)
    points = [
        f"{_two(index * width):g} {_two((high - cents) * UNITS / spread):g}"
        for index, cents in enumerate(values_cents)
    ]
    path = "M" + "L".join(points)
    return Sparkline(title=title, path=path, area_path=f"{path}V{UNITS}H0Z")
