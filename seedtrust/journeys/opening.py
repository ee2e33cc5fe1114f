"""Opening a journey's case: its people, their payees, and the terms of its contract."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.funding_rules import FundingPolicy, set_policy
from seedtrust.domain.cases.models import Agency, Case
from seedtrust.domain.cases.states import Milestone, Side
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments.caserails import choose_rail, join_case
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.terms import service as terms
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.plans import Cap
from seedtrust.domain.terms.states import CapPeriod, TermApprover, TermKind, TermSchedule
from seedtrust.ext import in_transaction
from seedtrust.journeys.accounts import give_account
from seedtrust.journeys.scenes import Scene, payee_ref
from seedtrust.journeys.script import PartySpec, SpreadSpec

SIDES = {
    Role.INTENDED_PARENT: Side.RECIPIENT,
    Role.IP_REPRESENTATIVE: Side.RECIPIENT,
    Role.DONOR: Side.CARRIER,
    Role.SURROGATE: Side.CARRIER,
    Role.ATTORNEY: Side.CARRIER,
    Role.AGENCY_ADMINISTRATOR: Side.AGENCY,
    Role.CASE_MANAGER: Side.AGENCY,
}


def open_case(scene: Scene, moment: Moment) -> bool:
    """Open the case with its people, payees and terms, in one unit; False if it is open already."""

    def work(session: Session) -> bool:
        journey = scene.journey
        if session.execute(select(Case.id).where(Case.number == journey.number)).first():
            return False
        escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        agency = _agency(session, scene, escrow, moment)
        trust = session.execute(
            select(TrustAccount).where(TrustAccount.case_rail == journey.rail)
        ).scalar_one()
        case = cases.open_case(
            session,
            escrow,
            kind=journey.kind,
            name=journey.case_name,
            agency_id=agency.id,
            rail=journey.rail,
            trust_account_id=trust.id,
            anonymous=journey.anonymous,
            funding_required_cents=journey.funding_required_cents,
            minimum_balance_cents=journey.minimum_cents,
            all_parents_approve=journey.all_parents_approve,
            number=journey.number,
            moment=moment,
        )
        if journey.funding != FundingPolicy():
            set_policy(
                session, escrow, case_ref=case.reference, policy=journey.funding, moment=moment
            )
        cases.assign(
            session,
            escrow,
            case_ref=case.reference,
            user_id=escrow.user_id or 0,
            label="Escrow specialist",
            moment=moment,
        )
        for party in journey.parties:
            _add_party(session, scene, escrow, case, agency, party, moment)
        if case.rail != journey.rail:
            choose_rail(
                session,
                scene.cast.staff(session, "lead1"),
                case_ref=case.reference,
                rail=journey.rail,
                reason="The journey says so.",
                moment=moment,
            )
        for spec in journey.payees:
            payee = payees.open_payee(
                session,
                escrow,
                kind=PayeeKind.COMPANY,
                name=spec.name,
                label=spec.label,
                case_id=case.id,
                moment=moment,
            )
            session.flush()  # the account refers to the payee
            give_account(session, scene, escrow, payee, spec.name, spec.account, moment)
        _propose_terms(session, scene, escrow, case, moment)
        legal = scene.cast.staff(session, "legal1")
        terms.activate_terms(session, legal, case_ref=case.reference, moment=moment)
        return True

    return in_transaction(work)


def _agency(session: Session, scene: Scene, escrow: Actor, moment: Moment) -> Agency:
    journey = scene.journey
    agency = session.execute(
        select(Agency).where(Agency.name == journey.agency)
    ).scalar_one_or_none()
    if agency is not None:
        return agency
    agency = cases.open_agency(session, escrow, name=journey.agency, moment=moment)
    payee = payees.open_payee(
        session,
        escrow,
        kind=PayeeKind.COMPANY,
        name=journey.agency,
        label="Agency",
        agency_id=agency.id,
        moment=moment,
    )
    session.flush()  # the account refers to the payee
    give_account(session, scene, escrow, payee, journey.agency, journey.agency_account, moment)
    return agency


def _add_party(  # noqa: PLR0917 - a person, the case, and who adds them
    session: Session,
    scene: Scene,
    escrow: Actor,
    case: Case,
    agency: Agency,
    spec: PartySpec,
    moment: Moment,
) -> None:
    role = Role(spec.role)
    of_agency = SIDES[role] is Side.AGENCY
    user_id = scene.cast.welcome(
        session,
        email=spec.email,
        name=spec.name,
        role=role,
        agency_id=agency.id if of_agency else None,
        now=moment.at,
    )
    party = join_case(
        session,
        escrow,
        case_ref=case.reference,
        role=role,
        side=SIDES[role],
        name=spec.name,
        email=spec.email,
        alias=spec.alias,
        user_id=user_id,
        region=spec.state,
        must_sign=spec.signs,
        must_certify=spec.certifies,
        moment=moment,
    )
    if spec.account is None:
        return
    payee = payees.open_payee(
        session, escrow, kind=PayeeKind.PERSON, name=spec.name, party_id=party.id, moment=moment
    )
    session.flush()  # the account refers to the payee
    submitter = scene.cast.party(session, spec.email)
    give_account(session, scene, submitter, payee, spec.name, spec.account, moment)


def _propose_terms(
    session: Session, scene: Scene, escrow: Actor, case: Case, moment: Moment
) -> None:
    for spec in scene.journey.terms:
        payee_id = None
        if spec.payee is not None:
            reference = payee_ref(session, scene.journey, spec.payee)
            payee_id = session.execute(
                select(Payee.id).where(Payee.reference == reference)
            ).scalar_one()
        terms.propose_term(
            session,
            escrow,
            case_ref=case.reference,
            clause=spec.clause,
            title=spec.title,
            category=spec.category,
            tax_class=spec.tax_class,
            kind=TermKind(spec.kind),
            approver=TermApprover(spec.approver),
            payee_id=payee_id,
            amount_cents=spec.amount_cents,
            cap_cents=spec.cap_cents,
            trigger=spec.trigger,
            pay_after_days=spec.pay_after_days,
            spread=_spread(spec.spread),
            caps=[
                Cap(CapPeriod(cap.period), cap.amount_cents, cap.quantity_hundredths, cap.unit)
                for cap in spec.caps
            ],
            evidence=spec.evidence,
            moment=moment,
        )


def _spread(spec: SpreadSpec) -> Spread:
    last = None if spec.last_trigger is None else Milestone(spec.last_trigger)
    return Spread(
        TermSchedule(spec.schedule), spec.times, spec.week, last, spec.last_pay_after_days
    )
