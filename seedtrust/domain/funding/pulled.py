"""The money of an e-check that has settled: on its case, and uncollected for five banking days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding import clearing
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.service import credited
from seedtrust.domain.funding.states import DepositState, ReceiptRail
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit
from seedtrust.domain.terms.states import Category


@dataclass(frozen=True)
class Pulled:
    """A debit that settled, in cents; the accounts are those of e-checks under way."""

    pull_ref: str
    trust_account_id: int
    trust_code: str
    amount_cents: int
    sender_name: str
    settled_on: date
    in_transit_account_id: int
    in_process_account_id: int


def receive_pulled(
    session: Session, actor: Actor, case: Case, pulled: Pulled, *, moment: Moment
) -> Deposit:
    """Book a settled debit on its case and hold it as uncollected until its time has passed.

    The caller holds the case's lock and calls this once for a debit; the unique reference refuses
    a second copy. `deposits.collect` lets the money go.
    """
    deposit = Deposit(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=pulled.trust_account_id,
        case_id=case.id,
        rail=ReceiptRail.ECHECK.value,
        amount_cents=pulled.amount_cents,
        state=DepositState.RECEIVED.value,
        bank=pulled.trust_code,
        bank_reference=pulled.pull_ref,
        sender_name=pulled.sender_name[:120],
        text=f"E-check {pulled.pull_ref}",
        received_on=pulled.settled_on,
        matched_on=pulled.settled_on,
        matched_by=actor.name,
        matched_at=moment.at,
        reconciliation_status="unmatched",
    )
    session.add(deposit)
    session.flush()  # refuse a second copy of the money before any posting
    cash = chart.account_id(session, "trust", chart.bank_cash_code(pulled.trust_code))
    cents = pulled.amount_cents
    posting = Posting(
        kind=TxnKind.DEPOSIT,
        key=f"deposit:{deposit.bank}:{deposit.bank_reference}",
        effective_on=pulled.settled_on,
        legs=(
            debit(cash, cents),
            debit(pulled.in_process_account_id, cents),
            credit(pulled.in_transit_account_id, cents),
            credit(case.ledger_account_id, cents),
        ),
        memo="E-check received",
        category=Category.FUNDING.value,
        source_type="deposit",
        source_ref=deposit.reference,
    )
    ledger.post(session, actor, posting, now=moment.at)
    clearing.begin(session, deposit)
    record(
        session,
        actor,
        "deposit.received",
        "deposit",
        deposit.reference,
        case_id=case.id,
        facts={"amount_cents": cents, "echeck": pulled.pull_ref},
        now=moment.at,
    )
    credited(session, actor, case, deposit, moment)
    return deposit
