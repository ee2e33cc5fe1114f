"""Telling a payment or a deposit that the bank's statement shows it, or that it does no more."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.db import lock_where
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.service import mark_reconciled as mark_deposit
from seedtrust.domain.payments import instructions as payments
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.debits import deposits_of
from seedtrust.domain.reconciliation.ladder import DEBITS, DEPOSIT, INSTRUCTION, RUN
from seedtrust.domain.reconciliation.models import BankStatementLine

# Only what left or came in is marked; a return or a charge has no mark of its own.
_PAYMENTS: Final = frozenset({RUN, INSTRUCTION})


def mark(session: Session, line: BankStatementLine, status: ReconciliationStatus) -> None:
    """Give what the line belongs to its reconciliation status, under lock."""
    if line.matched_type == DEPOSIT:
        wanted = select(Deposit).where(Deposit.reference == line.matched_ref)
        for deposit in lock_where(session, wanted):
            mark_deposit(deposit, status.value)
    elif line.matched_type == DEBITS:
        for deposit in deposits_of(session, line.matched_ref):
            mark_deposit(deposit, status.value)
    elif line.matched_type in _PAYMENTS:
        payments.mark_reconciled(_payments(session, line), status)


def _payments(session: Session, line: BankStatementLine) -> list[PaymentInstruction]:
    row = PaymentInstruction
    if line.matched_type == INSTRUCTION:
        return lock_where(session, select(row).where(row.reference == line.matched_ref))
    run = select(PaymentRun.id).where(PaymentRun.reference == line.matched_ref)
    of_run = select(row).where(row.run_id == run.scalar_subquery(), row.settled_on.is_not(None))
    return lock_where(session, of_run.order_by(row.id))
