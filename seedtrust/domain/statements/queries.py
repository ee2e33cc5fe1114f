"""The case's balance and ledger, line by line, in the words that one viewer may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.anonymity import Veil, party_label
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import case_for, side_of
from seedtrust.domain.cases.states import Side
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.ledger.queries import CaseLine, LineCursor
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import PaymentInstruction

OURSELVES = "SeedTrust"


@dataclass(frozen=True)
class BalanceView:
    """The three figures of a case, or only whether they suffice."""

    case_ref: str
    as_of_on: date
    visibility: str
    is_sufficient: bool
    ledger_cents: int | None
    reserved_cents: int | None
    uncollected_cents: int | None
    available_cents: int | None
    minimum_cents: int | None


@dataclass(frozen=True)
class StatementLine:
    """One line of a case's ledger; the amount is signed from the case's point of view."""

    effective_on: date
    type: str
    category: str
    amount_cents: int
    balance_cents: int
    counterparty: str
    description: str
    request: str | None
    posted_at: datetime
    seq: int


def balance_for(session: Session, actor: Actor, case_ref: str, today: date) -> BalanceView:
    """Return what the actor may know of a case's balance.

    The carrier's side learns by default only whether the money suffices. Raises NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_VIEW)
    side = side_of(session, actor, case.id)
    balance = ledger.balance_of(session, case.ledger_account_id)
    is_sufficient = balance.available_cents >= case.minimum_balance_cents
    if side is Side.CARRIER and case.carrier_sees_balance != "full":
        visibility = case.carrier_sees_balance
        knows = visibility == "sufficient"
        return BalanceView(
            case.reference, today, visibility, is_sufficient and knows, None, None, None, None, None
        )
    return BalanceView(
        case.reference,
        today,
        "full",
        is_sufficient,
        balance.ledger_cents,
        balance.reserved_cents,
        balance.uncollected_cents,
        balance.available_cents,
        case.minimum_balance_cents,
    )


def ledger_for(
    session: Session,
    actor: Actor,
    case_ref: str,
    *,
    after: LineCursor | None = None,
    limit: int = 50,
    newest_first: bool = False,
) -> list[StatementLine]:
    """Return a page of a case's ledger in effective order, with the running balance.

    Seven queries at most, whatever the number of lines. Raises Forbidden without ledger.view,
    NotFound out of scope.
    """
    case = case_for(session, actor, case_ref, Permission.LEDGER_VIEW)
    lines = ledger.case_lines(
        session, case.ledger_account_id, after=after, limit=limit, newest_first=newest_first
    )
    words = _Words(session, actor, case, lines)
    return [words.line(line) for line in lines]


class _Words:
    """Finds what each line was about: one query per kind of source."""

    def __init__(
        self, session: Session, actor: Actor, case: Case, lines: Sequence[CaseLine]
    ) -> None:
        self._case = case
        self._side = side_of(session, actor, case.id)
        self._inside = actor.is_staff or actor.is_system
        parties = session.execute(select(CaseParty).where(CaseParty.case_id == case.id)).scalars()
        self._parties = {party.id: party for party in parties}
        self._veil = Veil(case, self._parties.values(), self._side)
        self._user_id = actor.user_id
        self._payments = self._paid(session, _refs(lines, "instruction"))
        self._deposits = self._received(session, _refs(lines, "deposit"))

    @staticmethod
    def _paid(
        session: Session, references: list[str]
    ) -> dict[str, tuple[Payee, DisbursementRequest]]:
        if not references:
            return {}
        rows = session.execute(
            select(PaymentInstruction.reference, Payee, DisbursementRequest)
            .join(Payee, Payee.id == PaymentInstruction.payee_id)
            .join(DisbursementRequest, DisbursementRequest.id == PaymentInstruction.request_id)
            .where(PaymentInstruction.reference.in_(references))
        )
        return {reference: (payee, request) for reference, payee, request in rows}

    @staticmethod
    def _received(session: Session, references: list[str]) -> dict[str, Deposit]:
        if not references:
            return {}
        rows = session.execute(select(Deposit).where(Deposit.reference.in_(references))).scalars()
        return {row.reference: row for row in rows}

    def line(self, line: CaseLine) -> StatementLine:
        """Return one line in words."""
        counterparty, description, request = self._about(line)
        return StatementLine(
            line.effective_on,
            line.kind.value,
            line.category or "",
            line.amount_cents,
            line.balance_cents,
            counterparty,
            description,
            request,
            line.posted_at,
            line.seq,
        )

    def _about(self, line: CaseLine) -> tuple[str, str, str | None]:
        paid = self._payments.get(line.source_ref)
        if paid is not None:
            payee, request = paid
            is_own = self._user_id is not None and request.requester_user_id == self._user_id
            about = request.description if is_own else self._veil.text(request.description)
            return self._payee(payee), about, request.reference
        if line.source_ref in self._deposits:
            return self._sender(self._deposits[line.source_ref]), line.memo, None
        return OURSELVES, line.memo, None

    def _payee(self, payee: Payee) -> str:
        party = self._parties.get(payee.party_id) if payee.party_id else None
        if party is not None:
            return party_label(self._case, party, self._side)
        if self._inside or not self._case.anonymous:
            return payee.name
        return payee.label or self._veil.text(payee.name)

    def _sender(self, deposit: Deposit) -> str:
        if self._inside or self._side is not Side.CARRIER:
            return deposit.sender_name
        parents = [party for party in self._parties.values() if party.side == Side.RECIPIENT]
        return party_label(self._case, parents[0], self._side) if parents else "Intended parents"


def _refs(lines: Sequence[CaseLine], source_type: str) -> list[str]:
    return [line.source_ref for line in lines if line.source_type == source_type]
