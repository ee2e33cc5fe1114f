"""Releasing a run: other people, a fresh second factor, and exactly what they were shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, StepUpRequired, WrongState
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments import queries, release, runs
from seedtrust.domain.payments.errors import (
    BankDetailsTouched,
    BuilderCannotRelease,
    ContentChanged,
    EffectiveDatePassed,
    PaymentsNotPossible,
    SecondReleaserMustDiffer,
)
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from tests.factories import payment_world
from tests.factories.payment_world import (
    MONDAY,
    STEP_UP_SECONDS,
    SYSTEM,
    TUESDAY,
    PaymentWorld,
    fresh,
    moment_at,
)


def attempt(
    world: PaymentWorld, run: PaymentRun, actor: Actor, *, content_hash: str | None = None
) -> PaymentRun:
    """Release a run as an actor, whose second factor is left as it is."""
    return world.do(
        lambda session: release.release_run(
            session,
            actor,
            run_ref=run.reference,
            content_hash=run.content_hash if content_hash is None else content_hash,
            moment=moment_at(),
            step_up_seconds=STEP_UP_SECONDS,
        )
    )


def test_another_person_releases_and_the_file_is_promised(world: PaymentWorld) -> None:
    world.ready(2)
    run = world.released()
    assert (run.state, run.releaser_name) == ("RELEASED", world.lead.name)
    promised = world.do(lambda session: list(session.execute(select(OutboxMessage)).scalars()))
    assert [(row.topic, row.payload) for row in promised] == [
        ("run.transmit", {"run": run.reference})
    ]
    states = select(PaymentInstruction.state).where(PaymentInstruction.run_id == run.id)
    assert set(world.do(lambda session: session.execute(states).scalars().all())) == {"RELEASED"}
    trail = select(AuditEvent).where(AuditEvent.action == "run.released")
    row = world.do(lambda session: session.execute(trail).scalar_one())
    assert row.facts["total_cents"] == 20_001


def test_the_builder_cannot_release_not_even_with_a_second_role(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()
    both = replace(world.builder, roles=frozenset({Role.PAYMENTS_SPECIALIST, Role.PAYMENTS_LEAD}))
    with pytest.raises(BuilderCannotRelease) as refusal:
        world.release(run, both)
    assert refusal.value.code == "builder_cannot_release"
    assert world.release(run).state == "RELEASED"


def test_who_only_collected_cannot_release_either(world: PaymentWorld) -> None:
    world.ready()
    both = replace(
        world.other_builder, roles=frozenset({Role.PAYMENTS_SPECIALIST, Role.PAYMENTS_LEAD})
    )
    world.collect(both)
    run = world.locked()
    assert run.builder_name == world.builder.name
    with pytest.raises(BuilderCannotRelease):
        world.release(run, both)
    assert world.release(run).state == "RELEASED"


def test_a_builder_without_the_permission_and_a_job_cannot_release(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()
    for actor in (world.other_builder, SYSTEM):
        with pytest.raises(Forbidden):
            world.release(run, actor)
    assert world.release(run, world.controller).state == "RELEASED"


@pytest.mark.parametrize("age_seconds", [None, STEP_UP_SECONDS + 1])
def test_a_release_needs_a_fresh_second_factor(
    world: PaymentWorld, age_seconds: int | None
) -> None:
    world.ready()
    run = world.locked()
    at = None if age_seconds is None else moment_at().at - timedelta(seconds=age_seconds)
    with pytest.raises(StepUpRequired) as refusal:
        attempt(world, run, replace(world.lead, stepped_up_at=at))
    assert refusal.value.code == "insufficient_user_authentication"
    just_in_time = moment_at().at - timedelta(seconds=STEP_UP_SECONDS)
    assert attempt(world, run, replace(world.lead, stepped_up_at=just_in_time)).state == "RELEASED"


def test_a_release_is_bound_to_what_was_shown(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()
    actor = fresh(world.lead, moment_at())
    for other in ("", "0" * 64):
        with pytest.raises(ContentChanged):
            attempt(world, run, actor, content_hash=other)
    assert attempt(world, run, actor).state == "RELEASED"


@pytest.mark.parametrize(
    "column,value",
    [
        ("amount_cents", 10_001),
        ("account_fingerprint", "0" * 64),
        ("payee_name", "Someone Else"),
        ("routing_number", "044000024"),
        ("entry_description", "PAYROLL"),
    ],
)
def test_a_payment_changed_behind_the_back_of_the_releaser_is_refused(
    world: PaymentWorld, column: str, value: object
) -> None:
    world.ready()
    run = world.locked()

    def tamper(session: Session) -> object:
        row = session.execute(
            select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
        ).scalar_one()
        before = getattr(row, column)
        setattr(row, column, value)
        return before

    before = world.do(tamper)
    with pytest.raises(ContentChanged):
        world.release(run)

    def mend(session: Session) -> None:
        row = session.execute(
            select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
        ).scalar_one()
        setattr(row, column, before)

    world.do(mend)
    assert world.release(run).state == "RELEASED"


def test_a_run_that_was_reopened_needs_a_new_look(world: PaymentWorld) -> None:
    world.ready()
    shown = world.locked()
    world.do(
        lambda session: runs.reopen_run(
            session,
            world.builder,
            run_ref=shown.reference,
            reason="One more.",
            moment=moment_at(),
        )
    )
    world.ready()
    again = world.locked()
    assert again.id == shown.id
    with pytest.raises(ContentChanged):
        world.release(shown)
    assert world.release(again).state == "RELEASED"


def test_an_open_or_released_run_cannot_be_released(world: PaymentWorld) -> None:
    world.ready()
    run = world.collect()
    assert run is not None
    with pytest.raises(WrongState):
        world.release(run)
    released = world.released()
    with pytest.raises(WrongState):
        world.release(released, world.other_lead)
    assert released.state == "RELEASED"


def test_after_the_cut_off_the_run_has_to_be_dated_anew(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()
    with pytest.raises(EffectiveDatePassed) as refusal:
        world.release(run, moment=moment_at(MONDAY, 15))
    assert refusal.value.facts["effective_on"] == TUESDAY.isoformat()
    assert world.release(run).state == "RELEASED"


@pytest.mark.parametrize("step", ["submitted", "checked", "verified", "approved"])
def test_who_handled_bank_details_lately_cannot_release_a_run_that_pays_them(
    world: PaymentWorld, step: str
) -> None:
    world.ready()
    run = world.locked()

    def handled(session: Session, *, active_on: date) -> None:
        account = session.execute(select(PayeeAccount)).scalar_one()
        setattr(account, f"{step}_by_user_id", world.lead.user_id)
        account.active_on = active_on

    world.do(lambda session: handled(session, active_on=MONDAY - timedelta(days=29)))
    with pytest.raises(BankDetailsTouched) as refusal:
        world.release(run)
    assert refusal.value.code == "bank_details_touched"
    world.do(lambda session: handled(session, active_on=MONDAY - timedelta(days=30)))
    assert world.release(run).state == "RELEASED"


def test_above_the_limit_two_people_release(session_factory: sessionmaker[Session]) -> None:
    world = payment_world.build(session_factory, second_release_above_cents=10_000)
    world.ready(2)
    run = world.locked()
    first = world.release(run)
    assert (first.state, first.releaser_name) == ("LOCKED", world.lead.name)
    view = world.do(lambda session: queries.run_view(session, world.lead, run.reference))
    assert (view.second_releaser_needed, view.may_release) == (True, False)
    with pytest.raises(SecondReleaserMustDiffer) as refusal:
        world.release(run)
    assert refusal.value.code == "second_releaser_must_differ"
    second = world.release(run, world.controller)
    assert (second.state, second.second_releaser_name) == ("RELEASED", world.controller.name)


def test_at_the_limit_one_person_is_enough(session_factory: sessionmaker[Session]) -> None:
    world = payment_world.build(session_factory, second_release_above_cents=10_000)
    world.ready(1)
    run = world.released()
    assert (run.state, run.second_releaser_name) == ("RELEASED", "")


def test_reopening_voids_the_first_of_two_releases(
    session_factory: sessionmaker[Session],
) -> None:
    world = payment_world.build(session_factory, second_release_above_cents=10_000)
    world.ready(2)
    run = world.locked()
    world.release(run)
    world.do(
        lambda session: runs.reopen_run(
            session, world.builder, run_ref=run.reference, reason="A bill.", moment=moment_at()
        )
    )
    again = world.locked()
    assert again.releaser_user_id is None
    assert world.release(again, world.controller).state == "LOCKED"


def test_a_block_or_a_hold_between_lock_and_release_stops_the_release(
    world: PaymentWorld,
) -> None:
    case, payee = world.case(), world.payee()
    request = world.request(case, payee)
    run = world.locked()

    def stage(session: Session, to: str) -> None:
        session.get_one(Case, case.id).stage = to

    world.do(lambda session: stage(session, "ON_HOLD"))
    with pytest.raises(PaymentsNotPossible) as refusal:
        world.release(run)
    assert refusal.value.facts["reason"] == "hold"
    world.do(lambda session: stage(session, "CYCLE_IN_PROGRESS"))

    def block(session: Session) -> None:
        account = session.execute(select(PayeeAccount)).scalar_one()
        payees.block_account(
            session,
            world.approver,
            account_ref=account.reference,
            reason="The payee called.",
            moment=moment_at(),
        )

    world.do(block)
    with pytest.raises(PaymentsNotPossible):
        world.release(run)
    assert world.do(lambda s: s.get_one(DisbursementRequest, request.id).state) == "IN_PAYMENT"


def test_buttons_follow_the_same_rules(world: PaymentWorld) -> None:
    world.ready()
    run = world.locked()

    def buttons(actor: Actor) -> tuple[bool, bool, bool]:
        view = world.do(lambda session: queries.run_view(session, actor, run.reference))
        return view.may_reopen, view.may_release, view.may_cancel

    assert buttons(world.builder) == (True, False, True)
    assert buttons(world.lead) == (False, True, False)
    assert buttons(world.escrow) == (False, False, False)
