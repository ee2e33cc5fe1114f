"""Signed links to documents: short-lived, bound to the session that asked, checked anew when used.

A program's `<img>` and `<a download>` carry no bearer token, so it asks for a link first. The link
names one document and one part of it; who follows it gets what the person may see at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from flask import Flask, Response, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor
from seedtrust.domain.documents import queries
from seedtrust.domain.documents.queries import Kept
from seedtrust.domain.identity import sessions
from seedtrust.ext import reading
from seedtrust.web.actor import clock_now, current_actor, current_settings, storage
from seedtrust.web.guard import PUBLIC, Door, requires
from seedtrust.web.headers import render_policy
from seedtrust.web.requestid import request_id

# What a browser shows by itself without running anything; the rest is saved.
SHOWN: Final = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp", "text/plain"})
# Whatever a file tries, it gets no origin, no script and no form; browsers still show PDFs.
_POLICY: Final = {
    "default-src": "'none'",
    "img-src": "'self'",
    "object-src": "'self'",
    "style-src": "'unsafe-inline'",
    "frame-ancestors": "'self'",
    "sandbox": "",
}
# A purpose of its own: no other token of ours is taken for a link, and no link for one of them.
_PURPOSE: Final = "seedtrust.documents.link.v1"
_LONGEST: Final = 600


class Part(StrEnum):
    """What a link leads to: the file to save, the file to look at, the small picture of it."""

    FILE = "file"
    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"


@dataclass(frozen=True)
class Link:
    """An address and until when it works."""

    path: str
    url: str
    expires_at: datetime


def register(app: Flask) -> None:
    """Open the address that links lead to."""

    @app.get("/files/<token>", endpoint="file_link")
    @requires(PUBLIC)
    def _follow(token: str) -> Response:
        return follow(token)


def link_to(reference: str, part: Part, door: Door) -> Link:
    """Return a link for the current actor, who may see the document (the caller has looked)."""
    actor, settings = current_actor(), current_settings()
    until = clock_now() + timedelta(seconds=settings.document_link_seconds)
    token = _signer().dumps(
        [reference, part.value, door.value, actor.session_id, actor.user_id, int(until.timestamp())]
    )
    path = url_for("file_link", token=token)
    return Link(path, f"{settings.public_base_url}{path}", until.replace(microsecond=0))


def _signer() -> URLSafeSerializer:
    secret = current_settings().secret_key.get_secret_value()
    return URLSafeSerializer(secret, salt=_PURPOSE, signer_kwargs={"key_derivation": "hmac"})


def follow(token: str) -> Response:
    """Give what a link leads to. Raises NotFound for a bad, old or withdrawn link."""
    reference, part, door, session_id, user_id = _read(token)
    now, settings = clock_now(), current_settings()

    def work(session: Session) -> Kept:
        actor = sessions.actor_behind(
            session,
            session_id=session_id,
            user_id=user_id,
            of_program=door is Door.API,
            idle_seconds=settings.session_idle_seconds,
            request_id=request_id(),
            now=now,
        )
        if actor is None:
            raise _gone()
        return part_of(session, actor, reference, part)

    return answer(reading(work), part)


def part_of(session: Session, actor: Actor, reference: str, part: Part) -> Kept:
    """Return where a part of a document is that the actor may see. Raises NotFound."""
    if part is Part.THUMBNAIL:
        return queries.thumbnail_of(session, actor, reference)
    return queries.file_of(session, actor, reference)


def answer(kept: Kept, part: Part) -> Response:
    """Return the bytes as an answer that runs nowhere: typed, sandboxed, saved unless harmless.

    Reads the storage, so no unit of work may be open. Raises what `Kept.read` raises.
    """
    view, content = kept.view, kept.read(storage())
    kind = "image/jpeg" if part is Part.THUMBNAIL else view.content_type
    shown = part is not Part.FILE and kind in SHOWN
    response = Response(content, content_type=kind)
    disposition = "inline" if shown else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{view.file_name}"'
    response.headers["Content-Security-Policy"] = render_policy(_POLICY)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _read(token: str) -> tuple[str, Part, Door, int, int]:
    if len(token) > _LONGEST:
        raise _gone()
    try:
        reference, part, door, session_id, user_id, until = _signer().loads(token)
    except (BadSignature, TypeError, ValueError):
        raise _gone() from None
    if datetime.fromtimestamp(until, UTC) <= clock_now():
        raise _gone()
    return reference, Part(part), Door(door), session_id, user_id


def _gone() -> NotFound:
    return NotFound("This link has expired or was not made by SeedTrust. Open the document again.")
