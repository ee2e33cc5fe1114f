"""View objects that the layouts and macros read: navigation, timelines, stages, table columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

Tone = Literal["ok", "info", "warn", "bad", "neutral"]
TONES: Final[tuple[Tone, ...]] = ("ok", "info", "warn", "bad", "neutral")


@dataclass(frozen=True)
class NavItem:
    """One line of the sidebar; `key` is the second letter of its `g` shortcut."""

    label: str
    href: str
    icon: str
    current: bool = False
    count: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class NavSection:
    """A titled group of lines."""

    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True)
class NavUser:
    """The person who is signed in, as the top bar shows them."""

    name: str
    role: str
    account_href: str

    @property
    def initials(self) -> str:
        """Return the first letters of the first and last word of the name."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@dataclass(frozen=True)
class Nav:
    """Everything around a staff page; `environment` is None in production."""

    sections: tuple[NavSection, ...]
    user: NavUser
    home_href: str
    search_href: str
    sign_out_href: str
    environment: str | None = None
    business_on: date | None = None


@dataclass(frozen=True)
class TimelineItem:
    """One event of a record: who did what, when, and where to read more.

    `state` is "done" for what happened and "expected" for what is still to come.
    """

    title: str
    at: datetime | date | None = None
    detail: str | None = None
    actor: str | None = None
    reason: str | None = None
    href: str | None = None
    icon: str = "point"
    tone: Tone = "neutral"
    state: Literal["done", "expected"] = "done"


@dataclass(frozen=True)
class Stage:
    """One step of a life cycle, in plain words, with the date it was or should be reached."""

    key: str
    label: str
    on: date | None = None
