"""Documents on the pages: uploading one to a case, and the bytes of one, shown or saved."""

from __future__ import annotations

from typing import Final

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField
from wtforms.validators import Length

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk.cases import held_case
from seedtrust.domain.documents import service as documents
from seedtrust.domain.documents.states import DocumentKind, Visibility
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.files import SHOWN, Part, answer, link_to, part_of
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import Door, requires
from seedtrust.web.uploads import taken_in

__all__ = ["SHOWN"]

_PAPERS: Final = "admin.cases_papers"
_ACCEPT: Final = ".pdf,.png,.jpg,.jpeg,.webp,.heic,.txt,.csv"


class UploadForm(Form):
    """A file for a case."""

    file = FileField(
        "File",
        description="PDF, PNG, JPEG, WebP, HEIC, text or CSV; up to 20 MB.",
        validators=[FileRequired("Choose a file.")],
        render_kw={"accept": _ACCEPT},
    )
    kind = SelectField(
        "What it is",
        choices=choices_of(*((kind.value, category_words(kind.value)) for kind in DocumentKind)),
        default=DocumentKind.GENERAL.value,
    )
    visibility = SelectField(
        "Who may see it beside SeedTrust",
        choices=choices_of(
            (Visibility.STAFF.value, "Nobody"),
            (Visibility.RECIPIENT.value, "The intended parents"),
            (Visibility.CARRIER.value, "The surrogate or donor"),
            (Visibility.AGENCY.value, "The agency"),
            (Visibility.ALL_PARTIES.value, "All parties"),
        ),
        default=Visibility.STAFF.value,
    )
    title = StringField(
        "Title", description="Without it, the name of the file.", validators=[Length(max=200)]
    )


@blueprint.route("/cases/<reference>/documents/new", methods=["GET", "POST"])
@requires(Permission.DOCUMENTS_UPLOAD, back=_PAPERS)
def cases_document_new(reference: str) -> ResponseReturnValue:
    """Upload a document to a case."""
    actor, when, form = current_actor(), moment(), UploadForm()
    head = reading(lambda unit: held_case(unit, actor, reference)[1])

    def page() -> ResponseReturnValue:
        shown = render_template("admin/cases/paper_new.html", form=form, head=head)
        return shown, 422 if form.errors else 200

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    file = form.file.data
    told = {
        "case_ref": reference,
        "kind": form.kind.data,
        "visibility": form.visibility.data,
        "title": form.title.data or file.filename or "Document",
    }
    paper = taken_in(file, **told)
    in_transaction(
        lambda unit: documents.store(unit, actor, **told, paper=paper, moment=when).reference
    )
    flash_done("The document is stored, as a clean copy.")
    return redirect(url_for(_PAPERS, reference=reference), code=303)


@blueprint.get("/documents/<reference>")
@requires(Permission.DOCUMENTS_VIEW)
def documents_content(reference: str) -> ResponseReturnValue:
    """Show a document, checked against its hash; to be saved, it goes by a link that ends soon."""
    actor = current_actor()
    part = Part.FILE if "save" in request.args else Part.PREVIEW
    view, content = reading(lambda unit: part_of(unit, actor, reference, part))
    if part is Part.FILE or view.content_type not in SHOWN:
        return redirect(link_to(reference, Part.FILE, Door.ADMIN).path, code=303)
    return answer(view, content, part)


@blueprint.get("/documents/<reference>/thumbnail")
@requires(Permission.DOCUMENTS_VIEW)
def documents_thumbnail(reference: str) -> Response:
    """Show the small picture of a document."""
    actor = current_actor()
    view, content = reading(lambda unit: part_of(unit, actor, reference, Part.THUMBNAIL))
    return answer(view, content, Part.THUMBNAIL)
