"""Letting the escrow draw money from a bank account, and asking for it: e-checks."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import ONCE, idempotent
from seedtrust.api.pagination import PageQuery, Position, page_of, paginate
from seedtrust.api.schemas import Input, Instant, Output, Reference, Text, dump
from seedtrust.core.permissions import Permission
from seedtrust.domain.echecks import authorising, pulling, queries
from seedtrust.domain.echecks.queries import AuthorisationView, PullView
from seedtrust.domain.echecks.states import AuthorisationState, PullState
from seedtrust.domain.payees.states import AccountType
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, keyring, moment
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("echecks", description="Money drawn from a parent's bank account")


class AuthorisationInput(Input):
    """Whose account may be debited, and the very text that was agreed to."""

    holder_name = Text(required=True, min_length=1, max_length=120)
    account_type = fields.String(
        required=True, validate=validate.OneOf([kind.value for kind in AccountType])
    )
    routing_number = fields.String(required=True, validate=validate.Length(max=20))
    account_number = fields.String(required=True, validate=validate.Length(max=40))
    accepted_text = Text(
        required=True,
        min_length=1,
        max_length=1000,
        metadata={"description": "The text as the server gave it, once its reader agreed to it"},
    )


class AuthorisationOutput(Output):
    """An account that may be debited, or might once; the number is masked for good."""

    reference = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf([state.value for state in AuthorisationState])
    )
    state_label = fields.String(required=True)
    holder_name = fields.String(required=True)
    account_type = fields.String(required=True)
    account = fields.String(required=True, attribute="masked_number")
    text = fields.String(required=True)
    given_at = Instant(required=True)


class AuthorisationsOutput(Output):
    """All of them, with the text that holds now."""

    text = fields.String(
        required=True, metadata={"description": "Show it whole, and send it back as agreed to"}
    )
    data = fields.List(fields.Nested(AuthorisationOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RevocationInput(Input):
    """Why an authorisation ends."""

    reason = Text(required=True, min_length=1, max_length=300)


class EcheckInput(Input):
    """How much to draw, from which account, towards which request for funds."""

    authorisation = Reference(required=True)
    funding_request = Reference(required=True)
    amount_cents = fields.Integer(required=True, strict=True)


class EcheckOutput(Output):
    """One debit; money that came in this way can be spent after five banking days."""

    reference = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf([state.value for state in PullState])
    )
    state_label = fields.String(required=True)
    amount_cents = fields.Integer(required=True)
    authorisation = fields.String(required=True, attribute="authorisation_ref")
    funding_request = fields.String(required=True, attribute="funding_ref")
    account = fields.String(required=True, attribute="masked_number")
    asked_on = fields.Date(required=True)
    settled_on = fields.Date(required=True, allow_none=True)
    ended_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "When it was refused or returned"}
    )
    return_reason = fields.String(required=True)


@blueprint.route("/cases/<case>/debit-authorisations")
@requires(Permission.ECHECKS_AUTHORISE)
@blueprint.response(200, AuthorisationsOutput)
def list_authorisations(case: str) -> dict[str, Any]:
    """List the caller's accounts that may be debited for the case, and the text to agree to."""
    actor = current_actor()

    def read(session: Session) -> dict[str, Any]:
        found = queries.authorisations_for(session, actor, case)
        text = authorising.text_for(session, actor, case)
        return {"text": text, "data": [_members(one) for one in found], "next_cursor": None}

    return reading(read)


@blueprint.route("/cases/<case>/debit-authorisations", methods=["POST"])
@requires(Permission.ECHECKS_AUTHORISE)
@blueprint.arguments(AuthorisationInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, AuthorisationOutput)
def give_authorisation(values: dict[str, Any], case: str) -> Response:
    """Authorise debits of an account; it is debited once the account is checked."""
    actor, when, keys = current_actor(), moment(), keyring()
    address = request.remote_addr or ""

    def work(session: Session) -> tuple[dict[str, Any], int]:
        made = authorising.give_authorisation(
            session,
            actor,
            case_ref=case,
            holder_name=values["holder_name"],
            account_type=values["account_type"],
            routing_number=values["routing_number"],
            account_number=values["account_number"],
            accepted_text=values["accepted_text"],
            given_from=address,
            keyring=keys,
            moment=when,
        )
        session.flush()  # the answer shows what this unit of work has written
        view = queries.authorisation_view(session, actor, made.reference)
        return dump(AuthorisationOutput, _members(view)), 201

    return idempotent(work)


@blueprint.route("/debit-authorisations/<authorisation>/revoke", methods=["POST"])
@requires(Permission.ECHECKS_AUTHORISE)
@blueprint.arguments(RevocationInput)
@blueprint.doc(**ONCE)
@blueprint.response(200, AuthorisationOutput)
def revoke_authorisation(values: dict[str, Any], authorisation: str) -> Response:
    """Revoke an authorisation; e-checks that have not gone to the bank are cancelled."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        authorising.revoke(
            session,
            actor,
            authorisation_ref=authorisation,
            reason=values["reason"],
            moment=when,
        )
        session.flush()  # the answer shows what this unit of work has written
        view = queries.authorisation_view(session, actor, authorisation)
        return dump(AuthorisationOutput, _members(view)), 200

    return idempotent(work)


@blueprint.route("/cases/<case>/echecks")
@requires(Permission.ECHECKS_VIEW)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(EcheckOutput))
def list_echecks(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List the debits of the caller's accounts for the case, the newest first."""
    actor = current_actor()

    def fetch(after: Position | None, limit: int) -> list[PullView]:
        last = None if after is None else int(after[0] or 0)
        return reading(
            lambda session: queries.pulls_for(
                session, actor, case_ref=case, after=last, limit=limit
            )
        )

    return paginate(query, fetch, lambda row: [row.id])


@blueprint.route("/echecks", methods=["POST"])
@requires(Permission.ECHECKS_ASK)
@blueprint.arguments(EcheckInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, EcheckOutput)
def ask_for_echeck(values: dict[str, Any]) -> Response:
    """Ask for a debit of an authorised account towards a request for funds."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        made = pulling.ask_for_pull(
            session,
            actor,
            authorisation_ref=values["authorisation"],
            funding_request_ref=values["funding_request"],
            amount_cents=values["amount_cents"],
            moment=when,
        )
        session.flush()  # the answer shows what this unit of work has written
        return dump(EcheckOutput, queries.pull_view(session, actor, made.reference)), 201

    return idempotent(work)


def _members(view: AuthorisationView) -> dict[str, Any]:
    names = ("reference", "state_label", "holder_name", "account_type", "masked_number", "text")
    members = {name: getattr(view, name) for name in names}
    return members | {"state": view.state.value, "given_at": view.given_at}
