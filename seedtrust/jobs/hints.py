"""Following what a bank brought to our door: ask it, and believe only its answer."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from seedtrust.core.clock import Clock
from seedtrust.core.errors import Unavailable
from seedtrust.domain.payments import hints
from seedtrust.domain.payments.calls import keep_call
from seedtrust.domain.payments.hearing import hear
from seedtrust.domain.payments.ports import BankCall, BankError, CallLog
from seedtrust.ext import in_transaction, reading
from seedtrust.gateways.channel import log_line
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import later
from seedtrust.jobs.tools import Tools, system

log = structlog.get_logger()


def follow_hint(tools: Tools, payload: dict[str, str]) -> None:
    """Ask the bank about the payment that a message names, and apply its answer by rank.

    A message about anything else makes us read the bank's events now. Raises Unavailable when
    the bank cannot be asked, or does not know yet what it has just told: tried again later.
    """
    bank, event_id = payload["bank"], payload["event"]
    subject = reading(lambda session: hints.subject_of(session, bank, event_id))
    if subject is None:
        return
    actor, moment = system(hints.FOLLOW_HINT), tools.moment()
    if subject.reference is None:
        poll_events(tools, bank)
        in_transaction(
            lambda session: hints.mark_followed(
                session, bank, subject.messages, "The bank's events were read.", moment=moment
            )
        )
        return
    try:
        snapshot = tools.bank_of(bank).find_payment(subject.reference)
    except BankError as failed:
        raise later(failed) from failed
    if snapshot is None:
        message = "The bank tells of a payment and does not know it when asked."
        raise Unavailable(message)

    reference = subject.reference
    if reading(lambda session: hints.has_earlier_under_way(session, reference)):
        poll_events(tools, bank)

    def apply(session: Session) -> None:
        row = hear(session, actor, snapshot, keyring=tools.keyring, moment=moment)
        outcome = f"Payment {row.reference} is {row.state}."
        hints.mark_followed(session, bank, subject.messages, outcome, moment=moment)

    in_transaction(apply)


def call_log(clock: Clock) -> CallLog:
    """Return what writes every call to a bank into the table of calls, and into the log.

    A call that cannot be written down has happened all the same: its effect goes on.
    """

    def keep(call: BankCall) -> None:
        log_line(call)
        try:
            in_transaction(lambda session: keep_call(session, call, now=clock.now()))
        except SQLAlchemyError:
            log.exception("bank.call_not_kept", bank=call.bank, verb=call.verb)

    return keep
