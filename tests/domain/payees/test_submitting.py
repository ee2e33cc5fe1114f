"""Submitting bank details: what is taken, what is refused, and how a number is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seedtrust.core.crypto import CiphertextRefused
from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.models import CaseParty
from seedtrust.domain.cases.states import Side
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payees import queries, service
from seedtrust.domain.payees.errors import (
    AccountChangeOpen,
    AccountUnchanged,
    InvalidAccountNumber,
    InvalidRoutingNumber,
    PayeeExists,
)
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.service import account_aad
from tests.factories.case_world import person
from tests.factories.payment_world import KEYRING, OTHER_ROUTING, PaymentWorld, moment_at


def submit(
    world: PaymentWorld,
    payee: Payee,
    *,
    actor: Actor | None = None,
    routing_number: str = OTHER_ROUTING,
    account_number: str = "0123456789",
    account_type: str = "checking",
    holder_name: str = "Delphine Quarles",
) -> PayeeAccount:
    """Submit bank details of a payee."""
    return world.do(
        lambda session: service.submit_account(
            session,
            actor or world.escrow,
            payee_ref=payee.reference,
            account_type=account_type,
            holder_name=holder_name,
            routing_number=routing_number,
            account_number=account_number,
            keyring=KEYRING,
            moment=moment_at(),
        )
    )


def party(world: PaymentWorld, actor: Actor, role: Role = Role.DONOR) -> CaseParty:
    """Put somebody on a case of their own."""
    case = world.case()
    return world.do(
        lambda session: cases.add_party(
            session,
            world.escrow,
            case_ref=case.reference,
            role=role,
            side=Side.CARRIER,
            name=actor.name,
            email="donor@mail.example",
            user_id=actor.user_id,
            must_sign=True,
            must_certify=True,
            moment=moment_at(),
        )
    )


def payee_of(world: PaymentWorld, actor: Actor, party_id: int) -> Payee:
    """Open the payee of a party."""
    return world.do(
        lambda session: service.open_payee(
            session, actor, kind="person", name=actor.name, party_id=party_id, moment=moment_at()
        )
    )


@pytest.mark.parametrize(
    "routing_number", ["021000022", "000000000", "02100002", "0210000211", "abcdefghi", ""]
)
def test_a_routing_number_whose_check_digit_does_not_fit_is_refused(
    world: PaymentWorld, routing_number: str
) -> None:
    payee = world.payee(active=False)
    with pytest.raises(InvalidRoutingNumber) as refusal:
        submit(world, payee, routing_number=routing_number)
    assert refusal.value.code == "invalid_routing_number"
    assert "routing_number" in refusal.value.errors
    assert submit(world, payee, routing_number=" 021000021 ").routing_number == "021000021"


@pytest.mark.parametrize(
    "account_number",
    ["123", "123456789012345678", "0000", "00-00", "12 34 5é", "12345;678", "", "٣٤٥٦٧"],
)
def test_an_account_number_that_no_bank_has_is_refused(
    world: PaymentWorld, account_number: str
) -> None:
    payee = world.payee(active=False)
    with pytest.raises(InvalidAccountNumber) as refusal:
        submit(world, payee, account_number=account_number)
    assert refusal.value.code == "invalid_account_number"
    assert submit(world, payee, account_number="1234").last_four == "1234"


@pytest.mark.parametrize("account_number", ["1234", "12345678901234567", "12 34-56", "ab1234"])
def test_an_account_number_may_have_blanks_hyphens_and_letters(
    world: PaymentWorld, account_number: str
) -> None:
    account = submit(world, world.payee(active=False), account_number=account_number)
    opened = KEYRING.open(account.account_number_sealed, account_aad(account.id))
    assert opened == account_number.replace(" ", "").upper()
    assert account.state == "SUBMITTED"


def test_an_unknown_account_type_and_a_missing_holder_are_refused(world: PaymentWorld) -> None:
    payee = world.payee(active=False)
    with pytest.raises(Invalid) as refusal:
        submit(world, payee, account_type="loan")
    assert "account_type" in refusal.value.errors
    with pytest.raises(Invalid) as refusal:
        submit(world, payee, holder_name="  ")
    assert "holder_name" in refusal.value.errors
    with pytest.raises(Invalid):
        submit(world, payee, holder_name="x" * 121)
    assert submit(world, payee, account_type="savings").account_type == "savings"


def test_the_number_is_nowhere_in_the_database_in_clear(world: PaymentWorld) -> None:
    submit(world, world.payee(active=False), account_number="9876501234")

    def everything(session: Session) -> str:
        tables = ("payees", "payee_accounts", "audit_events", "outbox_messages", "exception_items")
        rows = [session.execute(text(f"SELECT * FROM {name}")).all() for name in tables]
        return repr(rows)

    dumped = world.do(everything)
    assert "9876501234" not in dumped
    assert "1234" in dumped


def test_a_sealed_number_opens_in_its_own_row_only(world: PaymentWorld) -> None:
    first = submit(world, world.payee(active=False), account_number="1111111111")
    second = submit(world, world.payee(active=False), account_number="2222222222")
    assert KEYRING.open(first.account_number_sealed, account_aad(first.id)) == "1111111111"
    with pytest.raises(CiphertextRefused):
        KEYRING.open(second.account_number_sealed, account_aad(first.id))


def test_a_second_change_waits_until_the_first_is_decided(world: PaymentWorld) -> None:
    payee = world.payee(active=False)
    account = submit(world, payee)
    with pytest.raises(AccountChangeOpen):
        submit(world, payee, account_number="5555555555")
    world.do(
        lambda session: service.reject_account(
            session,
            world.checker,
            account_ref=account.reference,
            reason="The voided check shows another name.",
            moment=moment_at(),
        )
    )
    assert submit(world, payee, account_number="5555555555").state == "SUBMITTED"


def test_the_account_on_file_is_no_change(world: PaymentWorld) -> None:
    payee = world.payee()
    number = f"77{world.numbers[-1]:08d}"
    with pytest.raises(AccountUnchanged):
        submit(world, payee, account_number=number)
    assert submit(world, payee, account_number="5555555555").state == "SUBMITTED"


def test_two_payees_with_one_account_are_put_in_front_of_a_person(world: PaymentWorld) -> None:
    submit(world, world.payee(active=False), account_number="3333333333")
    other = submit(world, world.payee(active=False), account_number="3333333333")
    items = world.do(
        lambda session: list(
            session.execute(
                select(ExceptionItem).where(ExceptionItem.kind == "shared_account")
            ).scalars()
        )
    )
    assert [item.subject_ref for item in items] == [other.reference]


def test_a_party_gives_details_of_its_own_and_of_nobody_else(world: PaymentWorld) -> None:
    donor, stranger = world.do(
        lambda session: (
            person(session, "Delphine Quarles", Role.DONOR),
            person(session, "Someone Else", Role.DONOR),
        )
    )
    own = party(world, donor)
    with pytest.raises(NotFound):
        payee_of(world, stranger, own.id)
    payee = payee_of(world, donor, own.id)
    assert payee.case_id == own.case_id
    with pytest.raises(NotFound):
        submit(world, payee, actor=stranger)
    account = submit(world, payee, actor=donor)
    assert account.submitted_by_user_id == donor.user_id
    views = world.do(lambda session: queries.own_payees(session, donor))
    assert [view.reference for view in views] == [payee.reference]
    assert world.do(lambda session: queries.own_payees(session, stranger)) == []
    told = world.do(lambda session: list(session.execute(select(NoticeDelivery)).scalars()))
    assert {row.recipient for row in told} == {"donor@mail.example"}
    with pytest.raises(PayeeExists):
        payee_of(world, donor, own.id)


def test_an_agency_gives_details_of_its_own(world: PaymentWorld) -> None:
    def work(session: Session) -> tuple[Actor, Actor, int]:
        agency = cases.open_agency(session, world.escrow, name="Larkspur", moment=moment_at())
        session.flush()
        role = Role.AGENCY_ADMINISTRATOR
        admin = person(session, "Petra Lark", role, agency_id=agency.id)
        return admin, replace(admin, agency_id=agency.id + 1), agency.id

    admin, other, agency_id = world.do(work)

    def opened(session: Session, actor: Actor = admin) -> Payee:
        return service.open_payee(
            session,
            actor,
            kind="company",
            name="Larkspur LLC",
            agency_id=agency_id,
            moment=moment_at(),
        )

    with pytest.raises(NotFound):
        world.do(lambda session: opened(session, other))
    payee = world.do(opened)
    assert submit(world, payee, actor=admin).state == "SUBMITTED"
    with pytest.raises(NotFound):
        submit(world, payee, actor=other)


@pytest.mark.parametrize("kind,name", [("robot", "Somebody"), ("person", " ")])
def test_a_payee_needs_a_known_kind_and_a_name(world: PaymentWorld, kind: str, name: str) -> None:
    def work(session: Session, kind: str, name: str) -> Payee:
        return service.open_payee(session, world.escrow, kind=kind, name=name, moment=moment_at())

    with pytest.raises(Invalid):
        world.do(lambda session: work(session, kind, name))
    assert world.do(lambda session: work(session, "person", "Somebody")).reference


def test_an_auditor_cannot_submit_but_sees_the_masked_account(world: PaymentWorld) -> None:
    auditor = world.do(lambda session: person(session, "Odo Finch", Role.AUDITOR))
    payee = world.payee(active=False)
    with pytest.raises(Forbidden):
        submit(world, payee, actor=auditor)
    submit(world, payee, account_number="9876501234")
    view = world.do(lambda session: queries.payee_view(session, auditor, payee.reference))
    assert view.in_change is not None
    assert view.in_change.masked_number == "••••1234"
    assert not view.in_change.may_check
    assert "9876501234" not in repr(view)


def test_what_people_did_is_on_the_trail_without_the_number(world: PaymentWorld) -> None:
    payee = world.payee()
    rows = world.do(
        lambda session: list(
            session.execute(
                select(AuditEvent).where(AuditEvent.action.like("payee%")).order_by(AuditEvent.id)
            ).scalars()
        )
    )
    assert [row.action for row in rows] == [
        "payee.opened",
        "payee_account.submitted",
        "payee_account.checked",
        "payee_account.verified",
        "payee_account.approved",
        "payee_account.activated",
    ]
    assert f"77{world.numbers[-1]:08d}" not in repr([row.facts for row in rows])
    assert payee.created_by == world.escrow.name
