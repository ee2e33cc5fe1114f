"""Requests: the queue, and one request beside its evidence, its clause and its case's money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint, listing
from seedtrust.admin.documents import SHOWN
from seedtrust.admin.forms import Form
from seedtrust.admin.request_forms import AcceptForm, AskForm, RefuseForm, WhyForm
from seedtrust.admin.words import TAX_WORDS, category_words, recorded
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import requests as desk
from seedtrust.domain.disbursements.queries import RequestDetail, request_detail
from seedtrust.domain.disbursements.states import (
    STATE_LABELS,
    STEPS,
    RequestEvent,
    RequestState,
)
from seedtrust.domain.payments.queries import payments_of_request
from seedtrust.domain.payments.views import PaymentView
from seedtrust.domain.terms.plans import quantity_words
from seedtrust.domain.terms.states import Category, TaxClass, TermApprover
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor
from seedtrust.web.guard import requires
from seedtrust.web.headers import PAGE_POLICY, render_policy
from seedtrust.web.page import TimelineItem, Tone

S = RequestState
VIEWS: Final = {
    "review": ("To review", (S.SUBMITTED, S.IN_REVIEW)),
    "waiting": ("Waiting for others", (S.NEEDS_INFO, S.PENDING_APPROVAL)),
    "stuck": ("Stuck", (S.INSUFFICIENT, S.ON_HOLD, S.RETURNED, S.DISPUTED)),
    "reserved": ("Reserved", (S.APPROVED, S.READY)),
    "payment": ("In payment", (S.IN_PAYMENT,)),
    "done": ("Done", (S.PAID, S.DENIED, S.CANCELLED)),
}
# Until the money is reserved, a low balance or cap stands in the way.
_UNDECIDED: Final = frozenset(
    {S.SUBMITTED, S.IN_REVIEW, S.NEEDS_INFO, S.PENDING_APPROVAL, S.APPROVED, S.INSUFFICIENT}
)
APPROVER_WORDS: Final = {
    TermApprover.PRE_AUTHORISED: "nobody else; the contract pre-authorises it",
    TermApprover.ESCROW: "the escrow review",
    TermApprover.INTENDED_PARENTS: "the intended parents, after the review",
}
_ICONS: Final[dict[str, str]] = {
    "ok": "circle-check",
    "bad": "alert-triangle",
    "warn": "clock",
    "info": "circle-arrow-right",
    "neutral": "point",
}


@dataclass(frozen=True)
class Offers:
    """Which decisions this reader may take on this request now, and why not, if there is a why."""

    start: bool
    accept: bool
    refuse: bool
    ask: bool
    recheck: bool
    send_back: bool
    hold: bool
    cancel: bool
    reissue: bool
    check: bool
    why_not: str

    @property
    def any_decision(self) -> bool:
        """Tell whether there is anything to decide."""
        review = self.start or self.accept or self.refuse or self.ask or self.recheck
        return review or self.send_back or self.hold or self.cancel or self.reissue or self.check


def _offers(detail: RequestDetail, beside: desk.Beside) -> Offers:
    actor, state = current_actor(), RequestState(detail.row.state)
    reviews, leads = actor.may(Permission.REQUESTS_REVIEW), actor.may(Permission.REQUESTS_LEAD)
    own = beside.requester_user_id is not None and beside.requester_user_id == actor.user_id

    def leads_to(event: RequestEvent) -> bool:
        return (state, event) in STEPS

    opens = leads_to(RequestEvent.START_REVIEW)
    judged = reviews and not own and (opens or leads_to(RequestEvent.REFUSE))
    asks = reviews and (opens or leads_to(RequestEvent.ASK)) and not own
    needs_review = opens or leads_to(RequestEvent.REFUSE)
    why_not = ""
    if reviews and own and needs_review:
        why_not = "You asked for this payment, so a colleague has to review it."
    elif needs_review and not reviews:
        why_not = "An escrow specialist has to review this request."
    return Offers(
        start=judged and opens,
        accept=judged,
        refuse=judged,
        ask=asks,
        recheck=reviews and leads_to(RequestEvent.RECHECK),
        send_back=(leads and leads_to(RequestEvent.SEND_BACK))
        or (leads and leads_to(RequestEvent.RELEASE_RESERVATION)),
        hold=leads and leads_to(RequestEvent.HOLD),
        cancel=leads and leads_to(RequestEvent.CANCEL),
        reissue=leads and leads_to(RequestEvent.PAY_AGAIN),
        check=state is RequestState.READY and actor.may(Permission.RUNS_BUILD),
        why_not=why_not,
    )


@blueprint.get("/requests")
@requires(Permission.REQUESTS_VIEW)
def requests_list() -> ResponseReturnValue:
    """List requests: those to review first, or any other view, with the sum of what is shown."""
    actor, number = current_actor(), listing.page_number()
    view = request.args.get("view", "")
    state = listing.choice_of("state", RequestState)
    category = listing.choice_of("category", Category)
    states = (state,) if state is not None else VIEWS[view][1] if view in VIEWS else ()
    filters = desk.RequestFilters(
        states=states, category=category.value if category else "", search=listing.text_of("q")
    )
    sort = listing.sort_of(desk.SORTS, "requested" if view == "review" else "-requested")
    csv = listing.wants_csv()
    table = reading(
        lambda unit: desk.request_table(
            unit,
            actor,
            filters=filters,
            sort=sort,
            page=1 if csv else number,
            per_page=listing.EXPORTED if csv else listing.PER_PAGE,
        )
    )
    if csv:
        return _csv(table)
    return render_template(
        "admin/requests/list.html",
        table=table,
        filters=filters,
        view=view,
        views=[(key, words) for key, (words, _) in VIEWS.items()],
        sort=sort,
        page=number,
        per_page=listing.PER_PAGE,
        state=state.value if state else "",
        states=[("", "Any status")] + [(known.value, STATE_LABELS[known]) for known in S],
        categories=[("", "Any purpose")]
        + [(known.value, category_words(known.value)) for known in Category],
        category_words=category_words,
    )


def _csv(table: desk.RequestTable) -> Response:
    return listing.as_csv(
        "requests",
        (
            "Reference",
            "Case",
            "Purpose",
            "Description",
            "Payee",
            "Asked by",
            "Asked on",
            "Pay on",
            "Status",
            "Asked ($)",
            "Approved ($)",
        ),
        (
            (
                row.reference,
                row.case_number,
                row.category,
                row.description,
                row.payee,
                row.requester,
                row.requested_on,
                row.pay_on,
                row.label,
                listing.dollars(row.amount_cents),
                listing.dollars(row.approved_cents),
            )
            for row in table.rows
        ),
    )


@blueprint.get("/requests/<reference>")
@requires(Permission.REQUESTS_VIEW)
def requests_detail(reference: str) -> ResponseReturnValue:
    """Show one request for review."""
    return detail_page(reference)


def detail_page(reference: str, **refused: Form) -> ResponseReturnValue:
    """Return the page of a request; forms that were refused are shown again with their errors."""
    actor = current_actor()

    def work(unit: Session) -> tuple[desk.Beside, RequestDetail, list[PaymentView]]:
        near = desk.beside(unit, actor, reference)
        return (
            near,
            request_detail(unit, actor, reference),
            payments_of_request(unit, near.request_id),
        )

    near, detail, payments = reading(work)
    forms: dict[str, Any] = {
        "accept": AcceptForm(
            formdata=None,
            prefix="accept-",
            amount_cents=_proposed(detail, near),
            version=detail.row.version,
        ),
        "refuse": RefuseForm(formdata=None, prefix="refuse-"),
        "ask": AskForm(formdata=None, prefix="ask-"),
        "send_back": WhyForm(formdata=None, prefix="back-"),
        "hold": WhyForm(formdata=None, prefix="hold-"),
        "cancel": WhyForm(formdata=None, prefix="cancel-"),
        "reissue": WhyForm(formdata=None, prefix="reissue-"),
    }
    page = render_template(
        "admin/requests/detail.html",
        detail=detail,
        row=detail.row,
        near=near,
        payments=payments,
        offers=_offers(detail, near),
        forms={**forms, **refused},
        refused=next(iter(refused), None),
        history=[_step(step) for step in reversed(detail.steps)],
        tax_words=TAX_WORDS[TaxClass(detail.row.tax_class)],
        approver=APPROVER_WORDS[TermApprover(detail.term.approver)] if detail.term else None,
        asks_parents=detail.term is not None
        and detail.term.approver == TermApprover.INTENDED_PARENTS.value,
        quantity_words=quantity_words,
        category_words=category_words,
        is_open=RequestState(detail.row.state) in _UNDECIDED,
        shown=SHOWN,
    )
    response = make_response(page, 422 if refused else 200)
    # Evidence is shown in a frame of our own origin, on this page only.
    policy = {**PAGE_POLICY, "frame-src": "'self'", "object-src": "'self'"}
    response.headers["Content-Security-Policy"] = render_policy(policy)
    return response


def _proposed(detail: RequestDetail, near: desk.Beside) -> int:
    limits = [detail.row.amount_cents]
    if near.left_cents:
        limits.append(near.left_cents)
    if detail.term is not None and detail.term.amount_cents is not None:
        limits.append(detail.term.amount_cents)
    if detail.limits is not None and detail.limits.allowed_cents:
        limits.append(detail.limits.allowed_cents)
    return min(limits)


def _step(step: Any) -> TimelineItem:
    tone: Tone = step.tone
    clause = f"clause {step.clause}" if step.clause else ""
    return TimelineItem(
        title=step.label,
        at=step.on,
        actor=step.actor,
        detail=" · ".join(part for part in (clause, recorded(step.at, step.on)) if part) or None,
        reason=step.reason or None,
        icon=_ICONS[tone],
        tone=tone,
    )


def detail_href(reference: str) -> str:
    """Return the address of a request's page."""
    return url_for("admin.requests_detail", reference=reference)
