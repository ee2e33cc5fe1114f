"""What the doors show of one case, in the words that the viewer may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import ROLE_LABELS, Actor, Permission, Role
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.cases.anonymity import case_label, hides, party_label
from seedtrust.domain.cases.checks import why_on_hold
from seedtrust.domain.cases.models import (
    Agency,
    Case,
    CaseMilestone,
    CaseParty,
    CaseTeamMember,
    StageChange,
)
from seedtrust.domain.cases.people import Viewpoint, parties_of, viewpoint
from seedtrust.domain.cases.scope import case_for, side_of
from seedtrust.domain.cases.stages import ENDED, MILESTONE_LABELS
from seedtrust.domain.cases.states import (
    STAGE_LABELS,
    STAGES_OF,
    CaseKind,
    Milestone,
    Side,
    Stage,
)
from seedtrust.domain.identity.models import User

SEEDTRUST: Final = "SeedTrust"
KIND_LABELS: Final[Mapping[CaseKind, str]] = {
    CaseKind.SURROGACY: "Surrogacy",
    CaseKind.EGG_DONATION: "Egg donation",
}
SIDE_LABELS: Final[Mapping[Side, str]] = {
    Side.RECIPIENT: "Recipients",
    Side.CARRIER: "Donor or surrogate",
    Side.AGENCY: "Agency",
}


@dataclass(frozen=True)
class PartyView:
    """One party; name or alias, and mail and place only where the viewer may know them."""

    reference: str
    role: str
    role_label: str
    side: str
    side_label: str
    label: str
    is_alias: bool
    email: str
    place: str
    must_sign: bool
    must_certify: bool
    has_login: bool
    is_me: bool
    alias: str = ""


@dataclass(frozen=True)
class TeamView:
    """One person whom the case is assigned to."""

    name: str
    email: str
    label: str
    is_staff: bool


@dataclass(frozen=True)
class StageStep:
    """One stage of the timeline; `progress` is done, current, skipped or upcoming."""

    stage: str
    label: str
    progress: str
    entered_on: date | None


@dataclass(frozen=True)
class MilestoneView:
    """One recorded milestone."""

    code: str
    label: str
    occurrence: int
    occurred_on: date
    note: str
    recorded_by: str
    document_id: int | None


@dataclass(frozen=True)
class CaseView:
    """One case with its people and its course."""

    reference: str
    number: int
    name: str
    kind: str
    kind_label: str
    stage: str
    stage_label: str
    stage_since_on: date
    hold_reason: str
    is_open: bool
    rail: str
    agency: str
    agency_ref: str
    anonymous: bool
    funding_required_cents: int
    minimum_balance_cents: int
    all_parents_approve: bool
    carrier_sees_balance: str
    opened_on: date
    closed_on: date | None
    viewer_side: str | None
    parties: tuple[PartyView, ...]
    team: tuple[TeamView, ...]
    stages: tuple[StageStep, ...]


@dataclass(frozen=True)
class ActivityLine:
    """One act on a case, as the viewer may know it."""

    id: int
    at: datetime
    actor: str
    action: str
    label: str
    subject_type: str
    subject_ref: str
    reason: str
    facts: Mapping[str, object]


def case_view(session: Session, actor: Actor, reference: str) -> CaseView:
    """Return one case with parties, team and timeline. Seven queries at most.

    Raises NotFound out of reach.
    """
    case = case_for(session, actor, reference, Permission.CASES_VIEW)
    return view_of(session, actor, case)


def view_of(
    session: Session, actor: Actor, case: Case, *, seen: Viewpoint | None = None
) -> CaseView:
    """Return a case that the caller holds, with parties, team and timeline. Six queries at most.

    `seen` spares the queries for side and people.
    """
    seen = seen or viewpoint(session, actor, case)
    side = seen.side
    agency = session.get(Agency, case.agency_id) if case.agency_id is not None else None
    inside = side is None
    return CaseView(
        case.reference,
        case.number,
        case_label(case, side),
        case.kind,
        KIND_LABELS[CaseKind(case.kind)],
        case.stage,
        STAGE_LABELS[Stage(case.stage)],
        case.stage_since_on,
        why_on_hold(case) if inside else "",
        Stage(case.stage) not in ENDED,
        case.rail,
        agency.name if agency else "",
        agency.reference if agency else "",
        case.anonymous,
        case.funding_required_cents,
        case.minimum_balance_cents,
        case.all_parents_approve,
        case.carrier_sees_balance,
        case.opened_on,
        case.closed_on,
        None if side is None else side.value,
        tuple(_party(actor, case, party, side) for party in seen.parties),
        _team(session, case),
        timeline(session, case),
    )


def _party(actor: Actor, case: Case, party: CaseParty, side: Side | None) -> PartyView:
    hidden = hides(case, party.side, side)
    place = ", ".join(part for part in (party.region, party.country) if part)
    return PartyView(
        party.reference,
        party.role,
        ROLE_LABELS[Role(party.role)],
        party.side,
        SIDE_LABELS[Side(party.side)],
        party_label(case, party, side),
        hidden,
        "" if hidden else party.email,
        "" if hidden else place,
        party.must_sign,
        party.must_certify,
        party.user_id is not None,
        actor.user_id is not None and party.user_id == actor.user_id,
        party.alias if side is None and case.anonymous else "",
    )


def _team(session: Session, case: Case) -> tuple[TeamView, ...]:
    rows = session.execute(
        select(User.display_name, User.email, CaseTeamMember.label, User.kind)
        .join(CaseTeamMember, CaseTeamMember.user_id == User.id)
        .where(CaseTeamMember.case_id == case.id)
        .order_by(CaseTeamMember.id)
    )
    return tuple(TeamView(name, email, label, kind == "staff") for name, email, label, kind in rows)


def timeline(session: Session, case: Case) -> tuple[StageStep, ...]:
    """Return the stages of the case's template with the day of the last entry. One query."""
    rows = session.execute(
        select(StageChange.to_stage, StageChange.changed_on)
        .where(StageChange.case_id == case.id)
        .order_by(StageChange.id)
    )
    entered = {Stage(stage): on for stage, on in rows}
    order = STAGES_OF[CaseKind(case.kind)]
    standing = Stage(case.stage_before_hold or case.stage)
    place = order.index(standing) if standing in order else None
    steps = [
        _step(stage, entered.get(stage), position, place) for position, stage in enumerate(order)
    ]
    if place is None:
        steps.append(_step(standing, entered.get(standing), 0, 0))
    return tuple(steps)


def _step(stage: Stage, entered_on: date | None, position: int, place: int | None) -> StageStep:
    if position == place:
        progress = "current"
    elif place is None or position < place:
        progress = "done" if entered_on is not None else "skipped"
    else:
        # A stage that the case went back from is ahead again.
        progress, entered_on = "upcoming", None
    return StageStep(stage.value, STAGE_LABELS[stage], progress, entered_on)


def milestones_view(
    session: Session, actor: Actor, case: Case, *, seen: Viewpoint | None = None
) -> tuple[MilestoneView, ...]:
    """Return the recorded milestones by day, without notes and names for people outside."""
    side = side_of(session, actor, case.id) if seen is None else seen.side
    inside = side is None
    rows = session.execute(
        select(CaseMilestone)
        .where(CaseMilestone.case_id == case.id)
        .order_by(CaseMilestone.occurred_on, CaseMilestone.id)
    ).scalars()
    return tuple(
        MilestoneView(
            row.code,
            MILESTONE_LABELS[Milestone(row.code)],
            row.occurrence,
            row.occurred_on,
            row.note if inside else "",
            row.recorded_by if inside else "",
            row.document_id if inside else None,
        )
        for row in rows
    )


_ACTION_LABELS: Final[Mapping[str, str]] = {
    "agreements.amended": "Agreement replaced by a new version",
    "agreements.created": "Agreement drafted",
    "agreements.declined": "Agreement declined",
    "agreements.executed": "Agreement signed by all",
    "agreements.frozen": "Agreement's text frozen",
    "agreements.part_signed": "Agreement signed in part",
    "agreements.sent": "Agreement sent out for signature",
    "agreements.signed": "Agreement signed",
    "agreements.terminated": "Agreement terminated",
    "agreements.text_written": "Agreement's text written",
    "agreements.withdrawn": "Agreement withdrawn",
    "cases.assigned": "Case assigned",
    "cases.cancelled": "Case called off",
    "cases.frozen": "Case frozen",
    "cases.held": "Case put on hold",
    "cases.opened": "Case opened",
    "cases.party_added": "Party added",
    "cases.resumed": "Case resumed",
    "cases.thawed": "Freeze lifted",
    "cases.unassigned": "Case taken off somebody",
    "closing.approved": "Final accounting approved",
    "closing.certified": "Final accounting certified",
    "closing.closed": "Case ended at 0.00",
    "closing.sent": "Final accounting sent",
    "closing.withdrawn": "Final accounting withdrawn",
    "deposit.matched": "Deposit matched",
    "deposit.received": "Deposit received",
    "documents.held": "Document put on legal hold",
    "documents.hold_kept": "Legal hold stays",
    "documents.hold_lifted": "Legal hold lifted",
    "documents.lift_asked": "Asked to lift a legal hold",
    "documents.refused": "Document refused",
    "documents.replaced": "Document replaced",
    "documents.stored": "Document stored",
    "documents.turned_away": "Uploaded file refused",
    "fee.charged": "Fee charged",
    "milestones.corrected": "Day of a milestone corrected",
    "request.approve": "Request approved",
    "request.deny": "Request not approved",
    "request.return": "Payment returned by the bank",
    "request.settle": "Payment settled",
    "request.submit": "Request submitted",
    "shortage.cured": "Shortage made good",
    "shortage.opened": "Shortage found",
    "terms.activated": "Term activated",
    "terms.ended": "Term ended",
    "terms.proposed": "Term proposed",
}
# What people outside may know of, besides their own acts; money is the parents' and agency's.
_TOLD_TO_ALL: Final = (
    "agreements.executed",
    "agreements.sent",
    "cases.opened",
    "cases.stage_moved",
    "closing.approved",
    "closing.certified",
    "closing.closed",
    "closing.sent",
    "closing.withdrawn",
    "milestones.recorded",
)
_TOLD_OF_MONEY: Final = (
    "deposit.matched",
    "deposit.received",
    "fee.charged",
    "request.approve",
    "request.deny",
    "request.return",
    "request.settle",
    "request.submit",
)


def activity(
    session: Session,
    actor: Actor,
    case: Case,
    *,
    before_id: int | None = None,
    limit: int = 100,
) -> list[ActivityLine]:
    """Return what was done on a case, newest first; `before_id` continues an earlier page.

    The company reads all of it. People outside read what concerns them, with aliases, and the
    company's name for its staff. Four queries at most.
    """
    side = side_of(session, actor, case.id)
    query = select(AuditEvent).where(AuditEvent.case_id == case.id)
    if side is not None:
        told = _TOLD_TO_ALL if side is Side.CARRIER else (*_TOLD_TO_ALL, *_TOLD_OF_MONEY)
        query = query.where(
            AuditEvent.action.in_(told) | (AuditEvent.actor_user_id == actor.user_id)
        )
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    rows = session.execute(query.order_by(AuditEvent.id.desc()).limit(limit)).scalars()
    names: dict[int | None, str] = {
        party.user_id: party_label(case, party, side)
        for party in parties_of(session, case.id)
        if party.user_id is not None
    }
    return [_line(actor, row, side, names) for row in rows]


def _line(
    actor: Actor, row: AuditEvent, side: Side | None, names: Mapping[int | None, str]
) -> ActivityLine:
    inside = side is None
    own = actor.user_id is not None and row.actor_user_id == actor.user_id
    known = names.get(row.actor_user_id)
    return ActivityLine(
        row.id,
        row.at,
        row.actor_name if inside or own else known or SEEDTRUST,
        row.action,
        _label(row),
        row.subject_type,
        row.subject_ref,
        row.reason if inside or own else "",
        dict(row.facts) if inside else {},
    )


def _label(row: AuditEvent) -> str:
    if row.action == "cases.stage_moved":
        stage = Stage(str(row.facts["to"]))
        return f"Stage: {STAGE_LABELS[stage]}"
    if row.action == "milestones.recorded":
        return f"Milestone: {MILESTONE_LABELS[Milestone(row.subject_ref)]}"
    known = _ACTION_LABELS.get(row.action)
    return known or row.action.replace(".", ": ").replace("_", " ").capitalize()
