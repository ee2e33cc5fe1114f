"""Signing in and out of the admin pages, the second factor, and one's own sessions."""

from __future__ import annotations

from flask_login import UserMixin
from sqlalchemy.orm import Session

from seedtrust.domain.identity import sessions
from seedtrust.domain.identity.views import SignedIn
from seedtrust.ext import reading
from seedtrust.web.actor import clock_now, current_settings, stash_business_now
from seedtrust.web.requestid import request_id


class Visitor(UserMixin):  # type: ignore[misc]  # flask-login ships no types
    """What flask-login keeps for a request: an id and the picture of the session."""

    def __init__(self, key: str, signed_in: SignedIn) -> None:
        """Keep the cookie's key and what it stands for."""
        self.id = key
        self.signed_in = signed_in
        self.actor = signed_in.actor


def load_signed_in(key: str) -> Visitor:
    """Return the visitor of a cookie's key. Raises SessionEnded when the session is over."""
    now, settings = clock_now(), current_settings()

    def work(session: Session) -> SignedIn:
        found = sessions.resume(
            session,
            key,
            idle_seconds=settings.session_idle_seconds,
            request_id=request_id(),
            now=now,
        )
        stash_business_now(session)
        return found

    return Visitor(key, reading(work))
