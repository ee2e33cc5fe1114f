"""Two senders at one payment or one file, standing still where it hurts: the bank has it once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Unavailable
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import Rail
from seedtrust.ext import db, reading
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import inquire_due, send_payment
from seedtrust.jobs.tools import Tools
from tests.factories.payment_world import MONDAY
from tests.kills.bank_process import bank_process
from tests.kills.proof import look_into
from tests.kills.rounds import Office
from tests.kills.series import Series
from tests.kills.workers import STOPPED, End, Fate, Worker
from tests.kills.world import Place

ON_BOTH = pytest.mark.parametrize(
    "series", ["on_sqlite", pytest.param("on_mariadb", marks=pytest.mark.mariadb)]
)
# After the turn was committed, behind the last look at it, and behind the bank's answer.
WHERE = ("wire.begun", "wire.before_call", "wire.after_call")
Work = Callable[[], object]
_AN_HOUR = timedelta(hours=1)


@contextmanager
def office_of(series: str, request: pytest.FixtureRequest) -> Iterator[tuple[Place, Office]]:
    """Open an office with its bank on one of the databases."""
    found: Series = request.getfixturevalue(series)
    place = found.again()
    with bank_process(place.bank_dir) as bank:
        yield place, Office(place, bank, random.Random(0))  # noqa: S311 - a game of dice


def references(model: type[PaymentRun | PaymentInstruction], rail: Rail) -> list[str]:
    """Return the references of a rail, the oldest first."""

    def all_of(session: Session) -> list[str]:
        rows = select(model.reference).where(model.rail == rail.value).order_by(model.id)
        return list(session.execute(rows).scalars())

    found = reading(all_of)
    db.session.remove()
    db.engine.dispose()
    return found


def sending_file(tools: Tools, run: str) -> Work:
    return lambda: transmit_run(tools, {"run": run})


def sending_wire(tools: Tools, instruction: str) -> Work:
    return lambda: send_payment(tools, {"instruction": instruction})


def asking(tools: Tools, place: Place) -> Work:
    return lambda: inquire_due(tools, place.bank_code)


def patiently(work: Work) -> Work:
    """Return work that may be refused for now."""

    def tried() -> None:
        with suppress(Unavailable):
            work()

    return tried


def state_of(instruction: str) -> str:
    """Return what we know of a payment."""
    rows = select(PaymentInstruction.state).where(PaymentInstruction.reference == instruction)
    return reading(lambda session: session.execute(rows).scalar_one())


def told_to_come_back(work: Work) -> Work:
    """Return work that is refused, with a word that it may be tried again."""

    def refused() -> None:
        with pytest.raises(Unavailable, match="Another sender"):
            work()

    return refused


def done(work: Work, *fates: Fate) -> End:
    return Worker(work, *fates).wait()


def test_who_had_to_wait_for_a_file_looks_again_before_putting_it_into_the_folder(
    request: pytest.FixtureRequest,
) -> None:
    with office_of("on_sqlite", request) as (place, office):
        [run, *_] = references(PaymentRun, Rail.ACH)
        work = sending_file(office.tools(MONDAY), run)
        # The first stands still with the file in hand; the second has seen that nothing is there.
        first = Worker(work, Fate(1, "file.before_rename", stops=True), Fate(1, "file.in_place"))
        assert first.wait().died_at == STOPPED
        second = Worker(work, Fate(3, "unit.after_commit", stops=True))
        assert second.wait().died_at == STOPPED
        # The first puts the file in place and dies before it can say so; the bank takes it.
        assert first.go_on().died_at == "file.in_place"
        office.bank.control.scan()
        assert second.go_on().died_at == ""
        office.bank.control.scan()
    assert list(look_into(place).files.values()) == [1]


@ON_BOTH
def test_a_sender_that_stands_still_with_a_file_holds_up_that_file_alone(
    series: str, request: pytest.FixtureRequest
) -> None:
    with office_of(series, request) as (place, office):
        [run, other, *_] = references(PaymentRun, Rail.ACH)
        tools = office.tools(MONDAY)
        first = Worker(sending_file(tools, run), Fate(1, "file.before_rename", stops=True))
        assert first.wait().died_at == STOPPED
        assert done(told_to_come_back(sending_file(tools, run))) == End()
        assert done(sending_file(tools, other)) == End()
        office.bank.control.scan()
        assert first.go_on().died_at == ""
        assert done(sending_file(tools, run)) == End()
        office.bank.control.scan()
    assert list(look_into(place).files.values()) == [1, 1]


@ON_BOTH
def test_two_workers_at_one_wire_send_it_once(series: str, request: pytest.FixtureRequest) -> None:
    with office_of(series, request) as (place, office):
        wires = dict(zip(WHERE, references(PaymentInstruction, Rail.WIRE), strict=False))
        for where, wire in wires.items():
            work = sending_wire(office.tools(MONDAY), wire)
            first = Worker(work, Fate(1, where, stops=True))
            assert first.wait().died_at == STOPPED
            # The second finds it on its way: from now on it is unknown, and the bank is asked.
            assert done(work) == End()
            assert first.go_on().died_at == ""
        for _ in range(4):
            office.now += _AN_HOUR
            assert done(asking(office.tools(MONDAY), place)) == End()
    found = look_into(place)
    assert [found.payments[wire] for wire in wires.values()] == [1] * len(WHERE)
    assert {state_of(wire) for wire in wires.values()} == {"SETTLED"}


@ON_BOTH
def test_workers_that_begin_at_the_same_moment_send_a_wire_and_a_file_once(
    series: str, request: pytest.FixtureRequest
) -> None:
    with office_of(series, request) as (place, office):
        tools = office.tools(MONDAY)
        [wire, *_] = references(PaymentInstruction, Rail.WIRE)
        [run, *_] = references(PaymentRun, Rail.ACH)
        # Whoever is quicker: the others find its turn, or its answer, or are told to come back.
        for work in (sending_wire(tools, wire), patiently(sending_file(tools, run))):
            workers = [Worker(work) for _ in range(3)]
            assert [worker.wait() for worker in workers] == [End()] * 3
        for _ in range(4):
            office.bank.control.scan()
            office.now += _AN_HOUR
            tools = office.tools(MONDAY)
            assert done(asking(tools, place)) == End()
            assert done(patiently(sending_file(tools, run))) == End()
        office.bank.control.scan()
    found = look_into(place)
    assert (found.payments[wire], list(found.files.values())) == (1, [1])
