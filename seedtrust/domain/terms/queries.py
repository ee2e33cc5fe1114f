"""What a contract lets out: the term for a category, locks, caps, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import add_banking_days
from seedtrust.domain.cases.checks import require_active
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import milestones_of
from seedtrust.domain.cases.stages import BEFORE_THE_JOURNEY, MILESTONE_LABELS
from seedtrust.domain.cases.states import STAGE_LABELS, Milestone, Stage
from seedtrust.domain.terms.caps import used_of_cap, used_of_caps
from seedtrust.domain.terms.errors import CategoryLocked
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.states import (
    UNLOCKED_BY,
    Category,
    ItemState,
    TermKind,
    TermState,
)
from seedtrust.domain.terms.views import agreements_of, schedule_of, terms_of

__all__ = [
    "LATE_BILLS",
    "agreements_of",
    "category_is_unlocked",
    "due_items",
    "money_out_allowed",
    "planned_items",
    "require_money_out",
    "schedule_of",
    "term_for_category",
    "terms_of",
    "used_of_cap",
    "used_of_caps",
]

# Bills of hospitals and practices come late; a correction has no category of its own.
LATE_BILLS: Final = frozenset(
    {Category.MEDICAL_BILL, Category.MEDICAL_COPAY, Category.MEDICATION, Category.OTHER}
)

_JOURNEY: Final = frozenset(
    {
        Stage.AWAITING_EXECUTED_AGREEMENT,
        Stage.AWAITING_HEARTBEAT,
        Stage.PREGNANT,
        Stage.POST_DELIVERY,
        Stage.CYCLE_IN_PROGRESS,
        Stage.POST_RETRIEVAL,
    }
)


def money_out_allowed(case: Case, category: Category, *, pays_again: bool = False) -> bool:
    """Tell whether the case's stage lets money of the category out.

    Nothing before funding, in final accounting, on hold and at the end; late bills and
    corrections while the parties certify; the closing refund at the very end, and for a journey
    that is called off before it began; in between all that a milestone has unlocked. A payment
    that came back and `pays_again` is a correction.
    """
    stage = Stage(case.stage)
    if category is Category.CLOSING_REFUND:
        return stage is Stage.FINAL_DISBURSEMENT or stage in BEFORE_THE_JOURNEY
    if stage is Stage.AWAITING_CLOSE_APPROVAL:
        return pays_again or category in LATE_BILLS
    return stage in _JOURNEY


def category_is_unlocked(session: Session, case: Case, category: Category) -> bool:
    """Tell whether a milestone has opened the category on this case.

    The triggers that the contract names come first; a term without one follows the template.
    """
    return _unlocked(
        category, milestones_of(session, case.id), _triggers(session, case.id, category)
    )


def _triggers(session: Session, case_id: int, category: Category) -> list[Milestone | None]:
    rows = session.execute(
        select(ContractTerm.trigger).where(
            ContractTerm.case_id == case_id,
            ContractTerm.category == category.value,
            ContractTerm.state == TermState.ACTIVE.value,
        )
    ).scalars()
    return [None if trigger is None else Milestone(trigger) for trigger in rows]


def _unlocked(
    category: Category,
    recorded: dict[Milestone, date],
    triggers: Sequence[Milestone | None],
) -> bool:
    if any(trigger in recorded for trigger in triggers if trigger is not None):
        return True
    if triggers and all(trigger is not None for trigger in triggers):
        return False
    openers = UNLOCKED_BY.get(category, ())
    return not openers or any(opener in recorded for opener in openers)


def require_money_out(session: Session, case: Case, category: Category) -> None:
    """Raise CaseClosed, CaseOnHold or CategoryLocked unless the category may be paid now."""
    require_active(case)
    words = category.value.replace("_", " ")
    if not money_out_allowed(case, category):
        message = (
            f"In the stage “{STAGE_LABELS[Stage(case.stage)]}” nothing is paid for {words}. "
            "Wait for the next stage, or ask the escrow team."
        )
        raise CategoryLocked(
            message,
            errors={"category": [message]},
            category=category.value,
            stage=case.stage,
        )
    recorded = milestones_of(session, case.id)
    triggers = _triggers(session, case.id, category)
    if _unlocked(category, recorded, triggers):
        return
    waits_for = [trigger for trigger in triggers if trigger] or list(UNLOCKED_BY[category])
    missing = " or ".join(f"“{MILESTONE_LABELS[code]}”" for code in waits_for)
    message = f"Payments for {words} open with the milestone {missing}, which is not recorded yet."
    raise CategoryLocked(
        message, errors={"category": [message]}, category=category.value, stage=case.stage
    )


def term_for_category(session: Session, case_id: int, category: Category) -> ContractTerm | None:
    """Return the active term that a request of the category rests on, or None.

    Terms that the calendar or the fee schedule pays are not asked for. Of several, the first in
    the order of the contract whose trigger has come and whose cap has room.
    """
    terms = list(
        session.execute(
            select(ContractTerm)
            .where(
                ContractTerm.case_id == case_id,
                ContractTerm.category == category.value,
                ContractTerm.kind == TermKind.REQUESTED.value,
                ContractTerm.state == TermState.ACTIVE.value,
            )
            .order_by(ContractTerm.position)
        ).scalars()
    )
    if len(terms) < 2:  # noqa: PLR2004 - nothing to choose
        return terms[0] if terms else None
    recorded = milestones_of(session, case_id)
    used = used_of_caps(session, [term.id for term in terms])
    open_terms = [
        term for term in terms if term.trigger is None or Milestone(term.trigger) in recorded
    ]
    with_room = (
        term
        for term in open_terms
        if term.cap_cents is None or used.get(term.id, 0) < term.cap_cents
    )
    return next(with_room, (open_terms or terms)[0])


def due_items(session: Session, today: date, lead_days: int) -> list[ScheduleItem]:
    """Return the planned payments that fall due within a number of banking days.

    Fees are charged by funding and are not among them. By due day, case, and place in the
    contract.
    """
    until = add_banking_days(today, lead_days) if lead_days else today
    rows = session.execute(
        select(ScheduleItem)
        .join(ContractTerm, ContractTerm.id == ScheduleItem.term_id)
        .where(
            ScheduleItem.state == ItemState.PLANNED.value,
            ScheduleItem.due_on <= until,
            ContractTerm.kind == TermKind.SCHEDULED.value,
            ContractTerm.state == TermState.ACTIVE.value,
        )
        .order_by(
            ScheduleItem.due_on,
            ScheduleItem.case_id,
            ContractTerm.position,
            ScheduleItem.number,
        )
    )
    return list(rows.scalars())


def planned_items(session: Session, case_id: int) -> list[ScheduleItem]:
    """Return the payments and fees of a case that have a day and have not been paid."""
    rows = session.execute(
        select(ScheduleItem)
        .where(ScheduleItem.case_id == case_id, ScheduleItem.state == ItemState.PLANNED.value)
        .order_by(ScheduleItem.due_on, ScheduleItem.id)
    )
    return list(rows.scalars())
