"""Asking the bank to stop a payment that it has and has not sent on."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk.cancelling import stopping_of
from seedtrust.domain.payments.cancelling import ask_to_cancel
from seedtrust.domain.payments.queries import payment_view
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, current_settings, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_PAGE: Final = "admin.payments_detail"


class StopForm(Form):
    """Why a payment should be stopped."""

    reason = TextAreaField(
        "Why should it be stopped?",
        validators=[DataRequired("Say why it should be stopped."), Length(max=500)],
        render_kw={"rows": 3},
    )


@blueprint.route("/payments/<reference>/stop", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_CANCEL, step_up=True, back=_PAGE)
def payments_stop(reference: str) -> ResponseReturnValue:
    """Wish that the bank stop a payment; the bank alone says whether it does."""
    form = StopForm()
    if not form.validate_on_submit():
        return _ask(form, reference)
    show_again(form, lambda: _ask(form, reference))
    actor, when, reason = current_actor(), moment(), form.reason.data
    limit = current_settings().step_up_seconds
    in_transaction(
        lambda unit: ask_to_cancel(
            unit,
            actor,
            instruction_ref=reference,
            reason=reason,
            moment=when,
            step_up_seconds=limit,
        )
    )
    flash_done("The bank is being asked to stop it. Its answer appears on this page.")
    return redirect(url_for(_PAGE, reference=reference), code=303)


def _ask(form: StopForm, reference: str) -> ResponseReturnValue:
    actor = current_actor()
    (payment, _steps), stopping = reading(
        lambda unit: (payment_view(unit, actor, reference), stopping_of(unit, actor, reference))
    )
    shown = render_template("admin/payments/stop.html", form=form, row=payment, stopping=stopping)
    return shown, 422 if form.is_submitted() else 200
