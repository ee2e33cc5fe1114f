"""Payments that come back: whose they are, and what each return code sets off, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Invalid
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.stages import ENDED
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.service import block_account
from seedtrust.domain.payees.states import AccountState
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import account_of, goes_by_file, locked_instruction
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.progress import advance
from seedtrust.domain.payments.return_codes import ReturnReason, reason_of
from seedtrust.domain.payments.states import RETURNED_KIND, UNCLEAR_STATES, InstructionState
from seedtrust.domain.payments.telling import tell_staff
from seedtrust.domain.payments.transmission import record_transmitted

UNKNOWN_KIND: Final = "return.unknown"
_S = InstructionState
_RETURNABLE: Final = frozenset({_S.SENT, _S.ACCEPTED, _S.SETTLED})


@dataclass(frozen=True, slots=True)
class Told:
    """What the bank tells of one return, whichever way it came.

    `trace_number` is the original one, `identification` our reference; either may be empty.
    """

    trace_number: str
    identification: str
    code: str
    amount_cents: int
    returned_on: date


def find_payment(session: Session, trace_number: str, identification: str) -> str | None:
    """Return the reference of the payment that an answer of the bank is about, or None.

    By original trace number first; seven digits begin anew some day, so the newest counts. By our
    reference where the bank gives no trace, or where we know none. An answer whose trace and
    reference name different things belongs to nobody: a person has to ask the bank.
    """
    by_reference = session.execute(
        select(PaymentInstruction.reference, PaymentInstruction.trace_number).where(
            PaymentInstruction.reference == identification
        )
    ).one_or_none()
    if by_reference is not None and (not trace_number or by_reference[1] in {None, trace_number}):
        return identification
    if identification or not trace_number:
        return None
    return session.execute(
        select(PaymentInstruction.reference)
        .where(PaymentInstruction.trace_number == trace_number)
        .order_by(PaymentInstruction.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def apply_return(
    session: Session,
    actor: Actor,
    run: PaymentRun,
    row: PaymentInstruction,
    *,
    code: str,
    amount_cents: int,
    returned_on: date,
    moment: Moment,
) -> bool:
    """Take a returned payment back into its case; False when it had come back before.

    What the code means decides the rest: R02, R03, R04 and their like block the payee's account,
    so that nothing else is sent there, and the table names who is told. The caller holds the locks
    of run and payment. Raises Invalid for another amount or a payment that the bank cannot have
    had.
    """
    state = life.state_of(row)
    if state is _S.RETURNED:
        return False
    if amount_cents != row.amount_cents or state not in _RETURNABLE:
        message = (
            f"The bank returned payment {row.reference}, which does not fit what we sent. "
            "Ask the bank before anything else is paid there."
        )
        raise Invalid(message, instruction=row.reference, state=state.value)
    reason = reason_of(code)
    life.mark_returned(
        session,
        actor,
        row,
        code=code,
        returned_on=returned_on,
        reason=reason.for_parties,
        word=reason.label,
        moment=moment,
    )
    advance(session, run, moment)
    if reason.blocks_account:
        _block(session, actor, row, reason, moment)
    _tell(session, row, reason, moment)
    return True


def take_back(session: Session, actor: Actor, told: Told, *, moment: Moment) -> bool | None:
    """Find the payment of a return and apply it; False if known before, None if nobody's.

    A return that belongs to none of our payments becomes an exception item, never dropped. Raises
    what `apply_return` raises.
    """
    reference = find_payment(session, told.trace_number, told.identification)
    if reference is None:
        _unknown(session, told, moment)
        return None
    run, row = locked_instruction(session, reference)
    account = account_of(session, run.trust_account_id)
    if life.state_of(row) in UNCLEAR_STATES and goes_by_file(account, run.rail):
        # The bank cannot return what it does not have: the file has arrived.
        record_transmitted(session, actor, run_ref=run.reference, moment=moment)
    return apply_return(
        session,
        actor,
        run,
        row,
        code=told.code,
        amount_cents=told.amount_cents,
        returned_on=told.returned_on,
        moment=moment,
    )


def give_back(
    session: Session, actor: Actor, case: Case, instruction_ref: str, *, moment: Moment
) -> bool:
    """Move what came back while a case was closed to the case, now that it is open again.

    The caller holds the case's lock. False when the case has it already, or takes nothing.
    """
    rows = lock_where(
        session,
        select(PaymentInstruction).where(PaymentInstruction.reference == instruction_ref),
    )
    if not rows or rows[0].case_id != case.id or case.stage in ENDED:
        return False
    return life.move_to_case(session, actor, rows[0], case, moment)


def _tell(session: Session, row: PaymentInstruction, reason: ReturnReason, moment: Moment) -> None:
    open_exception(
        session,
        RETURNED_KIND,
        "instruction",
        row.reference,
        f"The bank returned a payment: {reason.label} {reason.next_step}",
        case_id=row.case_id,
        now=moment.at,
    )
    facts = {
        "case": str(session.get_one(Case, row.case_id).number),
        "reason": reason.meaning,
        "next_step": reason.next_step,
    }
    tell_staff(
        session,
        NoticeEvent.PAYMENT_RETURNED_STAFF,
        row.reference,
        reason.roles,
        facts,
        case_id=row.case_id,
        moment=moment,
    )


def _unknown(session: Session, told: Told, moment: Moment) -> None:
    open_exception(
        session,
        UNKNOWN_KIND,
        "return",
        f"{told.trace_number or told.identification}:{told.code}"[:64],
        f"The bank returned ${format_dollars(told.amount_cents)} of a payment that we do not know: "
        f"{reason_of(told.code).label} Ask the bank what it belongs to.",
        now=moment.at,
    )


def _block(
    session: Session, actor: Actor, row: PaymentInstruction, reason: ReturnReason, moment: Moment
) -> None:
    account = session.get(PayeeAccount, row.payee_account_id)
    if account is None or account.state != AccountState.ACTIVE:
        return
    sentence = f"The bank returned a payment: {reason.label}"
    block_account(session, actor, account_ref=account.reference, reason=sentence, moment=moment)
