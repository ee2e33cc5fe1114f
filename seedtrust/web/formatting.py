"""What templates may call to print values: money, dates, instants, status words, icons, links."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, Literal
from xml.etree.ElementTree import Element, tostring

import tablericons
from flask import Flask, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict

from seedtrust.core.clock import NEW_YORK
from seedtrust.core.money import format_accounting, format_dollars
from seedtrust.web.page import TONES, Tone

MINUS: Final = "\N{MINUS SIGN}"
NO_VALUE: Final = "\N{EN DASH}"
TONE_ICONS: Final[dict[Tone, str]] = {
    "ok": "circle-check",
    "info": "circle-arrow-right",
    "warn": "clock",
    "bad": "alert-triangle",
    "neutral": "circle-dashed",
}
NOTICE_ICONS: Final[dict[Tone, str]] = {
    "ok": "circle-check",
    "info": "info-circle",
    "warn": "alert-circle",
    "bad": "alert-triangle",
    "neutral": "info-circle",
}
InstantStyle = Literal["short", "long", "time"]
_INSTANT_STYLES: Final = {
    "short": "{month} {at.day}, {at.year}, {clock}",
    "long": "{month} {at.day}, {at.year} at {clock} ET",
    "time": "{clock} ET",
}


def nothing() -> Markup:
    """Return the mark for a value that does not exist yet, with a word for screen readers."""
    return Markup(
        '<span class="nothing" aria-hidden="true">{dash}</span>'
        '<span class="visually-hidden">none</span>'
    ).format(dash=NO_VALUE)


def money(cents: int | None) -> Markup:
    """Return cents as `$1,234.50` in tabular figures; a negative amount gets a minus sign."""
    if cents is None:
        return nothing()
    sign = MINUS if cents < 0 else ""
    return Markup('<span class="money">{text}</span>').format(
        text=f"{sign}${format_dollars(abs(cents))}"
    )


def accounting(cents: int | None, *, word: bool = False) -> Markup:
    """Return cents as `1,234.50` or `(1,234.50)`, for columns that name the currency once.

    Brackets come with the word "minus" for screen readers; `word` shows "in" or "out" instead.
    """
    if cents is None:
        return nothing()
    text = format_accounting(cents)
    if word and cents:
        return Markup(
            '<span class="money{extra}">{text}<span class="money-word">{word}</span></span>'
        ).format(
            extra=" money-negative" if cents < 0 else "",
            text=text,
            word=" out" if cents < 0 else " in",
        )
    if cents < 0:
        return Markup(
            '<span class="money money-negative"><span class="visually-hidden">minus </span>'
            "{text}</span>"
        ).format(text=text)
    return Markup('<span class="money">{text}</span>').format(text=text)


def date_text(day: date) -> str:
    """Return a business date as `Jul 6, 2026`."""
    return f"{day:%b} {day.day}, {day.year}"


def date_on(day: date | None) -> Markup:
    """Return a business date as a time element, with its weekday in the title."""
    if day is None:
        return nothing()
    return Markup('<time datetime="{iso}" title="{title}">{text}</time>').format(
        iso=day.isoformat(),
        title=f"{day:%A, %B} {day.day}, {day.year}",
        text=date_text(day),
    )


def instant(at: datetime | None, style: InstantStyle = "short") -> Markup:
    """Return an aware instant in New York time, with date, seconds and zone in the title.

    Raises ValueError for a naive datetime: nobody could know which day it falls on.
    """
    if at is None:
        return nothing()
    if at.tzinfo is None:
        message = "an instant needs a time zone"
        raise ValueError(message)
    local = at.astimezone(NEW_YORK)
    clock = _clock_text(local)
    zone = "Eastern Daylight Time" if local.dst() else "Eastern Standard Time"
    title = f"{local:%A, %B} {local.day}, {local.year}, {clock[:-3]}:{local:%S %p} {zone}"
    return Markup('<time datetime="{iso}" title="{title}">{text}</time>').format(
        iso=at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        title=title,
        text=_INSTANT_STYLES[style].format(month=f"{local:%b}", at=local, clock=clock),
    )


def _clock_text(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M %p}"


def time_left(deadline_at: datetime, now_at: datetime) -> str:
    """Return how long it is until a deadline, in the words that the page's script goes on with."""
    seconds = int((deadline_at - now_at).total_seconds())
    if seconds <= 0:
        return "passed"
    minutes, rest = divmod(seconds, 60)
    if minutes == 0:
        return f"{seconds} s left"
    if minutes < 10:  # noqa: PLR2004 - as the script does
        return f"{minutes} min {rest} s left"
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min left"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min left" if hours < 48 else f"{hours // 24} days left"  # noqa: PLR2004 - two days


def when(moment: datetime | date | None) -> Markup:
    """Return an instant or a business date, whichever it is."""
    return instant(moment) if isinstance(moment, datetime) else date_on(moment)


@lru_cache(maxsize=1024)
def icon(name: str, extra_class: str = "", label: str | None = None) -> Markup:
    """Return an outline icon as inline SVG, hidden from screen readers unless it has a label.

    Raises IconDoesNotExist for an unknown name, so a typing error cannot reach a page.
    """
    source = tablericons._load_icon(f"outline/{name}")  # noqa: SLF001 - its only cached reader
    shapes = "".join(_shape(child) for child in source)
    hidden = Markup('aria-hidden="true"')
    spoken = Markup('role="img" aria-label="{label}"').format(label=label) if label else hidden
    return Markup(
        '<svg class="icon{extra}" viewBox="0 0 24 24" {spoken} focusable="false">{shapes}</svg>'
    ).format(
        extra=f" {extra_class}" if extra_class else "",
        spoken=spoken,
        shapes=Markup(shapes),  # noqa: S704 - drawn from the icon package, never from input
    )


def _shape(child: Element) -> str:
    # The first path of each Tabler icon is an invisible bounding box.
    if child.get("stroke") == "none":
        return ""
    return tostring(child, encoding="unicode").strip()


def checked_tone(tone: str) -> str:
    """Return the tone; raises ValueError for a word that is none of the five."""
    if tone not in TONES:
        message = f"{tone!r} is no tone; use one of {', '.join(TONES)}"
        raise ValueError(message)
    return tone


def status_badge(word: str, tone: Tone = "neutral", icon_name: str | None = None) -> Markup:
    """Return a status as word, icon and colour together."""
    return Markup('<span class="status tone-{tone}">{icon}{word}</span>').format(
        tone=checked_tone(tone), icon=icon(icon_name or TONE_ICONS[tone]), word=word
    )


def url_with(**changes: object) -> str:
    """Return this page's address with query parameters changed; None takes one out."""
    query: MultiDict[str, str] = MultiDict(request.args.items(multi=True))
    for name, value in changes.items():
        query.poplist(name)
        if value is not None:
            query.add(name, str(value))
    view = {name: values for name, values in query.lists() if values}
    arguments = {**(request.view_args or {}), **view}
    return url_for(request.endpoint or "", **arguments)


def count_text(count: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 payment`, `1,204 payments`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def attributes(values: dict[str, object]) -> Markup:
    """Return HTML attributes: None and False are left out, True stands alone, _ becomes -."""
    parts = [
        Markup(" {name}").format(name=_attribute_name(name))
        if value is True
        else Markup(' {name}="{value}"').format(name=_attribute_name(name), value=value)
        for name, value in values.items()
        if value is not None and value is not False
    ]
    return Markup("").join(parts)


def _attribute_name(name: str) -> str:
    return str(escape(name.rstrip("_").replace("_", "-")))


def init_formatting(app: Flask) -> None:
    """Make undefined names an error and give templates the functions of this module."""
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.globals.update(
        accounting=accounting,
        attributes=attributes,
        checked_tone=checked_tone,
        count_text=count_text,
        date_on=date_on,
        date_text=date_text,
        icon=icon,
        instant=instant,
        money=money,
        nothing=nothing,
        notice_icons=NOTICE_ICONS,
        status_badge=status_badge,
        time_left=time_left,
        url_with=url_with,
        when=when,
    )
    environment.filters.update(
        accounting=accounting, date_on=date_on, instant=instant, money=money, when=when
    )
    if "babel" not in app.extensions:
        # Flask-Babel puts real translations here when the application has it.
        environment.add_extension("jinja2.ext.i18n")
        environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
