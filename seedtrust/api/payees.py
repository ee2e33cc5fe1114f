"""Whom the caller may ask payments for, without a whole account number anywhere."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.schemas import Output
from seedtrust.core.permissions import Permission
from seedtrust.domain.disbursements.askable import askable_payees
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("payees", description="Whom a request may name")


class PayeeOutput(Output):
    """One payee that a request of the caller may name."""

    reference = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "Name, alias or label"})
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in PayeeKind]))
    is_me = fields.Boolean(required=True)
    has_account = fields.Boolean(
        required=True, metadata={"description": "Without an approved account nothing is paid yet"}
    )
    account = fields.String(
        required=True, metadata={"description": "The last four digits of the caller's own account"}
    )


class PayeesOutput(Output):
    """All of them; it is never many."""

    data = fields.List(fields.Nested(PayeeOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/cases/<case>/payees")
@requires(Permission.REQUESTS_CREATE)
@blueprint.response(200, PayeesOutput)
def list_payees(case: str) -> dict[str, Any]:
    """List whom the caller may ask payments for: parents, donors and surrogates themselves."""
    actor = current_actor()
    found = reading(lambda session: askable_payees(session, actor, case))
    return {"data": found, "next_cursor": None}
