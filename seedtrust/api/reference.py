"""Fixed lists that clients show: categories of money and what opens them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.schemas import Output
from seedtrust.domain.cases.stages import MILESTONE_LABELS
from seedtrust.domain.disbursements.service import NOT_ASKED_FOR
from seedtrust.domain.terms.states import UNLOCKED_BY, Category
from seedtrust.web.guard import SIGNED_IN, requires

blueprint = ApiBlueprint("reference", description="Fixed lists")


class OpenerOutput(Output):
    """One milestone that opens a category."""

    code = fields.String(required=True)
    label = fields.String(required=True)


class CategoryOutput(Output):
    """What money is for."""

    code = fields.String(required=True)
    label = fields.String(required=True)
    can_be_requested = fields.Boolean(
        required=True, metadata={"description": "False for what SeedTrust books itself"}
    )
    opened_by = fields.List(
        fields.Nested(OpenerOutput),
        required=True,
        metadata={"description": "Any of these; a contract may name another. Empty: always open"},
    )


class CategoriesOutput(Output):
    """All categories."""

    data = fields.List(fields.Nested(CategoryOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/reference/categories")
@requires(SIGNED_IN)
@blueprint.response(200, CategoriesOutput)
def list_categories() -> dict[str, Any]:
    """List the categories of money with the milestones that open them."""
    found = [
        {
            "code": category.value,
            "label": category.value.replace("_", " ").capitalize(),
            "can_be_requested": category not in NOT_ASKED_FOR,
            "opened_by": [
                {"code": code.value, "label": MILESTONE_LABELS[code]}
                for code in UNLOCKED_BY.get(category, ())
            ],
        }
        for category in Category
    ]
    return {"data": found, "next_cursor": None}
