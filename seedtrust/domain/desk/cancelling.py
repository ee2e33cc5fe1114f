"""What staff read about stopping a payment: whether it can be asked for, and what the bank said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.payments.cancelling import why_not_cancellable
from seedtrust.domain.payments.models import (
    PaymentCancellation,
    PaymentInstruction,
    TrustAccount,
)
from seedtrust.domain.payments.states import (
    CANCELLATION_LABELS,
    CANCELLATION_TONES,
    CancellationState,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish that the bank stop a payment, and the bank's answer."""

    label: str
    tone: str
    is_open: bool
    asked_by: str
    reason: str
    asked_at: datetime
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stopping:
    """Whether the bank may be asked to stop a payment; `why_not` is a sentence, or empty."""

    may_ask: bool
    why_not: str
    wishes: tuple[Wish, ...]


def stopping_of(session: Session, actor: Actor, reference: str) -> Stopping:
    """Return what there is to know about stopping a payment; the payment is known to exist."""
    actor.require(Permission.RUNS_VIEW)
    row, account = session.execute(
        select(PaymentInstruction, TrustAccount)
        .join(TrustAccount, TrustAccount.id == PaymentInstruction.trust_account_id)
        .where(PaymentInstruction.reference == reference)
    ).one()
    found = session.execute(
        select(PaymentCancellation)
        .where(PaymentCancellation.instruction_id == row.id)
        .order_by(PaymentCancellation.id.desc())
    ).scalars()
    wishes = tuple(_wish(one) for one in found)
    why_not = why_not_cancellable(row, account)
    is_open = any(one.is_open for one in wishes)
    return Stopping(
        may_ask=not why_not and not is_open and actor.may(Permission.PAYMENTS_CANCEL),
        why_not=why_not,
        wishes=wishes,
    )


def _wish(row: PaymentCancellation) -> Wish:
    state = CancellationState(row.state)
    return Wish(
        label=CANCELLATION_LABELS[state],
        tone=CANCELLATION_TONES[state],
        is_open=state is CancellationState.ASKED,
        asked_by=row.asked_by_name,
        reason=row.reason,
        asked_at=row.asked_at,
        answer=row.answer,
        answered_at=row.answered_at,
    )
