"""Requests for funds: the list, one of them, and asking, sending and withdrawing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import DateField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from seedtrust.admin import blueprint, listing
from seedtrust.admin.case_acts import Act, act_on, act_page
from seedtrust.admin.fields import MoneyField
from seedtrust.admin.forms import Form, ReasonForm
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.funding_rules import (
    FundingPolicy,
    due_milestones,
    policy_of,
    set_policy,
)
from seedtrust.domain.cases.stages import MILESTONE_LABELS
from seedtrust.domain.cases.states import STAGE_LABELS, STAGES_OF, CaseKind, Milestone, Stage
from seedtrust.domain.desk import funding as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.funding import asking
from seedtrust.domain.funding.states import AWAITED, FUNDING_LABELS, FUNDING_TONES, FundingState
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


_RULES: Final = Act(
    "Rules of the funding",
    "The minimum balance by stage, and what is due at milestones, as the contracts say.",
    "Set the rules",
    form_title="What the contracts say",
    consequences=(
        "A minimum holds from its stage on until the next stage that has one.",
        "A stage that is left empty keeps the amount before it.",
        "From the final accounting on there is no minimum.",
        "Parents are asked for what is due on the morning after the milestone.",
    ),
)
_WITH_MINIMUM: Final = frozenset(
    {
        Stage.PENDING_FUNDING,
        Stage.AWAITING_HEARTBEAT,
        Stage.PREGNANT,
        Stage.POST_DELIVERY,
        Stage.CYCLE_IN_PROGRESS,
        Stage.POST_RETRIEVAL,
    }
)
_DUE: Final = frozenset(
    {
        Milestone.AGREEMENT_EXECUTED,
        Milestone.MEDICATION_STARTED,
        Milestone.HEARTBEAT_CONFIRMED,
        Milestone.WEEKS_20,
    }
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


class RulesForm(Form):
    """What the contracts say about funding; the amounts by stage and milestone come per case."""

    top_up_cents = MoneyField(
        "Agreed top-up",
        optional=True,
        description=(
            "Asked for at once when the minimum is in danger. Without it the request waits as a "
            "draft for somebody to look at."
        ),
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
        may_draw=actor.may(Permission.ECHECKS_ASK) and row.state in AWAITED,
        sees_echecks=actor.may(Permission.ECHECKS_VIEW),
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
    return act_on(
        _SENDING,
        form,
        head,
        lambda unit: asking.send_request(
            unit,
            actor,
            funding_ref=reference,
            amount_cents=form.amount_cents.cents,
            due_on=form.due_on.data,
            moment=when,
        ),
        "The request has gone to the parents.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/funding/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.FUNDING_ASK, back=_DETAIL)
def funding_withdraw(reference: str) -> ResponseReturnValue:
    """Withdraw a request for funds, after showing what that does."""
    actor, when, form = current_actor(), moment(), ReasonForm()
    _, head = _held(reference)
    return act_on(
        _WITHDRAWING,
        form,
        head,
        lambda unit: asking.cancel_request(
            unit, actor, funding_ref=reference, reason=form.reason.data or "", moment=when
        ),
        "The request is withdrawn.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/cases/<reference>/funding/rules", methods=["GET", "POST"])
@requires(Permission.TERMS_EDIT, back="admin.cases_overview")
def funding_rules(reference: str) -> ResponseReturnValue:
    """Set the minimum balance by stage and what is due at milestones."""
    actor, when = current_actor(), moment()

    def look(unit: Session) -> tuple[CaseHead, CaseKind, FundingPolicy]:
        case, head = held_case(unit, actor, reference)
        return head, CaseKind(case.kind), policy_of(unit, case.id)

    head, kind, policy = reading(look)
    form, minimum, due = _rules_form(kind, policy)
    act = replace(_RULES, optional=("top_up_cents", *minimum, *due))
    if not form.validate_on_submit():
        return act_page(act, form, head)
    show_again(form, lambda: act_page(act, form, head))
    wanted = FundingPolicy(
        {key: form[name].cents for name, key in minimum.items() if form[name].cents},
        {key: form[name].cents for name, key in due.items() if form[name].cents},
        form.top_up_cents.cents,
    )
    in_transaction(
        lambda unit: set_policy(unit, actor, case_ref=reference, policy=wanted, moment=when)
    )
    flash_done("The rules are set; the minimum of this stage counts from now on.")
    return redirect(url_for("admin.cases_overview", reference=reference), code=303)


def _rules_form(
    kind: CaseKind, policy: FundingPolicy
) -> tuple[RulesForm, dict[str, str], dict[str, str]]:
    """Return the form of a kind of case, and which fields are for which stage and milestone."""
    stages = [stage for stage in STAGES_OF[kind] if stage in _WITH_MINIMUM]
    codes = [code for code in due_milestones(kind) if code in _DUE or code.value in policy.due_at]
    minimum = {f"minimum_{stage.value.lower()}": stage.value for stage in stages}
    due = {f"due_{code.value}": code.value for code in codes}
    fields = {
        **{
            name: MoneyField(f"Minimum from “{STAGE_LABELS[Stage(key)]}” on", optional=True)
            for name, key in minimum.items()
        },
        **{
            name: MoneyField(f"Due with “{MILESTONE_LABELS[Milestone(key)]}”", optional=True)
            for name, key in due.items()
        },
    }
    known = {name: policy.minimum_from.get(key) or None for name, key in minimum.items()}
    known |= {name: policy.due_at.get(key) for name, key in due.items()}
    made = type("CaseRulesForm", (RulesForm,), fields)
    return made(top_up_cents=policy.top_up_cents, **known), minimum, due


def _held(reference: str) -> tuple[desk.FundingRow, CaseHead]:
    actor = current_actor()

    def work(unit: Session) -> tuple[desk.FundingRow, CaseHead]:
        row, _ = desk.funding_view(unit, actor, reference)
        return row, held_case(unit, actor, row.case_ref)[1]

    return reading(work)
