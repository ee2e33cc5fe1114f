"""Money into a case: what the parents were asked for, and what has come in."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.pagination import PageQuery, Position, page_of, paginate
from seedtrust.api.schemas import Output
from seedtrust.core.permissions import Permission
from seedtrust.domain.funding import queries
from seedtrust.domain.funding.queries import FundingView, ReceiptView
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("funding", description="Money that comes into a case")


class FundingRequestOutput(Output):
    """A request to the parents for money."""

    reference = fields.String(required=True)
    state = fields.String(
        required=True,
        metadata={
            "description": "`SENT`, `PART_FUNDED`, `FUNDED`, `OVERDUE`, `ESCALATED`, `CANCELLED`; "
            "staff read `DRAFT` as well"
        },
    )
    reason = fields.String(required=True)
    amount_cents = fields.Integer(required=True)
    received_cents = fields.Integer(required=True)
    open_cents = fields.Integer(required=True)
    raised_on = fields.Date(required=True)
    sent_on = fields.Date(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    short_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "When the balance would fall below the minimum"},
    )
    short_cents = fields.Integer(
        required=True, metadata={"description": "What would then be missing"}
    )


class DepositOutput(Output):
    """Money that came in for the case."""

    reference = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "For example `COLLECTED`"})
    rail = fields.String(required=True, metadata={"description": "`wire` or `check`"})
    amount_cents = fields.Integer(required=True)
    sender_name = fields.String(required=True)
    received_on = fields.Date(required=True)
    available_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "From when it can be spent; null after it came back"},
    )
    returned_on = fields.Date(required=True, allow_none=True)


@blueprint.route("/cases/<case>/funding-requests")
@requires(Permission.LEDGER_VIEW)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(FundingRequestOutput))
def list_funding_requests(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List what the parents of the case were asked to send, the newest first."""
    actor = current_actor()

    def fetch(after: Position | None, limit: int) -> list[FundingView]:
        return reading(
            lambda session: queries.funding_requests_for(
                session, actor, case, after=_id_of(after), limit=limit
            )
        )

    return paginate(query, fetch, lambda row: [row.id])


@blueprint.route("/cases/<case>/deposits")
@requires(Permission.LEDGER_VIEW)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(DepositOutput))
def list_deposits(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List what came in for the case, the newest first."""
    actor = current_actor()

    def fetch(after: Position | None, limit: int) -> list[ReceiptView]:
        return reading(
            lambda session: queries.deposits_for(
                session, actor, case, after=_id_of(after), limit=limit
            )
        )

    return paginate(query, fetch, lambda row: [row.id])


def _id_of(position: Position | None) -> int | None:
    return None if position is None else int(position[0] or 0)
