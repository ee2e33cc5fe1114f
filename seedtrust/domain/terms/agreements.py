"""Agreements: versions, signatures, and the milestone that the last signature records."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, one_word_of, refuse_field, require_active
from seedtrust.domain.cases.models import Agreement, AgreementSignature, Case, CaseParty
from seedtrust.domain.cases.queries import case_for, milestones_of, parties_of
from seedtrust.domain.cases.states import (
    AGREEMENT_STEPS,
    AgreementKind,
    AgreementState,
    CaseKind,
    Milestone,
    Side,
)
from seedtrust.domain.documents.models import Document
from seedtrust.domain.terms.errors import (
    AgreementStepRefused,
    AlreadySigned,
    NobodySigns,
    NotYourSignature,
)
from seedtrust.domain.terms.milestones import record_milestone_on

AGREEMENT_LABELS: Final = {
    AgreementKind.ESCROW: "Escrow agreement",
    AgreementKind.DONOR: "Egg donor agreement",
    AgreementKind.SURROGACY: "Surrogacy agreement",
    AgreementKind.AGENCY: "Agency agreement",
}
STATE_LABELS: Final = {
    AgreementState.DRAFT: "Draft",
    AgreementState.SENT: "Out for signature",
    AgreementState.PART_SIGNED: "Signed in part",
    AgreementState.EXECUTED: "Signed by all",
    AgreementState.AMENDED: "Replaced",
    AgreementState.TERMINATED: "Terminated",
    AgreementState.WITHDRAWN: "Withdrawn",
}
_STATE_WORDS: Final = {
    AgreementState.DRAFT: "a draft",
    AgreementState.SENT: "out for signature",
    AgreementState.PART_SIGNED: "signed in part",
    AgreementState.EXECUTED: "signed by all",
    AgreementState.AMENDED: "replaced by a later version",
    AgreementState.TERMINATED: "terminated",
    AgreementState.WITHDRAWN: "withdrawn",
}
_MILESTONE_OF: Final = {
    AgreementKind.ESCROW: Milestone.ESCROW_AGREEMENT_EXECUTED,
    AgreementKind.DONOR: Milestone.AGREEMENT_EXECUTED,
    AgreementKind.SURROGACY: Milestone.AGREEMENT_EXECUTED,
}
_NOT_ON: Final = {
    CaseKind.SURROGACY: AgreementKind.DONOR,
    CaseKind.EGG_DONATION: AgreementKind.SURROGACY,
}
OUT: Final = frozenset({AgreementState.SENT, AgreementState.PART_SIGNED})
# The agency's contract is with the parents; the carrier neither sees nor signs it.
_AGENCY_CONTRACT: Final = frozenset({Side.RECIPIENT, Side.AGENCY})


def kinds_on(kind: str) -> list[tuple[str, str]]:
    """Return the agreements that a kind of case has, as code and words."""
    left_out = _NOT_ON[CaseKind(kind)]
    return [(one.value, words) for one, words in AGREEMENT_LABELS.items() if one is not left_out]


def create_agreement(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    kind: str,
    title: str,
    document_id: int | None = None,
    moment: Moment,
) -> Agreement:
    """Draft the next version of an agreement. Raises Invalid, CaseClosed, CaseOnHold, NotFound."""
    case = case_for(session, actor, case_ref, Permission.TERMS_EDIT, locked=True)
    require_active(case)
    what = one_word_of(AgreementKind, kind, "kind")
    if _NOT_ON[CaseKind(case.kind)] is what:
        raise refuse_field("kind", "There is no such agreement on this kind of case.")
    last = session.execute(
        select(func.max(Agreement.version_number)).where(
            Agreement.case_id == case.id, Agreement.kind == what.value
        )
    ).scalar_one()
    agreement = Agreement(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        kind=what.value,
        version_number=(last or 0) + 1,
        title=clean_text(title, "title", most=200),
        state=AgreementState.DRAFT.value,
        executed_on=None,
        document_id=_document(session, case, document_id),
        created_at=moment.at,
    )
    session.add(agreement)
    session.flush()  # signatures and terms refer to the row
    _audit(session, actor, agreement, "agreements.created", moment=moment)
    return agreement


def send_agreement(
    session: Session, actor: Actor, *, agreement_ref: str, moment: Moment
) -> Agreement:
    """Send a draft out for signature. Raises NobodySigns, AgreementStepRefused, NotFound."""
    case, agreement = locked_agreement(session, actor, agreement_ref, Permission.TERMS_EDIT)
    if not signers_of(session, case, agreement):
        raise NobodySigns("No party of this case has to sign. Say first who must sign.")
    _step(session, actor, agreement, AgreementState.SENT, moment=moment)
    return agreement


def sign_agreement(
    session: Session,
    actor: Actor,
    *,
    agreement_ref: str,
    party_ref: str,
    signed_on: date | None = None,
    moment: Moment,
) -> Agreement:
    """Record a party's signature; with the last one the agreement is executed.

    A party signs for itself, today; staff may record a signature given on paper on an earlier
    day. The last signature records the agreement's milestone, and an earlier version that was in
    force becomes amended. Raises NotYourSignature, AlreadySigned, AgreementStepRefused, Invalid,
    CaseClosed, CaseOnHold, NotFound.
    """
    records_paper = actor.is_system or actor.may(Permission.TERMS_EDIT)
    permission = Permission.TERMS_EDIT if records_paper else Permission.CASES_VIEW
    case, agreement = locked_agreement(session, actor, agreement_ref, permission)
    party = _party(session, case, agreement, party_ref)
    if not records_paper and (actor.user_id is None or party.user_id != actor.user_id):
        raise NotYourSignature("You can sign for yourself only.")
    if AgreementState(agreement.state) not in OUT:
        raise refused(agreement, "signed")
    day = _signed_on(signed_on, moment, on_paper=records_paper)
    signed = signatures_on(session, agreement)
    if party.id in signed:
        raise AlreadySigned("This signature is recorded already. Nothing more is needed.")
    session.add(
        AgreementSignature(
            id=new_id(),
            agreement_id=agreement.id,
            party_id=party.id,
            signed_on=day,
            signed_at=moment.at,
            recorded_by=actor.name,
        )
    )
    _audit(session, actor, agreement, "agreements.signed", party=party, moment=moment)
    signed[party.id] = day
    signers = {signer.id for signer in signers_of(session, case, agreement)}
    if signers <= signed.keys():
        _execute(session, actor, case, agreement, executed_on=max(signed.values()), moment=moment)
    elif agreement.state == AgreementState.SENT:
        _step(session, actor, agreement, AgreementState.PART_SIGNED, moment=moment)
    return agreement


def withdraw_agreement(
    session: Session, actor: Actor, *, agreement_ref: str, reason: str, moment: Moment
) -> Agreement:
    """Take back an agreement that not all have signed. Raises AgreementStepRefused, NotFound."""
    _case, agreement = locked_agreement(session, actor, agreement_ref, Permission.TERMS_EDIT)
    why = clean_text(reason, "reason", most=500)
    _step(session, actor, agreement, AgreementState.WITHDRAWN, reason=why, moment=moment)
    return agreement


def decline_agreement(
    session: Session,
    actor: Actor,
    *,
    agreement_ref: str,
    party_ref: str,
    reason: str,
    moment: Moment,
) -> Agreement:
    """End a version that is out, because one of its signers says no; nobody signs it any more.

    Raises NotYourSignature, AlreadySigned, AgreementStepRefused, Invalid, CaseClosed, CaseOnHold,
    NotFound.
    """
    case, agreement = locked_agreement(session, actor, agreement_ref, Permission.CASES_VIEW)
    party = _party(session, case, agreement, party_ref)
    if actor.user_id is None or party.user_id != actor.user_id:
        raise NotYourSignature("You can decline for yourself only.")
    if AgreementState(agreement.state) not in OUT:
        raise refused(agreement, "declined")
    if party.id in signatures_on(session, agreement):
        raise AlreadySigned("You have signed this agreement. Write to SeedTrust to change it.")
    why = clean_text(reason, "reason", most=500)
    _audit(session, actor, agreement, "agreements.declined", party=party, moment=moment)
    _step(session, actor, agreement, AgreementState.WITHDRAWN, reason=why, moment=moment)
    return agreement


def _execute(
    session: Session,
    actor: Actor,
    case: Case,
    agreement: Agreement,
    *,
    executed_on: date,
    moment: Moment,
) -> None:
    earlier = lock_where(
        session,
        select(Agreement).where(
            Agreement.case_id == case.id,
            Agreement.kind == agreement.kind,
            Agreement.id != agreement.id,
            Agreement.state == AgreementState.EXECUTED.value,
        ),
    )
    for before in earlier:
        _step(session, actor, before, AgreementState.AMENDED, moment=moment)
    _step(session, actor, agreement, AgreementState.EXECUTED, moment=moment)
    agreement.executed_on = executed_on
    code = _MILESTONE_OF.get(AgreementKind(agreement.kind))
    if code is not None and code not in milestones_of(session, case.id):
        record_milestone_on(
            session,
            actor,
            case,
            code,
            occurred_on=executed_on,
            document_id=agreement.document_id,
            moment=moment,
        )


def locked_agreement(
    session: Session, actor: Actor, agreement_ref: str, permission: Permission
) -> tuple[Case, Agreement]:
    """Lock and return an agreement's case and the agreement, the case first.

    Raises CaseClosed, CaseOnHold, and NotFound for what is missing or out of reach.
    """
    case_ref = session.execute(
        select(Case.reference)
        .join(Agreement, Agreement.case_id == Case.id)
        .where(Agreement.reference == agreement_ref)
    ).scalar_one_or_none()
    if case_ref is None:
        raise _missing()
    case = case_for(session, actor, case_ref, permission, locked=True)
    require_active(case)
    rows = lock_where(session, select(Agreement).where(Agreement.reference == agreement_ref))
    return case, rows[0]


def _missing() -> NotFound:
    return NotFound("There is no such agreement, or it is not yours to see.")


def signers_of(session: Session, case: Case, agreement: Agreement) -> list[CaseParty]:
    """Return the parties who have to sign an agreement, in the order they were added."""
    return [
        party
        for party in parties_of(session, case.id)
        if party.must_sign and concerns(agreement, Side(party.side))
    ]


def concerns(agreement: Agreement, side: Side) -> bool:
    """Tell whether a side is part of an agreement: the agency's contract is not the carrier's."""
    return agreement.kind != AgreementKind.AGENCY or side in _AGENCY_CONTRACT


def _party(session: Session, case: Case, agreement: Agreement, party_ref: str) -> CaseParty:
    party = session.execute(
        select(CaseParty).where(CaseParty.case_id == case.id, CaseParty.reference == party_ref)
    ).scalar_one_or_none()
    if party is None or not party.must_sign or not concerns(agreement, Side(party.side)):
        raise refuse_field("party", "Choose one of the parties who have to sign.")
    return party


def signatures_on(session: Session, agreement: Agreement) -> dict[int, date]:
    """Return the day of each signature that an agreement has, by party."""
    rows = session.execute(
        select(AgreementSignature.party_id, AgreementSignature.signed_on).where(
            AgreementSignature.agreement_id == agreement.id
        )
    )
    return {party_id: signed_on for party_id, signed_on in rows}  # noqa: C416 - typed rows


def _signed_on(signed_on: date | None, moment: Moment, *, on_paper: bool) -> date:
    if signed_on is None or signed_on == moment.today:
        return moment.today
    if not on_paper:
        raise refuse_field("signed_on", "You sign with today's date.")
    if signed_on > moment.today:
        raise refuse_field("signed_on", "A signature is recorded once it is given.")
    return signed_on


def _document(session: Session, case: Case, document_id: int | None) -> int | None:
    if document_id is None:
        return None
    document = session.get(Document, document_id)
    if document is None or document.case_id != case.id:
        raise refuse_field("document", "Choose a document of this case.")
    return document_id


def refused(agreement: Agreement, verb: str) -> AgreementStepRefused:
    """Return the refusal of a step that an agreement's state does not allow."""
    state = AgreementState(agreement.state)
    return AgreementStepRefused(
        f"This agreement is {_STATE_WORDS[state]}, so it cannot be {verb}.", state=state.value
    )


def _step(
    session: Session,
    actor: Actor,
    agreement: Agreement,
    to_state: AgreementState,
    *,
    reason: str = "",
    moment: Moment,
) -> None:
    if to_state not in AGREEMENT_STEPS[AgreementState(agreement.state)]:
        raise refused(agreement, to_state.value.lower().replace("_", " "))
    agreement.state = to_state.value
    action = f"agreements.{to_state.value.lower()}"
    _audit(session, actor, agreement, action, reason=reason, moment=moment)


def _audit(
    session: Session,
    actor: Actor,
    agreement: Agreement,
    action: str,
    *,
    party: CaseParty | None = None,
    reason: str = "",
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "agreement",
        agreement.reference,
        case_id=agreement.case_id,
        reason=reason,
        facts={
            "kind": agreement.kind,
            "version": agreement.version_number,
            "party": party.reference if party else None,
        },
        now=moment.at,
    )
