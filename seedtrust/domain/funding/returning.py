"""Deposits that bounce: the money leaves the case again, and what it had spent is a shortage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import Invalid, NotFound
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.reservation import free_reservations
from seedtrust.domain.funding import allocating, clearing
from seedtrust.domain.funding.locks import locked_deposit
from seedtrust.domain.funding.models import CheckClearance, Deposit
from seedtrust.domain.funding.shortages import open_shortage
from seedtrust.domain.funding.states import UNIDENTIFIED_KIND, DepositState, ReceiptRail
from seedtrust.domain.funding.telling import tell_parents
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.service import Leg, Posting, TxnKind, credit, debit
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.terms.states import Category

RETURNED_KIND: Final = "deposit.returned"
_MEMOS: Final = {
    ReceiptRail.CHECK.value: "Deposited check returned",
    ReceiptRail.ECHECK.value: "E-check returned",
}
_WHAT: Final = {
    ReceiptRail.CHECK.value: "A deposited check",
    ReceiptRail.ECHECK.value: "An e-check",
}
_RETURNABLE: Final = frozenset(
    {DepositState.UNIDENTIFIED, DepositState.RECEIVED, DepositState.COLLECTED}
)


@dataclass(frozen=True)
class DepositReturn:
    """What the bank said of a check or e-check that came back, by the references of the deposit."""

    bank: str
    trust_code: str
    bank_reference: str
    amount_cents: int
    reason: str
    return_reference: str
    returned_on: date


def return_deposit(session: Session, actor: Actor, said: DepositReturn, *, moment: Moment) -> bool:
    """Take a bounced check out of the books again; False when that was done before.

    Money that is still held as uncollected goes straight back. Collected money comes out of what
    the case has available; reservations that stand in the way are let go, the newest first, and
    their requests wait on hold. What the case has spent is a shortage that the company owes to
    the trust: it is written down, the case is frozen, and a person is told. Raises NotFound for
    a deposit that we do not know, Invalid for one that cannot come back or another amount.
    """
    case, deposit = locked_deposit(session, _id_of(session, said))
    if deposit.state == DepositState.RETURNED:
        return False
    clearance = clearing.of(session, deposit.id)
    if clearance is None or DepositState(deposit.state) not in _RETURNABLE:
        message = f"Deposit {deposit.reference} cannot come back: it is no check on our books."
        raise Invalid(message, deposit=deposit.reference, state=deposit.state)
    if said.amount_cents != deposit.amount_cents:
        message = f"The bank returned another amount than deposit {deposit.reference} had."
        raise Invalid(message, deposit=deposit.reference, amount_cents=deposit.amount_cents)
    short_cents = _post(session, actor, said, case, deposit, clearance, moment)
    deposit.state = DepositState.RETURNED.value
    allocating.take_back(session, actor, deposit, moment=moment)
    clearance.returned_on = said.returned_on
    clearance.return_reason, clearance.return_reference = said.reason[:200], said.return_reference
    record(
        session,
        actor,
        "deposit.returned",
        "deposit",
        deposit.reference,
        case_id=deposit.case_id,
        reason=said.reason,
        facts={"amount_cents": deposit.amount_cents, "shortage_cents": short_cents},
        now=moment.at,
    )
    _say(session, actor, case, deposit, said.reason, moment)
    if case is not None and short_cents:
        open_shortage(session, actor, case, deposit, short_cents, moment=moment)
    return True


def _id_of(session: Session, said: DepositReturn) -> int:
    found = session.execute(
        select(Deposit.id).where(
            Deposit.bank == said.bank, Deposit.bank_reference == said.bank_reference
        )
    ).scalar_one_or_none()
    if found is None:
        message = "The bank returned a deposit that we do not know. Ask the bank what it was."
        raise NotFound(message)
    return found


def _post(  # noqa: PLR0917 - the deposit, what became of it, and what the bank said
    session: Session,
    actor: Actor,
    said: DepositReturn,
    case: Case | None,
    deposit: Deposit,
    clearance: CheckClearance,
    moment: Moment,
) -> int:
    """Write the return into the books and return what the case could not give back, in cents."""
    cash = chart.account_id(session, "trust", chart.bank_cash_code(said.trust_code))
    key = f"deposit-return:{deposit.reference}"
    if clearance.hold_id is not None and clearance.collected_on is None:
        ledger.capture(
            session,
            actor,
            clearance.hold_id,
            key=key,
            effective_on=said.returned_on,
            credit_account_id=cash,
            kind=TxnKind.RETURN,
            category=Category.FUNDING.value,
            memo=_MEMOS[deposit.rail],
            source_type="deposit",
            source_ref=deposit.reference,
            now=moment.at,
        )
        return 0
    legs, short_cents = _legs(session, actor, case, deposit.amount_cents, moment)
    posting = Posting(
        kind=TxnKind.RETURN,
        key=key,
        effective_on=said.returned_on,
        legs=(*legs, credit(cash, deposit.amount_cents)),
        memo=_MEMOS[deposit.rail],
        category=Category.FUNDING.value,
        source_type="deposit",
        source_ref=deposit.reference,
    )
    ledger.post(session, actor, posting, now=moment.at)
    return short_cents


def _legs(
    session: Session, actor: Actor, case: Case | None, amount_cents: int, moment: Moment
) -> tuple[tuple[Leg, ...], int]:
    """Return who gives the money back: the case as far as it can, the company for the rest."""
    if case is None:
        unidentified = chart.account_id(session, "trust", "unidentified_receipts")
        return (debit(unidentified, amount_cents),), 0
    reason = "A deposit of the case bounced, so its money is not there."
    free_reservations(session, actor, case, amount_cents, reason=reason, moment=moment)
    available = ledger_queries.balance_of(session, case.ledger_account_id).available_cents
    of_case = min(amount_cents, available)
    short_cents = amount_cents - of_case
    shortage = chart.account_id(session, "trust", "shortage_receivable")
    sides = ((case.ledger_account_id, of_case), (shortage, short_cents))
    return tuple(debit(account, cents) for account, cents in sides if cents), short_cents


def _say(  # noqa: PLR0917 - whom to tell of which deposit, and why
    session: Session,
    actor: Actor,
    case: Case | None,
    deposit: Deposit,
    reason: str,
    moment: Moment,
) -> None:
    close_exceptions_of(
        session, UNIDENTIFIED_KIND, deposit.reference, closed_by=actor.name, now=moment.at
    )
    amount, why = format_dollars(deposit.amount_cents), reason.rstrip(".")
    open_exception(
        session,
        RETURNED_KIND,
        "deposit",
        deposit.reference,
        f"{_WHAT[deposit.rail]} over {amount} bounced: {why}. Ask the sender for a wire.",
        case_id=deposit.case_id,
        now=moment.at,
    )
    if case is not None:
        key = f"deposit.returned:{deposit.reference}"
        tell_parents(session, NoticeEvent.DEPOSIT_RETURNED, key, case, {}, moment=moment)
