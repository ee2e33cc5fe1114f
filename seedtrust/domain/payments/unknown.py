"""A payment whose outcome is unknown: asking, sending the same again, and two people's word."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden, Invalid, WrongState
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.payments import inquiries
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, locked_instruction
from seedtrust.domain.payments.errors import SecondConfirmerMustDiffer, StillBeingAsked
from seedtrust.domain.payments.models import PaymentInstruction, UnsentConfirmation
from seedtrust.domain.payments.ports import BankStatus, Capabilities, PaymentSnapshot
from seedtrust.domain.payments.railstops import is_stopped
from seedtrust.domain.payments.release import require_fresh
from seedtrust.domain.payments.sending import (
    SendingTurn,
    give_back_unsent,
    order_of,
    record_answer,
    still_good,
)
from seedtrust.domain.payments.states import InstructionState

# A call that is under way ends well within this time, so nothing of ours is on its way after it.
SETTLED_AFTER: Final = timedelta(minutes=10)
CONFIRMATIONS: Final = 2
MOST_RESENDS: Final = 3
_MISSES_TO_RESEND: Final = 2
_S = InstructionState


def begin_inquiry(
    session: Session, actor: Actor, *, instruction_ref: str, keyring: Keyring, moment: Moment
) -> SendingTurn | None:
    """Take the turn to ask the bank about an UNKNOWN payment; None if it is not unknown now.

    When it is asked next is written down before it is asked, so that a crash skips nothing and
    two workers do not ask twice. Raises FileAltered when the account number was altered.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    run, row = locked_instruction(session, instruction_ref)
    inquiry = inquiries.of_payment(session, row)
    if life.state_of(row) is not _S.UNKNOWN or inquiry is None:
        return None
    if inquiry.next_ask_at is None or inquiry.next_ask_at > moment.at:
        return None
    order = order_of(session, run, row, keyring)
    inquiry.asked += 1
    inquiry.next_ask_at = moment.at + inquiries.wait_after(inquiry.asked)
    row.send_attempt += 1
    bank = account_of(session, run.trust_account_id).bank_code
    return SendingTurn(order, bank, row.send_attempt, resumed=True)


def may_resend(
    session: Session,
    actor: Actor,
    turn: SendingTurn,
    capabilities: Capabilities,
    *,
    moment: Moment,
) -> bool:
    """Count one "not found" of an unknown payment and tell whether it may be sent again now.

    Only when the bank declares its look-up consistent and has twice said that it does not know
    the payment, over at least the time that it takes to be consistent, and three times at most:
    with the same reference and the same content. A late original, of a worker that stood still,
    would be a second payment at a bank that does not promise to recognise it: there people decide.
    """
    run, row = locked_instruction(session, turn.order.client_reference)
    inquiry = inquiries.of_payment(session, row)
    if row.send_attempt != turn.attempt or life.state_of(row) is not _S.UNKNOWN or inquiry is None:
        return False
    row.lookup_misses += 1
    row.first_miss_at = row.first_miss_at or moment.at
    inquiry.last_answer = "The bank does not know this payment."
    apart = timedelta(seconds=capabilities.lookup_consistent_after_seconds)
    proven = (
        capabilities.recognises_repeats
        and capabilities.lookup_is_consistent
        and row.lookup_misses >= _MISSES_TO_RESEND
        and moment.at - row.first_miss_at >= apart
    )
    if not proven or inquiry.resends >= MOST_RESENDS or is_stopped(session, turn.bank, row.rail):
        return False
    if not still_good(session, actor, run, row, moment):
        return False
    inquiry.resends += 1
    inquiry.resent_at = moment.at
    row.lookup_misses, row.first_miss_at = 0, None
    return True


def confirm_not_sent(
    session: Session,
    actor: Actor,
    *,
    instruction_ref: str,
    note: str,
    moment: Moment,
    step_up_seconds: int,
) -> PaymentInstruction:
    """Give one person's word that the bank never got a payment; the second one decides.

    With the second person's word the payment is FAILED, its reservation is the request's again,
    and the request may be paid anew by a payment that names this one. Raises WrongState,
    StillBeingAsked while a call of ours may be under way, SecondConfirmerMustDiffer, Invalid
    without saying how the person knows, StepUpRequired, Forbidden, NotFound.
    """
    actor.require(Permission.PAYMENTS_CONFIRM_NOT_SENT)
    if actor.user_id is None:
        message = "Two people have to confirm that a payment was not sent."
        raise Forbidden(message)
    note = note.strip()
    if not note:
        message = "Say how you know, such as whom at the bank you spoke to."
        raise Invalid(message, errors={"note": [message]})
    run, row = locked_instruction(session, instruction_ref)
    if life.state_of(row) is not _S.UNKNOWN:
        message = "It is known by now what became of this payment. Reload the page."
        raise WrongState(message, instruction=row.reference, state=row.state)
    _require_quiet(session, row, moment.at)
    require_fresh(actor, moment, step_up_seconds)
    given = _confirmations(session, row)
    if actor.user_id in {one.user_id for one in given}:
        message = "You have confirmed this already. A second person has to confirm it as well."
        raise SecondConfirmerMustDiffer(message, instruction=row.reference)
    session.add(
        UnsentConfirmation(
            id=new_id(),
            instruction_id=row.id,
            user_id=actor.user_id,
            user_name=actor.name,
            note=note[:500],
            at=moment.at,
        )
    )
    record(
        session,
        actor,
        "payment.confirmed_not_sent",
        "instruction",
        row.reference,
        reason=note[:500],
        facts={"confirmations": len(given) + 1},
        now=moment.at,
    )
    if len(given) + 1 >= CONFIRMATIONS:
        names = f"{given[0].user_name} and {actor.name}"
        word = f"Confirmed not sent by {names}"[:200]
        give_back_unsent(session, actor, run, row, word=word, moment=moment)
    return row


def settle_from_statement(
    session: Session,
    actor: Actor,
    *,
    instruction_ref: str,
    amount_cents: int,
    settled_on: date,
    moment: Moment,
) -> bool:
    """Take a line of a final prior-day statement as proof that an unclear payment went.

    True if it was unclear and is settled now. A line with another amount is an incident.
    """
    _run, row = locked_instruction(session, instruction_ref)
    if life.state_of(row) not in {_S.UNKNOWN, _S.SUBMITTING}:
        return False
    snapshot = PaymentSnapshot(
        bank_ref=row.bank_payment_ref,
        client_reference=row.reference,
        amount_cents=amount_cents,
        status=BankStatus.SETTLED,
        word="on the statement",
        settled_on=settled_on,
    )
    row = record_answer(session, actor, snapshot, moment=moment)
    return life.state_of(row) is _S.SETTLED


def _require_quiet(session: Session, row: PaymentInstruction, now: datetime) -> None:
    inquiry = inquiries.of_payment(session, row)
    if inquiry is None:
        return
    last_call_at = max(inquiry.unknown_since_at, inquiry.resent_at or inquiry.unknown_since_at)
    if now - last_call_at < SETTLED_AFTER:
        message = (
            "This payment may still be on its way to the bank. "
            "Wait until the bank has been asked for ten minutes."
        )
        raise StillBeingAsked(message, instruction=row.reference)


def _confirmations(session: Session, row: PaymentInstruction) -> list[UnsentConfirmation]:
    return lock_where(
        session,
        select(UnsentConfirmation)
        .where(UnsentConfirmation.instruction_id == row.id)
        .order_by(UnsentConfirmation.id),
    )
