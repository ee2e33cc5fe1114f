"""Proposed corrections of milestones: what they would move, and a colleague's word."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form, ReasonForm
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.terms import corrections
from seedtrust.domain.terms.states import CorrectionState
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_DETAIL: Final = "admin.corrections_detail"
STATE_WORDS: Final = {
    CorrectionState.PROPOSED: ("Waiting for a colleague", "warn"),
    CorrectionState.ACCEPTED: ("Accepted", "ok"),
    CorrectionState.REJECTED: ("Rejected", "neutral"),
}


@blueprint.get("/corrections/<reference>")
@requires(Permission.SCHEDULE_VIEW)
def corrections_detail(reference: str) -> ResponseReturnValue:
    """Show a correction: what would move, from which day to which."""
    return _page(reference)


def _page(reference: str, **refused: Form) -> ResponseReturnValue:
    actor = current_actor()

    def work(unit: Session) -> tuple[corrections.CorrectionView, CaseHead]:
        view = corrections.correction_view(unit, actor, reference)
        return view, held_case(unit, actor, view.case_ref)[1]

    view, head = reading(work)
    is_open = view.state == CorrectionState.PROPOSED
    decides = actor.may(Permission.SCHEDULE_ACTIVATE)
    page = render_template(
        "admin/cases/correction.html",
        view=view,
        head=head,
        words=STATE_WORDS[CorrectionState(view.state)],
        reject=refused.get("reject") or ReasonForm(formdata=None, prefix="reject-"),
        may_accept=is_open and decides and not view.is_own,
        may_reject=is_open and (decides or view.is_own),
        own_hand=is_open and decides and view.is_own,
    )
    return page, 422 if refused else 200


@blueprint.post("/corrections/<reference>/accept")
@requires(Permission.SCHEDULE_ACTIVATE, back=_DETAIL)
def corrections_accept(reference: str) -> ResponseReturnValue:
    """Accept as a second person: the milestone and what waits for payment move."""
    actor, when = current_actor(), moment()
    in_transaction(
        lambda unit: corrections.accept_correction(
            unit, actor, correction_ref=reference, moment=when
        )
    )
    return _back(reference, "Accepted. The milestone and the payments have their new days.")


@blueprint.post("/corrections/<reference>/reject")
@requires(Permission.SCHEDULE_VIEW, back=_DETAIL)
def corrections_reject(reference: str) -> ResponseReturnValue:
    """Reject a correction, or take one's own back; nothing moves."""
    form = ReasonForm(prefix="reject-")
    if not form.validate_on_submit():
        return _page(reference, reject=form)
    show_again(form, lambda: _page(reference, reject=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: corrections.reject_correction(
            unit, actor, correction_ref=reference, reason=reason, moment=when
        )
    )
    return _back(reference, "Rejected. Nothing has moved.")


def _back(reference: str, words: str) -> ResponseReturnValue:
    flash_done(words)
    return redirect(url_for(_DETAIL, reference=reference), code=303)
