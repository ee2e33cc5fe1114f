"""Cases: the list, one case with its people and its course, and what its contract expects."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.pagination import PageQuery, make_cursor, page_of, read_cursor
from seedtrust.api.schemas import Output
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases import queries, views
from seedtrust.domain.cases.people import viewpoint
from seedtrust.domain.cases.queries import CaseFilters, CaseView
from seedtrust.domain.cases.states import CaseKind, Side, Stage
from seedtrust.domain.terms import queries as terms
from seedtrust.domain.terms.states import ItemState
from seedtrust.domain.terms.views import ScheduleLine
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("cases", description="Cases that the caller may see")

NEXT_PAYMENTS = 3
_STAGES = [stage.value for stage in Stage]
_SIDES = [side.value for side in Side]


class CaseQuery(PageQuery):
    """Filters of the list."""

    stage = fields.List(fields.Enum(Stage, by_value=True), load_default=list)
    kind = fields.Enum(CaseKind, by_value=True, load_default=None)
    search = fields.String(
        load_default="",
        validate=validate.Length(max=100),
        metadata={"description": "Case number or reference; names for staff only"},
    )
    assigned_to_me = fields.Boolean(load_default=False)


class CaseRowOutput(Output):
    """One case of the list."""

    reference = fields.String(required=True)
    number = fields.Integer(required=True)
    name = fields.String(
        required=True, metadata={"description": "Between donor and parents only the number"}
    )
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in CaseKind]))
    stage = fields.String(required=True, validate=validate.OneOf(_STAGES))
    stage_label = fields.String(required=True)
    stage_since_on = fields.Date(required=True)
    on_hold = fields.Boolean(required=True)
    agency = fields.String(required=True)
    opened_on = fields.Date(required=True)
    closed_on = fields.Date(required=True, allow_none=True)


class PartyOutput(Output):
    """One person on the case; across the sides of a donation an alias and nothing else."""

    reference = fields.String(required=True)
    role = fields.String(required=True)
    role_label = fields.String(required=True)
    side = fields.String(required=True, validate=validate.OneOf(_SIDES))
    label = fields.String(required=True, metadata={"description": "Name or alias"})
    is_alias = fields.Boolean(required=True)
    email = fields.String(required=True, metadata={"description": "Empty where it is hidden"})
    place = fields.String(required=True)
    must_sign = fields.Boolean(required=True)
    must_certify = fields.Boolean(required=True)
    is_me = fields.Boolean(required=True)


class TeamOutput(Output):
    """One person who looks after the case."""

    name = fields.String(required=True)
    email = fields.String(required=True)
    label = fields.String(required=True)
    is_staff = fields.Boolean(required=True, metadata={"description": "Of SeedTrust, or outside"})


class StageOutput(Output):
    """One stage of the timeline."""

    stage = fields.String(required=True)
    label = fields.String(required=True)
    progress = fields.String(
        required=True,
        validate=validate.OneOf(["done", "current", "skipped", "upcoming"]),
    )
    entered_on = fields.Date(required=True, allow_none=True)


class MilestoneOutput(Output):
    """One recorded milestone."""

    code = fields.String(required=True)
    label = fields.String(required=True)
    occurrence = fields.Integer(required=True)
    occurred_on = fields.Date(required=True)


class ScheduleItemOutput(Output):
    """One payment that the contract expects, and what has become of it."""

    reference = fields.String(required=True)
    title = fields.String(required=True)
    clause = fields.String(required=True)
    category = fields.String(required=True)
    kind = fields.String(required=True)
    payee = fields.String(required=True)
    amount_cents = fields.Integer(required=True)
    due_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "Null until its milestone"}
    )
    waits_for = fields.String(required=True, metadata={"description": "The milestone, in words"})
    state = fields.String(
        required=True, validate=validate.OneOf([state.value for state in ItemState])
    )
    state_label = fields.String(required=True)
    request = fields.String(
        required=True, attribute="request_ref", metadata={"description": "Empty before it is paid"}
    )


class CaseOutput(CaseRowOutput):
    """One case with its people, its course and what is paid next."""

    kind_label = fields.String(required=True)
    is_open = fields.Boolean(required=True)
    anonymous = fields.Boolean(required=True)
    viewer_side = fields.String(
        required=True, allow_none=True, metadata={"description": "Null for SeedTrust's staff"}
    )
    all_parents_approve = fields.Boolean(required=True)
    funding_required_cents = fields.Integer(required=True, allow_none=True)
    minimum_balance_cents = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Null where the case keeps its balance from the caller"},
    )
    parties = fields.List(fields.Nested(PartyOutput), required=True)
    team = fields.List(fields.Nested(TeamOutput), required=True)
    stages = fields.List(fields.Nested(StageOutput), required=True)
    milestones = fields.List(fields.Nested(MilestoneOutput), required=True)
    next_payments = fields.List(fields.Nested(ScheduleItemOutput), required=True)


class ScheduleOutput(Output):
    """The whole schedule of a case; it is never long."""

    data = fields.List(fields.Nested(ScheduleItemOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/cases")
@requires(Permission.CASES_VIEW)
@blueprint.arguments(CaseQuery, location="query")
@blueprint.response(200, page_of(CaseRowOutput))
def list_cases(query: dict[str, Any]) -> dict[str, Any]:
    """List the cases that the caller may see, the newest first."""
    actor = current_actor()
    position = read_cursor(query["cursor"])
    filters = CaseFilters(
        stages=tuple(query["stage"]),
        kind=query["kind"],
        search=query["search"],
        assigned_to_me=query["assigned_to_me"],
    )
    page = reading(
        lambda session: queries.list_cases(
            session,
            actor,
            filters=filters,
            cursor=str(position[0]) if position else None,
            limit=query["limit"],
        )
    )
    cursor = make_cursor([page.next_cursor]) if page.next_cursor else None
    return {"data": page.rows, "next_cursor": cursor}


@blueprint.route("/cases/<case>")
@requires(Permission.CASES_VIEW)
@blueprint.response(200, CaseOutput)
def show_case(case: str) -> dict[str, Any]:
    """Show one case with its stages, people, milestones and next payments."""
    actor = current_actor()

    def work(session: Session) -> dict[str, Any]:
        held = queries.case_for(session, actor, case)
        seen = viewpoint(session, actor, held)
        schedule: list[ScheduleLine] = []
        if actor.may(Permission.SCHEDULE_VIEW):
            schedule = terms.schedule_of(session, actor, held, seen=seen)
        return _members(views.view_of(session, actor, held, seen=seen)) | {
            "milestones": queries.milestones_view(session, actor, held, seen=seen),
            "next_payments": _next_of(schedule),
        }

    return reading(work)


def _members(view: CaseView) -> dict[str, Any]:
    members = {name: getattr(view, name) for name in view.__dataclass_fields__}
    members["on_hold"] = view.stage == Stage.ON_HOLD
    if view.viewer_side == Side.CARRIER and view.carrier_sees_balance != "full":
        # How much the parents keep on the case is theirs to tell.
        members |= {"funding_required_cents": None, "minimum_balance_cents": None}
    return members


def _next_of(schedule: list[ScheduleLine]) -> list[ScheduleLine]:
    planned = [line for line in schedule if line.state == ItemState.PLANNED]
    return planned[:NEXT_PAYMENTS]


@blueprint.route("/cases/<case>/schedule")
@requires(Permission.SCHEDULE_VIEW)
@blueprint.response(200, ScheduleOutput)
def show_schedule(case: str) -> dict[str, Any]:
    """List the payments that the contract expects, by day; those that wait stand last.

    A donor or surrogate reads the own payments only.
    """
    actor = current_actor()

    def work(session: Session) -> list[ScheduleLine]:
        held = queries.case_for(session, actor, case, Permission.SCHEDULE_VIEW)
        return terms.schedule_of(session, actor, held)

    return {"data": reading(work), "next_cursor": None}
