"""Payments whose outcome is unknown: what is known, what was tried when, and two people's word."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk.unknown import unknown_view
from seedtrust.domain.payments.states import InstructionState
from seedtrust.domain.payments.unknown import confirm_not_sent
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import clock_now, current_actor, current_settings, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_PAGE: Final = "admin.payments_unknown"
_VERBS: Final = {
    "cancel_payment": "Asked the bank to stop it",
    "create_payment": "Asked the bank to send it",
    "find_payment": "Asked the bank whether it has it",
}
_OUTCOMES: Final = {
    "AuthFailed": "The bank did not know us",
    "CutoffPassed": "Too late for the day",
    "Declined": "Refused",
    "NotSent": "The bank was not reached",
    "NotSupported": "The bank cannot be asked this",
    "OutcomeUnknown": "No clear answer",
    "ProtocolError": "An answer that cannot be",
    "ok": "Answered",
}


class NotSentForm(Form):
    """How somebody knows that the bank never got a payment."""

    note = TextAreaField(
        "How do you know?",
        validators=[
            DataRequired("Say how you know, such as whom at the bank you spoke to."),
            Length(max=500),
        ],
        render_kw={"rows": 3},
    )


@blueprint.get("/payments/<reference>/unknown")
@requires(Permission.RUNS_VIEW)
def payments_unknown(reference: str) -> str:
    """Show what is known of a payment, what was tried when, and what happens next."""
    actor, now = current_actor(), clock_now()
    found = reading(lambda unit: unknown_view(unit, actor, reference))
    return render_template(
        "admin/payments/unknown.html",
        found=found,
        row=found.payment,
        is_quiet=found.quiet_from_at is None or found.quiet_from_at <= now,
        verbs=_VERBS,
        outcomes=_OUTCOMES,
    )


@blueprint.route("/payments/<reference>/not-sent", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_CONFIRM_NOT_SENT, step_up=True, back=_PAGE)
def payments_not_sent(reference: str) -> ResponseReturnValue:
    """Give one person's word that the bank never got a payment; with the second it may be paid."""
    form = NotSentForm()
    if not form.validate_on_submit():
        return _ask(form, reference)
    show_again(form, lambda: _ask(form, reference))
    actor, when, note = current_actor(), moment(), form.note.data
    limit = current_settings().step_up_seconds
    row = in_transaction(
        lambda unit: confirm_not_sent(
            unit,
            actor,
            instruction_ref=reference,
            note=note,
            moment=when,
            step_up_seconds=limit,
        )
    )
    if row.state == InstructionState.FAILED:
        flash_done("Two people have confirmed it. The request can be paid again.")
    else:
        flash_done("Your word is kept. A second person has to confirm it as well.")
    return redirect(url_for(_PAGE, reference=reference), code=303)


def _ask(form: NotSentForm, reference: str) -> ResponseReturnValue:
    actor = current_actor()
    found = reading(lambda unit: unknown_view(unit, actor, reference))
    shown = render_template(
        "admin/payments/not_sent.html", form=form, found=found, row=found.payment
    )
    return shown, 422 if form.is_submitted() else 200
