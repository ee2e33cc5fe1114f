"""The business date of the demo, and moving it: jobs, bank and pages follow."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import DateField
from wtforms.validators import DataRequired

from seedtrust.admin import blueprint
from seedtrust.admin.forms import Form
from seedtrust.core.bankdays import banking_days_between, is_banking_day, next_banking_day
from seedtrust.core.clock import at_new_york
from seedtrust.core.errors import Invalid, NotFound
from seedtrust.core.permissions import Permission
from seedtrust.domain.operations import service as operations
from seedtrust.ext import in_transaction, ring_the_relay
from seedtrust.web.actor import business_today, clock_now, current_actor, current_settings
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.formatting import date_text
from seedtrust.web.guard import requires

# Before every cut-off, so that the day's work can still be done on the day.
_HOUR: Final = 9
_FARTHEST_DAYS: Final = 400


class ClockForm(Form):
    """The day to move to."""

    to = DateField("Business date", validators=[DataRequired("Choose a day, such as 2026-07-07.")])


def _require_demo() -> None:
    if current_settings().business_clock != "database":
        message = "Here the business date is the real one, and nobody moves it."
        raise NotFound(message)


@blueprint.get("/clock")
@requires(Permission.CLOCK_MOVE)
def clock() -> str:
    """Show where the business date stands and what moving it does."""
    _require_demo()
    today = business_today()
    form = ClockForm(data={"to": _asked() or next_banking_day(today)})
    return _page(form, today)


def _asked() -> date | None:
    try:
        return date.fromisoformat(request.args.get("to", ""))
    except ValueError:
        return None


def _page(form: ClockForm, today: date) -> str:
    wanted = form.to.data
    following = next_banking_day(today)
    return render_template(
        "admin/today/clock.html",
        form=form,
        today=today,
        following=following,
        consequences=_consequences(today, wanted) if wanted and wanted > today else [],
        wanted=wanted,
        typed=form.to.raw_data[0] if form.to.raw_data else "",
    )


def _consequences(today: date, wanted: date) -> list[str]:
    days = banking_days_between(today, wanted)
    lines = [f"The business date goes from {date_text(today)} to {date_text(wanted)}."]
    if days:
        lines.append(
            f"{days} banking day{'s' if days > 1 else ''} pass: the jobs of each of them run, "
            "and the simulated bank settles what it holds."
        )
    if not is_banking_day(wanted):
        lines.append("The bank is closed on that day, so what is due is paid on the next one.")
    lines.append("There is no way back: the date only moves forward.")
    return lines


@blueprint.post("/clock")
@requires(Permission.CLOCK_MOVE, back="admin.clock")
def clock_move() -> ResponseReturnValue:
    """Move the business date to nine in the morning of a later day."""
    _require_demo()
    form, today = ClockForm(), business_today()
    if not form.validate_on_submit():
        return _page(form, today), 422
    show_again(form, lambda: _page(form, today))
    actor, now, wanted = current_actor(), clock_now(), form.to.data
    if not 0 < (wanted - today).days <= _FARTHEST_DAYS:
        message = f"Choose a day after {date_text(today)}, within a year."
        raise Invalid(message, errors={"to": [message]})
    to = at_new_york(wanted, _HOUR)
    in_transaction(lambda unit: operations.set_business_clock(unit, actor, to, now=now))
    ring_the_relay()
    flash_done(f"The business date is {date_text(wanted)}. Jobs of the days between now run.")
    return redirect(url_for("admin.today"), code=303)
