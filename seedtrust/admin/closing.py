"""Closing a case: obstacles, the final accounting, certifications, the second reviewer, refund."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import render_template
from flask.typing import ResponseReturnValue

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, rehearsed
from seedtrust.admin.cases import case_tabs
from seedtrust.admin.contract_forms import WithdrawalForm
from seedtrust.admin.forms import Form
from seedtrust.admin.words import category_words, stage_tone
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.stages import BEFORE_THE_JOURNEY
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.states import AccountingState
from seedtrust.domain.desk.closing import Closing, closing_of
from seedtrust.ext import reading
from seedtrust.web.actor import business_today, current_actor, moment
from seedtrust.web.guard import requires

_TAB: Final = "admin.cases_closing"


@dataclass(frozen=True)
class Offers:
    """Which steps of the closing this reader may take now, and why not, if there is a why."""

    start: bool
    call_off: bool
    approve: bool
    withdraw: bool
    reopen: bool
    why_not: str


def _offers(found: Closing) -> Offers:
    actor, stage, accounting = current_actor(), found.head.stage, found.accounting
    proposes = actor.may(Permission.CASES_PROPOSE_ACCOUNTING)
    approves = actor.may(Permission.CASES_APPROVE_ACCOUNTING)
    certified = accounting is not None and accounting.state == AccountingState.CERTIFIED
    own = found.prepared_by_user_id is not None and found.prepared_by_user_id == actor.user_id
    why_not = ""
    if certified and own:
        why_not = "You prepared this accounting, so a second reviewer has to approve it."
    elif certified and not approves:
        why_not = "The controller has to approve this accounting."
    return Offers(
        start=proposes and accounting is None and stage in closing.MAY_END_IN,
        call_off=proposes and accounting is None and stage in BEFORE_THE_JOURNEY,
        approve=approves and certified and not own,
        withdraw=proposes and accounting is not None and stage is not Stage.CLOSED,
        reopen=approves and stage is Stage.CLOSED,
        why_not=why_not,
    )


@blueprint.get("/cases/<reference>/closing")
@requires(Permission.CASES_VIEW)
def cases_closing(reference: str) -> str:
    """Show what stands in the way of the end, the final accounting, and who has certified it."""
    actor = current_actor()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    return render_template(
        "admin/cases/closing.html",
        head=found.head,
        found=found,
        row=found.accounting,
        offers=_offers(found),
        case_tabs=case_tabs(reference),
        stage_tone=stage_tone,
        category_words=category_words,
    )


@blueprint.get("/cases/<reference>/closing/statement")
@requires(Permission.CASES_VIEW)
def cases_closing_statement(reference: str) -> str:
    """Show the final accounting as it is printed, or as far as it is known."""
    actor = current_actor()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    return render_template(
        "admin/cases/closing_statement.html",
        head=found.head,
        row=found.accounting,
        sums=found.accounting or found.draft,
        refund=found.refund,
        today=business_today(),
        category_words=category_words,
    )


@blueprint.route("/cases/<reference>/closing/start", methods=["GET", "POST"])
@requires(Permission.CASES_PROPOSE_ACCOUNTING, back=_TAB)
def cases_closing_start(reference: str) -> ResponseReturnValue:
    """Send the final accounting to the parties, after showing what that does."""
    actor, when, form = current_actor(), moment(), Form()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    lines = ["The parties are asked to certify that all is paid and nothing more is due."]
    if found.draft is not None:
        lines.append(f"The rest that goes back is ${format_dollars(found.draft.refund_cents)}.")
    lines.append("Expected payments whose milestone never came are cancelled.")
    act = Act(
        "Send the final accounting",
        "It is drawn up from the books as they stand now.",
        "Send it to the parties",
        tab=_TAB,
        consequences=lines,
        question="Send the final accounting?",
        form_title="Begin to close the case",
    )
    return rehearsed(
        act,
        form,
        found.head,
        lambda unit: closing.start_closing(unit, actor, case_ref=reference, moment=when),
        "The final accounting is with the parties.",
    )


@blueprint.route("/cases/<reference>/closing/call-off", methods=["GET", "POST"])
@requires(Permission.CASES_PROPOSE_ACCOUNTING, back=_TAB)
def cases_closing_call_off(reference: str) -> ResponseReturnValue:
    """Draw up the accounting of a journey that never began."""
    actor, when, form = current_actor(), moment(), WithdrawalForm()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    act = Act(
        "Call the journey off",
        "For a case that was funded and whose journey never began.",
        "Draw up the accounting",
        tab=_TAB,
        consequences=(
            "Nobody has to certify; a second reviewer approves the accounting.",
            "The case is cancelled when the refund has settled.",
        ),
        question="Call the journey off?",
        form_title="Why it never began",
    )
    return rehearsed(
        act,
        form,
        found.head,
        lambda unit: closing.propose_cancellation(
            unit, actor, case_ref=reference, reason=form.reason.data, moment=when
        ),
        "The accounting waits for a second reviewer.",
    )


@blueprint.route("/cases/<reference>/closing/approve", methods=["GET", "POST"])
@requires(Permission.CASES_APPROVE_ACCOUNTING, back=_TAB)
def cases_closing_approve(reference: str) -> ResponseReturnValue:
    """Approve the certified accounting as a second reviewer, after showing what that does."""
    actor, when, form = current_actor(), moment(), Form()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    cents = 0 if found.accounting is None else found.accounting.refund_cents or 0
    act = Act(
        "Approve the final accounting",
        "You are the second reviewer: compare it with the case's ledger.",
        "Approve the accounting",
        tab=_TAB,
        consequences=(
            f"${format_dollars(cents)} is reserved and goes back to the intended parents by wire."
            if cents
            else "Nothing is left, so the case ends at once.",
            "The case ends when its ledger is at 0.00.",
        ),
        question="Approve the final accounting?",
        form_title="Approve as a second reviewer",
    )
    return rehearsed(
        act,
        form,
        found.head,
        lambda unit: closing.approve_accounting(unit, actor, case_ref=reference, moment=when),
        "The final accounting is approved.",
    )


@blueprint.route("/cases/<reference>/closing/withdraw", methods=["GET", "POST"])
@requires(Permission.CASES_PROPOSE_ACCOUNTING, back=_TAB)
def cases_closing_withdraw(reference: str) -> ResponseReturnValue:
    """Take the final accounting back, after showing what that does."""
    actor, when, form = current_actor(), moment(), WithdrawalForm()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    act = Act(
        "Take the final accounting back",
        "For a bill that came late, or a mistake.",
        "Take it back",
        tab=_TAB,
        consequences=(
            "Certifications that were given count no more; the parties certify the next one.",
            "A refund that is not with the bank yet is cancelled, and its reservation released.",
        ),
        question="Take the final accounting back?",
        form_title="Why it is taken back",
    )
    return rehearsed(
        act,
        form,
        found.head,
        lambda unit: closing.withdraw_accounting(
            unit, actor, case_ref=reference, reason=form.reason.data, moment=when
        ),
        "The final accounting is taken back.",
    )


@blueprint.route("/cases/<reference>/closing/reopen", methods=["GET", "POST"])
@requires(Permission.CASES_APPROVE_ACCOUNTING, back=_TAB)
def cases_closing_reopen(reference: str) -> ResponseReturnValue:
    """Reopen a closed case, after showing what that does."""
    actor, when, form = current_actor(), moment(), WithdrawalForm()
    found = reading(lambda unit: closing_of(unit, actor, reference))
    act = Act(
        "Reopen the case",
        "For a late bill or a correction after the end.",
        "Reopen the case",
        tab=_TAB,
        consequences=("The parties certify a new accounting before the case can end again.",),
        question="Reopen the case?",
        form_title="Why it is reopened",
    )
    return rehearsed(
        act,
        form,
        found.head,
        lambda unit: closing.reopen(
            unit, actor, case_ref=reference, reason=form.reason.data, moment=when
        ),
        "The case is open again.",
    )
