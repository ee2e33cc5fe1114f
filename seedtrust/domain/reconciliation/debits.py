"""The bank's lines of e-checks: what a run of them drew, and what came back."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seedtrust.core.db import lock_where
from seedtrust.domain.echecks.models import EcheckPull
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.service import mark_reconciled
from seedtrust.domain.payments.models import PaymentRun
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.ladder import BOUNCED, DEBITS, Match
from seedtrust.domain.reconciliation.models import BankStatementLine


class Drawn(NamedTuple):
    """One settled e-check with its deposit, locked, and the reference of its run."""

    pull: EcheckPull
    deposit: Deposit
    run_ref: str


def debits_named(session: Session, references: Collection[str]) -> list[Drawn]:
    """Lock and return the settled e-checks that references name, singly or by their run.

    Two queries.
    """
    run = PaymentRun
    rows = session.execute(
        select(EcheckPull, run.reference)
        .outerjoin(run, run.id == EcheckPull.run_id)
        .where(
            EcheckPull.deposit_id.is_not(None),
            or_(EcheckPull.reference.in_(references), run.reference.in_(references)),
        )
    ).all()
    ids = {pull.deposit_id for pull, _ in rows}
    if not ids:
        return []
    locked = lock_where(session, select(Deposit).where(Deposit.id.in_(ids)).order_by(Deposit.id))
    deposits = {deposit.id: deposit for deposit in locked}
    return [
        Drawn(pull, deposits[pull.deposit_id], run_ref or "")
        for pull, run_ref in rows
        if pull.deposit_id is not None
    ]


def as_debits(line: BankStatementLine, known: Collection[Drawn]) -> Match | None:
    """Return what of ours a line is, if it names e-checks by run or singly, to the cent."""
    reference = line.customer_reference
    ours = [one for one in known if one.pull.trust_account_id == line.trust_account_id]
    settled = [
        one
        for one in ours
        if reference in {one.run_ref, one.pull.reference} and one.pull.settled_on == line.as_of_on
    ]
    if settled and sum(one.pull.amount_cents for one in settled) == line.amount_cents:
        for one in settled:
            mark_reconciled(one.deposit, ReconciliationStatus.MATCHED.value)
        return DEBITS, reference, "e-check reference and total"
    for pull, deposit, _ in ours:
        is_back = reference == pull.reference and line.amount_cents == -pull.amount_cents
        if is_back and pull.ended_on == line.as_of_on:
            return BOUNCED, deposit.reference, "e-check reference and amount"
    return None


def deposits_of(session: Session, reference: str) -> list[Deposit]:
    """Lock and return the deposits that a line of e-checks stands for."""
    return [one.deposit for one in debits_named(session, [reference])]
