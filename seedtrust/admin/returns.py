"""Returns and corrections of the bank: what came back, what it means, and what to do next."""

from __future__ import annotations

from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.forms import Form
from seedtrust.admin.payees import TYPE_WORDS
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import corrections as desk
from seedtrust.domain.desk.returns import return_rates, return_table
from seedtrust.domain.payments import corrections
from seedtrust.domain.payments.return_codes import every_reason
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import business_today, current_actor, keyring, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires
from seedtrust.web.page import TimelineItem

_ONE: Final = "admin.returns_correction"


class ReasonForm(Form):
    """Why a correction goes back or is set aside."""

    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why; it is kept with the notification."), Length(max=500)],
        render_kw={"rows": 3},
    )


@blueprint.get("/returns")
@requires(Permission.RUNS_VIEW)
def returns_list() -> str:
    """List what came back, what still waits first, with the rates of the last sixty days."""
    actor, number = current_actor(), listing.page_number()
    waiting = request.args.get("view", "waiting") != "all"
    table, meters = reading(
        lambda unit: (
            return_table(unit, actor, waiting=waiting, page=number, per_page=listing.PER_PAGE),
            return_rates(unit, business_today()),
        )
    )
    return render_template(
        "admin/returns/list.html",
        table=table,
        meters=meters,
        waiting=waiting,
        page=number,
        per_page=listing.PER_PAGE,
    )


@blueprint.get("/returns/codes")
@requires(Permission.RUNS_VIEW)
def returns_codes() -> str:
    """Explain every return code: meaning, who is told, whether to pay again, deadline."""
    return render_template("admin/returns/codes.html", reasons=every_reason())


@blueprint.get("/returns/corrections")
@requires(Permission.PAYEES_VIEW)
def returns_corrections() -> str:
    """List the bank's corrections of bank details, what is due first."""
    actor, today = current_actor(), business_today()
    waiting = request.args.get("view", "waiting") != "all"
    rows = reading(lambda unit: desk.correction_list(unit, actor, waiting=waiting, today=today))
    return render_template("admin/returns/corrections.html", rows=rows, waiting=waiting)


@blueprint.get("/returns/corrections/<reference>")
@requires(Permission.PAYEES_VIEW)
def returns_correction(reference: str) -> ResponseReturnValue:
    """Show one correction with old and new side by side."""
    return _page(reference)


def _page(reference: str, **refused: Form) -> ResponseReturnValue:
    actor, today = current_actor(), business_today()
    detail = reading(lambda unit: desk.correction_detail(unit, actor, reference, today=today))
    forms: dict[str, Any] = {
        "back": ReasonForm(formdata=None, prefix="back-"),
        "aside": ReasonForm(formdata=None, prefix="aside-"),
    }
    page = render_template(
        "admin/returns/correction.html",
        detail=detail,
        row=detail.line,
        items=_timeline(detail),
        forms={**forms, **refused},
        refused=next(iter(refused), None),
        type_words=TYPE_WORDS,
    )
    return page, 422 if refused else 200


@blueprint.post("/returns/corrections/<reference>/propose")
@requires(Permission.PAYEES_CHECK, back=_ONE)
def returns_correction_propose(reference: str) -> ResponseReturnValue:
    """Ask for a correction to be applied, as the first of two people."""
    actor, when = current_actor(), moment()

    def work(unit: Session) -> None:
        corrections.propose_correction(unit, actor, correction_ref=reference, moment=when)

    in_transaction(work)
    return _back(reference, "A second person applies it now.")


@blueprint.post("/returns/corrections/<reference>/apply")
@requires(Permission.PAYEES_APPROVE, back=_ONE)
def returns_correction_apply(reference: str) -> ResponseReturnValue:
    """Apply a correction as the second person."""
    actor, when, keys = current_actor(), moment(), keyring()

    def work(unit: Session) -> None:
        corrections.apply_correction(
            unit, actor, correction_ref=reference, keyring=keys, moment=when
        )

    in_transaction(work)
    return _back(reference, "The corrected account is in use; the next payment goes there.")


@blueprint.post("/returns/corrections/<reference>/back")
@requires(Permission.PAYEES_APPROVE, back=_ONE)
def returns_correction_back(reference: str) -> ResponseReturnValue:
    """Send a proposed correction back, with a reason."""
    form = ReasonForm(prefix="back-")
    if not form.validate_on_submit():
        return _page(reference, back=form)
    show_again(form, lambda: _page(reference, back=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data

    def work(unit: Session) -> None:
        corrections.send_correction_back(
            unit, actor, correction_ref=reference, reason=reason, moment=when
        )

    in_transaction(work)
    return _back(reference, "The correction went back.")


@blueprint.post("/returns/corrections/<reference>/aside")
@requires(Permission.PAYEES_APPROVE, back=_ONE)
def returns_correction_aside(reference: str) -> ResponseReturnValue:
    """Set a correction aside that was dealt with otherwise, with a reason."""
    form = ReasonForm(prefix="aside-")
    if not form.validate_on_submit():
        return _page(reference, aside=form)
    show_again(form, lambda: _page(reference, aside=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data

    def work(unit: Session) -> None:
        corrections.set_aside(unit, actor, correction_ref=reference, reason=reason, moment=when)

    in_transaction(work)
    return _back(reference, "The correction is set aside.")


def _back(reference: str, told: str) -> ResponseReturnValue:
    flash_done(told)
    return redirect(url_for(_ONE, reference=reference), code=303)


def _timeline(detail: desk.CorrectionDetail) -> list[TimelineItem]:
    items = [
        TimelineItem(
            "The bank noted the change", detail.noted_on, icon="building-bank", tone="info"
        ),
        TimelineItem("It reached us", detail.line.received_on, icon="inbox"),
    ]
    if detail.proposed_by:
        items.append(
            TimelineItem("Proposed", detail.proposed_at, actor=detail.proposed_by, icon="eye-check")
        )
    if detail.decided_by:
        items.append(
            TimelineItem(
                detail.line.label,
                detail.decided_at,
                actor=detail.decided_by,
                reason=detail.reason or None,
                icon="circle-check",
                tone="ok",
            )
        )
    else:
        items.append(
            TimelineItem("To be applied by", detail.line.due_on, icon="clock", state="expected")
        )
    return items
