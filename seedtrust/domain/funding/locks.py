"""Locking a deposit in the house's order: its case first."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.db import lock
from seedtrust.core.errors import NotFound
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import Deposit


def locked_deposit(session: Session, deposit_id: int) -> tuple[Case | None, Deposit]:
    """Lock a deposit after its case and return both with fresh attributes. Raises NotFound.

    A deposit that somebody matches in this very instant gets its case locked late; a deadlock
    that this may cause is retried with the whole unit of work.
    """
    known = session.get(Deposit, deposit_id)
    case_id = None if known is None else known.case_id
    case = None if case_id is None else lock(session, Case, case_id)
    deposit = lock(session, Deposit, deposit_id)
    if deposit is None:
        message = "There is no such deposit."
        raise NotFound(message)
    if deposit.case_id != case_id and deposit.case_id is not None:
        case = lock(session, Case, deposit.case_id)
    return case, deposit
