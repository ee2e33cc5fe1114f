"""Sending wires one by one: what is committed before the bank is called and after it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, locked_instruction
from seedtrust.domain.payments.files import receiver_of
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import (
    BankStatus,
    Capabilities,
    PaymentOrder,
    PaymentSnapshot,
)
from seedtrust.domain.payments.progress import advance
from seedtrust.domain.payments.runs import require_payable
from seedtrust.domain.payments.states import (
    INSTRUCTION_STEPS,
    UNCLEAR_STATES,
    InstructionState,
)
from seedtrust.domain.payments.transmission import require_in_time

UNCLEAR_KIND: Final = "wire.unclear"
NOT_SENT_KIND: Final = "wire.not_sent"
REFUSED_KIND: Final = "wire.refused"
_S = InstructionState
_RESEND_AFTER_MISSES: Final = 2


@dataclass(frozen=True, slots=True)
class WireTurn:
    """One sender's turn with one wire, its fence, and whether an earlier turn is unclear."""

    order: PaymentOrder
    attempt: int
    resumed: bool


def begin_wire(
    session: Session, actor: Actor, *, instruction_ref: str, keyring: Keyring, moment: Moment
) -> WireTurn | None:
    """Take the turn to send a wire; None when there is nothing left to send.

    The first turn checks day, account and hold once more and marks it SUBMITTING; a later one
    marks it UNKNOWN and its caller asks the bank first. One that cannot be sent any more is
    cancelled, with an exception item. Raises FileAltered when the account number was altered.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    run, row = locked_instruction(session, instruction_ref)
    state = life.state_of(row)
    if state not in {_S.RELEASED, *UNCLEAR_STATES}:
        return None
    order = _order(session, run, row, keyring)
    resumed = state in UNCLEAR_STATES
    if not resumed and not _still_good(session, actor, run, row, moment):
        return None
    if state is _S.RELEASED:
        life.step(session, actor, row, _S.SUBMITTING, moment=moment)
    elif state is _S.SUBMITTING:
        life.step(session, actor, row, _S.UNKNOWN, moment=moment)
        advance(session, run, moment)
    row.send_attempt += 1
    return WireTurn(order, row.send_attempt, resumed)


def wire_is_ours(session: Session, turn: WireTurn) -> bool:
    """Tell whether nobody else has taken a turn since; asked just before the bank is called."""
    found = session.execute(
        select(PaymentInstruction.send_attempt, PaymentInstruction.state).where(
            PaymentInstruction.reference == turn.order.client_reference
        )
    ).one()
    return found[0] == turn.attempt and found[1] in {state.value for state in UNCLEAR_STATES}


def record_answer(
    session: Session, actor: Actor, snapshot: PaymentSnapshot, *, moment: Moment
) -> PaymentInstruction:
    """Record what the bank says about a wire, from sending or from looking it up.

    States only rise; the same answer again changes nothing. An answer with another amount is an
    incident: the wire stays unclear and a person is told.
    """
    run, row = locked_instruction(session, snapshot.client_reference)
    if snapshot.amount_cents != row.amount_cents:
        _open(session, REFUSED_KIND, row, "The bank names another amount for this wire.", moment)
        if life.state_of(row) is _S.SUBMITTING:
            life.step(session, actor, row, _S.UNKNOWN, word=snapshot.word, moment=moment)
            advance(session, run, moment)
        return row
    row.bank_payment_ref = snapshot.bank_ref
    if snapshot.status is BankStatus.REJECTED:
        _refuse(session, actor, run, row, word=snapshot.word, moment=moment)
        return row
    if life.state_of(row) in UNCLEAR_STATES:
        life.mark_sent(session, actor, [row], word=snapshot.word, moment=moment)
    if life.state_of(row) is _S.SENT and snapshot.status in _TAKEN:
        life.step(session, actor, row, _S.ACCEPTED, word=snapshot.word, moment=moment)
    if snapshot.status is BankStatus.SETTLED and life.state_of(row) is _S.ACCEPTED:
        settled_on = snapshot.settled_on or row.effective_on
        life.mark_settled(
            session, actor, [row], settled_on=settled_on, word=snapshot.word, moment=moment
        )
    by = actor.name
    close_exceptions_of(session, UNCLEAR_KIND, row.reference, closed_by=by, now=moment.at)
    advance(session, run, moment)
    return row


def record_wire_not_sent(session: Session, actor: Actor, turn: WireTurn, *, moment: Moment) -> None:
    """Record that nothing reached the bank; a wire whose earlier turn is unclear stays unclear."""
    _run, row = locked_instruction(session, turn.order.client_reference)
    if not turn.resumed and row.send_attempt == turn.attempt and row.state == _S.SUBMITTING:
        life.step(session, actor, row, _S.RELEASED, moment=moment)


def record_declined(
    session: Session, actor: Actor, turn: WireTurn, *, word: str, moment: Moment
) -> None:
    """Record that the bank refused a wire: nothing left the case and a person decides."""
    run, row = locked_instruction(session, turn.order.client_reference)
    if life.state_of(row) in UNCLEAR_STATES:
        _refuse(session, actor, run, row, word=word, moment=moment)


def record_wire_unclear(
    session: Session, actor: Actor, turn: WireTurn, *, word: str, moment: Moment
) -> None:
    """Record that the bank may or may not have the wire; the hold stays and a person is told."""
    run, row = locked_instruction(session, turn.order.client_reference)
    if life.state_of(row) is _S.SUBMITTING:
        life.step(session, actor, row, _S.UNKNOWN, word=word, moment=moment)
        advance(session, run, moment)
    if life.state_of(row) is _S.UNKNOWN:
        _open(
            session,
            UNCLEAR_KIND,
            row,
            "We asked the bank to send this wire and have not heard whether it did. "
            "Do not pay it again; the bank is being asked.",
            moment,
        )


def may_resend(
    session: Session,
    actor: Actor,
    turn: WireTurn,
    capabilities: Capabilities,
    *,
    moment: Moment,
) -> bool:
    """Count one "not found" of an unclear wire and tell whether it may be sent again.

    Only when the bank declares its look-up consistent and has twice said that it does not know
    the wire, over at least the time that it takes to be consistent: then with the same reference
    and the same content, so that a late original would be recognised as the same.
    """
    run, row = locked_instruction(session, turn.order.client_reference)
    if row.send_attempt != turn.attempt or life.state_of(row) is not _S.UNKNOWN:
        return False
    row.lookup_misses += 1
    row.first_miss_at = row.first_miss_at or moment.at
    apart = timedelta(seconds=capabilities.lookup_consistent_after_seconds)
    is_settled = (
        capabilities.lookup_is_consistent
        and row.lookup_misses >= _RESEND_AFTER_MISSES
        and moment.at - row.first_miss_at >= apart
    )
    return is_settled and _still_good(session, actor, run, row, moment)


_TAKEN: Final = frozenset({BankStatus.ACCEPTED, BankStatus.SETTLED})


def _order(
    session: Session, run: PaymentRun, row: PaymentInstruction, keyring: Keyring
) -> PaymentOrder:
    account = session.get(PayeeAccount, row.payee_account_id)
    assert account is not None, "a payment names an account"
    receiver = receiver_of(row, account, keyring)
    return PaymentOrder(
        client_reference=row.reference,
        from_account=account_of(session, run.trust_account_id).bank_account_ref,
        amount_cents=row.amount_cents,
        beneficiary_name=row.payee_name,
        routing_number=row.routing_number,
        account_number=receiver.account_number,
        text=row.addenda_text,
        requested_on=row.effective_on,
    )


def _still_good(
    session: Session, actor: Actor, run: PaymentRun, row: PaymentInstruction, moment: Moment
) -> bool:
    try:
        require_in_time(session, run, moment)
        require_payable(session, [row])
    except Conflict as refusal:
        _give_up(session, actor, run, row, refusal.detail, moment)
        return False
    return True


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
    sentence = f"The wire was not sent: {reason} Collect what is due again."
    _open(session, NOT_SENT_KIND, row, sentence, moment)
    advance(session, run, moment)
    record(
        session, actor, "wire.given_up", "instruction", row.reference, reason=reason, now=moment.at
    )


def _refuse(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    *,
    word: str,
    moment: Moment,
) -> None:
    to = _S.FAILED if life.state_of(row) is _S.UNKNOWN else _S.REJECTED
    if to not in INSTRUCTION_STEPS[life.state_of(row)]:
        return
    life.mark_refused(session, actor, [row], to=to, on=moment.today, word=word, moment=moment)
    _open(session, REFUSED_KIND, row, f"The bank refused this wire: {word}"[:500], moment)
    advance(session, run, moment)


def _open(
    session: Session, kind: str, row: PaymentInstruction, sentence: str, moment: Moment
) -> None:
    open_exception(
        session,
        kind,
        "instruction",
        row.reference,
        sentence,
        case_id=row.case_id,
        now=moment.at,
    )
