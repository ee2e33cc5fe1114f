"""What templates print for money, dates, instants, status words, icons and links."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError
from markupsafe import Markup

from seedtrust.web.formatting import (
    NOTICE_ICONS,
    TONE_ICONS,
    accounting,
    attributes,
    checked_tone,
    count_text,
    date_on,
    icon,
    instant,
    money,
    nothing,
    status_badge,
    time_left,
    url_with,
    when,
)
from seedtrust.web.page import TONES, NavUser, Tone
from tests.web.kit_app import make_kit_app


@pytest.fixture
def app() -> Flask:
    return make_kit_app()


@pytest.mark.parametrize(
    "cents, text",
    [
        (0, "$0.00"),
        (5, "$0.05"),
        (123450, "$1,234.50"),
        (-123450, "\N{MINUS SIGN}$1,234.50"),
        (9_999_999_999, "$99,999,999.99"),
    ],
)
def test_money_is_dollars_and_cents_with_a_true_minus(cents: int, text: str) -> None:
    assert money(cents) == f'<span class="money">{text}</span>'


def test_a_missing_amount_is_a_dash_that_can_be_heard() -> None:
    assert money(None) == accounting(None) == date_on(None) == instant(None) == nothing()
    assert '<span class="visually-hidden">none</span>' in nothing()


def test_accounting_puts_negatives_in_brackets_and_says_minus() -> None:
    assert accounting(123450) == '<span class="money">1,234.50</span>'
    assert "(1,234.50)" in accounting(-123450)
    assert '<span class="visually-hidden">minus </span>' in accounting(-123450)


@pytest.mark.parametrize(
    "cents, parts",
    [(-500, ["(5.00)", " out"]), (500, [">5.00<", " in"]), (0, [">0.00<"])],
)
def test_accounting_can_show_the_direction_as_a_word(cents: int, parts: list[str]) -> None:
    text = accounting(cents, word=True)

    assert all(part in text for part in parts)
    assert ("money-word" in text) == (cents != 0)


def test_a_business_date_has_no_time_and_its_weekday_in_the_title() -> None:
    assert date_on(date(2026, 7, 6)) == (
        '<time datetime="2026-07-06" title="Monday, July 6, 2026">Jul 6, 2026</time>'
    )


@pytest.mark.parametrize(
    "at, text, zone",
    [
        (datetime(2026, 7, 6, 18, 45, 9, tzinfo=UTC), "Jul 6, 2026, 2:45 PM", "Daylight"),
        (datetime(2026, 1, 7, 4, 59, tzinfo=UTC), "Jan 6, 2026, 11:59 PM", "Standard"),
        (datetime(2026, 7, 6, 4, 0, tzinfo=UTC), "Jul 6, 2026, 12:00 AM", "Daylight"),
        (
            datetime(2026, 7, 6, 18, 0, tzinfo=timezone(timedelta(hours=2))),
            "Jul 6, 2026, 12:00 PM",
            "Daylight",
        ),
    ],
)
def test_an_instant_is_new_york_time_with_its_zone_in_the_title(
    at: datetime, text: str, zone: str
) -> None:
    printed = instant(at)

    assert f">{text}</time>" in printed
    assert f"Eastern {zone} Time" in printed
    assert f'datetime="{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"' in printed


def test_an_instant_can_be_long_or_only_a_time() -> None:
    at = datetime(2026, 7, 6, 18, 45, tzinfo=UTC)

    assert ">Jul 6, 2026 at 2:45 PM ET</time>" in instant(at, "long")
    assert ">2:45 PM ET</time>" in instant(at, "time")
    assert "2:45:00 PM" in instant(at)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        instant(datetime(2026, 7, 6))  # noqa: DTZ001 - the very thing that is refused


def test_when_takes_either_kind() -> None:
    at = datetime(2026, 7, 6, 18, 45, tzinfo=UTC)

    assert when(at) == instant(at)
    assert when(date(2026, 7, 6)) == date_on(date(2026, 7, 6))


@pytest.mark.parametrize("tone", TONES)
def test_a_status_is_a_word_an_icon_and_a_tone(tone: Tone) -> None:
    badge = status_badge("Paid & <done>", tone)

    assert f"tone-{tone}" in badge
    assert "Paid &amp; &lt;done&gt;" in badge
    assert icon(TONE_ICONS[tone]) in badge
    assert icon(NOTICE_ICONS[tone])


def test_an_unknown_tone_or_icon_is_an_error() -> None:
    with pytest.raises(ValueError, match="is no tone"):
        checked_tone("green")
    with pytest.raises(Exception, match="does not exist"):
        icon("no-such-icon")


def test_an_icon_is_hidden_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in icon("check")
    assert "style=" not in icon("check")
    assert 'role="img" aria-label="&lt;Done&gt;"' in icon("check", label="<Done>")


def test_a_link_keeps_the_view_and_changes_one_thing(app: Flask) -> None:
    app.add_url_rule("/cases/<case>", "case", lambda case: case)
    with app.test_request_context("/cases/A?q=a%20b&state=open&state=paid&cursor=x"):
        changed = url_with(sort="-amount", cursor=None)
        replaced = url_with(state="all")

    assert changed == "/cases/A?q=a+b&state=open&state=paid&sort=-amount"
    assert replaced == "/cases/A?q=a+b&cursor=x&state=all"


def test_attributes_are_escaped_and_left_out_when_empty() -> None:
    printed = attributes({"data_x": '"><b>', "hidden": True, "name": None, "off": False, "n": 0})

    assert printed == ' data-x="&#34;&gt;&lt;b&gt;" hidden n="0"'


def test_counts_come_with_their_noun() -> None:
    assert count_text(1, "payment") == "1 payment"
    assert count_text(1204, "payment") == "1,204 payments"
    assert count_text(0, "reply", "replies") == "0 replies"


def test_initials_come_from_the_first_and_last_word() -> None:
    assert NavUser("maria de la ortiz", "Reviewer", "/").initials == "MO"
    assert NavUser("Cher", "Reviewer", "/").initials == "C"
    assert NavUser("", "Reviewer", "/").initials == ""


def test_undefined_names_raise_and_text_is_escaped(app: Flask) -> None:
    with app.test_request_context("/"):
        with pytest.raises(UndefinedError):
            render_template_string("{{ nobody }}")
        assert render_template_string("{{ x }}{{ y }}", x="<b>", y=Markup("<i>")) == "&lt;b&gt;<i>"


def test_templates_have_the_functions_as_globals_and_filters(app: Flask) -> None:
    with app.test_request_context("/"):
        text = render_template_string(
            "{{ money(100) }}{{ 100|money }}{{ -100|accounting }}{{ day|date_on }}"
            "{{ _('Page %(n)s', n=2) }}{{ ngettext('%(num)s case', '%(num)s cases', 2) }}",
            day=date(2026, 7, 6),
        )

    assert text.count("$1.00") == 2
    assert text.endswith("Page 22 cases")


@pytest.mark.parametrize(
    "seconds, words",
    [
        (-1, "passed"),
        (0, "passed"),
        (59, "59 s left"),
        (61, "1 min 1 s left"),
        (600, "10 min left"),
        (7_199, "119 min left"),
        (7_260, "2 h 1 min left"),
        (172_800, "2 days left"),
    ],
)
def test_the_time_left_is_told_without_a_script(seconds: int, words: str) -> None:
    now = datetime(2026, 1, 5, 15, tzinfo=UTC)
    assert time_left(now + timedelta(seconds=seconds), now) == words
