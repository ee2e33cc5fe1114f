"""Opening a case and putting people on it: what is refused, and in which words."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError, Forbidden, Invalid, InvalidAmount, NotFound
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import AgencyExists, CaseNumberTaken, PartyExists
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import case_view
from seedtrust.domain.cases.states import CaseKind, Side
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
MOMENT = world_of.moment_on(date(2026, 1, 6))


def _open(session: Session, actor: Actor, **changes: object) -> Case:
    wanted: dict[str, object] = {
        "kind": "egg_donation",
        "name": "Ashgrove_Quarles",
        "agency_id": None,
        "rail": "nacha",
        "trust_account_id": 7,
        "anonymous": True,
        "funding_required_cents": 2_850_000,
        **changes,
    }
    return cases.open_case(session, actor, moment=MOMENT, **wanted)  # type: ignore[arg-type]


def test_a_new_case_has_a_number_a_reference_a_ledger_at_zero_and_an_audit_row(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, number=100398)
        case = _open(session, world.specialist)
        assert world.case.number == 100398
        assert 100_000 <= case.number <= 999_999
        assert case.reference != world.case.reference
        assert ledger.balance_of(session, case.ledger_account_id).ledger_cents == 0
        assert (case.opened_on, case.stage) == (date(2026, 1, 6), "AWAITING_ESCROW_AGREEMENT")
        acts = set(
            session.execute(
                select(AuditEvent.action).where(AuditEvent.case_id == case.id)
            ).scalars()
        )
        assert acts == {"cases.opened", "cases.stage_moved"}


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"kind": "adoption"}, "kind"),
        ({"name": " \u202e "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"rail": "pigeon"}, "rail"),
        ({"agency_id": 1}, "agency"),
        ({"number": 99}, "number"),
        ({"funding_required_cents": 0}, "funding_required_cents"),
        ({"funding_required_cents": 10**15}, "funding_required_cents"),
        ({"minimum_balance_cents": -1}, "minimum_balance_cents"),
        ({"minimum_balance_cents": False}, "minimum_balance_cents"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field_and_nothing_is_written(
    session_factory: Sessions, changes: dict[str, object], field: str
) -> None:
    with session_factory() as session, session.begin():
        actor = world_of.person(session, "Esme Wolcott", Role.ESCROW_SPECIALIST)
        chart.open_books(session, MOMENT.at)
        with pytest.raises(Invalid) as refusal:
            _open(session, actor, **changes)
        assert list(refusal.value.errors) == [field]
        assert isinstance(refusal.value, InvalidAmount) is field.endswith("_cents")
        session.expunge_all()
        assert session.execute(select(func.count()).select_from(Case)).scalar_one() == 0


def test_a_taken_number_and_a_known_agency_are_refused(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, number=100398)
        with pytest.raises(CaseNumberTaken) as refusal:
            _open(session, world.specialist, number=100398)
        assert "number" in refusal.value.errors
        with pytest.raises(AgencyExists):
            cases.open_agency(
                session, world.specialist, name=f"  {world.agency.name} ", moment=MOMENT
            )


def test_only_who_may_open_cases_does(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for actor in (world.parent, world.agency_admin, world.auditor, world.payments_lead):
            with pytest.raises(Forbidden):
                _open(session, actor)
            with pytest.raises(Forbidden):
                cases.open_agency(session, actor, name="Another", moment=MOMENT)


def _add(session: Session, world: world_of.World, **changes: object) -> CaseParty:
    wanted: dict[str, object] = {
        "case_ref": world.case.reference,
        "role": Role.INTENDED_PARENT,
        "side": Side.RECIPIENT,
        "name": "Nadia Holm",
        "must_sign": True,
        "must_certify": True,
        **changes,
    }
    return cases.add_party(session, world.specialist, moment=MOMENT, **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"role": Role.SURROGATE, "side": Side.CARRIER}, "role"),
        ({"role": Role.CONTROLLER}, "role"),
        ({"side": Side.CARRIER}, "side"),
        ({"role": Role.ATTORNEY, "side": Side.AGENCY}, "side"),
        ({"name": ""}, "name"),
        ({"email": "not an address"}, "email"),
        ({"country": "Narnia"}, "country"),
        ({"region": "Somewhere far"}, "region"),
        ({"user_id": 4242}, "user"),
    ],
)
def test_a_party_that_does_not_fit_is_refused_by_its_field(
    session_factory: Sessions, changes: dict[str, object], field: str
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(Invalid) as refusal:
            _add(session, world, **changes)
        assert list(refusal.value.errors) == [field]


def test_a_person_has_a_role_once(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(PartyExists):
            _add(session, world, user_id=world.parent.user_id)


def test_surrogates_stand_on_surrogacies_with_their_names(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, kind=CaseKind.SURROGACY, anonymous=False)
        labels = [
            party.label for party in case_view(session, world.parent, world.case.reference).parties
        ]
        assert "Delphine Quarles" in labels
        with pytest.raises(Invalid):
            _add(session, world, role=Role.DONOR, side=Side.CARRIER)


def test_the_team_shows_who_has_the_case_and_a_second_time_only_changes_the_label(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)

        def assign(label: str) -> None:
            cases.assign(
                session,
                world.specialist,
                case_ref=world.case.reference,
                user_id=world.specialist.user_id or 0,
                label=label,
                moment=MOMENT,
            )

        assign("Escrow specialist")
        assign("Your contact")
        team = case_view(session, world.parent, world.case.reference).team
        assert [(one.name, one.label, one.is_staff) for one in team] == [
            ("Esme Wolcott", "Your contact", True)
        ]
        with pytest.raises(NotFound):
            cases.unassign(
                session,
                world.specialist,
                case_ref=world.case.reference,
                user_id=1,
                moment=MOMENT,
            )


def test_every_refusal_says_what_to_do(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(DomainError) as refusal:
            _add(session, world, user_id=world.parent.user_id)
        assert refusal.value.detail.endswith(".")
        assert refusal.value.title
