"""Two people, or two workers, at one run: only outcomes that some order of theirs allows."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.db import is_duplicate_key, is_retryable
from seedtrust.core.errors import DomainError
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.payments import events, release, runs
from seedtrust.domain.payments.files import seal_file
from seedtrust.domain.payments.models import (
    BankFile,
    PaymentInstruction,
    PaymentRun,
    RunException,
)
from seedtrust.domain.payments.ports import BankEvent
from seedtrust.domain.payments.transmission import begin, record_transmitted, still_ours
from tests.factories import payment_world
from tests.factories.payment_world import (
    KEYRING,
    STEP_UP_SECONDS,
    SYSTEM,
    TUESDAY,
    PaymentWorld,
    fresh,
    moment_at,
)
from tests.support.databases import on_both_databases

Make = sessionmaker[Session]
Act = Callable[[Session], object]
DONE = "done"


@pytest.fixture
def world(session_factory: Make) -> PaymentWorld:
    """Return a trust account with the people who pay from it."""
    return payment_world.build(session_factory)


def at_once(world: PaymentWorld, *acts: Act) -> list[str]:
    """Run acts in threads that start together; return "done" or the code of each refusal.

    Each act is one unit of work, repeated after a deadlock as the product repeats it.
    """
    barrier, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(place: int, act: Act) -> None:
        barrier.wait()
        for _ in range(10):
            try:
                world.do(act)
            except DomainError as refusal:
                outcomes[place] = refusal.code
                return
            except DBAPIError as error:
                if is_retryable(error) or is_duplicate_key(error):
                    continue
                raise
            outcomes[place] = DONE
            return

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def collecting(world: PaymentWorld, *, other: bool = False) -> Act:
    """Return the act of collecting what is due."""
    builder = world.other_builder if other else world.builder
    return lambda session: runs.collect_due(
        session,
        builder,
        trust_account_id=world.trust_account_id,
        rail="ach",
        moment=moment_at(),
    )


def count(world: PaymentWorld, model: type) -> int:
    """Return how many rows a table has."""
    return world.do(
        lambda session: session.execute(select(func.count()).select_from(model)).scalar_one()
    )


@on_both_databases
def test_two_builders_share_one_run_and_no_request_is_in_it_twice(world: PaymentWorld) -> None:
    references = world.ready(5)
    acts = [collecting(world, other=bool(number % 2)) for number in range(4)]
    assert at_once(world, *acts) == [DONE] * 4
    assert count(world, PaymentRun) == 1
    in_order = (
        select(DisbursementRequest.reference)
        .join(PaymentInstruction, PaymentInstruction.request_id == DisbursementRequest.id)
        .order_by(PaymentInstruction.position)
    )
    assert world.do(lambda s: s.execute(in_order).scalars().all()) == references
    assert count(world, RunException) == 0


@on_both_databases
def test_collecting_and_locking_at_once_lose_no_payment(world: PaymentWorld) -> None:
    world.ready(2)
    run = world.collect()
    assert run is not None
    world.ready(2)
    outcomes = at_once(
        world,
        collecting(world, other=True),
        lambda s: runs.lock_run(s, world.builder, run_ref=run.reference, moment=moment_at()),
    )
    assert outcomes == [DONE, DONE]
    assert count(world, PaymentInstruction) == 4
    states = select(DisbursementRequest.state)
    assert set(world.do(lambda s: s.execute(states).scalars().all())) == {"IN_PAYMENT"}
    # What came after the lock is in a run of its own; a hash never covers what was not seen.
    locked = world.do(lambda s: s.get_one(PaymentRun, run.id))
    rows = select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
    inside = world.do(
        lambda s: s.execute(rows.order_by(PaymentInstruction.position)).scalars().all()
    )
    assert runs.content_hash(locked, inside) == locked.content_hash


@on_both_databases
def test_release_and_cancel_at_once_leave_one_of_them(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()
    outcomes = at_once(
        world,
        lambda s: release.release_run(
            s,
            fresh(world.lead, moment_at()),
            run_ref=run.reference,
            content_hash=run.content_hash,
            moment=moment_at(),
            step_up_seconds=STEP_UP_SECONDS,
        ),
        lambda s: runs.cancel_run(
            s, world.builder, run_ref=run.reference, reason="No.", moment=moment_at()
        ),
    )
    # A released run may still be cancelled, a cancelled one never released.
    state = world.do(lambda s: s.get_one(PaymentRun, run.id).state)
    assert outcomes in ([DONE, DONE], ["wrong_state", DONE])
    assert state == "CANCELLED"


@on_both_databases
def test_two_releasers_at_once_release_once(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()

    def releasing(number: int) -> Act:
        actor = fresh((world.lead, world.other_lead, world.controller)[number], moment_at())
        return lambda s: release.release_run(
            s,
            actor,
            run_ref=run.reference,
            content_hash=run.content_hash,
            moment=moment_at(),
            step_up_seconds=STEP_UP_SECONDS,
        )

    outcomes = at_once(world, *(releasing(number) for number in range(3)))
    assert sorted(outcomes) == [DONE, "wrong_state", "wrong_state"]


@on_both_databases
def test_two_senders_seal_one_file_and_only_the_last_turn_counts(world: PaymentWorld) -> None:
    world.ready(2)
    run = world.released()

    def sealing(session: Session) -> object:
        return seal_file(
            session, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at()
        )

    assert at_once(world, sealing, sealing, sealing) == [DONE] * 3
    assert count(world, BankFile) == 1
    turns = []

    def beginning(session: Session) -> None:
        turn = begin(session, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at())
        assert turn is not None, "the run waits to be sent"
        turns.append(turn)

    at_once(world, beginning, beginning)
    attempts = {turn.attempt: turn for turn in turns}
    last = max(attempts)
    ours = {
        number: world.do(lambda s, turn=turn: still_ours(s, turn))  # type: ignore[misc]
        for number, turn in attempts.items()
    }
    assert ours[last]
    assert not any(mine for number, mine in ours.items() if number != last)


@on_both_databases
def test_recording_and_the_banks_event_at_once_capture_once(world: PaymentWorld) -> None:
    world.ready(2)
    run = world.released()
    file = world.do(
        lambda s: seal_file(s, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at())
    )
    world.do(lambda s: begin(s, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at()))
    told = BankEvent(
        "1",
        "file.settled",
        TUESDAY,
        {
            "id": "FILE-1",
            "sha256": file.sha256,
            "client_reference": run.reference,
            "settles_on": "2026-01-06",
        },
    )

    def hearing(session: Session) -> object:
        return events.apply_event(session, SYSTEM, told, moment=moment_at(TUESDAY))

    outcomes = at_once(
        world,
        lambda s: record_transmitted(s, SYSTEM, run_ref=run.reference, moment=moment_at()),
        hearing,
        hearing,
    )
    assert outcomes == [DONE] * 3
    states = select(PaymentInstruction.state)
    assert set(world.do(lambda s: s.execute(states).scalars().all())) == {"SETTLED"}

    def cash(session: Session) -> int:
        account_id = chart.account_id(session, "trust", "bank_cash:main")
        return ledger_queries.balance_of(session, account_id).ledger_cents

    assert world.do(cash) == 1_000_000 - 20_001
