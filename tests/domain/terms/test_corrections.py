"""A milestone's day is corrected by two people, and only what is still to be paid moves."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.cases.models import CaseMilestone
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone
from seedtrust.domain.terms import corrections
from seedtrust.domain.terms.corrections import CorrectionView
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.errors import (
    CorrectionDecided,
    CorrectionOpen,
    CorrectionOutdated,
    ProposerCannotAccept,
)
from seedtrust.domain.terms.models import ScheduleItem
from seedtrust.domain.terms.states import Category, TaxClass, TermKind, TermSchedule
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
TODAY = date(2026, 6, 10)
NOW = world_of.moment_on(TODAY)
NEXT_MONTH = date(2026, 7, 6)


def pregnant(session: Session) -> world_of.World:
    """Return a surrogacy with its heartbeat on 17 April, two instalments of five being paid."""
    world = world_of.build(session, kind=CaseKind.SURROGACY, anonymous=False)
    world_of.propose(
        session,
        world,
        category=Category.BASE_COMPENSATION,
        kind=TermKind.SCHEDULED,
        payee="carrier",
        amount_cents=500_000,
        trigger=Milestone.HEARTBEAT_CONFIRMED,
        tax_class=TaxClass.COMPENSATION,
        spread=Spread(TermSchedule.INSTALMENTS, 5),
    )
    world_of.activate(session, world)
    world_of.sign(session, world, AgreementKind.ESCROW)
    world_of.fund(session, world)
    world_of.sign(session, world, world_of.donation_agreement(world), on=date(2026, 2, 18))
    world_of.happen(session, world, Milestone.HEARTBEAT_CONFIRMED, on=date(2026, 4, 17))
    items = _items(session)
    items[0].state = items[1].state = "MATERIALISED"
    session.flush()
    return world


def _items(session: Session) -> list[ScheduleItem]:
    return list(session.execute(select(ScheduleItem).order_by(ScheduleItem.number)).scalars())


def _days(session: Session) -> list[date | None]:
    return [item.due_on for item in _items(session)]


def propose(
    session: Session,
    world: world_of.World,
    on: date = date(2026, 5, 2),
    *,
    actor: Actor | None = None,
    code: str = "heartbeat_confirmed",
    reason: str = "The report says 2 May",
) -> str:
    """Propose another day for the heartbeat and return the correction's reference."""
    return corrections.propose_correction(
        session,
        actor or world.specialist,
        case_ref=world.case.reference,
        code=code,
        occurred_on=on,
        reason=reason,
        moment=NOW,
    ).reference


def _accept(session: Session, actor: Actor, reference: str) -> str:
    return corrections.accept_correction(session, actor, correction_ref=reference, moment=NOW).state


def _view(session: Session, world: world_of.World, reference: str) -> CorrectionView:
    return corrections.correction_view(session, world.specialist, reference)


def test_a_proposal_shows_what_would_move_and_moves_nothing(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        before = _days(session)
        view = _view(session, world, propose(session, world))
        assert [(one.title, one.before_on, one.after_on) for one in view.changes] == [
            ("Base compensation, 3 of 5", date(2026, 7, 1), date(2026, 8, 3)),
            ("Base compensation, 4 of 5", date(2026, 8, 3), date(2026, 9, 1)),
            ("Base compensation, 5 of 5", date(2026, 9, 1), date(2026, 10, 1)),
        ]
        assert (view.was_on, view.proposed_on) == (date(2026, 4, 17), date(2026, 5, 2))
        assert _days(session) == before


def test_a_second_person_accepts_and_what_is_paid_stays(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        reference = propose(session, world)
        assert _accept(session, world.legal, reference) == "ACCEPTED"
        assert _days(session) == [
            date(2026, 5, 1),
            date(2026, 6, 1),
            date(2026, 8, 3),
            date(2026, 9, 1),
            date(2026, 10, 1),
        ]
        happened = session.execute(
            select(CaseMilestone.occurred_on).where(CaseMilestone.code == "heartbeat_confirmed")
        ).scalar_one()
        assert happened == date(2026, 5, 2)
        view = _view(session, world, reference)
        assert (view.decided_by, view.state) == (world.legal.name, "ACCEPTED")
        actions = session.execute(select(AuditEvent.action)).scalars().all()
        assert {"milestones.correction_proposed", "milestones.corrected"} <= set(actions)


def test_whoever_proposed_cannot_accept_but_may_take_it_back(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        both = Actor(
            world.specialist.kind,
            world.specialist.user_id,
            world.specialist.name,
            world.specialist.roles | world.legal.roles,
        )
        reference = propose(session, world, actor=both)
        with pytest.raises(ProposerCannotAccept):
            _accept(session, both, reference)
        with pytest.raises(Forbidden):
            _accept(session, world.second, reference)
        corrections.reject_correction(
            session, world.specialist, correction_ref=reference, reason="A typo", moment=NOW
        )
        assert _view(session, world, reference).state == "REJECTED"
        assert _days(session)[2] == date(2026, 7, 1)


def test_a_rejected_or_accepted_correction_is_decided(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        reference = propose(session, world)
        with pytest.raises(Invalid):
            corrections.reject_correction(
                session, world.legal, correction_ref=reference, reason=" ", moment=NOW
            )
        corrections.reject_correction(
            session, world.legal, correction_ref=reference, reason="Unclear", moment=NOW
        )
        for _ in range(2):
            with pytest.raises(CorrectionDecided):
                _accept(session, world.legal, reference)
        # The next proposal is free to come.
        assert _accept(session, world.legal, propose(session, world)) == "ACCEPTED"


def test_a_correction_whose_items_were_asked_for_meanwhile_is_refused(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        reference = propose(session, world)
        _items(session)[2].state = "MATERIALISED"
        session.flush()
        with pytest.raises(CorrectionOutdated):
            _accept(session, world.legal, reference)
        assert _days(session)[2:] == [date(2026, 7, 1), date(2026, 8, 3), date(2026, 9, 1)]
        assert _view(session, world, reference).state == "PROPOSED"


def test_a_correction_of_what_a_newer_milestone_replaced_is_refused(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        reference = propose(session, world)
        world_of.happen(session, world, Milestone.PREGNANCY_LOST, on=date(2026, 6, 5), today=TODAY)
        with pytest.raises(CorrectionOutdated):
            _accept(session, world.legal, reference)


def test_a_milestone_has_one_open_correction(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        propose(session, world)
        with pytest.raises(CorrectionOpen):
            propose(session, world, date(2026, 5, 3))
        assert len(corrections.corrections_of(session, world.specialist, world.case)) == 1


def test_what_makes_no_sense_is_refused(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        for on in (date(2026, 4, 17), date(2026, 6, 11), date(1999, 1, 1)):
            with pytest.raises(Invalid) as refused:
                propose(session, world, on)
            assert "occurred_on" in refused.value.errors
        with pytest.raises(Invalid):
            propose(session, world, reason="")
        with pytest.raises(NotFound):
            propose(session, world, code="delivered")
        with pytest.raises(Forbidden):
            propose(session, world, actor=world.agency_admin)
        with pytest.raises(NotFound):
            _accept(session, world.legal, "AAAAAAAAAAAAAAA")


def test_a_loss_moved_to_another_day_changes_what_is_owed(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        world_of.happen(
            session, world, Milestone.PREGNANCY_LOST, on=date(2026, 7, 2), today=date(2026, 7, 6)
        )
        assert _days(session)[2:] == [date(2026, 7, 1), None, None]
        later = world_of.moment_on(date(2026, 8, 10))
        reference = corrections.propose_correction(
            session,
            world.specialist,
            case_ref=world.case.reference,
            code="pregnancy_lost",
            occurred_on=date(2026, 8, 4),
            reason="The letter says August",
            moment=later,
        ).reference
        corrections.accept_correction(session, world.legal, correction_ref=reference, moment=later)
        assert _days(session)[2:] == [date(2026, 7, 1), date(2026, 8, 3), None]


def test_people_outside_see_no_corrections(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        reference = propose(session, world)
        assert corrections.corrections_of(session, world.parent, world.case) == []
        with pytest.raises(Forbidden):
            corrections.correction_view(session, world.parent, reference)
