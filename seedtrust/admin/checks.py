"""The check register: the list, one check, and preparing, issuing, stopping and replacing."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.case_acts import Act, act_on, act_page
from seedtrust.admin.forms import ButtonForm, Form, ReasonForm
from seedtrust.core.permissions import Permission
from seedtrust.domain.checks import queries, service
from seedtrust.domain.checks.states import CHECK_LABELS, CheckState
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.disbursements.queries import request_detail
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_DETAIL: Final = "admin.checks_detail"
_PREPARING: Final = Act(
    "Pay it by check",
    "For a payee without a bank account that we may pay to.",
    "Prepare the check",
    consequences=(
        "The request leaves what is paid by bank; its money stays reserved.",
        "Another person issues the check, which then has its number.",
    ),
)
_ISSUING: Final = Act(
    "Issue the check",
    "It gets the next number and may be printed and mailed.",
    "Issue it",
    consequences=(
        "The money leaves the case today and is outstanding until the bank pays the check.",
        "The bank is told that it may pay it.",
    ),
)
_CANCELLING: Final = Act(
    "Do not issue the check",
    "No number is used.",
    "Give it up",
    consequences=("The request waits to be paid again, by bank or by check.",),
)
_STOPPING: Final = Act(
    "Ask to stop the check",
    "For a check that was lost, stolen, or must not be paid.",
    "Ask for the stop",
    consequences=("Until another person confirms it, the bank may still pay the check.",),
)
_CONFIRMING: Final = Act(
    "Confirm the stop",
    "Another person asked for it.",
    "Stop it",
    consequences=(
        "The bank is told not to pay it.",
        "The money is back on the case, and the request waits to be paid again.",
    ),
)
_KEEPING: Final = Act(
    "Refuse the stop",
    "The check stays outstanding.",
    "Let it stand",
)
_VOIDING: Final = Act(
    "Make the check void",
    "For a check whose paper is in our hands: spoiled, or come back unopened.",
    "Make it void",
    consequences=("The money is back on the case, and the request waits to be paid again.",),
)
_REPLACING: Final = Act(
    "Replace the stale check",
    "The payee has been found and wants the money.",
    "Prepare another check",
    consequences=("Another person issues it; until then the money stays a stale item.",),
)


class AddressForm(Form):
    """Where the envelope goes."""

    mail_to = TextAreaField(
        "Mail it to",
        description="Name and address as they stand on the envelope.",
        validators=[DataRequired("Enter the address."), Length(max=300)],
        render_kw={"rows": 3},
    )


@blueprint.get("/checks")
@requires(Permission.RUNS_VIEW)
def checks_list() -> ResponseReturnValue:
    """List the register."""
    actor, state = current_actor(), listing.choice_of("state", CheckState)
    rows = reading(lambda unit: queries.list_checks(unit, actor, state=state))
    return render_template(
        "admin/checks/list.html",
        rows=rows,
        state=state.value if state else "",
        states=[("", "Any status"), *((key.value, CHECK_LABELS[key]) for key in CheckState)],
    )


@blueprint.get("/checks/<reference>")
@requires(Permission.RUNS_VIEW)
def checks_detail(reference: str) -> str:
    """Show one check and what may be done about it."""
    actor = current_actor()
    row = reading(lambda unit: queries.check_view(unit, actor, reference))
    builds, releases = actor.may(Permission.RUNS_BUILD), actor.may(Permission.RUNS_RELEASE)
    acts = [
        ("checks_cancel", "Do not issue it", "x", builds and row.state is CheckState.PREPARED),
        ("checks_stop", "Ask to stop it", "hand-stop", builds and row.state is CheckState.ISSUED),
        (
            "checks_keep",
            "Refuse the stop",
            "arrow-back-up",
            releases and row.state is CheckState.STOP_ASKED,
        ),
        (
            "checks_void",
            "Make it void",
            "ban",
            releases and row.state is CheckState.ISSUED and row.issued_by_user_id != actor.user_id,
        ),
        (
            "checks_issue",
            "Issue it",
            "send",
            releases
            and row.state is CheckState.PREPARED
            and row.prepared_by_user_id != actor.user_id,
        ),
        (
            "checks_confirm_stop",
            "Confirm the stop",
            "hand-stop",
            releases
            and row.state is CheckState.STOP_ASKED
            and row.stop_asked_by_user_id != actor.user_id,
        ),
        ("checks_replace", "Replace it", "refresh", builds and row.state is CheckState.STALE),
    ]
    return render_template(
        "admin/checks/detail.html",
        row=row,
        acts=[(f"admin.{name}", label, icon) for name, label, icon, may in acts if may],
    )


@blueprint.route("/requests/<reference>/check", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back="admin.requests_detail")
def checks_new(reference: str) -> ResponseReturnValue:
    """Prepare a check for a request that is ready to be paid."""
    actor, when, form = current_actor(), moment(), AddressForm()

    def read(unit: Session) -> CaseHead:
        row = request_detail(unit, actor, reference).row
        return held_case(unit, actor, row.case_ref)[1]

    head = reading(read)
    if not form.validate_on_submit():
        return act_page(_PREPARING, form, head)
    show_again(form, lambda: act_page(_PREPARING, form, head))
    made = in_transaction(
        lambda unit: (
            service.prepare_check(
                unit,
                actor,
                request_ref=reference,
                mail_to=form.mail_to.data or "",
                moment=when,
            ).reference
        )
    )
    flash_done("The check is prepared. Another person issues it.")
    return redirect(url_for(_DETAIL, reference=made), code=303)


@blueprint.route("/checks/<reference>/issue", methods=["GET", "POST"])
@requires(Permission.RUNS_RELEASE, step_up=True, back=_DETAIL)
def checks_issue(reference: str) -> ResponseReturnValue:
    """Issue a check that another person prepared."""
    actor, when, form, head = current_actor(), moment(), ButtonForm(), _head(reference)
    return act_on(
        _ISSUING,
        form,
        head,
        lambda unit: service.issue_check(unit, actor, check_ref=reference, moment=when),
        "The check is issued. Print and mail it.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/checks/<reference>/cancel", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def checks_cancel(reference: str) -> ResponseReturnValue:
    """Give up a check that was not issued."""
    actor, when, form, head = current_actor(), moment(), ReasonForm(), _head(reference)
    return act_on(
        _CANCELLING,
        form,
        head,
        lambda unit: service.cancel_prepared(
            unit, actor, check_ref=reference, reason=form.reason.data or "", moment=when
        ),
        "The check is not issued.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/checks/<reference>/stop", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def checks_stop(reference: str) -> ResponseReturnValue:
    """Ask for the stop of a check."""
    actor, when, form, head = current_actor(), moment(), ReasonForm(), _head(reference)
    return act_on(
        _STOPPING,
        form,
        head,
        lambda unit: service.ask_to_stop(
            unit, actor, check_ref=reference, reason=form.reason.data or "", moment=when
        ),
        "Another person confirms the stop now.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/checks/<reference>/confirm-stop", methods=["GET", "POST"])
@requires(Permission.RUNS_RELEASE, step_up=True, back=_DETAIL)
def checks_confirm_stop(reference: str) -> ResponseReturnValue:
    """Confirm a stop that another person asked for."""
    actor, when, form, head = current_actor(), moment(), ButtonForm(), _head(reference)
    return act_on(
        _CONFIRMING,
        form,
        head,
        lambda unit: service.confirm_stop(unit, actor, check_ref=reference, moment=when),
        "The check is stopped.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/checks/<reference>/keep", methods=["GET", "POST"])
@requires(Permission.RUNS_RELEASE, step_up=True, back=_DETAIL)
def checks_keep(reference: str) -> ResponseReturnValue:
    """Refuse a stop that was asked for."""
    actor, when, form, head = current_actor(), moment(), ButtonForm(), _head(reference)
    return act_on(
        _KEEPING,
        form,
        head,
        lambda unit: service.keep_check(unit, actor, check_ref=reference, moment=when),
        "The check stays outstanding.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/checks/<reference>/void", methods=["GET", "POST"])
@requires(Permission.RUNS_RELEASE, step_up=True, back=_DETAIL)
def checks_void(reference: str) -> ResponseReturnValue:
    """Make a check void whose paper is in our hands."""
    actor, when, form, head = current_actor(), moment(), ReasonForm(), _head(reference)
    return act_on(
        _VOIDING,
        form,
        head,
        lambda unit: service.void_check(
            unit, actor, check_ref=reference, reason=form.reason.data or "", moment=when
        ),
        "The check is void.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/checks/<reference>/replace", methods=["GET", "POST"])
@requires(Permission.RUNS_BUILD, back=_DETAIL)
def checks_replace(reference: str) -> ResponseReturnValue:
    """Prepare a check in the place of a stale one."""
    actor, when, head = current_actor(), moment(), _head(reference)
    row = reading(lambda unit: queries.check_view(unit, actor, reference))
    form = AddressForm(mail_to=row.mail_to)
    if not form.validate_on_submit():
        return act_page(_REPLACING, form, head)
    show_again(form, lambda: act_page(_REPLACING, form, head))
    made = in_transaction(
        lambda unit: (
            service.prepare_reissue(
                unit, actor, check_ref=reference, mail_to=form.mail_to.data or "", moment=when
            ).reference
        )
    )
    flash_done("Another person issues the new check.")
    return redirect(url_for(_DETAIL, reference=made), code=303)


def _head(reference: str) -> CaseHead:
    actor = current_actor()

    def read(unit: Session) -> CaseHead:
        row = queries.check_view(unit, actor, reference)
        return held_case(unit, actor, row.case_ref)[1]

    return reading(read)
