"""Reading cases: the one accessor and the list; what a door shows of one stands in views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import false, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from seedtrust.core.db import is_text
from seedtrust.core.errors import Invalid
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.anonymity import case_label, hides, party_label
from seedtrust.domain.cases.models import Agency, Case, CaseTeamMember
from seedtrust.domain.cases.people import milestones_of, parties_of, veil_for, veil_on
from seedtrust.domain.cases.scope import case_for, cases_in_scope, side_of, sides_of
from seedtrust.domain.cases.states import STAGE_LABELS, CaseKind, Side, Stage
from seedtrust.domain.cases.views import (
    ActivityLine,
    CaseView,
    MilestoneView,
    PartyView,
    StageStep,
    TeamView,
    activity,
    case_view,
    milestones_view,
    timeline,
)

__all__ = [
    "ActivityLine",
    "AgencyRow",
    "CaseFilters",
    "CasePage",
    "CaseRow",
    "CaseView",
    "MilestoneView",
    "PartyView",
    "StageStep",
    "TeamView",
    "activity",
    "agencies",
    "case_for",
    "case_label",
    "case_view",
    "cases_in_scope",
    "hides",
    "list_cases",
    "milestones_of",
    "milestones_view",
    "parties_of",
    "party_label",
    "side_of",
    "sides_of",
    "stage_counts",
    "timeline",
    "veil_for",
    "veil_on",
]

MOST_ROWS = 200


@dataclass(frozen=True)
class CaseFilters:
    """What a list of cases is narrowed to; empty fields do not narrow."""

    stages: tuple[Stage, ...] = ()
    kind: CaseKind | None = None
    agency_ref: str = ""
    search: str = ""
    assigned_to_me: bool = False


@dataclass(frozen=True)
class CaseRow:
    """One case as a list shows it, in the words that the viewer may read."""

    reference: str
    number: int
    name: str
    kind: str
    stage: str
    stage_label: str
    stage_since_on: date
    on_hold: bool
    rail: str
    agency: str
    opened_on: date
    closed_on: date | None
    ledger_account_id: int
    minimum_balance_cents: int


@dataclass(frozen=True)
class CasePage:
    """One page of cases and the cursor of the next, None at the end."""

    rows: tuple[CaseRow, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class AgencyRow:
    """One agency of the directory."""

    id: int
    reference: str
    name: str


def list_cases(
    session: Session,
    actor: Actor,
    *,
    filters: CaseFilters | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> CasePage:
    """Return cases in the actor's scope, the newest first. Three queries at most.

    `cursor` is the reference of the last case seen. Raises Invalid for a limit outside 1 to 200.
    """
    if not 1 <= limit <= MOST_ROWS:
        message = f"Ask for 1 to {MOST_ROWS} cases at a time."
        raise Invalid(message, errors={"limit": [message]})
    wanted = filters or CaseFilters()
    query = cases_in_scope(select(Case, Agency.name), actor, Permission.CASES_VIEW).outerjoin(
        Agency, Agency.id == Case.agency_id
    )
    if wanted.stages:
        query = query.where(Case.stage.in_([stage.value for stage in wanted.stages]))
    if wanted.kind is not None:
        query = query.where(Case.kind == wanted.kind.value)
    if wanted.agency_ref:
        query = query.where(Agency.reference == wanted.agency_ref)
    if wanted.assigned_to_me:
        mine = select(CaseTeamMember.case_id).where(CaseTeamMember.user_id == actor.user_id)
        query = query.where(Case.id.in_(mine))
    if wanted.search.strip():
        query = query.where(_matches(actor, wanted.search.strip()))
    if cursor is not None:
        last_seen = select(Case.id).where(Case.reference == cursor).scalar_subquery()
        query = query.where(Case.id < last_seen)
    found = session.execute(query.order_by(Case.id.desc()).limit(limit + 1)).all()
    page = found[:limit]
    sides = sides_of(session, actor, [case.id for case, _ in page])
    rows = tuple(_row(case, agency or "", sides[case.id]) for case, agency in page)
    return CasePage(rows, page[-1][0].reference if len(found) > limit else None)


def _matches(actor: Actor, text: str) -> ColumnElement[bool]:
    if text.isdigit() and len(text) < 10:  # noqa: PLR2004 - numbers that fit the column
        return Case.number == int(text)
    by_reference = is_text(Case.reference, text.upper())
    # Only who may read every name may search by names: a hit tells as much as a name.
    knows_names = actor.is_staff or actor.is_system
    by_name = Case.name.icontains(text, autoescape=True) if knows_names else false()
    return or_(by_reference, by_name)


def _row(case: Case, agency: str, side: Side | None) -> CaseRow:
    on_hold = case.stage == Stage.ON_HOLD
    return CaseRow(
        case.reference,
        case.number,
        case_label(case, side),
        case.kind,
        case.stage,
        STAGE_LABELS[Stage(case.stage)],
        case.stage_since_on,
        on_hold,
        case.rail,
        agency,
        case.opened_on,
        case.closed_on,
        case.ledger_account_id,
        case.minimum_balance_cents,
    )


def stage_counts(session: Session, actor: Actor) -> dict[Stage, int]:
    """Return how many of the actor's cases stand in each stage. One query."""
    query = cases_in_scope(select(Case.stage, func.count()), actor, Permission.CASES_VIEW)
    rows = session.execute(query.group_by(Case.stage))
    return {Stage(stage): count for stage, count in rows}


def agencies(session: Session, actor: Actor) -> list[AgencyRow]:
    """Return the directory of agencies by name. Raises Forbidden without cases.open."""
    actor.require(Permission.CASES_OPEN)
    rows = session.execute(select(Agency).order_by(Agency.name)).scalars()
    return [AgencyRow(row.id, row.reference, row.name) for row in rows]
