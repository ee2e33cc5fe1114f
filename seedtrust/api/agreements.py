"""Agreements of a case: read what is out for signature, sign it, decline it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import ONCE, idempotent
from seedtrust.api.schemas import Input, Instant, Output, Text, dump
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.states import AgreementKind, AgreementState
from seedtrust.domain.signing import queries, service
from seedtrust.domain.signing.given import Signature
from seedtrust.domain.signing.queries import SigningView
from seedtrust.domain.signing.states import CopyPart, SignatureMethod, SigningOrder
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.client import current_client
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("agreements", description="Agreements and signatures")

_SHA256 = validate.Regexp(r"^[0-9a-f]{64}$", error="Send the document_sha256 that was shown.")


def _values(words: type[Any]) -> validate.OneOf:
    return validate.OneOf([word.value for word in words])


class SignInput(Input):
    """A signature: how it is given, and what was shown before it."""

    method = fields.String(required=True, validate=_values(SignatureMethod))
    typed_name = Text(
        load_default="",
        max_length=120,
        metadata={"description": "The caller's full name; needed when `method` is `typed`"},
    )
    drawing = fields.List(
        fields.List(fields.List(fields.Integer(strict=True), validate=validate.Length(equal=2))),
        load_default=list,
        metadata={
            "description": "Strokes of points [x, y] on a field of 600 by 200, the origin at the "
            "upper left; needed when `method` is `drawn`"
        },
    )
    consent_version = fields.Integer(
        required=True,
        strict=True,
        metadata={"description": "The version of the consent text that the caller agreed to"},
    )
    document_sha256 = fields.String(
        required=True,
        validate=_SHA256,
        metadata={"description": "Of the text that the caller was shown"},
    )


class DeclineInput(Input):
    """Why somebody does not sign."""

    reason = Text(required=True, min_length=1, max_length=500)


class SignerOutput(Output):
    """One party who has to sign."""

    party = fields.String(required=True, attribute="party_ref")
    label = fields.String(required=True, metadata={"description": "Name or alias"})
    signed_on = fields.Date(required=True, allow_none=True)
    is_me = fields.Boolean(required=True)


class PaperOutput(Output):
    """One paper; `GET /documents/{document}` gives it."""

    part = fields.String(required=True, validate=_values(CopyPart))
    label = fields.String(required=True)
    document = fields.String(required=True, attribute="document_ref")
    sha256 = fields.String(required=True)


class DeclinedOutput(Output):
    """Who said no; the reason is shown to that party alone."""

    label = fields.String(required=True)
    reason = fields.String(required=True)
    declined_at = Instant(required=True)


class AgreementOutput(Output):
    """One version of an agreement, with what signing it needs."""

    reference = fields.String(required=True, attribute="agreement.reference")
    kind = fields.String(required=True, attribute="agreement.kind", validate=_values(AgreementKind))
    label = fields.String(required=True, attribute="agreement.label")
    title = fields.String(required=True, attribute="agreement.title")
    version_number = fields.Integer(required=True, attribute="agreement.version_number")
    state = fields.String(
        required=True, attribute="agreement.state", validate=_values(AgreementState)
    )
    state_label = fields.String(required=True, attribute="agreement.state_label")
    executed_on = fields.Date(required=True, allow_none=True, attribute="agreement.executed_on")
    is_electronic = fields.Boolean(
        required=True, metadata={"description": "False: it is signed on paper"}
    )
    signing_order = fields.String(required=True, validate=_values(SigningOrder))
    order_label = fields.String(required=True)
    document = fields.String(
        required=True,
        attribute="document_ref",
        metadata={"description": "The text as the caller reads it; empty where it is on paper"},
    )
    document_sha256 = fields.String(required=True)
    consent_version = fields.Integer(required=True)
    consent = fields.String(required=True, metadata={"description": "Show it before signing"})
    may_sign = fields.Boolean(required=True, attribute="is_my_turn")
    signers = fields.List(
        fields.Nested(SignerOutput), required=True, attribute="agreement.signatures"
    )
    papers = fields.List(fields.Nested(PaperOutput), required=True)
    declined = fields.Nested(DeclinedOutput, required=True, allow_none=True)


class AgreementsOutput(Output):
    """The agreements of a case, the newest version of each kind first."""

    data = fields.List(fields.Nested(AgreementOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/cases/<case>/agreements")
@requires(Permission.CASES_VIEW)
@blueprint.response(200, AgreementsOutput)
def list_agreements(case: str) -> dict[str, Any]:
    """List the agreements of a case that the caller's side is part of."""
    actor = current_actor()
    found = reading(lambda session: queries.signings_of(session, actor, case))
    return {"data": found, "next_cursor": None}


@blueprint.route("/cases/<case>/agreements/<agreement>")
@requires(Permission.CASES_VIEW)
@blueprint.response(200, AgreementOutput)
def show_agreement(case: str, agreement: str) -> SigningView:
    """Show one agreement: its text, the consent, whose turn it is, and its papers."""
    actor = current_actor()
    return reading(lambda session: queries.agreement_for(session, actor, agreement, case))


@blueprint.route("/cases/<case>/agreements/<agreement>/sign", methods=["POST"])
@requires(Permission.AGREEMENTS_SIGN)
@blueprint.arguments(SignInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, AgreementOutput)
def sign_agreement(values: dict[str, Any], case: str, agreement: str) -> Response:
    """Sign for oneself what was shown; needs an Idempotency-Key.

    The last signature puts the agreement in force; certificate and copies follow.
    """
    actor, when, client = current_actor(), moment(), current_client()

    def act(session: Session) -> None:
        service.sign_electronically(
            session,
            actor,
            agreement_ref=agreement,
            signature=Signature(**values),
            client=client,
            moment=when,
        )

    return _answer(act, case, agreement)


@blueprint.route("/cases/<case>/agreements/<agreement>/decline", methods=["POST"])
@requires(Permission.AGREEMENTS_SIGN)
@blueprint.arguments(DeclineInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, AgreementOutput)
def decline_agreement(values: dict[str, Any], case: str, agreement: str) -> Response:
    """Say no, with a reason; nobody signs this version any more. Needs an Idempotency-Key."""
    actor, when, client = current_actor(), moment(), current_client()

    def act(session: Session) -> None:
        service.decline(
            session,
            actor,
            agreement_ref=agreement,
            reason=values["reason"],
            client=client,
            moment=when,
        )

    return _answer(act, case, agreement)


def _answer(act: Callable[[Session], None], case: str, agreement: str) -> Response:
    actor = current_actor()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        queries.agreement_for(session, actor, agreement, case)  # of this case, and in reach
        act(session)
        session.flush()  # the answer shows what this unit of work has written
        found = queries.agreement_for(session, actor, agreement, case)
        return dump(AgreementOutput, found), 201

    return idempotent(work)
