"""Sending released runs as files, in three steps that survive a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError, Unavailable
from seedtrust.core.failpoints import reach
from seedtrust.domain.echecks import transmission as debits
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments import transmission
from seedtrust.domain.payments.errors import FileAltered, FileDiffers
from seedtrust.domain.payments.files import seal_file
from seedtrust.domain.payments.ports import BankError, OutcomeUnknown
from seedtrust.domain.payments.queries import LEFT_ALONE, unclear_runs
from seedtrust.domain.payments.telling import tell_stopped
from seedtrust.domain.payments.transmission import Transmission
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.cases import each
from seedtrust.jobs.tools import Tools, system

REFUSED_KIND = "payment.refused"
TRANSMIT = "run.transmit"


def transmit_run(tools: Tools, payload: dict[str, str]) -> None:
    """Seal a released run's file, hand it to the bank, and record that it went.

    Whatever was killed before is taken up where it stands. Raises Unavailable when the bank could
    not be reached or is unclear: the promise is kept later.
    """
    _transmit(tools, payload["run"], _PAYMENTS)


def transmit_echecks(tools: Tools, payload: dict[str, str]) -> None:
    """Seal a run of e-checks, hand its file to the bank, and record that it went.

    Goes the same way as a run of payments. Raises Unavailable like it.
    """
    _transmit(tools, payload["run"], _ECHECKS)


def collect_echecks(tools: Tools) -> tuple[int, int]:
    """Put the e-checks that were released into one run for each trust account."""
    actor, moment = system("echecks.collect"), tools.moment()
    ids = reading(debits.accounts_with_pulls)
    return each(
        tools,
        actor.name,
        ids,
        lambda session, account_id: debits.collect_pulls(session, actor, account_id, moment=moment),
    )


@dataclass(frozen=True)
class _Kind:
    """What a file holds: the verbs that seal and send it, and record what became of it."""

    needs_sending: Callable[[Session, str], bool]
    seal: Callable[..., object]
    begin: Callable[..., Transmission | None]
    may_send: Callable[..., bool]
    record_unclear: Callable[..., None]
    record_not_sent: Callable[..., None]
    record_transmitted: Callable[..., object]


_PAYMENTS: Final = _Kind(
    transmission.needs_sending,
    seal_file,
    transmission.begin,
    transmission.may_send,
    transmission.record_unclear,
    transmission.record_not_sent,
    transmission.record_transmitted,
)
_ECHECKS: Final = _Kind(
    debits.needs_sending,
    debits.seal_file,
    debits.begin,
    debits.may_send,
    debits.record_unclear,
    debits.record_not_sent,
    debits.record_transmitted,
)


def _transmit(tools: Tools, run_ref: str, kind: _Kind) -> None:
    if not reading(lambda session: kind.needs_sending(session, run_ref)):
        return
    actor, moment = system(TRANSMIT), tools.moment()

    def seal(session: Session) -> None:
        kind.seal(session, actor, run_ref=run_ref, keyring=tools.keyring, moment=moment)

    def begin(session: Session) -> Transmission | None:
        return kind.begin(session, actor, run_ref=run_ref, keyring=tools.keyring, moment=moment)

    if not allowed(tools, "run", run_ref, seal):
        return
    reach("file.sealed")
    turns: list[Transmission | None] = []
    if not allowed(tools, "run", run_ref, lambda session: turns.append(begin(session))):
        return
    turn = turns[-1]
    if turn is not None:
        reach("file.begun")
        _hand_over(tools, turn, kind)


def _hand_over(tools: Tools, turn: Transmission, kind: _Kind) -> None:
    actor, moment = system(TRANSMIT), tools.moment()
    try:
        snapshot = tools.bank.find_file(turn.upload)
        if snapshot is None:
            may_send = in_transaction(
                lambda session: kind.may_send(session, actor, turn, moment=moment)
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
            lambda session: kind.record_unclear(session, actor, turn, word=word, moment=moment)
        )
        raise later(unclear) from unclear
    except BankError as failed:
        in_transaction(lambda session: kind.record_not_sent(session, actor, turn, moment=moment))
        raise later(failed) from failed
    if snapshot is None:
        return
    reach("file.delivered")
    in_transaction(
        lambda session: kind.record_transmitted(
            session, actor, run_ref=turn.run_ref, snapshot=snapshot, moment=moment
        )
    )
    reach("file.recorded")


def take_up_runs(tools: Tools) -> tuple[int, int]:
    """Take up every file run that stands between us and the bank; returns (done, failed).

    Also what a killed worker left behind.
    """
    now = tools.clock.now()
    done = failed = 0
    for reference in reading(lambda session: unclear_runs(session, now)):
        try:
            transmit_run(tools, {"run": reference})
            done += 1
        except DomainError:
            failed += 1
    for reference in reading(lambda session: debits.waiting_runs(session, now - LEFT_ALONE)):
        try:
            transmit_echecks(tools, {"run": reference})
            done += 1
        except DomainError:
            failed += 1
    return done, failed


def allowed(
    tools: Tools, subject_type: str, reference: str, work: Callable[[Session], None]
) -> bool:
    """Do a unit of work; a refusal becomes an exception item, since trying again cannot help.

    What may be possible later is raised: Unavailable.
    """
    try:
        in_transaction(work)
    except Unavailable:
        raise
    except DomainError as refusal:
        _report(tools, subject_type, reference, refusal)
        return False
    return True


def _report(tools: Tools, subject_type: str, reference: str, refusal: DomainError) -> None:
    """Put a refusal in front of a person; what was altered behind our back is told at once."""
    sentence, moment = refusal.detail, tools.moment()

    def report(session: Session) -> None:
        open_exception(session, REFUSED_KIND, subject_type, reference, sentence, now=moment.at)
        if isinstance(refusal, FileAltered | FileDiffers):
            tell_stopped(session, f"{REFUSED_KIND}:{reference}", sentence, moment)

    in_transaction(report)


def later(error: BankError) -> Unavailable:
    """Return the refusal of a job whose work is to be tried again."""
    word = f" ({error.word})" if error.word else ""
    return Unavailable(f"{error.sentence}{word}")
