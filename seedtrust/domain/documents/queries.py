"""Reading documents: the one accessor, lists by what the viewer's side may see, the bytes."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.anonymity import Veil, hides
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import case_for, parties_of
from seedtrust.domain.cases.scope import reach, side_of
from seedtrust.domain.cases.states import Side
from seedtrust.domain.documents.content import EXTENSIONS
from seedtrust.domain.documents.errors import FileDamaged
from seedtrust.domain.documents.models import (
    Document,
    DocumentHold,
    DocumentRendition,
    DocumentStanding,
)
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.documents.states import Visibility

# What each side may see; the company sees everything.
_SEEN_BY: Final = {
    Side.RECIPIENT: frozenset({Visibility.RECIPIENT, Visibility.ALL_PARTIES}),
    Side.CARRIER: frozenset({Visibility.CARRIER, Visibility.ALL_PARTIES}),
    Side.AGENCY: frozenset({Visibility.AGENCY, Visibility.ALL_PARTIES}),
}
_LONGEST_NAME: Final = 80


@dataclass(frozen=True)
class DocumentView:
    """One file as a viewer may know it."""

    reference: str
    kind: str
    visibility: str
    title: str
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    uploaded_by: str
    uploaded_at: datetime
    received_sha256: str
    pages: int | None
    width: int | None
    height: int | None
    has_thumbnail: bool
    scanned_by: str
    state: str
    state_reason: str
    replaced_by: str
    on_hold: bool


def is_visible(document: Document, side: Side | None) -> bool:
    """Tell whether a side may see a document; None is the company, which sees all."""
    return side is None or Visibility(document.visibility) in _SEEN_BY[side]


def document_for(
    session: Session,
    actor: Actor,
    reference: str,
    permission: Permission = Permission.DOCUMENTS_VIEW,
) -> Document:
    """Return a document that the actor may see: of a case in reach, shown to the actor's side.

    Own uploads are seen always. Raises NotFound for everything else, Forbidden without the
    permission.
    """
    found = session.execute(
        select(Document)
        .join(Case, Case.id == Document.case_id)
        .where(Document.reference == reference, reach(actor, permission))
    ).scalar_one_or_none()
    if found is None or not _may_see(session, actor, found):
        raise NotFound("There is no such document, or it is not yours to see.")
    return found


def _may_see(session: Session, actor: Actor, document: Document) -> bool:
    side = side_of(session, actor, document.case_id)
    return is_visible(document, side) or _is_own(actor, document)


def _is_own(actor: Actor, document: Document) -> bool:
    return actor.user_id is not None and document.uploaded_by_user_id == actor.user_id


@dataclass(frozen=True)
class Kept:
    """A document that the actor may see, and where the bytes of it, or of its picture, are kept."""

    view: DocumentView
    sha256: str

    def read(self, storage: Storage) -> bytes:
        """Return the bytes, checked against the hash; called outside of any unit of work.

        Raises NotFound, FileDamaged when storage gives other bytes than were stored, Unavailable.
        """
        content = storage.get(self.sha256)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise FileDamaged(
                "The stored copy of this file is damaged. Tell SeedTrust; nothing was changed.",
                document=self.view.reference,
            )
        return content


def file_of(session: Session, actor: Actor, reference: str) -> Kept:
    """Return where the file of a document is that the actor may see. Raises NotFound."""
    document = document_for(session, actor, reference)
    case = session.get_one(Case, document.case_id)
    return Kept(visible_view(session, actor, case, document), document.sha256)


def thumbnail_of(session: Session, actor: Actor, reference: str) -> Kept:
    """Return where the small picture (a JPEG) of a document is that the actor may see.

    Raises NotFound, also for a document without one.
    """
    document = document_for(session, actor, reference)
    rendition = session.get(DocumentRendition, document.id)
    if rendition is None or rendition.thumbnail_sha256 is None:
        raise NotFound("There is no small picture of this document.")
    view = visible_view(session, actor, session.get_one(Case, document.case_id), document)
    return Kept(view, rendition.thumbnail_sha256)


def visible_documents(session: Session, actor: Actor, case_ref: str) -> list[DocumentView]:
    """Return the documents of a case that the actor may see, the newest first.

    Five queries, whatever the number of documents. Raises NotFound out of reach.
    """
    case = case_for(session, actor, case_ref, Permission.DOCUMENTS_VIEW)
    side = side_of(session, actor, case.id)
    rows = session.execute(
        select(Document, DocumentRendition, DocumentStanding, DocumentHold.id)
        .outerjoin(DocumentRendition, DocumentRendition.document_id == Document.id)
        .outerjoin(DocumentStanding, DocumentStanding.document_id == Document.id)
        .outerjoin(DocumentHold, _is_open_hold())
        .where(Document.case_id == case.id)
        .order_by(Document.id.desc())
    )
    shown = _Shown(session, actor, case, side)
    return [
        shown.view(row, rendition, standing, on_hold=hold is not None)
        for row, rendition, standing, hold in rows
        if is_visible(row, side) or _is_own(actor, row)
    ]


@dataclass(frozen=True)
class HoldView:
    """A legal hold as staff see it, and who has asked to lift it."""

    reason: str
    placed_by: str
    placed_at: datetime
    lift_reason: str
    lift_asked_by: str
    asked_by_me: bool


@dataclass(frozen=True)
class DocumentPage:
    """One document with the case that it belongs to and its legal hold."""

    view: DocumentView
    case_ref: str
    case_name: str
    hold: HoldView | None


def document_page(session: Session, actor: Actor, reference: str) -> DocumentPage:
    """Return a document for its page. Raises NotFound."""
    document = document_for(session, actor, reference)
    case = session.get_one(Case, document.case_id)
    view = visible_view(session, actor, case, document)
    row = session.execute(
        select(DocumentHold).join(Document, _is_open_hold()).where(Document.id == document.id)
    ).scalar_one_or_none()
    hold = None if row is None or not view.on_hold else _hold_view(actor, row)
    return DocumentPage(view, case.reference, f"Case {case.number}", hold)


def _hold_view(actor: Actor, row: DocumentHold) -> HoldView:
    return HoldView(
        row.reason,
        row.placed_by,
        row.placed_at,
        row.lift_reason,
        row.lift_asked_by or "",
        row.lift_asked_by_user_id == actor.user_id,
    )


def visible_view(session: Session, actor: Actor, case: Case, document: Document) -> DocumentView:
    """Return one document in the words that the actor may read."""
    side = side_of(session, actor, case.id)
    rendition = session.get(DocumentRendition, document.id)
    standing = session.get(DocumentStanding, document.id)
    hold = select(DocumentHold.id).join(Document, _is_open_hold())
    on_hold = session.execute(hold.where(Document.id == document.id)).first() is not None
    shown = _Shown(session, actor, case, side)
    return shown.view(document, rendition, standing, on_hold=on_hold)


def _is_open_hold() -> ColumnElement[bool]:
    return and_(DocumentHold.document_id == Document.id, DocumentHold.lifted_at.is_(None))


class _Shown:
    """Turns rows into what one viewer may read."""

    def __init__(self, session: Session, actor: Actor, case: Case, side: Side | None) -> None:
        parties = parties_of(session, case.id)
        self._actor = actor
        self._veil = Veil(case, parties, side)
        self._outside = side is not None
        self._names = {
            party.user_id: party.alias if hides(case, party.side, side) else party.name
            for party in parties
            if party.user_id is not None
        }

    def _uploader(self, row: Document) -> str:
        known = self._names.get(row.uploaded_by_user_id) if row.uploaded_by_user_id else None
        if known is not None or not self._outside:
            return known or row.uploaded_by
        return row.uploaded_by if _is_own(self._actor, row) else "SeedTrust"

    def view(
        self,
        row: Document,
        rendition: DocumentRendition | None,
        standing: DocumentStanding | None,
        *,
        on_hold: bool,
    ) -> DocumentView:
        """Return the row as the viewer may know it."""
        # Own words stay as written: an alias in them would tell that a guess was right.
        title = row.title if _is_own(self._actor, row) else self._veil.text(row.title)
        return DocumentView(
            row.reference,
            row.kind,
            row.visibility,
            title,
            file_name(title, row.content_type),
            row.content_type,
            row.size_bytes,
            row.sha256,
            self._uploader(row),
            row.uploaded_at,
            "" if rendition is None else rendition.received_sha256,
            None if rendition is None else rendition.pages,
            None if rendition is None else rendition.width,
            None if rendition is None else rendition.height,
            rendition is not None and rendition.thumbnail_sha256 is not None,
            "" if rendition is None else rendition.scanned_by,
            "" if standing is None else standing.state,
            "" if standing is None else self._veil.text(standing.reason),
            "" if standing is None else standing.replaced_by or "",
            # That the law asks for a document is nobody's business outside.
            on_hold and not self._outside,
        )


def file_name(title: str, content_type: str) -> str:
    """Return a plain name to save a document under, with the ending of its real type."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    stem = PurePosixPath(folded)
    known = stem.suffix.lower() in {*EXTENSIONS.values(), ".jpeg"}
    words = re.findall(r"[A-Za-z0-9]+", stem.stem if known else folded)
    name = "-".join(words)[:_LONGEST_NAME].strip("-").lower() or "document"
    return name + EXTENSIONS[content_type]
