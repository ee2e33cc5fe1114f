"""Reading the closing of a case: the accounting, who has certified, what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import ROLE_LABELS, Actor, Permission, Role
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import (
    case_for,
    milestones_of,
    parties_of,
    party_label,
    side_of,
)
from seedtrust.domain.cases.states import Milestone, Side
from seedtrust.domain.closing.accounting import CategorySum, sums_of
from seedtrust.domain.closing.models import Certification, FinalAccounting
from seedtrust.domain.closing.states import AccountingState
from seedtrust.domain.disbursements.queries import open_requests_of
from seedtrust.domain.echecks.queries import has_open_pulls
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.terms.queries import planned_items
from seedtrust.domain.terms.states import Category

ACCOUNTING_LABELS: Final = {
    AccountingState.SENT: "Sent to the parties",
    AccountingState.CERTIFIED: "Certified by all parties",
    AccountingState.APPROVED: "Approved",
    AccountingState.WITHDRAWN: "Withdrawn",
}
_FULL_BALANCE: Final = "full"


@dataclass(frozen=True)
class CertificationView:
    """One party who has to certify, and when it did."""

    party_ref: str
    label: str
    role_label: str
    certified_on: date | None
    is_me: bool


@dataclass(frozen=True)
class AccountingView:
    """The final accounting as a viewer may read it; figures are None where the case hides them."""

    reference: str
    number: int
    state: str
    state_label: str
    deposits_cents: int | None
    paid_cents: int | None
    refund_cents: int | None
    by_category: tuple[CategorySum, ...]
    content_hash: str
    is_current: bool
    prepared_on: date
    prepared_by: str
    approved_on: date | None
    approved_by: str
    certifications: tuple[CertificationView, ...]
    may_certify: bool


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands in the way of closing, in words and as a code."""

    code: str
    sentence: str


def obstacles(session: Session, case: Case) -> list[Obstacle]:
    """Return what has to be done before the case can be closed. Six queries."""
    found: list[Obstacle] = []
    if Milestone.OBLIGATIONS_ENDED not in milestones_of(session, case.id):
        found.append(Obstacle("obligations_open", "The end of the obligations is not recorded."))
    requests = open_requests_of(session, case.id)
    if requests:
        found.append(Obstacle("requests_open", f"Open requests: {requests}. Settle them."))
    planned = planned_items(session, case.id)
    if planned:
        found.append(
            Obstacle("schedule_open", f"Scheduled payments still to be made: {len(planned)}.")
        )
    balance = ledger.balance_of(session, case.ledger_account_id)
    if balance.ledger_cents != balance.available_cents:
        found.append(Obstacle("money_held", "Some of the money is reserved or not collected."))
    if has_open_pulls(session, case.id):
        found.append(
            Obstacle("echeck_open", "An e-check is under way. Wait for the bank, or call it off.")
        )
    certifiers = certifiers_of(parties_of(session, case.id))
    if not certifiers:
        found.append(Obstacle("nobody_certifies", "No party has to certify. Say who must."))
    found += [
        Obstacle("certifier_without_login", f"{party.name} has to certify and has no login.")
        for party in certifiers
        if party.user_id is None
    ]
    return found


def certifiers_of(parties: list[CaseParty]) -> list[CaseParty]:
    """Return the parties who have to certify that nothing more is due."""
    return [party for party in parties if party.must_certify]


def accounting_of(session: Session, case_id: int) -> FinalAccounting | None:
    """Return the latest final accounting of a case that was not withdrawn."""
    return session.execute(
        select(FinalAccounting)
        .where(
            FinalAccounting.case_id == case_id,
            FinalAccounting.state != AccountingState.WITHDRAWN.value,
        )
        .order_by(FinalAccounting.number.desc())
        .limit(1)
    ).scalar_one_or_none()


def certified_parties(session: Session, accounting_id: int) -> dict[int, date]:
    """Return the parties who have certified an accounting, with the day."""
    rows = session.execute(
        select(Certification.party_id, Certification.certified_on).where(
            Certification.accounting_id == accounting_id
        )
    )
    return {party_id: certified_on for party_id, certified_on in rows}  # noqa: C416 - typed rows


def accounting_view(session: Session, actor: Actor, case_ref: str) -> AccountingView | None:
    """Return the final accounting of a case as the actor may read it, None without one.

    A carrier reads figures only where the case shows the full balance. Seven queries at most.
    Raises NotFound out of reach.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_VIEW)
    side = side_of(session, actor, case.id)
    accounting = accounting_of(session, case.id)
    if accounting is None:
        return None
    shows = side is not Side.CARRIER or case.carrier_sees_balance == _FULL_BALANCE
    approved = accounting.state == AccountingState.APPROVED
    sums = sums_of(session, case)
    certifications = _certifications(session, actor, case, side, accounting)
    waiting = accounting.state == AccountingState.SENT
    outside = side is not None
    return AccountingView(
        accounting.reference,
        accounting.number,
        accounting.state,
        ACCOUNTING_LABELS[AccountingState(accounting.state)],
        accounting.deposits_cents if shows else None,
        accounting.paid_cents if shows else None,
        accounting.refund_cents if shows else None,
        _categories(sums.by_category, approved=approved) if shows else (),
        accounting.content_hash,
        approved or accounting.content_hash == sums.content_hash(case, accounting.number),
        accounting.prepared_on,
        "SeedTrust" if outside else accounting.prepared_by,
        accounting.approved_on,
        "SeedTrust" if outside and accounting.approved_by else accounting.approved_by,
        certifications,
        waiting and any(one.is_me and one.certified_on is None for one in certifications),
    )


def _categories(found: tuple[CategorySum, ...], *, approved: bool) -> tuple[CategorySum, ...]:
    # The refund that the accounting led to is its outcome, not part of what went out.
    refund = Category.CLOSING_REFUND.value
    return tuple(one for one in found if not (approved and one.category == refund))


def _certifications(
    session: Session,
    actor: Actor,
    case: Case,
    side: Side | None,
    accounting: FinalAccounting,
) -> tuple[CertificationView, ...]:
    certified = certified_parties(session, accounting.id)
    return tuple(
        CertificationView(
            party.reference,
            party_label(case, party, side),
            ROLE_LABELS[Role(party.role)],
            certified.get(party.id),
            actor.user_id is not None and party.user_id == actor.user_id,
        )
        for party in certifiers_of(parties_of(session, case.id))
    )
