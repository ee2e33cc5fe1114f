"""Which money a case lets out: by stage, by milestone, by what is left of a cap."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.ids import new_id, new_reference
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import CaseClosed, CaseOnHold
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import AgreementKind, Milestone, Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.terms.errors import CategoryLocked
from seedtrust.domain.terms.models import ContractTerm
from seedtrust.domain.terms.queries import (
    category_is_unlocked,
    money_out_allowed,
    require_money_out,
    term_for_category,
    used_of_cap,
    used_of_caps,
)
from seedtrust.domain.terms.states import UNLOCKED_BY, Category, TaxClass, TermKind
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]

LATE = {Category.MEDICAL_BILL, Category.MEDICAL_COPAY, Category.MEDICATION, Category.OTHER}
ORDINARY = set(Category) - {Category.CLOSING_REFUND}
BEFORE = {
    Stage.INTAKE,
    Stage.AWAITING_ESCROW_AGREEMENT,
    Stage.PENDING_FUNDING,
    Stage.AWAITING_EXECUTED_AGREEMENT,
}
OPEN = {
    Stage.AWAITING_EXECUTED_AGREEMENT,
    Stage.AWAITING_HEARTBEAT,
    Stage.PREGNANT,
    Stage.POST_DELIVERY,
    Stage.CYCLE_IN_PROGRESS,
    Stage.POST_RETRIEVAL,
}


@pytest.mark.parametrize("stage", list(Stage))
def test_the_stage_decides_what_may_leave(stage: Stage) -> None:
    case = Case(stage=stage.value)
    allowed = {category for category in Category if money_out_allowed(case, category)}
    expected: set[Category] = set()
    if stage in OPEN:
        expected |= ORDINARY
    if stage is Stage.AWAITING_CLOSE_APPROVAL:
        expected |= LATE
    if stage is Stage.FINAL_DISBURSEMENT or stage in BEFORE:
        expected |= {Category.CLOSING_REFUND}
    assert allowed == expected


def test_a_payment_that_came_back_may_be_made_again_while_the_parties_certify() -> None:
    case = Case(stage=Stage.AWAITING_CLOSE_APPROVAL.value)
    assert not money_out_allowed(case, Category.LOST_WAGES)
    assert money_out_allowed(case, Category.LOST_WAGES, pays_again=True)
    case.stage = Stage.FINAL_ACCOUNTING.value
    assert not money_out_allowed(case, Category.LOST_WAGES, pays_again=True)


def test_categories_of_an_egg_donation_open_milestone_by_milestone(
    session_factory: Sessions,
) -> None:
    def unlocked(session: Session, world: world_of.World) -> set[Category]:
        return {
            category
            for category in UNLOCKED_BY
            if category_is_unlocked(session, world.case, category)
        }

    with session_factory() as session, session.begin():
        world = world_of.build(session)
        assert unlocked(session, world) == set()
        world_of.sign(session, world, AgreementKind.ESCROW)
        assert unlocked(session, world) == set()
        world_of.fund(session, world)
        funded = unlocked(session, world)
        assert {Category.AGENCY_FEE, Category.PSYCH, Category.GENETICS} <= funded
        assert not {Category.LEGAL, Category.DONOR_COMPENSATION, Category.LOST_WAGES} & funded
        world_of.sign(session, world, AgreementKind.DONOR, on=date(2026, 2, 18))
        agreed = unlocked(session, world)
        assert {Category.LEGAL, Category.DONOR_INSURANCE, Category.LOST_WAGES} <= agreed
        assert Category.DONOR_COMPENSATION not in agreed
        world_of.happen(session, world, Milestone.MEDICATION_STARTED, on=date(2026, 3, 6))
        assert unlocked(session, world) - agreed == {
            Category.DONOR_COMPENSATION,
            Category.MEDICATION_START,
        }


def test_a_locked_category_names_the_stage_or_the_milestone_that_is_missing(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(CategoryLocked) as refusal:
            require_money_out(session, world.case, Category.LEGAL)
        assert refusal.value.code == "category_locked"
        assert "Awaiting escrow agreement" in refusal.value.detail
        assert "category" in refusal.value.errors
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world)
        with pytest.raises(CategoryLocked) as refusal:
            require_money_out(session, world.case, Category.LEGAL)
        assert "Agreement signed by all" in refusal.value.detail
        require_money_out(session, world.case, Category.AGENCY_FEE)


def test_a_held_and_a_closed_case_have_their_own_refusals(session_factory: Sessions) -> None:
    moment = world_of.moment_on(date(2026, 1, 8))
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        cases.put_on_hold(session, world.legal, case_ref=ref, reason="Dispute", moment=moment)
        with pytest.raises(CaseOnHold):
            require_money_out(session, world.case, Category.LEGAL)
        cases.resume(session, world.legal, case_ref=ref, reason="Settled", moment=moment)
        cases.cancel_case(session, world.specialist, case_ref=ref, reason="Moved", moment=moment)
        with pytest.raises(CaseClosed) as refusal:
            require_money_out(session, world.case, Category.LEGAL)
        assert refusal.value.code == "case_closed"


def test_the_contracts_own_trigger_opens_a_category_or_keeps_it_closed(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for category, trigger in (
            (Category.DONOR_COMPENSATION, Milestone.AGREEMENT_EXECUTED),
            (Category.AGENCY_FEE, Milestone.AGREEMENT_EXECUTED),
        ):
            world_of.propose(
                session,
                world,
                category=category,
                kind=TermKind.SCHEDULED,
                payee="carrier",
                amount_cents=100,
                trigger=trigger,
                tax_class=TaxClass.COMPENSATION,
            )
        world_of.activate(session, world)
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world)
        assert not category_is_unlocked(session, world.case, Category.AGENCY_FEE)
        world_of.sign(session, world, AgreementKind.DONOR, on=date(2026, 2, 18))
        assert category_is_unlocked(session, world.case, Category.AGENCY_FEE)
        assert category_is_unlocked(session, world.case, Category.DONOR_COMPENSATION)


def _request(
    session: Session,
    world: world_of.World,
    term: ContractTerm,
    state: RequestState,
    amount_cents: int,
    *,
    approved_cents: int | None = None,
) -> DisbursementRequest:
    request = DisbursementRequest(
        id=new_id(),
        reference=new_reference(),
        case_id=world.case.id,
        kind="request",
        state=state.value,
        state_since_at=world_of.REAL_TIME,
        term_id=term.id,
        category=term.category,
        tax_class=term.tax_class,
        payee_id=world.payees["carrier"].id,
        requester_name="Somebody",
        requester_role="donor",
        amount_cents=amount_cents,
        approved_cents=approved_cents,
        description="x",
        requested_on=date(2026, 3, 1),
    )
    session.add(request)
    session.flush()
    return request


def test_a_cap_is_used_by_what_is_asked_approved_and_paid_and_by_nothing_else(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        term = world_of.propose(session, world, category=Category.LOST_WAGES, cap_cents=100_000)
        assert used_of_cap(session, term.id) == 0
        for state in (RequestState.DRAFT, RequestState.DENIED, RequestState.CANCELLED):
            _request(session, world, term, state, 50_000)
        assert used_of_cap(session, term.id) == 0
        asked = _request(session, world, term, RequestState.SUBMITTED, 10_000)
        _request(session, world, term, RequestState.PAID, 20_000, approved_cents=15_000)
        assert used_of_cap(session, term.id) == 25_000
        assert used_of_cap(session, term.id, except_request_id=asked.id) == 15_000
        assert used_of_caps(session, [term.id]) == {term.id: 25_000}


def test_of_several_terms_the_first_that_is_open_and_has_room_is_used(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        assert term_for_category(session, world.case.id, Category.AGENCY_FEE) is None
        first = world_of.propose(
            session, world, category=Category.AGENCY_FEE, cap_cents=100, on=date(2026, 2, 18)
        )
        assert term_for_category(session, world.case.id, Category.AGENCY_FEE) is None
        later = world_of.propose(
            session,
            world,
            category=Category.AGENCY_FEE,
            cap_cents=100,
            trigger=Milestone.RETRIEVAL_DONE,
            on=date(2026, 2, 18),
        )
        second = world_of.propose(
            session, world, category=Category.AGENCY_FEE, cap_cents=100, on=date(2026, 2, 18)
        )
        world_of.activate(session, world, on=date(2026, 2, 18))

        def chosen() -> int:
            term = term_for_category(session, world.case.id, Category.AGENCY_FEE)
            assert term is not None
            return term.id

        assert chosen() == first.id
        _request(session, world, first, RequestState.PAID, 100)
        assert chosen() == second.id
        _request(session, world, second, RequestState.PAID, 100)
        assert chosen() == first.id
        world_of.happen(session, world, Milestone.RETRIEVAL_DONE, on=date(2026, 3, 18))
        assert chosen() == later.id


def test_what_the_calendar_pays_is_not_asked_for(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.propose(
            session,
            world,
            category=Category.DONOR_COMPENSATION,
            kind=TermKind.SCHEDULED,
            payee="carrier",
            amount_cents=100,
            trigger=Milestone.RETRIEVAL_DONE,
        )
        world_of.activate(session, world)
        assert term_for_category(session, world.case.id, Category.DONOR_COMPENSATION) is None
