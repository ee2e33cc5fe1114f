"""Milestones of a case: recording one and correcting its day, each after a look at what moves."""

from __future__ import annotations

from typing import Final

from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, rehearsed
from seedtrust.admin.contract_forms import CorrectionForm, MilestoneForm, chosen, offered
from seedtrust.admin.forms import choices_of
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.queries import milestones_view
from seedtrust.domain.cases.views import MilestoneView
from seedtrust.domain.desk import contracts as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.terms import milestones
from seedtrust.ext import reading
from seedtrust.web.actor import business_today, current_actor, moment
from seedtrust.web.formatting import date_text
from seedtrust.web.guard import requires

_SCHEDULE: Final = "admin.cases_schedule"
_RECORDING: Final = Act(
    "Record a milestone",
    "What happened, on which day, and what proves it.",
    "Record the milestone",
    tab=_SCHEDULE,
    consequences=("Signatures and money record their own milestones; they are not in the list.",),
    optional=("document", "note"),
    question="Record this milestone?",
)


@blueprint.route("/cases/<reference>/milestones/new", methods=["GET", "POST"])
@requires(Permission.MILESTONES_RECORD, back=_SCHEDULE)
def cases_milestone_new(reference: str) -> ResponseReturnValue:
    """Record a milestone, after showing what moves."""
    actor, when = current_actor(), moment()
    form = MilestoneForm(occurred_on=business_today())

    def look(unit: Session) -> tuple[CaseHead, list[tuple[str, str]], desk.Choices]:
        case, head = held_case(unit, actor, reference)
        return head, desk.milestones_to_record(unit, case), desk.choices_on(unit, case)

    head, codes, choices = reading(look)
    form.code.choices = choices_of(("", "Choose"), *codes)
    form.document.choices = offered(choices.documents, "None")
    return rehearsed(
        _RECORDING,
        form,
        head,
        lambda unit: milestones.record_milestone(
            unit,
            actor,
            case_ref=reference,
            code=form.code.data,
            occurred_on=form.occurred_on.data,
            document_id=chosen(choices.documents, form.document.data),
            note=form.note.data or "",
            moment=when,
        ),
        "The milestone is recorded.",
    )


@blueprint.route("/cases/<reference>/milestones/<code>/correct", methods=["GET", "POST"])
@requires(Permission.MILESTONES_RECORD, back=_SCHEDULE)
def cases_milestone_correct(reference: str, code: str) -> ResponseReturnValue:
    """Correct the day of a milestone, after showing which unpaid payments move with it."""
    actor, when = current_actor(), moment()

    def look(unit: Session) -> tuple[CaseHead, MilestoneView | None]:
        case, head = held_case(unit, actor, reference)
        known = [one for one in milestones_view(unit, actor, case) if one.code == code]
        return head, max(known, key=lambda one: one.occurrence, default=None)

    head, row = reading(look)
    if row is None:
        message = "This milestone is not recorded, so there is nothing to correct."
        raise NotFound(message)
    form = CorrectionForm(occurred_on=row.occurred_on)
    act = Act(
        f"Correct the day of “{row.label}”",
        f"It is recorded for {date_text(row.occurred_on)}.",
        "Correct the day",
        tab=_SCHEDULE,
        consequences=("What was paid is never touched.",),
        question=f"Correct the day of “{row.label}”?",
        form_title="The right day",
    )
    return rehearsed(
        act,
        form,
        head,
        lambda unit: milestones.correct_milestone(
            unit,
            actor,
            case_ref=reference,
            code=code,
            occurred_on=form.occurred_on.data,
            reason=form.reason.data,
            moment=when,
        ),
        "The day is corrected.",
    )
