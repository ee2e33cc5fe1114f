"""How verbs obtain runs and trust accounts: locked, in one order, or not at all."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun, TrustAccount
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.payments.states import RUN_LABELS, RUN_STEPS, Rail, RunState


def locked_run(session: Session, reference: str) -> PaymentRun:
    """Lock a run and return it with fresh attributes. Raises NotFound."""
    rows = lock_where(session, select(PaymentRun).where(PaymentRun.reference == reference))
    if not rows:
        message = "There is no such payment run."
        raise NotFound(message)
    return rows[0]


def locked_instruction(session: Session, reference: str) -> tuple[PaymentRun, PaymentInstruction]:
    """Lock a payment's run, then the payment. Raises NotFound."""
    run_id = select(PaymentInstruction.run_id).where(PaymentInstruction.reference == reference)
    runs = lock_where(session, select(PaymentRun).where(PaymentRun.id == run_id.scalar_subquery()))
    rows = lock_where(
        session, select(PaymentInstruction).where(PaymentInstruction.reference == reference)
    )
    if not runs or not rows:
        message = "There is no such payment."
        raise NotFound(message)
    return runs[0], rows[0]


def account_of(session: Session, trust_account_id: int) -> TrustAccount:
    """Return a trust account. Raises NotFound."""
    account = session.get(TrustAccount, trust_account_id)
    if account is None:
        message = "There is no such trust account."
        raise NotFound(message)
    return account


def goes_by_file(account: TrustAccount, rail: Rail | str) -> bool:
    """Tell whether payments of an account and rail go to its bank in one file, or one by one."""
    return account.bank_code == FILE_DROP and rail == Rail.ACH


def move_run(run: PaymentRun, to: RunState) -> None:
    """Move a run one step of its life. Raises WrongState."""
    state = RunState(run.state)
    if to not in RUN_STEPS[state]:
        message = (
            f"This run is {RUN_LABELS[state].lower()}, so it cannot become "
            f"{RUN_LABELS[to].lower()} now. Reload the page to see where it stands."
        )
        raise WrongState(message, run=run.reference, state=state.value)
    run.state = to.value
    run.open_key = open_key(run) if to is RunState.OPEN else None


def open_key(run: PaymentRun) -> str:
    """Return what makes the open run of a trust account and rail the only one."""
    return f"{run.trust_account_id}:{run.rail}"
