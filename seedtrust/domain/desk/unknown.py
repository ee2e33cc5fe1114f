"""What staff read about a payment whose outcome is unknown: known, tried, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.payments.calls import CallView, calls_about
from seedtrust.domain.payments.models import (
    PaymentInquiry,
    PaymentInstruction,
    TrustAccount,
    UnsentConfirmation,
)
from seedtrust.domain.payments.queries import payment_view
from seedtrust.domain.payments.states import InstructionState
from seedtrust.domain.payments.unknown import SETTLED_AFTER
from seedtrust.domain.payments.views import PaymentView


@dataclass(frozen=True, slots=True)
class Word:
    """One person's word that the payment was not sent."""

    user_name: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UnknownView:
    """A payment that the bank may or may not have; `quiet_from_at` is when people may decide."""

    payment: PaymentView
    is_unknown: bool
    bank_name: str
    unknown_since_at: datetime | None
    asked: int
    resends: int
    last_answer: str
    next_ask_at: datetime | None
    quiet_from_at: datetime | None
    words: tuple[Word, ...]
    calls: tuple[CallView, ...]
    may_confirm: bool


def unknown_view(session: Session, actor: Actor, reference: str) -> UnknownView:
    """Return everything about a payment's unknown outcome. Raises NotFound, Forbidden."""
    actor.require(Permission.RUNS_VIEW)
    payment, _steps = payment_view(session, actor, reference)
    row, bank_name = session.execute(
        select(PaymentInstruction, TrustAccount.bank_name)
        .join(TrustAccount, TrustAccount.id == PaymentInstruction.trust_account_id)
        .where(PaymentInstruction.reference == reference)
    ).one()
    inquiry = session.execute(
        select(PaymentInquiry).where(PaymentInquiry.instruction_id == row.id)
    ).scalar_one_or_none()
    given = session.execute(
        select(UnsentConfirmation)
        .where(UnsentConfirmation.instruction_id == row.id)
        .order_by(UnsentConfirmation.id)
    ).scalars()
    found = list(given)
    is_unknown = payment.state is InstructionState.UNKNOWN
    has_spoken = actor.user_id in {one.user_id for one in found}
    return UnknownView(
        payment=payment,
        is_unknown=is_unknown,
        bank_name=bank_name,
        unknown_since_at=None if inquiry is None else inquiry.unknown_since_at,
        asked=0 if inquiry is None else inquiry.asked,
        resends=0 if inquiry is None else inquiry.resends,
        last_answer="" if inquiry is None else inquiry.last_answer,
        next_ask_at=None if inquiry is None else inquiry.next_ask_at,
        quiet_from_at=None if inquiry is None else _quiet_from(inquiry),
        words=tuple(Word(one.user_name, one.note, one.at) for one in found),
        calls=tuple(calls_about(session, reference)),
        may_confirm=(
            is_unknown and not has_spoken and actor.may(Permission.PAYMENTS_CONFIRM_NOT_SENT)
        ),
    )


def _quiet_from(inquiry: PaymentInquiry) -> datetime:
    last = max(inquiry.unknown_since_at, inquiry.resent_at or inquiry.unknown_since_at)
    return last + SETTLED_AFTER
