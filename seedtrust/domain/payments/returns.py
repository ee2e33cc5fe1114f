"""Payments that come back: what each return code means for the payee's account."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import Invalid
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.service import block_account
from seedtrust.domain.payees.states import AccountState
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import locked_instruction
from seedtrust.domain.payments.achfile import sha256_of
from seedtrust.domain.payments.models import (
    BankInboxItem,
    PaymentInstruction,
    PaymentRun,
)
from seedtrust.domain.payments.progress import advance
from seedtrust.domain.payments.states import InstructionState
from seedtrust.formats.nacha import RETURN_CODES, EntryKind, ParsedEntry, read_file

SOURCE: Final = "returns"
UNKNOWN_KIND: Final = "return.unknown"
_S = InstructionState
_RETURNABLE: Final = frozenset({_S.SENT, _S.ACCEPTED, _S.SETTLED})


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """What a return file changed: payments returned, and entries that belong to none of ours."""

    returned: int
    known_before: int
    unknown: int


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

    Codes such as R02, R03 and R04 (closed, unknown or invalid account) block the payee's account,
    so that nothing else is sent there. The caller holds the locks of run and payment. Raises
    Invalid for another amount or a payment that the bank cannot have had.
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
    meaning = RETURN_CODES.get(code)
    word = code if meaning is None else f"{code} {meaning.meaning}"
    life.mark_returned(
        session, actor, row, code=code, returned_on=returned_on, word=word, moment=moment
    )
    advance(session, run, moment)
    if meaning is not None and meaning.blocks_account:
        _block(session, actor, row, word, moment)
    open_exception(
        session,
        "payment.returned",
        "instruction",
        row.reference,
        f"The bank returned a payment: {word}",
        case_id=row.case_id,
        now=moment.at,
    )
    return True


def apply_return_file(
    session: Session, actor: Actor, *, file_name: str, content: bytes, moment: Moment
) -> ReturnResult:
    """Apply a return file of the bank, whole and once; entries are matched by original trace.

    What the bank's events have told already changes nothing here. Entries that belong to none of
    our payments become exception items. Raises Invalid when the file cannot be read.
    """
    sha256 = sha256_of(content)
    known = session.execute(
        select(BankInboxItem.id).where(
            BankInboxItem.source == SOURCE, BankInboxItem.external_id == sha256
        )
    ).scalar_one_or_none()
    if known is not None:
        return ReturnResult(0, 0, 0)
    parsed = read_file(io.BytesIO(content), lenient=True)
    if not parsed.batches or parsed.unreadable or not parsed.is_valid:
        message = f"The return file {file_name} cannot be read. Ask the bank to send it again."
        raise Invalid(message, file=file_name)
    counts = {"returned": 0, "known_before": 0, "unknown": 0}
    for entry in parsed.entries:
        if entry.kind is EntryKind.RETURN:
            counts[_take_back(session, actor, entry, moment)] += 1
    session.add(
        BankInboxItem(
            id=new_id(),
            source=SOURCE,
            external_id=sha256,
            kind="return_file",
            payload={"file": file_name, **counts},
            received_at=moment.at,
            applied_at=moment.at,
            outcome=", ".join(f"{number} {name}" for name, number in counts.items()),
        )
    )
    return ReturnResult(**counts)


def _take_back(session: Session, actor: Actor, entry: ParsedEntry, moment: Moment) -> str:
    reference = next(_references(session, entry), None)
    if reference is None:
        open_exception(
            session,
            UNKNOWN_KIND,
            "return",
            f"{entry.trace_number}:{entry.original_trace}"[:64],
            "The bank returned a payment that we do not know. Ask the bank what it belongs to.",
            now=moment.at,
        )
        return "unknown"
    run, row = locked_instruction(session, reference)
    returned = apply_return(
        session,
        actor,
        run,
        row,
        code=entry.return_code,
        amount_cents=entry.amount_cents,
        returned_on=_day_of(entry, moment),
        moment=moment,
    )
    return "returned" if returned else "known_before"


def _references(session: Session, entry: ParsedEntry) -> Iterator[str]:
    """Yield our payments with an entry's original trace and reference, newest first."""
    rows = session.execute(
        select(PaymentInstruction.reference)
        .where(
            PaymentInstruction.trace_number == entry.original_trace,
            PaymentInstruction.reference == entry.identification,
        )
        .order_by(PaymentInstruction.id.desc())
    )
    yield from rows.scalars()


def _day_of(entry: ParsedEntry, moment: Moment) -> date:
    """Return the settlement day that the operator put into the batch header, a day of the year."""
    number = entry.batch.settlement_day
    if number is None:
        return moment.today
    for year in (moment.today.year, moment.today.year - 1):
        day = date.fromordinal(date(year, 1, 1).toordinal() + number - 1)
        if day <= moment.today:
            return day
    return moment.today


def _block(
    session: Session, actor: Actor, row: PaymentInstruction, word: str, moment: Moment
) -> None:
    account = session.get(PayeeAccount, row.payee_account_id)
    if account is None or account.state != AccountState.ACTIVE:
        return
    reason = f"The bank returned a payment: {word}"
    block_account(session, actor, account_ref=account.reference, reason=reason, moment=moment)
