"""What the doors show of contracts: terms with caps, the schedule, agreements with signatures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.anonymity import Veil, hides, party_label
from seedtrust.domain.cases.models import Agreement, AgreementSignature, Case, CaseParty
from seedtrust.domain.cases.people import Viewpoint, viewpoint
from seedtrust.domain.cases.queries import case_for, parties_of, side_of
from seedtrust.domain.cases.stages import MILESTONE_LABELS
from seedtrust.domain.cases.states import (
    AgreementKind,
    AgreementState,
    Milestone,
    Side,
)
from seedtrust.domain.cases.views import SEEDTRUST
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms.agreements import AGREEMENT_LABELS, STATE_LABELS, concerns
from seedtrust.domain.terms.caps import used_of_caps
from seedtrust.domain.terms.dating import Spread
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem, TermPlan
from seedtrust.domain.terms.plans import Cap, caps_of, schedule_words, spread_in
from seedtrust.domain.terms.requests_seen import PAID, REQUESTS
from seedtrust.domain.terms.schedule import item_title
from seedtrust.domain.terms.states import (
    ItemState,
    TaxClass,
    TermApprover,
    TermKind,
    TermState,
)

APPROVER_LABELS: Final = {
    TermApprover.PRE_AUTHORISED: "Pre-authorised",
    TermApprover.ESCROW: SEEDTRUST,
    TermApprover.INTENDED_PARENTS: "Intended parents",
}
TERM_LABELS: Final = {
    TermState.PROPOSED: "Waiting for a second person",
    TermState.ACTIVE: "Active",
    TermState.ENDED: "Ended",
}
_PERSONAL: Final = frozenset({TaxClass.COMPENSATION, TaxClass.REIMBURSEMENT})


@dataclass(frozen=True)
class TermRow:
    """One term with what is used of it, in cents."""

    reference: str
    position: int
    clause: str
    title: str
    category: str
    tax_class: str
    kind: str
    approver_label: str
    payee: str
    amount_cents: int | None
    cap_cents: int | None
    used_cents: int
    remaining_cents: int | None
    trigger_label: str
    pay_after_days: int
    schedule_label: str
    last_trigger_label: str
    caps: tuple[Cap, ...]
    evidence: tuple[str, ...]
    state: str
    state_label: str
    proposed_by: str
    activated_by: str


@dataclass(frozen=True)
class ScheduleLine:
    """One expected payment, why it is paid, and what has become of it."""

    reference: str
    title: str
    clause: str
    category: str
    kind: str
    payee: str
    amount_cents: int
    due_on: date | None
    waits_for: str
    state: str
    state_label: str
    tone: str
    request_ref: str


@dataclass(frozen=True)
class SignatureView:
    """One party who has to sign, and when it did."""

    party_ref: str
    label: str
    signed_on: date | None
    is_me: bool


@dataclass(frozen=True)
class AgreementView:
    """One version of an agreement with its signatures."""

    reference: str
    kind: str
    label: str
    title: str
    version_number: int
    state: str
    state_label: str
    executed_on: date | None
    document_id: int | None
    signatures: tuple[SignatureView, ...]
    may_sign: bool


def terms_of(session: Session, actor: Actor, case_ref: str) -> list[TermRow]:
    """Return the terms of a case in the order of the contract. Five queries at most.

    The carrier's side reads its own terms only, people outside no proposals.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_VIEW)
    seen = viewpoint(session, actor, case)
    side, people = seen.side, _People(actor, case, seen)
    query = (
        select(ContractTerm, Payee, TermPlan)
        .outerjoin(Payee, Payee.id == ContractTerm.payee_id)
        .outerjoin(TermPlan, TermPlan.term_id == ContractTerm.id)
        .where(ContractTerm.case_id == case.id)
        .order_by(ContractTerm.position)
    )
    rows = [
        (term, payee, spread_in(row))
        for term, payee, row in session.execute(query)
        if people.may_read(term, payee) and (side is None or term.state != TermState.PROPOSED)
    ]
    ids = [term.id for term, _, _ in rows]
    used, caps = used_of_caps(session, ids), caps_of(session, ids)
    return [
        _term_row(
            people,
            term,
            payee,
            used_cents=used.get(term.id, 0),
            spread=spread,
            caps=caps.get(term.id, ()),
        )
        for term, payee, spread in rows
    ]


def _term_row(
    people: _People,
    term: ContractTerm,
    payee: Payee | None,
    *,
    used_cents: int,
    spread: Spread,
    caps: tuple[Cap, ...],
) -> TermRow:
    cap = term.cap_cents
    trigger = None if term.trigger is None else Milestone(term.trigger)
    last = spread.last_trigger
    return TermRow(
        term.reference,
        term.position,
        term.clause,
        people.text(term.title),
        term.category,
        term.tax_class,
        term.kind,
        APPROVER_LABELS[TermApprover(term.approver)],
        people.payee(payee),
        term.amount_cents,
        cap,
        used_cents,
        None if cap is None else max(cap - used_cents, 0),
        "" if trigger is None else MILESTONE_LABELS[trigger],
        term.pay_after_days,
        schedule_words(spread, trigger),
        "" if last is None else MILESTONE_LABELS[last],
        caps,
        tuple(people.text(str(item)) for item in term.evidence),
        term.state,
        TERM_LABELS[TermState(term.state)],
        people.colleague(term.proposed_by),
        people.colleague(term.activated_by),
    )


def schedule_of(
    session: Session, actor: Actor, case: Case, *, seen: Viewpoint | None = None
) -> list[ScheduleLine]:
    """Return the expected payments of a case by day; those without a day stand last.

    Items of one day stand in the order of the contract. The carrier's side reads its own
    payments only. Four queries at most, one where `seen` is given. Raises Forbidden without the
    permission.
    """
    actor.require(Permission.SCHEDULE_VIEW)
    people = _People(actor, case, seen or viewpoint(session, actor, case))
    rows = [
        row
        for row in session.execute(_schedule(case.id))
        if people.may_read(row.ContractTerm, row.Payee)
    ]
    rows.sort(
        key=lambda row: (
            row.ScheduleItem.due_on or date.max,
            row.ContractTerm.position,
            row.ScheduleItem.number,
        )
    )
    return [
        _schedule_line(
            people,
            row.ScheduleItem,
            row.ContractTerm,
            row.Payee,
            spread=spread_in(row.TermPlan),
            request_ref=row.reference or "",
            request_state=row.state,
        )
        for row in rows
    ]


def _schedule(
    case_id: int,
) -> Select[ScheduleItem, ContractTerm, Payee, TermPlan, str, str]:
    return (
        select(ScheduleItem, ContractTerm, Payee, TermPlan, REQUESTS.c.reference, REQUESTS.c.state)
        .join(ContractTerm, ContractTerm.id == ScheduleItem.term_id)
        .outerjoin(Payee, Payee.id == ContractTerm.payee_id)
        .outerjoin(TermPlan, TermPlan.term_id == ContractTerm.id)
        .outerjoin(REQUESTS, REQUESTS.c.schedule_item_id == ScheduleItem.id)
        .where(ScheduleItem.case_id == case_id)
    )


def _schedule_line(
    people: _People,
    item: ScheduleItem,
    term: ContractTerm,
    payee: Payee | None,
    *,
    spread: Spread,
    request_ref: str,
    request_state: str | None,
) -> ScheduleLine:
    label, tone = _item_words(item, term, request_state)
    waiting = item.state == ItemState.WAITING
    is_last = item.number == spread.item_count
    waits_for = spread.last_trigger if is_last and spread.last_trigger else term.trigger
    return ScheduleLine(
        item.reference,
        item_title(people.text(term.title), item.number, spread),
        term.clause,
        term.category,
        term.kind,
        people.payee(payee) or SEEDTRUST,
        item.amount_cents,
        item.due_on,
        MILESTONE_LABELS[Milestone(waits_for)] if waiting and waits_for else "",
        item.state,
        label,
        tone,
        request_ref,
    )


def _item_words(
    item: ScheduleItem, term: ContractTerm, request_state: str | None
) -> tuple[str, str]:
    state = ItemState(item.state)
    if state is ItemState.WAITING:
        return "Waiting for its milestone", "neutral"
    if state is ItemState.PLANNED:
        return "Planned", "info"
    if state is ItemState.CANCELLED:
        return "Cancelled", "neutral"
    if request_state == PAID or term.kind == TermKind.FEE:
        return "Paid", "ok"
    return "Being paid", "info"


def agreements_of(session: Session, actor: Actor, case: Case) -> list[AgreementView]:
    """Return the agreements of a case with their signatures, the newest version first.

    Neither the agency's contract nor drafts are shown to the carrier's side; a client of an
    anonymous case reads the kind of an agreement in place of its title. Four queries at most.
    """
    side = side_of(session, actor, case.id)
    parties = parties_of(session, case.id)
    rows = session.execute(
        select(Agreement, AgreementSignature)
        .outerjoin(AgreementSignature, AgreementSignature.agreement_id == Agreement.id)
        .where(Agreement.case_id == case.id)
        .order_by(Agreement.kind, Agreement.version_number.desc(), AgreementSignature.id)
    )
    found: dict[int, tuple[Agreement, dict[int, date]]] = {}
    for agreement, signature in rows:
        _, signed = found.setdefault(agreement.id, (agreement, {}))
        if signature is not None:
            signed[signature.party_id] = signature.signed_on
    return [
        _agreement_view(actor, case, parties, agreement, side=side, signed=signed)
        for agreement, signed in found.values()
        if side is None or _is_shown(agreement, side)
    ]


def _is_shown(agreement: Agreement, side: Side) -> bool:
    return agreement.state != AgreementState.DRAFT and concerns(agreement, side)


def _agreement_view(
    actor: Actor,
    case: Case,
    parties: list[CaseParty],
    agreement: Agreement,
    *,
    side: Side | None,
    signed: dict[int, date],
) -> AgreementView:
    state = AgreementState(agreement.state)
    label = AGREEMENT_LABELS[AgreementKind(agreement.kind)]
    hides_names = case.anonymous and side in {Side.RECIPIENT, Side.CARRIER}
    signatures = tuple(
        SignatureView(
            party.reference,
            party_label(case, party, side),
            signed.get(party.id),
            actor.user_id is not None and party.user_id == actor.user_id,
        )
        for party in parties
        if party.must_sign and concerns(agreement, Side(party.side))
    )
    out = state in {AgreementState.SENT, AgreementState.PART_SIGNED}
    return AgreementView(
        agreement.reference,
        agreement.kind,
        label,
        label if hides_names else agreement.title,
        agreement.version_number,
        agreement.state,
        STATE_LABELS[state],
        agreement.executed_on,
        agreement.document_id if side is None else None,
        signatures,
        out and any(one.is_me and one.signed_on is None for one in signatures),
    )


class _People:
    """Names as one viewer may read them."""

    def __init__(self, actor: Actor, case: Case, seen: Viewpoint) -> None:
        self._case = case
        self._side = seen.side
        self._inside = actor.is_staff or actor.is_system
        self._parties = {party.id: party for party in seen.parties}
        self._veil = Veil(case, seen.parties, seen.side)

    def _party(self, payee: Payee | None) -> CaseParty | None:
        if payee is None or payee.party_id is None:
            return None
        return self._parties.get(payee.party_id)

    def may_read(self, term: ContractTerm, payee: Payee | None) -> bool:
        """Tell whether the viewer may read a term: the carrier's side its own, others all."""
        if self._side is not Side.CARRIER:
            return True
        party = self._party(payee)
        if payee is not None:
            return party is not None and party.side == Side.CARRIER
        return TaxClass(term.tax_class) in _PERSONAL

    def payee(self, payee: Payee | None) -> str:
        """Return the payee's name, alias or label."""
        if payee is None:
            return ""
        party = self._party(payee)
        if party is not None:
            return party_label(self._case, party, self._side)
        clients = hides(self._case, Side.CARRIER, self._side) or hides(
            self._case, Side.RECIPIENT, self._side
        )
        return (payee.label or self.text(payee.name)) if clients else payee.name

    def text(self, written: str) -> str:
        """Return what the company wrote, without the other side's names."""
        return self._veil.text(written)

    def colleague(self, name: str) -> str:
        """Return who of the company acted; people outside read the company's name."""
        return name if self._inside or not name else SEEDTRUST
