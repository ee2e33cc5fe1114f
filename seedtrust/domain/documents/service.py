"""The verbs that write files down, or that they were turned away, shown to the right side."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import Final

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import DomainError
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.anonymity import Veil, names_somebody
from seedtrust.domain.cases.checks import clean_text, one_word_of, refuse_field, require_open
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import case_for, parties_of, side_of
from seedtrust.domain.cases.states import Side
from seedtrust.domain.documents.errors import FileNamesSomebody, VisibilityRefused
from seedtrust.domain.documents.intake import Paper
from seedtrust.domain.documents.keeping import stand
from seedtrust.domain.documents.models import Document, DocumentRendition
from seedtrust.domain.documents.queries import document_for
from seedtrust.domain.documents.states import DocumentKind, DocumentState, Visibility

# To whom each side may show what it uploads; the company may show to anybody.
_MAY_SHOW_TO: Final = {
    Side.RECIPIENT: frozenset({Visibility.STAFF, Visibility.RECIPIENT, Visibility.ALL_PARTIES}),
    Side.CARRIER: frozenset({Visibility.STAFF, Visibility.CARRIER, Visibility.ALL_PARTIES}),
    Side.AGENCY: frozenset(Visibility),
}


def expect(
    session: Session, actor: Actor, *, case_ref: str, kind: str, title: str, visibility: str
) -> None:
    """Refuse an upload that would be refused anyway, before work is spent on its file.

    Raises CaseClosed, Invalid, NotFound, VisibilityRefused.
    """
    case = case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD)
    one_word_of(DocumentKind, kind, "kind")
    shown_to = one_word_of(Visibility, visibility, "visibility")
    _clean_title(title)
    require_open(case)
    _may_show(case, side_of(session, actor, case.id), shown_to)


def store(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    kind: str,
    title: str,
    visibility: str,
    paper: Paper,
    replaces: str = "",
    reason: str = "",
    moment: Moment,
) -> Document:
    """Write down a file of a case whose bytes are kept under their hash.

    On an anonymous case a client shows files to the own side only, and a file for both sides must
    not name anybody. `replaces` is the reference of a document whose place it takes: an own one,
    or any for staff. Raises FileNamesSomebody, VisibilityRefused, CaseClosed, Invalid, NotFound,
    WrongState.
    """
    case = case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD, locked=True)
    what = one_word_of(DocumentKind, kind, "kind")
    shown_to = one_word_of(Visibility, visibility, "visibility")
    name = _clean_title(title)
    require_open(case)
    require_tells_nothing(session, actor, case, shown_to=shown_to, title=name, paper=paper)
    document = Document(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        kind=what.value,
        visibility=shown_to.value,
        title=name,
        content_type=paper.content_type,
        size_bytes=len(paper.content),
        sha256=paper.sha256,
        uploaded_by_user_id=actor.user_id,
        uploaded_by=actor.name,
        uploaded_at=moment.at,
    )
    session.add(document)
    session.flush()  # evidence refers to the row
    session.add(_rendition(document.id, paper))
    record(
        session,
        actor,
        "documents.stored",
        "document",
        document.reference,
        case_id=case.id,
        facts={
            "sha256": document.sha256,
            "received_sha256": paper.received_sha256,
            "size_bytes": document.size_bytes,
            "visibility": shown_to.value,
            "scanned_by": paper.scanned_by,
        },
        now=moment.at,
    )
    if replaces:
        _take_the_place(session, actor, document, replaces, reason, moment)
    return document


def _rendition(document_id: int, paper: Paper) -> DocumentRendition:
    return DocumentRendition(
        document_id=document_id,
        received_sha256=paper.received_sha256,
        received_bytes=paper.received_bytes,
        thumbnail_sha256=paper.thumbnail_sha256,
        pages=paper.pages,
        width=paper.width,
        height=paper.height,
        scanned_by=paper.scanned_by,
    )


def _take_the_place(  # noqa: PLR0917 - which document takes whose place, why and when
    session: Session, actor: Actor, document: Document, old_ref: str, reason: str, moment: Moment
) -> None:
    old = document_for(session, actor, old_ref, Permission.DOCUMENTS_UPLOAD)
    is_theirs = actor.is_staff or old.uploaded_by_user_id == actor.user_id
    if old.case_id != document.case_id or not is_theirs:
        raise refuse_field("replaces", "Choose a document of this case that you sent yourself.")
    why = clean_text(reason, "reason", most=500, required=False) or "A better file was sent."
    stand(
        session,
        actor,
        old,
        DocumentState.REPLACED,
        why,
        replaced_by=document.reference,
        moment=moment,
    )


def turn_away(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    refusal: DomainError,
    received_sha256: str,
    received_bytes: int,
    moment: Moment,
) -> None:
    """Write down that a file was refused and why; nothing of it is kept. Raises NotFound."""
    case = case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD)
    record(
        session,
        actor,
        "documents.turned_away",
        "case",
        case.reference,
        case_id=case.id,
        reason=refusal.detail,
        facts={
            "code": refusal.code,
            "received_sha256": received_sha256,
            "received_bytes": received_bytes,
        },
        now=moment.at,
    )


def _clean_title(title: str) -> str:
    return clean_text(PureWindowsPath(title.replace("/", "\\")).name, "title", most=200)


def require_tells_nothing(
    session: Session,
    actor: Actor,
    case: Case,
    *,
    shown_to: Visibility,
    title: str,
    paper: Paper,
) -> None:
    """Raise FileNamesSomebody when a file shown to a side tells it who the other side is.

    Raises VisibilityRefused when the actor may not show files to that side.
    """
    side = side_of(session, actor, case.id)
    _may_show(case, side, shown_to)
    # A side's own upload is not searched: a refusal would tell that a guess was right.
    if case.anonymous and side in {None, Side.AGENCY}:
        content = paper.content + paper.words.encode()
        _tells_nothing(case, parties_of(session, case.id), shown_to, title, content)


def _may_show(case: Case, side: Side | None, shown_to: Visibility) -> None:
    if side is None:
        return
    allowed = set(_MAY_SHOW_TO[side])
    if case.anonymous:
        allowed.discard(Visibility.ALL_PARTIES)
    if shown_to not in allowed:
        choices = ", ".join(sorted(one.value for one in allowed))
        message = f"Choose who may see this file: {choices}."
        raise VisibilityRefused(message, errors={"visibility": [message]})


def _tells_nothing(
    case: Case, parties: list[CaseParty], shown_to: Visibility, name: str, content: bytes
) -> None:
    if shown_to is Visibility.ALL_PARTIES:
        tells = names_somebody(case, parties, name) or _holds_names(parties, None, content)
    elif shown_to in {Visibility.RECIPIENT, Visibility.CARRIER}:
        side = Side(shown_to.value)
        tells = Veil(case, parties, side).finds(name) or _holds_names(parties, side, content)
    else:
        tells = False
    if tells:
        message = (
            "This file or its name tells one side of the case who the other is. "
            "Remove the names, or show it to staff only."
        )
        raise FileNamesSomebody(message, errors={"file": [message]})


def _holds_names(parties: list[CaseParty], side: Side | None, content: bytes) -> bool:
    """Tell whether the bytes spell a whole name or address of somebody who is hidden.

    This sees texts and what can be read on the pages of a PDF, not what is drawn.
    """
    lowered = content.lower()
    for party in parties:
        if party.side == Side.AGENCY.value or (side is not None and party.side == side.value):
            continue
        for secret in (party.name, party.email):
            if not secret:
                continue
            spelled = secret.lower()
            forms = (spelled.encode(), spelled.encode("utf-16-be"), spelled.encode("utf-16-le"))
            if any(form in lowered for form in forms):
                return True
    return False
