"""What becomes of a kept document: refused by staff, replaced by a better one, held for the law."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock
from seedtrust.core.errors import SegregationOfDuties, WrongState
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text
from seedtrust.domain.cases.models import Case
from seedtrust.domain.documents.models import Document, DocumentHold, DocumentStanding
from seedtrust.domain.documents.queries import document_for
from seedtrust.domain.documents.states import DocumentState

_LONGEST_REASON: Final = 500


def refuse(
    session: Session, actor: Actor, *, document_ref: str, reason: str, moment: Moment
) -> Document:
    """Say that a document does not do, and why; its sender reads the reason and sends another.

    Raises WrongState for one that was refused or replaced already, Invalid, NotFound.
    """
    document = _locked(session, actor, document_ref, Permission.DOCUMENTS_JUDGE)
    why = clean_text(reason, "reason", most=_LONGEST_REASON)
    stand(session, actor, document, DocumentState.REFUSED, why, moment=moment)
    return document


def stand(
    session: Session,
    actor: Actor,
    document: Document,
    state: DocumentState,
    reason: str,
    *,
    replaced_by: str | None = None,
    moment: Moment,
) -> None:
    """Write down where a document stands; the case must be locked. Raises WrongState."""
    standing = session.get(DocumentStanding, document.id)
    if standing is None:
        standing = DocumentStanding(document_id=document.id, state="", reason="", by_name="")
        session.add(standing)
    elif state is DocumentState.REFUSED or standing.state == DocumentState.REPLACED:
        raise WrongState("This document was refused or replaced already.", state=standing.state)
    standing.state, standing.reason, standing.by_name = state.value, reason, actor.name
    standing.at, standing.replaced_by = moment.at, replaced_by
    record(
        session,
        actor,
        f"documents.{state.value}",
        "document",
        document.reference,
        case_id=document.case_id,
        reason=reason,
        facts={"replaced_by": replaced_by or ""},
        now=moment.at,
    )


def hold(
    session: Session, actor: Actor, *, document_ref: str, reason: str, moment: Moment
) -> DocumentHold:
    """Put a document on legal hold: nothing removes it until two people have lifted the hold.

    Raises WrongState when it is held already, Invalid, NotFound.
    """
    document = _locked(session, actor, document_ref, Permission.DOCUMENTS_HOLD)
    why = clean_text(reason, "reason", most=_LONGEST_REASON)
    if open_hold(session, document.id) is not None:
        raise WrongState("This document is on legal hold already.")
    held = DocumentHold(
        id=new_id(),
        document_id=document.id,
        reason=why,
        placed_by=actor.name,
        placed_at=moment.at,
        lift_reason="",
    )
    session.add(held)
    _told(session, actor, document, "documents.held", why, moment)
    return held


def ask_to_lift(
    session: Session, actor: Actor, *, document_ref: str, reason: str, moment: Moment
) -> DocumentHold:
    """Ask that a legal hold be lifted; a second person decides.

    Raises WrongState without a hold or when somebody has asked already, Invalid, NotFound.
    """
    document = _locked(session, actor, document_ref, Permission.DOCUMENTS_HOLD)
    why = clean_text(reason, "reason", most=_LONGEST_REASON)
    held = _require_hold(session, document)
    if held.lift_asked_by is not None:
        raise WrongState(f"{held.lift_asked_by} has asked already. A second person decides.")
    held.lift_reason, held.lift_asked_by = why, actor.name
    held.lift_asked_by_user_id, held.lift_asked_at = actor.user_id, moment.at
    _told(session, actor, document, "documents.lift_asked", why, moment)
    return held


def lift(session: Session, actor: Actor, *, document_ref: str, moment: Moment) -> DocumentHold:
    """Lift a legal hold that somebody else has asked to lift.

    Raises SegregationOfDuties for whoever asked, WrongState when nobody has asked, NotFound.
    """
    document = _locked(session, actor, document_ref, Permission.DOCUMENTS_HOLD)
    held = _require_hold(session, document)
    if held.lift_asked_by is None:
        raise WrongState("Nobody has asked to lift this hold. Ask first, with the reason.")
    if actor.user_id is None or held.lift_asked_by_user_id == actor.user_id:
        raise SegregationOfDuties(
            "You asked to lift this hold, so a colleague has to lift it.", asked_by=actor.name
        )
    held.lifted_by, held.lifted_at = actor.name, moment.at
    _told(session, actor, document, "documents.hold_lifted", held.lift_reason, moment)
    return held


def keep_on_hold(
    session: Session, actor: Actor, *, document_ref: str, moment: Moment
) -> DocumentHold:
    """Say no to lifting, or take the own question back: the hold stays. Raises WrongState."""
    document = _locked(session, actor, document_ref, Permission.DOCUMENTS_HOLD)
    held = _require_hold(session, document)
    if held.lift_asked_by is None:
        raise WrongState("Nobody has asked to lift this hold.")
    held.lift_asked_by = held.lift_asked_by_user_id = held.lift_asked_at = None
    _told(session, actor, document, "documents.hold_kept", held.lift_reason, moment)
    held.lift_reason = ""
    return held


def open_hold(session: Session, document_id: int) -> DocumentHold | None:
    """Return the hold that a document is under, or None."""
    return session.execute(
        select(DocumentHold).where(
            DocumentHold.document_id == document_id, DocumentHold.lifted_at.is_(None)
        )
    ).scalar_one_or_none()


def _require_hold(session: Session, document: Document) -> DocumentHold:
    held = open_hold(session, document.id)
    if held is None:
        raise WrongState("This document is not on legal hold.")
    return held


def _locked(session: Session, actor: Actor, document_ref: str, permission: Permission) -> Document:
    """Return a document with its case locked, so that two people decide one after the other."""
    document = document_for(session, actor, document_ref, permission)
    lock(session, Case, document.case_id)
    return document


def _told(  # noqa: PLR0917 - who did what to which document, why and when
    session: Session, actor: Actor, document: Document, action: str, reason: str, moment: Moment
) -> None:
    record(
        session,
        actor,
        action,
        "document",
        document.reference,
        case_id=document.case_id,
        reason=reason,
        now=moment.at,
    )
