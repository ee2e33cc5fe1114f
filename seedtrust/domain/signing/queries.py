"""What the doors show of signing: the papers, whose turn it is, and how signatures were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.anonymity import hides, party_label
from seedtrust.domain.cases.models import Agreement, AgreementSignature, Case, CaseParty
from seedtrust.domain.cases.people import viewpoint
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.scope import reach
from seedtrust.domain.cases.states import AgreementState, Side
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import is_visible
from seedtrust.domain.documents.states import Visibility
from seedtrust.domain.signing.filling import audience_of
from seedtrust.domain.signing.models import (
    AgreementCopy,
    AgreementText,
    SignatureDecline,
    SignatureProof,
)
from seedtrust.domain.signing.states import (
    METHOD_LABELS,
    ORDER_LABELS,
    PART_LABELS,
    CopyPart,
    SignatureMethod,
    SigningOrder,
)
from seedtrust.domain.signing.turns import waiting_now
from seedtrust.domain.signing.wording import CONSENTS, LATEST_CONSENT
from seedtrust.domain.terms.agreements import OUT, concerns
from seedtrust.domain.terms.queries import agreements_of
from seedtrust.domain.terms.views import AgreementView

PAPER: Final = "On paper"
# An agreement with its text and its decline, where it has them.
_Row = tuple[Agreement, AgreementText | None, SignatureDecline | None]


@dataclass(frozen=True)
class PaperView:
    """One paper of an agreement that the viewer may open."""

    part: str
    label: str
    audience: str
    document_ref: str
    sha256: str


@dataclass(frozen=True)
class GivenView:
    """How one signature was given; address and browser only where the viewer may know them."""

    party_ref: str
    label: str
    method_label: str
    signed_at: datetime
    consent_version: int | None
    document_sha256: str
    address: str
    browser: str
    recorded_by: str


@dataclass(frozen=True)
class DeclineView:
    """A party's no, with its reason for the company and the party itself."""

    label: str
    reason: str
    declined_at: datetime


@dataclass(frozen=True)
class SigningView:
    """One agreement with everything that signing it needs and leaves behind."""

    agreement: AgreementView
    is_electronic: bool
    body: str
    signing_order: str
    order_label: str
    document_ref: str
    document_sha256: str
    consent_version: int
    consent: str
    is_my_turn: bool
    papers: tuple[PaperView, ...]
    given: tuple[GivenView, ...]
    declined: DeclineView | None


def agreement_for(
    session: Session, actor: Actor, reference: str, case_ref: str | None = None
) -> SigningView:
    """Return one agreement as the viewer may know it. Raises NotFound out of reach."""
    query = (
        select(Case.reference)
        .join(Agreement, Agreement.case_id == Case.id)
        .where(Agreement.reference == reference, reach(actor, Permission.CASES_VIEW))
    )
    found = session.execute(query).scalar_one_or_none()
    if found is not None and case_ref in {None, found}:
        for one in signings_of(session, actor, found):
            if one.agreement.reference == reference:
                return one
    raise NotFound("There is no such agreement, or it is not yours to see.")


def signings_of(session: Session, actor: Actor, case_ref: str) -> list[SigningView]:
    """Return the agreements of a case with their signing, as the viewer may know it.

    Raises NotFound out of reach.
    """
    return signings_on(session, actor, case_for(session, actor, case_ref, Permission.CASES_VIEW))


def signings_on(session: Session, actor: Actor, case: Case) -> list[SigningView]:
    """Return the same for a case that the caller holds. Eight queries at most, six for staff."""
    seen = viewpoint(session, actor, case)
    views = agreements_of(session, actor, case)
    read = _Read(session, actor, case, seen.side, seen.parties)
    return [read.view(view) for view in views]


class _Read:
    """Everything about the signing of a case's agreements, read once, in one viewer's words."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        case: Case,
        side: Side | None,
        parties: Sequence[CaseParty],
    ) -> None:
        self._actor, self._case, self._side = actor, case, side
        self._parties = {party.id: party for party in parties}
        self._rows: dict[str, _Row] = {
            row[0].reference: (row[0], row[1], row[2])
            for row in session.execute(
                select(Agreement, AgreementText, SignatureDecline)
                .outerjoin(AgreementText, AgreementText.agreement_id == Agreement.id)
                .outerjoin(SignatureDecline, SignatureDecline.agreement_id == Agreement.id)
                .where(Agreement.case_id == case.id)
            )
        }
        ids = [row[0].id for row in self._rows.values()]
        self._copies: dict[int, list[tuple[AgreementCopy, Document]]] = {}
        for copy, document in session.execute(
            select(AgreementCopy, Document)
            .join(Document, Document.id == AgreementCopy.document_id)
            .where(AgreementCopy.agreement_id.in_(ids))
            .order_by(AgreementCopy.id)
        ):
            self._copies.setdefault(copy.agreement_id, []).append((copy, document))
        self._given: dict[int, list[tuple[AgreementSignature, SignatureProof | None]]] = {}
        for signature, proof in session.execute(
            select(AgreementSignature, SignatureProof)
            .outerjoin(SignatureProof, SignatureProof.signature_id == AgreementSignature.id)
            .where(AgreementSignature.agreement_id.in_(ids))
            .order_by(AgreementSignature.id)
        ):
            self._given.setdefault(signature.agreement_id, []).append((signature, proof))

    def view(self, view: AgreementView) -> SigningView:
        """Return one agreement's signing."""
        row, text, decline = self._rows[view.reference]
        copies = self._copies.get(row.id, [])
        mine = self._own_text(copies)
        order = SigningOrder(text.signing_order) if text else SigningOrder.TOGETHER
        return SigningView(
            view,
            text is not None,
            text.body if text is not None and self._side is None else "",
            order.value,
            ORDER_LABELS[order],
            mine[1].reference if mine else "",
            mine[0].sha256 if mine else "",
            LATEST_CONSENT,
            CONSENTS[LATEST_CONSENT],
            text is not None and self._is_my_turn(row, text),
            tuple(
                _paper(copy, document)
                for copy, document in copies
                if is_visible(document, self._side)
            ),
            tuple(self._signature(one, proof) for one, proof in self._given.get(row.id, [])),
            None if decline is None else self._decline(decline),
        )

    def _own_text(
        self, copies: Sequence[tuple[AgreementCopy, Document]]
    ) -> tuple[AgreementCopy, Document] | None:
        texts: Mapping[Visibility, tuple[AgreementCopy, Document]] = {
            Visibility(copy.audience): (copy, document)
            for copy, document in copies
            if copy.part == CopyPart.TEXT and is_visible(document, self._side)
        }
        return texts[audience_of(texts, self._side)] if texts else None

    def _is_mine(self, party: CaseParty) -> bool:
        return self._actor.user_id is not None and party.user_id == self._actor.user_id

    def _is_my_turn(self, row: Agreement, text: AgreementText) -> bool:
        if AgreementState(row.state) not in OUT:
            return False
        signed = {signature.party_id for signature, _ in self._given.get(row.id, [])}
        signers = [
            party
            for party in self._parties.values()
            if party.must_sign and concerns(row, Side(party.side))
        ]
        return any(self._is_mine(party) for party in waiting_now(text, signers, signed))

    def _signature(self, row: AgreementSignature, proof: SignatureProof | None) -> GivenView:
        party = self._parties[row.party_id]
        tells = self._side is None or self._is_mine(party)
        label = party_label(self._case, party, self._side)
        if proof is None:
            by = row.recorded_by if self._side is None else ""
            return GivenView(party.reference, label, PAPER, row.signed_at, None, "", "", "", by)
        return GivenView(
            party.reference,
            label,
            METHOD_LABELS[SignatureMethod(proof.method)],
            row.signed_at,
            proof.consent_version,
            proof.document_sha256,
            proof.address if tells else "",
            proof.browser if tells else "",
            "",
        )

    def _decline(self, row: SignatureDecline) -> DeclineView:
        party = self._parties[row.party_id]
        tells = self._side is None or self._is_mine(party)
        hidden = hides(self._case, party.side, self._side)
        return DeclineView(
            party.alias if hidden else party.name, row.reason if tells else "", row.declined_at
        )


def _paper(copy: AgreementCopy, document: Document) -> PaperView:
    return PaperView(
        copy.part,
        PART_LABELS[CopyPart(copy.part)],
        copy.audience,
        document.reference,
        copy.sha256,
    )
