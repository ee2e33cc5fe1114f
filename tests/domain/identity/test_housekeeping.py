"""Cleaning up after sessions, tokens and failures."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.permissions import Role
from seedtrust.domain.identity import housekeeping, refresh, sessions, throttle
from seedtrust.domain.identity.models import (
    RefreshFamily,
    RefreshToken,
    SignInThrottle,
    User,
    WebSession,
)
from seedtrust.domain.identity.refresh import RefreshLimits
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.identity.states import SessionStage
from seedtrust.domain.identity.views import IssuedTokens, SessionView
from tests.factories.identity import KEYRING, NOW, make_person
from tests.support.databases import on_both_databases

Maker = sessionmaker[Session]
LIMITS = RefreshLimits(idle_seconds=604_800, absolute_seconds=2_592_000, grace_seconds=10)
COUNTED = (WebSession, RefreshFamily, RefreshToken, SignInThrottle)


@pytest.fixture
def used(session_factory: Maker) -> Maker:
    """Return a database with one session at each door, a refresh, and a wrong password."""
    with session_factory() as session, session.begin():
        user = session.get_one(User, make_person(session, Role.AUDITOR).user_id)
        sessions.open_session(
            session,
            user,
            SessionStage.FULL,
            client=Client(),
            absolute_seconds=43_200,
            now=NOW,
        )
        issued = refresh.open_family(
            session, user, second_factor=True, client=Client(), limits=LIMITS, now=NOW
        )
        outcome = refresh.refresh(
            session, issued.refresh_token, keyring=KEYRING, limits=LIMITS, now=NOW
        )
        assert isinstance(outcome, IssuedTokens)
        subjects = throttle.subjects_of("a@example.com", "192.0.2.1", KEYRING)
        throttle.count_failure(session, subjects, now=NOW)
    return session_factory


def clean(used: Maker, now: datetime) -> None:
    with used() as session, session.begin():
        housekeeping.clean(session, idle_seconds=900, grace_seconds=10, now=now)


def counts(used: Maker) -> list[int]:
    with used() as session, session.begin():
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in COUNTED]


@on_both_databases
def test_what_is_in_use_stays(used: Maker) -> None:
    before = counts(used)
    clean(used, NOW + timedelta(seconds=5))
    with used() as session, session.begin():
        assert session.scalars(select(WebSession.ended_at)).all() == [None]
        sealed = session.scalars(select(RefreshToken.successor_sealed)).all()
    assert counts(used) == before == [1, 1, 2, 2]
    assert len([text for text in sealed if text]) == 1


def test_a_sealed_successor_is_forgotten_after_its_grace(used: Maker) -> None:
    clean(used, NOW + timedelta(seconds=11))
    with used() as session, session.begin():
        assert set(session.scalars(select(RefreshToken.successor_sealed))) == {None}


def test_sessions_that_ran_out_are_marked(used: Maker) -> None:
    clean(used, NOW + timedelta(days=31))
    with used() as session, session.begin():
        assert session.scalars(select(WebSession.end_reason)).all() == ["expired"]
        assert session.scalars(select(RefreshFamily.end_reason)).all() == ["expired"]


@on_both_databases
def test_old_rows_go_and_a_second_run_changes_nothing(used: Maker) -> None:
    clean(used, NOW + timedelta(days=31))
    assert counts(used) == [1, 1, 2, 0]
    for _ in range(2):
        clean(used, NOW + timedelta(days=122))
        assert counts(used) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "agent,words",
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/5 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/19 Safari/6", "Safari on iPhone"),
        ("curl/8.5", "curl/8.5"),
        ("", "Unknown"),
    ],
)
def test_a_device_is_named_in_words(agent: str, words: str) -> None:
    view = SessionView("R", "admin", "", agent, NOW, NOW, NOW)
    assert view.device == words
