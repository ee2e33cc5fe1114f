"""Milestones of a case: recording one after a look at what moves, and proposing another day."""

from __future__ import annotations

from typing import Final

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, act_page, rehearsed
from seedtrust.admin.contract_forms import CorrectionForm, MilestoneForm, chosen, offered
from seedtrust.admin.forms import choices_of
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.queries import milestones_view
from seedtrust.domain.cases.views import MilestoneView
from seedtrust.domain.desk import contracts as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.terms import corrections, milestones
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import business_today, current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.formatting import date_text
from seedtrust.web.guard import requires

_SCHEDULE: Final = "admin.cases_schedule"
_RECORDING: Final = Act(
    "Record a milestone",
    "What happened, on which day, and what proves it.",
    "Record the milestone",
    tab=_SCHEDULE,
    consequences=("Signatures and money record their own milestones; they are not in the list.",),
    optional=("document", "note", "embryo_age_days"),
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
            embryo_age_days=int(form.embryo_age_days.data) if form.embryo_age_days.data else None,
            moment=when,
        ),
        "The milestone is recorded.",
    )


@blueprint.route("/cases/<reference>/milestones/<code>/correct", methods=["GET", "POST"])
@requires(Permission.MILESTONES_RECORD, back=_SCHEDULE)
def cases_milestone_correct(reference: str, code: str) -> ResponseReturnValue:
    """Propose another day for a milestone; a colleague accepts what it would move."""
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
        "Propose the correction",
        tab=_SCHEDULE,
        consequences=(
            "Nothing moves yet: a colleague sees what would move, and accepts or rejects it.",
            "What is paid or asked for is never touched.",
        ),
        form_title="The right day",
    )

    def page() -> ResponseReturnValue:
        return act_page(act, form, head)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    proposed = in_transaction(
        lambda unit: (
            corrections.propose_correction(
                unit,
                actor,
                case_ref=reference,
                code=code,
                occurred_on=form.occurred_on.data,
                reason=form.reason.data,
                moment=when,
            ).reference
        )
    )
    flash_done("Proposed. A colleague looks at what it would move and accepts it.")
    return redirect(url_for("admin.corrections_detail", reference=proposed), code=303)
