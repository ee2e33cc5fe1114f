"""Documents of a case: upload, list, download."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import ONCE, idempotent
from seedtrust.api.schemas import Input, Instant, Output, Text, dump
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases import queries as cases
from seedtrust.domain.documents import queries, service
from seedtrust.domain.documents.states import DocumentKind, DocumentState, Visibility
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, moment, storage
from seedtrust.web.files import Link, Part, link_to, part_of
from seedtrust.web.guard import Door, requires
from seedtrust.web.uploads import taken_in

blueprint = ApiBlueprint("documents", description="Files of a case")

_KINDS = [kind.value for kind in DocumentKind]
_SHOWN = [visibility.value for visibility in Visibility]


class FileInput(Input):
    """The file itself; its type is told by its content."""

    file = Upload(required=True)


class DocumentInput(Input):
    """What the file is, and who may see it beside SeedTrust."""

    kind = fields.String(load_default=DocumentKind.EVIDENCE, validate=validate.OneOf(_KINDS))
    title = Text(
        load_default="",
        max_length=200,
        metadata={"description": "The name of the file when it is left out"},
    )
    visibility = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(_SHOWN),
        metadata={"description": "The caller's own side when it is left out"},
    )
    replaces = fields.String(
        load_default="",
        validate=validate.Length(max=15),
        metadata={"description": "Reference of an own document whose place it takes"},
    )


class UploadInput(DocumentInput):
    """The two together, as one form carries them."""

    file = Upload(required=True)


class DocumentOutput(Output):
    """One file as the caller may know it."""

    reference = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(_KINDS))
    visibility = fields.String(required=True, validate=validate.OneOf(_SHOWN))
    title = fields.String(required=True)
    file_name = fields.String(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    received_sha256 = fields.String(
        required=True,
        metadata={"description": "Hash of the file as it was sent; what is kept is a clean copy"},
    )
    pages = fields.Integer(required=True, allow_none=True)
    width = fields.Integer(required=True, allow_none=True, metadata={"description": "Dots"})
    height = fields.Integer(required=True, allow_none=True, metadata={"description": "Dots"})
    has_thumbnail = fields.Boolean(required=True)
    scanned_by = fields.String(
        required=True, metadata={"description": "The virus scanner; empty when there is none"}
    )
    state = fields.String(
        required=True,
        validate=validate.OneOf(["", *(state.value for state in DocumentState)]),
        metadata={"description": "Empty while it counts; why it does not is `state_reason`"},
    )
    state_reason = fields.String(required=True)
    replaced_by = fields.String(required=True, metadata={"description": "Reference, or empty"})
    uploaded_by = fields.String(required=True)
    uploaded_at = Instant(required=True)


class DocumentsOutput(Output):
    """The documents of a case, the newest first."""

    data = fields.List(fields.Nested(DocumentOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/cases/<case>/documents")
@requires(Permission.DOCUMENTS_VIEW)
@blueprint.response(200, DocumentsOutput)
def list_documents(case: str) -> dict[str, Any]:
    """List the documents of a case that the caller may see, the newest first."""
    actor = current_actor()
    found = reading(lambda session: queries.visible_documents(session, actor, case))
    return {"data": found, "next_cursor": None}


@blueprint.route("/cases/<case>/documents", methods=["POST"])
@requires(Permission.DOCUMENTS_UPLOAD)
@blueprint.arguments(FileInput, location="files")
@blueprint.arguments(DocumentInput, location="form", content_type="multipart/form-data")
@blueprint.doc(**ONCE, requestBody={"content": {"multipart/form-data": {"schema": UploadInput}}})
@blueprint.response(201, DocumentOutput)
def upload_document(files: dict[str, FileStorage], values: dict[str, Any], case: str) -> Response:
    """Store a file: PDF, PNG, JPEG, WebP, HEIC, text or CSV; needs an Idempotency-Key."""
    actor, when, file = current_actor(), moment(), files["file"]
    title = values["title"] or file.filename or "Document"
    shown_to = values["visibility"] or reading(lambda unit: _own(unit, actor, case))
    paper = taken_in(file, case_ref=case, kind=values["kind"], title=title, visibility=shown_to)

    def work(session: Session) -> tuple[dict[str, Any], int]:
        held = cases.case_for(session, actor, case, Permission.DOCUMENTS_UPLOAD)
        made = service.store(
            session,
            actor,
            case_ref=case,
            kind=values["kind"],
            title=title,
            visibility=shown_to,
            paper=paper,
            replaces=values["replaces"],
            moment=when,
        )
        return dump(DocumentOutput, queries.visible_view(session, actor, held, made)), 201

    return idempotent(work)


class LinkQuery(Input):
    """Which part of the document the link leads to."""

    part = fields.String(
        load_default=Part.FILE.value,
        validate=validate.OneOf([part.value for part in Part]),
        metadata={"description": "`file` is saved, `preview` shown, `thumbnail` a small JPEG"},
    )


class LinkOutput(Output):
    """A link that works without a token, for a short while."""

    url = fields.String(required=True)
    expires_at = Instant(required=True)


@blueprint.route("/documents/<reference>/link")
@requires(Permission.DOCUMENTS_VIEW)
@blueprint.arguments(LinkQuery, location="query")
@blueprint.response(200, LinkOutput)
def link_document(values: dict[str, str], reference: str) -> Link:
    """Give a signed link to a document, for an image or a download; it ends with the session."""
    actor, part = current_actor(), Part(values["part"])
    reading(lambda session: part_of(session, actor, reference, part))
    return link_to(reference, part, Door.API)


def _own(session: Session, actor: Actor, case_ref: str) -> str:
    case = cases.case_for(session, actor, case_ref, Permission.DOCUMENTS_UPLOAD)
    side = cases.side_of(session, actor, case.id)
    return Visibility.STAFF.value if side is None else Visibility(side.value).value


@blueprint.route("/documents/<reference>")
@requires(Permission.DOCUMENTS_VIEW)
@blueprint.response(
    200, {"type": "string", "format": "binary"}, content_type="application/octet-stream"
)
def download_document(reference: str) -> Response:
    """Download a document, as an attachment of the type that it was checked to be."""
    actor = current_actor()
    kept = reading(lambda session: queries.file_of(session, actor, reference))
    response = Response(kept.read(storage()), content_type=kept.view.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{kept.view.file_name}"'
    return response
