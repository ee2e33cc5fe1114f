"""Stopping a payment at the bank: a wish of ours, and only the bank's word about it.

| The bank | The payment | The wish |
|---|---|---|
| stops it | CANCELLED, the money back on the case | stopped |
| says that it is too late | goes on as it was | not stopped, and a person is told |
| settled it before it was asked | SETTLED | not stopped, and a person is told |
| is not reached | as it was | kept for later |
| gives no answer | as it was, until a look-up or the same question again tells | open |
| stopped it, and says later that it settled | CANCELLED, and an alarm | stopped |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, StepUpRequired, Unavailable
from seedtrust.core.failpoints import armed
from seedtrust.core.permissions import Actor
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payments import cancelling
from seedtrust.domain.payments.errors import NotCancellable
from seedtrust.domain.payments.models import PaymentCancellation, PaymentInstruction
from seedtrust.domain.payments.ports import (
    HUNTINGTON,
    BankStatus,
    Declined,
    NotSent,
    OutcomeUnknown,
)
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.cancelling import cancel_payment
from seedtrust.jobs.sending import send_payment
from tests.factories import payment_world
from tests.factories.bank_answers import open_items, request_states
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import (
    STEP_UP_SECONDS,
    TUESDAY,
    PaymentWorld,
    fresh,
    moment_at,
)
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]
WHY = "The contract was ended this morning."


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


@pytest.fixture
def sent(world: PaymentWorld, desk: Desk) -> str:
    """Return the reference of a payment that the bank has accepted."""
    world.ready()
    world.released()
    reference = only(world).reference
    send_payment(desk.tools, {"instruction": reference})
    assert only(world).state == "ACCEPTED"
    return reference


def only(world: PaymentWorld) -> PaymentInstruction:
    """Return the one payment."""
    return world.do(lambda session: session.execute(select(PaymentInstruction)).scalar_one())


def wish(world: PaymentWorld, reference: str, actor: Actor | None = None, why: str = WHY) -> None:
    """Wish that the bank stop it."""
    world.do(
        lambda session: cancelling.ask_to_cancel(
            session,
            fresh(world.lead, moment_at()) if actor is None else actor,
            instruction_ref=reference,
            reason=why,
            moment=moment_at(),
            step_up_seconds=STEP_UP_SECONDS,
        )
    )


def wishes(world: PaymentWorld) -> list[str]:
    """Return how the wishes stand."""
    statement = select(PaymentCancellation.state).order_by(PaymentCancellation.id)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def promises(world: PaymentWorld) -> list[str]:
    """Return the lanes in which the bank is to be asked."""
    statement = select(OutboxMessage.lane).where(OutboxMessage.topic == cancelling.CANCEL)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def ask(desk: Desk, reference: str) -> None:
    """Do the work of the promise."""
    cancel_payment(desk.tools, {"instruction": reference})


def settle(desk: Desk, reference: str) -> None:
    """Have the bank settle the payment, and say so in an event."""
    known = desk.bank.payments[reference]
    desk.bank.payments[reference] = replace(
        known, status=BankStatus.SETTLED, word="settled", settled_on=TUESDAY
    )
    desk.bank.tell("payment.changed", TUESDAY, client_reference=reference)


def test_the_bank_stops_it_and_the_money_is_back_on_the_case(
    world: PaymentWorld, desk: Desk, sent: str
) -> None:
    wish(world, sent)
    assert (only(world).state, wishes(world)) == ("ACCEPTED", ["ASKED"])
    assert promises(world) == [f"bank.{HUNTINGTON}"]
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("CANCELLED", ["CANCELLED"])
    assert request_states(world) == ["READY"]
    # The bank does what it is asked once; a second turn finds nothing to do.
    desk.bank.down = True
    ask(desk, sent)


def test_wishing_it_twice_is_one_wish(world: PaymentWorld, desk: Desk, sent: str) -> None:
    assert desk.bank.payments
    wish(world, sent)
    wish(world, sent)
    assert (wishes(world), len(promises(world))) == (["ASKED"], 1)


def test_too_late_leaves_it_as_it_was_and_tells_a_person(
    world: PaymentWorld, desk: Desk, sent: str
) -> None:
    wish(world, sent)
    desk.bank.fail_before = Declined("It is on its way.", word="409")
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("ACCEPTED", ["TOO_LATE"])
    assert open_items(world) == [cancelling.NOT_STOPPED_KIND]
    wish(world, sent)
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("CANCELLED", ["TOO_LATE", "CANCELLED"])


@pytest.mark.parametrize("told_first", [True, False])
def test_settled_before_the_bank_was_asked_stays_settled(
    world: PaymentWorld, desk: Desk, sent: str, *, told_first: bool
) -> None:
    wish(world, sent)
    settle(desk, sent)
    if told_first:
        assert poll_events(desk.at(TUESDAY), HUNTINGTON) == (1, 0)
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("SETTLED", ["TOO_LATE"])
    assert open_items(world) == [cancelling.NOT_STOPPED_KIND]
    assert request_states(world) == ["PAID"]


def test_a_bank_that_is_not_reached_is_asked_later(
    world: PaymentWorld, desk: Desk, sent: str
) -> None:
    wish(world, sent)
    desk.bank.fail_before = NotSent("The bank cannot be reached.")
    with pytest.raises(Unavailable):
        ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("ACCEPTED", ["ASKED"])
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("CANCELLED", ["CANCELLED"])


@pytest.mark.parametrize("when", ["fail_before", "fail_after"])
@pytest.mark.parametrize("blind", [True, False])
def test_silence_says_nothing_until_the_bank_does(
    world: PaymentWorld, desk: Desk, sent: str, when: str, *, blind: bool
) -> None:
    wish(world, sent)
    setattr(desk.bank, when, OutcomeUnknown("Silence."))
    if blind:
        desk.bank.fail_lookup = NotSent("The bank cannot be reached.")
    if when == "fail_after" and not blind:
        ask(desk, sent)
    else:
        with pytest.raises(Unavailable):
            ask(desk, sent)
        assert (only(world).state, wishes(world)) == ("ACCEPTED", ["ASKED"])
        ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("CANCELLED", ["CANCELLED"])


def test_silence_and_then_settled_stays_settled(world: PaymentWorld, desk: Desk, sent: str) -> None:
    wish(world, sent)
    desk.bank.fail_before = OutcomeUnknown("Silence.")
    with pytest.raises(Unavailable):
        ask(desk, sent)
    settle(desk, sent)
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("SETTLED", ["TOO_LATE"])


def test_a_bank_that_says_settled_after_stopped_is_an_alarm_and_moves_nothing(
    world: PaymentWorld, desk: Desk, sent: str
) -> None:
    wish(world, sent)
    ask(desk, sent)
    settle(desk, sent)
    poll_events(desk.at(TUESDAY), HUNTINGTON)
    assert only(world).state == "CANCELLED"
    assert "payment.incident" in open_items(world)


def test_a_bank_that_says_stopped_after_settled_is_an_alarm_and_moves_nothing(
    world: PaymentWorld, desk: Desk, sent: str
) -> None:
    settle(desk, sent)
    poll_events(desk.at(TUESDAY), HUNTINGTON)
    known = desk.bank.payments[sent]
    desk.bank.payments[sent] = replace(known, status=BankStatus.CANCELLED, word="cancelled")
    desk.bank.tell("payment.changed", TUESDAY, client_reference=sent)
    poll_events(desk.tools, HUNTINGTON)
    assert (only(world).state, open_items(world)) == ("SETTLED", ["payment.incident"])


@pytest.mark.parametrize("place", ["unit.before_commit", "unit.after_commit"])
@pytest.mark.parametrize("nth", [1, 2])
def test_killed_anywhere_a_repeat_stops_it_once(
    world: PaymentWorld, desk: Desk, sent: str, place: str, nth: int
) -> None:
    wish(world, sent)
    seen: list[str] = []

    def die() -> None:
        seen.append(place)
        if len(seen) == nth:
            raise KeyboardInterrupt

    with armed(place, die), pytest.raises(KeyboardInterrupt):
        ask(desk, sent)
    ask(desk, sent)
    assert (only(world).state, wishes(world)) == ("CANCELLED", ["CANCELLED"])
    assert request_states(world) == ["READY"]


def test_who_may_wish_it_and_with_what(world: PaymentWorld, desk: Desk, sent: str) -> None:
    assert desk.bank.payments
    stale = world.lead
    for actor, why, refused in (
        (fresh(world.builder, moment_at()), WHY, Forbidden),
        (Actor.system("tests"), WHY, Forbidden),
        (fresh(world.lead, moment_at()), "  ", Invalid),
        (stale, WHY, StepUpRequired),
    ):
        with pytest.raises(refused):
            wish(world, sent, actor, why)
    assert wishes(world) == []


def test_what_is_not_at_the_bank_cannot_be_stopped_there(world: PaymentWorld, desk: Desk) -> None:
    world.ready()
    world.released()
    reference = only(world).reference
    with pytest.raises(NotCancellable, match="not at the bank"):
        wish(world, reference)
    desk.bank.fail_after = OutcomeUnknown("Silence.")
    send_payment(desk.tools, {"instruction": reference})
    with pytest.raises(NotCancellable, match="being asked"):
        wish(world, reference)


def test_what_went_in_a_file_cannot_be_stopped(session_factory: sessionmaker[Session]) -> None:
    world = payment_world.build(session_factory)
    world.ready()
    world.released()
    row = only(world)

    def deliver(session: Session) -> None:
        session.get_one(PaymentInstruction, row.id).state = "ACCEPTED"

    world.do(deliver)
    with pytest.raises(NotCancellable) as refusal:
        wish(world, row.reference)
    assert (refusal.value.code, "in a file" in refusal.value.detail) == ("not_cancellable", True)
