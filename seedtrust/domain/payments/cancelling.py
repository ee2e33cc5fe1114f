"""Having the bank stop a payment: a wish of ours, which only the bank's own word fulfils.

The wish changes nothing about the payment. Its money stays where it is until the bank says what
became of it: stopped, or gone on. Stopping sends nothing anywhere and paying anew takes a builder
and a releaser, so that one person is enough; they give a reason and a fresh second factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden, Invalid
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.outbox.service import bank_lane, promise
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, goes_by_file, locked_instruction
from seedtrust.domain.payments.errors import NotCancellable
from seedtrust.domain.payments.models import (
    PaymentCancellation,
    PaymentInstruction,
    TrustAccount,
)
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.payments.release import require_fresh
from seedtrust.domain.payments.states import (
    IN_FLIGHT_STATES,
    CancellationState,
    InstructionState,
)

CANCEL: Final = "payment.cancel"
NOT_STOPPED_KIND: Final = "payment.not_stopped"
_S = InstructionState
_STOPPED: Final = frozenset({_S.CANCELLED, _S.REJECTED, _S.FAILED})
_WENT_ON: Final = frozenset({_S.SETTLED, _S.RETURNED})
_WHY_NOT: Final = {
    _S.CREATED: "It is not at the bank. Take it out of its run instead.",
    _S.RELEASED: "It is not at the bank. Cancel its run, or stop its rail, instead.",
    _S.SUBMITTING: "It is on its way to the bank right now. Wait until the bank has answered.",
    _S.UNKNOWN: "The bank is being asked whether it has it. Wait for that answer.",
    _S.SETTLED: "It has settled. Ask the payee to send the money back.",
}


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """A payment that the bank is to be asked to stop now."""

    bank: str
    bank_ref: str


def ask_to_cancel(
    session: Session,
    actor: Actor,
    *,
    instruction_ref: str,
    reason: str,
    moment: Moment,
    step_up_seconds: int,
) -> PaymentCancellation:
    """Wish that the bank stop a payment; it is asked right after. Again changes nothing.

    The payment keeps its state until the bank has said what became of it. Raises NotCancellable
    for one that went in a file, is not at the bank or has settled, Invalid without a reason,
    StepUpRequired, Forbidden, NotFound.
    """
    actor.require(Permission.PAYMENTS_CANCEL)
    if actor.user_id is None:
        message = "A person has to decide that a payment is stopped."
        raise Forbidden(message)
    reason = reason.strip()
    if not reason:
        message = "Say why it should be stopped."
        raise Invalid(message, errors={"reason": [message]})
    run, row = locked_instruction(session, instruction_ref)
    account = account_of(session, run.trust_account_id)
    if why := why_not_cancellable(row, account):
        raise NotCancellable(why, instruction=row.reference, state=row.state)
    require_fresh(actor, moment, step_up_seconds)
    open_wish = _open_wish(session, row)
    if open_wish is not None:
        return open_wish
    wish = PaymentCancellation(
        id=new_id(),
        instruction_id=row.id,
        open_instruction_id=row.id,
        state=CancellationState.ASKED.value,
        reason=reason[:500],
        asked_by_user_id=actor.user_id,
        asked_by_name=actor.name,
        asked_at=moment.at,
    )
    session.add(wish)
    promise(
        session,
        CANCEL,
        f"{row.reference}:{wish.id}",
        {"instruction": row.reference},
        now=moment.at,
        request_id=actor.request_id,
        lane=bank_lane(account.bank_code),
    )
    record(
        session,
        actor,
        "payment.cancel_asked",
        "instruction",
        row.reference,
        case_id=row.case_id,
        reason=reason[:500],
        now=moment.at,
    )
    return wish


def why_not_cancellable(row: PaymentInstruction, account: TrustAccount) -> str:
    """Return why the bank cannot be asked to stop a payment, in a sentence; empty if it can."""
    state = life.state_of(row)
    if state not in IN_FLIGHT_STATES:
        return _WHY_NOT.get(state, "It has come to its end already.")
    if goes_by_file(account, row.rail):
        return "It went to the bank in a file, of which no part can be stopped. Call the bank."
    if account.bank_code == FILE_DROP:
        return "This bank stops no payment through its interface. Call the bank."
    return ""


def turn_to_cancel(
    session: Session, actor: Actor, *, instruction_ref: str, moment: Moment
) -> CancelTurn | None:
    """Return what the bank is to be asked; None once nothing is wished or all is known.

    A payment that came to its end meanwhile ends the wish without a question.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    run, row = locked_instruction(session, instruction_ref)
    if _open_wish(session, row) is None:
        return None
    if conclude(
        session, row, answer="It had come to its end before the bank was asked.", moment=moment
    ):
        return None
    return CancelTurn(account_of(session, run.trust_account_id).bank_code, row.bank_payment_ref)


def conclude(session: Session, row: PaymentInstruction, *, answer: str, moment: Moment) -> bool:
    """End the wish if the payment's own state says what became of it; True if it does.

    Called after the bank's answer was heard, under the payment's lock.
    """
    state = life.state_of(row)
    if state in _STOPPED:
        _end(session, row, CancellationState.CANCELLED, answer, moment)
    elif state in _WENT_ON:
        _too_late(session, row, answer, moment)
    return state in _STOPPED | _WENT_ON


def record_too_late(
    session: Session, actor: Actor, *, instruction_ref: str, answer: str, moment: Moment
) -> None:
    """Record that the bank does not stop the payment, which goes on as if nothing had been wished.

    A payment that the bank has stopped all the same counts as stopped.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    _run, row = locked_instruction(session, instruction_ref)
    if not conclude(session, row, answer=answer, moment=moment):
        _too_late(session, row, answer, moment)


def _too_late(session: Session, row: PaymentInstruction, answer: str, moment: Moment) -> None:
    wish = _end(session, row, CancellationState.TOO_LATE, answer, moment)
    if wish is None:
        return
    open_exception(
        session,
        NOT_STOPPED_KIND,
        "instruction",
        row.reference,
        f"{wish.asked_by_name} wanted this payment stopped, and the bank did not: {answer}"[:500],
        case_id=row.case_id,
        occurrence=str(wish.id),
        now=moment.at,
    )


def _end(
    session: Session,
    row: PaymentInstruction,
    state: CancellationState,
    answer: str,
    moment: Moment,
) -> PaymentCancellation | None:
    wish = _open_wish(session, row)
    if wish is not None:
        wish.state, wish.open_instruction_id = state.value, None
        wish.answer, wish.answered_at = answer[:300], moment.at
    return wish


def _open_wish(session: Session, row: PaymentInstruction) -> PaymentCancellation | None:
    session.flush()
    rows = lock_where(
        session,
        select(PaymentCancellation).where(PaymentCancellation.open_instruction_id == row.id),
    )
    return rows[0] if rows else None
