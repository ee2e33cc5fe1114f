"""A surrogacy's calendar on a case: heartbeat, loss, a second pregnancy, birth, termination."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Invalid
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone
from seedtrust.domain.terms import milestones
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.queries import schedule_of, terms_of
from seedtrust.domain.terms.states import (
    Category,
    TaxClass,
    TermApprover,
    TermKind,
    TermSchedule,
)
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]

BASE = Spread(TermSchedule.INSTALMENTS, 9, None, Milestone.DELIVERED, 14)
ALLOWANCE = Spread(TermSchedule.MONTHLY, 11)
CLOTHING = Spread(TermSchedule.PREGNANCY_WEEK, 1, 14)


def _scheduled(  # noqa: PLR0917 - a term, short in the tables below
    session: Session,
    world: world_of.World,
    category: Category,
    cents: int,
    trigger: Milestone,
    spread: Spread | None = None,
) -> ContractTerm:
    return world_of.propose(
        session,
        world,
        category=category,
        kind=TermKind.SCHEDULED,
        payee="carrier",
        amount_cents=cents,
        trigger=trigger,
        tax_class=TaxClass.COMPENSATION,
        approver=TermApprover.PRE_AUTHORISED,
        spread=spread,
    )


def _begun(session: Session) -> world_of.World:
    """Return a surrogacy whose agreement is signed on 18 February 2026, with its usual terms."""
    world = world_of.build(session, kind=CaseKind.SURROGACY, anonymous=False)
    _scheduled(
        session, world, Category.MONTHLY_ALLOWANCE, 25_000, Milestone.AGREEMENT_EXECUTED, ALLOWANCE
    )
    _scheduled(
        session, world, Category.BASE_COMPENSATION, 5_200_000, Milestone.HEARTBEAT_CONFIRMED, BASE
    )
    _scheduled(
        session,
        world,
        Category.MATERNITY_CLOTHING,
        100_000,
        Milestone.EMBRYO_TRANSFERRED,
        CLOTHING,
    )
    _scheduled(session, world, Category.EMBRYO_TRANSFER, 150_000, Milestone.EMBRYO_TRANSFERRED)
    world_of.activate(session, world)
    world_of.sign(session, world, AgreementKind.ESCROW, on=date(2026, 1, 16))
    world_of.fund(session, world, on=date(2026, 1, 22))
    world_of.sign(session, world, world_of.donation_agreement(world), on=date(2026, 2, 18))
    return world


def _items(session: Session, category: Category) -> list[tuple[str, date | None]]:
    rows = session.execute(
        select(ScheduleItem.state, ScheduleItem.due_on)
        .join(ContractTerm, ContractTerm.id == ScheduleItem.term_id)
        .where(ContractTerm.category == category.value)
        .order_by(ScheduleItem.number)
    )
    return [(state, due_on) for state, due_on in rows]


def _pregnant(session: Session) -> world_of.World:
    world = _begun(session)
    world_of.happen(session, world, Milestone.MEDICATION_STARTED, on=date(2026, 3, 2))
    world_of.happen(session, world, Milestone.EMBRYO_TRANSFERRED, on=date(2026, 3, 20))
    world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 4, 17))
    return world


def test_the_calendar_is_dated_as_milestones_come(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = _begun(session)
        allowance = _items(session, Category.MONTHLY_ALLOWANCE)
        assert allowance[0] == ("PLANNED", date(2026, 3, 2))
        assert allowance[-1] == ("PLANNED", date(2027, 1, 4))
        assert {state for state, _ in _items(session, Category.BASE_COMPENSATION)} == {"WAITING"}
        world_of.happen(session, world, Milestone.EMBRYO_TRANSFERRED, on=date(2026, 3, 20))
        # A transfer is no pregnancy yet; its own fee is earned.
        assert _items(session, Category.MATERNITY_CLOTHING) == [("WAITING", None)]
        assert _items(session, Category.EMBRYO_TRANSFER) == [("PLANNED", date(2026, 3, 20))]
        world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 4, 17))
        base = _items(session, Category.BASE_COMPENSATION)
        assert base[0] == ("PLANNED", date(2026, 5, 1))
        assert base[7] == ("PLANNED", date(2026, 12, 1))
        assert base[8] == ("WAITING", None)
        # 14 weeks are reached on Sunday 7 June.
        assert _items(session, Category.MATERNITY_CLOTHING) == [("PLANNED", date(2026, 6, 8))]


def test_the_schedule_reads_which_of_how_many_and_what_the_last_waits_for(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = _pregnant(session)
        lines = [
            line
            for line in schedule_of(session, world.specialist, world.case)
            if line.category == "base_compensation"
        ]
        assert lines[0].title == "Base compensation, 1 of 9"
        assert (lines[0].amount_cents, lines[-1].amount_cents) == (577_778, 577_776)
        assert lines[-1].waits_for == "Delivered"
        rows = {
            row.category: row for row in terms_of(session, world.specialist, world.case.reference)
        }
        assert "9 equal instalments" in rows["base_compensation"].schedule_label
        assert rows["base_compensation"].last_trigger_label == "Delivered"
        assert "14 weeks" in rows["maternity_clothing"].schedule_label
        assert rows["embryo_transfer"].schedule_label == ""


def test_an_early_birth_reduces_nothing(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = _pregnant(session)
        world_of.happen(session, world, Milestone.DELIVERED, on=date(2026, 9, 18))
        base = _items(session, Category.BASE_COMPENSATION)
        assert [state for state, _ in base] == ["PLANNED"] * 9
        assert base[4] == ("PLANNED", date(2026, 9, 1))
        assert [on for _, on in base[5:]] == [date(2026, 10, 1)] + [date(2026, 10, 2)] * 3


def test_a_loss_keeps_what_fell_due_and_lets_the_rest_wait_for_the_next_heartbeat(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = _pregnant(session)
        # The first of August is a Saturday; it fell due although the bank pays on Monday.
        world_of.happen(session, world, Milestone.PREGNANCY_LOST, on=date(2026, 8, 2))
        base = _items(session, Category.BASE_COMPENSATION)
        assert base[3] == ("PLANNED", date(2026, 8, 3))
        assert base[4:] == [("WAITING", None)] * 5
        assert world.case.stage == "AWAITING_HEARTBEAT"
        # The allowance follows the agreement.
        assert _items(session, Category.MONTHLY_ALLOWANCE)[-1][0] == "PLANNED"
        world_of.happen(session, world, Milestone.EMBRYO_TRANSFERRED, on=date(2026, 11, 6))
        world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 12, 4))
        base = _items(session, Category.BASE_COMPENSATION)
        assert base[3] == ("PLANNED", date(2026, 8, 3))
        assert base[4] == ("PLANNED", date(2027, 1, 4))
        assert base[7] == ("PLANNED", date(2027, 4, 1))
        assert base[8] == ("WAITING", None)


def test_a_loss_before_the_first_instalment_owes_no_base(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = _pregnant(session)
        world_of.happen(session, world, Milestone.PREGNANCY_LOST, on=date(2026, 4, 30))
        assert {state for state, _ in _items(session, Category.BASE_COMPENSATION)} == {"WAITING"}
        assert _items(session, Category.MATERNITY_CLOTHING) == [("WAITING", None)]


def test_a_termination_cancels_what_has_not_fallen_due(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = _pregnant(session)
        world_of.happen(session, world, Milestone.AGREEMENT_TERMINATED, on=date(2026, 6, 15))
        base = _items(session, Category.BASE_COMPENSATION)
        assert base[1] == ("PLANNED", date(2026, 6, 1))
        assert {state for state, _ in base[2:]} == {"CANCELLED"}
        allowance = _items(session, Category.MONTHLY_ALLOWANCE)
        assert [state for state, _ in allowance] == ["PLANNED"] * 4 + ["CANCELLED"] * 7
        assert _items(session, Category.EMBRYO_TRANSFER) == [("PLANNED", date(2026, 3, 20))]
        assert _items(session, Category.MATERNITY_CLOTHING) == [("PLANNED", date(2026, 6, 8))]


def test_a_younger_embryo_moves_the_weeks(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = _begun(session)
        milestones.record_milestone(
            session,
            world.specialist,
            case_ref=world.case.reference,
            code="embryo_transferred",
            occurred_on=date(2026, 3, 20),
            embryo_age_days=3,
            moment=world_of.moment_on(date(2026, 3, 20)),
        )
        world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 4, 17))
        assert _items(session, Category.MATERNITY_CLOTHING) == [("PLANNED", date(2026, 6, 9))]


@pytest.mark.parametrize(
    "code, age", [("embryo_transferred", 4), ("heartbeat_confirmed", 5), ("medication_started", 3)]
)
def test_an_embryos_age_is_checked(session_factory: Sessions, code: str, age: int) -> None:
    with session_factory() as session, session.begin():
        world = _begun(session)
        with pytest.raises(Invalid) as refused:
            milestones.record_milestone(
                session,
                world.specialist,
                case_ref=world.case.reference,
                code=code,
                occurred_on=date(2026, 3, 20),
                embryo_age_days=age,
                moment=world_of.moment_on(date(2026, 3, 20)),
            )
        assert "embryo_age_days" in refused.value.errors


@pytest.mark.parametrize(
    "spread, trigger, field",
    [
        (Spread(TermSchedule.INSTALMENTS, 0), Milestone.HEARTBEAT_CONFIRMED, "item_count"),
        (Spread(TermSchedule.MONTHLY, 61), Milestone.HEARTBEAT_CONFIRMED, "item_count"),
        (Spread(TermSchedule.ONCE, 2), Milestone.HEARTBEAT_CONFIRMED, "item_count"),
        (Spread(TermSchedule.INSTALMENTS, 9), Milestone.RETRIEVAL_DONE, "trigger"),
        (
            Spread(TermSchedule.MONTHLY, 3, None, Milestone.RETRIEVAL_DONE),
            Milestone.HEARTBEAT_CONFIRMED,
            "last_trigger",
        ),
        (
            Spread(TermSchedule.ONCE, 1, None, Milestone.DELIVERED),
            Milestone.HEARTBEAT_CONFIRMED,
            "last_trigger",
        ),
        (
            Spread(TermSchedule.MONTHLY, 3, None, Milestone.DELIVERED, -1),
            Milestone.HEARTBEAT_CONFIRMED,
            "last_pay_after_days",
        ),
        (
            Spread(TermSchedule.PREGNANCY_WEEK, 1, 14),
            Milestone.HEARTBEAT_CONFIRMED,
            "trigger",
        ),
        (Spread(TermSchedule.PREGNANCY_WEEK, 1), Milestone.EMBRYO_TRANSFERRED, "pregnancy_week"),
        (
            Spread(TermSchedule.PREGNANCY_WEEK, 1, 43),
            Milestone.EMBRYO_TRANSFERRED,
            "pregnancy_week",
        ),
        (Spread(TermSchedule.MONTHLY, 3, 14), Milestone.HEARTBEAT_CONFIRMED, "pregnancy_week"),
    ],
)
def test_a_spread_that_cannot_be_is_refused_at_its_field(
    session_factory: Sessions, spread: Spread, trigger: Milestone, field: str
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, kind=CaseKind.SURROGACY)
        with pytest.raises(Invalid) as refused:
            _scheduled(session, world, Category.BASE_COMPENSATION, 5_200_000, trigger, spread)
        assert field in refused.value.errors


def test_instalments_of_nothing_are_refused(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, kind=CaseKind.SURROGACY)
        with pytest.raises(Invalid) as refused:
            _scheduled(
                session, world, Category.BASE_COMPENSATION, 4, Milestone.HEARTBEAT_CONFIRMED, BASE
            )
        assert "amount_cents" in refused.value.errors
