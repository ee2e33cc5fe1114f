"""What people do in a journey, scene by scene; a scene that was played is not played again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.funding_rules import FundingPolicy, set_policy
from seedtrust.domain.cases.models import Agency, Agreement, Case, CaseMilestone, CaseParty
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone, Side
from seedtrust.domain.disbursements import review
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reissue import reissue
from seedtrust.domain.disbursements.service import Line, create_request, withdraw
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.service import store
from seedtrust.domain.documents.states import DocumentKind, Visibility
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.service import match_deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import AccountState, PayeeKind
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.terms import agreements, milestones
from seedtrust.domain.terms import service as terms
from seedtrust.domain.terms.states import TermApprover, TermKind
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.papers import paper
from seedtrust.journeys.script import (
    AccountChangeSpec,
    BankAccount,
    Journey,
    MilestoneSpec,
    PartySpec,
    RequestSpec,
)

SIDES = {
    Role.INTENDED_PARENT: Side.RECIPIENT,
    Role.IP_REPRESENTATIVE: Side.RECIPIENT,
    Role.DONOR: Side.CARRIER,
    Role.SURROGATE: Side.CARRIER,
    Role.ATTORNEY: Side.CARRIER,
    Role.AGENCY_ADMINISTRATOR: Side.AGENCY,
    Role.CASE_MANAGER: Side.AGENCY,
}


@dataclass(frozen=True)
class Scene:
    """What scenes need: the application's tools, the people, and the journey's own name."""

    tools: Tools
    cast: Cast
    journey: Journey


def find_case(session: Session, journey: Journey) -> Case:
    """Return the journey's case; it has been opened before any other scene."""
    return session.execute(select(Case).where(Case.number == journey.number)).scalar_one()


def payee_ref(session: Session, journey: Journey, key: str) -> str:
    """Return the reference of the payee that the file calls `key`."""
    case = find_case(session, journey)
    if key == "agency":
        query = select(Payee.reference).where(Payee.agency_id == case.agency_id)
        return session.execute(query).scalar_one()
    for party in journey.parties:
        if party.key == key:
            query = (
                select(Payee.reference)
                .join(CaseParty, CaseParty.id == Payee.party_id)
                .where(CaseParty.case_id == case.id, CaseParty.email == party.email)
            )
            return session.execute(query).scalar_one()
    spec = next(spec for spec in journey.payees if spec.key == key)
    query = select(Payee.reference).where(Payee.case_id == case.id, Payee.name == spec.name)
    return session.execute(query).scalar_one()


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
    party = cases.add_party(
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


def give_account(  # noqa: PLR0917 - a form with everything on it
    session: Session,
    scene: Scene,
    submitter: Actor,
    payee: Payee,
    holder: str,
    account: BankAccount,
    moment: Moment,
) -> None:
    """Submit bank details and take them through check, call-back and a second person's approval."""
    submitted = payees.submit_account(
        session,
        submitter,
        payee_ref=payee.reference,
        account_type=account.account_type,
        holder_name=holder,
        bank_name=account.bank_name,
        routing_number=account.routing_number,
        account_number=account.account_number,
        keyring=scene.tools.keyring,
        moment=moment,
    )
    session.flush()  # the next verbs look the account up
    checker = scene.cast.staff(session, "payments2")
    payees.check_account(session, checker, account_ref=submitted.reference, moment=moment)
    payees.verify_account(
        session,
        checker,
        account_ref=submitted.reference,
        call_back_note="Called back on the number on file; holder confirmed the last four digits.",
        moment=moment,
    )
    session.flush()
    approver = scene.cast.staff(session, "lead2")
    payees.approve_account(session, approver, account_ref=submitted.reference, moment=moment)
    session.flush()


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
            evidence=spec.evidence,
            moment=moment,
        )


def sign_agreement(scene: Scene, kind: AgreementKind, title: str, moment: Moment) -> bool:
    """Send an agreement and let every signing party sign it; False if it was signed already."""

    def work(session: Session) -> bool:
        case = find_case(session, scene.journey)
        known = select(Agreement.id).where(
            Agreement.case_id == case.id, Agreement.kind == kind.value
        )
        if session.execute(known).first():
            return False
        escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        agreement = agreements.create_agreement(
            session, escrow, case_ref=case.reference, kind=kind, title=title, moment=moment
        )
        session.flush()
        agreements.send_agreement(session, escrow, agreement_ref=agreement.reference, moment=moment)
        signers = session.execute(
            select(CaseParty).where(CaseParty.case_id == case.id, CaseParty.must_sign.is_(True))
        ).scalars()
        for party in signers:
            agreements.sign_agreement(
                session,
                scene.cast.party(session, party.email),
                agreement_ref=agreement.reference,
                party_ref=party.reference,
                signed_on=moment.today,
                moment=moment,
            )
        return True

    return in_transaction(work)


def contract_kind(journey: Journey) -> AgreementKind:
    """Return the kind of the contract beside the escrow agreement."""
    donation = journey.kind == CaseKind.EGG_DONATION
    return AgreementKind.DONOR if donation else AgreementKind.SURROGACY


def record_milestone(scene: Scene, spec: MilestoneSpec, moment: Moment) -> bool:
    """Record a milestone with its proof; False if it is there already."""

    def work(session: Session) -> bool:
        case = find_case(session, scene.journey)
        if has_milestone(session, case, spec.code, spec):
            return False
        escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        document = _stored(
            session, scene, escrow, case, spec.proof, DocumentKind.MILESTONE_PROOF, moment
        )
        milestones.record_milestone(
            session,
            escrow,
            case_ref=case.reference,
            code=Milestone(spec.code),
            occurred_on=spec.occurred_on,
            document_id=document.id,
            note=spec.proof,
            moment=moment,
        )
        return True

    return in_transaction(work)


def has_milestone(
    session: Session, case: Case, code: str, spec: MilestoneSpec | None = None
) -> bool:
    """Tell whether a milestone is recorded, on the day that the file gives if it is given."""
    query = select(CaseMilestone.id).where(
        CaseMilestone.case_id == case.id, CaseMilestone.code == code
    )
    if spec is not None:
        query = query.where(CaseMilestone.occurred_on == spec.occurred_on)
    return session.execute(query).first() is not None


def _stored(  # noqa: PLR0917 - a file and where it belongs
    session: Session,
    scene: Scene,
    actor: Actor,
    case: Case,
    title: str,
    kind: DocumentKind,
    moment: Moment,
) -> Document:
    document = store(
        session,
        actor,
        case_ref=case.reference,
        kind=kind,
        title=title,
        content_type="application/pdf",
        content=paper(title, case.number, moment.today),
        storage=scene.tools.storage,
        visibility=_visibility(session, actor, case),
        moment=moment,
    )
    session.flush()
    return document


def _visibility(session: Session, actor: Actor, case: Case) -> Visibility:
    side = session.execute(
        select(CaseParty.side).where(
            CaseParty.case_id == case.id, CaseParty.user_id == actor.user_id
        )
    ).scalar()
    if side == Side.CARRIER:
        return Visibility.CARRIER
    # The agency's invoices are for the parents, who approve them.
    return Visibility.RECIPIENT if side == Side.AGENCY else Visibility.STAFF


def ask(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Ask for money with its evidence; the key makes a second try the same request."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        journey = scene.journey
        case = find_case(session, journey)
        if _request(session, case, key) is not None:
            return
        party = next(party for party in journey.parties if party.key == spec.requester)
        actor = scene.cast.party(session, party.email)
        documents = [
            _stored(session, scene, actor, case, title, DocumentKind.EVIDENCE, moment)
            for title in spec.evidence
        ]
        create_request(
            session,
            actor,
            case_ref=case.reference,
            category=spec.category,
            payee_ref=payee_ref(session, journey, spec.payee),
            amount_cents=spec.amount_cents,
            description=spec.description,
            lines=[Line(line.description, line.amount_cents) for line in spec.lines],
            document_refs=[document.reference for document in documents],
            client_key=key,
            duplicate_reason="Another bill of the same amount" if _twin(journey, index) else "",
            moment=moment,
        )

    in_transaction(work)


def _twin(journey: Journey, index: int) -> bool:
    spec = journey.requests[index]
    return any(
        (other.payee, other.amount_cents) == (spec.payee, spec.amount_cents)
        for other in journey.requests[:index]
    )


def _request(session: Session, case: Case, key: str) -> DisbursementRequest | None:
    return session.execute(
        select(DisbursementRequest).where(
            DisbursementRequest.case_id == case.id, DisbursementRequest.client_key == key
        )
    ).scalar_one_or_none()


def review_request(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Let the escrow accept or refuse a request, or its requester take it back."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        request = _request(session, case, key)
        if request is None or request.state not in {
            RequestState.SUBMITTED,
            RequestState.IN_REVIEW,
        }:
            return
        if spec.answer == "withdrawn":
            party = next(one for one in scene.journey.parties if one.key == spec.requester)
            actor = scene.cast.party(session, party.email)
            withdraw(session, actor, request_ref=request.reference, moment=moment)
            return
        escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        if spec.answer == "refused":
            review.refuse(
                session, escrow, request_ref=request.reference, reason=spec.reason, moment=moment
            )
            return
        review.accept(
            session,
            escrow,
            request_ref=request.reference,
            amount_cents=spec.approved_cents,
            reason=spec.reason,
            moment=moment,
        )

    in_transaction(work)


def answer_request(scene: Scene, index: int, spec: RequestSpec, moment: Moment) -> None:
    """Let the parents approve or deny a request that waits for them."""
    key = f"journey:{scene.journey.name}:{index}"

    def work(session: Session) -> None:
        journey = scene.journey
        case = find_case(session, journey)
        request = _request(session, case, key)
        if request is None or request.state != RequestState.PENDING_APPROVAL:
            return
        parents = [party for party in journey.parties if party.role == Role.INTENDED_PARENT]
        for party in parents if journey.all_parents_approve else parents[:1]:
            actor = scene.cast.party(session, party.email)
            if spec.answer == "denied":
                review.deny(
                    session, actor, request_ref=request.reference, reason=spec.reason, moment=moment
                )
                return
            review.approve(session, actor, request_ref=request.reference, moment=moment)

    in_transaction(work)


def match_wire(scene: Scene, wire_reference: str, moment: Moment) -> None:
    """Let a payments specialist give an unidentified wire to the case; a matched one is left."""

    def work(session: Session) -> None:
        unidentified = (
            select(Deposit.reference)
            .where(Deposit.state == DepositState.UNIDENTIFIED.value)
            .where(Deposit.text.endswith(wire_reference))
        )
        for deposit_ref in session.execute(unidentified).scalars().all():
            match_deposit(
                session,
                scene.cast.next_of(session, Role.PAYMENTS_SPECIALIST),
                deposit_ref=deposit_ref,
                case_ref=find_case(session, scene.journey).reference,
                moment=moment,
            )

    in_transaction(work)


def pay_returned_again(scene: Scene, moment: Moment) -> None:
    """Let a payments lead approve anew what came back, once its payee has an account in use."""

    def work(session: Session) -> None:
        case_id = select(Case.id).where(Case.number == scene.journey.number).scalar_subquery()
        came_back = (
            select(DisbursementRequest.reference)
            .join(PayeeAccount, PayeeAccount.active_for_payee_id == DisbursementRequest.payee_id)
            .where(
                DisbursementRequest.case_id == case_id,
                DisbursementRequest.state == RequestState.RETURNED.value,
            )
            .order_by(DisbursementRequest.id)
        )
        for reference in session.execute(came_back).scalars().all():
            lead = scene.cast.staff(session, "lead2")
            reason = "The payee's new account is in use."
            reissue(session, lead, request_ref=reference, reason=reason, moment=moment)

    in_transaction(work)


def change_account(scene: Scene, spec: AccountChangeSpec, moment: Moment) -> None:
    """Give a payee new bank details, unless the very same were submitted before."""

    def work(session: Session) -> None:
        reference = payee_ref(session, scene.journey, spec.payee)
        payee = session.execute(select(Payee).where(Payee.reference == reference)).scalar_one()
        account = spec.account
        known = select(PayeeAccount.id).where(
            PayeeAccount.payee_id == payee.id,
            PayeeAccount.account_fingerprint
            == scene.tools.keyring.fingerprint(
                f"{account.routing_number}:{account.account_number}"
            ),
            PayeeAccount.state.in_((AccountState.COOLING.value, AccountState.ACTIVE.value)),
        )
        if session.execute(known).first():
            return
        submitter = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
        give_account(session, scene, submitter, payee, payee.name, spec.account, moment)

    in_transaction(work)


def case_reference(journey: Journey) -> str | None:
    """Return the reference of the journey's case, or None before it is opened."""

    def find(session: Session) -> str | None:
        return session.execute(
            select(Case.reference).where(Case.number == journey.number)
        ).scalar_one_or_none()

    return reading(find)
