"""What staff do with a request: review, accept, refuse, ask, hold; and asking on behalf."""

from __future__ import annotations

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from seedtrust.admin import blueprint
from seedtrust.admin.request_forms import (
    AcceptForm,
    AskForm,
    NewRequestForm,
    RefuseForm,
    WhyForm,
)
from seedtrust.admin.requests import detail_href, detail_page
from seedtrust.admin.words import category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.disbursements import review
from seedtrust.domain.disbursements import service as disbursements
from seedtrust.domain.disbursements.reissue import reissue
from seedtrust.domain.disbursements.states import STATE_LABELS, RequestState
from seedtrust.domain.documents import service as documents
from seedtrust.domain.documents.states import DocumentKind, Visibility
from seedtrust.domain.payees.queries import list_payees
from seedtrust.domain.payees.views import PayeeView
from seedtrust.domain.terms.queries import terms_of
from seedtrust.domain.terms.states import TermKind, TermState
from seedtrust.domain.terms.views import TermRow
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, flash_note, show_again
from seedtrust.web.guard import requires
from seedtrust.web.uploads import taken_in

_DETAIL = "admin.requests_detail"
# What was typed is refused; any other refusal means that the request has moved on meanwhile.
_AS_TYPED = 422


def _done(reference: str, work: Callable[[Session], str], told: str) -> ResponseReturnValue:
    """Do the act, say what came of it, and go back to the request."""
    state = in_transaction(work)
    flash_done(f"{told} It is now: {STATE_LABELS[RequestState(state)].lower()}.")
    return redirect(detail_href(reference), code=303)


@blueprint.post("/requests/<reference>/start")
@requires(Permission.REQUESTS_REVIEW, back=_DETAIL)
def requests_start(reference: str) -> ResponseReturnValue:
    """Take a submitted request into review."""
    actor, when = current_actor(), moment()
    return _done(
        reference,
        lambda unit: review.start_review(unit, actor, request_ref=reference, moment=when).state,
        "You review this request.",
    )


@blueprint.post("/requests/<reference>/accept")
@requires(Permission.REQUESTS_REVIEW, back=_DETAIL)
def requests_accept(reference: str) -> ResponseReturnValue:
    """Accept in full, or in part with a reason."""
    form = AcceptForm(prefix="accept-")
    if not form.validate_on_submit() or not form.version.data.isdecimal():
        return detail_page(reference, accept=form)
    show_again(form, lambda: detail_page(reference, accept=form), _AS_TYPED)
    actor, when = current_actor(), moment()
    return _done(
        reference,
        lambda unit: (
            review.accept(
                unit,
                actor,
                request_ref=reference,
                amount_cents=form.amount_cents.cents or 0,
                reason=form.reason.data or "",
                expected_version=int(form.version.data),
                moment=when,
            ).state
        ),
        "The request is accepted.",
    )


@blueprint.post("/requests/<reference>/refuse")
@requires(Permission.REQUESTS_REVIEW, back=_DETAIL)
def requests_refuse(reference: str) -> ResponseReturnValue:
    """Refuse with a reason."""
    form = RefuseForm(prefix="refuse-")
    if not form.validate_on_submit():
        return detail_page(reference, refuse=form)
    show_again(form, lambda: detail_page(reference, refuse=form), _AS_TYPED)
    actor, when = current_actor(), moment()
    return _done(
        reference,
        lambda unit: (
            review.refuse(
                unit,
                actor,
                request_ref=reference,
                reason=form.reason.data,
                clause=form.clause.data or "",
                moment=when,
            ).state
        ),
        "The request is refused; the requester reads why.",
    )


@blueprint.post("/requests/<reference>/ask")
@requires(Permission.REQUESTS_REVIEW, back=_DETAIL)
def requests_ask(reference: str) -> ResponseReturnValue:
    """Ask for what is missing."""
    form = AskForm(prefix="ask-")
    if not form.validate_on_submit():
        return detail_page(reference, ask=form)
    show_again(form, lambda: detail_page(reference, ask=form), _AS_TYPED)
    actor, when, question = current_actor(), moment(), form.question.data
    return _done(
        reference,
        lambda unit: (
            review.ask(unit, actor, request_ref=reference, question=question, moment=when).state
        ),
        "The question is on its way.",
    )


@blueprint.post("/requests/<reference>/recheck")
@requires(Permission.REQUESTS_REVIEW, back=_DETAIL)
def requests_recheck(reference: str) -> ResponseReturnValue:
    """Try again to reserve the money."""
    actor, when = current_actor(), moment()
    return _done(
        reference,
        lambda unit: review.recheck(unit, actor, request_ref=reference, moment=when).state,
        "The request was checked again.",
    )


@blueprint.post("/requests/<reference>/send-back")
@requires(Permission.REQUESTS_LEAD, back=_DETAIL)
def requests_send_back(reference: str) -> ResponseReturnValue:
    """Send an approved request back into review."""
    form = WhyForm(prefix="back-")
    if not form.validate_on_submit():
        return detail_page(reference, send_back=form)
    show_again(form, lambda: detail_page(reference, send_back=form), _AS_TYPED)
    actor, when, reason = current_actor(), moment(), form.reason.data
    return _done(
        reference,
        lambda unit: (
            review.send_back(unit, actor, request_ref=reference, reason=reason, moment=when).state
        ),
        "The request went back; its reservation is released.",
    )


@blueprint.post("/requests/<reference>/hold")
@requires(Permission.REQUESTS_LEAD, back=_DETAIL)
def requests_hold(reference: str) -> ResponseReturnValue:
    """Put an approved request on hold."""
    form = WhyForm(prefix="hold-")
    if not form.validate_on_submit():
        return detail_page(reference, hold=form)
    show_again(form, lambda: detail_page(reference, hold=form), _AS_TYPED)
    actor, when, reason = current_actor(), moment(), form.reason.data
    return _done(
        reference,
        lambda unit: (
            review.hold(unit, actor, request_ref=reference, reason=reason, moment=when).state
        ),
        "The request waits; its reservation is released.",
    )


@blueprint.post("/requests/<reference>/cancel")
@requires(Permission.REQUESTS_LEAD, back=_DETAIL)
def requests_cancel(reference: str) -> ResponseReturnValue:
    """Give an approved request up before it is in a run."""
    form = WhyForm(prefix="cancel-")
    if not form.validate_on_submit():
        return detail_page(reference, cancel=form)
    show_again(form, lambda: detail_page(reference, cancel=form), _AS_TYPED)
    actor, when, reason = current_actor(), moment(), form.reason.data
    return _done(
        reference,
        lambda unit: (
            review.cancel(unit, actor, request_ref=reference, reason=reason, moment=when).state
        ),
        "The request is given up; its reservation is released.",
    )


@blueprint.post("/requests/<reference>/reissue")
@requires(Permission.REQUESTS_LEAD, back=_DETAIL)
def requests_reissue(reference: str) -> ResponseReturnValue:
    """Pay again what the bank sent back."""
    form = WhyForm(prefix="reissue-")
    if not form.validate_on_submit():
        return detail_page(reference, reissue=form)
    show_again(form, lambda: detail_page(reference, reissue=form), _AS_TYPED)
    actor, when, reason = current_actor(), moment(), form.reason.data
    return _done(
        reference,
        lambda unit: reissue(unit, actor, request_ref=reference, reason=reason, moment=when).state,
        "It is approved again; the next run pays it.",
    )


@blueprint.route("/requests/new", methods=["GET", "POST"])
@requires(Permission.REQUESTS_CREATE, back="admin.requests_new")
def requests_new() -> ResponseReturnValue:
    """Ask for money on behalf of somebody on a case."""
    case_ref = request.args.get("case", "")
    if not case_ref:
        flash_note("Open the case first, then ask for a payment there.")
        return redirect(url_for("admin.cases_list", view="open"), code=303)
    actor, form = current_actor(), NewRequestForm()

    def work(unit: Session) -> tuple[CaseHead, list[TermRow], list[PayeeView]]:
        case, head = held_case(unit, actor, case_ref)
        return (
            head,
            terms_of(unit, actor, case_ref),
            list_payees(unit, actor, case_id=case.id, limit=200),
        )

    head, terms, payees = reading(work)
    asked = [
        term
        for term in terms
        if term.kind == TermKind.REQUESTED.value and term.state == TermState.ACTIVE.value
    ]
    form.category.choices = [("", "Choose")] + [
        (term.category, f"{category_words(term.category)} (clause {term.clause})")
        for term in {term.category: term for term in asked}.values()
    ]
    form.payee.choices = [("", "Choose"), *((payee.reference, payee.name) for payee in payees)]

    def page() -> str:
        return render_template(
            "admin/requests/new.html",
            form=form,
            head=head,
            terms=asked,
            category_words=category_words,
        )

    if not form.validate_on_submit():
        return page(), 422 if form.is_submitted() else 200
    show_again(form, page)
    reference = _create(form, head)
    flash_done("The request is submitted. A colleague reviews it.")
    return redirect(detail_href(reference), code=303)


def _one_line(form: NewRequestForm) -> list[disbursements.Line]:
    """Return the request as a single line where the form says the day or the units of it."""
    day, units = form.serves_on.data, form.quantity.data
    if day is None and units is None:
        return []
    hundredths = None if units is None else int(units * 100)
    cents = form.amount_cents.cents or 0
    return [disbursements.Line(form.description.data, cents, day, hundredths)]


def _create(form: NewRequestForm, head: CaseHead) -> str:
    actor, when = current_actor(), moment()
    evidence: FileStorage | None = form.evidence.data
    told = {"kind": DocumentKind.EVIDENCE.value, "visibility": Visibility.STAFF.value}
    paper = None
    if evidence and evidence.filename:
        told["title"] = evidence.filename
        paper = taken_in(evidence, case_ref=head.reference, **told)

    def work(unit: Session) -> str:
        kept: list[str] = []
        if paper is not None:
            document = documents.store(
                unit,
                actor,
                case_ref=head.reference,
                **told,
                paper=paper,
                moment=when,
            )
            unit.flush()  # the request refers to the document
            kept.append(document.reference)
        return disbursements.create_request(
            unit,
            actor,
            case_ref=head.reference,
            category=form.category.data,
            payee_ref=form.payee.data,
            amount_cents=form.amount_cents.cents or 0,
            description=form.description.data,
            lines=_one_line(form),
            document_refs=kept,
            pay_on=form.pay_on.data,
            duplicate_reason=form.duplicate_reason.data or "",
            moment=when,
        ).reference

    return in_transaction(work)
