"""A case whose check bounced after it was spent, and what two people do about it."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.domain.funding import advances
from seedtrust.domain.funding.models import Deposit, Shortage, ShortageDecision
from seedtrust.domain.funding.states import DecisionKind
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger.queries import balance_of
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.concurrency.test_runs import Act
from tests.factories.payment_world import moment_at
from tests.factories.till import COLLECTED_ON, LATER, Till

SHORT: Final = 80_000
NEXT_DAY: Final = date(2026, 1, 21)
FRIDAY: Final = date(2026, 1, 23)
AT: Final = moment_at(NEXT_DAY)


def spent(till: Till) -> Till:
    """Return a case whose check bounced after 800.00 of it had been spent; 500.00 wait on hold."""
    till.deposited()
    till.collect()
    payee = till.world.payee()
    till.world.request(till.case, payee, amount_cents=180_000)
    run = till.world.released(moment=moment_at(COLLECTED_ON))
    transmit_run(till.desk.at(COLLECTED_ON), {"run": run.reference})
    till.world.request(till.case, payee, amount_cents=50_000)
    assert till.bounced(LATER) == (1, 0)
    assert till.shortages() == [SHORT]
    return till


def wired(
    till: Till,
    cents: int,
    text: str = "",
    *,
    reference: str = "WIRE-1",
    on: date = NEXT_DAY,
    times: int = 1,
) -> Deposit:
    """Have the bank tell of a wire, of the case unless the text says otherwise."""
    for _ in range(times):
        till.desk.bank.tell(
            "wire.received",
            on,
            account_id="trust",
            amount_cents=cents,
            text=text or f"Escrow {till.case.reference}",
            business_on=on.isoformat(),
            bank_reference=reference,
        )
        assert poll_events(till.desk.at(on)) == (1, 0)
    query = select(Deposit).where(Deposit.bank_reference == reference)
    return till.world.do(lambda s: s.execute(query).scalar_one())


def shortage(till: Till) -> Shortage:
    """Return the first shortage as it stands."""
    return till.world.do(
        lambda s: s.execute(select(Shortage).order_by(Shortage.id)).scalars().first() or Shortage()
    )


def operating(till: Till) -> dict[str, int]:
    """Return the figures of the company's own book that are not zero, each on its normal side."""
    codes = ["operating_cash", "shortage_expense", "due_to_trust", "fee_income"]

    def look(session: Session) -> dict[str, int]:
        ids = chart.account_ids(session, "operating", codes)
        return {code: abs(balance_of(session, ids[code]).ledger_cents) for code in codes}

    return {code: cents for code, cents in till.world.do(look).items() if cents}


def owed(till: Till) -> int:
    """Return what the trust book says that the company owes."""
    return till.world.do(
        lambda s: balance_of(s, chart.account_id(s, "trust", "shortage_receivable")).ledger_cents
    )


def propose(till: Till, kind: DecisionKind = DecisionKind.ADVANCE) -> ShortageDecision:
    """Propose something as the first of two people."""
    return till.world.do(
        lambda s: advances.propose(
            s,
            till.world.escrow,
            shortage_ref=shortage(till).reference,
            kind=kind,
            reason="The parents need two weeks",
            moment=AT,
        )
    )


def approve(till: Till, row: ShortageDecision) -> ShortageDecision:
    """Decide as the second person."""
    return till.world.do(
        lambda s: advances.approve(s, till.world.controller, decision_ref=row.reference, moment=AT)
    )


def advanced(till: Till) -> ShortageDecision:
    """Have the company's money come, as two people decided."""
    row = approve(till, propose(till))
    wired(till, SHORT, f"SEEDTRUST OPERATING {row.reference}", reference="ADV-1")
    return row


def refused(till: Till, refusal: type[DomainError], work: Act) -> None:
    """Expect a refusal that leaves nothing behind."""
    with pytest.raises(refusal):
        till.world.do(work)
