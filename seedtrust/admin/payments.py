"""Payments: the list with its totals, and one payment from creation to the bank's last word."""

from __future__ import annotations

from typing import Final

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from seedtrust.admin import blueprint, listing
from seedtrust.admin.words import RAIL_WORDS, category_words, recorded
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import payments as desk
from seedtrust.domain.desk.cancelling import stopping_of
from seedtrust.domain.desk.returns import after_return, return_rates
from seedtrust.domain.payments.queries import payment_view
from seedtrust.domain.payments.states import (
    INSTRUCTION_LABELS,
    InstructionState,
    Rail,
    ReconciliationStatus,
)
from seedtrust.domain.payments.views import PaymentView, StepView
from seedtrust.ext import reading
from seedtrust.web.actor import business_today, current_actor
from seedtrust.web.guard import requires
from seedtrust.web.page import TimelineItem, Tone

S = InstructionState
VIEWS: Final = {
    "flight": ("On the way", (S.RELEASED, S.SUBMITTING, S.SENT, S.ACCEPTED)),
    "unknown": ("Unknown", (S.UNKNOWN,)),
    "returned": ("Came back", (S.RETURNED, S.REJECTED, S.FAILED)),
    "unmatched": ("Settled, not on a statement", ()),
}
# The way a payment goes when all goes well; what is still ahead is shown in grey.
_AHEAD: Final = (S.CREATED, S.RELEASED, S.SENT, S.ACCEPTED, S.SETTLED)
_ICONS: Final = {
    S.CREATED: "plus",
    S.RELEASED: "lock-open",
    S.SUBMITTING: "upload",
    S.SENT: "send",
    S.ACCEPTED: "checks",
    S.SETTLED: "circle-check",
    S.UNKNOWN: "help",
    S.RETURNED: "arrow-back-up",
    S.REJECTED: "x",
    S.CANCELLED: "ban",
    S.FAILED: "x",
}
_SENTENCES: Final = {
    S.CREATED: "In a run that has not been released.",
    S.RELEASED: "Released; it leaves with the next delivery to the bank.",
    S.SUBMITTING: "On its way to the bank right now.",
    S.UNKNOWN: "The bank may or may not have it. Do not pay it again before the bank has answered.",
    S.SENT: "The bank has the instruction and has not answered yet.",
    S.ACCEPTED: "The bank has accepted it; it settles on its day.",
    S.SETTLED: "The money has arrived.",
    S.REJECTED: "The bank refused it; the money is back on the case.",
    S.RETURNED: "The money came back.",
    S.CANCELLED: "It was taken out before it left, or the bank stopped it.",
    S.FAILED: "It was never sent.",
}


@blueprint.get("/payments")
@requires(Permission.RUNS_VIEW)
def payments_list() -> ResponseReturnValue:
    """List payments with the sum of everything that the filters leave."""
    actor, number = current_actor(), listing.page_number()
    view = request.args.get("view", "")
    state = listing.choice_of("state", InstructionState)
    states = (state,) if state is not None else VIEWS[view][1] if view in VIEWS else ()
    filters = desk.PaymentFilters(
        states=states,
        rail=listing.choice_of("rail", Rail),
        search=listing.text_of("q"),
        unmatched=view == "unmatched",
    )
    sort, csv = listing.sort_of(desk.SORTS, "-effective"), listing.wants_csv()
    table, meters = reading(
        lambda unit: (
            desk.payment_table(
                unit,
                actor,
                filters=filters,
                sort=sort,
                page=1 if csv else number,
                per_page=listing.EXPORTED if csv else listing.PER_PAGE,
            ),
            return_rates(unit, business_today()),
        )
    )
    if csv:
        return _csv(table)
    return render_template(
        "admin/payments/list.html",
        table=table,
        meters=meters,
        filters=filters,
        view=view,
        views=[(key, words) for key, (words, _) in VIEWS.items()],
        sort=sort,
        page=number,
        per_page=listing.PER_PAGE,
        state=state.value if state else "",
        states=[("", "Any status")] + [(known.value, INSTRUCTION_LABELS[known]) for known in S],
        rails=[("", "Any rail")] + [(rail.value, words) for rail, words in RAIL_WORDS.items()],
        rail_words=RAIL_WORDS,
        category_words=category_words,
    )


def _csv(table: desk.PaymentTable) -> Response:
    return listing.as_csv(
        "payments",
        (
            "Reference",
            "Run",
            "Case",
            "Payee",
            "Account",
            "Rail",
            "Settles on",
            "Status",
            "Trace",
            "Amount ($)",
        ),
        (
            (
                row.reference,
                row.run_ref,
                row.case_number,
                row.payee_name,
                row.masked_number,
                row.rail.value,
                row.effective_on,
                row.label,
                row.trace_number,
                listing.dollars(row.amount_cents),
            )
            for row in table.rows
        ),
    )


@blueprint.get("/payments/<reference>")
@requires(Permission.RUNS_VIEW)
def payments_detail(reference: str) -> str:
    """Show one payment: where it stands in plain words, and its timeline."""
    actor = current_actor()
    (payment, steps), after, stopping = reading(
        lambda unit: (
            payment_view(unit, actor, reference),
            after_return(unit, actor, reference),
            stopping_of(unit, actor, reference),
        )
    )
    return render_template(
        "admin/payments/detail.html",
        row=payment,
        sentence=_SENTENCES[payment.state],
        items=_timeline(payment, steps),
        after=after,
        stopping=stopping,
        matched=payment.reconciliation_status is ReconciliationStatus.MATCHED,
        rail_words=RAIL_WORDS,
        category_words=category_words,
    )


def _timeline(payment: PaymentView, steps: list[StepView]) -> list[TimelineItem]:
    done = [_done(step) for step in steps]
    if payment.state not in _AHEAD[:-1]:
        return done
    place = _AHEAD.index(payment.state)
    expected = [
        TimelineItem(
            title=INSTRUCTION_LABELS[state],
            at=payment.effective_on if state is S.SETTLED else None,
            icon=_ICONS[state],
            state="expected",
        )
        for state in _AHEAD[place + 1 :]
    ]
    return done + expected


def _done(step: StepView) -> TimelineItem:
    tone: Tone = step.tone  # type: ignore[assignment]  # one of the five tones by the state table
    return TimelineItem(
        title=step.label,
        at=step.on_business_date,
        detail=recorded(step.at, step.on_business_date),
        actor=step.actor_name,
        reason=step.bank_word or None,
        icon=_ICONS[step.to_state],
        tone=tone,
    )
