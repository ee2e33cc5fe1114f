"""A case whose journey is over, and the acts that end it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.models import FinalAccounting
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.terms.states import Category
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
ENDED_ON = date(2026, 5, 18)
MOMENT = world_of.moment_on(ENDED_ON)
CERTIFIED = world_of.moment_on(date(2026, 5, 20))
SYSTEM = Actor.system("tests")


def over(session: Session) -> world_of.World:
    """Build a case whose journey is over and paid, with 1,557.83 left."""
    world = world_of.retrieved(session)
    world_of.pay(session, world, 2_694_217, Category.DONOR_COMPENSATION, on=date(2026, 4, 14))
    world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 5, 15))
    return world


@contextmanager
def case_that_is_over(make: Sessions) -> Iterator[tuple[Session, world_of.World]]:
    with make() as session, session.begin():
        yield session, over(session)


def start(session: Session, world: world_of.World) -> FinalAccounting:
    return closing.start_closing(
        session, world.specialist, case_ref=world.case.reference, moment=MOMENT
    )


def certify(session: Session, world: world_of.World, *keys: str) -> None:
    for key in keys:
        closing.certify(
            session, getattr(world, key), case_ref=world.case.reference, moment=CERTIFIED
        )


def approve(session: Session, world: world_of.World, actor: Actor | None = None) -> FinalAccounting:
    return closing.approve_accounting(
        session, actor or world.controller, case_ref=world.case.reference, moment=CERTIFIED
    )


def refund_of(session: Session, accounting: FinalAccounting) -> DisbursementRequest:
    refund = session.get(DisbursementRequest, accounting.refund_request_id)
    assert refund is not None
    return refund


def pay_refund(session: Session, refund: DisbursementRequest) -> None:
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
    paying.mark_paid(session, SYSTEM, refund, payment=refund.reference, moment=CERTIFIED)
    session.flush()


def open_request(
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
