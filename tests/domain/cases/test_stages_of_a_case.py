"""A case moves along its template, one stage at a time, and every step is written down."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError, Forbidden, Invalid
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import (
    CaseClosed,
    CaseHoldsMoney,
    CaseOnHold,
    StageNotAllowed,
)
from seedtrust.domain.cases.models import StageChange
from seedtrust.domain.cases.moves import may_move
from seedtrust.domain.cases.stages import ALLOWED_MOVES, MILESTONE_MOVES, MILESTONE_STAGES
from seedtrust.domain.cases.states import STAGES_OF, AgreementKind, CaseKind, Milestone, Stage
from seedtrust.domain.terms.states import Category
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]


def _steps(session: Session, case_id: int) -> list[tuple[str | None, str]]:
    rows = session.execute(
        select(StageChange.from_stage, StageChange.to_stage)
        .where(StageChange.case_id == case_id)
        .order_by(StageChange.id)
    )
    return [(before, after) for before, after in rows]


def test_an_egg_donation_goes_through_its_stages_by_signatures_money_and_milestones(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.retrieved(session)
        assert world.case.stage == Stage.POST_RETRIEVAL
        assert _steps(session, world.case.id) == [
            (None, "INTAKE"),
            ("INTAKE", "AWAITING_ESCROW_AGREEMENT"),
            ("AWAITING_ESCROW_AGREEMENT", "PENDING_FUNDING"),
            ("PENDING_FUNDING", "AWAITING_EXECUTED_AGREEMENT"),
            ("AWAITING_EXECUTED_AGREEMENT", "CYCLE_IN_PROGRESS"),
            ("CYCLE_IN_PROGRESS", "POST_RETRIEVAL"),
        ]


def test_a_surrogacy_goes_through_pregnancy_and_back_after_a_loss(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session, kind=CaseKind.SURROGACY, anonymous=False)
        assert world.case.stage == Stage.AWAITING_HEARTBEAT
        world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 3, 20))
        assert world.case.stage == Stage.PREGNANT
        world_of.happen(session, world, Milestone.PREGNANCY_LOST, on=date(2026, 4, 1))
        assert world.case.stage == Stage.AWAITING_HEARTBEAT
        world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 7, 20))
        world_of.happen(session, world, Milestone.DELIVERED, on=date(2027, 2, 1))
        assert world.case.stage == Stage.POST_DELIVERY


def test_money_and_papers_that_come_early_count_when_their_stage_comes(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.sign(session, world, AgreementKind.DONOR, on=date(2026, 1, 10))
        world_of.fund(session, world, on=date(2026, 1, 12))
        assert world.case.stage == Stage.AWAITING_ESCROW_AGREEMENT
        world_of.sign(session, world, AgreementKind.ESCROW, on=date(2026, 1, 16))
        assert world.case.stage == Stage.CYCLE_IN_PROGRESS
        forward = [after for _, after in _steps(session, world.case.id)]
        assert forward == [stage.value for stage in STAGES_OF[CaseKind.EGG_DONATION][:5]]


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_step_that_is_not_in_the_template_is_refused(
    session_factory: Sessions, kind: CaseKind
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, kind=kind, anonymous=False)
        case = world.case
        for stage in ALLOWED_MOVES[kind]:
            case.stage = stage.value
            for target in Stage:
                allowed = target in ALLOWED_MOVES[kind][stage]
                assert may_move(case, target) is allowed
        case.stage = Stage.PENDING_FUNDING.value
        with pytest.raises(StageNotAllowed) as refusal:
            cases.move_stage(
                session,
                world.specialist,
                case,
                Stage.CLOSED,
                cause="shortcut",
                moment=world_of.moment_on(date(2026, 1, 6)),
            )
        assert refusal.value.code == "stage_not_allowed"
        assert "Pending funding" in refusal.value.detail
        session.rollback()


@pytest.mark.parametrize("kind", list(CaseKind))
def test_a_template_only_goes_forward_by_one_or_by_the_side_moves_of_the_rules(
    kind: CaseKind,
) -> None:
    order = STAGES_OF[kind]
    sideways = {Stage.ON_HOLD, Stage.CANCELLED, Stage.AWAITING_CLOSE_APPROVAL}
    back = {(Stage.PREGNANT, Stage.AWAITING_HEARTBEAT)}
    for stage, targets in ALLOWED_MOVES[kind].items():
        for target in targets:
            is_next = target in order and order.index(target) == order.index(stage) + 1
            assert is_next or target in sideways or (stage, target) in back
    # The end of a case is reached through every stage of closing.
    into = {
        target: {stage for stage, targets in ALLOWED_MOVES[kind].items() if target in targets}
        for target in (Stage.CLOSED, Stage.FINAL_DISBURSEMENT, Stage.FINAL_ACCOUNTING)
    }
    assert into[Stage.CLOSED] == {Stage.FINAL_DISBURSEMENT}
    assert into[Stage.FINAL_DISBURSEMENT] == {Stage.FINAL_ACCOUNTING}
    assert into[Stage.FINAL_ACCOUNTING] == {Stage.AWAITING_CLOSE_APPROVAL}


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_move_of_a_milestone_is_a_move_of_the_template(kind: CaseKind) -> None:
    for (stage, code), target in MILESTONE_MOVES[kind].items():
        assert target in ALLOWED_MOVES[kind][stage]
        assert stage in MILESTONE_STAGES[kind][code]


_EVENTS = st.lists(
    st.sampled_from(
        [
            *Milestone,
            "sign escrow",
            "sign contract",
            "money",
            "hold",
            "resume",
            "cancel",
        ]
    ),
    max_size=14,
)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(kind=st.sampled_from(list(CaseKind)), events=_EVENTS)
def test_no_order_of_events_skips_a_stage(
    session_factory: Sessions, kind: CaseKind, events: list[str]
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, kind=kind, anonymous=False)
        for event in events:
            savepoint = session.begin_nested()
            try:
                _make_happen(session, world, event)
            except DomainError:
                savepoint.rollback()
            else:
                savepoint.commit()
        steps = _steps(session, world.case.id)
        order = [stage.value for stage in STAGES_OF[kind]]
        for (_, left), (from_stage, _) in pairwise(steps):
            assert from_stage == left
        for before, after in steps:
            if before in order and after in order and order.index(after) > order.index(before):
                assert order.index(after) == order.index(before) + 1
        session.rollback()


def _make_happen(session: Session, world: world_of.World, event: str) -> None:
    day = date(2026, 2, 2)
    moment = world_of.moment_on(day)
    ref = world.case.reference
    if event == "sign escrow":
        world_of.sign(session, world, AgreementKind.ESCROW, on=day)
    elif event == "sign contract":
        world_of.sign(session, world, world_of.donation_agreement(world), on=day)
    elif event == "money":
        world_of.fund(session, world, on=day)
    elif event == "hold":
        cases.put_on_hold(session, world.legal, case_ref=ref, reason="Dispute", moment=moment)
    elif event == "resume":
        cases.resume(session, world.legal, case_ref=ref, reason="Settled", moment=moment)
    elif event == "cancel":
        cases.cancel_case(session, world.specialist, case_ref=ref, reason="No match", moment=moment)
    else:
        world_of.happen(session, world, Milestone(event), on=day)


def test_a_held_case_moves_nowhere_and_returns_to_where_it_was(session_factory: Sessions) -> None:
    moment = world_of.moment_on(date(2026, 2, 2))
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        with pytest.raises(Forbidden):
            cases.put_on_hold(session, world.specialist, case_ref=ref, reason="x", moment=moment)
        with pytest.raises(Invalid) as refusal:
            cases.put_on_hold(session, world.legal, case_ref=ref, reason="  ", moment=moment)
        assert "reason" in refusal.value.errors
        cases.put_on_hold(session, world.legal, case_ref=ref, reason="Court order", moment=moment)
        assert (world.case.stage, world.case.stage_before_hold) == (
            "ON_HOLD",
            "AWAITING_ESCROW_AGREEMENT",
        )
        with pytest.raises(CaseOnHold):
            cases.put_on_hold(session, world.legal, case_ref=ref, reason="again", moment=moment)
        with pytest.raises(CaseOnHold):
            world_of.sign(session, world, AgreementKind.ESCROW)
        with pytest.raises(CaseOnHold):
            world_of.happen(session, world, Milestone.MEDICAL_CLEARANCE, on=date(2026, 2, 2))
        cases.resume(session, world.legal, case_ref=ref, reason="Lifted", moment=moment)
        assert (world.case.stage, world.case.hold_reason) == ("AWAITING_ESCROW_AGREEMENT", "")
        with pytest.raises(StageNotAllowed):
            cases.resume(session, world.legal, case_ref=ref, reason="Lifted", moment=moment)


def test_money_that_comes_while_a_case_is_held_counts_on_resuming(
    session_factory: Sessions,
) -> None:
    moment = world_of.moment_on(date(2026, 2, 2))
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        world_of.sign(session, world, AgreementKind.ESCROW)
        cases.put_on_hold(session, world.legal, case_ref=ref, reason="Court order", moment=moment)
        world_of.fund(session, world, on=date(2026, 2, 2))
        assert world.case.stage == Stage.ON_HOLD
        cases.resume(session, world.legal, case_ref=ref, reason="Lifted", moment=moment)
        assert world.case.stage == Stage.AWAITING_EXECUTED_AGREEMENT


def test_a_case_without_money_may_be_called_off_before_the_journey_and_is_then_closed(
    session_factory: Sessions,
) -> None:
    moment = world_of.moment_on(date(2026, 2, 2))
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        cases.cancel_case(session, world.specialist, case_ref=ref, reason="Moved", moment=moment)
        assert world.case.stage == Stage.CANCELLED
        assert world.case.closed_on == date(2026, 2, 2)
        with pytest.raises(CaseClosed) as refusal:
            world_of.propose(session, world)
        assert refusal.value.code == "case_closed"


def test_a_case_with_money_or_a_begun_journey_is_not_called_off(
    session_factory: Sessions,
) -> None:
    moment = world_of.moment_on(date(2026, 2, 20))
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.fund(session, world, 100, milestone=False)
        with pytest.raises(CaseHoldsMoney) as refusal:
            cases.cancel_case(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="Moved",
                moment=moment,
            )
        assert "1.00" in refusal.value.detail
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        world_of.pay(session, world, 2_850_000, Category.OTHER, on=date(2026, 2, 20))
        with pytest.raises(StageNotAllowed):
            cases.cancel_case(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="Moved",
                moment=moment,
            )


def test_the_system_moves_stages_too_and_its_name_stands_in_the_history(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world)
        last = session.execute(
            select(StageChange).order_by(StageChange.id.desc()).limit(1)
        ).scalar_one()
        assert (last.actor_name, last.cause) == (
            Actor.system("tests").name,
            "Initial funding received",
        )
        assert last.changed_on == date(2026, 1, 22)
