"""Verbs that turn clauses into terms: proposed by one person, activated by another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import (
    clean_text,
    one_word_of,
    refuse_field,
    require_active,
    require_open,
)
from seedtrust.domain.cases.models import Agreement, Case, CaseParty
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.stages import MILESTONE_STAGES
from seedtrust.domain.cases.states import AgreementState, CaseKind, Milestone
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.errors import NothingToActivate, ProposerCannotActivate
from seedtrust.domain.terms.models import ContractTerm
from seedtrust.domain.terms.plans import Cap, check_caps, check_spread, spreads_of, write_plan
from seedtrust.domain.terms.schedule import DATED_KINDS, cancel_items, history_of, plan
from seedtrust.domain.terms.states import (
    Category,
    TaxClass,
    TermApprover,
    TermKind,
    TermState,
)

_NOT_OF_A_CONTRACT: Final = frozenset({Category.FUNDING, Category.CLOSING_REFUND})
_LONGEST_DELAY: Final = 730
_MOST_EVIDENCE: Final = 20
_ENDED_AGREEMENT: Final = frozenset({AgreementState.TERMINATED, AgreementState.WITHDRAWN})


def propose_term(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    clause: str,
    title: str,
    category: str,
    tax_class: str,
    kind: str,
    approver: str,
    payee_id: int | None = None,
    amount_cents: int | None = None,
    cap_cents: int | None = None,
    trigger: str | None = None,
    pay_after_days: int = 0,
    evidence: Sequence[str] = (),
    spread: Spread | None = None,
    caps: Sequence[Cap] = (),
    agreement_id: int | None = None,
    moment: Moment,
) -> ContractTerm:
    """Write one clause down as a term, at the end of the contract; it pays nothing yet.

    A scheduled term needs a payee, an amount and a trigger; a fee an amount and a trigger. The
    amount limits one payment, or is what instalments divide; the cap limits all of them, `caps`
    what a line, a day or a week may come to. Raises Invalid, InvalidAmount, CaseClosed,
    CaseOnHold, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.TERMS_EDIT, locked=True)
    require_active(case)
    what = one_word_of(TermKind, kind, "kind")
    code = None if trigger is None else one_word_of(Milestone, trigger, "trigger")
    term = ContractTerm(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        agreement_id=_agreement(session, case, agreement_id),
        position=_next_position(session, case),
        clause=clean_text(clause, "clause", most=40),
        title=clean_text(title, "title", most=200),
        category=_category(category),
        tax_class=one_word_of(TaxClass, tax_class, "tax_class").value,
        kind=what.value,
        approver=one_word_of(TermApprover, approver, "approver").value,
        payee_id=_payee(session, case, payee_id),
        amount_cents=None if amount_cents is None else check_amount_cents(amount_cents),
        cap_cents=None if cap_cents is None else check_amount_cents(cap_cents, "cap_cents"),
        trigger=None if code is None else code.value,
        pay_after_days=_delay(pay_after_days),
        evidence=_evidence(evidence),
        state=TermState.PROPOSED.value,
        proposed_by_user_id=actor.user_id,
        proposed_by=actor.name,
        activated_by="",
        activated_at=None,
    )
    _complete(case, term)
    checked = check_spread(term, spread or Spread()), check_caps(term, caps)
    _happens(case, "last_trigger", checked[0].last_trigger)
    session.add(term)
    session.flush()  # the next term's position counts this one
    write_plan(session, term, *checked)
    session.flush()  # activating reads it
    _audit(session, actor, case, "terms.proposed", term, moment=moment)
    return term


def activate_terms(
    session: Session, actor: Actor, *, case_ref: str, moment: Moment
) -> list[ContractTerm]:
    """Activate all proposed terms of a case and plan what the calendar will pay.

    Items whose milestone has come get their day at once. Raises ProposerCannotActivate if the
    actor proposed any of them, NothingToActivate, CaseClosed, CaseOnHold, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.SCHEDULE_ACTIVATE, locked=True)
    require_active(case)
    terms = lock_where(
        session,
        select(ContractTerm)
        .where(ContractTerm.case_id == case.id, ContractTerm.state == TermState.PROPOSED.value)
        .order_by(ContractTerm.position),
    )
    if not terms:
        raise NothingToActivate("All terms of this case are active. Propose one first.")
    if any(term.proposed_by_user_id == actor.user_id for term in terms):
        raise ProposerCannotActivate(
            "You proposed a term of this contract. A colleague has to check and activate it."
        )
    spreads = spreads_of(session, [term.id for term in terms])
    history = history_of(session, case.id)
    for term in terms:
        term.state = TermState.ACTIVE.value
        term.activated_by, term.activated_at = actor.name, moment.at
        plan(session, term, spreads.get(term.id, Spread()), history)
        _audit(session, actor, case, "terms.activated", term, moment=moment)
    session.flush()  # the schedule is read by what follows in the same unit
    return terms


def withdraw_term(
    session: Session, actor: Actor, *, term_ref: str, reason: str, moment: Moment
) -> ContractTerm:
    """End a term: a proposal is dropped, an active one pays no more; what was paid stays.

    Raises CaseClosed, CaseOnHold, Invalid without a reason, NotFound.
    """
    case, term = _locked_term(session, actor, term_ref)
    require_active(case)
    why = clean_text(reason, "reason", most=500)
    if term.state == TermState.ENDED:
        return term
    term.state = TermState.ENDED.value
    cancel_items(session, case.id, term_id=term.id)
    _audit(session, actor, case, "terms.ended", term, reason=why, moment=moment)
    return term


def _locked_term(session: Session, actor: Actor, term_ref: str) -> tuple[Case, ContractTerm]:
    case_ref = session.execute(
        select(Case.reference)
        .join(ContractTerm, ContractTerm.case_id == Case.id)
        .where(ContractTerm.reference == term_ref)
    ).scalar_one_or_none()
    if case_ref is None:
        raise NotFound("There is no such term, or it is not yours to change.")
    case = case_for(session, actor, case_ref, Permission.TERMS_EDIT, locked=True)
    require_open(case)
    rows = lock_where(session, select(ContractTerm).where(ContractTerm.reference == term_ref))
    return case, rows[0]


def _next_position(session: Session, case: Case) -> int:
    last = session.execute(
        select(func.max(ContractTerm.position)).where(ContractTerm.case_id == case.id)
    ).scalar_one()
    return (last or 0) + 1


def _category(text: str) -> str:
    category = one_word_of(Category, text, "category")
    if category in _NOT_OF_A_CONTRACT:
        raise refuse_field("category", "Money in and the closing refund are not contract terms.")
    return category.value


def _agreement(session: Session, case: Case, agreement_id: int | None) -> int | None:
    if agreement_id is None:
        return None
    agreement = session.get(Agreement, agreement_id)
    if agreement is None or agreement.case_id != case.id:
        raise refuse_field("agreement", "Choose one of the agreements of this case.")
    if AgreementState(agreement.state) in _ENDED_AGREEMENT:
        raise refuse_field("agreement", "This agreement has ended. Choose another.")
    return agreement_id


def _payee(session: Session, case: Case, payee_id: int | None) -> int | None:
    if payee_id is None:
        return None
    payee = session.get(Payee, payee_id)
    party = (
        session.get(CaseParty, payee.party_id)
        if payee is not None and payee.party_id is not None
        else None
    )
    of_case = payee is not None and (
        payee.case_id == case.id
        or (payee.agency_id is not None and payee.agency_id == case.agency_id)
        or (party is not None and party.case_id == case.id)
    )
    if not of_case:
        raise refuse_field("payee", "Choose one of the payees of this case.")
    return payee_id


def _delay(days: int) -> int:
    if type(days) is not int or not 0 <= days <= _LONGEST_DELAY:
        raise refuse_field("pay_after_days", f"Enter 0 to {_LONGEST_DELAY} days.")
    return days


def _evidence(evidence: Sequence[str]) -> list[str]:
    if len(evidence) > _MOST_EVIDENCE:
        raise refuse_field("evidence", f"Name at most {_MOST_EVIDENCE} documents.")
    return [clean_text(item, "evidence", most=120) for item in evidence]


def _complete(case: Case, term: ContractTerm) -> None:
    kind = TermKind(term.kind)
    if kind in DATED_KINDS and term.amount_cents is None:
        raise refuse_field("amount_cents", "What is paid by the calendar needs its amount.")
    if kind in DATED_KINDS and term.trigger is None:
        raise refuse_field("trigger", "What is paid by the calendar needs its milestone.")
    if kind is TermKind.SCHEDULED and term.payee_id is None:
        raise refuse_field("payee", "What is paid by the calendar needs its payee.")
    if kind is TermKind.FEE and term.payee_id is not None:
        raise refuse_field("payee", "A fee goes to the company and has no payee.")
    if (
        term.amount_cents is not None
        and term.cap_cents is not None
        and term.cap_cents < term.amount_cents
    ):
        raise refuse_field("cap_cents", "The cap covers at least one payment of the amount.")
    _happens(case, "trigger", None if term.trigger is None else Milestone(term.trigger))


def _happens(case: Case, field: str, code: Milestone | None) -> None:
    if code is not None and code not in MILESTONE_STAGES[CaseKind(case.kind)]:
        raise refuse_field(field, "This milestone does not happen on this kind of case.")


def _audit(
    session: Session,
    actor: Actor,
    case: Case,
    action: str,
    term: ContractTerm,
    *,
    reason: str = "",
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "term",
        term.reference,
        case_id=case.id,
        reason=reason,
        facts={
            "category": term.category,
            "amount_cents": term.amount_cents,
            "cap_cents": term.cap_cents,
            "trigger": term.trigger,
        },
        now=moment.at,
    )
