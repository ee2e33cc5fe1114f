"""The only place that moves a case from stage to stage."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, require_active, require_open
from seedtrust.domain.cases.errors import (
    CaseFrozen,
    CaseHoldsMoney,
    CaseOnHold,
    StageNotAllowed,
)
from seedtrust.domain.cases.funding_rules import apply_minimum
from seedtrust.domain.cases.models import Case, CaseMilestone, StageChange
from seedtrust.domain.cases.scope import case_for
from seedtrust.domain.cases.stages import (
    ALLOWED_MOVES,
    EARLY_MILESTONES,
    ENDED,
    MILESTONE_LABELS,
    MILESTONE_MOVES,
)
from seedtrust.domain.cases.states import FREEZE_REASONS, STAGE_LABELS, CaseKind, Milestone, Stage
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger

_CAUSE_LENGTH: Final = 200


def may_move(case: Case, to_stage: Stage) -> bool:
    """Tell whether the template of the case has this move from where it stands."""
    stage = Stage(case.stage)
    if stage is Stage.ON_HOLD:
        return case.stage_before_hold == to_stage.value
    return to_stage in ALLOWED_MOVES[CaseKind(case.kind)].get(stage, frozenset())


def move_stage(
    session: Session, actor: Actor, case: Case, to_stage: Stage, *, cause: str, moment: Moment
) -> Case:
    """Move a case one step along its template and write the step down.

    The caller holds the case's lock and has checked what the step asks for. With the end of a
    case its ledger account is closed, with a reopening opened again. Raises StageNotAllowed for a
    step that the template does not have, AccountNotEmpty for an end that leaves money behind.
    """
    before = Stage(case.stage)
    if not may_move(case, to_stage):
        message = (
            f"The case is in “{STAGE_LABELS[before]}” and cannot go to "
            f"“{STAGE_LABELS[to_stage]}” from there."
        )
        raise StageNotAllowed(message, from_stage=before.value, to_stage=to_stage.value)
    if to_stage in ENDED:
        chart.close_account(session, case.ledger_account_id)
    elif before in ENDED:
        chart.reopen_account(session, case.ledger_account_id)
    case.stage_before_hold = before.value if to_stage is Stage.ON_HOLD else None
    case.stage = to_stage.value
    case.stage_since_on = moment.today
    case.closed_on = moment.today if to_stage in ENDED else None
    apply_minimum(session, case)
    note_stage(session, actor, case, before, to_stage, cause=cause, moment=moment)
    record(
        session,
        actor,
        "cases.stage_moved",
        "case",
        case.reference,
        case_id=case.id,
        facts={"from": before.value, "to": to_stage.value},
        now=moment.at,
    )
    session.flush()  # each step keeps its own row version, in order
    return case


def note_stage(
    session: Session,
    actor: Actor,
    case: Case,
    from_stage: Stage | None,
    to_stage: Stage,
    *,
    cause: str,
    moment: Moment,
) -> None:
    """Write a step down in the case's history; only opening a case and moving it call this."""
    session.add(
        StageChange(
            id=new_id(),
            case_id=case.id,
            from_stage=None if from_stage is None else from_stage.value,
            to_stage=to_stage.value,
            cause=cause[:_CAUSE_LENGTH],
            actor_name=actor.name,
            changed_on=moment.today,
            changed_at=moment.at,
        )
    )


def move_by_milestone(
    session: Session, actor: Actor, case: Case, code: Milestone, *, moment: Moment
) -> bool:
    """Make the move that a milestone makes from where the case stands, if there is one.

    The caller holds the case's lock.
    """
    target = MILESTONE_MOVES[CaseKind(case.kind)].get((Stage(case.stage), code))
    if target is None:
        return False
    move_stage(session, actor, case, target, cause=MILESTONE_LABELS[code], moment=moment)
    return True


def catch_up(session: Session, actor: Actor, case: Case, *, moment: Moment) -> int:
    """Make the moves whose milestones came before their stage; returns how many were made.

    Money and signed papers may arrive early. Every stage in between is entered and written down.
    """
    recorded = session.execute(
        select(CaseMilestone.code).where(
            CaseMilestone.case_id == case.id,
            CaseMilestone.code.in_([code.value for code in EARLY_MILESTONES]),
        )
    )
    early = {Milestone(code) for code in recorded.scalars()}
    moves = 0
    while any(move_by_milestone(session, actor, case, code, moment=moment) for code in early):
        moves += 1
    return moves


def put_on_hold(
    session: Session, actor: Actor, *, case_ref: str, reason: str, moment: Moment
) -> Case:
    """Stop a case for a legal or compliance reason: no money leaves it and no stage moves.

    A case that is frozen already may be held on top of that; both have to end before it goes on.
    Raises CaseClosed, CaseOnHold if somebody holds it already, Invalid without a reason.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_HOLD, locked=True)
    is_frozen = bool(case.frozen_by) and not case.hold_reason
    if not is_frozen:
        require_active(case)
    why = clean_text(reason, "reason", most=500)
    if not is_frozen:
        move_stage(session, actor, case, Stage.ON_HOLD, cause="Put on hold", moment=moment)
    case.hold_reason = why
    _record(session, actor, "cases.held", case, why, moment)
    return case


def freeze(session: Session, actor: Actor, case: Case, *, because: str, moment: Moment) -> bool:
    """Stop a case because something is wrong with its money; False if it is frozen or has ended.

    The caller holds the case's lock. `because` is a key of FREEZE_REASONS; `thaw` with the same
    key lifts the freeze once the reason is gone. A hold by a person goes on beside it.
    """
    stage = Stage(case.stage)
    if case.frozen_by or stage in ENDED:
        return False
    case.frozen_by = because
    if stage is not Stage.ON_HOLD:
        move_stage(session, actor, case, Stage.ON_HOLD, cause="Frozen", moment=moment)
    _record(session, actor, "cases.frozen", case, FREEZE_REASONS[because], moment)
    return True


def thaw(
    session: Session, actor: Actor, case: Case, *, because: str, reason: str, moment: Moment
) -> bool:
    """Lift a freeze; False if the case was not frozen for this. The caller holds its lock.

    The case goes back to the stage it came from, unless a person holds it too.
    """
    if case.frozen_by != because:
        return False
    case.frozen_by = ""
    _record(session, actor, "cases.thawed", case, reason, moment)
    if case.stage == Stage.ON_HOLD and not case.hold_reason:
        _go_on(session, actor, case, "Freeze lifted", moment)
    return True


def resume(session: Session, actor: Actor, *, case_ref: str, reason: str, moment: Moment) -> Case:
    """Take a case off hold, back to the stage it came from; what came in meanwhile then counts.

    A case that is frozen as well stays where it is until the freeze is lifted. Raises CaseFrozen
    if nobody but the freeze holds it, CaseClosed, StageNotAllowed if it is not on hold, Invalid
    without a reason.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_HOLD, locked=True)
    require_open(case)
    why = clean_text(reason, "reason", most=500)
    if case.stage != Stage.ON_HOLD or case.stage_before_hold is None:
        raise StageNotAllowed(
            f"Case {case.number} is not on hold, so there is nothing to resume.",
            from_stage=case.stage,
        )
    if case.frozen_by and not case.hold_reason:
        raise CaseFrozen(
            f"Case {case.number} is frozen: {FREEZE_REASONS[case.frozen_by]} It goes on when the "
            "shortage is made good, or when two people lift the freeze on the shortage's page."
        )
    case.hold_reason = ""
    _record(session, actor, "cases.resumed", case, why, moment)
    if not case.frozen_by:
        _go_on(session, actor, case, "Hold lifted", moment)
    return case


def _go_on(session: Session, actor: Actor, case: Case, cause: str, moment: Moment) -> None:
    assert case.stage_before_hold is not None, "on hold since no stage"
    back = Stage(case.stage_before_hold)
    move_stage(session, actor, case, back, cause=cause, moment=moment)
    catch_up(session, actor, case, moment=moment)


def _record(  # noqa: PLR0917 - who did what to which case, and why
    session: Session, actor: Actor, action: str, case: Case, reason: str, moment: Moment
) -> None:
    record(
        session,
        actor,
        action,
        "case",
        case.reference,
        case_id=case.id,
        reason=reason,
        now=moment.at,
    )


def cancel_case(
    session: Session, actor: Actor, *, case_ref: str, reason: str, moment: Moment
) -> Case:
    """Call off a journey that never began and holds no money.

    Raises CaseHoldsMoney while its ledger is not at 0.00, StageNotAllowed once the journey has
    begun, CaseClosed, CaseOnHold, Invalid without a reason.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_CLOSE, locked=True)
    require_active(case)
    why = clean_text(reason, "reason", most=500)
    require_empty_ledger(session, case)
    move_stage(session, actor, case, Stage.CANCELLED, cause="Called off", moment=moment)
    _record(session, actor, "cases.cancelled", case, why, moment)
    return case


def require_empty_ledger(session: Session, case: Case) -> None:
    """Raise CaseHoldsMoney unless the case's ledger is at 0.00 with nothing held."""
    balance = ledger.balance_of(session, case.ledger_account_id)
    if balance.ledger_cents or balance.available_cents:
        message = (
            f"Case {case.number} still holds {format_dollars(balance.ledger_cents)}. "
            "Pay it out or refund it first."
        )
        raise CaseHoldsMoney(message, ledger_cents=balance.ledger_cents)


def require_stage(case: Case, *stages: Stage) -> None:
    """Raise StageNotAllowed unless the case stands in one of the stages, CaseOnHold on hold."""
    require_open(case)
    stage = Stage(case.stage)
    if stage in stages:
        return
    if stage is Stage.ON_HOLD:
        raise CaseOnHold(f"Case {case.number} is on hold. Resume it first.", stage=stage.value)
    allowed = " or ".join(f"“{STAGE_LABELS[one]}”" for one in stages)
    raise StageNotAllowed(
        f"This is done in {allowed}; the case is in “{STAGE_LABELS[stage]}”.",
        from_stage=stage.value,
    )
