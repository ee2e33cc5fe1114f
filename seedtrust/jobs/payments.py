"""Sending released payments: files and wires, each in three steps that survive a kill."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError, Unavailable
from seedtrust.core.failpoints import reach
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments import transmission, wires
from seedtrust.domain.payments.files import seal_file
from seedtrust.domain.payments.ports import (
    BankError,
    Declined,
    NotSent,
    OutcomeUnknown,
)
from seedtrust.domain.payments.queries import unclear_runs, unclear_wires
from seedtrust.domain.payments.transmission import Transmission
from seedtrust.domain.payments.wires import WireTurn
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools, system

REFUSED_KIND = "payment.refused"
TRANSMIT = "run.transmit"
WIRE = "wire.send"


def transmit_run(tools: Tools, payload: dict[str, str]) -> None:
    """Seal a released run's file, hand it to the bank, and record that it went.

    Whatever was killed before is taken up where it stands. Raises Unavailable when the bank could
    not be reached or is unclear: the promise is kept later.
    """
    run_ref = payload["run"]
    if not reading(lambda session: transmission.needs_sending(session, run_ref)):
        return
    actor, moment = system(TRANSMIT), tools.moment()

    def seal(session: Session) -> None:
        seal_file(session, actor, run_ref=run_ref, keyring=tools.keyring, moment=moment)

    def begin(session: Session) -> Transmission | None:
        return transmission.begin(
            session, actor, run_ref=run_ref, keyring=tools.keyring, moment=moment
        )

    if not _allowed(tools, "run", run_ref, seal):
        return
    reach("file.sealed")
    turns: list[Transmission | None] = []
    if not _allowed(tools, "run", run_ref, lambda session: turns.append(begin(session))):
        return
    turn = turns[-1]
    if turn is not None:
        reach("file.begun")
        _hand_over(tools, turn)


def _hand_over(tools: Tools, turn: Transmission) -> None:
    actor, moment = system(TRANSMIT), tools.moment()
    try:
        snapshot = tools.bank.find_file(turn.upload)
        if snapshot is None:
            may_send = in_transaction(
                lambda session: transmission.may_send(session, actor, turn, moment=moment)
            )
            if not may_send:
                return
            snapshot = tools.bank.submit_file(
                turn.upload,
                still_ours=lambda: reading(lambda s: transmission.still_ours(s, turn)),
            )
    except OutcomeUnknown as unclear:
        word = unclear.word
        in_transaction(
            lambda session: transmission.record_unclear(
                session, actor, turn, word=word, moment=moment
            )
        )
        raise _later(unclear) from unclear
    except BankError as failed:
        in_transaction(
            lambda session: transmission.record_not_sent(session, actor, turn, moment=moment)
        )
        raise _later(failed) from failed
    if snapshot is None:
        return
    reach("file.delivered")
    in_transaction(
        lambda session: transmission.record_transmitted(
            session, actor, run_ref=turn.run_ref, snapshot=snapshot, moment=moment
        )
    )
    reach("file.recorded")


def send_wire(tools: Tools, payload: dict[str, str]) -> None:
    """Send one released wire and record the bank's answer; an unclear one is looked up first.

    Raises Unavailable when the bank could not be reached or is unclear: the promise is kept later.
    """
    reference = payload["instruction"]
    actor, moment = system(WIRE), tools.moment()
    turns: list[WireTurn | None] = []

    def begin(session: Session) -> None:
        turns.append(
            wires.begin_wire(
                session, actor, instruction_ref=reference, keyring=tools.keyring, moment=moment
            )
        )

    if not _allowed(tools, "instruction", reference, begin):
        return
    turn = turns[-1]
    if turn is None:
        return
    reach("wire.begun")
    if turn.resumed and not _unknown_to_bank(tools, turn):
        return
    if reading(lambda session: wires.wire_is_ours(session, turn)):
        _call_bank(tools, turn)


def _unknown_to_bank(tools: Tools, turn: WireTurn) -> bool:
    """Look an unclear wire up; true if it may be sent again, after it was recorded otherwise."""
    actor, moment = system(WIRE), tools.moment()
    try:
        snapshot = tools.bank.find_payment(turn.order.client_reference)
    except BankError as failed:
        raise _later(failed) from failed
    if snapshot is not None:
        in_transaction(lambda session: wires.record_answer(session, actor, snapshot, moment=moment))
        return False
    capabilities = tools.bank.capabilities()

    def count(session: Session) -> bool:
        wires.record_wire_unclear(session, actor, turn, word="", moment=moment)
        return wires.may_resend(session, actor, turn, capabilities, moment=moment)

    if in_transaction(count):
        return True
    message = "The bank does not know this wire yet; it is asked again before anything is sent."
    raise Unavailable(message)


def _call_bank(tools: Tools, turn: WireTurn) -> None:
    actor, moment = system(WIRE), tools.moment()
    try:
        snapshot = tools.bank.create_payment(turn.order)
    except Declined as refusal:
        word = refusal.sentence
        in_transaction(
            lambda session: wires.record_declined(session, actor, turn, word=word, moment=moment)
        )
        return
    except NotSent as failed:
        in_transaction(
            lambda session: wires.record_wire_not_sent(session, actor, turn, moment=moment)
        )
        raise _later(failed) from failed
    except OutcomeUnknown as unclear:
        word = unclear.word
        in_transaction(
            lambda session: wires.record_wire_unclear(
                session, actor, turn, word=word, moment=moment
            )
        )
        raise _later(unclear) from unclear
    reach("wire.answered")
    in_transaction(lambda session: wires.record_answer(session, actor, snapshot, moment=moment))
    reach("wire.recorded")


def inquire_unknown(tools: Tools) -> tuple[int, int]:
    """Take up again whatever stands between us and the bank; returns how many were settled.

    Runs every few minutes, also for what a killed worker left behind.
    """
    now = tools.clock.now()
    runs = reading(lambda session: unclear_runs(session, now))
    instructions = reading(lambda session: unclear_wires(session, now))
    work: list[tuple[Callable[[Tools, dict[str, str]], None], dict[str, str]]] = [
        *((transmit_run, {"run": reference}) for reference in runs),
        *((send_wire, {"instruction": reference}) for reference in instructions),
    ]
    done = failed = 0
    for handler, payload in work:
        try:
            handler(tools, payload)
            done += 1
        except DomainError:
            failed += 1
    return done, failed


def _allowed(
    tools: Tools, subject_type: str, reference: str, work: Callable[[Session], None]
) -> bool:
    """Do a unit of work; a refusal becomes an exception item, since trying again cannot help."""
    try:
        in_transaction(work)
    except DomainError as refusal:
        sentence, now = refusal.detail, tools.clock.now()
        in_transaction(
            lambda session: open_exception(
                session, REFUSED_KIND, subject_type, reference, sentence, now=now
            )
        )
        return False
    return True


def _later(error: BankError) -> Unavailable:
    word = f" ({error.word})" if error.word else ""
    return Unavailable(f"{error.sentence}{word}")
