"""A cut-off that passes between release and sending: nothing is sent late, all is dated anew.

| Who knows it | The payment | The next run |
|---|---|---|
| our own table, before the bank is called | CANCELLED, the request READY | for the next day |
| the bank, whose cut-off is earlier than our table's | REJECTED, the request READY | the same |

The new payment names the old one, its money was reserved all the time, and two people build and
release it: a payment is never edited, and a release is for one day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.payments.errors import EffectiveDatePassed
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import CutoffPassed
from seedtrust.jobs.sending import send_payment
from tests.factories import payment_world
from tests.factories.bank_answers import open_items, request_states
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import MONDAY, TUESDAY, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

WEDNESDAY = date(2026, 1, 7)
THURSDAY = date(2026, 1, 8)
LATE = CutoffPassed("The day's cut-off has passed.", word="409")
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


def rows(world: PaymentWorld) -> list[PaymentInstruction]:
    """Return every payment, the oldest first."""
    statement = select(PaymentInstruction).order_by(PaymentInstruction.id)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def told(world: PaymentWorld) -> list[tuple[str, date]]:
    """Return state and day of every payment."""
    return [(row.state, row.effective_on) for row in rows(world)]


def send_all(world: PaymentWorld, desk: Desk) -> None:
    """Do the work of the promise of every payment."""
    for row in rows(world):
        send_payment(desk.tools, {"instruction": row.reference})


def days(world: PaymentWorld) -> list[date]:
    """Return the days of the runs."""
    statement = select(PaymentRun.effective_on).order_by(PaymentRun.id)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def test_our_own_cut_off_passes_before_the_bank_is_called(world: PaymentWorld, desk: Desk) -> None:
    world.ready()
    world.released(moment=moment_at(MONDAY, 13, 59))
    desk.at(MONDAY, 14, 0)
    send_all(world, desk)
    assert (told(world), desk.bank.tried) == ([("CANCELLED", TUESDAY)], [])
    assert (request_states(world), open_items(world)) == (["READY"], ["wire.not_sent"])
    world.released(moment=moment_at(MONDAY, 14, 1))
    send_all(world, desk)
    assert told(world) == [("CANCELLED", TUESDAY), ("ACCEPTED", WEDNESDAY)]
    old, new = rows(world)
    assert (new.replaces_id, open_items(world)) == (old.id, [])


def test_the_banks_earlier_cut_off_dates_everything_of_its_day_anew(
    world: PaymentWorld, desk: Desk
) -> None:
    world.ready(3)
    world.released()
    desk.bank.fail_before = LATE
    send_all(world, desk)
    # The bank was told once; the others were given up without a call.
    assert len(desk.bank.tried) == 1
    assert told(world) == [("REJECTED", TUESDAY), ("CANCELLED", TUESDAY), ("CANCELLED", TUESDAY)]
    assert request_states(world) == ["READY"] * 3
    assert open_items(world) == ["wire.not_sent"] * 3
    run = world.released()
    assert run.effective_on == WEDNESDAY
    send_all(world, desk)
    assert [state for state, _day in told(world)][3:] == ["ACCEPTED"] * 3
    assert [row.replaces_id for row in rows(world)][3:] == [row.id for row in rows(world)][:3]
    assert open_items(world) == []
    # The next day nothing is left of it.
    world.ready()
    assert world.released(moment=moment_at(TUESDAY)).effective_on == WEDNESDAY
    world.ready()
    assert world.released(moment=moment_at(WEDNESDAY)).effective_on == THURSDAY


def test_a_run_that_was_locked_for_a_day_that_the_bank_has_closed_is_not_released(
    world: PaymentWorld, desk: Desk
) -> None:
    world.ready()
    world.released()
    world.ready()
    locked = world.locked()
    desk.bank.fail_before = LATE
    send_payment(desk.tools, {"instruction": rows(world)[0].reference})
    assert days(world) == [TUESDAY, TUESDAY]
    with pytest.raises(EffectiveDatePassed):
        world.release(locked)


def test_another_rail_of_the_account_is_not_touched(world: PaymentWorld, desk: Desk) -> None:
    world.ready()
    world.released()
    desk.bank.fail_before = LATE
    send_all(world, desk)
    statement = select(PaymentRun.day_closed_on)
    assert world.do(lambda session: session.execute(statement).scalar_one()) == TUESDAY
    world.do(_make_wire)
    assert world.released().effective_on == TUESDAY


def _make_wire(session: Session) -> None:
    # As if the bank had said it of the other rail.
    session.execute(select(PaymentRun)).scalar_one().rail = "wire"
