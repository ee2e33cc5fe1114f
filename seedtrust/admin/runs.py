"""Payment runs: the list, building one, and one run from its first payment to settlement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.forms import Form
from seedtrust.admin.words import RAIL_WORDS, category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import worklist as desk
from seedtrust.domain.desk.payments import Since, changes_of_run
from seedtrust.domain.desk.runs import next_cutoff, waiting_runs
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.payments import files, queries, release, runs
from seedtrust.domain.payments.states import Rail, RunState
from seedtrust.domain.payments.views import RunSummary, RunView
from seedtrust.ext import in_transaction, reading, ring_the_relay
from seedtrust.web import page
from seedtrust.web.actor import (
    business_now,
    clock_now,
    current_actor,
    current_settings,
    keyring,
    moment,
)
from seedtrust.web.flashes import flash_done, flash_note, show_again
from seedtrust.web.guard import requires

_DETAIL: Final = "admin.runs_detail"
_RELEASE: Final = "admin.runs_release"
VIEWS: Final = {
    "open": ("Being built", (RunState.OPEN,)),
    "release": ("To release", (RunState.LOCKED,)),
    "flight": (
        "On the way",
        (RunState.RELEASED, RunState.UNKNOWN, RunState.TRANSMITTED, RunState.ACKNOWLEDGED),
    ),
    "settled": ("Settled", (RunState.SETTLED,)),
    "stopped": ("Stopped", (RunState.REJECTED, RunState.CANCELLED)),
}
_PLACES: Final = {
    RunState.OPEN: "built",
    RunState.LOCKED: "locked",
    RunState.RELEASED: "released",
    RunState.UNKNOWN: "released",
    RunState.TRANSMITTED: "sent",
    RunState.ACKNOWLEDGED: "acknowledged",
    RunState.SETTLED: "settled",
}


class StopForm(Form):
    """Why a run is opened again, cancelled, or a payment taken out."""

    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why; it is kept with the run."), Length(max=500)],
        render_kw={"rows": 3},
    )


@blueprint.get("/runs")
@requires(Permission.RUNS_VIEW)
def runs_list() -> ResponseReturnValue:
    """List payment runs, the newest first."""
    actor, view = current_actor(), request.args.get("view", "")
    states = VIEWS[view][1] if view in VIEWS else ()
    found = reading(lambda unit: queries.list_runs(unit, actor, states=states, limit=200))
    if listing.wants_csv():
        return _csv(found)
    return render_template(
        "admin/runs/list.html",
        rows=found,
        view=view,
        views=[(key, words) for key, (words, _) in VIEWS.items()],
        rail_words=RAIL_WORDS,
    )


def _csv(found: list[RunSummary]) -> Response:
    return listing.as_csv(
        "payment-runs",
        (
            "Run",
            "Account",
            "Rail",
            "Settles on",
            "Built by",
            "Released by",
            "Status",
            "Payments",
            "Total ($)",
        ),
        (
            (
                row.reference,
                row.trust_account,
                row.rail.value,
                row.effective_on,
                row.builder_name,
                row.releaser_name,
                row.state_label,
                row.payments,
                listing.dollars(row.total_cents),
            )
            for row in found
        ),
    )


@blueprint.route("/runs/build", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back="admin.runs_build")
def runs_build() -> ResponseReturnValue:
    """Choose the account and rail whose due payments are collected, and collect them."""
    actor = current_actor()
    if request.method == "POST":
        return _collect()
    accounts, waiting, work = reading(
        lambda unit: (
            queries.trust_accounts(unit, actor),
            waiting_runs(unit, actor),
            desk.worklist(unit),
        )
    )
    now = business_now()
    return render_template(
        "admin/runs/build.html",
        accounts=accounts,
        cutoffs={
            (account.id, rail): next_cutoff(local, now)
            for account in accounts
            for rail, local in (
                (Rail.ACH, account.ach_cutoff_local),
                (Rail.WIRE, account.wire_cutoff_local),
            )
        },
        open_runs={(run.account, run.rail): run for run in waiting if run.state is RunState.OPEN},
        reserved=work.of(desk.REQUESTS, RequestState.READY),
        rails=list(Rail),
        rail_words=RAIL_WORDS,
        business_now=now,
    )


def _collect() -> ResponseReturnValue:
    actor, when = current_actor(), moment()
    account = request.form.get("account", "")
    account_id = int(account) if account.isdecimal() and len(account) < 20 else 0  # noqa: PLR2004 - an id
    rail = Rail.WIRE if request.form.get("rail") == Rail.WIRE.value else Rail.ACH

    def work(unit: Session) -> str | None:
        run = runs.collect_due(unit, actor, trust_account_id=account_id, rail=rail, moment=when)
        return None if run is None else run.reference

    reference = in_transaction(work)
    if reference is None:
        flash_note(f"Nothing is due by {RAIL_WORDS[rail]} on this account, so there is no run.")
        return redirect(url_for("admin.runs_build"), code=303)
    flash_done("Everything that is due was looked at. Check what is in and what is not.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.get("/runs/<reference>")
@requires(Permission.RUNS_VIEW)
def runs_detail(reference: str) -> str:
    """Show one run: its course, its payments, what was left out and why, its file."""
    actor = current_actor()
    run = reading(lambda unit: queries.run_view(unit, actor, reference))
    return render_template(
        "admin/runs/detail.html",
        run=run,
        row=run.summary,
        steps=_steps(run),
        current=_PLACES.get(run.summary.state, ""),
        rail_words=RAIL_WORDS,
        category_words=category_words,
    )


def _steps(run: RunView) -> list[page.Stage]:
    row = run.summary
    return [
        page.Stage("built", "Built", row.built_on),
        page.Stage("locked", "Locked"),
        page.Stage("released", "Released"),
        page.Stage("sent", "Sent"),
        page.Stage("acknowledged", "Acknowledged"),
        page.Stage("settled", "Settled", row.settled_on or row.effective_on),
    ]


@blueprint.post("/runs/<reference>/lock")
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def runs_lock(reference: str) -> ResponseReturnValue:
    """Close a run for release by somebody else."""
    actor, when = current_actor(), moment()
    in_transaction(lambda unit: runs.lock_run(unit, actor, run_ref=reference, moment=when))
    flash_done("The run is locked. Another person has to release it now.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@dataclass(frozen=True)
class Stopping:
    """An act that stops something about a run: what is asked, what comes of it, the button."""

    title: str
    consequences: tuple[str, ...]
    submit: str


_REOPEN: Final = Stopping(
    "Open the run again?",
    ("What was locked may change again.", "A release by one of two people is void."),
    "Open again",
)
_CANCEL: Final = Stopping(
    "Cancel the run?",
    (
        "No payment of this run is made.",
        "Its requests stay reserved and go into the next run.",
    ),
    "Cancel the run",
)
_REMOVE: Final = Stopping(
    "Take this payment out?",
    (
        "The request stays reserved.",
        "It comes back when due payments are collected the next time.",
    ),
    "Take it out",
)


@blueprint.route("/runs/<reference>/reopen", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def runs_reopen(reference: str) -> ResponseReturnValue:
    """Open a locked run again, after showing what that does."""
    form = StopForm()
    if not form.validate_on_submit():
        return _stop(form, reference, _REOPEN)
    show_again(form, lambda: _stop(form, reference, _REOPEN))
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: runs.reopen_run(unit, actor, run_ref=reference, reason=reason, moment=when)
    )
    flash_done("The run is open again.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.route("/runs/<reference>/cancel", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def runs_cancel(reference: str) -> ResponseReturnValue:
    """Give a run up before it is sent, after showing what that does."""
    form = StopForm()
    if not form.validate_on_submit():
        return _stop(form, reference, _CANCEL)
    show_again(form, lambda: _stop(form, reference, _CANCEL))
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: runs.cancel_run(unit, actor, run_ref=reference, reason=reason, moment=when)
    )
    flash_done("The run is cancelled; its requests are reserved for the next one.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.route("/runs/<reference>/remove/<payment>", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def runs_remove(reference: str, payment: str) -> ResponseReturnValue:
    """Take one payment out of an open run, after showing what that does."""
    form = StopForm()
    if not form.validate_on_submit():
        return _stop(form, reference, _REMOVE)
    show_again(form, lambda: _stop(form, reference, _REMOVE))
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: runs.remove_payment(
            unit, actor, instruction_ref=payment, reason=reason, moment=when
        )
    )
    flash_done("The payment is out of the run.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


def _stop(form: StopForm, reference: str, asked: Stopping) -> ResponseReturnValue:
    actor = current_actor()
    run = reading(lambda unit: queries.run_view(unit, actor, reference))
    shown = render_template(
        "admin/runs/stop.html",
        form=form,
        row=run.summary,
        title=asked.title,
        consequences=asked.consequences,
        submit=asked.submit,
        rail_words=RAIL_WORDS,
    )
    return shown, 422 if form.is_submitted() else 200


@blueprint.get("/runs/<reference>/release")
@requires(Permission.RUNS_RELEASE)
def runs_release(reference: str) -> str:
    """Show a releaser everything that leaves, what changed since, and what happens next."""
    actor = current_actor()

    def work(unit: Session) -> tuple[RunView, dict[str, Since]]:
        return queries.run_view(unit, actor, reference), changes_of_run(unit, actor, reference)

    run, changes = reading(work)
    limit = current_settings().step_up_seconds
    fresh = (
        actor.stepped_up_at is not None
        and (clock_now() - actor.stepped_up_at).total_seconds() <= limit
    )
    return render_template(
        "admin/runs/release.html",
        run=run,
        row=run.summary,
        changes=changes,
        fresh=fresh,
        step_up_href=url_for("admin.step_up", next=request.path),
        rail_words=RAIL_WORDS,
        category_words=category_words,
    )


@blueprint.post("/runs/<reference>/release")
@requires(Permission.RUNS_RELEASE, step_up=True, back=_RELEASE)
def runs_release_now(reference: str) -> ResponseReturnValue:
    """Release the run that was shown; the money leaves with the next file."""
    actor, when = current_actor(), moment()
    seen, limit = request.form.get("content_hash", ""), current_settings().step_up_seconds

    def work(unit: Session) -> bool:
        run = release.release_run(
            unit, actor, run_ref=reference, content_hash=seen, moment=when, step_up_seconds=limit
        )
        return run.state == RunState.RELEASED

    if in_transaction(work):
        ring_the_relay()
        flash_done("The run is released and on its way to the bank.")
    else:
        flash_done("Your release is kept. A second person has to release this run as well.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.get("/runs/files/<reference>")
@requires(Permission.RUNS_DOWNLOAD)
def runs_file(reference: str) -> Response:
    """Hand over a bank file exactly as it was sealed; who took it is written down."""
    actor, keys, when = current_actor(), keyring(), moment()
    name, content = in_transaction(
        lambda unit: files.download_file(unit, actor, file_ref=reference, keyring=keys, moment=when)
    )
    response = Response(content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
