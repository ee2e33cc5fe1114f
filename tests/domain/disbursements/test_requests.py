"""Asking, reviewing and approving: each refusal beside the success that it differs from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import (
    DomainError,
    IdempotencyConflict,
    Invalid,
    InvalidAmount,
    NotFound,
    StaleVersion,
    WrongState,
)
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.states import AgreementKind
from seedtrust.domain.disbursements import paying, queries, review, service
from seedtrust.domain.disbursements.errors import (
    AlreadyDecided,
    ApproverIsRelated,
    DuplicateSuspected,
    EvidenceMissing,
    NoClause,
    OverCap,
    ReasonMissing,
    ReviewerIsRequester,
)
from seedtrust.domain.disbursements.forecast import forecast_of
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.service import Line
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.terms import service as term_service
from seedtrust.domain.terms.errors import CategoryLocked
from seedtrust.domain.terms.states import Category, TermApprover
from tests.factories import case_world
from tests.factories.case_world import World, moment_on

TODAY = date(2026, 2, 19)
NOW = moment_on(TODAY)
Result = TypeVar("Result")
Make = sessionmaker[Session]


class Desk:
    """One case with three terms, and a unit of work for each act."""

    def __init__(self, make: Make) -> None:
        self.make = make
        self.world: World = self.do(self._build)

    @staticmethod
    def _build(session: Session) -> World:
        world = case_world.build(session)
        for category, approver, cap in (
            (Category.LOST_WAGES, TermApprover.ESCROW, 150_000),
            (Category.LEGAL, TermApprover.INTENDED_PARENTS, 100_000),
            (Category.DONOR_COMPENSATION, TermApprover.ESCROW, 900_000),
        ):
            case_world.propose(session, world, category=category, approver=approver, cap_cents=cap)
        case_world.activate(session, world)
        case_world.sign(session, world, AgreementKind.ESCROW)
        case_world.fund(session, world)
        kind = case_world.donation_agreement(world)
        case_world.sign(session, world, kind, on=date(2026, 2, 18))
        return world

    def do(self, work: Callable[[Session], Result]) -> Result:
        """Run one unit of work."""
        with self.make() as session, session.begin():
            return work(session)

    def ask(self, actor: Actor | None = None, **changes: Any) -> DisbursementRequest:
        """Ask for lost wages of the carrier, unless told otherwise."""
        world = self.world
        values: dict[str, Any] = {
            "case_ref": world.case.reference,
            "category": "lost_wages",
            "payee_ref": world.payees["carrier"].reference,
            "amount_cents": 53_040,
            "description": "24 hours at 22.10",
            "moment": NOW,
        }
        values |= changes
        who = actor or world.carrier
        return self.do(lambda s: service.create_request(s, who, **values))

    def legal(self) -> DisbursementRequest:
        """Ask for the attorney's bill, which the parents approve, and have it accepted."""
        world = self.world
        asked = self.ask(
            world.attorney,
            category="legal",
            payee_ref=world.payees["attorney"].reference,
            amount_cents=85_000,
        )
        return self.accept(asked)

    def accept(
        self, request: DisbursementRequest, cents: int | None = None, **changes: Any
    ) -> DisbursementRequest:
        """Accept a request as the escrow."""
        values: dict[str, Any] = {
            "request_ref": request.reference,
            "amount_cents": cents or request.amount_cents,
            "moment": NOW,
        }
        values |= changes
        who = self.world.specialist
        return self.do(lambda s: review.accept(s, who, **values))

    def approve(self, request: DisbursementRequest, actor: Actor | None = None) -> str:
        """Approve as a parent and return the state."""
        who = actor or self.world.parent
        return self.do(
            lambda s: review.approve(s, who, request_ref=request.reference, moment=NOW)
        ).state

    def state(self, request: DisbursementRequest) -> str:
        """Return the state as it stands in the database."""
        return self.do(
            lambda s: s.execute(
                select(DisbursementRequest.state).where(DisbursementRequest.id == request.id)
            ).scalar_one()
        )

    def count(self) -> int:
        """Return how many requests there are."""
        return len(self.do(lambda s: s.execute(select(DisbursementRequest.id)).all()))


@pytest.fixture
def desk(session_factory: Make) -> Desk:
    """Build the case."""
    return Desk(session_factory)


def test_a_reimbursement_within_its_cap_is_reserved_after_the_escrows_review(desk: Desk) -> None:
    request = desk.ask()
    assert request.state == RequestState.SUBMITTED
    assert desk.accept(request).state == RequestState.READY
    account = desk.world.case.ledger_account_id
    balance = desk.do(lambda s: ledger.balance_of(s, account))
    assert balance.reserved_cents == 53_040
    assert balance.available_cents == balance.ledger_cents - 53_040


def test_a_vendors_bill_waits_for_the_parents(desk: Desk) -> None:
    request = desk.legal()
    assert request.state == RequestState.PENDING_APPROVAL
    assert desk.approve(request) == RequestState.READY


@pytest.mark.parametrize(
    "changes, refusal",
    [
        ({"amount_cents": 0}, InvalidAmount),
        ({"amount_cents": -5}, InvalidAmount),
        ({"amount_cents": 10**15}, InvalidAmount),
        ({"amount_cents": 12.5}, InvalidAmount),
        ({"amount_cents": "5300"}, InvalidAmount),
        ({"amount_cents": True}, InvalidAmount),
        ({"amount_cents": 150_001}, OverCap),
        ({"category": "cloning"}, Invalid),
        ({"category": "closing_refund"}, Invalid),
        ({"category": "donor_compensation"}, CategoryLocked),
        ({"description": "  "}, Invalid),
        ({"payee_ref": "A" * 15}, NotFound),
        ({"case_ref": "A" * 15}, NotFound),
        ({"lines": [Line("One", 53_000)]}, Invalid),
        ({"document_refs": ["A" * 15]}, NotFound),
    ],
)
def test_a_bad_request_is_refused_and_nothing_is_kept(
    desk: Desk, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        desk.ask(**changes)
    assert desk.count() == 0


def test_a_donor_asks_for_herself_only(desk: Desk) -> None:
    with pytest.raises(Invalid, match="to yourself only"):
        desk.ask(payee_ref=desk.world.payees["agency_admin"].reference)
    assert desk.ask().state == RequestState.SUBMITTED


def test_somebody_without_relation_sees_no_case(desk: Desk) -> None:
    stranger = desk.do(lambda s: case_world.person(s, "Sam Stranger", Role.DONOR))
    with pytest.raises(NotFound):
        desk.ask(stranger)


def test_the_cap_counts_what_was_asked_before(desk: Desk) -> None:
    desk.accept(desk.ask(amount_cents=100_000))
    with pytest.raises(OverCap) as refused:
        desk.ask(amount_cents=50_001)
    assert refused.value.facts["remaining_cents"] == 50_000
    assert desk.ask(amount_cents=50_000).state == RequestState.SUBMITTED


def test_evidence_that_the_clause_asks_for_has_to_be_there(desk: Desk) -> None:
    def add(session: Session) -> None:
        term_service.propose_term(
            session,
            desk.world.specialist,
            case_ref=desk.world.case.reference,
            clause="7.2",
            title="Co-pays",
            category="medical_copay",
            tax_class="R",
            kind="requested",
            approver="escrow",
            evidence=["receipt"],
            moment=NOW,
        )
        case_world.activate(session, desk.world, on=TODAY)

    desk.do(add)
    with pytest.raises(EvidenceMissing, match="receipt"):
        desk.ask(category="medical_copay")
    draft = desk.ask(category="medical_copay", as_draft=True)
    assert draft.state == RequestState.DRAFT


def test_the_same_payee_and_amount_within_ten_days_needs_a_reason(desk: Desk) -> None:
    first = desk.ask()
    with pytest.raises(DuplicateSuspected) as refused:
        desk.ask()
    assert refused.value.facts["other_request"] == first.reference
    assert desk.ask(duplicate_reason="The second week").state == RequestState.SUBMITTED


def test_a_key_gives_the_first_request_again_and_refuses_another(desk: Desk) -> None:
    first = desk.ask(client_key="phone-1")
    assert desk.ask(client_key="phone-1").id == first.id
    with pytest.raises(IdempotencyConflict):
        desk.ask(client_key="phone-1", amount_cents=1_000)
    assert desk.count() == 1


def test_whoever_asked_does_not_review(desk: Desk) -> None:
    world = desk.world
    own = desk.ask(world.specialist, payee_ref=world.payees["carrier"].reference)
    with pytest.raises(ReviewerIsRequester):
        desk.accept(own)
    other = desk.do(
        lambda s: review.accept(
            s,
            world.second,
            request_ref=own.reference,
            amount_cents=own.amount_cents,
            moment=NOW,
        )
    )
    assert other.state == RequestState.READY


def test_a_part_needs_a_reason_and_more_than_asked_is_refused(desk: Desk) -> None:
    request = desk.ask()
    with pytest.raises(ReasonMissing):
        desk.accept(request, 50_000)
    with pytest.raises(OverCap):
        desk.accept(request, 53_041)
    accepted = desk.accept(request, 50_000, reason="Three hours are not on the pay stub.")
    assert (accepted.state, accepted.approved_cents) == (RequestState.READY, 50_000)


def test_without_a_clause_there_is_only_refusal(desk: Desk) -> None:
    request = desk.ask(category="childcare")
    with pytest.raises(NoClause):
        desk.accept(request)
    refused = desk.do(
        lambda s: review.refuse(
            s, desk.world.specialist, request_ref=request.reference, reason="No clause", moment=NOW
        )
    )
    assert (refused.state, refused.state_reason) == (RequestState.DENIED, "No clause")


def test_a_stale_version_is_refused(desk: Desk) -> None:
    request = desk.ask()
    with pytest.raises(StaleVersion):
        desk.accept(request, expected_version=request.version + 1)
    assert desk.accept(request, expected_version=request.version).state == RequestState.READY


def test_the_same_person_does_not_approve_twice(desk: Desk) -> None:
    request = desk.legal()
    desk.approve(request)
    with pytest.raises(AlreadyDecided):
        desk.approve(request)


def test_only_parents_approve(desk: Desk) -> None:
    request = desk.legal()
    for outsider in (desk.world.agency_admin, desk.world.specialist):
        with pytest.raises(DomainError) as refused:
            desk.approve(request, outsider)
        assert refused.value.code in {"approver_is_related", "forbidden"}
    assert desk.state(request) == RequestState.PENDING_APPROVAL


def test_a_parent_does_not_approve_an_own_request(desk: Desk) -> None:
    world = desk.world
    asked = desk.ask(world.parent, category="legal", payee_ref=world.payees["parent"].reference)
    desk.accept(asked)
    with pytest.raises(ApproverIsRelated):
        desk.approve(asked)


def test_a_question_and_its_answer_void_earlier_approvals(desk: Desk) -> None:
    world, request = desk.world, desk.legal()
    asked = desk.do(
        lambda s: review.ask(
            s, world.parent, request_ref=request.reference, question="Which hours?", moment=NOW
        )
    )
    assert asked.state == RequestState.NEEDS_INFO
    with pytest.raises(NotFound):
        desk.do(
            lambda s: review.answer(
                s, world.agency_admin, request_ref=request.reference, text="I know", moment=NOW
            )
        )
    answered = desk.do(
        lambda s: review.answer(
            s, world.attorney, request_ref=request.reference, text="All of March", moment=NOW
        )
    )
    assert (answered.state, answered.approval_round) == (RequestState.IN_REVIEW, 2)


def test_withdrawing_gives_the_money_back_to_the_case(desk: Desk) -> None:
    request = desk.accept(desk.ask())
    desk.do(
        lambda s: service.withdraw(s, desk.world.carrier, request_ref=request.reference, moment=NOW)
    )
    account = desk.world.case.ledger_account_id
    assert desk.do(lambda s: ledger.balance_of(s, account)).reserved_cents == 0
    assert desk.state(request) == RequestState.CANCELLED
    with pytest.raises(WrongState):
        desk.do(
            lambda s: service.withdraw(
                s, desk.world.carrier, request_ref=request.reference, moment=NOW
            )
        )


def test_what_the_balance_does_not_cover_waits_and_is_told_to_staff_only(desk: Desk) -> None:
    world = desk.world
    case_id = world.case.id
    desk.do(lambda s: case_world.pay(s, world, 2_820_000, Category.OTHER, on=TODAY))
    request = desk.accept(desk.ask())
    assert request.state == RequestState.INSUFFICIENT
    seen = desk.do(lambda s: queries.request_detail(s, world.carrier, request.reference))
    assert (seen.row.label, seen.state_reason) == ("On hold", "")
    assert "insufficient" not in str(seen.steps).lower().replace("state", "")
    assert desk.do(lambda s: queries.open_requests_of(s, case_id)) == 1


def test_the_other_side_is_an_alias_in_everything_that_a_party_reads(desk: Desk) -> None:
    world = desk.world
    desk.accept(desk.ask())
    request = desk.legal()
    rows, _ = desk.do(lambda s: queries.list_requests(s, world.parent))
    text = str(rows) + str(
        desk.do(lambda s: queries.request_detail(s, world.parent, request.reference))
    )
    for secret in (world.carrier.name, world.specialist.name, *world.carrier.name.split()):
        assert secret not in text
    own, _ = desk.do(lambda s: queries.list_requests(s, world.carrier))
    assert [row.category for row in own] == ["lost_wages"]
    assert world.parent.name not in str(own)


def test_a_list_takes_few_queries_whatever_its_length(desk: Desk) -> None:
    from sqlalchemy import event

    for number in range(8):
        desk.ask(amount_cents=1_000 + number)
    counted: list[str] = []

    def read(session: Session) -> int:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *_: counted.append("q"))
        rows, _ = queries.list_requests(session, desk.world.specialist)
        return len(rows)

    assert desk.do(read) == 8
    assert len(counted) <= 4


def test_a_frozen_actor_without_roles_may_nothing(desk: Desk) -> None:
    nobody = replace(desk.world.specialist, roles=frozenset())
    with pytest.raises(DomainError) as refused:
        desk.ask(nobody)
    assert refused.value.code == "forbidden"


def test_the_forecast_counts_every_promise_once(desk: Desk) -> None:
    case = desk.world.case
    ready = desk.accept(desk.ask())
    desk.ask(amount_cents=1_000)

    def expected(session: Session) -> int:
        return forecast_of(session, case, TODAY).points[-1].balance_cents

    def into_a_run(session: Session) -> None:
        request = session.get(DisbursementRequest, ready.id)
        assert request is not None
        paying.mark_in_payment(session, desk.world.payments_lead, request, moment=NOW)

    balance = desk.do(lambda s: ledger.balance_of(s, case.ledger_account_id)).ledger_cents
    assert desk.do(expected) == balance - 53_040 - 1_000
    desk.do(into_a_run)
    assert desk.do(expected) == balance - 53_040 - 1_000
