"""The way of an uploaded file, the same through both doors.

    paper = taken_in(file, case_ref=..., kind=..., title=..., visibility=...)
    in_transaction(lambda unit: documents.store(unit, actor, ..., paper=paper, moment=when))

Looking, scanning, making anew and storing take seconds, so they happen between units of work.
"""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from seedtrust.core.errors import Invalid
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.documents import service
from seedtrust.domain.documents.intake import Paper
from seedtrust.domain.documents.states import Visibility
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, intake, moment


def taken_in(file: FileStorage, *, case_ref: str, kind: str, title: str, visibility: str) -> Paper:
    """Return the file, clean and stored; the caller writes the row.

    A refused file is written down with its reason, and nothing of it is kept. Raises what
    `documents.expect` and `Intake.take` raise, and FileNamesSomebody.
    """
    actor, when, desk = current_actor(), moment(), intake()
    content = file.stream.read()
    file.stream.seek(0)  # the hash of an idempotency key reads it again
    reading(
        lambda session: service.expect(
            session, actor, case_ref=case_ref, kind=kind, title=title, visibility=visibility
        )
    )
    try:
        paper = desk.take(content, file.mimetype)
    except Invalid as refusal:
        refused = refusal
        in_transaction(
            lambda session: service.turn_away(
                session,
                actor,
                case_ref=case_ref,
                refusal=refused,
                received_sha256=hashlib.sha256(content).hexdigest(),
                received_bytes=len(content),
                moment=when,
            )
        )
        raise

    def look(session: Session) -> None:
        case = case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD)
        shown_to = Visibility(visibility)
        service.require_tells_nothing(
            session, actor, case, shown_to=shown_to, title=title, paper=paper
        )

    reading(look)
    desk.keep(paper)
    return paper
