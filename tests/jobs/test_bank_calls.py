"""The log of calls to banks is kept as long as the settings say, and longer where it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.payments.calls import keep_call
from seedtrust.domain.payments.models import BankCallRow, PaymentInstruction
from seedtrust.domain.payments.ports import BankCall, OutcomeUnknown
from seedtrust.jobs.housekeeping import prune_bank_calls
from seedtrust.jobs.sending import send_payment
from tests.factories import payment_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import PaymentWorld
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account that is paid through the interface."""
    return payment_world.build(session_factory, rail="huntington")


@pytest.fixture
def desk(database_url: str, world: PaymentWorld) -> Iterator[Desk]:
    """Return a desk whose house keeps calls for a hundred days."""
    del world
    with database_of_jobs(database_url):
        found = JobDesk.open(FakeBank())
        found.tools = replace(found.tools, bank_calls_days=100)
        yield found


def call(world: PaymentWorld, desk: Desk, reference: str, days_ago: float, times: int = 1) -> None:
    """Write down that the bank was called."""
    at = desk.tools.clock.now() - timedelta(days=days_ago)

    def work(session: Session) -> None:
        for _ in range(times):
            made = BankCall("huntington", "find_payment", reference, "ok", 200, 5, "")
            keep_call(session, made, now=at)

    world.do(work)


def left(world: PaymentWorld) -> list[str]:
    """Return the references of the calls that are still there."""
    statement = select(BankCallRow.reference).order_by(BankCallRow.id)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def test_old_calls_go_and_young_ones_stay(world: PaymentWorld, desk: Desk) -> None:
    call(world, desk, "OLD", 101, times=1_500)
    call(world, desk, "EDGE", 100)
    call(world, desk, "YOUNG", 1)
    assert prune_bank_calls(desk.tools) == (1_500, 0)
    assert left(world) == ["EDGE", "YOUNG"]
    assert prune_bank_calls(desk.tools) == (0, 0)


def test_calls_about_an_unknown_payment_stay_until_it_is_known(
    world: PaymentWorld, desk: Desk
) -> None:
    world.ready()
    world.released()
    reference = world.do(lambda s: s.execute(select(PaymentInstruction.reference)).scalar_one())
    desk.bank.fail_after = OutcomeUnknown("Silence.")
    send_payment(desk.tools, {"instruction": reference})
    call(world, desk, reference, 500)
    call(world, desk, "", 500)
    assert prune_bank_calls(desk.tools) == (1, 0)
    assert left(world) == [reference]

    def settle(session: Session) -> None:
        session.execute(select(PaymentInstruction)).scalar_one().state = "SETTLED"

    world.do(settle)
    assert prune_bank_calls(desk.tools) == (1, 0)
