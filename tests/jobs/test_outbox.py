"""Promises: made once, claimed by one, tried again, parked in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.outbox import queries
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.outbox.service import (
    LEASE,
    MAX_ATTEMPTS,
    Claim,
    claim_due,
    free_leases,
    mark_done,
    mark_failed,
    promise,
    renew,
    retry_parked,
)
from tests.support.databases import on_both_databases

NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
Make = sessionmaker[Session]


def _promise(make: Make, key: str = "one") -> None:
    with make() as session, session.begin():
        promise(session, "test.topic", key, {"ref": key}, now=NOW, request_id="r-1")


def _claim(make: Make, now: datetime = NOW) -> list[Claim]:
    with make() as session, session.begin():
        return claim_due(session, now=now)


@on_both_databases
def test_the_same_promise_is_made_once(session_factory: Make) -> None:
    _promise(session_factory)
    _promise(session_factory)
    assert len(_claim(session_factory)) == 1


def test_a_promise_of_a_rolled_back_unit_was_never_made(session_factory: Make) -> None:
    with session_factory() as session:
        unit = session.begin()
        promise(session, "test.topic", "one", {}, now=NOW)
        session.flush()
        unit.rollback()
    assert _claim(session_factory) == []


@on_both_databases
def test_two_relays_take_different_promises(session_factory: Make) -> None:
    _promise(session_factory, "one")
    _promise(session_factory, "two")
    with session_factory() as session, session.begin():
        first = claim_due(session, now=NOW, limit=1)
    second = _claim(session_factory)
    assert {claim.message_key for claim in first + second} == {"one", "two"}
    assert len(first) == len(second) == 1


def test_a_claim_carries_what_the_handler_needs(session_factory: Make) -> None:
    _promise(session_factory)
    [claim] = _claim(session_factory)
    assert (claim.topic, claim.payload, claim.request_id) == ("test.topic", {"ref": "one"}, "r-1")


def test_a_lease_that_ran_out_lets_another_relay_take_over(session_factory: Make) -> None:
    _promise(session_factory)
    [dead] = _claim(session_factory)
    assert _claim(session_factory, NOW + LEASE - timedelta(seconds=1)) == []
    [alive] = _claim(session_factory, NOW + LEASE + timedelta(seconds=1))
    with session_factory() as session, session.begin():
        assert not mark_done(session, dead, now=NOW)
        assert mark_done(session, alive, now=NOW)
    assert _claim(session_factory, NOW + timedelta(days=1)) == []


def test_a_claim_that_is_renewed_stays_with_its_relay(session_factory: Make) -> None:
    _promise(session_factory)
    [claim] = _claim(session_factory)
    with session_factory() as session, session.begin():
        assert renew(session, claim, now=NOW + LEASE)
    assert _claim(session_factory, NOW + LEASE + LEASE) == []


def test_who_was_overtaken_renews_nothing(session_factory: Make) -> None:
    _promise(session_factory)
    [late] = _claim(session_factory)
    after = NOW + LEASE + timedelta(seconds=1)
    [heir] = _claim(session_factory, after)
    with session_factory() as session, session.begin():
        assert not renew(session, late, now=after)
        assert renew(session, heir, now=after)
        assert mark_done(session, heir, now=after)
        assert not renew(session, heir, now=after), "what is kept is nobody's"


def test_deaths_are_no_attempts(session_factory: Make) -> None:
    _promise(session_factory)
    now, claims = NOW, []
    for _ in range(2 * MAX_ATTEMPTS):
        claims += _claim(session_factory, now)
        now += LEASE + timedelta(seconds=1)
    assert [claim.attempts for claim in claims] == [1] * len(claims)
    with session_factory() as session, session.begin():
        assert not mark_failed(session, claims[-1], "no answer", now=now)


def test_a_failure_is_tried_again_later_and_later(session_factory: Make) -> None:
    _promise(session_factory)
    now, waits = NOW, []
    for _ in range(3):
        [claim] = _claim(session_factory, now)
        with session_factory() as session, session.begin():
            assert not mark_failed(session, claim, "no answer", now=now)
            row = session.get(OutboxMessage, claim.message_id)
            assert row is not None
            waits.append(row.due_at - now)
            now = row.due_at
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_after_the_last_attempt_it_is_parked_for_a_person(session_factory: Make) -> None:
    _promise(session_factory)
    now, parked, message_id = NOW, False, 0
    for _ in range(MAX_ATTEMPTS):
        [claim] = _claim(session_factory, now)
        message_id = claim.message_id
        with session_factory() as session, session.begin():
            parked = mark_failed(session, claim, "no answer", now=now)
        now += timedelta(days=3)
    assert parked
    assert _claim(session_factory, now) == []
    with session_factory() as session, session.begin():
        assert queries.health(session).parked_count == 1
        retry_parked(session, message_id, now=now)
    assert len(_claim(session_factory, now)) == 1


def test_leases_can_be_freed_where_no_worker_is_alive(session_factory: Make) -> None:
    _promise(session_factory)
    assert len(_claim(session_factory)) == 1
    with session_factory() as session, session.begin():
        assert free_leases(session) == 1
    assert len(_claim(session_factory)) == 1
