"""E-checks: the list, one of them, and checking, asking, releasing, calling off, trying again."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.case_acts import Act, act_on, act_page
from seedtrust.admin.fields import MoneyField
from seedtrust.admin.forms import ButtonForm, Form, ReasonForm
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import funding as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.echecks import authorising, pulling, queries
from seedtrust.domain.echecks.queries import AuthorisationView, PullView
from seedtrust.domain.echecks.states import PULL_LABELS, AuthorisationState, PullState
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_DETAIL: Final = "admin.echecks_detail"
_ASKING: Final = Act(
    "Draw it from the parents' account",
    "An e-check debits an account that its holder has authorised for this case.",
    "Ask for the e-check",
    consequences=(
        "Another person releases it; it then goes to the bank with the next file.",
        "The money stands on the case when it settles, and can be spent after five banking days.",
    ),
)
_RELEASING: Final = Act(
    "Release the e-check",
    "Another person asked for it; you let it go.",
    "Release it",
    consequences=("It goes to the bank with the next file of e-checks.",),
)
_CANCELLING: Final = Act(
    "Call the e-check off",
    "Nothing is drawn.",
    "Call it off",
    consequences=("The request for funds stays open.",),
)
_PRESENTING: Final = Act(
    "Present the e-check again",
    "It came back because there was not enough money in the account.",
    "Ask to present it again",
    consequences=(
        "The same amount is drawn again, once another person has released it.",
        "A debit may be presented three times in all, within 180 days.",
    ),
)
_CHECKING: Final = Act(
    "Check of the account",
    "Say how it was found out that the account is open and takes debits.",
    "The account is checked",
    consequences=("The account may be debited from now on.",),
)
_REVOKING: Final = Act(
    "Revoke the authorisation",
    "The account is not debited any more.",
    "Revoke it",
    consequences=("E-checks that have not gone to the bank are called off.",),
)


class NoteForm(Form):
    """How the account was validated."""

    note = StringField(
        "How it was checked",
        description="For example the two small amounts that the holder named.",
        validators=[DataRequired("Say how the account was checked."), Length(max=300)],
    )


class DrawForm(Form):
    """Which account, and how much."""

    authorisation = SelectField("Account", validators=[DataRequired("Choose the account.")])
    amount_cents = MoneyField("Amount", description="At most what the request still asks for.")


@blueprint.get("/echecks")
@requires(Permission.ECHECKS_VIEW)
def echecks_list() -> ResponseReturnValue:
    """List e-checks, the newest first."""
    actor, state = current_actor(), listing.choice_of("state", PullState)
    rows = reading(lambda unit: queries.pulls_for(unit, actor, state=state, limit=200))
    return render_template(
        "admin/echecks/list.html",
        rows=rows,
        state=state.value if state else "",
        states=[("", "Any status"), *((key.value, PULL_LABELS[key]) for key in PullState)],
    )


@blueprint.get("/echecks/<reference>")
@requires(Permission.ECHECKS_VIEW)
def echecks_detail(reference: str) -> str:
    """Show one e-check, what was agreed to, and what may be done about it."""
    actor, when = current_actor(), moment()

    def read(unit: Session) -> tuple[PullView, AuthorisationView, bool]:
        row = queries.pull_view(unit, actor, reference)
        authorisation = queries.authorisation_view(unit, actor, row.authorisation_ref)
        return row, authorisation, queries.is_presentable(unit, reference, when.today)

    row, authorisation, is_presentable = reading(read)
    releases = actor.may(Permission.ECHECKS_RELEASE)
    is_live = authorisation.state in {AuthorisationState.GIVEN, AuthorisationState.ACTIVE}
    return render_template(
        "admin/echecks/detail.html",
        row=row,
        authorisation=authorisation,
        may_release=releases
        and row.state is PullState.REQUESTED
        and row.asked_by_user_id != actor.user_id,
        may_cancel=actor.may(Permission.ECHECKS_ASK)
        and row.state in {PullState.REQUESTED, PullState.RELEASED},
        may_present=actor.may(Permission.ECHECKS_PRESENT) and is_presentable and is_live,
        may_revoke=actor.may(Permission.ECHECKS_AUTHORISE) and is_live,
    )


@blueprint.get("/cases/<reference>/debit-authorisations")
@requires(Permission.ECHECKS_VIEW, back="admin.cases_overview")
def echecks_authorisations(reference: str) -> str:
    """List whose accounts may be debited for a case, and what was agreed to."""
    actor = current_actor()

    def read(unit: Session) -> tuple[CaseHead, list[AuthorisationView]]:
        head = held_case(unit, actor, reference)[1]
        return head, queries.authorisations_for(unit, actor, reference)

    head, rows = reading(read)
    return render_template(
        "admin/echecks/authorisations.html",
        head=head,
        rows=rows,
        checks=actor.may(Permission.ECHECKS_RELEASE),
        revokes=actor.may(Permission.ECHECKS_AUTHORISE),
    )


@blueprint.route("/funding/<reference>/draw", methods=["GET", "POST"])
@requires(Permission.ECHECKS_ASK, back="admin.funding_detail")
def echecks_new(reference: str) -> ResponseReturnValue:
    """Ask for an e-check towards a request for funds."""
    actor, when = current_actor(), moment()

    def read(unit: Session) -> tuple[desk.FundingRow, CaseHead, list[AuthorisationView]]:
        row = desk.funding_view(unit, actor, reference)[0]
        head = held_case(unit, actor, row.case_ref)[1]
        return row, head, queries.authorisations_for(unit, actor, row.case_ref)

    row, head, authorisations = reading(read)
    form = DrawForm(amount_cents=row.open_cents)
    form.authorisation.choices = [
        (one.reference, f"{one.holder_name}, {one.masked_number}")
        for one in authorisations
        if one.state is AuthorisationState.ACTIVE
    ]
    if not form.validate_on_submit():
        return act_page(_ASKING, form, head)
    show_again(form, lambda: act_page(_ASKING, form, head))
    made = in_transaction(
        lambda unit: (
            pulling.ask_for_pull(
                unit,
                actor,
                authorisation_ref=form.authorisation.data or "",
                funding_request_ref=reference,
                amount_cents=form.amount_cents.cents or 0,
                moment=when,
            ).reference
        )
    )
    flash_done("The e-check is asked for. Another person releases it.")
    return redirect(url_for(_DETAIL, reference=made), code=303)


@blueprint.route("/echecks/<reference>/release", methods=["GET", "POST"])
@requires(Permission.ECHECKS_RELEASE, step_up=True, back=_DETAIL)
def echecks_release(reference: str) -> ResponseReturnValue:
    """Release an e-check that another person asked for."""
    actor, when, form, head = current_actor(), moment(), ButtonForm(), _head(reference)
    return act_on(
        _RELEASING,
        form,
        head,
        lambda unit: pulling.release_pull(unit, actor, pull_ref=reference, moment=when),
        "The e-check is released.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/echecks/<reference>/cancel", methods=["GET", "POST"])
@requires(Permission.ECHECKS_ASK, back=_DETAIL)
def echecks_cancel(reference: str) -> ResponseReturnValue:
    """Call an e-check off before it goes to the bank."""
    actor, when, form, head = current_actor(), moment(), ReasonForm(), _head(reference)
    return act_on(
        _CANCELLING,
        form,
        head,
        lambda unit: pulling.cancel_pull(
            unit, actor, pull_ref=reference, reason=form.reason.data or "", moment=when
        ),
        "The e-check is called off.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/echecks/<reference>/present-again", methods=["GET", "POST"])
@requires(Permission.ECHECKS_PRESENT, back=_DETAIL)
def echecks_present(reference: str) -> ResponseReturnValue:
    """Ask to present a returned e-check again."""
    actor, when, form, head = current_actor(), moment(), ButtonForm(), _head(reference)
    if not form.validate_on_submit():
        return act_page(_PRESENTING, form, head)
    show_again(form, lambda: act_page(_PRESENTING, form, head))
    made = in_transaction(
        lambda unit: pulling.present_again(unit, actor, pull_ref=reference, moment=when).reference
    )
    flash_done("Another person releases it now.")
    return redirect(url_for(_DETAIL, reference=made), code=303)


@blueprint.route(
    "/cases/<reference>/debit-authorisations/<authorisation>/check", methods=["GET", "POST"]
)
@requires(Permission.ECHECKS_RELEASE, back="admin.cases_overview")
def echecks_check(reference: str, authorisation: str) -> ResponseReturnValue:
    """Record how an account was validated before its first debit."""
    actor, when, form = current_actor(), moment(), NoteForm()
    head = reading(lambda unit: held_case(unit, actor, reference)[1])
    return act_on(
        _CHECKING,
        form,
        head,
        lambda unit: authorising.check_account(
            unit,
            actor,
            authorisation_ref=authorisation,
            note=form.note.data or "",
            moment=when,
        ),
        "The account may be debited.",
        url_for("admin.echecks_authorisations", reference=reference),
    )


@blueprint.route(
    "/cases/<reference>/debit-authorisations/<authorisation>/revoke", methods=["GET", "POST"]
)
@requires(Permission.ECHECKS_AUTHORISE, back="admin.cases_overview")
def echecks_revoke(reference: str, authorisation: str) -> ResponseReturnValue:
    """Revoke an authorisation at its holder's word."""
    actor, when, form = current_actor(), moment(), ReasonForm()
    head = reading(lambda unit: held_case(unit, actor, reference)[1])
    return act_on(
        _REVOKING,
        form,
        head,
        lambda unit: authorising.revoke(
            unit,
            actor,
            authorisation_ref=authorisation,
            reason=form.reason.data or "",
            moment=when,
        ),
        "The authorisation is revoked.",
        url_for("admin.echecks_authorisations", reference=reference),
    )


def _head(reference: str) -> CaseHead:
    actor = current_actor()

    def read(unit: Session) -> CaseHead:
        row = queries.pull_view(unit, actor, reference)
        return held_case(unit, actor, row.case_ref)[1]

    return reading(read)
