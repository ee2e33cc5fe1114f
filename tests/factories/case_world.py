"""A whole case for tests: people with logins, a case with both sides, its terms and its money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment, at_new_york
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import STAFF_ROLES, Actor, ActorKind, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.models import Agency, Case, CaseParty
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone, Side
from seedtrust.domain.identity.models import User, UserRole
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.terms import agreements, milestones
from seedtrust.domain.terms import service as terms
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.plans import Cap
from seedtrust.domain.terms.queries import planned_items
from seedtrust.domain.terms.states import Category, TaxClass, TermApprover, TermKind

REAL_TIME = datetime(2026, 11, 22, 12, tzinfo=UTC)


def moment_on(day: date) -> Moment:
    """Return a moment whose business day is given, at ten in New York."""
    return Moment(REAL_TIME, at_new_york(day, 10))


def person(
    session: Session, name: str, role: Role, *, email: str = "", agency_id: int | None = None
) -> Actor:
    """Create a user and return the actor that signs in as that user."""
    is_staff = role in STAFF_ROLES
    user = User(
        id=new_id(),
        reference=new_reference(),
        email=email or f"{name.lower().replace(' ', '.')}.{new_id()}@login.example",
        display_name=name,
        kind="staff" if is_staff else "party",
        status="active",
        agency_id=agency_id,
        created_at=REAL_TIME,
    )
    session.add(user)
    session.flush()
    session.add(
        UserRole(id=new_id(), user_id=user.id, role=role.value, current=True, granted_at=REAL_TIME)
    )
    kind = ActorKind.STAFF if is_staff else ActorKind.PARTY
    return Actor(kind, user.id, name, frozenset({role}), agency_id=agency_id, email=user.email)


@dataclass
class World:
    """One egg-donation or surrogacy case with everybody on it."""

    specialist: Actor
    second: Actor
    legal: Actor
    payments_lead: Actor
    controller: Actor
    auditor: Actor
    agency_admin: Actor
    case_manager: Actor
    parent: Actor
    carrier: Actor
    attorney: Actor
    agency: Agency
    case: Case
    parties: dict[str, CaseParty] = field(default_factory=dict)
    payees: dict[str, Payee] = field(default_factory=dict)


def build(
    session: Session,
    *,
    kind: CaseKind = CaseKind.EGG_DONATION,
    anonymous: bool = True,
    on: date = date(2026, 1, 5),
    number: int | None = None,
) -> World:
    """Build a case in AWAITING_ESCROW_AGREEMENT with both sides, agency and payees."""
    moment = moment_on(on)
    chart.open_books(session, moment.at)
    chart.open_trust_account(session, "main", moment.at)
    specialist = person(session, "Esme Wolcott", Role.ESCROW_SPECIALIST)
    agency = cases.open_agency(session, specialist, name=f"Larkspur {new_id()}", moment=moment)
    carrier_role = Role.DONOR if kind is CaseKind.EGG_DONATION else Role.SURROGATE
    world = World(
        specialist=specialist,
        second=person(session, "Ines Okafor", Role.ESCROW_SPECIALIST),
        legal=person(session, "Lena Abbott", Role.LEGAL),
        payments_lead=person(session, "Piet Vandermeer", Role.PAYMENTS_LEAD),
        controller=person(session, "Carla Whitlock", Role.CONTROLLER),
        auditor=person(session, "Odo Finch", Role.AUDITOR),
        agency_admin=person(session, "Petra Lark", Role.AGENCY_ADMINISTRATOR, agency_id=agency.id),
        case_manager=person(session, "Mona Spur", Role.CASE_MANAGER, agency_id=agency.id),
        parent=person(session, "Rosalind Ashgrove", Role.INTENDED_PARENT),
        carrier=person(session, "Delphine Quarles", carrier_role),
        attorney=person(session, "Victor Brandt", Role.ATTORNEY),
        agency=agency,
        case=cases.open_case(
            session,
            specialist,
            kind=kind.value,
            name="Ashgrove_Quarles",
            agency_id=agency.id,
            rail="nacha",
            trust_account_id=7,
            anonymous=anonymous,
            funding_required_cents=2_850_000,
            number=number,
            moment=moment,
        ),
    )
    _put_on_case(session, world, carrier_role, moment)
    return world


def _put_on_case(session: Session, world: World, carrier_role: Role, moment: Moment) -> None:
    for key, actor, role, side, duty in (
        ("parent", world.parent, Role.INTENDED_PARENT, Side.RECIPIENT, True),
        ("carrier", world.carrier, carrier_role, Side.CARRIER, True),
        ("attorney", world.attorney, Role.ATTORNEY, Side.CARRIER, False),
        ("agency_admin", world.agency_admin, Role.AGENCY_ADMINISTRATOR, Side.AGENCY, False),
    ):
        world.parties[key] = cases.add_party(
            session,
            world.specialist,
            case_ref=world.case.reference,
            role=role,
            side=side,
            name=actor.name,
            email=f"{actor.name.lower().replace(' ', '.')}@mail.example",
            user_id=actor.user_id,
            must_sign=duty,
            must_certify=duty,
            moment=moment,
        )
        world.payees[key] = payees.open_payee(
            session,
            world.specialist,
            kind=PayeeKind.PERSON,
            name=actor.name,
            party_id=world.parties[key].id,
            moment=moment,
        )
        session.flush()


def propose(
    session: Session,
    world: World,
    *,
    actor: Actor | None = None,
    category: Category = Category.LEGAL,
    kind: TermKind = TermKind.REQUESTED,
    payee: str | None = None,
    amount_cents: int | None = None,
    cap_cents: int | None = None,
    trigger: Milestone | None = None,
    pay_after_days: int = 0,
    tax_class: TaxClass = TaxClass.VENDOR,
    approver: TermApprover = TermApprover.ESCROW,
    title: str = "",
    spread: Spread | None = None,
    caps: Sequence[Cap] = (),
    on: date = date(2026, 1, 6),
) -> ContractTerm:
    """Propose one term, plain unless told otherwise."""
    return terms.propose_term(
        session,
        actor or world.specialist,
        case_ref=world.case.reference,
        clause="4.1",
        title=title or category.value.replace("_", " ").capitalize(),
        category=category.value,
        tax_class=tax_class.value,
        kind=kind.value,
        approver=approver.value,
        payee_id=None if payee is None else world.payees[payee].id,
        amount_cents=amount_cents,
        cap_cents=cap_cents,
        trigger=None if trigger is None else trigger.value,
        pay_after_days=pay_after_days,
        spread=spread,
        caps=caps,
        moment=moment_on(on),
    )


def activate(session: Session, world: World, *, on: date = date(2026, 1, 7)) -> None:
    """Activate what was proposed, by the second person."""
    terms.activate_terms(session, world.legal, case_ref=world.case.reference, moment=moment_on(on))


def sign(
    session: Session, world: World, kind: AgreementKind, *, on: date = date(2026, 1, 16)
) -> str:
    """Create, send and have everybody sign an agreement; return its reference."""
    moment = moment_on(on)
    agreement = agreements.create_agreement(
        session,
        world.specialist,
        case_ref=world.case.reference,
        kind=kind.value,
        title="Agreement",
        moment=moment,
    )
    agreements.send_agreement(
        session, world.specialist, agreement_ref=agreement.reference, moment=moment
    )
    for key, actor in (("parent", world.parent), ("carrier", world.carrier)):
        agreements.sign_agreement(
            session,
            actor,
            agreement_ref=agreement.reference,
            party_ref=world.parties[key].reference,
            moment=moment,
        )
    return agreement.reference


def fund(
    session: Session,
    world: World,
    amount_cents: int = 2_850_000,
    *,
    on: date = date(2026, 1, 22),
    milestone: bool = True,
) -> None:
    """Book money in, and record the funding milestone as the funding feature does."""
    moment = moment_on(on)
    system = Actor.system("tests")
    cash = chart.account_id(session, "trust", chart.bank_cash_code("main"))
    posting = ledger.Posting(
        kind="DEPOSIT",
        key=f"deposit:{new_reference()}",
        effective_on=on,
        legs=(
            ledger.debit(cash, amount_cents),
            ledger.credit(world.case.ledger_account_id, amount_cents),
        ),
        category=Category.FUNDING.value,
    )
    ledger.post(session, system, posting, now=moment.at)
    if milestone:
        milestones.record_milestone_on(
            session,
            system,
            world.case,
            Milestone.INITIAL_FUNDING_RECEIVED,
            occurred_on=on,
            moment=moment,
        )


def pay(session: Session, world: World, amount_cents: int, category: Category, *, on: date) -> None:
    """Book money out of the case as a settled payment does."""
    cash = chart.account_id(session, "trust", chart.bank_cash_code("main"))
    posting = ledger.Posting(
        kind="DISBURSEMENT",
        key=f"paid:{new_reference()}",
        effective_on=on,
        legs=(
            ledger.debit(world.case.ledger_account_id, amount_cents),
            ledger.credit(cash, amount_cents),
        ),
        category=category.value,
    )
    ledger.post(session, Actor.system("tests"), posting, now=REAL_TIME)


def happen(
    session: Session,
    world: World,
    code: Milestone,
    *,
    on: date,
    actor: Actor | None = None,
    today: date | None = None,
) -> None:
    """Record a milestone by hand."""
    milestones.record_milestone(
        session,
        actor or world.specialist,
        case_ref=world.case.reference,
        code=code.value,
        occurred_on=on,
        moment=moment_on(today or on),
    )


def donation_agreement(world: World) -> AgreementKind:
    """Return which agreement carries and recipients sign on this case."""
    is_donation = world.case.kind == CaseKind.EGG_DONATION
    return AgreementKind.DONOR if is_donation else AgreementKind.SURROGACY


def begun(session: Session, **kwargs: object) -> World:
    """Build a case whose journey has begun: escrow signed, funded, agreement signed."""
    world = build(session, **kwargs)  # type: ignore[arg-type]
    sign(session, world, AgreementKind.ESCROW, on=date(2026, 1, 16))
    fund(session, world, on=date(2026, 1, 22))
    sign(session, world, donation_agreement(world), on=date(2026, 2, 18))
    return world


def retrieved(session: Session, **kwargs: object) -> World:
    """Build an egg-donation case after retrieval."""
    world = begun(session, **kwargs)
    happen(session, world, Milestone.MEDICATION_STARTED, on=date(2026, 3, 6))
    happen(session, world, Milestone.RETRIEVAL_DONE, on=date(2026, 3, 18))
    return world


def planned(session: Session, world: World) -> list[ScheduleItem]:
    """Return the schedule items of the case that have a day."""
    return planned_items(session, world.case.id)
