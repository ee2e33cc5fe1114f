"""Verbs of electronic signing: writing the text, freezing and sending it, signing, declining."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, one_word_of
from seedtrust.domain.cases.models import Agency, Agreement, AgreementSignature, Case, CaseParty
from seedtrust.domain.cases.queries import parties_of
from seedtrust.domain.cases.states import AgreementKind, AgreementState, Side
from seedtrust.domain.documents.intake import looked_at
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.documents.service import store
from seedtrust.domain.documents.states import DocumentKind, Visibility
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.outbox.service import promise
from seedtrust.domain.signing.errors import (
    AgreementOutdated,
    NothingToSign,
    NotYourTurn,
    TextMissing,
)
from seedtrust.domain.signing.filling import (
    audience_of,
    audiences,
    checked_body,
    filled,
    values_for,
)
from seedtrust.domain.signing.given import Signature, checked, require_consent
from seedtrust.domain.signing.models import (
    AgreementCopy,
    AgreementText,
    SignatureDecline,
    SignatureProof,
)
from seedtrust.domain.signing.printing import Heading, text_paper
from seedtrust.domain.signing.states import PART_LABELS, CopyPart, SigningOrder
from seedtrust.domain.signing.telling import tell_signers
from seedtrust.domain.signing.turns import waiting_now
from seedtrust.domain.terms import agreements
from seedtrust.domain.terms.agreements import AGREEMENT_LABELS, OUT, locked_agreement, signers_of

COMPLETE: Final = "agreement.complete"


def write_text(
    session: Session,
    actor: Actor,
    *,
    agreement_ref: str,
    body: str,
    signing_order: str,
    moment: Moment,
) -> AgreementText:
    """Write what a draft says; it replaces what was written before.

    Raises AgreementStepRefused unless it is a draft, Invalid, TextNamesSomebody, CaseClosed,
    CaseOnHold, NotFound.
    """
    case, agreement = locked_agreement(session, actor, agreement_ref, Permission.TERMS_EDIT)
    if agreement.state != AgreementState.DRAFT:
        raise agreements.refused(agreement, "written anew")
    order = one_word_of(SigningOrder, signing_order, "signing_order")
    written = checked_body(case, parties_of(session, case.id), body)
    text = session.get(AgreementText, agreement.id)
    if text is None:
        text = AgreementText(agreement_id=agreement.id, frozen={})
        session.add(text)
    text.body, text.signing_order = written, order.value
    text.written_by, text.written_at = actor.name, moment.at
    _note(session, actor, agreement, "agreements.text_written", _hash(text.body), moment)
    return text


def send_for_signature(
    session: Session, actor: Actor, *, agreement_ref: str, storage: Storage, moment: Moment
) -> Agreement:
    """Freeze a draft's text, keep a copy for each audience, and ask the parties to sign.

    A version of the same agreement that is still out is taken back, one that is in force stays
    in force until the last signature. Raises TextMissing, NobodySigns, AgreementStepRefused,
    Invalid, CaseClosed, CaseOnHold, NotFound; Unavailable when storage fails.
    """
    case, agreement = locked_agreement(session, actor, agreement_ref, Permission.TERMS_EDIT)
    text = session.get(AgreementText, agreement.id)
    if text is None:
        raise TextMissing("Write the text of this agreement first.")
    for before in _versions_out(session, agreement):
        why = f"Replaced by version {agreement.version_number}."
        agreements.withdraw_agreement(
            session, actor, agreement_ref=before.reference, reason=why, moment=moment
        )
    agreements.send_agreement(session, actor, agreement_ref=agreement_ref, moment=moment)
    text.frozen_sha256 = _hash(text.body)
    parties = parties_of(session, case.id)
    agency = None if case.agency_id is None else session.get(Agency, case.agency_id)
    heading = heading_of(case, agreement, moment)
    values = {
        one.value: values_for(case, parties, agency, one) for one in audiences(case, agreement)
    }
    signers = [party.reference for party in signers_of(session, case, agreement)]
    text.frozen = {"values": values, "signers": signers}
    for audience in audiences(case, agreement):
        content = text_paper(heading, filled(text.body, values[audience]))
        document = keep_copy(
            session, actor, case, agreement, CopyPart.TEXT, audience, content, storage, moment
        )
        agreement.document_id = document.id
    _note(session, actor, agreement, "agreements.frozen", text.frozen_sha256, moment)
    _ask_whose_turn_it_is(session, case, agreement, text, moment)
    return agreement


def sign_electronically(
    session: Session,
    actor: Actor,
    *,
    agreement_ref: str,
    signature: Signature,
    client: Client,
    moment: Moment,
) -> Agreement:
    """Sign for oneself: the signature is bound to the bytes that were shown, with consent.

    The last one executes the agreement, and certificate and copies are promised. Raises
    NothingToSign, AgreementOutdated, ConsentMissing, NotYourTurn, AlreadySigned,
    AgreementStepRefused, Invalid, CaseClosed, CaseOnHold, NotFound.
    """
    case, agreement = locked_agreement(session, actor, agreement_ref, Permission.AGREEMENTS_SIGN)
    party = _own_party(session, actor, case, agreement)
    text = _text_out(session, agreement)
    _require_current(session, case, agreement, text, party, signature.document_sha256)
    require_consent(signature)
    method, name, drawing = checked(party, signature)
    _require_turn(session, case, agreement, text, party)
    agreements.sign_agreement(
        session, actor, agreement_ref=agreement_ref, party_ref=party.reference, moment=moment
    )
    session.flush()  # the proof refers to the signature
    signed = session.execute(
        select(AgreementSignature.id).where(
            AgreementSignature.agreement_id == agreement.id,
            AgreementSignature.party_id == party.id,
        )
    ).scalar_one()
    session.add(
        SignatureProof(
            signature_id=signed,
            document_sha256=signature.document_sha256,
            consent_version=signature.consent_version,
            method=method.value,
            typed_name=name,
            drawing=drawing,
            address=client.address,
            browser=client.browser,
        )
    )
    _go_on(session, case, agreement, text, moment)
    return agreement


def record_on_paper(
    session: Session,
    actor: Actor,
    *,
    agreement_ref: str,
    party_ref: str,
    signed_on: date | None,
    moment: Moment,
) -> Agreement:
    """Record a signature that was given on paper; it counts like an electronic one.

    Raises what `terms.agreements.sign_agreement` raises, and Forbidden for people outside.
    """
    actor.require(Permission.TERMS_EDIT)
    agreement = agreements.sign_agreement(
        session,
        actor,
        agreement_ref=agreement_ref,
        party_ref=party_ref,
        signed_on=signed_on,
        moment=moment,
    )
    text = session.get(AgreementText, agreement.id)
    if text is not None:
        session.flush()  # whose turn it is counts this signature
        _go_on(session, session.get_one(Case, agreement.case_id), agreement, text, moment)
    return agreement


def decline(
    session: Session,
    actor: Actor,
    *,
    agreement_ref: str,
    reason: str,
    client: Client,
    moment: Moment,
) -> Agreement:
    """Say no to an agreement that is out; the version ends, and the escrow team is told why.

    Raises NothingToSign, AlreadySigned, AgreementStepRefused, Invalid, CaseClosed, CaseOnHold,
    NotFound.
    """
    case, agreement = locked_agreement(session, actor, agreement_ref, Permission.AGREEMENTS_SIGN)
    party = _own_party(session, actor, case, agreement)
    agreements.decline_agreement(
        session,
        actor,
        agreement_ref=agreement_ref,
        party_ref=party.reference,
        reason=reason,
        moment=moment,
    )
    session.add(
        SignatureDecline(
            id=new_id(),
            agreement_id=agreement.id,
            party_id=party.id,
            reason=clean_text(reason, "reason", most=500),
            document_sha256=_shown_to(session, agreement, party),
            address=client.address,
            browser=client.browser,
            declined_at=moment.at,
        )
    )
    label = AGREEMENT_LABELS[AgreementKind(agreement.kind)].lower()
    open_exception(
        session,
        "agreement_declined",
        "agreement",
        agreement.reference,
        f"A party of case {case.number} declined the {label}. Read why, and send a new version.",
        case_id=case.id,
        now=moment.at,
    )
    return agreement


def heading_of(case: Case, agreement: Agreement, moment: Moment) -> Heading:
    """Return what every paper of an agreement says about itself."""
    label = AGREEMENT_LABELS[AgreementKind(agreement.kind)]
    return Heading(label, agreement.version_number, agreement.reference, case.number, moment.at)


def keep_copy(  # noqa: PLR0917 - one paper, for whom, and where it is kept
    session: Session,
    actor: Actor,
    case: Case,
    agreement: Agreement,
    part: CopyPart,
    audience: Visibility,
    content: bytes,
    storage: Storage,
    moment: Moment,
) -> Document:
    """Keep one paper of an agreement as a document that its audience may read."""
    label = AGREEMENT_LABELS[AgreementKind(agreement.kind)]
    paper = looked_at(content, "application/pdf")
    storage.put(paper.sha256, paper.content)
    document = store(
        session,
        actor,
        case_ref=case.reference,
        kind=DocumentKind.AGREEMENT,
        title=f"{label}, version {agreement.version_number}: {PART_LABELS[part].lower()}",
        visibility=audience,
        paper=paper,
        moment=moment,
    )
    session.add(
        AgreementCopy(
            id=new_id(),
            agreement_id=agreement.id,
            part=part.value,
            audience=audience.value,
            document_id=document.id,
            sha256=document.sha256,
        )
    )
    return document


def _go_on(
    session: Session, case: Case, agreement: Agreement, text: AgreementText, moment: Moment
) -> None:
    if agreement.state == AgreementState.EXECUTED:
        payload = {"agreement": agreement.reference}
        promise(session, COMPLETE, agreement.reference, payload, now=moment.at)
    else:
        _ask_whose_turn_it_is(session, case, agreement, text, moment)


def _ask_whose_turn_it_is(
    session: Session, case: Case, agreement: Agreement, text: AgreementText, moment: Moment
) -> None:
    signed = agreements.signatures_on(session, agreement)
    turn = waiting_now(text, signers_of(session, case, agreement), signed)
    tell_signers(session, case, agreement, turn, moment)


def _versions_out(session: Session, agreement: Agreement) -> list[Agreement]:
    rows = session.execute(
        select(Agreement)
        .where(
            Agreement.case_id == agreement.case_id,
            Agreement.kind == agreement.kind,
            Agreement.id != agreement.id,
            Agreement.state.in_([state.value for state in OUT]),
        )
        .order_by(Agreement.id)
    )
    return list(rows.scalars())


def _own_party(session: Session, actor: Actor, case: Case, agreement: Agreement) -> CaseParty:
    # Nobody stands on two sides of an anonymous case; elsewhere each part signs by itself.
    own = [
        party
        for party in signers_of(session, case, agreement)
        if actor.user_id is not None and party.user_id == actor.user_id
    ]
    signed = agreements.signatures_on(session, agreement)
    waiting = [party for party in own if party.id not in signed]
    if not own:
        raise NothingToSign("You do not sign this agreement. You can read it under documents.")
    return (waiting or own)[0]


def _text_out(session: Session, agreement: Agreement) -> AgreementText:
    text = session.get(AgreementText, agreement.id)
    if text is None or text.frozen_sha256 is None:
        raise TextMissing("This agreement is signed on paper. SeedTrust records your signature.")
    return text


def _require_current(  # noqa: PLR0917 - what is out, and what the signer was shown
    session: Session,
    case: Case,
    agreement: Agreement,
    text: AgreementText,
    party: CaseParty,
    shown_sha256: str,
) -> None:
    replaced = AgreementState(agreement.state) not in OUT and _versions_out(session, agreement)
    signers = [one.reference for one in signers_of(session, case, agreement)]
    if signers != text.frozen["signers"]:
        message = "The parties have changed since this text went out. SeedTrust sends a new one."
        raise AgreementOutdated(message, agreement=agreement.reference)
    if replaced or shown_sha256 != _shown_to(session, agreement, party):
        raise AgreementOutdated(
            "Another text of this agreement is out for signature now. Open it again and read it.",
            agreement=agreement.reference,
        )


def _shown_to(session: Session, agreement: Agreement, party: CaseParty) -> str:
    rows = session.execute(
        select(AgreementCopy.audience, AgreementCopy.sha256)
        .where(
            AgreementCopy.agreement_id == agreement.id, AgreementCopy.part == CopyPart.TEXT.value
        )
        .order_by(AgreementCopy.id)
    )
    copies = {Visibility(audience): sha256 for audience, sha256 in rows}
    return copies[audience_of(copies, Side(party.side))] if copies else ""


def _require_turn(
    session: Session, case: Case, agreement: Agreement, text: AgreementText, party: CaseParty
) -> None:
    signed = agreements.signatures_on(session, agreement)
    if party.id in signed or AgreementState(agreement.state) not in OUT:
        return  # the verb of agreements says what is wrong
    turn = waiting_now(text, signers_of(session, case, agreement), signed)
    if party not in turn:
        raise NotYourTurn("Others sign this agreement first. We write to you when it is your turn.")


def _note(  # noqa: PLR0917 - one line of the record
    session: Session,
    actor: Actor,
    agreement: Agreement,
    action: str,
    sha256: str,
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "agreement",
        agreement.reference,
        case_id=agreement.case_id,
        facts={"version": agreement.version_number, "sha256": sha256},
        now=moment.at,
    )


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
