"""What people do in a journey, scene by scene; a scene that was played is not played again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Agreement, Case, CaseMilestone, CaseParty
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone, Side
from seedtrust.domain.documents.intake import looked_at
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.service import store
from seedtrust.domain.documents.states import DocumentKind, Visibility
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.service import match_deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.signing import service as signing
from seedtrust.domain.signing.given import Signature
from seedtrust.domain.signing.queries import agreement_for
from seedtrust.domain.signing.states import SignatureMethod, SigningOrder
from seedtrust.domain.signing.wording import ESCROW_TEXTS, LATEST_ESCROW_TEXT
from seedtrust.domain.terms import agreements, milestones
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.papers import paper
from seedtrust.journeys.script import (
    Journey,
    MilestoneSpec,
)


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


def sign_agreement(scene: Scene, kind: AgreementKind, title: str, moment: Moment) -> bool:
    """Send an agreement and let every signing party sign it; False if it was signed already.

    The escrow agreement is signed electronically, the contract between the sides on paper.
    """

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
        signers = session.execute(
            select(CaseParty).where(CaseParty.case_id == case.id, CaseParty.must_sign.is_(True))
        ).scalars()
        if kind is AgreementKind.ESCROW:
            _sign_electronically(session, scene, escrow, agreement.reference, signers, moment)
            return True
        agreements.send_agreement(session, escrow, agreement_ref=agreement.reference, moment=moment)
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


def _sign_electronically(  # noqa: PLR0917 - the agreement, who sends it, and who signs
    session: Session,
    scene: Scene,
    escrow: Actor,
    reference: str,
    signers: Iterable[CaseParty],
    moment: Moment,
) -> None:
    signing.write_text(
        session,
        escrow,
        agreement_ref=reference,
        body=ESCROW_TEXTS[LATEST_ESCROW_TEXT],
        signing_order=SigningOrder.TOGETHER,
        moment=moment,
    )
    signing.send_for_signature(
        session, escrow, agreement_ref=reference, storage=scene.tools.storage, moment=moment
    )
    for party in signers:
        actor = scene.cast.party(session, party.email)
        session.flush()  # the next signer is shown what the last one left
        shown = agreement_for(session, actor, reference)
        signing.sign_electronically(
            session,
            actor,
            agreement_ref=reference,
            signature=Signature(
                SignatureMethod.TYPED, party.name, [], shown.consent_version, shown.document_sha256
            ),
            client=Client(browser="The player of journeys"),
            moment=moment,
        )


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
        document = stored(
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
            embryo_age_days=spec.embryo_days,
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


def stored(  # noqa: PLR0917 - a file and where it belongs
    session: Session,
    scene: Scene,
    actor: Actor,
    case: Case,
    title: str,
    kind: DocumentKind,
    moment: Moment,
) -> Document:
    """Keep a paper that is made up for the play, for the eyes of its uploader's side."""
    made = looked_at(paper(title, case.number, moment.today), "application/pdf")
    scene.tools.storage.put(made.sha256, made.content)
    document = store(
        session,
        actor,
        case_ref=case.reference,
        kind=kind,
        title=title,
        visibility=_visibility(session, actor, case),
        paper=made,
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


def case_reference(journey: Journey) -> str | None:
    """Return the reference of the journey's case, or None before it is opened."""

    def find(session: Session) -> str | None:
        return session.execute(
            select(Case.reference).where(Case.number == journey.number)
        ).scalar_one_or_none()

    return reading(find)
