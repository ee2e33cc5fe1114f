"""Deposits: what came in, and giving to a case what the bank did not name."""

from __future__ import annotations

from typing import Final

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint, listing
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import deposits as desk
from seedtrust.domain.desk.shortages import DecisionRow, awaited_advances
from seedtrust.domain.funding import service as funding
from seedtrust.domain.funding.advances import match_advance
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.reconciliation import transfers
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone

STATES: Final[dict[DepositState, tuple[str, Tone]]] = {
    DepositState.EXPECTED: ("Expected", "neutral"),
    DepositState.IN_PROCESS: ("On its way", "info"),
    DepositState.UNIDENTIFIED: ("No case yet", "warn"),
    DepositState.MATCHED: ("Matched", "info"),
    DepositState.RECEIVED: ("Received", "ok"),
    DepositState.COLLECTED: ("Collected", "ok"),
    DepositState.RETURNED: ("Came back", "bad"),
    DepositState.SENT_BACK: ("Sent back", "neutral"),
}


@blueprint.get("/deposits")
@requires(Permission.DEPOSITS_VIEW)
def deposits_list() -> ResponseReturnValue:
    """List deposits, the newest first, with the sum of everything that the filters leave."""
    actor, number = current_actor(), listing.page_number()
    state, text, csv = (
        listing.choice_of("state", DepositState),
        listing.text_of("q"),
        listing.wants_csv(),
    )
    table = reading(
        lambda unit: desk.deposit_table(
            unit,
            actor,
            state=state,
            search=text,
            page=1 if csv else number,
            per_page=listing.EXPORTED if csv else listing.PER_PAGE,
        )
    )
    if csv:
        return _csv(table)
    return render_template(
        "admin/deposits/list.html",
        table=table,
        text=text,
        state=state.value if state else "",
        states=[("", "Any status")] + [(key.value, word) for key, (word, _) in STATES.items()],
        words=STATES,
        page=number,
        per_page=listing.PER_PAGE,
    )


def _csv(table: desk.DepositTable) -> Response:
    return listing.as_csv(
        "deposits",
        ("Reference", "Received", "Sender", "Text", "Case", "Status", "Amount ($)"),
        (
            (
                row.reference,
                row.received_on,
                row.sender_name,
                row.text,
                row.case_number,
                STATES[row.state][0],
                listing.dollars(row.amount_cents),
            )
            for row in table.rows
        ),
    )


@blueprint.get("/deposits/<reference>")
@requires(Permission.DEPOSITS_VIEW)
def deposits_detail(reference: str) -> str:
    """Show one deposit and, while it has no case, the cases that it may belong to."""
    actor, text = current_actor(), listing.text_of("q")
    may_match = actor.may(Permission.DEPOSITS_MATCH)

    def work(
        unit: Session,
    ) -> tuple[desk.DepositView, list[desk.Candidate], tuple[DecisionRow, ...]]:
        deposit = desk.deposit_view(unit, actor, reference)
        if not may_match or deposit.state is not DepositState.UNIDENTIFIED:
            return deposit, [], ()
        advances = awaited_advances(
            unit, trust_account_id=deposit.trust_account_id, amount_cents=deposit.amount_cents
        )
        return deposit, desk.candidates(unit, actor, deposit, text), advances

    deposit, candidates, advances = reading(work)
    return render_template(
        "admin/deposits/detail.html",
        row=deposit,
        word=STATES[deposit.state],
        candidates=candidates,
        advances=advances,
        chosen=next((one for one in candidates if one.reference == request.args.get("case")), None),
        text=text,
        is_open=deposit.state is DepositState.UNIDENTIFIED,
        may_match=may_match,
    )


@blueprint.post("/deposits/<reference>/send-back")
@requires(Permission.DEPOSITS_MATCH, back="admin.deposits_detail")
def deposits_send_back(reference: str) -> ResponseReturnValue:
    """Order a deposit without a case back to its sender."""
    actor, when = current_actor(), moment()
    transfer = in_transaction(
        lambda unit: transfers.send_back(unit, actor, deposit_ref=reference, moment=when).reference
    )
    flash_done(f"Make the transfer at the bank now, with the reference {transfer}.")
    return redirect(url_for("admin.deposits_detail", reference=reference), code=303)


@blueprint.post("/deposits/<reference>/advance")
@requires(Permission.DEPOSITS_MATCH, back="admin.deposits_detail")
def deposits_advance(reference: str) -> ResponseReturnValue:
    """Say that a deposit without a case is the company's advance for a shortage."""
    actor, when, decision = current_actor(), moment(), request.form.get("decision", "")
    in_transaction(
        lambda unit: match_advance(
            unit, actor, deposit_ref=reference, decision_ref=decision, moment=when
        )
    )
    flash_done("The shortage is made good with this money.")
    return redirect(url_for("admin.deposits_detail", reference=reference), code=303)


@blueprint.post("/deposits/<reference>/match")
@requires(Permission.DEPOSITS_MATCH, back="admin.deposits_detail")
def deposits_match(reference: str) -> ResponseReturnValue:
    """Give a deposit to a case; it counts from today."""
    actor, when, case_ref = current_actor(), moment(), request.form.get("case", "")
    in_transaction(
        lambda unit: funding.match_deposit(
            unit, actor, deposit_ref=reference, case_ref=case_ref, moment=when
        )
    )
    flash_done("The deposit belongs to the case now.")
    return redirect(url_for("admin.deposits_detail", reference=reference), code=303)
