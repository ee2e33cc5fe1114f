"""Deciding how a case is paid, before the first cent has moved."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import CASE_RAIL_WORDS
from seedtrust.core.permissions import Permission
from seedtrust.domain.payments.caserails import choose_rail, rail_of_case
from seedtrust.domain.payments.states import CaseRail
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires


class CaseRailForm(Form):
    """How a case is paid, and why."""

    rail = RadioField(
        "Rail",
        choices=choices_of(*((rail.value, CASE_RAIL_WORDS[rail]) for rail in CaseRail)),
        validators=[DataRequired("Choose one of the rails.")],
    )
    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why the case is paid this way."), Length(max=500)],
        render_kw={"rows": 3},
    )


@blueprint.route("/cases/<reference>/rail", methods=["GET", "POST"])
@requires(Permission.CASES_CHOOSE_RAIL, back="admin.cases_overview")
def cases_rail(reference: str) -> ResponseReturnValue:
    """Show how a case is paid and why, and let somebody decide otherwise."""
    actor, when, form = current_actor(), moment(), CaseRailForm()
    found = reading(lambda unit: rail_of_case(unit, actor, reference))
    if not form.is_submitted():
        form.rail.data = found.rail.value

    def page() -> ResponseReturnValue:
        shown = render_template(
            "admin/cases/rail.html",
            form=form,
            found=found,
            reference=reference,
            words=CASE_RAIL_WORDS,
        )
        return shown, 422 if form.is_submitted() else 200

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    rail, reason = form.rail.data, form.reason.data
    in_transaction(
        lambda unit: choose_rail(
            unit, actor, case_ref=reference, rail=rail, reason=reason, moment=when
        )
    )
    flash_done("The case is paid this way from its first payment on.")
    return redirect(url_for("admin.cases_overview", reference=reference), code=303)
