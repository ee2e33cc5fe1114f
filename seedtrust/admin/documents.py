"""Documents on the pages: uploading one to a case, and the bytes of one, shown or saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.documents import keeping
from seedtrust.domain.documents import service as documents
from seedtrust.domain.documents.queries import DocumentView, document_page
from seedtrust.domain.documents.states import STATE_LABELS, DocumentKind, Visibility
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.files import SHOWN, Part, answer, link_to, part_of
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import Door, requires
from seedtrust.web.uploads import taken_in

__all__ = ["SHOWN"]

_PAPERS: Final = "admin.cases_papers"
_DETAIL: Final = "admin.documents_detail"
_REASONS: Final = ("refuse", "hold", "lift")
# What was typed is refused; any other refusal means that the document has moved on meanwhile.
_AS_TYPED: Final = 422
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
    reason = StringField(
        "Why it is replaced",
        description="Whoever sent the first one reads this.",
        validators=[Length(max=500)],
    )


class ReasonForm(Form):
    """Why something is done to a document."""

    reason = StringField("Reason", validators=[DataRequired("Say why."), Length(max=500)])


@blueprint.route("/cases/<reference>/documents/new", methods=["GET", "POST"])
@requires(Permission.DOCUMENTS_UPLOAD, back=_PAPERS)
def cases_document_new(reference: str) -> ResponseReturnValue:
    """Upload a document to a case."""
    actor, when, form = current_actor(), moment(), UploadForm()
    replaces = request.args.get("replaces", "")

    def look(unit: Session) -> tuple[CaseHead, DocumentView | None]:
        head = held_case(unit, actor, reference)[1]
        return head, document_page(unit, actor, replaces).view if replaces else None

    head, replaced = reading(look)

    def page() -> ResponseReturnValue:
        shown = render_template(
            "admin/cases/paper_new.html", form=form, head=head, replaced=replaced
        )
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
        lambda unit: (
            documents.store(
                unit,
                actor,
                **told,
                paper=paper,
                replaces=replaces,
                reason=form.reason.data or "",
                moment=when,
            ).reference
        )
    )
    flash_done("The document is stored, as a clean copy.")
    return redirect(url_for(_PAPERS, reference=reference), code=303)


def _detail(
    reference: str, refused: str = "", form: ReasonForm | None = None
) -> ResponseReturnValue:
    """Return the page of a document; `refused` names the form that was."""
    actor = current_actor()
    page = reading(lambda unit: document_page(unit, actor, reference))
    forms = {name: ReasonForm(formdata=None, prefix=f"{name}-") for name in _REASONS}
    if form is not None:
        forms[refused] = form
    shown = render_template(
        "admin/cases/paper.html",
        view=page.view,
        case_ref=page.case_ref,
        case_name=page.case_name,
        hold=page.hold,
        state_labels=STATE_LABELS,
        category_words=category_words,
        shown=SHOWN,
        refused=refused,
        forms=forms,
    )
    return shown, 422 if form is not None else 200


@blueprint.get("/documents/<reference>/details")
@requires(Permission.DOCUMENTS_VIEW)
def documents_detail(reference: str) -> ResponseReturnValue:
    """Show a document with its small picture, its hashes, where it stands and its legal hold."""
    return _detail(reference)


def _with_reason(
    reference: str, name: str, work: Callable[[Session, str], object], told: str
) -> ResponseReturnValue:
    """Do what needs a reason, or show the form again with what is wrong."""
    form = ReasonForm(prefix=f"{name}-")
    if not form.validate_on_submit():
        return _detail(reference, name, form)
    show_again(form, lambda: _detail(reference, name, form), _AS_TYPED)
    reason = form.reason.data
    in_transaction(lambda unit: work(unit, reason) and None)
    flash_done(told)
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.post("/documents/<reference>/refuse")
@requires(Permission.DOCUMENTS_JUDGE, back=_DETAIL)
def documents_refuse(reference: str) -> ResponseReturnValue:
    """Say that a document does not do."""
    actor, when = current_actor(), moment()
    return _with_reason(
        reference,
        "refuse",
        lambda unit, why: keeping.refuse(
            unit, actor, document_ref=reference, reason=why, moment=when
        ),
        "The document is refused; its sender reads why.",
    )


@blueprint.post("/documents/<reference>/hold")
@requires(Permission.DOCUMENTS_HOLD, back=_DETAIL)
def documents_hold(reference: str) -> ResponseReturnValue:
    """Put a document on legal hold."""
    actor, when = current_actor(), moment()
    return _with_reason(
        reference,
        "hold",
        lambda unit, why: keeping.hold(
            unit, actor, document_ref=reference, reason=why, moment=when
        ),
        "The document is on legal hold.",
    )


@blueprint.post("/documents/<reference>/lift-ask")
@requires(Permission.DOCUMENTS_HOLD, back=_DETAIL)
def documents_lift_ask(reference: str) -> ResponseReturnValue:
    """Ask that a legal hold be lifted."""
    actor, when = current_actor(), moment()
    return _with_reason(
        reference,
        "lift",
        lambda unit, why: keeping.ask_to_lift(
            unit, actor, document_ref=reference, reason=why, moment=when
        ),
        "Asked. A colleague has to lift the hold.",
    )


@blueprint.post("/documents/<reference>/lift")
@requires(Permission.DOCUMENTS_HOLD, back=_DETAIL)
def documents_lift(reference: str) -> ResponseReturnValue:
    """Lift a legal hold as the second person."""
    actor, when = current_actor(), moment()
    in_transaction(lambda unit: keeping.lift(unit, actor, document_ref=reference, moment=when).id)
    flash_done("The legal hold is lifted.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.post("/documents/<reference>/hold-keep")
@requires(Permission.DOCUMENTS_HOLD, back=_DETAIL)
def documents_hold_keep(reference: str) -> ResponseReturnValue:
    """Leave a document on legal hold although somebody asked to lift it."""
    actor, when = current_actor(), moment()
    in_transaction(
        lambda unit: keeping.keep_on_hold(unit, actor, document_ref=reference, moment=when).id
    )
    flash_done("The document stays on legal hold.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.get("/documents/<reference>")
@requires(Permission.DOCUMENTS_VIEW)
def documents_content(reference: str) -> ResponseReturnValue:
    """Show a document, checked against its hash; to be saved, it goes by a link that ends soon."""
    actor = current_actor()
    part = Part.FILE if "save" in request.args else Part.PREVIEW
    kept = reading(lambda unit: part_of(unit, actor, reference, part))
    if part is Part.FILE or kept.view.content_type not in SHOWN:
        return redirect(link_to(reference, Part.FILE, Door.ADMIN).path, code=303)
    return answer(kept, part)


@blueprint.get("/documents/<reference>/thumbnail")
@requires(Permission.DOCUMENTS_VIEW)
def documents_thumbnail(reference: str) -> Response:
    """Show the small picture of a document."""
    actor = current_actor()
    kept = reading(lambda unit: part_of(unit, actor, reference, Part.THUMBNAIL))
    return answer(kept, Part.THUMBNAIL)
