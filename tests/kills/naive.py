"""Designs that lose or double money: the control group that proves that the harness finds faults.

They take the same promises from the same outbox and call the same bank through the same adapter,
but none of what protects the product's payments.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.outbox.service import LEASE, claim_due, mark_done
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.payments.ports import PaymentOrder
from seedtrust.domain.payments.states import Rail
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools
from tests.factories.payment_world import MONDAY, OTHER_ROUTING
from tests.kills.bank_process import bank_process
from tests.kills.proof import look_into
from tests.kills.rounds import Office, Round, Rules
from tests.kills.workers import Fate
from tests.kills.world import ACCOUNT, Place

# A bank that takes every call for a new payment.
WITHOUT_KEYS: Final = {"idempotent_payments": False}
_WORKERS: Final = 60
# Enough for the clock to pass every lease that a death has left.
_PEACEFUL: Final = 6


@dataclass(frozen=True)
class _Message:
    number: int
    order: PaymentOrder


def delete_then_pay(tools: Tools, dice: random.Random) -> None:
    """Take a message off the queue, then pay: what dies in between is lost."""
    del dice
    while (message := reading(_first)) is not None:
        _delete(message)
        tools.bank.create_payment(message.order)


def pay_then_delete(tools: Tools, dice: random.Random) -> None:
    """Pay, then take the message off the queue: what dies in between is paid again."""
    del dice
    while (message := reading(_first)) is not None:
        tools.bank.create_payment(message.order)
        _delete(message)


def ask_under_a_lease(tools: Tools, dice: random.Random) -> None:
    """Lease a message, ask the bank whether it has the payment, and pay if it has not.

    It outlives every death. One who stands still for longer than the lease pays again.
    """
    del dice
    while claims := in_transaction(lambda s: claim_due(s, now=tools.clock.now(), limit=1)):
        order = reading(lambda s: _order(s, claims[0].payload))
        if order is not None and tools.bank.find_payment(order.client_reference) is None:
            tools.bank.create_payment(order)
        in_transaction(lambda s: mark_done(s, claims[0], now=tools.clock.now()))


@dataclass
class Damage:
    """What a design did to the wires of some rounds."""

    lost: int = 0
    doubled: int = 0
    deaths: int = 0


def damage(
    place: Place,
    seed: int,
    work: Callable[[Tools, random.Random], None],
    *,
    fates: Callable[[random.Random], tuple[Fate, ...]],
) -> Damage:
    """Play Monday with a design until nothing is left to do, and count what the bank has."""
    found, dice = Round(seed), random.Random(seed)  # noqa: S311 - a game of dice
    with bank_process(place.bank_dir) as bank:
        bank.switch(WITHOUT_KEYS)
        office = Office(place, bank, dice, Rules(work=work))
        for _ in range(_WORKERS):
            end = office.send(MONDAY, fates(dice), found)
            if end.is_asleep:
                office.now += 2 * LEASE
                office.send(MONDAY, (), found)
                office.wake_all(found)
            elif not end.died_at:
                break
        for _ in range(_PEACEFUL):
            office.send(MONDAY, (), found)
    payments = look_into(place).payments
    wires = [payment.reference for payment in place.payments if payment.rail == Rail.WIRE]
    return Damage(
        lost=sum(payments[reference] == 0 for reference in wires),
        doubled=sum(payments[reference] > 1 for reference in wires),
        deaths=len(found.deaths),
    )


def _first(session: Session) -> _Message | None:
    rows = session.execute(
        select(OutboxMessage)
        .where(OutboxMessage.done_at.is_(None))
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
    ).scalars()
    for row in rows:
        order = _order(session, row.payload)
        if order is not None:
            return _Message(row.id, order)
    return None


def _delete(message: _Message) -> None:
    in_transaction(
        lambda session: session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message.number)
            .values(done_at=OutboxMessage.due_at)
        )
    )


def _order(session: Session, payload: dict[str, str]) -> PaymentOrder | None:
    row = session.execute(
        select(PaymentInstruction).where(
            PaymentInstruction.reference == payload.get("instruction", ""),
            PaymentInstruction.rail == Rail.WIRE.value,
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    requested_on: date = row.effective_on
    return PaymentOrder(
        client_reference=row.reference,
        from_account=ACCOUNT,
        amount_cents=row.amount_cents,
        beneficiary_name=row.payee_name,
        routing_number=OTHER_ROUTING,
        account_number="7700000001",
        requested_on=requested_on,
    )
