"""A case ends in order: accounting, every party's word, a second reviewer, the refund, 0.00."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.cases.errors import StageNotAllowed
from seedtrust.domain.cases.states import Milestone, Stage
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.errors import (
    AccountingOpen,
    AccountingOutdated,
    AlreadyCertified,
    NoAccounting,
    NotReadyToClose,
    NotYourCertification,
    PreparerCannotApprove,
)
from seedtrust.domain.closing.models import Certification
from seedtrust.domain.closing.queries import accounting_view
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import queries as books
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.errors import AccountClosed
from seedtrust.domain.terms.models import ScheduleItem
from seedtrust.domain.terms.states import Category, TermKind
from tests.factories import case_world as world_of
from tests.factories import closing_world as over

Sessions = sessionmaker[Session]


def test_the_whole_way_from_the_accounting_to_closed_at_zero(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        case = world.case
        accounting = over.start(session, world)
        assert (accounting.deposits_cents, accounting.paid_cents, accounting.refund_cents) == (
            2_850_000,
            2_694_217,
            155_783,
        )
        assert case.stage == Stage.AWAITING_CLOSE_APPROVAL
        over.certify(session, world, "carrier")
        assert case.stage == Stage.AWAITING_CLOSE_APPROVAL
        over.certify(session, world, "parent")
        assert (case.stage, accounting.state) == (Stage.FINAL_ACCOUNTING, "CERTIFIED")
        over.approve(session, world)
        assert (case.stage, accounting.state) == (Stage.FINAL_DISBURSEMENT, "APPROVED")
        refund = over.refund_of(session, accounting)
        assert (refund.state, refund.amount_cents) == (RequestState.READY, 155_783)
        assert refund.payee_id == world.payees["parent"].id
        assert not closing.close_when_settled(session, over.SYSTEM, case, moment=over.CERTIFIED)
        over.pay_refund(session, refund)
        assert closing.close_when_settled(session, over.SYSTEM, case, moment=over.CERTIFIED)
        assert (case.stage, case.closed_on) == (Stage.CLOSED, date(2026, 5, 20))
        assert books.balance_of(session, case.ledger_account_id).ledger_cents == 0
        assert not closing.close_when_settled(session, over.SYSTEM, case, moment=over.CERTIFIED)
        with pytest.raises(AccountClosed):
            world_of.fund(session, world, 100, milestone=False, on=date(2026, 6, 1))
        view = accounting_view(session, world.parent, case.reference)
        assert view is not None
        assert [one.paid_cents for one in view.by_category] == [2_694_217]
        assert view.is_current


def test_what_stands_in_the_way_is_named_all_at_once(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.retrieved(session)
        world_of.propose(
            session,
            world,
            category=Category.DONOR_COMPENSATION,
            kind=TermKind.SCHEDULED,
            payee="carrier",
            amount_cents=100,
            trigger=Milestone.RETRIEVAL_DONE,
            on=date(2026, 3, 18),
        )
        world_of.activate(session, world, on=date(2026, 3, 18))
        over.open_request(session, world)
        ledger.reserve(
            session,
            over.SYSTEM,
            world.case.ledger_account_id,
            500,
            key="held",
            effective_on=date(2026, 3, 18),
            source_type="request",
            source_ref="x",
            now=over.MOMENT.at,
        )
        for party in world.parties.values():
            party.must_certify = False
        session.flush()
        with pytest.raises(NotReadyToClose) as refusal:
            over.start(session, world)
        assert refusal.value.facts["obstacles"] == (
            "obligations_open,requests_open,schedule_open,money_held,nobody_certifies"
        )
        assert world.case.stage == Stage.POST_RETRIEVAL
        world.parties["attorney"].must_certify = True
        world.parties["attorney"].user_id = None
        session.flush()
        with pytest.raises(NotReadyToClose) as refusal:
            over.start(session, world)
        assert "Victor Brandt has to certify and has no login" in refusal.value.detail


def test_items_whose_milestone_never_came_are_cancelled(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.retrieved(session)
        world_of.propose(
            session,
            world,
            category=Category.CANCELLED_CYCLE,
            kind=TermKind.SCHEDULED,
            payee="carrier",
            amount_cents=100_000,
            trigger=Milestone.CYCLE_CANCELLED,
            on=date(2026, 3, 18),
        )
        world_of.activate(session, world, on=date(2026, 3, 18))
        world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 5, 15))
        over.start(session, world)
        states = session.execute(select(ScheduleItem.state)).scalars().all()
        assert list(states) == ["CANCELLED"]


def test_only_the_company_starts_the_closing_and_only_once(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        for actor in (world.parent, world.agency_admin, world.controller):
            with pytest.raises(Forbidden):
                closing.start_closing(
                    session, actor, case_ref=world.case.reference, moment=over.MOMENT
                )
        with pytest.raises(Forbidden):
            closing.start_closing(
                session, over.SYSTEM, case_ref=world.case.reference, moment=over.MOMENT
            )
        over.start(session, world)
        with pytest.raises(AccountingOpen):
            over.start(session, world)


def test_each_party_certifies_for_itself_and_once(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        ref = world.case.reference
        with pytest.raises(StageNotAllowed):
            over.certify(session, world, "carrier")
        accounting = over.start(session, world)
        with pytest.raises(NotYourCertification):
            closing.certify(
                session,
                world.carrier,
                case_ref=ref,
                party_ref=world.parties["parent"].reference,
                moment=over.CERTIFIED,
            )
        for actor in (world.agency_admin, world.attorney):
            with pytest.raises(NotYourCertification):
                closing.certify(session, actor, case_ref=ref, moment=over.CERTIFIED)
        for actor in (world.specialist, world.controller):
            with pytest.raises(Forbidden):
                closing.certify(
                    session,
                    actor,
                    case_ref=ref,
                    party_ref=world.parties["parent"].reference,
                    moment=over.CERTIFIED,
                )
        over.certify(session, world, "carrier")
        with pytest.raises(AlreadyCertified):
            over.certify(session, world, "carrier")
        said = session.execute(select(Certification)).scalar_one()
        assert (said.content_hash, said.certified_by) == (
            accounting.content_hash,
            "Delphine Quarles",
        )
        view = accounting_view(session, world.parent, ref)
        assert view is not None
        assert view.may_certify
        assert [(one.label, one.certified_on) for one in view.certifications] == [
            ("Rosalind Ashgrove", None),
            (world.parties["carrier"].alias, date(2026, 5, 20)),
        ]
        over.certify(session, world, "parent")
        with pytest.raises(AlreadyCertified):
            over.certify(session, world, "parent")


@settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    must=st.sets(st.sampled_from(["parent", "carrier", "attorney", "agency_admin"]), min_size=1),
    order=st.permutations(["parent", "carrier", "attorney", "agency_admin"]),
)
def test_the_case_moves_with_the_last_word_and_not_before(
    session_factory: Sessions, must: set[str], order: list[str]
) -> None:
    with session_factory() as session, session.begin():
        world = over.over(session)
        for key, party in world.parties.items():
            party.must_certify = key in must
        session.flush()
        over.start(session, world)
        left = set(must)
        for key in order:
            if key in must:
                assert world.case.stage == Stage.AWAITING_CLOSE_APPROVAL
                over.certify(session, world, key)
                left.discard(key)
            expected = Stage.AWAITING_CLOSE_APPROVAL if left else Stage.FINAL_ACCOUNTING
            assert world.case.stage == expected
        session.rollback()


def test_a_second_reviewer_approves(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        both = Actor(
            world.specialist.kind,
            world.specialist.user_id,
            world.specialist.name,
            world.specialist.roles | {Role.CONTROLLER},
        )
        over.start(session, world)
        with pytest.raises(StageNotAllowed):
            over.approve(session, world)
        over.certify(session, world, "carrier", "parent")
        with pytest.raises(PreparerCannotApprove) as refusal:
            over.approve(session, world, both)
        assert refusal.value.code == "preparer_cannot_approve"
        for actor in (world.specialist, world.second, world.payments_lead, world.parent):
            assert not actor.may(Permission.CASES_APPROVE_ACCOUNTING)
            with pytest.raises(Forbidden):
                over.approve(session, world, actor)
        accounting = over.approve(session, world)
        assert (accounting.approved_by, accounting.prepared_by) == (
            "Carla Whitlock",
            "Esme Wolcott",
        )


def test_an_accounting_that_the_books_have_left_behind_is_neither_certified_nor_approved(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        over.start(session, world)
        over.certify(session, world, "carrier")
        world_of.fund(session, world, 100, milestone=False, on=over.ENDED_ON)
        with pytest.raises(AccountingOutdated):
            over.certify(session, world, "parent")
        view = accounting_view(session, world.specialist, world.case.reference)
        assert view is not None
        assert not view.is_current


def test_an_open_request_stops_certification_until_the_accounting_is_withdrawn(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        first = over.start(session, world)
        late = over.open_request(session, world)
        with pytest.raises(AccountingOutdated):
            over.certify(session, world, "carrier")
        closing.withdraw_accounting(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="Late bill",
            moment=over.MOMENT,
        )
        assert (first.state, world.case.stage) == ("WITHDRAWN", Stage.AWAITING_CLOSE_APPROVAL)
        with pytest.raises(NoAccounting):
            over.certify(session, world, "carrier")
        late.state = RequestState.DENIED.value
        session.flush()
        second = over.start(session, world)
        assert second.number == 2
        assert second.content_hash != first.content_hash
        over.certify(session, world, "carrier", "parent")
        assert world.case.stage == Stage.FINAL_ACCOUNTING


def test_without_an_accounting_there_is_nothing_to_see_approve_or_take_back(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        assert accounting_view(session, world.parent, ref) is None
        with pytest.raises(NoAccounting):
            over.approve(session, world)
        with pytest.raises(NoAccounting):
            closing.withdraw_accounting(
                session, world.specialist, case_ref=ref, reason="None", moment=over.MOMENT
            )


def test_a_deposit_that_the_bank_took_back_is_no_money_in(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        world_of.fund(session, world, 5_000, milestone=False, on=over.ENDED_ON)
        world_of.pay(session, world, 5_000, Category.FUNDING, on=over.ENDED_ON)
        accounting = over.start(session, world)
        assert (accounting.deposits_cents, accounting.refund_cents) == (2_850_000, 155_783)


def test_the_carrier_reads_the_figures_where_the_case_shows_the_full_balance(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        over.start(session, world)
        ref = world.case.reference
        hidden = accounting_view(session, world.carrier, ref)
        world.case.carrier_sees_balance = "full"
        session.flush()
        shown = accounting_view(session, world.carrier, ref)
        assert hidden is not None
        assert shown is not None
        assert (hidden.refund_cents, shown.refund_cents) == (None, 155_783)
        assert shown.prepared_by == "SeedTrust"
