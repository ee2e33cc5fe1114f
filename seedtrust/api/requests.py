"""Disbursement requests: ask, list, look, approve, deny, withdraw."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import ONCE, idempotent
from seedtrust.api.pagination import PageQuery, make_cursor, page_of, read_cursor
from seedtrust.api.schemas import Input, Instant, Output, Reference, StrictAmountCents, Text, dump
from seedtrust.core.permissions import Permission
from seedtrust.domain.disbursements import queries, review, service
from seedtrust.domain.disbursements.limits import Limits
from seedtrust.domain.disbursements.queries import RequestDetail
from seedtrust.domain.disbursements.service import MAX_LINES, Line
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.terms.plans import MOST_HUNDREDTHS
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("disbursement_requests", description="Asking for money, and answering")

MOST_DOCUMENTS = 20
_STATES = [state.value for state in RequestState]


class LineInput(Input):
    """One item of a request."""

    description = Text(required=True, min_length=1, max_length=300)
    amount_cents = StrictAmountCents(required=True)
    serves_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "The day it is for, where the contract has a cap a day or a week"},
    )
    quantity_hundredths = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=MOST_HUNDREDTHS),
        metadata={"description": "Units such as hours, times 100: 7.5 hours are 750"},
    )


class RequestInput(Input):
    """A new request; lines, if any, add up to the amount."""

    category = fields.String(required=True, validate=validate.Length(max=40))
    payee = Reference(required=True, metadata={"description": "One of the case's payees"})
    amount_cents = StrictAmountCents(required=True)
    description = Text(required=True, min_length=1, max_length=500)
    lines = fields.List(
        fields.Nested(LineInput), load_default=list, validate=validate.Length(max=MAX_LINES)
    )
    documents = fields.List(
        Reference(),
        load_default=list,
        validate=validate.Length(max=MOST_DOCUMENTS),
        metadata={"description": "Evidence, uploaded to the case before"},
    )
    pay_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "Not before this day"}
    )
    duplicate_reason = Text(
        load_default="",
        max_length=500,
        metadata={"description": "After `duplicate_suspected`: why this is another payment"},
    )
    as_draft = fields.Boolean(load_default=False)


def _is_code(text: str) -> None:
    """Refuse letters that no code has; a database may be unable to compare them."""
    if not text.isascii():
        message = "Use the code of a category, such as per_diem."
        raise ValidationError(message)


class RequestQuery(PageQuery):
    """Filters of the list."""

    state = fields.List(fields.Enum(RequestState, by_value=True), load_default=list)
    category = fields.String(load_default=None, validate=[validate.Length(max=40), _is_code])


class ApproveInput(Input):
    """A yes to the version of the request that was looked at."""

    version = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        metadata={"description": "`version` as it was shown; 409 if it changed since"},
    )


class ReasonInput(Input):
    """Words that the people concerned will read."""

    reason = Text(required=True, min_length=1, max_length=1000)


class AnswerInput(ReasonInput):
    """The answer to a question, and further documents of the case, uploaded before."""

    documents = fields.List(
        Reference(), load_default=list, validate=validate.Length(max=MOST_DOCUMENTS)
    )


class WithdrawInput(Input):
    """Why the request is taken back, if one wants to say."""

    reason = Text(load_default="", max_length=1000)


class RequestOutput(Output):
    """One request in the words that the caller may read."""

    reference = fields.String(required=True)
    case = fields.String(required=True, attribute="case_ref")
    kind = fields.String(required=True)
    category = fields.String(required=True)
    tax_class = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    label = fields.String(required=True, metadata={"description": "The state, for people"})
    amount_cents = fields.Integer(required=True)
    approved_cents = fields.Integer(required=True, allow_none=True)
    payee = fields.String(required=True)
    requester = fields.String(required=True)
    requested_on = fields.Date(required=True)
    pay_on = fields.Date(required=True, allow_none=True)
    description = fields.String(required=True)
    clause = fields.String(required=True)
    version = fields.Integer(required=True)


class LineOutput(Output):
    """One item of a request."""

    number = fields.Integer(required=True)
    description = fields.String(required=True)
    amount_cents = fields.Integer(required=True)
    serves_on = fields.Date(required=True, allow_none=True)
    quantity_hundredths = fields.Integer(required=True, allow_none=True)
    approved_cents = fields.Integer(
        required=True, allow_none=True, metadata={"description": "What the review left of it"}
    )


class LineLimitOutput(Output):
    """A line of which a cap takes something."""

    number = fields.Integer(required=True)
    serves_on = fields.Date(required=True, allow_none=True)
    asked_cents = fields.Integer(required=True)
    allowed_cents = fields.Integer(required=True)
    cap = fields.String(required=True, attribute="cap_words")


class LimitsOutput(Output):
    """What caps by line, day or week leave of a request that is not decided yet."""

    allowed_cents = fields.Integer(required=True)
    caps = fields.List(fields.String(), required=True, metadata={"description": "In words"})
    over = fields.List(fields.Nested(LineLimitOutput), required=True)


class EvidenceOutput(Output):
    """One document behind a request."""

    reference = fields.String(required=True)
    title = fields.String(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    uploaded_by = fields.String(required=True)


class StepOutput(Output):
    """One step of a request's life."""

    label = fields.String(required=True)
    actor = fields.String(required=True)
    amount_cents = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True)
    on = fields.Date(required=True)
    at = Instant(required=True)


class RequestDetailOutput(RequestOutput):
    """One request with everything that belongs to it."""

    reason = fields.String(required=True)
    lines = fields.List(fields.Nested(LineOutput), required=True)
    limits = fields.Nested(LimitsOutput, required=True, allow_none=True)
    evidence = fields.List(fields.Nested(EvidenceOutput), required=True)
    steps = fields.List(fields.Nested(StepOutput), required=True)
    approved_by = fields.List(fields.String(), required=True)
    payee_reference = fields.String(required=True)
    is_requester = fields.Boolean(
        required=True, metadata={"description": "The caller asked, and may submit or withdraw"}
    )


def _members(detail: RequestDetail) -> dict[str, Any]:
    members = {name: getattr(detail.row, name) for name in detail.row.__dataclass_fields__}
    return members | {
        "reason": detail.state_reason,
        "lines": detail.lines,
        "limits": _limits(detail.limits),
        "evidence": detail.evidence,
        "steps": detail.steps,
        "approved_by": detail.approvals,
        "payee_reference": detail.payee_ref,
        "is_requester": detail.is_requester,
    }


def _limits(limits: Limits | None) -> dict[str, Any] | None:
    if limits is None:
        return None
    return {
        "allowed_cents": limits.allowed_cents,
        "caps": [cap.words for cap in limits.caps],
        "over": limits.over,
    }


def _whole(session: Session, reference: str) -> dict[str, Any]:
    session.flush()  # the answer shows what this unit of work has written
    detail = queries.request_detail(session, current_actor(), reference)
    return dump(RequestDetailOutput, _members(detail))


@blueprint.route("/disbursement-requests")
@requires(Permission.REQUESTS_VIEW)
@blueprint.arguments(RequestQuery, location="query")
@blueprint.response(200, page_of(RequestOutput))
def list_all_requests(query: dict[str, Any]) -> dict[str, Any]:
    """List the requests of all cases that the caller may see, the newest first."""
    return _page(query, None)


@blueprint.route("/cases/<case>/disbursement-requests")
@requires(Permission.REQUESTS_VIEW)
@blueprint.arguments(RequestQuery, location="query")
@blueprint.response(200, page_of(RequestOutput))
def list_requests(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List the requests of a case, the newest first."""
    return _page(query, case)


def _page(query: dict[str, Any], case: str | None) -> dict[str, Any]:
    actor = current_actor()
    position = read_cursor(query["cursor"])
    rows, before_id = reading(
        lambda session: queries.list_requests(
            session,
            actor,
            case_ref=case,
            states=query["state"],
            category=query["category"],
            before_id=int(position[0] or 0) if position else None,
            limit=query["limit"],
        )
    )
    return {"data": rows, "next_cursor": make_cursor([before_id]) if before_id else None}


@blueprint.route("/cases/<case>/disbursement-requests", methods=["POST"])
@requires(Permission.REQUESTS_CREATE)
@blueprint.arguments(RequestInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, RequestDetailOutput)
def create_request(values: dict[str, Any], case: str) -> Response:
    """Ask for money; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()
    pay_on: date | None = values["pay_on"]

    def work(session: Session) -> tuple[dict[str, Any], int]:
        made = service.create_request(
            session,
            actor,
            case_ref=case,
            category=values["category"],
            payee_ref=values["payee"],
            amount_cents=values["amount_cents"],
            description=values["description"],
            lines=[Line(**line) for line in values["lines"]],
            document_refs=values["documents"],
            pay_on=pay_on,
            duplicate_reason=values["duplicate_reason"],
            as_draft=values["as_draft"],
            moment=when,
        )
        return _whole(session, made.reference), 201

    return idempotent(work)


@blueprint.route("/disbursement-requests/<reference>")
@requires(Permission.REQUESTS_VIEW)
@blueprint.response(200, RequestDetailOutput)
def show_request(reference: str) -> dict[str, Any]:
    """Show one request with its lines, evidence and steps."""
    actor = current_actor()
    return _members(reading(lambda session: queries.request_detail(session, actor, reference)))


@blueprint.route("/disbursement-requests/<reference>/submit", methods=["POST"])
@requires(Permission.REQUESTS_CREATE)
@blueprint.doc(**ONCE)
@blueprint.response(200, RequestDetailOutput)
def submit_request(reference: str) -> Response:
    """Submit a draft; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        service.submit(session, actor, request_ref=reference, moment=when)
        return _whole(session, reference), 200

    return idempotent(work)


@blueprint.route("/disbursement-requests/<reference>/withdraw", methods=["POST"])
@requires(Permission.REQUESTS_CREATE)
@blueprint.arguments(WithdrawInput)
@blueprint.doc(**ONCE)
@blueprint.response(200, RequestDetailOutput)
def withdraw_request(values: dict[str, Any], reference: str) -> Response:
    """Take a request back; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        service.withdraw(
            session, actor, request_ref=reference, reason=values["reason"], moment=when
        )
        return _whole(session, reference), 200

    return idempotent(work)


@blueprint.route("/disbursement-requests/<reference>/answer", methods=["POST"])
@requires(Permission.REQUESTS_CREATE)
@blueprint.arguments(AnswerInput)
@blueprint.doc(**ONCE)
@blueprint.response(200, RequestDetailOutput)
def answer_request(values: dict[str, Any], reference: str) -> Response:
    """Answer a question; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        review.answer(
            session,
            actor,
            request_ref=reference,
            text=values["reason"],
            document_refs=values["documents"],
            moment=when,
        )
        return _whole(session, reference), 200

    return idempotent(work)


@blueprint.route("/disbursement-requests/<reference>/approve", methods=["POST"])
@requires(Permission.REQUESTS_APPROVE)
@blueprint.arguments(ApproveInput)
@blueprint.doc(**ONCE)
@blueprint.response(200, RequestDetailOutput)
def approve_request(values: dict[str, Any], reference: str) -> Response:
    """Approve as an intended parent; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        review.approve(
            session, actor, request_ref=reference, expected_version=values["version"], moment=when
        )
        return _whole(session, reference), 200

    return idempotent(work)


@blueprint.route("/disbursement-requests/<reference>/deny", methods=["POST"])
@requires(Permission.REQUESTS_APPROVE)
@blueprint.arguments(ReasonInput)
@blueprint.doc(**ONCE)
@blueprint.response(200, RequestDetailOutput)
def deny_request(values: dict[str, Any], reference: str) -> Response:
    """Deny as an intended parent, with a reason; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        review.deny(session, actor, request_ref=reference, reason=values["reason"], moment=when)
        return _whole(session, reference), 200

    return idempotent(work)
