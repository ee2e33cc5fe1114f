"""The bank's webhooks: subscribed to once, with a sealed secret that changes and is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.crypto import CiphertextRefused
from seedtrust.core.errors import Forbidden
from seedtrust.core.failpoints import armed
from seedtrust.domain.payments import subscriptions
from seedtrust.domain.payments.models import WebhookSubscription
from seedtrust.domain.payments.ports import (
    HUNTINGTON,
    BankError,
    NotSent,
    OutcomeUnknown,
    Subscription,
)
from seedtrust.jobs.subscriptions import keep_subscribed, may_be_brought_to, subscribe
from tests.factories import payment_world
from tests.factories.case_world import REAL_TIME
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import KEYRING, SYSTEM, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

URL = f"http://localhost/webhooks/bank/{HUNTINGTON}"
A_MONTH = 30 * 86_400
Desk = JobDesk[FakeBank]


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account that is paid through the interface."""
    return payment_world.build(session_factory, rail="huntington")


@pytest.fixture
def desk(database_url: str, world: PaymentWorld) -> Iterator[Desk]:
    """Return a desk from which jobs reach a bank in memory."""
    del world
    with database_of_jobs(database_url):
        yield JobDesk.open(FakeBank())


def counted(world: PaymentWorld, desk: Desk, seconds: int = 0) -> list[str]:
    """Return the secrets that count, some time from now."""
    now = desk.tools.clock.now() + timedelta(seconds=seconds)
    return world.do(lambda s: subscriptions.secrets_of(s, HUNTINGTON, KEYRING, now))


def told(desk: Desk) -> list[str]:
    """Return the secrets with which the bank signs."""
    return [row.secret for row in desk.bank.subscriptions]


def test_it_is_subscribed_once(world: PaymentWorld, desk: Desk) -> None:
    assert [keep_subscribed(desk.tools) for _ in range(3)] == [(1, 0), (0, 0), (0, 0)]
    assert [row.url for row in desk.bank.subscriptions] == [URL]
    assert counted(world, desk) == told(desk)


def test_after_thirty_days_the_secret_changes_and_both_count_for_a_day(
    world: PaymentWorld, desk: Desk
) -> None:
    keep_subscribed(desk.tools)
    (first,) = told(desk)
    desk.later(A_MONTH - 1)
    assert keep_subscribed(desk.tools) == (0, 0)
    desk.later(1)
    assert keep_subscribed(desk.tools) == (1, 0)
    (second,) = told(desk)
    assert counted(world, desk) == [second, first]
    assert counted(world, desk, 86_399) == [second, first]
    assert counted(world, desk, 86_400) == [second]


@pytest.mark.parametrize("place", ["unit.before_commit", "unit.after_commit"])
@pytest.mark.parametrize("act", ["subscribe", "rotate"])
def test_killed_anywhere_a_repeat_knows_the_banks_secret(
    world: PaymentWorld, desk: Desk, act: str, place: str
) -> None:
    if act == "rotate":
        keep_subscribed(desk.tools)
        desk.later(A_MONTH)
    for nth in (1, 2, 3):
        seen: list[str] = []

        def die(nth: int = nth, seen: list[str] = seen) -> None:
            seen.append("")
            if len(seen) == nth:
                raise KeyboardInterrupt

        with armed(place, die), suppress(KeyboardInterrupt):
            keep_subscribed(desk.tools)
        assert keep_subscribed(desk.tools)[1] == 0
        assert [row.url for row in desk.bank.subscriptions] == [URL]
        assert counted(world, desk)[0] == told(desk)[0]
        desk.later(A_MONTH)


@pytest.mark.parametrize("act", ["subscribe", "rotate"])
@pytest.mark.parametrize("when", ["fail_before", "fail_after"])
def test_a_lost_answer_is_made_good_by_the_next_run(
    world: PaymentWorld, desk: Desk, act: str, when: str
) -> None:
    if act == "rotate":
        keep_subscribed(desk.tools)
        desk.later(A_MONTH)
    lost: BankError = OutcomeUnknown("silence") if when == "fail_after" else NotSent("not there")
    setattr(desk.bank, when, lost)
    assert keep_subscribed(desk.tools) == (0, 1)
    assert keep_subscribed(desk.tools) == (1, 0)
    assert [row.url for row in desk.bank.subscriptions] == [URL]
    assert counted(world, desk)[0] == told(desk)[0]
    assert keep_subscribed(desk.tools) == (0, 0)


def test_a_new_address_replaces_the_old_one_and_strangers_are_left_alone(
    world: PaymentWorld, desk: Desk
) -> None:
    keep_subscribed(desk.tools)
    (old,) = told(desk)
    theirs = desk.bank.subscribe("https://another.example/hook")
    twin = desk.bank.subscribe("https://escrow.example/hook")
    desk.bank.subscriptions.append(replace(twin, bank_ref="WHS-99"))
    assert subscribe(desk.tools, SYSTEM, HUNTINGTON, "https://escrow.example/hook")
    assert [row.bank_ref for row in desk.bank.subscriptions] == [theirs.bank_ref, twin.bank_ref]
    assert counted(world, desk) == [desk.bank.subscriptions[1].secret, old]


def test_nothing_is_subscribed_where_it_would_be_of_no_use(world: PaymentWorld, desk: Desk) -> None:
    inside = replace(desk.tools, public_base_url="http://escrow.example")
    assert keep_subscribed(inside) == (0, 0)
    world.do(
        lambda session: session.execute(text("UPDATE trust_accounts SET bank_code='filedrop'"))
    )
    assert keep_subscribed(desk.tools) == (0, 0)
    assert desk.bank.subscriptions == []
    assert not may_be_brought_to("ftp://localhost/x")


def test_the_secret_is_sealed_to_its_row(world: PaymentWorld, desk: Desk) -> None:
    keep_subscribed(desk.tools)
    (secret,) = told(desk)
    row = world.do(lambda s: s.execute(select(WebhookSubscription)).scalar_one())
    assert secret not in row.secret_sealed
    with pytest.raises(CiphertextRefused):
        KEYRING.open(row.secret_sealed, subscriptions.secret_aad(row.id + 1))
    altered = row.secret_sealed[:-3] + ("A" if row.secret_sealed[-3] != "A" else "B") + "=="
    change = text("UPDATE webhook_subscriptions SET secret_sealed = :sealed")
    world.do(lambda session: session.execute(change, {"sealed": altered}))
    with pytest.raises(CiphertextRefused):
        counted(world, desk)


def test_a_person_does_not_set_it(world: PaymentWorld) -> None:
    made = Subscription("WHS-1", URL, "whsec_x")

    def keep(session: Session) -> None:
        subscriptions.keep_subscription(
            session,
            world.controller,
            bank=HUNTINGTON,
            made=made,
            keyring=KEYRING,
            moment=moment_at(),
        )

    with pytest.raises(Forbidden):
        world.do(keep)
    with pytest.raises(Forbidden):
        world.do(
            lambda session: subscriptions.begin_rotation(
                session, world.controller, bank=HUNTINGTON, moment=moment_at()
            )
        )
    assert moment_at().at == REAL_TIME
