"""What the bank and the senders of money do in a journey, told to the bank simulator."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.clock import Moment
from seedtrust.core.errors import Invalid
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import InstructionState, Rail
from seedtrust.ext import reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys import scenes
from seedtrust.journeys.coherence import RETURN_BANKING_DAYS
from seedtrust.journeys.pulls import take_back
from seedtrust.journeys.script import (
    ACCOUNT_CLOSED,
    BOUNCED_DEPOSIT,
    BankAccount,
    BankEventSpec,
    Journey,
)

BOUNCE_REASON: Final = "Insufficient funds"
# With which an e-check comes back unless the file names a code (Nacha Operating Rules, R01).
NO_MONEY: Final = "R01"


def wire_reference(journey: Journey, index: int) -> str:
    """Return the sender's own reference of a deposit; it names no case, whatever the journey is."""
    seed = f"{journey.name}:{index}".encode()
    return "W" + hashlib.sha256(seed).hexdigest()[:12].upper()


def send_deposit(control: HttpSandboxControl, journey: Journey, index: int) -> str:
    """Let a party send a deposit to the bank, once; returns the bank's id of a check."""
    deposit = journey.deposits[index]
    sender = next(one for one in journey.parties if one.key == deposit.sender)
    body: dict[str, object] = {
        "account_id": reading(lambda session: _bank_account_of(session, journey)),
        "amount_cents": deposit.amount_cents,
        "sender_name": sender.name,
        "text": f"CASE {journey.number}" if deposit.names_the_case else "",
        "reference": wire_reference(journey, index),
    }
    key = f"{journey.name}-deposit-{index + 1}"
    if deposit.rail == ReceiptRail.CHECK:
        return control.deposit_check(body, key=key)
    control.receive_wire(body, key=key)
    return ""


def act(
    control: HttpSandboxControl, journey: Journey, event: BankEventSpec, moment: Moment
) -> None:
    """Let the bank do what an event says; again changes nothing.

    Raises Invalid for a return that fits no payment of the journey.
    """
    if event.event == ACCOUNT_CLOSED:
        account = _account_of(journey, event.payee or "")
        control.close_counterparty(account.routing_number, account.account_number, moment.today)
    elif event.event == BOUNCED_DEPOSIT:
        index = next(
            index
            for index, deposit in enumerate(journey.deposits)
            if deposit.on == event.deposit_on and deposit.rail != ReceiptRail.WIRE
        )
        asked_on = journey.deposits[index].on
        if journey.deposits[index].rail == ReceiptRail.ECHECK:
            code = event.code or NO_MONEY
            reading(lambda session: take_back(session, control, journey, asked_on, code))
            return
        # The same key again returns the same deposit, so its id need not be kept.
        control.return_deposit(send_deposit(control, journey, index), BOUNCE_REASON)
    else:
        for trace_number, payment_id in reading(
            lambda session: _to_return(session, journey, event)
        ):
            if trace_number:
                control.return_entry(trace_number, event.code)
            else:
                control.return_payment(payment_id, event.code)


def _to_return(
    session: Session, journey: Journey, event: BankEventSpec
) -> list[tuple[str | None, str]]:
    """Return trace number and the bank's own id of the payments that an event sends back."""
    payment, request = PaymentInstruction, DisbursementRequest
    query = (
        select(payment.trace_number, payment.bank_payment_ref, payment.settled_on)
        .join(request, request.id == payment.request_id)
        .join(Payee, Payee.id == payment.payee_id)
        .where(
            payment.case_id == scenes.find_case(session, journey).id,
            Payee.reference == scenes.payee_ref(session, journey, event.payee or ""),
            payment.settled_on.is_not(None),
            payment.rail == Rail.ACH.value,
            payment.state.in_((InstructionState.SETTLED.value, InstructionState.RETURNED.value)),
        )
        .order_by(payment.settled_on.desc(), payment.id)
    )
    if event.category is not None:
        query = query.where(request.category == event.category)
    if event.settled_on is not None:
        query = query.where(payment.settled_on == event.settled_on)
    rows = session.execute(query).all()
    words = f" of {event.category}" if event.category else ""
    if not rows:
        day = f" that settled on {event.settled_on}" if event.settled_on else " that has settled"
        message = f"The bank cannot return a payment{words} to {event.payee}{day}: there is none."
        raise Invalid(message)
    latest = rows[0].settled_on
    earliest = add_banking_days(latest, RETURN_BANKING_DAYS)
    if event.on < earliest:
        message = (
            f"The latest payment{words} to {event.payee} settled on {latest}; it comes back on "
            f"{earliest} at the earliest, not on {event.on}."
        )
        raise Invalid(message)
    return [(row.trace_number, row.bank_payment_ref) for row in rows if row.settled_on == latest]


def _account_of(journey: Journey, key: str) -> BankAccount:
    if key == "agency":
        return journey.agency_account
    for party in journey.parties:
        if party.key == key and party.account is not None:
            return party.account
    return next(spec.account for spec in journey.payees if spec.key == key)


def _bank_account_of(session: Session, journey: Journey) -> str:
    return session.execute(
        select(TrustAccount.bank_account_ref).where(TrustAccount.case_rail == journey.rail)
    ).scalar_one()
