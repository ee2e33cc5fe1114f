"""The verb that keeps a file: checked by content, cleaned, hashed, shown to the right side."""

from __future__ import annotations

import hashlib
from pathlib import PureWindowsPath
from typing import Final

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.anonymity import Veil, names_somebody
from seedtrust.domain.cases.checks import clean_text, one_word_of, require_open
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import case_for, parties_of, side_of
from seedtrust.domain.cases.states import Side
from seedtrust.domain.documents.content import checked
from seedtrust.domain.documents.errors import FileNamesSomebody, VisibilityRefused
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.documents.states import DocumentKind, Visibility

# To whom each side may show what it uploads; the company may show to anybody.
_MAY_SHOW_TO: Final = {
    Side.RECIPIENT: frozenset({Visibility.STAFF, Visibility.RECIPIENT, Visibility.ALL_PARTIES}),
    Side.CARRIER: frozenset({Visibility.STAFF, Visibility.CARRIER, Visibility.ALL_PARTIES}),
    Side.AGENCY: frozenset(Visibility),
}


def store(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    kind: str,
    title: str,
    content_type: str,
    content: bytes,
    storage: Storage,
    visibility: str,
    moment: Moment,
) -> Document:
    """Keep a file of a case under its hash.

    What is kept is what the content proves to be: a PDF, a picture without what it carries
    beside the picture, a text or a CSV file. On an anonymous case a client shows files to the
    own side only, and a file for both sides must not name anybody. Raises FileEmpty,
    FileTooLarge, FileTypeRefused, FileUnsafe, FileNamesSomebody, VisibilityRefused, CaseClosed,
    Invalid, NotFound; Unavailable when storage fails, and then nothing is written.
    """
    # Looked at before the lock is taken: checking and writing bytes takes time.
    case = case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD)
    what = one_word_of(DocumentKind, kind, "kind")
    shown_to = one_word_of(Visibility, visibility, "visibility")
    name = clean_text(PureWindowsPath(title.replace("/", "\\")).name, "title", most=200)
    found, kept = checked(content, content_type)
    require_open(case)
    side = side_of(session, actor, case.id)
    _may_show(case, side, shown_to)
    # A side's own upload is not searched: a refusal would tell that a guess was right.
    if case.anonymous and side in {None, Side.AGENCY}:
        _tells_nothing(case, parties_of(session, case.id), shown_to, name, kept)
    sha256 = hashlib.sha256(kept).hexdigest()
    storage.put(sha256, kept)
    case = case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD, locked=True)
    require_open(case)
    document = Document(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        kind=what.value,
        visibility=shown_to.value,
        title=name,
        content_type=found,
        size_bytes=len(kept),
        sha256=sha256,
        uploaded_by_user_id=actor.user_id,
        uploaded_by=actor.name,
        uploaded_at=moment.at,
    )
    session.add(document)
    session.flush()  # evidence refers to the row
    record(
        session,
        actor,
        "documents.stored",
        "document",
        document.reference,
        case_id=case.id,
        facts={"sha256": sha256, "size_bytes": len(kept), "visibility": shown_to.value},
        now=moment.at,
    )
    return document


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

    This sees texts and plain metadata (author, title), not what is packed or drawn.
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
