"""Correcting the day of a milestone: one person proposes, a second accepts what would move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden, NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, one_word_of, refuse_field, require_active
from seedtrust.domain.cases.models import Case, CaseMilestone
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.stages import MILESTONE_LABELS
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.errors import (
    CorrectionDecided,
    CorrectionOpen,
    CorrectionOutdated,
    ProposerCannotAccept,
)
from seedtrust.domain.terms.milestones import require_past
from seedtrust.domain.terms.models import (
    MilestoneCorrection,
    MilestoneCorrectionItem,
    ScheduleItem,
)
from seedtrust.domain.terms.schedule import DateChange, moved_items, set_day
from seedtrust.domain.terms.states import CorrectionState


@dataclass(frozen=True)
class CorrectionView:
    """One proposed correction with what would move, and who has decided what."""

    reference: str
    case_ref: str
    code: str
    label: str
    was_on: date
    proposed_on: date
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
    changes: tuple[DateChange, ...]
    is_own: bool


def propose_correction(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    code: str,
    occurred_on: date,
    reason: str,
    moment: Moment,
) -> MilestoneCorrection:
    """Propose another day for the last occurrence of a milestone, and write down what would move.

    Nothing moves before a second person accepts. What is paid or asked for is never among the
    changes. Raises Forbidden for anybody but staff, NotFound if the milestone is not recorded,
    CorrectionOpen while another proposal for it waits, Invalid, CaseClosed, CaseOnHold.
    """
    case = case_for(session, actor, case_ref, Permission.MILESTONES_RECORD, locked=True)
    require_active(case)
    if not actor.is_staff:
        raise Forbidden("A recorded milestone is corrected by SeedTrust. Write to the escrow team.")
    wanted = one_word_of(Milestone, code, "code")
    why = clean_text(reason, "reason", most=500)
    require_past(occurred_on, moment)
    milestone = _last(session, case, wanted)
    if milestone.occurred_on == occurred_on:
        raise refuse_field("occurred_on", "This is the day that is recorded already.")
    moved = moved_items(session, case, wanted, milestone.occurred_on, occurred_on)
    correction = MilestoneCorrection(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        milestone_id=milestone.id,
        open_milestone_id=milestone.id,
        was_on=milestone.occurred_on,
        proposed_on=occurred_on,
        reason=why,
        state=CorrectionState.PROPOSED.value,
        proposed_by_user_id=actor.user_id,
        proposed_by=actor.name,
        proposed_at=moment.at,
        decided_by="",
        decided_at=None,
        decision_reason="",
    )
    _insert(session, correction)
    session.add_all(
        MilestoneCorrectionItem(
            id=new_id(),
            correction_id=correction.id,
            number=number,
            item_id=item.id,
            title=change.title,
            amount_cents=change.amount_cents,
            before_on=change.before_on,
            after_on=change.after_on,
        )
        for number, (item, change) in enumerate(moved, start=1)
    )
    _audit(session, actor, case, "milestones.correction_proposed", correction, why, moment)
    session.flush()  # the reader of the same unit sees the changes
    return correction


def _last(session: Session, case: Case, code: Milestone) -> CaseMilestone:
    rows = lock_where(
        session,
        select(CaseMilestone)
        .where(CaseMilestone.case_id == case.id, CaseMilestone.code == code.value)
        .order_by(CaseMilestone.occurrence.desc()),
    )
    if not rows:
        raise NotFound("This milestone is not recorded, so there is nothing to correct.")
    return rows[0]


def _insert(session: Session, correction: MilestoneCorrection) -> None:
    try:
        with session.begin_nested():
            session.add(correction)
            session.flush()  # a milestone has one open proposal
    except IntegrityError as error:
        raise CorrectionOpen(
            "Another correction of this milestone waits for a colleague. Decide that one first."
        ) from error


def accept_correction(
    session: Session, actor: Actor, *, correction_ref: str, moment: Moment
) -> MilestoneCorrection:
    """Accept a correction as a second person: the milestone and the items that wait move.

    Raises ProposerCannotAccept, CorrectionDecided, CorrectionOutdated when what would move is not
    what was proposed any more, CaseClosed, CaseOnHold, NotFound.
    """
    case, correction = _locked(session, actor, correction_ref)
    milestone = session.get_one(CaseMilestone, correction.milestone_id)
    code = Milestone(milestone.code)
    moved = moved_items(session, case, code, correction.was_on, correction.proposed_on)
    told = _told(session, correction)
    now = [(item.id, change.before_on, change.after_on) for item, change in moved]
    is_last = _last(session, case, code).id == milestone.id
    if milestone.occurred_on != correction.was_on or not is_last or now != told:
        raise CorrectionOutdated(
            "The schedule has changed since this was proposed. Reject it and propose it again."
        )
    milestone.occurred_on = correction.proposed_on
    for item, change in moved:
        set_day(item, change.after_on)
    _decide(actor, correction, CorrectionState.ACCEPTED, "", moment)
    _audit(session, actor, case, "milestones.corrected", correction, correction.reason, moment)
    session.flush()  # what is due is read in the same unit
    return correction


def _told(
    session: Session, correction: MilestoneCorrection
) -> list[tuple[int, date | None, date | None]]:
    rows = session.execute(
        select(
            MilestoneCorrectionItem.item_id,
            MilestoneCorrectionItem.before_on,
            MilestoneCorrectionItem.after_on,
        )
        .where(MilestoneCorrectionItem.correction_id == correction.id)
        .order_by(MilestoneCorrectionItem.number)
    )
    return [(item_id, before_on, after_on) for item_id, before_on, after_on in rows]


def reject_correction(
    session: Session, actor: Actor, *, correction_ref: str, reason: str, moment: Moment
) -> MilestoneCorrection:
    """Reject a correction with a reason; nothing moves. The proposer may take it back like this.

    Raises CorrectionDecided, Invalid without a reason, CaseClosed, CaseOnHold, NotFound.
    """
    case, correction = _locked(session, actor, correction_ref, may_be_own=True)
    why = clean_text(reason, "reason", most=500)
    _decide(actor, correction, CorrectionState.REJECTED, why, moment)
    _audit(session, actor, case, "milestones.correction_rejected", correction, why, moment)
    return correction


def _locked(
    session: Session, actor: Actor, correction_ref: str, *, may_be_own: bool = False
) -> tuple[Case, MilestoneCorrection]:
    case_ref, proposer = _where(session, correction_ref)
    is_own = actor.user_id is not None and actor.user_id == proposer
    # Whoever proposed may take it back, also without the right to decide on schedules.
    wanted = Permission.MILESTONES_RECORD if is_own else Permission.SCHEDULE_ACTIVATE
    case = case_for(session, actor, case_ref, wanted, locked=True)
    require_active(case)
    rows = lock_where(
        session, select(MilestoneCorrection).where(MilestoneCorrection.reference == correction_ref)
    )
    if rows[0].state != CorrectionState.PROPOSED:
        raise CorrectionDecided("Somebody has decided on this correction already. Look again.")
    if is_own and not may_be_own:
        raise ProposerCannotAccept("You proposed this correction. A colleague has to accept it.")
    return case, rows[0]


def _where(session: Session, correction_ref: str) -> tuple[str, int | None]:
    found = session.execute(
        select(Case.reference, MilestoneCorrection.proposed_by_user_id)
        .join(MilestoneCorrection, MilestoneCorrection.case_id == Case.id)
        .where(MilestoneCorrection.reference == correction_ref)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such correction, or it is not yours to see.")
    case_ref, proposer = found
    return case_ref, proposer


def _decide(
    actor: Actor,
    correction: MilestoneCorrection,
    state: CorrectionState,
    reason: str,
    moment: Moment,
) -> None:
    correction.state, correction.open_milestone_id = state.value, None
    correction.decided_by, correction.decided_at = actor.name, moment.at
    correction.decision_reason = reason


def _audit(  # noqa: PLR0917 - who did what to which, and why
    session: Session,
    actor: Actor,
    case: Case,
    action: str,
    correction: MilestoneCorrection,
    reason: str,
    moment: Moment,
) -> None:
    moved = session.execute(
        select(func.count(MilestoneCorrectionItem.id)).where(
            MilestoneCorrectionItem.correction_id == correction.id
        )
    ).scalar_one()
    record(
        session,
        actor,
        action,
        "milestone_correction",
        correction.reference,
        case_id=case.id,
        reason=reason,
        facts={
            "was_on": correction.was_on.isoformat(),
            "occurred_on": correction.proposed_on.isoformat(),
            "items_moved": moved,
        },
        now=moment.at,
    )


def correction_view(session: Session, actor: Actor, correction_ref: str) -> CorrectionView:
    """Return one correction with its changes. Four queries. Raises NotFound, Forbidden."""
    case_ref, _ = _where(session, correction_ref)
    case = case_for(session, actor, case_ref, Permission.SCHEDULE_VIEW)
    if not actor.is_staff:
        raise Forbidden("Corrections are the company's own papers.")
    correction, code = session.execute(
        select(MilestoneCorrection, CaseMilestone.code)
        .join(CaseMilestone, CaseMilestone.id == MilestoneCorrection.milestone_id)
        .where(MilestoneCorrection.reference == correction_ref)
    ).one()
    rows = session.execute(
        select(MilestoneCorrectionItem, ScheduleItem.reference)
        .join(ScheduleItem, ScheduleItem.id == MilestoneCorrectionItem.item_id)
        .where(MilestoneCorrectionItem.correction_id == correction.id)
        .order_by(MilestoneCorrectionItem.number)
    )
    changes = tuple(
        DateChange(item_ref, row.title, row.amount_cents, row.before_on, row.after_on)
        for row, item_ref in rows
    )
    return _view(actor, case, correction, code, changes)


def corrections_of(session: Session, actor: Actor, case: Case) -> list[CorrectionView]:
    """Return the corrections of a case without their changes, the newest first; staff only."""
    if not actor.is_staff:
        return []
    rows = session.execute(
        select(MilestoneCorrection, CaseMilestone.code)
        .join(CaseMilestone, CaseMilestone.id == MilestoneCorrection.milestone_id)
        .where(MilestoneCorrection.case_id == case.id)
        .order_by(MilestoneCorrection.id.desc())
        .limit(50)
    )
    return [_view(actor, case, correction, code, ()) for correction, code in rows]


def _view(
    actor: Actor,
    case: Case,
    row: MilestoneCorrection,
    code: str,
    changes: tuple[DateChange, ...],
) -> CorrectionView:
    return CorrectionView(
        row.reference,
        case.reference,
        code,
        MILESTONE_LABELS[Milestone(code)],
        row.was_on,
        row.proposed_on,
        row.reason,
        row.state,
        row.proposed_by,
        row.proposed_at,
        row.decided_by,
        row.decided_at,
        row.decision_reason,
        changes,
        actor.user_id is not None and actor.user_id == row.proposed_by_user_id,
    )
