"""Sending released payments one by one, and asking about those whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.core.failpoints import reach
from seedtrust.domain.payments import sending, unknown
from seedtrust.domain.payments.hearing import hear
from seedtrust.domain.payments.inquiries import due_inquiries
from seedtrust.domain.payments.ports import (
    FILE_DROP,
    BankError,
    CutoffPassed,
    Declined,
    NotSent,
    OutcomeUnknown,
    PaymentSnapshot,
    ProtocolError,
)
from seedtrust.domain.payments.queries import waiting_payments
from seedtrust.domain.payments.sending import SendingTurn
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.payments import allowed, later, take_up_runs
from seedtrust.jobs.tools import Tools, system

SEND: Final = "payment.send"
INQUIRE: Final = "payments.inquire"

log = structlog.get_logger()


def send_payment(tools: Tools, payload: dict[str, str]) -> None:
    """Send one released payment and record the bank's answer.

    A payment without a clear answer is UNKNOWN from then on, and the inquiries take it over.
    Raises Unavailable when nothing can have reached the bank: the promise is kept later.
    """
    reference = payload["instruction"]
    actor, moment = system(SEND), tools.moment()
    turns: list[SendingTurn | None] = []

    def begin(session: Session) -> None:
        turns.append(
            sending.begin_payment(
                session, actor, instruction_ref=reference, keyring=tools.keyring, moment=moment
            )
        )

    if not allowed(tools, "instruction", reference, begin):
        return
    turn = turns[-1]
    if turn is None:
        return
    reach("wire.begun")
    _call_bank(tools, turn)


def inquire(tools: Tools, reference: str) -> bool:
    """Ask the bank about one unknown payment; True once it is known what became of it.

    What the bank provably does not have is sent again, the same to the last byte.
    """
    actor, moment = system(INQUIRE), tools.moment()
    turns: list[SendingTurn | None] = []

    def begin(session: Session) -> None:
        turns.append(
            unknown.begin_inquiry(
                session, actor, instruction_ref=reference, keyring=tools.keyring, moment=moment
            )
        )

    if not allowed(tools, "instruction", reference, begin):
        return False
    turn = turns[-1]
    if turn is None:
        return False
    bank = tools.bank_of(turn.bank)
    try:
        snapshot = bank.find_payment(reference)
    except BankError as failed:
        _record_silence(tools, turn, failed)
        return False
    if snapshot is not None:
        _record(tools, snapshot)
        return True
    capabilities = bank.capabilities()
    may_resend = in_transaction(
        lambda session: unknown.may_resend(session, actor, turn, capabilities, moment=moment)
    )
    if may_resend:
        _call_bank(tools, turn)
    return may_resend


def inquire_due(tools: Tools, bank: str) -> tuple[int, int]:
    """Ask a bank about every payment that is due to be asked about; returns (known, still open).

    The due times stand in the database, so nothing is lost with a queue or a worker.
    """
    now = tools.clock.now()
    known = still_open = 0
    for reference in reading(lambda session: due_inquiries(session, bank, now)):
        try:
            found = inquire(tools, reference)
        except DomainError as refusal:
            log.warning("payment.inquiry_failed", instruction=reference, reason=refusal.detail)
            found = False
        known, still_open = known + found, still_open + (not found)
    return known, still_open


def take_up(tools: Tools, bank: str = FILE_DROP) -> tuple[int, int]:
    """Take up whatever stands between us and a bank: unknown, released and left, files too.

    Runs every few minutes, also for what a killed worker left behind.
    """
    now = tools.clock.now()
    done, failed = take_up_runs(tools) if bank == FILE_DROP else (0, 0)
    for reference in reading(lambda session: waiting_payments(session, bank, now)):
        try:
            send_payment(tools, {"instruction": reference})
            done += 1
        except DomainError:
            failed += 1
    known, still_open = inquire_due(tools, bank)
    return done + known, failed + still_open


def recover(tools: Tools) -> list[str]:
    """Make UNKNOWN what an earlier process left in the middle of a call; returns the references.

    A worker does so when it starts. A call of another worker that is still under way records its
    answer all the same.
    """
    actor, moment = system("payments.recover"), tools.moment()
    found = in_transaction(
        lambda session: sending.recover_submitting(session, actor, moment=moment)
    )
    if found:
        log.warning("payment.left_submitting", instructions=found)
    return found


def _call_bank(tools: Tools, turn: SendingTurn) -> None:
    if not reading(lambda session: sending.is_ours(session, turn)):
        return
    try:
        snapshot = tools.bank_of(turn.bank).create_payment(turn.order)
    except BankError as failed:
        _record_failure(tools, turn, failed)
        return
    reach("wire.answered")
    _record(tools, snapshot)
    reach("wire.recorded")


def _record(tools: Tools, snapshot: PaymentSnapshot) -> None:
    actor, moment = system(SEND), tools.moment()
    in_transaction(
        lambda session: hear(session, actor, snapshot, keyring=tools.keyring, moment=moment)
    )


def _record_failure(tools: Tools, turn: SendingTurn, failed: BankError) -> None:
    """Record an error by what may be done next. Raises Unavailable if that is to try again."""
    actor, moment = system(SEND), tools.moment()
    word = failed.sentence if isinstance(failed, Declined) else failed.word
    record: Callable[[Session], None]
    if isinstance(failed, CutoffPassed):
        record = partial(sending.record_too_late, actor=actor, turn=turn, word=word, moment=moment)
    elif isinstance(failed, Declined):
        record = partial(sending.record_declined, actor=actor, turn=turn, word=word, moment=moment)
    elif isinstance(failed, OutcomeUnknown):
        incident = failed.sentence if isinstance(failed, ProtocolError) else ""
        record = partial(
            sending.record_unclear,
            actor=actor,
            turn=turn,
            word=word,
            incident=incident,
            moment=moment,
        )
    else:
        record = partial(
            sending.record_not_sent,
            actor=actor,
            turn=turn,
            sentence=failed.sentence,
            moment=moment,
        )
    in_transaction(record)
    if isinstance(failed, NotSent) and not turn.resumed:
        raise later(failed) from failed


def _record_silence(tools: Tools, turn: SendingTurn, failed: BankError) -> None:
    """Keep why asking the bank gave nothing; an answer that cannot be is an incident."""
    actor, moment = system(INQUIRE), tools.moment()
    incident = failed.sentence if isinstance(failed, ProtocolError) else ""
    in_transaction(
        lambda session: sending.record_unclear(
            session,
            actor,
            turn,
            word=failed.sentence,
            incident=incident,
            moment=moment,
        )
    )
