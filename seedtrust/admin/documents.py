"""The bytes of a document, shown where it is safe and handed over everywhere else."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from seedtrust.admin import blueprint
from seedtrust.core.permissions import Permission
from seedtrust.domain.documents import queries as documents
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, storage
from seedtrust.web.guard import requires
from seedtrust.web.headers import render_policy

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


@blueprint.get("/documents/<reference>")
@requires(Permission.DOCUMENTS_VIEW)
def documents_content(reference: str) -> Response:
    """Give a document's bytes, checked against their hash, to be shown or saved."""
    actor, files = current_actor(), storage()
    view, content = reading(
        lambda unit: documents.content_of(unit, actor, reference, storage=files)
    )
    shown = view.content_type in SHOWN and "save" not in request.args
    response = Response(content, content_type=view.content_type)
    kind = "inline" if shown else "attachment"
    response.headers["Content-Disposition"] = f'{kind}; filename="{view.file_name}"'
    response.headers["Content-Security-Policy"] = render_policy(_POLICY)
    return response
