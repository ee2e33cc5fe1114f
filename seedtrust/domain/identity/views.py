"""Frozen pictures of people and sessions, for the doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.identity.states import SessionStage, UserKind, UserStatus


@dataclass(frozen=True)
class PersonView:
    """One account, as lists and `/me` show it."""

    id: int
    reference: str
    email: str
    display_name: str
    kind: UserKind
    status: UserStatus
    roles: frozenset[Role]
    has_second_factor: bool
    created_at: datetime
    agency_id: int | None = None


@dataclass(frozen=True)
class SessionView:
    """One sign-in that is still open, at either door."""

    reference: str
    door: str
    address: str
    browser: str
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool = False

    @property
    def device(self) -> str:
        """Return browser and system in words, as far as the browser says."""
        browser = _first_named(_BROWSERS, self.browser)
        system = _first_named(_SYSTEMS, self.browser)
        if browser and system:
            return f"{browser} on {system}"
        return browser or self.browser[:40] or "Unknown"


# Each names itself beside those that it descends from, so the order matters.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def _first_named(names: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for mark, name in names if mark in agent), "")


@dataclass(frozen=True)
class SignedIn:
    """The answer to a cookie: how far the sign-in has come, and who acts once it is full."""

    session_id: int
    user_id: int
    stage: SessionStage
    name: str
    needs_enrolment: bool
    actor: Actor | None
    must_touch: bool = False


@dataclass(frozen=True)
class OpenedSession:
    """A new session of the admin pages; the key goes into the cookie and nowhere else."""

    key: str = field(repr=False)
    stage: SessionStage
    needs_enrolment: bool


@dataclass(frozen=True)
class EnrolmentView:
    """What an authenticator app needs; shown to its owner once, until it is confirmed."""

    seed: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True)
class IssuedTokens:
    """What the token endpoint hands out: the parts of an access token, and a refresh token."""

    session_reference: str
    user_reference: str
    refresh_token: str = field(repr=False)
    signed_in_at: datetime
    second_factor: bool
    expires_at: datetime
