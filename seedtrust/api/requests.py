"""Disbursement requests: ask, list, look, approve, deny, withdraw."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import idempotent
from seedtrust.api.pagination import PageQuery, make_cursor, page_of, read_cursor
from seedtrust.api.schemas import Input, Instant, Output, Reference, StrictAmountCents, Text, dump
from seedtrust.core.permissions import Permission
from seedtrust.domain.disbursements import queries, review, service
from seedtrust.domain.disbursements.queries import RequestDetail
from seedtrust.domain.disbursements.service import Line
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("disbursement_requests", description="Asking for money, and answering")


class LineInput(Input):
    """One item of a request."""

    description = Text(required=True, min_length=1, max_length=300)
    amount_cents = StrictAmountCents(required=True)


class RequestInput(Input):
    """A new request; lines, if any, add up to the amount."""

    category = fields.String(required=True, validate=validate.Length(max=40))
    payee = Reference(required=True, metadata={"description": "Reference of the payee"})
    amount_cents = StrictAmountCents(required=True)
    description = Text(required=True, min_length=1, max_length=500)
    lines = fields.List(fields.Nested(LineInput), load_default=list)
    documents = fields.List(Reference(), load_default=list)
    pay_on = fields.Date(load_default=None, allow_none=True)
    duplicate_reason = Text(load_default="", max_length=500)
    as_draft = fields.Boolean(load_default=False)


class RequestQuery(PageQuery):
    """Filters of the list."""

    state = fields.List(fields.Enum(RequestState, by_value=True), load_default=list)
    category = fields.String(load_default=None, validate=validate.Length(max=40))


class ApproveInput(Input):
    """A yes to the version of the request that was looked at."""

    version = fields.Integer(load_default=None, allow_none=True, strict=True)


class ReasonInput(Input):
    """Words that the people concerned will read."""

    reason = Text(required=True, min_length=1, max_length=1000)


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
    state = fields.String(required=True)
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


class EvidenceOutput(Output):
    """One document behind a request."""

    reference = fields.String(required=True)
    title = fields.String(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    sha256 = fields.String(required=True)


class StepOutput(Output):
    """One step of a request's life."""

    label = fields.String(required=True)
    actor = fields.String(required=True)
    reason = fields.String(required=True)
    on = fields.Date(required=True)
    at = Instant(required=True)


class RequestDetailOutput(RequestOutput):
    """One request with everything that belongs to it."""

    reason = fields.String(required=True)
    lines = fields.List(fields.Nested(LineOutput), required=True)
    evidence = fields.List(fields.Nested(EvidenceOutput), required=True)
    steps = fields.List(fields.Nested(StepOutput), required=True)
    approved_by = fields.List(fields.String(), required=True)


def _members(detail: RequestDetail) -> dict[str, Any]:
    members = {name: getattr(detail.row, name) for name in detail.row.__dataclass_fields__}
    return members | {
        "reason": detail.state_reason,
        "lines": detail.lines,
        "evidence": detail.evidence,
        "steps": detail.steps,
        "approved_by": detail.approvals,
    }


def _whole(session: Session, reference: str) -> dict[str, Any]:
    session.flush()  # the answer shows what this unit of work has written
    detail = queries.request_detail(session, current_actor(), reference)
    return dump(RequestDetailOutput, _members(detail))


@blueprint.route("/cases/<case>/disbursement-requests")
@requires(Permission.REQUESTS_VIEW)
@blueprint.arguments(RequestQuery, location="query")
@blueprint.response(200, page_of(RequestOutput))
def list_requests(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List the requests of a case, the newest first."""
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
            lines=[Line(line["description"], line["amount_cents"]) for line in values["lines"]],
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
    return _members(
        reading(lambda session: queries.request_detail(session, actor, reference))
    )


@blueprint.route("/disbursement-requests/<reference>/submit", methods=["POST"])
@requires(Permission.REQUESTS_CREATE)
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
@blueprint.arguments(ReasonInput)
@blueprint.response(200, RequestDetailOutput)
def answer_request(values: dict[str, Any], reference: str) -> Response:
    """Answer a question; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        review.answer(session, actor, request_ref=reference, text=values["reason"], moment=when)
        return _whole(session, reference), 200

    return idempotent(work)


@blueprint.route("/disbursement-requests/<reference>/approve", methods=["POST"])
@requires(Permission.REQUESTS_APPROVE)
@blueprint.arguments(ApproveInput)
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
@blueprint.response(200, RequestDetailOutput)
def deny_request(values: dict[str, Any], reference: str) -> Response:
    """Deny as an intended parent, with a reason; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        review.deny(session, actor, request_ref=reference, reason=values["reason"], moment=when)
        return _whole(session, reference), 200

    return idempotent(work)
