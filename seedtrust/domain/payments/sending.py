"""Sending payments one by one: what is committed before the bank is called and after it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.errors import Conflict
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.disbursements import paying
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments import inquiries
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, locked_instruction
from seedtrust.domain.payments.calendar import earliest_day
from seedtrust.domain.payments.files import receiver_of
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import BankStatus, PaymentOrder, PaymentSnapshot
from seedtrust.domain.payments.progress import advance
from seedtrust.domain.payments.railstops import require_open
from seedtrust.domain.payments.returns import apply_return
from seedtrust.domain.payments.runs import require_payable
from seedtrust.domain.payments.states import (
    INSTRUCTION_STEPS,
    NOT_SENT_KIND,
    UNCLEAR_STATES,
    InstructionState,
    Rail,
)
from seedtrust.domain.payments.transmission import require_in_time

UNCLEAR_KIND: Final = "wire.unclear"
REFUSED_KIND: Final = "wire.refused"
INCIDENT_KIND: Final = "payment.incident"
IN_REVIEW_KIND: Final = "payment.in_review"
UNCLEAR_SENTENCE: Final = (
    "We asked the bank to send this and have not heard whether it did. Do not pay it again."
)
_S = InstructionState
_TAKEN: Final = frozenset(
    {BankStatus.ACCEPTED, BankStatus.IN_REVIEW, BankStatus.SENT, BankStatus.SETTLED}
)
_GOES_OR_WENT: Final = _TAKEN | {BankStatus.RECEIVED, BankStatus.RETURNED}
_NEVER_WENT: Final = frozenset({_S.FAILED, _S.CANCELLED, _S.REJECTED})


@dataclass(frozen=True, slots=True)
class SendingTurn:
    """One sender's turn with one payment: its order, its bank, and its fence."""

    order: PaymentOrder
    bank: str
    attempt: int
    resumed: bool


def begin_payment(
    session: Session, actor: Actor, *, instruction_ref: str, keyring: Keyring, moment: Moment
) -> SendingTurn | None:
    """Take the first turn to send a payment; None when there is nothing to send now.

    Day, account and hold are checked once more and the payment becomes SUBMITTING, which is
    committed before the bank is called. One that is found SUBMITTING becomes UNKNOWN, because an
    earlier turn may have got through; from then on the bank is asked by the schedule. One that
    cannot be sent any more is cancelled, with an exception item. Raises FileAltered when the
    account number was altered, RailStopped.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    run, row = locked_instruction(session, instruction_ref)
    if life.state_of(row) is _S.SUBMITTING:
        mark_unknown(session, actor, run, row, word="", moment=moment)
        return None
    if life.state_of(row) is not _S.RELEASED:
        return None
    bank = account_of(session, run.trust_account_id).bank_code
    require_open(session, bank, row.rail)
    turn = SendingTurn(
        order_of(session, run, row, keyring), bank, row.send_attempt + 1, resumed=False
    )
    if not still_good(session, actor, run, row, moment):
        return None
    life.step(session, actor, row, _S.SUBMITTING, moment=moment)
    row.send_attempt = turn.attempt
    return turn


def is_ours(session: Session, turn: SendingTurn) -> bool:
    """Tell whether nobody else has taken a turn since; asked just before the bank is called."""
    found = session.execute(
        select(PaymentInstruction.send_attempt, PaymentInstruction.state).where(
            PaymentInstruction.reference == turn.order.client_reference
        )
    ).one()
    wanted = _S.UNKNOWN if turn.resumed else _S.SUBMITTING
    return (found[0], found[1]) == (turn.attempt, wanted.value)


def record_answer(
    session: Session, actor: Actor, snapshot: PaymentSnapshot, *, moment: Moment
) -> PaymentInstruction:
    """Record what the bank says about a payment, from sending, looking up or an event.

    States only rise; the same answer again changes nothing. An answer with another amount is an
    incident: the payment stays unclear and a person is told. Raises what a return raises.
    """
    run, row = locked_instruction(session, snapshot.client_reference)
    if snapshot.amount_cents != row.amount_cents:
        sentence = "The bank names another amount for this payment. Ask the bank."
        _open(session, INCIDENT_KIND, row, sentence, moment)
        if life.state_of(row) is _S.SUBMITTING:
            mark_unknown(session, actor, run, row, word=snapshot.word, moment=moment)
        return row
    if life.state_of(row) in _NEVER_WENT and snapshot.status in _GOES_OR_WENT:
        sentence = (
            "The bank has a payment that we have given up and may have paid again. "
            "Ask the bank to stop it, today."
        )
        _open(session, INCIDENT_KIND, row, sentence, moment)
        return row
    row.bank_payment_ref = snapshot.bank_ref
    if snapshot.status in {BankStatus.REJECTED, BankStatus.CANCELLED}:
        is_cancelled = snapshot.status is BankStatus.CANCELLED
        word = f"{snapshot.word}: {snapshot.reason}" if snapshot.reason else snapshot.word
        _refuse(session, actor, run, row, word=word, cancelled=is_cancelled, moment=moment)
        return row
    _rise(session, actor, run, row, snapshot, moment)
    _close(session, actor, row, moment)
    if snapshot.status is BankStatus.ATTENTION:
        sentence = f"The bank uses a word for this payment that we do not know: {snapshot.word}."
        _open(session, INCIDENT_KIND, row, sentence, moment)
    if snapshot.status is BankStatus.IN_REVIEW:
        sentence = "The bank is holding this payment for review. Call the bank."
        _open(session, IN_REVIEW_KIND, row, sentence, moment)
    advance(session, run, moment)
    return row


def record_not_sent(
    session: Session, actor: Actor, turn: SendingTurn, *, sentence: str, moment: Moment
) -> None:
    """Record that nothing reached the bank; what was unclear before stays unclear."""
    _run, row = locked_instruction(session, turn.order.client_reference)
    if row.send_attempt != turn.attempt:
        return
    if turn.resumed:
        inquiries.note(session, row, sentence)
    elif row.state == _S.SUBMITTING:
        life.step(session, actor, row, _S.RELEASED, moment=moment)


def record_declined(
    session: Session, actor: Actor, turn: SendingTurn, *, word: str, moment: Moment
) -> None:
    """Record that the bank refused a payment: nothing left the case and a person decides.

    A refusal of what was sent again says nothing about the first time, so that one stays unclear.
    """
    run, row = locked_instruction(session, turn.order.client_reference)
    if turn.resumed:
        inquiries.note(session, row, f"Sent again and refused: {word}")
    elif life.state_of(row) in UNCLEAR_STATES:
        _refuse(session, actor, run, row, word=word, cancelled=False, moment=moment)


def record_too_late(
    session: Session, actor: Actor, turn: SendingTurn, *, word: str, moment: Moment
) -> None:
    """Record that the bank takes nothing more for the payment's day: it is dated anew.

    A payment is never edited, so the request is ready again and its next payment, in a run for
    the next day that the bank works on, names this one. Building and releasing that run is left
    to people. Until then nothing else of the account and rail is dated for the closed day.
    """
    run, row = locked_instruction(session, turn.order.client_reference)
    if turn.resumed:
        inquiries.note(session, row, f"Sent again and refused: {word}")
        return
    if life.state_of(row) not in UNCLEAR_STATES:
        return
    run.day_closed_on = row.effective_on
    to = _S.FAILED if life.state_of(row) is _S.UNKNOWN else _S.REJECTED
    life.mark_refused(session, actor, [row], to=to, on=moment.today, word=word, moment=moment)
    _close(session, actor, row, moment)
    session.flush()
    account = account_of(session, run.trust_account_id)
    day = earliest_day(session, account, Rail(run.rail), moment)
    sentence = (
        f"The bank takes nothing more for {row.effective_on.isoformat()}. Collect what is due "
        f"again: a run that is released in time settles on {day.isoformat()}."
    )
    _open(session, NOT_SENT_KIND, row, sentence, moment)
    advance(session, run, moment)


def record_unclear(
    session: Session,
    actor: Actor,
    turn: SendingTurn,
    *,
    word: str,
    incident: str = "",
    moment: Moment,
) -> None:
    """Record that the bank may or may not have the payment; the hold stays and a person is told.

    `incident` is a sentence about an answer that cannot be, which needs a person today.
    """
    run, row = locked_instruction(session, turn.order.client_reference)
    if life.state_of(row) is _S.SUBMITTING:
        mark_unknown(session, actor, run, row, word=word, moment=moment)
    if life.state_of(row) is _S.UNKNOWN:
        inquiries.note(session, row, incident or word)
        if incident:
            _open(session, INCIDENT_KIND, row, incident, moment)


def mark_unknown(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    *,
    word: str,
    moment: Moment,
) -> None:
    """Make a payment UNKNOWN, begin to ask the bank about it, and tell a person.

    The caller holds the locks of run and payment.
    """
    life.step(session, actor, row, _S.UNKNOWN, word=word, moment=moment)
    inquiries.start(session, row, moment)
    _open(session, UNCLEAR_KIND, row, UNCLEAR_SENTENCE, moment)
    advance(session, run, moment)


def recover_submitting(session: Session, actor: Actor, *, moment: Moment) -> list[str]:
    """Make every payment UNKNOWN that a process left in SUBMITTING; return their references.

    Called when a worker starts. Payments of a file are taken up with their file.
    """
    references = session.execute(
        select(PaymentInstruction.reference)
        .join(PaymentRun, PaymentRun.id == PaymentInstruction.run_id)
        .where(PaymentInstruction.state == _S.SUBMITTING.value, inquiries.is_sent_singly())
        .order_by(PaymentInstruction.id)
    ).scalars()
    found = []
    for reference in list(references):
        run, row = locked_instruction(session, reference)
        if life.state_of(row) is _S.SUBMITTING:
            mark_unknown(session, actor, run, row, word="", moment=moment)
            found.append(reference)
    return found


def order_of(
    session: Session, run: PaymentRun, row: PaymentInstruction, keyring: Keyring
) -> PaymentOrder:
    """Return what the bank is asked to do; the same payment always gives the same order.

    Raises FileAltered when the account number was altered.
    """
    account = session.get(PayeeAccount, row.payee_account_id)
    assert account is not None, "a payment names an account"
    trust = account_of(session, run.trust_account_id)
    receiver = receiver_of(row, account, keyring)
    is_ach = row.rail == Rail.ACH
    is_company = row.sec_code == _COMPANY_CODE
    return PaymentOrder(
        client_reference=row.reference,
        from_account=trust.bank_account_ref,
        amount_cents=row.amount_cents,
        beneficiary_name=row.payee_name,
        routing_number=row.routing_number,
        account_number=receiver.account_number,
        text=row.addenda_text,
        requested_on=row.effective_on,
        rail=row.rail,
        account_type=account.account_type,
        party_kind=(PayeeKind.COMPANY if is_company else PayeeKind.PERSON).value,
        sec_code=row.sec_code,
        entry_description=row.entry_description,
        company_identification=trust.company_identification if is_ach else "",
    )


def still_good(
    session: Session, actor: Actor, run: PaymentRun, row: PaymentInstruction, moment: Moment
) -> bool:
    """Check day, account and hold once more; what may not be sent any more is given up."""
    try:
        require_in_time(session, run, moment)
        require_payable(session, [row])
    except Conflict as refusal:
        _give_up(session, actor, run, row, refusal.detail, moment)
        return False
    return True


def give_back_unsent(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    *,
    word: str,
    moment: Moment,
) -> None:
    """Make an UNKNOWN payment FAILED: it never went, and its request may be paid anew."""
    life.mark_refused(
        session, actor, [row], to=_S.FAILED, on=moment.today, word=word, moment=moment
    )
    _close(session, actor, row, moment)
    advance(session, run, moment)


_COMPANY_CODE: Final = "CCD"


def _rise(  # noqa: PLR0917 - who hears what about which payment, when
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    snapshot: PaymentSnapshot,
    moment: Moment,
) -> None:
    word, status = snapshot.word, snapshot.status
    if life.state_of(row) in UNCLEAR_STATES:
        life.mark_sent(session, actor, [row], word=word, moment=moment)
    if life.state_of(row) is _S.SENT and status in _TAKEN:
        life.step(session, actor, row, _S.ACCEPTED, word=word, moment=moment)
    if status is BankStatus.SETTLED and life.state_of(row) is _S.ACCEPTED:
        settled_on = snapshot.settled_on or row.effective_on
        life.mark_settled(session, actor, [row], settled_on=settled_on, word=word, moment=moment)
    if status is BankStatus.RETURNED and snapshot.returned is not None:
        apply_return(
            session,
            actor,
            run,
            row,
            code=snapshot.returned.code,
            amount_cents=snapshot.amount_cents,
            returned_on=snapshot.returned.returned_on,
            moment=moment,
        )


def _give_up(  # noqa: PLR0917 - who gives up what, why, when
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    reason: str,
    moment: Moment,
) -> None:
    to = _S.FAILED if life.state_of(row) is _S.UNKNOWN else _S.CANCELLED
    life.step(session, actor, row, to, word=reason, moment=moment)
    request = life.requests_of(session, [row])[row.request_id]
    paying.leave_run(session, actor, request, reason=reason, moment=moment)
    _close(session, actor, row, moment)
    sentence = f"The payment was not sent: {reason} Collect what is due again."
    _open(session, NOT_SENT_KIND, row, sentence, moment)
    advance(session, run, moment)
    record(
        session,
        actor,
        "payment.given_up",
        "instruction",
        row.reference,
        reason=reason,
        now=moment.at,
    )


def _refuse(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    *,
    word: str,
    cancelled: bool,
    moment: Moment,
) -> None:
    state = life.state_of(row)
    to = _S.FAILED if state is _S.UNKNOWN else _S.REJECTED
    if cancelled and _S.CANCELLED in INSTRUCTION_STEPS[state]:
        to = _S.CANCELLED
    if to not in INSTRUCTION_STEPS[state]:
        if state is _S.SETTLED:
            sentence = f"The bank says “{word}” of a payment that it has settled. Ask the bank."
            _open(session, INCIDENT_KIND, row, sentence[:500], moment)
        return
    life.mark_refused(session, actor, [row], to=to, on=moment.today, word=word, moment=moment)
    _close(session, actor, row, moment)
    verb = "cancelled" if cancelled else "refused"
    _open(session, REFUSED_KIND, row, f"The bank {verb} this payment: {word}"[:500], moment)
    advance(session, run, moment)


def _close(session: Session, actor: Actor, row: PaymentInstruction, moment: Moment) -> None:
    """End the asking and the alarm about a payment that is not unclear any more."""
    if life.state_of(row) in UNCLEAR_STATES:
        return
    inquiries.end(session, row)
    for kind in (UNCLEAR_KIND, IN_REVIEW_KIND):
        close_exceptions_of(session, kind, row.reference, closed_by=actor.name, now=moment.at)


def _open(
    session: Session, kind: str, row: PaymentInstruction, sentence: str, moment: Moment
) -> None:
    open_exception(
        session, kind, "instruction", row.reference, sentence, case_id=row.case_id, now=moment.at
    )
