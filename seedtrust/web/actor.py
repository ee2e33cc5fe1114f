"""What a view may ask for: the actor, the clocks, the keyring and the settings.

    actor = current_actor()          # who acts, or Unauthenticated
    now = clock_now()                # real time: tokens, audit, leases
    today = business_today()         # business date in New York: what is due
    both = moment()                  # real and business time as one value, for verbs
    keys = keyring()                 # to seal and open encrypted fields
    files = storage()                # where the bytes of documents lie
    desk = intake()                  # what every uploaded file passes
    settings = current_settings()    # only doors and jobs read settings

All of them work inside and outside a unit of work; none of them opens one while another is open,
because the guard has read the business clock together with the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from flask import current_app, g, has_request_context
from sqlalchemy.orm import Session

from seedtrust.core.clock import Clock, Moment, business_date
from seedtrust.core.crypto import Keyring
from seedtrust.core.errors import Unauthenticated
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.documents.intake import Intake
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.operations import service as operations
from seedtrust.ext import reading
from seedtrust.settings import Settings

_EXTENSION = "seedtrust"


@dataclass(frozen=True)
class Wiring:
    """What create_app gives to views, kept in `app.extensions["seedtrust"]`."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    intake: Intake


def wiring() -> Wiring:
    """Return what create_app wired into the current application."""
    return cast("Wiring", current_app.extensions[_EXTENSION])


def current_settings() -> Settings:
    """Return the settings that the application was made with."""
    return wiring().settings


def keyring() -> Keyring:
    """Return the keys that seal and open encrypted fields."""
    return wiring().keyring


def storage() -> Storage:
    """Return where the bytes of documents lie."""
    return wiring().intake.storage


def intake() -> Intake:
    """Return what every uploaded file passes before it is kept."""
    return wiring().intake


def clock_now() -> datetime:
    """Return real time in UTC, the same instant for the length of one request."""
    if not has_request_context():
        return wiring().clock.now()
    if "now" not in g:
        g.now = wiring().clock.now()
    return cast("datetime", g.now)


def business_now() -> datetime:
    """Return the business instant in UTC; it is real time except in the demo and in tests."""
    if "business_now" not in g:
        g.business_now = reading(read_business_now)
    return cast("datetime", g.business_now)


def read_business_now(session: Session) -> datetime:
    """Return the business instant inside a unit of work that is already open."""
    return operations.business_now(session, current_settings().business_clock, clock_now())


def stash_business_now(session: Session) -> None:
    """Keep the business instant for this request; called where a unit of work is open anyway."""
    g.business_now = read_business_now(session)


def business_today() -> date:
    """Return the business date in New York."""
    return business_date(business_now())


def moment() -> Moment:
    """Return both clocks as one value, for verbs that need the two."""
    return Moment(clock_now(), business_now())


def actor_or_none() -> Actor | None:
    """Return who acts, or None for a visitor."""
    return cast("Actor | None", g.get("actor"))


def current_actor() -> Actor:
    """Return who acts. Raises Unauthenticated for a visitor."""
    actor = actor_or_none()
    if actor is None:
        message = "Sign in and try again."
        raise Unauthenticated(message)
    return actor


def may(permission: Permission | str) -> bool:
    """Tell whether the current actor holds a permission; templates show buttons by it."""
    actor = actor_or_none()
    return actor is not None and actor.may(Permission(permission))
