"""Limits of first payments to changed accounts: what holds, and what two people change."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, act_on
from seedtrust.admin.fields import MoneyField
from seedtrust.admin.forms import Form
from seedtrust.core.permissions import Permission
from seedtrust.domain.payments import limits
from seedtrust.domain.payments.queries import trust_accounts
from seedtrust.domain.payments.states import LimitChangeState
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone

_LIST: Final = "admin.limits_list"
STATES: Final[dict[LimitChangeState, tuple[str, Tone]]] = {
    LimitChangeState.PROPOSED: ("Waits for a second person", "warn"),
    LimitChangeState.APPROVED: ("In force", "ok"),
    LimitChangeState.REFUSED: ("Turned down", "neutral"),
}
_PROPOSING: Final = Act(
    "Propose another limit",
    "What a person's changed bank account may get before a first payment to it has settled.",
    "Propose it",
    consequences=(
        "A second person decides; until then the limit that holds goes on.",
        "Payments that wait for it are taken up by the next run after that.",
        "An empty amount proposes that there is no limit.",
    ),
    optional=("limit_cents",),
)


class LimitForm(Form):
    """Another limit, and why."""

    limit_cents = MoneyField("Limit", optional=True, description="Leave it empty for no limit.")
    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why; it is kept with the change."), Length(max=500)],
        render_kw={"rows": 3},
    )


@blueprint.get("/limits")
@requires(Permission.BANK_ACCOUNTS_VIEW)
def limits_list() -> str:
    """Show the limit of every trust account, and who proposed and decided what."""
    actor = current_actor()
    accounts, changes = reading(
        lambda unit: (trust_accounts(unit, actor), limits.limit_changes(unit, actor))
    )
    return render_template(
        "admin/limits/list.html",
        accounts=accounts,
        changes=changes,
        words=STATES,
        may_propose=actor.may(Permission.LIMITS_PROPOSE),
        may_decide=actor.may(Permission.LIMITS_DECIDE),
        me=actor.user_id,
    )


@blueprint.route("/limits/<reference>/propose", methods=["GET", "POST"])
@requires(Permission.LIMITS_PROPOSE, back=_LIST)
def limits_propose(reference: str) -> ResponseReturnValue:
    """Propose another limit of a trust account, as the first of two people."""
    actor, when, form = current_actor(), moment(), LimitForm()
    return act_on(
        _PROPOSING,
        form,
        None,
        lambda unit: (
            limits.propose_limit(
                unit,
                actor,
                trust_account_ref=reference,
                limit_cents=form.limit_cents.cents,
                reason=form.reason.data or "",
                moment=when,
            ).reference
        ),
        "Proposed. A second person decides now.",
        url_for(_LIST),
    )


@blueprint.post("/limits/changes/<reference>/approve")
@requires(Permission.LIMITS_DECIDE, back=_LIST)
def limits_approve(reference: str) -> ResponseReturnValue:
    """Let a proposed limit hold, as the second person."""
    return _decide(reference, approve=True)


@blueprint.post("/limits/changes/<reference>/refuse")
@requires(Permission.LIMITS_DECIDE, back=_LIST)
def limits_refuse(reference: str) -> ResponseReturnValue:
    """Turn a proposed limit down, as the second person."""
    return _decide(reference, approve=False)


def _decide(reference: str, *, approve: bool) -> ResponseReturnValue:
    actor, when = current_actor(), moment()
    in_transaction(
        lambda unit: (
            limits.decide_limit(
                unit, actor, change_ref=reference, approve=approve, moment=when
            ).reference
        )
    )
    flash_done("The new limit holds." if approve else "Turned down. The limit stays as it was.")
    return redirect(url_for(_LIST), code=303)
