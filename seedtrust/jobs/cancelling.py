"""Asking a bank to stop a payment, and hearing from it what became of that."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from seedtrust.core.errors import Unavailable
from seedtrust.domain.payments import cancelling
from seedtrust.domain.payments.cancelling import CancelTurn
from seedtrust.domain.payments.hearing import hear
from seedtrust.domain.payments.ports import (
    Bank,
    BankError,
    Declined,
    NotSupported,
    OutcomeUnknown,
    PaymentSnapshot,
)
from seedtrust.ext import in_transaction
from seedtrust.jobs.payments import later
from seedtrust.jobs.tools import Tools, system

_SILENCE: Final = "We asked the bank to stop it and have not heard whether it did."


def cancel_payment(tools: Tools, payload: dict[str, str]) -> None:
    """Ask the bank to stop a payment, and apply what it says by rank.

    A refusal ends the wish, and the bank is asked how the payment stands. Silence says nothing:
    the payment is looked up, and unless that tells, the same question is put again, which a bank
    answers with what it did the first time. Raises Unavailable as long as the bank has not said.
    """
    reference = payload["instruction"]
    actor, moment = system(cancelling.CANCEL), tools.moment()
    turns: list[CancelTurn | None] = []

    def begin(session: Session) -> None:
        turns.append(
            cancelling.turn_to_cancel(session, actor, instruction_ref=reference, moment=moment)
        )

    in_transaction(begin)
    turn = turns[-1]
    if turn is None:
        return
    line = tools.bank_of(turn.bank)
    try:
        snapshot = line.cancel_payment(_bank_ref(line, turn, reference))
    except (Declined, NotSupported) as refused:
        _record_refusal(tools, line, reference, refused)
        return
    except OutcomeUnknown as silence:
        found = _asked(line, reference)
        if found is None or not _heard(tools, found, _SILENCE):
            raise later(silence) from silence
        return
    except BankError as failed:
        raise later(failed) from failed
    if not _heard(tools, snapshot, f"The bank says: {snapshot.word}."):
        message = "The bank was asked to stop a payment and has not said yet whether it did."
        raise Unavailable(message)


def _bank_ref(line: Bank, turn: CancelTurn, reference: str) -> str:
    """Return the bank's own name of the payment, from the bank if we never heard it."""
    if turn.bank_ref:
        return turn.bank_ref
    found = line.find_payment(reference)
    if found is None:
        message = "The bank does not know the payment that it should stop."
        raise Declined(message)
    return found.bank_ref


def _record_refusal(tools: Tools, line: Bank, reference: str, refused: BankError) -> None:
    found = _asked(line, reference)
    actor, moment = system(cancelling.CANCEL), tools.moment()

    def record(session: Session) -> None:
        if found is not None:
            hear(session, actor, found, keyring=tools.keyring, moment=moment)
        cancelling.record_too_late(
            session, actor, instruction_ref=reference, answer=refused.sentence, moment=moment
        )

    in_transaction(record)


def _heard(tools: Tools, snapshot: PaymentSnapshot, answer: str) -> bool:
    """Apply the bank's picture of the payment; True if it says what became of the wish."""
    actor, moment = system(cancelling.CANCEL), tools.moment()

    def apply(session: Session) -> bool:
        row = hear(session, actor, snapshot, keyring=tools.keyring, moment=moment)
        return cancelling.conclude(session, row, answer=answer, moment=moment)

    return in_transaction(apply)


def _asked(line: Bank, reference: str) -> PaymentSnapshot | None:
    try:
        return line.find_payment(reference)
    except BankError:
        return None
