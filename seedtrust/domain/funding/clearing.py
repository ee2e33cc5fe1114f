"""Checks on their way to collected money: held, let go when their time has passed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding.models import CheckClearance, Deposit
from seedtrust.domain.funding.states import CHECK_BANKING_DAYS, DepositState
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.service import HoldKind


def begin(session: Session, deposit: Deposit) -> CheckClearance:
    """Note until when a check that has just been deposited may bounce without surprise."""
    row = CheckClearance(
        id=new_id(),
        deposit_id=deposit.id,
        collects_on=add_banking_days(deposit.received_on, CHECK_BANKING_DAYS),
        return_reason="",
    )
    session.add(row)
    session.flush()  # the next step looks it up
    return row


def of(session: Session, deposit_id: int) -> CheckClearance | None:
    """Lock and return the clearance of a deposit; None for one that is no check."""
    rows = lock_where(
        session, select(CheckClearance).where(CheckClearance.deposit_id == deposit_id)
    )
    return rows[0] if rows else None


def is_collected(session: Session, deposit: Deposit) -> bool:
    """Tell whether a deposit's money may be spent: a wire's at once, a check's after its time."""
    row = of(session, deposit.id)
    return row is None or row.collected_on is not None


def hold(session: Session, actor: Actor, case: Case, deposit: Deposit, *, moment: Moment) -> None:
    """Keep the money of a check that stands on a case out of what the case may spend.

    The caller holds the locks of case and deposit and has posted the money.
    """
    row = of(session, deposit.id)
    if row is None or row.hold_id is not None:
        return
    row.hold_id = ledger.reserve(
        session,
        actor,
        case.ledger_account_id,
        deposit.amount_cents,
        key=f"uncollected:{deposit.reference}",
        effective_on=moment.today,
        source_type="deposit",
        source_ref=deposit.reference,
        kind=HoldKind.UNCOLLECTED,
        now=moment.at,
    )


def due_deposits(session: Session, today: date) -> list[int]:
    """Return the ids of deposits whose time has passed without a bounce, oldest first."""
    return list(
        session.execute(
            select(CheckClearance.deposit_id)
            .where(
                CheckClearance.collected_on.is_(None),
                CheckClearance.returned_on.is_(None),
                CheckClearance.collects_on <= today,
            )
            .order_by(CheckClearance.collects_on, CheckClearance.id)
        ).scalars()
    )


def let_go(session: Session, actor: Actor, deposit: Deposit, *, moment: Moment) -> bool:
    """Take a check for collected: its hold ends and a case's deposit becomes COLLECTED.

    The caller holds the locks of case and deposit. Returns False when there is nothing to do:
    not yet due, collected before, or bounced.
    """
    row = of(session, deposit.id)
    if row is None or row.collected_on is not None or row.returned_on is not None:
        return False
    if row.collects_on > moment.today:
        return False
    if row.hold_id is not None:
        key = f"collected:{deposit.reference}"
        ledger.release_hold(session, actor, row.hold_id, key=key, now=moment.at)
    row.collected_on = moment.today
    if deposit.state == DepositState.RECEIVED:
        deposit.state = DepositState.COLLECTED.value
    record(
        session,
        actor,
        "deposit.collected",
        "deposit",
        deposit.reference,
        case_id=deposit.case_id,
        facts={"amount_cents": deposit.amount_cents},
        now=moment.at,
    )
    return True
