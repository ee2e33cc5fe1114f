"""Handing a run's file to the bank: what is committed before the first byte and after the last.

The network is touched between `begin` and one of the `record_` verbs, never inside them. A
repeat after a crash finds its way from what was committed and never sends a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.errors import Conflict
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.disbursements import paying
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, goes_by_file, locked_run, move_run
from seedtrust.domain.payments.calendar import earliest_day
from seedtrust.domain.payments.errors import EffectiveDatePassed
from seedtrust.domain.payments.files import discard, live_file, sealed_content, totals_of
from seedtrust.domain.payments.models import BankFile, ControlTotal, PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import FileSnapshot, FileUpload, Totals
from seedtrust.domain.payments.railstops import require_open
from seedtrust.domain.payments.runs import require_payable
from seedtrust.domain.payments.states import (
    UNCLEAR_STATES,
    FileState,
    InstructionState,
    Rail,
    RunState,
)

UNCLEAR_KIND = "run.unclear"
NOT_SENT_KIND = "run.not_sent"
_S = InstructionState
_TO_SEND = frozenset({RunState.RELEASED, RunState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Transmission:
    """One sender's turn: what to hand over, its fence, and whether an earlier turn is unclear."""

    run_ref: str
    file_ref: str
    attempt: int
    upload: FileUpload
    resumed: bool


def needs_sending(session: Session, run_ref: str) -> bool:
    """Tell whether a released run still has to reach the bank as a file."""
    run = session.execute(select(PaymentRun).where(PaymentRun.reference == run_ref)).scalar_one()
    account = account_of(session, run.trust_account_id)
    return run.state in {item.value for item in _TO_SEND} and goes_by_file(account, run.rail)


def begin(
    session: Session, actor: Actor, *, run_ref: str, keyring: Keyring, moment: Moment
) -> Transmission | None:
    """Take the turn to send a sealed file; None when there is nothing left to send.

    The first turn checks date, accounts and holds once more and marks the payments SUBMITTING. A
    later one marks them UNKNOWN, since an earlier turn may have got through: the caller asks the
    bank before anything else. A run that cannot be sent any more is given up, with an exception
    item. Raises FileAltered before anything is changed when the sealed bytes are not intact, and
    RailStopped.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    run = locked_run(session, run_ref)
    file = live_file(session, run)
    if RunState(run.state) not in _TO_SEND or file is None:
        return None
    content = sealed_content(file, keyring)
    rows = life.of_run(session, run.id, {_S.RELEASED, *UNCLEAR_STATES})
    resumed = any(life.state_of(row) in UNCLEAR_STATES for row in rows)
    if not resumed:
        require_open(session, account_of(session, run.trust_account_id).bank_code, run.rail)
    if not resumed and not _still_good(session, actor, run, rows, file=file, moment=moment):
        return None
    for row in rows:
        if life.state_of(row) is _S.RELEASED:
            life.step(session, actor, row, _S.SUBMITTING, moment=moment)
        elif life.state_of(row) is _S.SUBMITTING:
            life.step(session, actor, row, _S.UNKNOWN, moment=moment)
    if resumed and run.state == RunState.RELEASED:
        move_run(run, RunState.UNKNOWN)
    file.send_attempt += 1
    upload = upload_of(run, file, totals_of(session, file), content)
    return Transmission(run.reference, file.reference, file.send_attempt, upload, resumed)


def upload_of(run: PaymentRun, file: BankFile, totals: ControlTotal, content: bytes) -> FileUpload:
    """Return a file as it is handed over: bytes, hash, our reference, and its control totals."""
    return FileUpload(
        name=file.name,
        content=content,
        sha256=file.sha256,
        client_reference=run.reference,
        totals=Totals(
            totals.batch_count,
            totals.entry_addenda_count,
            totals.entry_hash,
            totals.debit_cents,
            totals.credit_cents,
        ),
    )


def may_send(session: Session, actor: Actor, turn: Transmission, *, moment: Moment) -> bool:
    """Tell whether a file that the bank does not have may be sent in this turn.

    An unclear run is checked anew, because its day or a payee's account may have passed
    meanwhile; if so it is given up and its requests are READY again.
    """
    run = locked_run(session, turn.run_ref)
    file = live_file(session, run)
    if file is None or file.send_attempt != turn.attempt or file.state != FileState.SEALED:
        return False
    if not turn.resumed:
        return True
    rows = life.of_run(session, run.id, UNCLEAR_STATES)
    return _still_good(session, actor, run, rows, file=file, moment=moment)


def still_ours(session: Session, turn: Transmission) -> bool:
    """Tell whether nobody else has taken a turn since; asked just before the step that counts."""
    found = session.execute(
        select(BankFile.send_attempt, BankFile.state).where(BankFile.reference == turn.file_ref)
    ).one()
    return (found[0], found[1]) == (turn.attempt, FileState.SEALED.value)


def record_transmitted(
    session: Session,
    actor: Actor,
    *,
    run_ref: str,
    snapshot: FileSnapshot | None = None,
    moment: Moment,
) -> PaymentRun:
    """Record that the bank has the file: every reservation becomes money under way.

    Recording it again changes nothing. A file that the bank has although we never began to send
    it was delivered by hand, and counts like any other.
    """
    run = locked_run(session, run_ref)
    file = live_file(session, run)
    if RunState(run.state) not in _TO_SEND or file is None:
        return run
    rows = life.of_run(session, run.id, {_S.RELEASED, *UNCLEAR_STATES})
    for row in rows:
        if life.state_of(row) is _S.RELEASED:
            life.step(session, actor, row, _S.SUBMITTING, moment=moment)
    word = "" if snapshot is None else snapshot.word
    life.mark_sent(session, actor, rows, word=word, moment=moment)
    file_has_left(session, actor, run, file, snapshot, {"payments": len(rows)}, moment)
    return run


def file_has_left(  # noqa: PLR0917 - which file of which run left, what it held, and when
    session: Session,
    actor: Actor,
    run: PaymentRun,
    file: BankFile,
    snapshot: FileSnapshot | None,
    held: Mapping[str, int],
    moment: Moment,
) -> None:
    """Write down that the bank has the file of a run, whatever is in it; `held` counts that."""
    move_run(run, RunState.TRANSMITTED)
    run.transmitted_at = file.transmitted_at = moment.at
    file.state = FileState.TRANSMITTED.value
    if snapshot is not None:
        file.bank_file_ref, file.bank_word = snapshot.bank_ref, snapshot.word[:500]
    by = actor.name
    close_exceptions_of(session, UNCLEAR_KIND, run.reference, closed_by=by, now=moment.at)
    sealed = {"file": file.reference, "sha256": file.sha256}
    facts: dict[str, str | int | bool | None] = {**sealed, **held}
    record(session, actor, "run.transmitted", "run", run.reference, facts=facts, now=moment.at)


def record_not_sent(session: Session, actor: Actor, turn: Transmission, *, moment: Moment) -> None:
    """Record that nothing reached the bank; the next turn starts like the first.

    A run whose earlier turn is unclear stays unclear.
    """
    run = locked_run(session, turn.run_ref)
    file = live_file(session, run)
    if turn.resumed or file is None or file.send_attempt != turn.attempt:
        return
    for row in life.of_run(session, run.id, {_S.SUBMITTING}):
        life.step(session, actor, row, _S.RELEASED, moment=moment)


def record_unclear(
    session: Session, actor: Actor, turn: Transmission, *, word: str, moment: Moment
) -> None:
    """Record that the bank may or may not have the file; holds stay and a person is told."""
    run = locked_run(session, turn.run_ref)
    if RunState(run.state) not in _TO_SEND:
        return
    for row in life.of_run(session, run.id, {_S.SUBMITTING}):
        life.step(session, actor, row, _S.UNKNOWN, word=word, moment=moment)
    if run.state == RunState.RELEASED:
        move_run(run, RunState.UNKNOWN)
    open_exception(
        session,
        UNCLEAR_KIND,
        "run",
        run.reference,
        "We gave the bank this run's file and have not heard whether it arrived. "
        "Do not pay it again; the bank is being asked.",
        now=moment.at,
    )


def give_up(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    rows: Sequence[PaymentInstruction],
    *,
    file: BankFile | None,
    reason: str,
    moment: Moment,
) -> None:
    """Cancel a run that has provably not reached the bank; its requests are READY again."""
    requests = life.requests_of(session, rows)
    for row in rows:
        if life.state_of(row) is _S.UNKNOWN:
            life.step(session, actor, row, _S.FAILED, word=reason, moment=moment)
        else:
            if life.state_of(row) is _S.SUBMITTING:
                life.step(session, actor, row, _S.RELEASED, moment=moment)
            life.step(session, actor, row, _S.CANCELLED, word=reason, moment=moment)
        paying.leave_run(session, actor, requests[row.request_id], reason=reason, moment=moment)
    if file is not None:
        discard(file)
    if run.state == RunState.UNKNOWN:
        move_run(run, RunState.RELEASED)
    move_run(run, RunState.CANCELLED)
    run.state_reason = reason[:500]
    sentence = f"Run {run.reference} was not sent: {reason} Collect what is due again."
    open_exception(session, NOT_SENT_KIND, "run", run.reference, sentence, now=moment.at)
    record(session, actor, "run.given_up", "run", run.reference, reason=reason[:500], now=moment.at)


def require_in_time(session: Session, run: PaymentRun, moment: Moment) -> None:
    """Refuse when what is handed over now would settle after the run's day.

    A date that has passed is settled at the bank's next chance, perhaps the same day and for a
    fee, so it is never sent. Raises EffectiveDatePassed.
    """
    account = account_of(session, run.trust_account_id)
    if earliest_day(session, account, Rail(run.rail), moment) > run.effective_on:
        message = f"The bank's cut-off for settling on {run.effective_on.isoformat()} has passed."
        raise EffectiveDatePassed(message, effective_on=run.effective_on.isoformat())


def _still_good(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    rows: Sequence[PaymentInstruction],
    *,
    file: BankFile,
    moment: Moment,
) -> bool:
    try:
        require_in_time(session, run, moment)
        require_payable(session, rows)
    except Conflict as refusal:
        give_up(session, actor, run, rows, file=file, reason=refusal.detail, moment=moment)
        return False
    return True
