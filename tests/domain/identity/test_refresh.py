"""Refresh tokens against a model: never two live branches, no thief who outlives detection."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.db import is_retryable
from seedtrust.core.errors import DomainError, SessionEnded
from seedtrust.core.permissions import Role
from seedtrust.domain.identity import refresh
from seedtrust.domain.identity.models import RefreshFamily, RefreshToken, User
from seedtrust.domain.identity.refresh import RefreshLimits
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.identity.views import IssuedTokens
from seedtrust.domain.notices.models import NoticeDelivery
from tests.factories.identity import KEYRING, NOW, make_person
from tests.support.databases import on_both_databases

Maker = sessionmaker[Session]
LIMITS = RefreshLimits(idle_seconds=604_800, absolute_seconds=2_592_000, grace_seconds=10)


def open_family(session_factory: Maker) -> IssuedTokens:
    with session_factory() as session, session.begin():
        person = make_person(session, Role.DONOR)
        return refresh.open_family(
            session,
            session.get_one(User, person.user_id),
            second_factor=False,
            client=Client(),
            limits=LIMITS,
            now=NOW,
        )


def use(
    session_factory: Maker, token: str, now: datetime, limits: RefreshLimits = LIMITS
) -> IssuedTokens | DomainError:
    for _ in range(50):
        try:
            with session_factory() as session, session.begin():
                return refresh.refresh(session, token, keyring=KEYRING, limits=limits, now=now)
        except OperationalError as error:
            if not is_retryable(error):
                raise
    raise AssertionError


def live_tokens(session_factory: Maker) -> int:
    with session_factory() as session, session.begin():
        return (
            session.scalar(
                select(func.count())
                .select_from(RefreshToken)
                .join(RefreshFamily, RefreshFamily.id == RefreshToken.family_id)
                .where(RefreshToken.used_at.is_(None), RefreshFamily.ended_at.is_(None))
            )
            or 0
        )


@on_both_databases
def test_many_at_once_get_one_successor(session_factory: Maker) -> None:
    token = open_family(session_factory).refresh_token
    got: list[str] = []
    barrier = threading.Barrier(16)

    def run() -> None:
        barrier.wait()
        outcome = use(session_factory, token, NOW)
        assert isinstance(outcome, IssuedTokens)
        got.append(outcome.refresh_token)

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 16
    assert len(set(got)) == 1
    assert live_tokens(session_factory) == 1


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    steps=st.lists(
        st.tuples(st.integers(min_value=0, max_value=6), st.sampled_from([0, 4, 11])),
        min_size=1,
        max_size=12,
    )
)
def test_any_order_of_old_and_new_tokens_leaves_one_branch_or_none(
    session_factory: Maker, steps: list[tuple[int, int]]
) -> None:
    known = [open_family(session_factory).refresh_token]
    used_at: dict[str, datetime] = {}
    ended, now = False, NOW
    for back, pause in steps:
        now += timedelta(seconds=pause)
        token = known[max(0, len(known) - 1 - back)]
        outcome = use(session_factory, token, now)
        newest = token == known[-1]
        repeated = len(known) >= 2 and token == known[-2]
        graceful = repeated and now - used_at[token] <= timedelta(seconds=10)
        if ended or not (newest or graceful):
            assert isinstance(outcome, SessionEnded)
            assert outcome.facts["reason"] == "refresh_reused"
            ended = True
        elif newest:
            assert isinstance(outcome, IssuedTokens)
            used_at[token] = now
            known.append(outcome.refresh_token)
        else:
            assert isinstance(outcome, IssuedTokens)
            assert outcome.refresh_token == known[-1]
    with session_factory() as session, session.begin():
        family = session.scalars(select(RefreshFamily).order_by(RefreshFamily.id.desc())).first()
        assert family is not None
        assert (family.ended_at is not None) is ended
        live = session.scalars(
            select(RefreshToken).where(
                RefreshToken.family_id == family.id, RefreshToken.used_at.is_(None)
            )
        ).all()
    assert len(live) == 1


def test_reuse_tells_the_person_once(session_factory: Maker) -> None:
    token = open_family(session_factory).refresh_token
    use(session_factory, token, NOW)
    for _ in range(3):
        use(session_factory, token, NOW + timedelta(minutes=1))
    with session_factory() as session, session.begin():
        told = session.scalars(
            select(NoticeDelivery).where(NoticeDelivery.event == "identity.session_ended")
        ).all()
    assert {(delivery.channel) for delivery in told} == {"mail", "in_app"}
    assert len(told) == 2


def test_without_a_grace_the_second_use_ends_the_family(session_factory: Maker) -> None:
    strict = RefreshLimits(idle_seconds=600, absolute_seconds=600, grace_seconds=0)
    token = open_family(session_factory).refresh_token
    assert isinstance(use(session_factory, token, NOW, strict), IssuedTokens)
    later = NOW + timedelta(seconds=1)
    assert isinstance(use(session_factory, token, later, strict), SessionEnded)


def test_no_token_is_stored_in_clear(session_factory: Maker) -> None:
    first = open_family(session_factory).refresh_token
    second = use(session_factory, first, NOW)
    assert isinstance(second, IssuedTokens)
    third = use(session_factory, second.refresh_token, NOW)
    assert isinstance(third, IssuedTokens)
    with session_factory() as session, session.begin():
        rows = session.scalars(select(RefreshToken).order_by(RefreshToken.id)).all()
        stored = " ".join(f"{row.token_hash} {row.successor_sealed}" for row in rows)
        sealed = [row.successor_sealed is not None for row in rows]
    for token in (first, second.refresh_token, third.refresh_token):
        assert token not in stored
    assert sealed == [False, True, False]


@pytest.mark.parametrize("days,reason", [(6, None), (7, "expired")])
def test_an_unused_token_ends_after_a_week(
    session_factory: Maker, days: int, reason: str | None
) -> None:
    token = open_family(session_factory).refresh_token
    outcome = use(session_factory, token, NOW + timedelta(days=days))
    assert getattr(outcome, "facts", {}).get("reason") == reason


def test_a_used_session_ends_after_thirty_days(session_factory: Maker) -> None:
    token, now = open_family(session_factory).refresh_token, NOW
    outcomes: list[IssuedTokens | DomainError] = []
    for _ in range(6):
        now += timedelta(days=5)
        outcomes.append(use(session_factory, token, now))
        token = getattr(outcomes[-1], "refresh_token", token)
    assert [isinstance(outcome, IssuedTokens) for outcome in outcomes] == [True] * 5 + [False]
    assert getattr(outcomes[-1], "facts", {}) == {"reason": "expired"}
