"""Handing a file of debits to the bank: what is committed before the first byte and after the last.

It goes the way of a payment run's file, with the same fence: a run that only draws holds the
e-checks that were released, and its file is known to the bank by the run's reference.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import CiphertextRefused, Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.worklists import locked_case
from seedtrust.domain.echecks import life
from seedtrust.domain.echecks.authorising import authorisation_aad
from seedtrust.domain.echecks.debitfile import Drawn, build
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.states import TO_SEND, UNCLEAR_PULLS, PullState
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.outbox.service import bank_lane, promise
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.access import account_of, locked_run, move_run
from seedtrust.domain.payments.achfile import Receiver
from seedtrust.domain.payments.calendar import settles_on
from seedtrust.domain.payments.errors import EffectiveDatePassed, FileAltered
from seedtrust.domain.payments.files import (
    allocate_traces,
    discard,
    live_file,
    lock_account,
    next_modifier,
    sealed_content,
    sealed_row,
    totals_of,
    totals_row,
)
from seedtrust.domain.payments.models import BankFile, PaymentRun, TrustAccount
from seedtrust.domain.payments.ports import FILE_DROP, FileSnapshot
from seedtrust.domain.payments.railstops import require_open
from seedtrust.domain.payments.states import MONEY_IN, FileState, Rail, RunState
from seedtrust.domain.payments.transmission import (
    NOT_SENT_KIND,
    UNCLEAR_KIND,
    Transmission,
    file_has_left,
    require_in_time,
    upload_of,
)

TRANSMIT: Final = "echecks.transmit"
_P = PullState
_TO_SEND: Final = frozenset({RunState.RELEASED, RunState.UNKNOWN})


def accounts_with_pulls(session: Session) -> list[int]:
    """Return the trust accounts whose released e-checks wait for a file."""
    rows = session.execute(
        select(EcheckPull.trust_account_id)
        .join(TrustAccount, TrustAccount.id == EcheckPull.trust_account_id)
        .where(
            EcheckPull.state == _P.RELEASED.value,
            EcheckPull.run_id.is_(None),
            TrustAccount.bank_code == FILE_DROP,
        )
        .distinct()
    )
    return sorted(rows.scalars())


def collect_pulls(
    session: Session, actor: Actor, trust_account_id: int, *, moment: Moment
) -> PaymentRun | None:
    """Put an account's released e-checks into a run of debits; None when there are none.

    Each was released by a person; the run only carries them. Two collections at once cannot take
    the same e-check: its row is locked, and read anew by the second.
    """
    account = account_of(session, trust_account_id)
    waiting = select(EcheckPull).where(
        EcheckPull.trust_account_id == trust_account_id,
        EcheckPull.state == _P.RELEASED.value,
        EcheckPull.run_id.is_(None),
    )
    for case_id in sorted({pull.case_id for pull in session.execute(waiting).scalars()}):
        locked_case(session, case_id)
    pulls = lock_where(session, waiting.order_by(EcheckPull.id))
    if not pulls:
        return None
    run = PaymentRun(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=account.id,
        rail=Rail.ACH.value,
        direction=MONEY_IN,
        state=RunState.RELEASED.value,
        effective_on=settles_on(account, Rail.ACH, moment),
        built_on=moment.today,
        builder_name=actor.name,
        releaser_name=actor.name,
        released_at=moment.at,
    )
    session.add(run)
    session.flush()  # the e-checks refer to it
    for position, pull in enumerate(pulls, start=1):
        pull.run_id, pull.position, pull.effective_on = run.id, position, run.effective_on
    key, lane = {"run": run.reference}, bank_lane(account.bank_code)
    promise(session, TRANSMIT, run.reference, key, now=moment.at, lane=lane)
    facts: dict[str, str | int | bool | None] = {"echecks": len(pulls)}
    record(session, actor, "echecks.collected", "run", run.reference, facts=facts, now=moment.at)
    return run


def needs_sending(session: Session, run_ref: str) -> bool:
    """Tell whether a run of debits still has to reach the bank."""
    run = session.execute(select(PaymentRun).where(PaymentRun.reference == run_ref)).scalar_one()
    return run.direction == MONEY_IN and RunState(run.state) in _TO_SEND


def waiting_runs(session: Session, before: datetime) -> list[str]:
    """Return runs of debits that have not reached the bank and that nobody works on now."""
    rows = session.execute(
        select(PaymentRun.reference)
        .join(EcheckPull, EcheckPull.run_id == PaymentRun.id)
        .where(
            PaymentRun.direction == MONEY_IN,
            PaymentRun.state.in_([state.value for state in _TO_SEND]),
            EcheckPull.state_since_at <= before,
        )
        .distinct()
    )
    return sorted(rows.scalars())


def seal_file(
    session: Session, actor: Actor, *, run_ref: str, keyring: Keyring, moment: Moment
) -> BankFile:
    """Build the file of a run of debits, prove it, and keep it sealed; again returns the same one.

    Raises FileDiffers, FileAltered, NoMoreFiles, WrongState, NotFound.
    """
    account = lock_account(session, run_ref)
    run = locked_run(session, run_ref)
    known = live_file(session, run)
    if known is not None:
        return known
    if run.state != RunState.RELEASED or run.direction != MONEY_IN:
        message = "Only a released run of e-checks becomes a file of debits."
        raise WrongState(message, run=run.reference, state=run.state)
    pulls = life.of_run(session, run.id, {_P.RELEASED})
    drawn = [_opened(session, pull, keyring) for pull in pulls]
    allocate_traces(account, pulls)
    modifier = next_modifier(session, account, moment)
    built = build(account, run, drawn, modifier=modifier, created_at=moment.business_at)
    file = sealed_row(account, run, built, modifier, keyring=keyring, moment=moment)
    session.add(file)
    session.flush()  # the totals refer to the row
    session.add(totals_row(file, built))
    record(
        session,
        actor,
        "file.sealed",
        "bank_file",
        file.reference,
        facts={"run": run.reference, "sha256": file.sha256, "echecks": len(pulls)},
        now=moment.at,
    )
    return file


def begin(
    session: Session, actor: Actor, *, run_ref: str, keyring: Keyring, moment: Moment
) -> Transmission | None:
    """Take the turn to send a sealed file of debits; None when there is nothing left to send.

    The first turn marks the e-checks SUBMITTING, a later one UNKNOWN, since an earlier turn may
    have got through: the bank is asked before anything else. Raises FileAltered, RailStopped.
    """
    run = locked_run(session, run_ref)
    file = live_file(session, run)
    if RunState(run.state) not in _TO_SEND or file is None:
        return None
    content = sealed_content(file, keyring)
    pulls = life.of_run(session, run.id, TO_SEND)
    resumed = any(life.state_of(pull) in UNCLEAR_PULLS for pull in pulls)
    if not resumed:
        require_open(session, account_of(session, run.trust_account_id).bank_code, run.rail)
    if not resumed and not _in_time(session, actor, run, file, pulls, moment):
        return None
    for pull in pulls:
        if life.state_of(pull) is _P.RELEASED:
            life.step(session, actor, pull, _P.SUBMITTING, moment=moment)
        elif life.state_of(pull) is _P.SUBMITTING:
            life.step(session, actor, pull, _P.UNKNOWN, moment=moment)
    if resumed and run.state == RunState.RELEASED:
        move_run(run, RunState.UNKNOWN)
    file.send_attempt += 1
    upload = upload_of(run, file, totals_of(session, file), content)
    return Transmission(run.reference, file.reference, file.send_attempt, upload, resumed)


def may_send(session: Session, actor: Actor, turn: Transmission, *, moment: Moment) -> bool:
    """Tell whether a file that the bank does not have may be sent in this turn.

    One whose day has passed meanwhile is given up; its e-checks wait for another file.
    """
    run = locked_run(session, turn.run_ref)
    file = live_file(session, run)
    if file is None or file.send_attempt != turn.attempt or file.state != FileState.SEALED:
        return False
    if not turn.resumed:
        return True
    pulls = life.of_run(session, run.id, UNCLEAR_PULLS)
    return _in_time(session, actor, run, file, pulls, moment)


def record_transmitted(
    session: Session,
    actor: Actor,
    *,
    run_ref: str,
    snapshot: FileSnapshot | None = None,
    moment: Moment,
) -> PaymentRun:
    """Record that the bank has the file: its debits are deposits in process. Again is harmless."""
    run = locked_run(session, run_ref)
    file = live_file(session, run)
    if RunState(run.state) not in _TO_SEND or file is None:
        return run
    pulls = life.of_run(session, run.id, TO_SEND)
    life.mark_sent(session, actor, pulls, moment=moment)
    file_has_left(session, actor, run, file, snapshot, {"echecks": len(pulls)}, moment)
    return run


def record_not_sent(session: Session, actor: Actor, turn: Transmission, *, moment: Moment) -> None:
    """Record that nothing reached the bank; the next turn starts like the first."""
    run = locked_run(session, turn.run_ref)
    file = live_file(session, run)
    if turn.resumed or file is None or file.send_attempt != turn.attempt:
        return
    for pull in life.of_run(session, run.id, {_P.SUBMITTING}):
        life.step(session, actor, pull, _P.RELEASED, moment=moment)


def record_unclear(
    session: Session, actor: Actor, turn: Transmission, *, word: str, moment: Moment
) -> None:
    """Record that the bank may or may not have the file; a person is told and the bank asked."""
    run = locked_run(session, turn.run_ref)
    if RunState(run.state) not in _TO_SEND:
        return
    for pull in life.of_run(session, run.id, {_P.SUBMITTING}):
        life.step(session, actor, pull, _P.UNKNOWN, reason=word, moment=moment)
    if run.state == RunState.RELEASED:
        move_run(run, RunState.UNKNOWN)
    sentence = (
        "We gave the bank a file of e-checks and have not heard whether it arrived. "
        "Do not draw them again; the bank is being asked."
    )
    open_exception(session, UNCLEAR_KIND, "run", run.reference, sentence, now=moment.at)


def _in_time(  # noqa: PLR0917 - whose file still settles on its day
    session: Session,
    actor: Actor,
    run: PaymentRun,
    file: BankFile,
    pulls: list[EcheckPull],
    moment: Moment,
) -> bool:
    try:
        require_in_time(session, run, moment)
    except EffectiveDatePassed as refusal:
        _give_up(session, actor, run, file, pulls, refusal.detail, moment)
        return False
    return True


def _give_up(  # noqa: PLR0917 - what is given up, why, when
    session: Session,
    actor: Actor,
    run: PaymentRun,
    file: BankFile,
    pulls: list[EcheckPull],
    reason: str,
    moment: Moment,
) -> None:
    """End a run that has provably not reached the bank; its e-checks are not drawn."""
    for pull in pulls:
        if life.state_of(pull) is _P.RELEASED:
            life.step(session, actor, pull, _P.CANCELLED, reason=reason, moment=moment)
        else:
            life.mark_refused(session, actor, [pull], reason=reason, moment=moment)
    discard(file)
    if run.state == RunState.UNKNOWN:
        move_run(run, RunState.RELEASED)
    move_run(run, RunState.CANCELLED)
    run.state_reason = reason[:500]
    sentence = f"E-checks were not drawn: {reason} Ask for them again."
    open_exception(session, NOT_SENT_KIND, "run", run.reference, sentence, now=moment.at)
    record(session, actor, "run.given_up", "run", run.reference, reason=reason[:500], now=moment.at)


def _opened(session: Session, pull: EcheckPull, keyring: Keyring) -> Drawn:
    """Open the account number of an e-check and prove that it is the authorised one."""
    row = session.get_one(DebitAuthorisation, pull.authorisation_id)
    try:
        number = keyring.open(row.account_number_sealed, authorisation_aad(row.id))
    except CiphertextRefused as error:
        raise _altered(pull) from error
    if keyring.fingerprint(f"{row.routing_number}:{number}") != row.account_fingerprint:
        raise _altered(pull)
    receiver = Receiver(AccountType(row.account_type), number)
    return Drawn(pull, row.holder_name, row.routing_number, receiver)


def _altered(pull: EcheckPull) -> FileAltered:
    message = (
        f"The account of e-check {pull.reference} is not the one that was authorised. "
        "Nothing was sent. Tell an administrator at once."
    )
    return FileAltered(message, echeck=pull.reference)
