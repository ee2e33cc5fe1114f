"""A case ends in order: accounting, every party's word, a second reviewer, the refund, 0.00."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError, Forbidden, Invalid
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import CaseClosed, StageNotAllowed
from seedtrust.domain.cases.models import Case, StageChange
from seedtrust.domain.cases.states import STAGES_OF, AgreementKind, CaseKind, Milestone, Stage
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.errors import (
    AccountingOpen,
    AccountingOutdated,
    AlreadyCertified,
    NoAccounting,
    NotReadyToClose,
    NotYourCertification,
    PreparerCannotApprove,
    RefundPayeeMissing,
    RefundUnderWay,
)
from seedtrust.domain.closing.models import Certification, FinalAccounting
from seedtrust.domain.closing.queries import accounting_view
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as books
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.errors import AccountClosed
from seedtrust.domain.terms.models import ScheduleItem
from seedtrust.domain.terms.states import Category, TermKind
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
ENDED_ON = date(2026, 5, 18)
MOMENT = world_of.moment_on(ENDED_ON)
CERTIFIED = world_of.moment_on(date(2026, 5, 20))
SYSTEM = Actor.system("tests")


def _over(session: Session) -> world_of.World:
    """Build a case whose journey is over and paid, with 1,557.83 left."""
    world = world_of.retrieved(session)
    world_of.pay(session, world, 2_694_217, Category.DONOR_COMPENSATION, on=date(2026, 4, 14))
    world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 5, 15))
    return world


@contextmanager
def _case_that_is_over(make: Sessions) -> Iterator[tuple[Session, world_of.World]]:
    with make() as session, session.begin():
        yield session, _over(session)


def _start(session: Session, world: world_of.World) -> FinalAccounting:
    return closing.start_closing(
        session, world.specialist, case_ref=world.case.reference, moment=MOMENT
    )


def _certify(session: Session, world: world_of.World, *keys: str) -> None:
    for key in keys:
        closing.certify(
            session, getattr(world, key), case_ref=world.case.reference, moment=CERTIFIED
        )


def _approve(
    session: Session, world: world_of.World, actor: Actor | None = None
) -> FinalAccounting:
    return closing.approve_accounting(
        session, actor or world.controller, case_ref=world.case.reference, moment=CERTIFIED
    )


def _refund_of(session: Session, accounting: FinalAccounting) -> DisbursementRequest:
    refund = session.get(DisbursementRequest, accounting.refund_request_id)
    assert refund is not None
    return refund


def _pay_refund(session: Session, refund: DisbursementRequest) -> None:
    """Let the bank take and settle the refund, as the payments feature does."""
    paying.mark_in_payment(session, SYSTEM, refund, moment=CERTIFIED)
    cash = chart.account_id(session, "trust", chart.bank_cash_code("main"))
    assert refund.hold_id is not None
    ledger.capture(
        session,
        SYSTEM,
        refund.hold_id,
        key=f"refund:{refund.reference}",
        kind="REFUND",
        category=Category.CLOSING_REFUND.value,
        credit_account_id=cash,
        effective_on=date(2026, 5, 22),
        now=CERTIFIED.at,
    )
    paying.mark_paid(session, SYSTEM, refund, moment=CERTIFIED)
    session.flush()


def test_the_whole_way_from_the_accounting_to_closed_at_zero(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        case = world.case
        accounting = _start(session, world)
        assert (accounting.deposits_cents, accounting.paid_cents, accounting.refund_cents) == (
            2_850_000,
            2_694_217,
            155_783,
        )
        assert case.stage == Stage.AWAITING_CLOSE_APPROVAL
        _certify(session, world, "carrier")
        assert case.stage == Stage.AWAITING_CLOSE_APPROVAL
        _certify(session, world, "parent")
        assert (case.stage, accounting.state) == (Stage.FINAL_ACCOUNTING, "CERTIFIED")
        _approve(session, world)
        assert (case.stage, accounting.state) == (Stage.FINAL_DISBURSEMENT, "APPROVED")
        refund = _refund_of(session, accounting)
        assert (refund.state, refund.amount_cents) == (RequestState.READY, 155_783)
        assert refund.payee_id == world.payees["parent"].id
        assert not closing.close_when_settled(session, SYSTEM, case, moment=CERTIFIED)
        _pay_refund(session, refund)
        assert closing.close_when_settled(session, SYSTEM, case, moment=CERTIFIED)
        assert (case.stage, case.closed_on) == (Stage.CLOSED, date(2026, 5, 20))
        assert books.balance_of(session, case.ledger_account_id).ledger_cents == 0
        assert not closing.close_when_settled(session, SYSTEM, case, moment=CERTIFIED)
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
        _open_request(session, world)
        ledger.reserve(
            session,
            SYSTEM,
            world.case.ledger_account_id,
            500,
            key="held",
            effective_on=date(2026, 3, 18),
            source_type="request",
            source_ref="x",
            now=MOMENT.at,
        )
        for party in world.parties.values():
            party.must_certify = False
        session.flush()
        with pytest.raises(NotReadyToClose) as refusal:
            _start(session, world)
        assert refusal.value.facts["obstacles"] == (
            "obligations_open,requests_open,schedule_open,money_held,nobody_certifies"
        )
        assert world.case.stage == Stage.POST_RETRIEVAL
        world.parties["attorney"].must_certify = True
        world.parties["attorney"].user_id = None
        session.flush()
        with pytest.raises(NotReadyToClose) as refusal:
            _start(session, world)
        assert "Victor Brandt has to certify and has no login" in refusal.value.detail


def _open_request(
    session: Session, world: world_of.World, category: Category = Category.MEDICAL_BILL
) -> DisbursementRequest:
    request = DisbursementRequest(
        id=new_id(),
        reference=new_reference(),
        case_id=world.case.id,
        kind="request",
        state=RequestState.SUBMITTED.value,
        state_since_at=MOMENT.at,
        category=category.value,
        tax_class="V",
        payee_id=world.payees["carrier"].id,
        requester_name="Somebody",
        requester_role="donor",
        amount_cents=100,
        description="Late bill",
        requested_on=ENDED_ON,
    )
    session.add(request)
    session.flush()
    return request


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
        _start(session, world)
        states = session.execute(select(ScheduleItem.state)).scalars().all()
        assert list(states) == ["CANCELLED"]


def test_only_the_company_starts_the_closing_and_only_once(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        for actor in (world.parent, world.agency_admin, world.controller):
            with pytest.raises(Forbidden):
                closing.start_closing(session, actor, case_ref=world.case.reference, moment=MOMENT)
        with pytest.raises(Forbidden):
            closing.start_closing(session, SYSTEM, case_ref=world.case.reference, moment=MOMENT)
        _start(session, world)
        with pytest.raises(AccountingOpen):
            _start(session, world)


def test_each_party_certifies_for_itself_and_once(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        ref = world.case.reference
        with pytest.raises(StageNotAllowed):
            _certify(session, world, "carrier")
        accounting = _start(session, world)
        with pytest.raises(NotYourCertification):
            closing.certify(
                session,
                world.carrier,
                case_ref=ref,
                party_ref=world.parties["parent"].reference,
                moment=CERTIFIED,
            )
        for actor in (world.agency_admin, world.attorney):
            with pytest.raises(NotYourCertification):
                closing.certify(session, actor, case_ref=ref, moment=CERTIFIED)
        for actor in (world.specialist, world.controller):
            with pytest.raises(Forbidden):
                closing.certify(
                    session,
                    actor,
                    case_ref=ref,
                    party_ref=world.parties["parent"].reference,
                    moment=CERTIFIED,
                )
        _certify(session, world, "carrier")
        with pytest.raises(AlreadyCertified):
            _certify(session, world, "carrier")
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
        _certify(session, world, "parent")
        with pytest.raises(AlreadyCertified):
            _certify(session, world, "parent")


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
        world = _over(session)
        for key, party in world.parties.items():
            party.must_certify = key in must
        session.flush()
        _start(session, world)
        left = set(must)
        for key in order:
            if key in must:
                assert world.case.stage == Stage.AWAITING_CLOSE_APPROVAL
                _certify(session, world, key)
                left.discard(key)
            expected = Stage.AWAITING_CLOSE_APPROVAL if left else Stage.FINAL_ACCOUNTING
            assert world.case.stage == expected
        session.rollback()


def test_a_second_reviewer_approves(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        both = Actor(
            world.specialist.kind,
            world.specialist.user_id,
            world.specialist.name,
            world.specialist.roles | {Role.CONTROLLER},
        )
        _start(session, world)
        with pytest.raises(StageNotAllowed):
            _approve(session, world)
        _certify(session, world, "carrier", "parent")
        with pytest.raises(PreparerCannotApprove) as refusal:
            _approve(session, world, both)
        assert refusal.value.code == "preparer_cannot_approve"
        for actor in (world.specialist, world.second, world.payments_lead, world.parent):
            assert not actor.may(Permission.CASES_APPROVE_ACCOUNTING)
            with pytest.raises(Forbidden):
                _approve(session, world, actor)
        accounting = _approve(session, world)
        assert (accounting.approved_by, accounting.prepared_by) == (
            "Carla Whitlock",
            "Esme Wolcott",
        )


def test_an_accounting_that_the_books_have_left_behind_is_neither_certified_nor_approved(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        _start(session, world)
        _certify(session, world, "carrier")
        world_of.fund(session, world, 100, milestone=False, on=ENDED_ON)
        with pytest.raises(AccountingOutdated):
            _certify(session, world, "parent")
        view = accounting_view(session, world.specialist, world.case.reference)
        assert view is not None
        assert not view.is_current


def test_an_open_request_stops_certification_until_the_accounting_is_withdrawn(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        first = _start(session, world)
        late = _open_request(session, world)
        with pytest.raises(AccountingOutdated):
            _certify(session, world, "carrier")
        closing.withdraw_accounting(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="Late bill",
            moment=MOMENT,
        )
        assert (first.state, world.case.stage) == ("WITHDRAWN", Stage.AWAITING_CLOSE_APPROVAL)
        with pytest.raises(NoAccounting):
            _certify(session, world, "carrier")
        late.state = RequestState.DENIED.value
        session.flush()
        second = _start(session, world)
        assert second.number == 2
        assert second.content_hash != first.content_hash
        _certify(session, world, "carrier", "parent")
        assert world.case.stage == Stage.FINAL_ACCOUNTING


def test_a_late_bill_brings_final_disbursement_back_and_cancels_the_unpaid_refund(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        _start(session, world)
        _certify(session, world, "carrier", "parent")
        refund = _refund_of(session, _approve(session, world))
        with pytest.raises(Invalid) as refusal:
            closing.withdraw_accounting(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="",
                moment=MOMENT,
            )
        assert "reason" in refusal.value.errors
        closing.withdraw_accounting(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="Hospital bill",
            moment=MOMENT,
        )
        assert refund.state == RequestState.CANCELLED
        assert world.case.stage == Stage.AWAITING_CLOSE_APPROVAL
        balance = books.balance_of(session, world.case.ledger_account_id)
        assert balance.available_cents == balance.ledger_cents == 155_783


def test_a_refund_that_the_bank_has_is_not_taken_back(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        _start(session, world)
        _certify(session, world, "carrier", "parent")
        refund = _refund_of(session, _approve(session, world))
        paying.mark_in_payment(session, SYSTEM, refund, moment=CERTIFIED)
        with pytest.raises(RefundUnderWay):
            closing.withdraw_accounting(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="Late bill",
                moment=MOMENT,
            )
        assert world.case.stage == Stage.FINAL_DISBURSEMENT


def test_money_that_comes_after_the_refund_is_accounted_for_anew(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        _start(session, world)
        _certify(session, world, "carrier", "parent")
        refund = _refund_of(session, _approve(session, world))
        world_of.fund(session, world, 700, milestone=False, on=date(2026, 5, 21))
        _pay_refund(session, refund)
        assert not closing.close_when_settled(session, SYSTEM, world.case, moment=CERTIFIED)
        closing.withdraw_accounting(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="A wire came late",
            moment=CERTIFIED,
        )
        assert refund.state == RequestState.PAID
        assert _start(session, world).refund_cents == 700


def test_without_a_parent_who_is_a_payee_there_is_nobody_to_refund_to(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        world.payees["parent"].party_id = None
        _start(session, world)
        _certify(session, world, "carrier", "parent")
        with pytest.raises(RefundPayeeMissing):
            _approve(session, world)


def test_a_case_with_nothing_left_closes_with_the_approval(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        world_of.pay(session, world, 155_783, Category.MEDICAL_BILL, on=ENDED_ON)
        _start(session, world)
        _certify(session, world, "carrier", "parent")
        accounting = _approve(session, world)
        assert accounting.refund_request_id is None
        assert world.case.stage == Stage.CLOSED


def test_a_closed_case_takes_no_more_and_is_reopened_by_the_controller_alone(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        ref = world.case.reference
        world_of.pay(session, world, 155_783, Category.MEDICAL_BILL, on=ENDED_ON)
        _start(session, world)
        _certify(session, world, "carrier", "parent")
        with pytest.raises(StageNotAllowed):
            closing.reopen(
                session, world.controller, case_ref=ref, reason="Early", moment=CERTIFIED
            )
        accounting = _approve(session, world)
        for attempt in (
            lambda: _start(session, world),
            lambda: world_of.propose(session, world),
            lambda: world_of.happen(
                session, world, Milestone.MEDICAL_CLEARANCE, on=date(2026, 5, 20)
            ),
        ):
            with pytest.raises(CaseClosed):
                attempt()
        with pytest.raises(Forbidden):
            closing.reopen(
                session, world.specialist, case_ref=ref, reason="Late bill", moment=CERTIFIED
            )
        closing.reopen(
            session, world.controller, case_ref=ref, reason="Late bill", moment=CERTIFIED
        )
        assert (world.case.stage, world.case.closed_on, accounting.state) == (
            Stage.AWAITING_CLOSE_APPROVAL,
            None,
            "WITHDRAWN",
        )
        world_of.fund(session, world, 700, milestone=False, on=date(2026, 5, 21))
        assert _start(session, world).refund_cents == 700


def test_a_terminated_cycle_is_closed_from_where_it_stood(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        world_of.happen(session, world, Milestone.AGREEMENT_TERMINATED, on=date(2026, 3, 9))
        world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 3, 9))
        accounting = _start(session, world)
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
            session, world.specialist, case_ref=ref, reason="No donor", moment=MOMENT
        )
        with pytest.raises(AccountingOpen):
            closing.propose_cancellation(
                session, world.specialist, case_ref=ref, reason="No donor", moment=MOMENT
            )
        assert world.case.stage == Stage.AWAITING_EXECUTED_AGREEMENT
        _approve(session, world)
        refund = _refund_of(session, accounting)
        assert refund.state == RequestState.READY
        _pay_refund(session, refund)
        assert closing.close_when_settled(session, SYSTEM, world.case, moment=CERTIFIED)
        assert world.case.stage == Stage.CANCELLED


def test_a_begun_journey_is_not_called_off_but_closed(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        with pytest.raises(StageNotAllowed):
            closing.propose_cancellation(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="No donor",
                moment=MOMENT,
            )
        assert not closing.close_when_settled(session, SYSTEM, world.case, moment=MOMENT)


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
        world = _over(session)
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
        _start(session, world)
    elif act in {"carrier", "parent"}:
        _certify(session, world, act)
    elif act == "approve":
        _approve(session, world)
    elif act == "withdraw":
        closing.withdraw_accounting(
            session, world.specialist, case_ref=ref, reason="Bill", moment=CERTIFIED
        )
    elif act == "pay":
        ready = select(DisbursementRequest).where(
            DisbursementRequest.state == RequestState.READY.value
        )
        for refund in session.execute(ready).scalars().all():
            _pay_refund(session, refund)
    elif act == "close":
        closing.close_when_settled(session, SYSTEM, world.case, moment=CERTIFIED)
    elif act == "reopen":
        closing.reopen(session, world.controller, case_ref=ref, reason="Bill", moment=CERTIFIED)
    elif world.case.stage == Stage.ON_HOLD:
        cases.resume(session, world.legal, case_ref=ref, reason="Over", moment=CERTIFIED)
    else:
        cases.put_on_hold(session, world.legal, case_ref=ref, reason="Court", moment=CERTIFIED)


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
        late = _open_request(session, world, Category.AGENCY_FEE)

        def call_off() -> FinalAccounting:
            return closing.propose_cancellation(
                session,
                world.specialist,
                case_ref=world.case.reference,
                reason="No donor",
                moment=MOMENT,
            )

        with pytest.raises(NotReadyToClose):
            call_off()
        late.state = RequestState.CANCELLED.value
        session.flush()
        call_off()
        states = session.execute(select(ScheduleItem.state)).scalars().all()
        assert list(states) == ["CANCELLED"]


def test_without_an_accounting_there_is_nothing_to_see_approve_or_take_back(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        ref = world.case.reference
        assert accounting_view(session, world.parent, ref) is None
        with pytest.raises(NoAccounting):
            _approve(session, world)
        with pytest.raises(NoAccounting):
            closing.withdraw_accounting(
                session, world.specialist, case_ref=ref, reason="None", moment=MOMENT
            )


def test_a_deposit_that_the_bank_took_back_is_no_money_in(session_factory: Sessions) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        world_of.fund(session, world, 5_000, milestone=False, on=ENDED_ON)
        world_of.pay(session, world, 5_000, Category.FUNDING, on=ENDED_ON)
        accounting = _start(session, world)
        assert (accounting.deposits_cents, accounting.refund_cents) == (2_850_000, 155_783)


def test_the_carrier_reads_the_figures_where_the_case_shows_the_full_balance(
    session_factory: Sessions,
) -> None:
    with _case_that_is_over(session_factory) as (session, world):
        _start(session, world)
        ref = world.case.reference
        hidden = accounting_view(session, world.carrier, ref)
        world.case.carrier_sees_balance = "full"
        session.flush()
        shown = accounting_view(session, world.carrier, ref)
        assert hidden is not None
        assert shown is not None
        assert (hidden.refund_cents, shown.refund_cents) == (None, 155_783)
        assert shown.prepared_by == "SeedTrust"
