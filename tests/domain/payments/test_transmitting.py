"""Handing a file to the bank: once, whatever is killed, slow, down or unclear in between."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Unavailable
from seedtrust.core.failpoints import armed
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments import transmission
from seedtrust.domain.payments.models import BankFile, PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import AuthFailed, NotSent, OutcomeUnknown
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import take_up
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import (
    KEYRING,
    MONDAY,
    SYSTEM,
    TUESDAY,
    PaymentWorld,
    moment_at,
)
from tests.fakes.bank import FakeBank

POINTS = (
    "file.sealed",
    "file.begun",
    "file.part_written",
    "file.before_rename",
    "file.in_place",
    "file.delivered",
    "file.recorded",
)


class Killed(BaseException):
    """Ends the work at a place, as the end of the process does; nothing of ours catches it."""


def kill() -> None:
    """End the work here."""
    raise Killed


def run_state(world: PaymentWorld, run: PaymentRun) -> str:
    """Return the state of a run."""
    return world.do(lambda session: session.get_one(PaymentRun, run.id).state)


def payment_states(world: PaymentWorld, run: PaymentRun) -> set[str]:
    """Return the states of a run's payments."""
    statement = select(PaymentInstruction.state).where(PaymentInstruction.run_id == run.id)
    return set(world.do(lambda session: session.execute(statement).scalars().all()))


def exceptions(world: PaymentWorld, *, still_open: bool = True) -> list[str]:
    """Return the kinds of exception items."""
    statement = select(ExceptionItem.kind).order_by(ExceptionItem.id)
    if still_open:
        statement = statement.where(ExceptionItem.closed_at.is_(None))
    return world.do(lambda session: list(session.execute(statement).scalars()))


def reserved(world: PaymentWorld) -> int:
    """Return what is held on all cases together."""

    def work(session: Session) -> int:
        ids = session.execute(select(Case.ledger_account_id)).scalars().all()
        return sum(row.reserved_cents for row in ledger_queries.balances_of(session, ids).values())

    return world.do(work)


def ledger_lines(world: PaymentWorld) -> list[tuple[str, int]]:
    """Return the lines of all cases, without deposits."""

    def work(session: Session) -> list[tuple[str, int]]:
        ids = session.execute(select(Case.ledger_account_id).order_by(Case.id)).scalars().all()
        return [
            (line.kind.value, line.amount_cents)
            for row_id in ids
            for line in ledger_queries.case_lines(session, row_id)
            if line.kind != "DEPOSIT"
        ]

    return world.do(work)


def resume(desk: JobDesk[FakeBank], run: PaymentRun) -> None:
    """Do the work again, as the relay does after a lease has run out."""
    transmit_run(desk.tools, {"run": run.reference})


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_a_repeat_sends_the_file_exactly_once(
    world: PaymentWorld, desk: JobDesk[FakeBank], point: str
) -> None:
    world.ready(2)
    run = world.released()
    with armed(point, kill), pytest.raises(Killed):
        transmit_run(desk.tools, {"run": run.reference})
    resume(desk, run)
    assert run_state(world, run) == "TRANSMITTED"
    assert len(desk.bank.deliveries) == 1
    assert payment_states(world, run) == {"SENT"}
    assert ledger_lines(world) == [("DISBURSEMENT", -10_000), ("DISBURSEMENT", -10_001)]
    assert reserved(world) == 0
    resume(desk, run)
    assert len(desk.bank.deliveries) == 1
    assert exceptions(world) == []


@pytest.mark.parametrize("first", ["file.begun", "file.before_rename", "file.in_place"])
@pytest.mark.parametrize("second", ["file.begun", "file.in_place", "file.delivered"])
def test_killed_twice_it_is_still_sent_once(
    world: PaymentWorld, desk: JobDesk[FakeBank], first: str, second: str
) -> None:
    world.ready()
    run = world.released()
    for point in (first, second):
        with armed(point, kill):
            try:
                resume(desk, run)
            except Killed:
                continue
    resume(desk, run)
    assert len(desk.bank.deliveries) == 1
    assert (run_state(world, run), payment_states(world, run)) == ("TRANSMITTED", {"SENT"})


def test_what_a_crash_left_in_between_is_unclear_until_the_bank_was_asked(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    with armed("file.begun", kill), pytest.raises(Killed):
        transmit_run(desk.tools, {"run": run.reference})
    assert payment_states(world, run) == {"SUBMITTING"}
    desk.bank.down = True
    with pytest.raises(Unavailable):
        resume(desk, run)
    assert (run_state(world, run), payment_states(world, run)) == ("UNKNOWN", {"UNKNOWN"})
    assert (ledger_lines(world), reserved(world)) == ([], 10_000)
    desk.bank.down = False
    desk.later(120)
    assert take_up(desk.tools) == (1, 0)
    assert (run_state(world, run), payment_states(world, run)) == ("TRANSMITTED", {"SENT"})


@pytest.mark.parametrize("error", [NotSent("Down."), AuthFailed("Who are you?")])
def test_what_never_left_is_simply_sent_again(
    world: PaymentWorld, desk: JobDesk[FakeBank], error: NotSent
) -> None:
    world.ready()
    run = world.released()
    desk.bank.fail_before = error
    with pytest.raises(Unavailable):
        resume(desk, run)
    assert (run_state(world, run), payment_states(world, run)) == ("RELEASED", {"RELEASED"})
    resume(desk, run)
    assert (run_state(world, run), len(desk.bank.deliveries)) == ("TRANSMITTED", 1)


def test_a_lost_answer_keeps_the_hold_and_tells_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    desk.bank.fail_after = OutcomeUnknown("The connection broke.", word="reset")
    with pytest.raises(Unavailable):
        resume(desk, run)
    assert (run_state(world, run), payment_states(world, run)) == ("UNKNOWN", {"UNKNOWN"})
    assert (exceptions(world), reserved(world)) == (["run.unclear"], 10_000)
    resume(desk, run)
    assert (run_state(world, run), len(desk.bank.deliveries)) == ("TRANSMITTED", 1)
    assert exceptions(world) == []


def test_a_sender_that_wakes_up_late_finds_that_it_is_not_its_turn(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    nested: list[int] = []

    def another_worker() -> None:
        # The first sender is held up just before the step that counts; its lease has run out.
        if not nested:
            nested.append(1)
            resume(desk, run)

    with armed("file.part_written", another_worker):
        transmit_run(desk.tools, {"run": run.reference})
    assert nested == [1]
    assert len(desk.bank.deliveries) == 1
    assert (run_state(world, run), payment_states(world, run)) == ("TRANSMITTED", {"SENT"})


def test_a_run_whose_day_has_passed_is_given_up_and_not_sent(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    [reference] = world.ready()
    run = world.released()
    transmit_run(desk.at(MONDAY, 15), {"run": run.reference})
    assert (run_state(world, run), payment_states(world, run)) == ("CANCELLED", {"CANCELLED"})
    assert desk.bank.deliveries == []
    assert exceptions(world) == ["run.not_sent"]
    request = select(DisbursementRequest).where(DisbursementRequest.reference == reference)
    row = world.do(lambda session: session.execute(request).scalar_one())
    assert (row.state, reserved(world)) == ("READY", 10_000)
    again = world.released(moment=moment_at(TUESDAY))
    transmit_run(desk.at(TUESDAY), {"run": again.reference})
    assert len(desk.bank.deliveries) == 1


def test_an_account_blocked_after_release_stops_the_run(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()

    def block(session: Session) -> None:
        account = session.execute(select(PayeeAccount)).scalar_one()
        payees.block_account(
            session,
            SYSTEM,
            account_ref=account.reference,
            reason="The payee called.",
            moment=moment_at(),
        )

    world.do(block)
    resume(desk, run)
    assert (run_state(world, run), desk.bank.deliveries) == ("CANCELLED", [])
    assert "bank account" in world.do(lambda s: s.get_one(PaymentRun, run.id).state_reason)


def test_an_unclear_run_that_the_bank_does_not_have_is_given_up_when_its_day_has_passed(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    with armed("file.begun", kill), pytest.raises(Killed):
        resume(desk, run)
    transmit_run(desk.at(TUESDAY), {"run": run.reference})
    assert (run_state(world, run), payment_states(world, run)) == ("CANCELLED", {"FAILED"})
    assert (desk.bank.deliveries, ledger_lines(world), reserved(world)) == ([], [], 10_000)


def test_an_unclear_run_that_the_bank_has_is_sent_even_when_its_day_has_passed(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    with armed("file.in_place", kill), pytest.raises(Killed):
        resume(desk, run)
    transmit_run(desk.at(TUESDAY), {"run": run.reference})
    assert (run_state(world, run), len(desk.bank.deliveries)) == ("TRANSMITTED", 1)


def test_an_altered_file_is_never_sent(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    world.ready()
    run = world.released()
    with armed("file.sealed", kill), pytest.raises(Killed):
        resume(desk, run)

    def tamper(session: Session) -> None:
        file = session.execute(select(BankFile)).scalar_one()
        body = file.content_sealed
        file.content_sealed = body[:50] + ("A" if body[50] != "A" else "B") + body[51:]

    world.do(tamper)
    resume(desk, run)
    assert (desk.bank.deliveries, run_state(world, run)) == ([], "RELEASED")
    assert payment_states(world, run) == {"RELEASED"}
    assert exceptions(world) == ["payment.refused"]


def test_the_banks_word_proves_that_it_has_a_file_whose_delivery_was_unclear(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    with armed("file.delivered", kill), pytest.raises(Killed):
        resume(desk, run)
    desk.bank.tell_of_file("file.accepted", MONDAY)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.at(TUESDAY)) == (2, 0)
    assert (run_state(world, run), payment_states(world, run)) == ("SETTLED", {"SETTLED"})
    resume(desk, run)
    assert len(desk.bank.deliveries) == 1


@pytest.mark.parametrize("age_seconds,expected", [(30, (0, 0)), (90, (1, 0))])
def test_what_is_being_worked_on_is_left_alone_for_a_minute(
    world: PaymentWorld,
    desk: JobDesk[FakeBank],
    age_seconds: int,
    expected: tuple[int, int],
) -> None:
    world.ready()
    world.released()
    desk.later(age_seconds)
    assert take_up(desk.tools) == expected
    assert len(desk.bank.deliveries) == expected[0]


def test_recording_the_same_answer_twice_changes_nothing(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    resume(desk, run)

    def again(session: Session) -> str:
        return transmission.record_transmitted(
            session, SYSTEM, run_ref=run.reference, moment=moment_at()
        ).state

    before = ledger_lines(world)
    assert world.do(again) == "TRANSMITTED"
    assert ledger_lines(world) == before


def test_a_run_that_is_done_has_no_next_turn(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    world.ready()
    run = world.released()
    resume(desk, run)

    def turn(session: Session) -> object:
        return transmission.begin(
            session, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at()
        )

    assert world.do(turn) is None
    assert not world.do(lambda s: transmission.needs_sending(s, run.reference))
