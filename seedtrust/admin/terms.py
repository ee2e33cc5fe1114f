"""Terms of a case's contract: one person proposes them, another activates them."""

from __future__ import annotations

from typing import Final

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, act_page, rehearsed
from seedtrust.admin.contract_forms import TermForm, WithdrawalForm, chosen, offered
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.states import CaseKind, Milestone
from seedtrust.domain.desk import contracts as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.terms import service as terms
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.plans import Cap
from seedtrust.domain.terms.queries import terms_of
from seedtrust.domain.terms.states import CapPeriod, TermSchedule, TermState
from seedtrust.domain.terms.views import TermRow
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_SCHEDULE: Final = "admin.cases_schedule"
_PROPOSING: Final = Act(
    "Propose a term",
    "One clause of the contract, as the product reads it.",
    "Propose the term",
    tab=_SCHEDULE,
    consequences=(
        "A proposal pays nothing and is seen by the company only.",
        "A colleague checks it against the contract and activates it; you cannot do that yourself.",
    ),
    optional=(
        "payee",
        "amount_cents",
        "cap_cents",
        "trigger",
        "item_count",
        "pregnancy_week",
        "last_trigger",
        "last_pay_after_days",
        "day_cap_cents",
        "week_cap_cents",
        "week_hours",
        "evidence",
        "agreement",
    ),
)


@blueprint.route("/cases/<reference>/terms/new", methods=["GET", "POST"])
@requires(Permission.TERMS_EDIT, back=_SCHEDULE)
def cases_term_new(reference: str) -> ResponseReturnValue:
    """Propose one clause as a term."""
    actor, when, form = current_actor(), moment(), TermForm()

    def look(unit: Session) -> tuple[CaseKind, CaseHead, desk.Choices]:
        case, head = held_case(unit, actor, reference)
        return CaseKind(case.kind), head, desk.choices_on(unit, case)

    kind, head, choices = reading(look)
    form.payee.choices = offered(choices.payees, "Nobody in particular")
    form.agreement.choices = offered(choices.agreements, "Not said")
    form.trigger.choices = choices_of(("", "None"), *desk.milestones_of_kind(kind))
    form.last_trigger.choices = choices_of(("", "None"), *desk.milestones_of_kind(kind))

    def page() -> ResponseReturnValue:
        return act_page(_PROPOSING, form, head)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    in_transaction(
        lambda unit: terms.propose_term(
            unit,
            actor,
            case_ref=reference,
            clause=form.clause.data,
            title=form.title.data,
            category=form.category.data,
            tax_class=form.tax_class.data,
            kind=form.kind.data,
            approver=form.approver.data,
            payee_id=chosen(choices.payees, form.payee.data),
            amount_cents=form.amount_cents.cents,
            cap_cents=form.cap_cents.cents,
            trigger=form.trigger.data or None,
            pay_after_days=form.pay_after_days.data,
            spread=_spread(form),
            caps=_caps(form),
            evidence=[line for line in (form.evidence.data or "").splitlines() if line.strip()],
            agreement_id=chosen(choices.agreements, form.agreement.data),
            moment=when,
        )
    )
    flash_done("The term is proposed. A colleague checks it against the contract and activates it.")
    return redirect(url_for(_SCHEDULE, reference=reference), code=303)


def _spread(form: TermForm) -> Spread:
    last = form.last_trigger.data
    return Spread(
        TermSchedule(form.schedule.data),
        form.item_count.data or 1,
        form.pregnancy_week.data,
        Milestone(last) if last else None,
        form.last_pay_after_days.data or 0,
    )


def _caps(form: TermForm) -> list[Cap]:
    caps = [
        Cap(period, amount_cents=field.cents)
        for period, field in (
            (CapPeriod.DAY, form.day_cap_cents),
            (CapPeriod.WEEK, form.week_cap_cents),
        )
        if field.cents is not None
    ]
    if form.week_hours.data:
        hours = form.week_hours.data * 100
        caps.append(Cap(CapPeriod.WEEK, quantity_hundredths=hours, unit="hours"))
    return caps


@blueprint.route("/cases/<reference>/terms/activate", methods=["GET", "POST"])
@requires(Permission.SCHEDULE_ACTIVATE, back=_SCHEDULE)
def cases_terms_activate(reference: str) -> ResponseReturnValue:
    """Show the proposals and what the calendar will pay; activate them as a second person."""
    actor, when, form = current_actor(), moment(), Form()

    def look(unit: Session) -> tuple[CaseHead, list[TermRow]]:
        _case, head = held_case(unit, actor, reference)
        return head, terms_of(unit, actor, reference)

    head, everything = reading(look)
    proposed = [term for term in everything if term.state == TermState.PROPOSED]
    act = Act(
        "Activate the terms",
        "Compare each proposal with the signed contract before it pays anything.",
        "Activate the terms",
        tab=_SCHEDULE,
        consequences=(
            "Requests can rest on these terms at once, and the calendar pays what has its day.",
            "A term that is wrong is ended and proposed anew; what was paid stays.",
        ),
        question="Activate all of them?",
        form_title="What follows from them",
        template="admin/cases/activate.html",
        values={
            "terms": proposed,
            "category_words": category_words,
            "show_form": bool(proposed),
        },
    )
    return rehearsed(
        act,
        form,
        head,
        lambda unit: terms.activate_terms(unit, actor, case_ref=reference, moment=when),
        "The terms are active; the calendar has its payments.",
    )


@blueprint.route("/terms/<reference>/end", methods=["GET", "POST"])
@requires(Permission.TERMS_EDIT, back="admin.cases_term_end")
def cases_term_end(reference: str) -> ResponseReturnValue:
    """Drop a proposal, or end a term that pays no more, after showing what is cancelled."""
    actor, when, form = current_actor(), moment(), WithdrawalForm()

    def look(unit: Session) -> tuple[str, CaseHead]:
        case_ref, title = desk.case_of_term(unit, actor, reference)
        _case, head = held_case(unit, actor, case_ref)
        return title, head

    title, head = reading(look)
    act = Act(
        f"End the term “{title}”",
        "A proposal is dropped; an active term pays no more.",
        "End the term",
        tab=_SCHEDULE,
        consequences=("What was paid stays paid and stays on record.",),
        question=f"End the term “{title}”?",
        form_title="Why it ends",
    )
    return rehearsed(
        act,
        form,
        head,
        lambda unit: terms.withdraw_term(
            unit, actor, term_ref=reference, reason=form.reason.data, moment=when
        ),
        "The term has ended.",
    )
