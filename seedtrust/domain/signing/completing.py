"""The papers of an executed agreement: audit certificate and complete copies for everybody."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import ROLE_LABELS, Actor, Permission, Role
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.cases.anonymity import party_label
from seedtrust.domain.cases.models import Agreement, AgreementSignature, Case, CaseParty
from seedtrust.domain.cases.queries import case_for, parties_of
from seedtrust.domain.cases.states import AgreementState, Side
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.documents.states import Visibility
from seedtrust.domain.signing.filling import SIDE_OF, audiences, filled, hidden_from
from seedtrust.domain.signing.models import AgreementCopy, AgreementText, SignatureProof
from seedtrust.domain.signing.printing import (
    Happened,
    Signed,
    certificate_paper,
    executed_paper,
)
from seedtrust.domain.signing.service import heading_of, keep_copy
from seedtrust.domain.signing.states import CopyPart
from seedtrust.domain.signing.telling import tell_executed
from seedtrust.domain.terms.agreements import concerns

_TOLD = {
    "agreements.created": "Drafted by SeedTrust",
    "agreements.sent": "Sent out for signature",
    "agreements.executed": "Signed by all",
}
Signing = tuple[AgreementSignature, SignatureProof | None]


def complete(
    session: Session, actor: Actor, *, agreement_ref: str, storage: Storage, moment: Moment
) -> bool:
    """Make certificate and complete copies of an executed agreement; False if they are there.

    Each audience gets its own, with aliases where a case is anonymous, and every party is told.
    Raises NotFound, CaseClosed; Unavailable when storage fails.
    """
    agreement = session.execute(
        select(Agreement).where(Agreement.reference == agreement_ref)
    ).scalar_one_or_none()
    if agreement is None:
        raise NotFound("There is no such agreement.")
    reference = session.get_one(Case, agreement.case_id).reference
    case = case_for(session, actor, reference, Permission.DOCUMENTS_UPLOAD, locked=True)
    session.refresh(agreement)
    if agreement.state not in {AgreementState.EXECUTED, AgreementState.AMENDED}:
        return False
    texts = _text_hashes(session, agreement)
    if not texts or _has_papers(session, agreement):
        return False
    parties = parties_of(session, case.id)
    signings, history = _signings(session, agreement), _history(session, agreement)
    text = session.get_one(AgreementText, agreement.id)
    heading = heading_of(case, agreement, moment)
    for audience in audiences(case, agreement):
        signed = [
            _signed(case, party, signings[party.id], audience)
            for party in parties
            if party.id in signings
        ]
        words = filled(text.body, text.frozen["values"][audience])
        papers = (
            (CopyPart.EXECUTED, executed_paper(heading, words, signed)),
            (
                CopyPart.CERTIFICATE,
                certificate_paper(
                    heading, text_sha256=texts[audience], signatures=signed, history=history
                ),
            ),
        )
        for part, content in papers:
            keep_copy(session, actor, case, agreement, part, audience, content, storage, moment)
    told = [party for party in parties if concerns(agreement, Side(party.side))]
    tell_executed(session, case, agreement, told, moment)
    return True


def _text_hashes(session: Session, agreement: Agreement) -> dict[Visibility, str]:
    rows = session.execute(
        select(AgreementCopy.audience, AgreementCopy.sha256).where(
            AgreementCopy.agreement_id == agreement.id, AgreementCopy.part == CopyPart.TEXT.value
        )
    )
    return {Visibility(audience): sha256 for audience, sha256 in rows}


def _has_papers(session: Session, agreement: Agreement) -> bool:
    found = select(AgreementCopy.id).where(
        AgreementCopy.agreement_id == agreement.id, AgreementCopy.part != CopyPart.TEXT.value
    )
    return session.execute(found).first() is not None


def _signings(session: Session, agreement: Agreement) -> dict[int, Signing]:
    rows = session.execute(
        select(AgreementSignature, SignatureProof)
        .outerjoin(SignatureProof, SignatureProof.signature_id == AgreementSignature.id)
        .where(AgreementSignature.agreement_id == agreement.id)
        .order_by(AgreementSignature.id)
    )
    return {signature.party_id: (signature, proof) for signature, proof in rows}


def _signed(case: Case, party: CaseParty, signing: Signing, audience: Visibility) -> Signed:
    signature, proof = signing
    label = party_label(case, party, SIDE_OF[audience])
    shared = (
        label,
        ROLE_LABELS[Role(party.role)],
        hidden_from(case, party, audience),
        f"{signature.signed_on:%Y-%m-%d}",
        signature.signed_at,
        signature.recorded_by,
    )
    if proof is None:
        return Signed(*shared)
    return Signed(
        *shared,
        document_sha256=proof.document_sha256,
        consent_version=proof.consent_version,
        method=proof.method,
        typed_name=proof.typed_name,
        drawing=proof.drawing,
        address=proof.address,
        browser=proof.browser,
    )


def _history(session: Session, agreement: Agreement) -> Sequence[Happened]:
    rows = session.execute(
        select(AuditEvent)
        .where(AuditEvent.subject_ref == agreement.reference, AuditEvent.action.in_(tuple(_TOLD)))
        .order_by(AuditEvent.id)
    ).scalars()
    return [Happened(row.at, _TOLD[row.action]) for row in rows]
