"""The rails of every bank, and the switch that stops sending on one of them."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form
from seedtrust.admin.words import RAIL_WORDS
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Permission
from seedtrust.domain.payments import railstops
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON
from seedtrust.domain.payments.railstops import RailView
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

BANK_WORDS: Final = {FILE_DROP: "Bank by files", HUNTINGTON: "Bank by interface"}


class StopRailForm(Form):
    """Why nothing may be sent on a rail."""

    reason = TextAreaField(
        "Reason",
        validators=[
            DataRequired("Say why, so that others know when to lift it."),
            Length(max=500),
        ],
        render_kw={"rows": 3},
    )


@blueprint.get("/rails")
@requires(Permission.BANK_ACCOUNTS_VIEW)
def rails_list() -> str:
    """Show every rail, whether it sends, and who stopped it why."""
    actor = current_actor()
    return render_template(
        "admin/rails/list.html",
        rows=reading(lambda unit: railstops.list_rails(unit, actor)),
        rail_words=RAIL_WORDS,
        bank_words=BANK_WORDS,
    )


@blueprint.route("/rails/<bank>/<rail>/stop", methods=["GET", "POST"])
@requires(Permission.RAILS_SWITCH, back="admin.rails_list")
def rails_stop(bank: str, rail: str) -> ResponseReturnValue:
    """Stop sending on a rail, after showing what that does."""
    form = StopRailForm()
    if not form.validate_on_submit():
        return _ask(form, bank, rail)
    show_again(form, lambda: _ask(form, bank, rail))
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: railstops.stop_rail(
            unit, actor, bank=bank, rail=rail, reason=reason, moment=when
        )
    )
    flash_done("Nothing is sent on this rail until somebody lifts the stop.")
    return redirect(url_for("admin.rails_list"), code=303)


@blueprint.post("/rails/<bank>/<rail>/lift")
@requires(Permission.RAILS_SWITCH, back="admin.rails_list")
def rails_lift(bank: str, rail: str) -> ResponseReturnValue:
    """Send on a rail again; what waited goes with the next turn."""
    actor, when = current_actor(), moment()
    in_transaction(lambda unit: railstops.lift_stop(unit, actor, bank=bank, rail=rail, moment=when))
    flash_done("The rail sends again.")
    return redirect(url_for("admin.rails_list"), code=303)


def _ask(form: StopRailForm, bank: str, rail: str) -> ResponseReturnValue:
    actor = current_actor()
    rows = reading(lambda unit: railstops.list_rails(unit, actor))
    found = _found(rows, bank, rail)
    shown = render_template(
        "admin/rails/stop.html",
        form=form,
        row=found,
        rail_words=RAIL_WORDS,
        bank_words=BANK_WORDS,
    )
    return shown, 422 if form.is_submitted() else 200


def _found(rows: list[RailView], bank: str, rail: str) -> RailView:
    for row in rows:
        if (row.bank, row.rail.value) == (bank, rail):
            return row
    message = "There is no such rail."
    raise NotFound(message)
