"""The ways off the straight road: late bills, reopening, calling off, and no way past anybody."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError, Forbidden, Invalid
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import CaseClosed, StageNotAllowed
from seedtrust.domain.cases.models import Case, StageChange
from seedtrust.domain.cases.states import STAGES_OF, AgreementKind, CaseKind, Milestone, Stage
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.errors import (
    AccountingOpen,
    NotReadyToClose,
    RefundPayeeMissing,
    RefundUnderWay,
)
from seedtrust.domain.closing.models import FinalAccounting
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import queries as books
from seedtrust.domain.terms.models import ScheduleItem
from seedtrust.domain.terms.states import Category, TermKind
from tests.factories import case_world as world_of
from tests.factories import closing_world as over

Sessions = sessionmaker[Session]


def test_a_late_bill_brings_final_disbursement_back_and_cancels_the_unpaid_refund(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        over.start(session, world)
        over.certify(session, world, "carrier", "parent")
        refund = over.refund_of(session, over.approve(session, world))
        with pytest.raises(Invalid) as refusal:
            closing.withdraw_accounting(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="",
                moment=over.MOMENT,
            )
        assert "reason" in refusal.value.errors
        closing.withdraw_accounting(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="Hospital bill",
            moment=over.MOMENT,
        )
        assert refund.state == RequestState.CANCELLED
        assert world.case.stage == Stage.AWAITING_CLOSE_APPROVAL
        balance = books.balance_of(session, world.case.ledger_account_id)
        assert balance.available_cents == balance.ledger_cents == 155_783


def test_a_refund_that_the_bank_has_is_not_taken_back(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        over.start(session, world)
        over.certify(session, world, "carrier", "parent")
        refund = over.refund_of(session, over.approve(session, world))
        paying.mark_in_payment(session, over.SYSTEM, refund, moment=over.CERTIFIED)
        with pytest.raises(RefundUnderWay):
            closing.withdraw_accounting(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="Late bill",
                moment=over.MOMENT,
            )
        assert world.case.stage == Stage.FINAL_DISBURSEMENT


def test_money_that_comes_after_the_refund_is_accounted_for_anew(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        over.start(session, world)
        over.certify(session, world, "carrier", "parent")
        refund = over.refund_of(session, over.approve(session, world))
        world_of.fund(session, world, 700, milestone=False, on=date(2026, 5, 21))
        over.pay_refund(session, refund)
        assert not closing.close_when_settled(
            session, over.SYSTEM, world.case, moment=over.CERTIFIED
        )
        closing.withdraw_accounting(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="A wire came late",
            moment=over.CERTIFIED,
        )
        assert refund.state == RequestState.PAID
        assert over.start(session, world).refund_cents == 700


def test_without_a_parent_who_is_a_payee_there_is_nobody_to_refund_to(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        world.payees["parent"].party_id = None
        over.start(session, world)
        over.certify(session, world, "carrier", "parent")
        with pytest.raises(RefundPayeeMissing):
            over.approve(session, world)


def test_a_case_with_nothing_left_closes_with_the_approval(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        world_of.pay(session, world, 155_783, Category.MEDICAL_BILL, on=over.ENDED_ON)
        over.start(session, world)
        over.certify(session, world, "carrier", "parent")
        accounting = over.approve(session, world)
        assert accounting.refund_request_id is None
        assert world.case.stage == Stage.CLOSED


def test_a_closed_case_takes_no_more_and_is_reopened_by_the_controller_alone(
    session_factory: Sessions,
) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        ref = world.case.reference
        world_of.pay(session, world, 155_783, Category.MEDICAL_BILL, on=over.ENDED_ON)
        over.start(session, world)
        over.certify(session, world, "carrier", "parent")
        with pytest.raises(StageNotAllowed):
            closing.reopen(
                session, world.controller, case_ref=ref, reason="Early", moment=over.CERTIFIED
            )
        accounting = over.approve(session, world)
        for attempt in (
            lambda: over.start(session, world),
            lambda: world_of.propose(session, world),
            lambda: world_of.happen(
                session, world, Milestone.MEDICAL_CLEARANCE, on=date(2026, 5, 20)
            ),
        ):
            with pytest.raises(CaseClosed):
                attempt()
        with pytest.raises(Forbidden):
            closing.reopen(
                session, world.specialist, case_ref=ref, reason="Late bill", moment=over.CERTIFIED
            )
        closing.reopen(
            session, world.controller, case_ref=ref, reason="Late bill", moment=over.CERTIFIED
        )
        assert (world.case.stage, world.case.closed_on, accounting.state) == (
            Stage.AWAITING_CLOSE_APPROVAL,
            None,
            "WITHDRAWN",
        )
        world_of.fund(session, world, 700, milestone=False, on=date(2026, 5, 21))
        assert over.start(session, world).refund_cents == 700


def test_a_terminated_cycle_is_closed_from_where_it_stood(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        world_of.happen(session, world, Milestone.AGREEMENT_TERMINATED, on=date(2026, 3, 9))
        world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 3, 9))
        accounting = over.start(session, world)
        assert accounting.refund_cents == 2_850_000
        assert world.case.stage == Stage.AWAITING_CLOSE_APPROVAL


def test_a_funded_journey_that_never_began_is_refunded_by_two_people_and_cancelled(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world)
        ref = world.case.reference
        accounting = closing.propose_cancellation(
            session, world.specialist, case_ref=ref, reason="No donor", moment=over.MOMENT
        )
        with pytest.raises(AccountingOpen):
            closing.propose_cancellation(
                session, world.specialist, case_ref=ref, reason="No donor", moment=over.MOMENT
            )
        assert world.case.stage == Stage.AWAITING_EXECUTED_AGREEMENT
        over.approve(session, world)
        refund = over.refund_of(session, accounting)
        assert refund.state == RequestState.READY
        over.pay_refund(session, refund)
        assert closing.close_when_settled(session, over.SYSTEM, world.case, moment=over.CERTIFIED)
        assert world.case.stage == Stage.CANCELLED


def test_a_begun_journey_is_not_called_off_but_closed(session_factory: Sessions) -> None:
    with over.case_that_is_over(session_factory) as (session, world):
        with pytest.raises(StageNotAllowed):
            closing.propose_cancellation(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="No donor",
                moment=over.MOMENT,
            )
        assert not closing.close_when_settled(session, over.SYSTEM, world.case, moment=over.MOMENT)


_ACTS = st.lists(
    st.sampled_from(
        ["start", "carrier", "parent", "approve", "withdraw", "pay", "close", "reopen", "hold"]
    ),
    max_size=16,
)


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(acts=_ACTS)
def test_no_order_of_acts_closes_a_case_past_a_word_a_reviewer_or_its_money(
    session_factory: Sessions, acts: list[str]
) -> None:
    with session_factory() as session, session.begin():
        world = over.over(session)
        for act in acts:
            savepoint = session.begin_nested()
            try:
                _do(session, world, act)
            except DomainError:
                savepoint.rollback()
            else:
                savepoint.commit()
        _reached_through_every_stage(session, world.case)
        if world.case.stage == Stage.CLOSED:
            assert books.balance_of(session, world.case.ledger_account_id).ledger_cents == 0
        session.rollback()


def _do(session: Session, world: world_of.World, act: str) -> None:
    ref = world.case.reference
    if act == "start":
        over.start(session, world)
    elif act in {"carrier", "parent"}:
        over.certify(session, world, act)
    elif act == "approve":
        over.approve(session, world)
    elif act == "withdraw":
        closing.withdraw_accounting(
            session, world.specialist, case_ref=ref, reason="Bill", moment=over.CERTIFIED
        )
    elif act == "pay":
        ready = select(DisbursementRequest).where(
            DisbursementRequest.state == RequestState.READY.value
        )
        for refund in session.execute(ready).scalars().all():
            over.pay_refund(session, refund)
    elif act == "close":
        closing.close_when_settled(session, over.SYSTEM, world.case, moment=over.CERTIFIED)
    elif act == "reopen":
        closing.reopen(
            session, world.controller, case_ref=ref, reason="Bill", moment=over.CERTIFIED
        )
    elif world.case.stage == Stage.ON_HOLD:
        cases.resume(session, world.legal, case_ref=ref, reason="Over", moment=over.CERTIFIED)
    else:
        cases.put_on_hold(session, world.legal, case_ref=ref, reason="Court", moment=over.CERTIFIED)


def _reached_through_every_stage(session: Session, case: Case) -> None:
    order = [stage.value for stage in STAGES_OF[CaseKind.EGG_DONATION]]
    rows = session.execute(
        select(StageChange.from_stage, StageChange.to_stage).order_by(StageChange.id)
    )
    for before, after in rows:
        if before in order and after in order and order.index(after) > order.index(before):
            assert order.index(after) == order.index(before) + 1
    assert case.stage in {*order, Stage.ON_HOLD.value}


def test_calling_off_cancels_what_was_planned_and_waits_for_open_requests(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.propose(
            session,
            world,
            category=Category.AGENCY_FEE,
            kind=TermKind.SCHEDULED,
            payee="agency_admin",
            amount_cents=100,
            trigger=Milestone.INITIAL_FUNDING_RECEIVED,
        )
        world_of.activate(session, world)
        world_of.sign(session, world, AgreementKind.ESCROW)
        world_of.fund(session, world)
        late = over.open_request(session, world, Category.AGENCY_FEE)

        def call_off() -> FinalAccounting:
            return closing.propose_cancellation(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="No donor",
                moment=over.MOMENT,
            )

        with pytest.raises(NotReadyToClose):
            call_off()
        late.state = RequestState.CANCELLED.value
        session.flush()
        call_off()
        states = session.execute(select(ScheduleItem.state)).scalars().all()
        assert list(states) == ["CANCELLED"]
