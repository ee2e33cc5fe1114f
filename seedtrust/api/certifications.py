"""The end of a case: the final accounting, and each party's word that nothing more is due."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import ONCE, idempotent
from seedtrust.api.schemas import Input, Output, Reference, dump
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.closing import queries, service
from seedtrust.domain.closing.queries import AccountingView
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("certifications", description="Closing a case")


class CertificationInput(Input):
    """For which party; only needed by who stands for several."""

    party = Reference(load_default=None, allow_none=True)


class CertificationOutput(Output):
    """One party who has to certify."""

    party = fields.String(required=True, attribute="party_ref")
    label = fields.String(required=True)
    role_label = fields.String(required=True)
    certified_on = fields.Date(required=True, allow_none=True)
    is_me = fields.Boolean(required=True)


class CategorySumOutput(Output):
    """What was paid under one category."""

    category = fields.String(required=True)
    paid_cents = fields.Integer(required=True, metadata={"description": "Less what came back"})


class AccountingOutput(Output):
    """The final accounting; figures are null where the case keeps them from the caller."""

    reference = fields.String(required=True)
    number = fields.Integer(required=True)
    state = fields.String(required=True)
    state_label = fields.String(required=True)
    deposits_cents = fields.Integer(required=True, allow_none=True)
    paid_cents = fields.Integer(required=True, allow_none=True)
    refund_cents = fields.Integer(required=True, allow_none=True)
    by_category = fields.List(fields.Nested(CategorySumOutput), required=True)
    content_hash = fields.String(
        required=True, metadata={"description": "SHA-256 of what is certified"}
    )
    is_current = fields.Boolean(required=True, metadata={"description": "The books still say so"})
    prepared_on = fields.Date(required=True)
    approved_on = fields.Date(required=True, allow_none=True)
    certifications = fields.List(fields.Nested(CertificationOutput), required=True)
    may_certify = fields.Boolean(required=True)


@blueprint.route("/cases/<case>/final-accounting")
@requires(Permission.CASES_VIEW)
@blueprint.response(200, AccountingOutput)
def show_accounting(case: str) -> AccountingView:
    """Show the final accounting of a case and who has certified it."""
    actor = current_actor()
    return reading(lambda session: _accounting(session, actor, case))


def _accounting(session: Session, actor: Actor, case: str) -> AccountingView:
    found = queries.accounting_view(session, actor, case)
    if found is None:
        raise NotFound("There is no final accounting of this case yet.")
    return found


@blueprint.route("/cases/<case>/certifications", methods=["POST"])
@requires(Permission.CASES_CERTIFY)
@blueprint.arguments(CertificationInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, AccountingOutput)
def certify(values: dict[str, Any], case: str) -> Response:
    """Certify that all is paid and nothing more is due; needs an Idempotency-Key."""
    actor, when = current_actor(), moment()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        service.certify(session, actor, case_ref=case, party_ref=values["party"], moment=when)
        session.flush()  # the answer shows what this unit of work has written
        return dump(AccountingOutput, _accounting(session, actor, case)), 201

    return idempotent(work)
