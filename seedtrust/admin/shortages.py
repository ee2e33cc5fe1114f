"""Shortages: what bounced deposits had paid for, and the two people who make it good."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint, listing
from seedtrust.admin.case_acts import Act, act_on
from seedtrust.admin.forms import ReasonForm
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import shortages as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.funding import advances
from seedtrust.domain.funding import shortages as funding
from seedtrust.domain.funding.states import (
    CureSource,
    DecisionKind,
    DecisionState,
    ShortageState,
)
from seedtrust.domain.reconciliation import transfers
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone

_DETAIL: Final = "admin.shortages_detail"
STATES: Final[dict[ShortageState, tuple[str, Tone]]] = {
    ShortageState.OPEN: ("Missing", "bad"),
    ShortageState.CURED: ("Made good", "ok"),
}
_SOURCES: Final = {
    CureSource.CASE: "The case's own money",
    CureSource.ADVANCE: "The company's advance",
}
_KINDS: Final = {
    DecisionKind.ADVANCE: "Advance by the company",
    DecisionKind.REPAYMENT: "Repayment to the company",
    DecisionKind.LIFT: "Lift the freeze",
}
_DECISIONS: Final[dict[DecisionState, tuple[str, Tone]]] = {
    DecisionState.PROPOSED: ("Waits for a second person", "warn"),
    DecisionState.APPROVED: ("Waits for the money", "info"),
    DecisionState.DONE: ("Done", "ok"),
    DecisionState.WITHDRAWN: ("Withdrawn", "neutral"),
}
_ACTS: Final = {
    DecisionKind.ADVANCE: Act(
        "Propose an advance",
        "The company pays from its own operating account what is missing in the trust account.",
        "Propose it",
        consequences=(
            "A second person decides; until then nothing moves.",
            "Then somebody makes the transfer at the bank, with the reference that is shown.",
            "When it arrives, the shortage is made good and the case goes on.",
        ),
    ),
    DecisionKind.REPAYMENT: Act(
        "Propose a repayment",
        "The case gives back what the company has advanced for it.",
        "Propose it",
        consequences=(
            "A second person decides; then the amount leaves the case at once.",
            "Somebody makes the transfer to the operating account at the bank.",
        ),
    ),
    DecisionKind.LIFT: Act(
        "Propose to lift the freeze",
        "The case goes on although money is still missing. The company owes it all the same.",
        "Propose it",
        consequences=(
            "A second person who may hold cases decides.",
            "The shortage stays open until money makes it good.",
        ),
    ),
}
_WITHDRAWING: Final = Act(
    "Withdraw the proposal",
    "Nothing has moved; it may be proposed again.",
    "Withdraw it",
    consequences=(
        "If the company's transfer comes all the same, it waits as a deposit without a case.",
    ),
)


@blueprint.get("/shortages")
@requires(Permission.DEPOSITS_VIEW)
def shortages_list() -> str:
    """List shortages, the newest first, with the sum of what is missing."""
    actor, number = current_actor(), listing.page_number()
    state = listing.choice_of("state", ShortageState)
    table = reading(
        lambda unit: desk.shortage_table(
            unit, actor, state=state, page=number, per_page=listing.PER_PAGE
        )
    )
    return render_template(
        "admin/shortages/list.html",
        table=table,
        state=state.value if state else "",
        states=[("", "Any status")] + [(key.value, word) for key, (word, _) in STATES.items()],
        words=STATES,
        page=number,
        per_page=listing.PER_PAGE,
    )


@blueprint.get("/shortages/<reference>")
@requires(Permission.DEPOSITS_VIEW)
def shortages_detail(reference: str) -> str:
    """Show one shortage, what made it good, and what two people may decide."""
    actor = current_actor()
    detail = reading(lambda unit: desk.shortage_view(unit, actor, reference))
    row, is_open = detail.row, detail.row.state is ShortageState.OPEN
    may_propose = actor.may(Permission.SHORTAGES_PROPOSE)
    offered = [
        (kind.value, _ACTS[kind].title)
        for kind, fits in (
            (DecisionKind.ADVANCE, is_open),
            (DecisionKind.REPAYMENT, row.owed_cents > 0 and not row.is_frozen),
            (DecisionKind.LIFT, is_open and row.is_frozen),
        )
        if fits and may_propose and detail.open_of(kind) is None
    ]
    return render_template(
        "admin/shortages/detail.html",
        detail=detail,
        row=row,
        word=STATES[row.state],
        sources=_SOURCES,
        kinds=_KINDS,
        decisions=_DECISIONS,
        offered=offered,
        may_propose=may_propose,
        may_decide=actor.may(Permission.SHORTAGES_DECIDE),
        may_lift=actor.may(Permission.CASES_HOLD),
        me=actor.user_id,
        may_cure=is_open and detail.available_cents > 0 and actor.may(Permission.SHORTAGES_DECIDE),
    )


@blueprint.route("/shortages/<reference>/propose/<kind>", methods=["GET", "POST"])
@requires(Permission.SHORTAGES_PROPOSE, back=_DETAIL)
def shortages_propose(reference: str, kind: str) -> ResponseReturnValue:
    """Propose something about a shortage, as the first of two people."""
    if kind not in {one.value for one in DecisionKind}:
        message = "There is no such proposal."
        raise NotFound(message)
    actor, when, form, wanted = current_actor(), moment(), ReasonForm(), DecisionKind(kind)
    act, head = _ACTS[wanted], _head(reference)
    return act_on(
        act,
        form,
        head,
        lambda unit: (
            advances.propose(
                unit,
                actor,
                shortage_ref=reference,
                kind=wanted,
                reason=form.reason.data or "",
                moment=when,
            ).reference
        ),
        "Proposed. A second person decides now.",
        url_for(_DETAIL, reference=reference),
    )


@blueprint.route("/shortages/decisions/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.SHORTAGES_PROPOSE)
def shortages_withdraw(reference: str) -> ResponseReturnValue:
    """Withdraw what was proposed, or an advance whose money has not come."""
    actor, when, form, shortage = current_actor(), moment(), ReasonForm(), _shortage_of(reference)
    head = _head(shortage)
    return act_on(
        _WITHDRAWING,
        form,
        head,
        lambda unit: advances.withdraw(
            unit, actor, decision_ref=reference, reason=form.reason.data or "", moment=when
        ),
        "Withdrawn.",
        url_for(_DETAIL, reference=shortage),
    )


@blueprint.post("/shortages/decisions/<reference>/approve")
@requires(Permission.SHORTAGES_DECIDE)
def shortages_approve(reference: str) -> ResponseReturnValue:
    """Approve an advance or a repayment as the second person."""
    actor, when, shortage = current_actor(), moment(), _shortage_of(reference)
    detail = reading(lambda unit: desk.shortage_view(unit, actor, shortage))
    chosen = next(one for one in detail.decisions if one.reference == reference)

    def work(unit: Session) -> str:
        if chosen.kind is DecisionKind.REPAYMENT:
            return transfers.repay_advance(
                unit, actor, decision_ref=reference, moment=when
            ).reference
        return advances.approve(unit, actor, decision_ref=reference, moment=when).reference

    transfer = in_transaction(work)
    flash_done(f"Make the transfer at the bank now, with the reference {transfer}.")
    return _back(shortage)


@blueprint.post("/shortages/decisions/<reference>/lift")
@requires(Permission.CASES_HOLD)
def shortages_lift(reference: str) -> ResponseReturnValue:
    """Lift a freeze as the second person."""
    actor, when, shortage = current_actor(), moment(), _shortage_of(reference)
    in_transaction(
        lambda unit: advances.approve(unit, actor, decision_ref=reference, moment=when).reference
    )
    flash_done("The case goes on; the shortage stays open.")
    return _back(shortage)


@blueprint.post("/shortages/<reference>/cure")
@requires(Permission.SHORTAGES_DECIDE, back=_DETAIL)
def shortages_cure(reference: str) -> ResponseReturnValue:
    """Make the case pay from what it has available."""
    actor, when = current_actor(), moment()
    in_transaction(
        lambda unit: funding.cure_by_hand(unit, actor, shortage_ref=reference, moment=when)
    )
    flash_done("The case has paid what it could.")
    return _back(reference)


def _back(reference: str) -> ResponseReturnValue:
    return redirect(url_for(_DETAIL, reference=reference), code=303)


def _shortage_of(decision_ref: str) -> str:
    actor = current_actor()
    return reading(lambda unit: desk.shortage_of_decision(unit, actor, decision_ref))


def _head(reference: str) -> CaseHead:
    actor = current_actor()

    def work(unit: Session) -> CaseHead:
        row = desk.shortage_view(unit, actor, reference).row
        return held_case(unit, actor, row.case_ref)[1]

    return reading(work)
