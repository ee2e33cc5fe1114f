"""Whom a change of bank details is told to: the contact that we knew before, never a new one."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Agency
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee
from tests.factories.case_world import REAL_TIME, person
from tests.factories.payment_world import PaymentWorld, moment_at


def agency_payee(world: PaymentWorld) -> tuple[Payee, str]:
    """Open the payee of an agency; return it with its administrator's address."""

    def work(session: Session) -> tuple[Payee, str]:
        agency = Agency(
            id=new_id(), reference=new_reference(), name="Larkspur", created_at=REAL_TIME
        )
        session.add(agency)
        session.flush()
        admin = person(session, "Ava Lark", Role.AGENCY_ADMINISTRATOR, agency_id=agency.id)
        payee = payees.open_payee(
            session,
            world.escrow,
            kind="company",
            name="Larkspur LLC",
            agency_id=agency.id,
            moment=moment_at(),
        )
        session.flush()
        return payee, admin.email

    return world.do(work)


def told(world: PaymentWorld) -> list[tuple[str, str]]:
    """Return event and address of every mail about bank details, in order."""
    rows = select(NoticeDelivery.event, NoticeDelivery.recipient).where(
        NoticeDelivery.event.startswith("payee_account"), NoticeDelivery.channel == "mail"
    )
    found = world.do(lambda s: s.execute(rows.order_by(NoticeDelivery.id)).all())
    return [(event, recipient) for event, recipient in found]


def test_a_change_is_told_to_the_old_contact_when_submitted_and_when_it_cools_off(
    world: PaymentWorld,
) -> None:
    payee, address = agency_payee(world)
    world.do(lambda s: world.approve(s, world.submit(s, payee)))
    assert told(world) == [
        ("payee_account.submitted", address),
        ("payee_account.active", address),
    ]
    later = date(2026, 1, 5)
    world.do(lambda s: world.approve(s, world.submit(s, payee, on=later), on=later))
    assert told(world)[2:] == [
        ("payee_account.submitted", address),
        ("payee_account.cooling", address),
    ]
