"""Terms are proposed by one person and activated by another; milestones date what they pay."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Agreement
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.payees import service as payees
from seedtrust.domain.terms import service as terms
from seedtrust.domain.terms.dating import Happened, Spread, pays_on
from seedtrust.domain.terms.errors import NothingToActivate, ProposerCannotActivate
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.queries import due_items, schedule_of, terms_of
from seedtrust.domain.terms.requests_seen import REQUESTS
from seedtrust.domain.terms.states import Category, TaxClass, TermApprover, TermKind
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]


def _compensation(
    session: Session,
    world: world_of.World,
    amount_cents: int,
    trigger: Milestone,
    *,
    days: int = 0,
    title: str = "",
) -> ContractTerm:
    return world_of.propose(
        session,
        world,
        category=Category.DONOR_COMPENSATION,
        kind=TermKind.SCHEDULED,
        payee="carrier",
        amount_cents=amount_cents,
        trigger=trigger,
        pay_after_days=days,
        tax_class=TaxClass.COMPENSATION,
        approver=TermApprover.PRE_AUTHORISED,
        title=title,
    )


def test_the_worked_case_gets_its_two_payments_on_their_days(session_factory: Sessions) -> None:
    """Case B of the sample: 20 % four days after injectables, 80 % a week after retrieval."""
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        _compensation(session, world, 240_000, Milestone.MEDICATION_STARTED, days=4)
        _compensation(session, world, 960_000, Milestone.RETRIEVAL_DONE, days=7)
        world_of.propose(
            session,
            world,
            category=Category.ESCROW_FEE,
            kind=TermKind.FEE,
            amount_cents=75_000,
            trigger=Milestone.INITIAL_FUNDING_RECEIVED,
            pay_after_days=1,
        )
        world_of.activate(session, world)
        assert [line.due_on for line in schedule_of(session, world.parent, world.case)] == [
            None,
            None,
            None,
        ]
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world, on=date(2026, 1, 22))
        world_of.sign(session, world, AgreementKind.DONOR, on=date(2026, 2, 18))
        world_of.happen(session, world, Milestone.MEDICATION_STARTED, on=date(2026, 3, 6))
        world_of.happen(session, world, Milestone.RETRIEVAL_DONE, on=date(2026, 3, 18))
        lines = schedule_of(session, world.parent, world.case)
        assert [(line.category, line.due_on, line.amount_cents) for line in lines] == [
            ("escrow_fee", date(2026, 1, 23), 75_000),
            ("donor_compensation", date(2026, 3, 10), 240_000),
            ("donor_compensation", date(2026, 3, 25), 960_000),
        ]
        own = schedule_of(session, world.carrier, world.case)
        assert [line.amount_cents for line in own] == [240_000, 960_000]
        assert own[0].payee == "Delphine Quarles"
        assert lines[1].payee == world.parties["carrier"].alias


@pytest.mark.parametrize(
    "occurred_on, days, expected",
    [
        (date(2026, 3, 6), 4, date(2026, 3, 10)),
        (date(2026, 3, 6), 0, date(2026, 3, 6)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # a Saturday rolls to Monday
        (date(2026, 7, 2), 2, date(2026, 7, 6)),  # Independence Day is a Saturday: Monday
        (date(2026, 7, 2), 1, date(2026, 7, 3)),  # and the Friday before is a banking day
        (date(2026, 12, 24), 1, date(2026, 12, 28)),
        (date(2026, 1, 17), 0, date(2026, 1, 20)),  # Saturday, Sunday, King's birthday
    ],
)
def test_a_due_day_is_a_banking_day(occurred_on: date, days: int, expected: date) -> None:
    assert pays_on(Spread(), days, 1, Happened(occurred_on)) == expected


@given(
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.integers(min_value=0, max_value=730),
)
def test_a_due_day_is_never_early_and_never_more_than_a_long_weekend_late(
    occurred_on: date, days: int
) -> None:
    day = pays_on(Spread(), days, 1, Happened(occurred_on))
    assert day is not None
    assert is_banking_day(day)
    assert 0 <= (day - occurred_on).days - days <= 4


def test_whoever_proposed_cannot_activate_and_only_legal_may(session_factory: Sessions) -> None:
    moment = world_of.moment_on(date(2026, 1, 7))
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        with pytest.raises(NothingToActivate):
            terms.activate_terms(session, world.legal, case_ref=ref, moment=moment)
        world_of.propose(session, world)
        both = type(world.specialist)(
            world.specialist.kind,
            world.specialist.user_id,
            world.specialist.name,
            world.specialist.roles | world.legal.roles,
        )
        with pytest.raises(ProposerCannotActivate) as refusal:
            terms.activate_terms(session, both, case_ref=ref, moment=moment)
        assert refusal.value.code == "proposer_cannot_activate"
        for actor in (world.specialist, world.parent, world.controller):
            with pytest.raises(Forbidden):
                terms.activate_terms(session, actor, case_ref=ref, moment=moment)
        (term,) = terms.activate_terms(session, world.legal, case_ref=ref, moment=moment)
        assert (term.state, term.activated_by) == ("ACTIVE", "Lena Abbott")


def test_one_proposer_among_several_is_enough_to_refuse(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.propose(session, world)
        both = type(world.second)(
            world.second.kind,
            world.second.user_id,
            world.second.name,
            world.second.roles | world.legal.roles,
        )
        world_of.propose(session, world, actor=both)
        with pytest.raises(ProposerCannotActivate):
            terms.activate_terms(
                session,
                both,
                case_ref=world.case.reference,
                moment=world_of.moment_on(date(2026, 1, 7)),
            )


def test_a_term_that_is_activated_after_its_milestone_is_dated_at_once(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        world_of.happen(session, world, Milestone.MEDICATION_STARTED, on=date(2026, 3, 6))
        _compensation(session, world, 240_000, Milestone.MEDICATION_STARTED, days=4)
        world_of.activate(session, world, on=date(2026, 3, 9))
        (item,) = world_of.planned(session, world)
        assert item.due_on == date(2026, 3, 10)


def test_what_is_due_comes_by_day_and_then_in_the_order_of_the_contract(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        first = _compensation(
            session, world, 300, Milestone.MEDICATION_STARTED, days=4, title="first"
        )
        earlier = _compensation(session, world, 200, Milestone.MEDICATION_STARTED, title="earlier")
        second = _compensation(
            session, world, 100, Milestone.MEDICATION_STARTED, days=4, title="second"
        )
        world_of.propose(
            session,
            world,
            category=Category.ESCROW_FEE,
            kind=TermKind.FEE,
            amount_cents=75_000,
            trigger=Milestone.MEDICATION_STARTED,
        )
        world_of.activate(session, world)
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world)
        world_of.sign(session, world, AgreementKind.DONOR, on=date(2026, 2, 18))
        world_of.happen(session, world, Milestone.MEDICATION_STARTED, on=date(2026, 3, 6))

        def due(today: date, lead: int) -> list[int]:
            return [item.term_id for item in due_items(session, today, lead)]

        assert due(date(2026, 3, 5), 0) == []
        assert due(date(2026, 3, 5), 1) == [earlier.id]
        assert due(date(2026, 3, 6), 1) == [earlier.id]  # the next banking day is Monday
        assert due(date(2026, 3, 6), 2) == [earlier.id, first.id, second.id]
        titles = [line.title for line in schedule_of(session, world.specialist, world.case)]
        assert titles == ["earlier", "Escrow fee", "first", "second"]


def test_an_ended_term_pays_no_more(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        term = _compensation(session, world, 100, Milestone.MEDICATION_STARTED)
        world_of.activate(session, world)
        for _ in range(2):
            terms.withdraw_term(
                session,
                world.specialist,
                term_ref=term.reference,
                reason="Amendment 1",
                moment=world_of.moment_on(date(2026, 1, 8)),
            )
        states = session.execute(select(ScheduleItem.state)).scalars().all()
        assert (term.state, list(states)) == ("ENDED", ["CANCELLED"])
        with pytest.raises(NotFound):
            terms.withdraw_term(
                session,
                world.specialist,
                term_ref="AAAAAAAAAAAAAAA",
                reason="none",
                moment=world_of.moment_on(date(2026, 1, 8)),
            )


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"clause": ""}, "clause"),
        ({"title": "x" * 201}, "title"),
        ({"category": "bribe"}, "category"),
        ({"category": "funding"}, "category"),
        ({"category": "closing_refund"}, "category"),
        ({"tax_class": "Z"}, "tax_class"),
        ({"kind": "sometimes"}, "kind"),
        ({"approver": "nobody"}, "approver"),
        ({"payee_id": 4242}, "payee"),
        ({"agreement_id": 4242}, "agreement"),
        ({"amount_cents": 0}, "amount_cents"),
        ({"amount_cents": 10**15}, "amount_cents"),
        ({"cap_cents": -5}, "cap_cents"),
        ({"amount_cents": 500, "cap_cents": 499}, "cap_cents"),
        ({"trigger": "full_moon"}, "trigger"),
        ({"trigger": "heartbeat_confirmed"}, "trigger"),
        ({"pay_after_days": -1}, "pay_after_days"),
        ({"pay_after_days": 10_000}, "pay_after_days"),
        ({"evidence": [""]}, "evidence"),
        ({"evidence": ["x"] * 21}, "evidence"),
        ({"kind": "scheduled", "trigger": "retrieval_done"}, "amount_cents"),
        ({"kind": "scheduled", "amount_cents": 5}, "trigger"),
        ({"kind": "scheduled", "amount_cents": 5, "trigger": "retrieval_done"}, "payee"),
        ({"kind": "fee", "amount_cents": 5}, "trigger"),
    ],
)
def test_a_clause_that_makes_no_sense_is_refused_by_its_field(
    session_factory: Sessions, changes: dict[str, object], field: str
) -> None:
    wanted: dict[str, object] = {
        "clause": "4.1",
        "title": "Legal",
        "category": "legal",
        "tax_class": "V",
        "kind": "requested",
        "approver": "escrow",
        **changes,
    }
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(Invalid) as refusal:
            terms.propose_term(
                session,
                world.specialist,
                case_ref=world.case.reference,
                moment=world_of.moment_on(date(2026, 1, 6)),
                **wanted,  # type: ignore[arg-type]
            )
        assert list(refusal.value.errors) == [field]
        assert session.execute(select(ContractTerm)).first() is None


def test_a_payee_of_another_case_is_refused_and_the_agency_of_the_case_is_not(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world, other = world_of.build(session), world_of.build(session)
        world.payees["stranger"] = other.payees["carrier"]
        with pytest.raises(Invalid):
            world_of.propose(session, world, payee="stranger")
        agency = payees.open_payee(
            session,
            world.specialist,
            kind="company",
            name=world.agency.name,
            agency_id=world.agency.id,
            moment=world_of.moment_on(date(2026, 1, 6)),
        )
        session.flush()
        world.payees["agency"] = agency
        term = world_of.propose(session, world, category=Category.AGENCY_FEE, payee="agency")
        assert term.payee_id == agency.id


def test_terms_stand_in_the_order_in_which_they_were_proposed(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session, kind=CaseKind.SURROGACY, anonymous=False)
        for title in ("one", "two", "three"):
            world_of.propose(session, world, title=title, cap_cents=10_000)
        rows = terms_of(session, world.specialist, world.case.reference)
        assert [(row.position, row.title) for row in rows] == [(1, "one"), (2, "two"), (3, "three")]
        assert rows[0].remaining_cents == 10_000
        assert terms_of(session, world.parent, world.case.reference) == []


def test_the_columns_of_requests_that_terms_read_are_the_real_ones() -> None:
    real = DisbursementRequest.metadata.tables["disbursement_requests"]
    assert REQUESTS.name == DisbursementRequest.__tablename__
    for column in REQUESTS.columns:
        assert str(column.type) == str(real.c[column.name].type)


def test_the_schedule_takes_the_same_queries_for_any_number_of_items(
    session_factory: Sessions, engine: Engine
) -> None:
    counts: list[int] = []

    def count(*_: object) -> None:
        counts[-1] += 1

    with session_factory() as session, session.begin():
        world = world_of.build(session)
        event.listen(engine, "before_cursor_execute", count)
        for _ in range(2):
            counts.append(0)
            for number in range(4):
                _compensation(session, world, 100 + number, Milestone.RETRIEVAL_DONE)
            world_of.activate(session, world)
            counts.append(0)
            schedule_of(session, world.parent, world.case)
            counts.append(0)
            terms_of(session, world.parent, world.case.reference)
        event.remove(engine, "before_cursor_execute", count)
    assert counts[1] == counts[4] <= 4
    assert counts[2] == counts[5] <= 6


def test_a_fee_has_no_payee_and_a_term_rests_on_an_agreement_in_force(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world, other = world_of.build(session), world_of.build(session)
        with pytest.raises(Invalid) as refusal:
            world_of.propose(
                session,
                world,
                category=Category.ESCROW_FEE,
                kind=TermKind.FEE,
                payee="carrier",
                amount_cents=5,
                trigger=Milestone.INITIAL_FUNDING_RECEIVED,
            )
        assert list(refusal.value.errors) == ["payee"]
        reference = world_of.sign(session, world, AgreementKind.ESCROW)
        agreement = session.execute(
            select(Agreement).where(Agreement.reference == reference)
        ).scalar_one()

        def rests_on(case_ref: str) -> ContractTerm:
            return terms.propose_term(
                session,
                world.specialist,
                case_ref=case_ref,
                clause="4.1",
                title="Legal",
                category="legal",
                tax_class="V",
                kind="requested",
                approver="escrow",
                agreement_id=agreement.id,
                moment=world_of.moment_on(date(2026, 1, 20)),
            )

        assert rests_on(world.case.reference).agreement_id == agreement.id
        with pytest.raises(Invalid):
            rests_on(other.case.reference)
        agreement.state = "TERMINATED"
        session.flush()
        with pytest.raises(Invalid) as refusal:
            rests_on(world.case.reference)
        assert "ended" in refusal.value.detail


def test_the_schedule_tells_what_has_become_of_each_payment(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        _compensation(session, world, 100, Milestone.AGREEMENT_EXECUTED, title="a")
        _compensation(session, world, 200, Milestone.AGREEMENT_EXECUTED, title="b")
        _compensation(session, world, 300, Milestone.RETRIEVAL_DONE, title="c")
        world_of.propose(
            session,
            world,
            category=Category.ESCROW_FEE,
            kind=TermKind.FEE,
            amount_cents=75_000,
            trigger=Milestone.INITIAL_FUNDING_RECEIVED,
            on=date(2026, 2, 18),
        )
        world_of.activate(session, world, on=date(2026, 2, 18))
        fee, paid, on_its_way = world_of.planned(session, world)
        for item, state in ((paid, "PAID"), (on_its_way, "READY")):
            session.add(
                DisbursementRequest(
                    id=new_id(),
                    reference=new_reference(),
                    case_id=world.case.id,
                    kind="scheduled",
                    state=state,
                    state_since_at=world_of.REAL_TIME,
                    schedule_item_id=item.id,
                    category="donor_compensation",
                    tax_class="C",
                    payee_id=world.payees["carrier"].id,
                    requester_name="SeedTrust",
                    requester_role="system",
                    amount_cents=item.amount_cents,
                    description="x",
                    requested_on=date(2026, 2, 18),
                )
            )
            item.state = "MATERIALISED"
        fee.state = "MATERIALISED"
        session.flush()
        lines = schedule_of(session, world.parent, world.case)
        assert [(line.title, line.state_label, line.waits_for) for line in lines] == [
            ("Escrow fee", "Paid", ""),
            ("a", "Paid", ""),
            ("b", "Being paid", ""),
            ("c", "Waiting for its milestone", "Retrieval done"),
        ]
        assert lines[0].payee == "SeedTrust"
        assert lines[1].request_ref


def test_a_vendor_is_known_to_the_clients_by_its_label(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world.payees["psychologist"] = payees.open_payee(
            session,
            world.specialist,
            kind="company",
            name="Portland Minds, for D. Quarles",
            label="Psychologist",
            case_id=world.case.id,
            moment=world_of.moment_on(date(2026, 1, 6)),
        )
        session.flush()
        world_of.propose(session, world, category=Category.PSYCH, payee="psychologist")
        world_of.activate(session, world)

        def named(actor: Actor) -> list[str]:
            return [row.payee for row in terms_of(session, actor, world.case.reference)]

        assert named(world.parent) == ["Psychologist"]
        assert named(world.specialist) == ["Portland Minds, for D. Quarles"]
        assert named(world.carrier) == []
