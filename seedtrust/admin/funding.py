"""Requests for funds: the list, one of them, and asking, sending and withdrawing."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import DateField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from seedtrust.admin import blueprint, listing
from seedtrust.admin.case_acts import Act, act_page
from seedtrust.admin.fields import MoneyField
from seedtrust.admin.forms import Form, ReasonForm
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import funding as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.funding import asking
from seedtrust.domain.funding.states import FUNDING_LABELS, FUNDING_TONES, FundingState
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_DETAIL: Final = "admin.funding_detail"
WORDS: Final = {state: (FUNDING_LABELS[state], FUNDING_TONES[state]) for state in FundingState}
_ASKING: Final = Act(
    "Ask the parents for funds",
    "Prepare a request by hand, where neither a milestone nor the minimum balance asks for it.",
    "Prepare the request",
    consequences=(
        "A draft is made; nobody outside is told yet.",
        "You look at it and send it on the next page.",
    ),
)
_SENDING: Final = Act(
    "Send the request for funds",
    "The parents are told by mail and in the application.",
    "Send it",
    consequences=(
        "Deposits that come in from now on are counted towards it, the oldest request first.",
        "The parents are reminded on every third day.",
        "After its due day it is overdue, and five banking days later it is put before the lead.",
    ),
)
_WITHDRAWING: Final = Act(
    "Withdraw the request for funds",
    "The parents are not reminded any more.",
    "Withdraw it",
    consequences=("What has come in towards it stays on the case.",),
)


class AskForm(Form):
    """How much is asked for, and why."""

    amount_cents = MoneyField("Amount", description="What the parents should send.")
    reason = TextAreaField(
        "Reason",
        description="The parents read this.",
        validators=[DataRequired("Say what the money is needed for."), Length(max=300)],
        render_kw={"rows": 3},
    )


class SendForm(Form):
    """The last look at the amount and the day before the parents are told."""

    amount_cents = MoneyField("Amount", description="What the parents should send.")
    due_on = DateField(
        "Due on",
        description="By when it should be here.",
        validators=[Optional()],
    )


@blueprint.get("/funding")
@requires(Permission.DEPOSITS_VIEW)
def funding_list() -> ResponseReturnValue:
    """List requests for funds, the newest first, with the sum of what is open."""
    actor, number = current_actor(), listing.page_number()
    state, csv = listing.choice_of("state", FundingState), listing.wants_csv()
    table = reading(
        lambda unit: desk.funding_table(
            unit,
            actor,
            state=state,
            page=1 if csv else number,
            per_page=listing.EXPORTED if csv else listing.PER_PAGE,
        )
    )
    if csv:
        return _csv(table)
    return render_template(
        "admin/funding/list.html",
        table=table,
        state=state.value if state else "",
        states=[("", "Any status")] + [(key.value, word) for key, (word, _) in WORDS.items()],
        words=WORDS,
        page=number,
        per_page=listing.PER_PAGE,
    )


def _csv(table: desk.FundingTable) -> ResponseReturnValue:
    return listing.as_csv(
        "requests-for-funds",
        ("Reference", "Case", "Sent", "Due", "Status", "Amount ($)", "Received ($)", "Reason"),
        (
            (
                row.reference,
                row.case_number,
                row.sent_on,
                row.due_on,
                WORDS[row.state][0],
                listing.dollars(row.amount_cents),
                listing.dollars(row.funded_cents),
                row.reason,
            )
            for row in table.rows
        ),
    )


@blueprint.get("/funding/<reference>")
@requires(Permission.DEPOSITS_VIEW)
def funding_detail(reference: str) -> str:
    """Show one request for funds, why it was made, and what has come in towards it."""
    actor = current_actor()
    row, parts = reading(lambda unit: desk.funding_view(unit, actor, reference))
    may_ask = actor.may(Permission.FUNDING_ASK)
    return render_template(
        "admin/funding/detail.html",
        row=row,
        parts=parts,
        word=WORDS[row.state],
        may_send=may_ask and row.state is FundingState.DRAFT,
        may_withdraw=may_ask and row.is_open,
    )


@blueprint.route("/cases/<reference>/funding/new", methods=["GET", "POST"])
@requires(Permission.FUNDING_ASK, back="admin.cases_overview")
def funding_new(reference: str) -> ResponseReturnValue:
    """Prepare a request for funds by hand."""
    actor, when, form = current_actor(), moment(), AskForm()
    head = reading(lambda unit: held_case(unit, actor, reference)[1])
    if not form.validate_on_submit():
        return act_page(_ASKING, form, head)
    show_again(form, lambda: act_page(_ASKING, form, head))
    made = in_transaction(
        lambda unit: (
            asking.draft_request(
                unit,
                actor,
                case_ref=reference,
                amount_cents=form.amount_cents.cents or 0,
                reason=form.reason.data or "",
                moment=when,
            ).reference
        )
    )
    flash_done("The request is prepared. Look at it, then send it.")
    return redirect(url_for(_DETAIL, reference=made), code=303)


@blueprint.route("/funding/<reference>/send", methods=["GET", "POST"])
@requires(Permission.FUNDING_ASK, back=_DETAIL)
def funding_send(reference: str) -> ResponseReturnValue:
    """Send a draft to the parents, after a last look at amount and day."""
    actor, when = current_actor(), moment()
    row, head = _held(reference)
    form = SendForm(amount_cents=row.amount_cents, due_on=row.due_on)
    if not form.validate_on_submit():
        return act_page(_SENDING, form, head)
    show_again(form, lambda: act_page(_SENDING, form, head))
    in_transaction(
        lambda unit: asking.send_request(
            unit,
            actor,
            funding_ref=reference,
            amount_cents=form.amount_cents.cents,
            due_on=form.due_on.data,
            moment=when,
        )
    )
    flash_done("The request has gone to the parents.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.route("/funding/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.FUNDING_ASK, back=_DETAIL)
def funding_withdraw(reference: str) -> ResponseReturnValue:
    """Withdraw a request for funds, after showing what that does."""
    actor, when, form = current_actor(), moment(), ReasonForm()
    _, head = _held(reference)
    if not form.validate_on_submit():
        return act_page(_WITHDRAWING, form, head)
    show_again(form, lambda: act_page(_WITHDRAWING, form, head))
    in_transaction(
        lambda unit: asking.cancel_request(
            unit, actor, funding_ref=reference, reason=form.reason.data or "", moment=when
        )
    )
    flash_done("The request is withdrawn.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


def _held(reference: str) -> tuple[desk.FundingRow, CaseHead]:
    actor = current_actor()

    def work(unit: Session) -> tuple[desk.FundingRow, CaseHead]:
        row, _ = desk.funding_view(unit, actor, reference)
        return row, held_case(unit, actor, row.case_ref)[1]

    return reading(work)
