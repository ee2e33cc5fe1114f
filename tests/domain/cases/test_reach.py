"""Who reaches a case: everybody of the company, the agency its own, a party its own."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.core.permissions import Actor, ActorKind, Permission, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import (
    CaseFilters,
    agencies,
    case_for,
    case_view,
    list_cases,
    side_of,
    sides_of,
    stage_counts,
    timeline,
)
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Side, Stage
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
TODAY = date(2026, 1, 6)


def _reaches(session: Session, actor: Actor, case: Case, permission: Permission) -> bool:
    try:
        return case_for(session, actor, case.reference, permission) is case
    except (NotFound, Forbidden):
        return False


def test_each_person_reaches_a_case_by_the_scope_of_the_role(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        other = world_of.build(session)
        unassigned = world.case_manager
        view = Permission.CASES_VIEW
        insiders = (world.specialist, world.controller, world.auditor, Actor.system("job"))
        for actor in insiders:
            assert _reaches(session, actor, world.case, view)
            assert _reaches(session, actor, other.case, view)
        for actor in (world.agency_admin, world.parent, world.carrier, world.attorney):
            assert _reaches(session, actor, world.case, view)
            assert not _reaches(session, actor, other.case, view)
        assert not _reaches(session, unassigned, world.case, view)
        cases.assign(
            session,
            world.specialist,
            case_ref=world.case.reference,
            user_id=unassigned.user_id or 0,
            label="Case manager",
            moment=world_of.moment_on(TODAY),
        )
        session.flush()
        assert _reaches(session, unassigned, world.case, view)
        assert side_of(session, unassigned, world.case.id) is Side.AGENCY


def test_whoever_changes_agency_reaches_the_old_cases_no_more(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        manager = world.case_manager
        cases.assign(
            session,
            world.specialist,
            case_ref=world.case.reference,
            user_id=manager.user_id or 0,
            label="Case manager",
            moment=world_of.moment_on(TODAY),
        )
        session.flush()
        moved = Actor(
            ActorKind.PARTY, manager.user_id, manager.name, manager.roles, agency_id=12345
        )
        assert not _reaches(session, moved, world.case, Permission.CASES_VIEW)
        cases.unassign(
            session,
            world.specialist,
            case_ref=world.case.reference,
            user_id=manager.user_id or 0,
            moment=world_of.moment_on(TODAY),
        )
        session.flush()
        assert not _reaches(session, manager, world.case, Permission.CASES_VIEW)


def test_a_right_of_one_role_does_not_leak_into_the_cases_of_another(
    session_factory: Sessions,
) -> None:
    """Somebody who runs an agency and is a donor on another case reads no ledger there."""
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        both = Actor(
            ActorKind.PARTY,
            world.carrier.user_id,
            world.carrier.name,
            frozenset({Role.DONOR, Role.AGENCY_ADMINISTRATOR}),
            agency_id=987,
        )
        assert _reaches(session, both, world.case, Permission.CASES_VIEW)
        assert not _reaches(session, both, world.case, Permission.LEDGER_VIEW)
        assert side_of(session, both, world.case.id) is Side.CARRIER


def test_an_agency_administrator_without_an_agency_reaches_nothing(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        nobody = world_of.person(session, "Nora Blank", Role.AGENCY_ADMINISTRATOR)
        assert not _reaches(session, nobody, world.case, Permission.CASES_VIEW)
        with pytest.raises(NotFound):
            side_of(session, nobody, world.case.id)
        with pytest.raises(NotFound):
            sides_of(session, nobody, [world.case.id])


def test_a_missing_right_is_forbidden_and_a_missing_case_is_not_found(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(Forbidden):
            case_for(session, world.parent, world.case.reference, Permission.TERMS_EDIT)
        with pytest.raises(NotFound):
            case_for(session, world.specialist, "AAAAAAAAAAAAAAA")
        it_admin = world_of.person(session, "Ivo Turing", Role.IT_ADMIN)
        with pytest.raises(Forbidden):
            list_cases(session, it_admin)


def test_a_locked_case_comes_with_fresh_attributes(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
    with session_factory() as session, session.begin():
        stale = case_for(session, world.specialist, ref)
        session.connection().exec_driver_sql("UPDATE cases SET hold_reason = 'changed'")
        assert stale.hold_reason == ""
        fresh = case_for(session, world.specialist, ref, locked=True)
        assert fresh is stale
        assert fresh.hold_reason == "changed"


def test_the_list_pages_through_all_cases_and_filters(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        worlds = [
            world_of.build(session, kind=kind, anonymous=False)
            for kind in (CaseKind.SURROGACY, CaseKind.EGG_DONATION, CaseKind.EGG_DONATION)
        ]
        world_of.sign(session, worlds[1], AgreementKind.ESCROW)
        staff = worlds[0].specialist
        seen: list[str] = []
        cursor = None
        while True:
            page = list_cases(session, staff, cursor=cursor, limit=1)
            seen += [row.reference for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [world.case.reference for world in reversed(worlds)]

        def found(filters: CaseFilters) -> list[str]:
            return [row.reference for row in list_cases(session, staff, filters=filters).rows]

        surrogacy, funded, waiting = (world.case.reference for world in worlds)
        assert found(CaseFilters(kind=CaseKind.SURROGACY)) == [surrogacy]
        assert found(CaseFilters(stages=(Stage.PENDING_FUNDING,))) == [funded]
        assert found(CaseFilters(agency_ref=worlds[2].agency.reference)) == [waiting]
        assert found(CaseFilters(search=surrogacy.lower())) == [surrogacy]
        assert found(CaseFilters(search="ashgrove")) == [waiting, funded, surrogacy]
        assert found(CaseFilters(search="100%_")) == []
        assert found(CaseFilters(assigned_to_me=True)) == []
        assert stage_counts(session, staff) == {
            Stage.AWAITING_ESCROW_AGREEMENT: 2,
            Stage.PENDING_FUNDING: 1,
        }
        with pytest.raises(Invalid):
            list_cases(session, staff, limit=0)


def test_the_number_of_queries_does_not_grow_with_the_cases(
    session_factory: Sessions, engine: Engine
) -> None:
    counts: list[int] = []

    def count(*_: object) -> None:
        counts[-1] += 1

    with session_factory() as session, session.begin():
        world = world_of.build(session)
        counts.append(0)
        event.listen(engine, "before_cursor_execute", count)
        list_cases(session, world.specialist)
        event.remove(engine, "before_cursor_execute", count)
        for _ in range(3):
            world_of.build(session)
        session.expire_all()
        staff = world.specialist
        ref = world.case.reference
        counts.append(0)
        event.listen(engine, "before_cursor_execute", count)
        list_cases(session, staff)
        event.remove(engine, "before_cursor_execute", count)
        session.expunge_all()
        counts.append(0)
        event.listen(engine, "before_cursor_execute", count)
        case_view(session, world.parent, ref)
        event.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] == 1
    assert counts[2] <= 7


def test_the_timeline_tells_what_is_done_current_and_ahead(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        steps = {step.stage: step for step in timeline(session, world.case)}
        assert steps["PENDING_FUNDING"].progress == "done"
        assert steps["PENDING_FUNDING"].entered_on == date(2026, 1, 16)
        assert steps["CYCLE_IN_PROGRESS"].progress == "current"
        assert steps["CLOSED"].progress == "upcoming"
        cases.put_on_hold(
            session,
            world.legal,
            case_ref=world.case.reference,
            reason="Court order",
            moment=world_of.moment_on(date(2026, 2, 20)),
        )
        held = case_view(session, world.specialist, world.case.reference)
        assert (held.stage_label, held.hold_reason) == ("On hold", "Court order")
        assert {step.stage: step.progress for step in held.stages}["CYCLE_IN_PROGRESS"] == "current"
        assert case_view(session, world.parent, world.case.reference).hold_reason == ""


def test_the_timeline_of_a_cancelled_case_ends_with_it(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        cases.cancel_case(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="Moved away",
            moment=world_of.moment_on(TODAY),
        )
        steps = timeline(session, world.case)
        assert (steps[-1].stage, steps[-1].progress) == ("CANCELLED", "current")
        progress = {step.stage: step.progress for step in steps}
        assert (progress["INTAKE"], progress["CLOSED"]) == ("done", "skipped")


def test_the_directory_of_agencies_is_the_companys(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        assert [row.name for row in agencies(session, world.specialist)] == [world.agency.name]
        with pytest.raises(Forbidden):
            agencies(session, world.agency_admin)
