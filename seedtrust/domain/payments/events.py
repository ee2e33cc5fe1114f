"""What the bank tells us, applied once: the note of it and its effect commit together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import DomainError, Invalid, Unavailable
from seedtrust.core.ids import new_id
from seedtrust.core.money import check_amount_cents
from seedtrust.core.permissions import Actor
from seedtrust.domain.funding import service as funding
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import locked_run
from seedtrust.domain.payments.files import live_file
from seedtrust.domain.payments.models import (
    BankCursor,
    BankFile,
    BankInboxItem,
    PaymentRun,
    TrustAccount,
)
from seedtrust.domain.payments.ports import (
    BankEvent,
    BankStatus,
    FileSnapshot,
    PaymentSnapshot,
)
from seedtrust.domain.payments.progress import advance
from seedtrust.domain.payments.returns import Told, take_back
from seedtrust.domain.payments.sending import record_answer
from seedtrust.domain.payments.states import InstructionState
from seedtrust.domain.payments.telling import tell_stopped
from seedtrust.domain.payments.transmission import record_transmitted

# Followed by the bank's code: two banks may number their events alike.
_SOURCE: Final = "events."
# A bank that takes single payments says which one has changed; it is then asked about it.
CHANGED: Final = "payment.changed"
NOT_APPLIED: Final = "bank.not_applied"
UNKNOWN_WORD: Final = "bank.unknown_word"
SUSPENDED_KIND: Final = "run.suspended"
COPIED_KIND: Final = "run.copied"
FOREIGN_KIND: Final = "file.foreign"
# Account numbers are never kept in the clear; corrections are read from the bank's files.
_NUMBERS: Final = frozenset({"corrected_data"})
_S = InstructionState
_Handler = Callable[[Session, Actor, BankEvent, Moment], str]
# What takes events about something else than payments: says what became of one, None if not its.
Others = Callable[[Session, Actor, BankEvent, PaymentSnapshot | None, Moment], str | None]


def cursor_of(session: Session, source: str) -> str:
    """Return how far a bank's events have been read; empty at the beginning."""
    found = session.execute(
        select(BankCursor.after).where(BankCursor.source == source)
    ).scalar_one_or_none()
    return found or ""


def move_cursor(session: Session, source: str, after: str, *, moment: Moment) -> None:
    """Record how far events have been read, in the same unit as the last one's effect."""
    rows = lock_where(session, select(BankCursor).where(BankCursor.source == source))
    cursor = rows[0] if rows else None
    if cursor is None:
        cursor = BankCursor(id=new_id(), source=source, after=after, read_at=moment.at)
        session.add(cursor)
    cursor.after, cursor.read_at, cursor.link_healthy = after, moment.at, True


def mark_link(session: Session, source: str, *, healthy: bool, moment: Moment) -> None:
    """Record whether the bank answered when we last asked, for the Today page."""
    rows = lock_where(session, select(BankCursor).where(BankCursor.source == source))
    if rows:
        rows[0].link_healthy = healthy
    elif not healthy:
        session.add(
            BankCursor(id=new_id(), source=source, after="", read_at=moment.at, link_healthy=False)
        )


def source_of(bank: str) -> str:
    """Return under which name the inbox keeps the events of a bank."""
    return f"{_SOURCE}{bank}"


def concerns(session: Session, event: BankEvent) -> bool:
    """Tell whether an event is for the line that it came through.

    Two lines may lead to one bank, which tells each of them everything; what is about an account
    whose payments another line carries is left to that line.
    """
    account_ref = event.data.get("account_id")
    run_ref = event.data.get("client_reference") if event.kind.startswith("file.") else None
    if account_ref is not None:
        which = TrustAccount.bank_account_ref == str(account_ref)
        found = select(TrustAccount.bank_code).where(which)
    elif run_ref is not None:
        found = (
            select(TrustAccount.bank_code)
            .join(PaymentRun, PaymentRun.trust_account_id == TrustAccount.id)
            .where(PaymentRun.reference == str(run_ref))
        )
    else:
        return True
    banks = set(session.execute(found).scalars())
    return not banks or event.bank in banks


def apply_event(
    session: Session,
    actor: Actor,
    event: BankEvent,
    *,
    snapshot: PaymentSnapshot | None = None,
    others: Others | None = None,
    moment: Moment,
) -> bool:
    """Apply one event of the bank; False when it had been applied before.

    `snapshot` is what the bank said when it was asked about the payment that the event names;
    `others` is asked first and takes what is about something else than payments. A
    kind that we do not know is kept and shown to a person, never taken for success. Raises
    what the effect raises; the caller then keeps it with `keep_unapplied`.
    """
    item = _inbox_item(session, event, moment)
    if item.applied_at is not None:
        return False
    handler = _handler_of(session, event)
    theirs = None if others is None else others(session, actor, event, snapshot, moment)
    if theirs is not None:
        item.outcome = theirs[:300]
    elif event.kind == CHANGED:
        item.outcome = _payment_changed(session, actor, snapshot, moment)
    elif handler is None:
        item.outcome = "Nothing to do."
        if event.kind not in _EXPECTED:
            item.outcome = "Not understood."
            sentence = f"The bank sent a word that we do not know: {event.kind}."
            _open(session, UNKNOWN_WORD, event, sentence, moment)
    else:
        item.outcome = handler(session, actor, event, moment)[:300]
    item.applied_at = moment.at
    by = actor.name
    close_exceptions_of(session, NOT_APPLIED, _subject(event), closed_by=by, now=moment.at)
    return True


def keep_unapplied(
    session: Session, event: BankEvent, refusal: DomainError, *, moment: Moment
) -> None:
    """Keep an event whose effect was refused, and put it in front of a person."""
    item = _inbox_item(session, event, moment)
    item.outcome = refusal.detail[:300]
    sentence = f"A message of the bank ({event.kind}) could not be applied: {refusal.detail}"
    _open(session, NOT_APPLIED, event, sentence, moment)


def unapplied(session: Session, bank: str, *, limit: int = 100) -> list[BankEvent]:
    """Return a bank's events that are kept and not applied, oldest first, to be tried again."""
    rows = session.execute(
        select(BankInboxItem)
        .where(BankInboxItem.source == source_of(bank), BankInboxItem.applied_at.is_(None))
        .order_by(BankInboxItem.id)
        .limit(limit)
    ).scalars()
    return [
        BankEvent(
            id=row.external_id,
            kind=row.kind,
            business_on=date.fromisoformat(str(row.payload["business_on"])),
            data=row.payload["data"],
            bank=bank,
        )
        for row in rows
    ]


def _handler_of(session: Session, event: BankEvent) -> _Handler | None:
    """Return what applies an event; a file that we never made is for a person alone."""
    handler = _HANDLERS.get(event.kind)
    if handler is not None and event.kind.startswith("file."):
        return handler if reference_of_file(session, event) else _foreign_file
    return handler


def _inbox_item(session: Session, event: BankEvent, moment: Moment) -> BankInboxItem:
    rows = lock_where(
        session,
        select(BankInboxItem).where(
            BankInboxItem.source == source_of(event.bank),
            BankInboxItem.external_id == event.id,
        ),
    )
    if rows:
        return rows[0]
    item = BankInboxItem(
        id=new_id(),
        source=source_of(event.bank),
        external_id=event.id,
        kind=event.kind[:40],
        payload={"business_on": event.business_on.isoformat(), "data": _kept(event)},
        received_at=moment.at,
        outcome="",
    )
    session.add(item)
    session.flush()  # the unique key on the bank's id speaks before any effect
    return item


def _kept(event: BankEvent) -> dict[str, str | int | bool | None]:
    """Return what of an event is kept: everything but the numbers of accounts."""
    return {name: value for name, value in event.data.items() if name not in _NUMBERS}


def _file_received(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    """Remember under which id the bank has our file, so that a copy is known for what it is."""
    run = _run_of(session, actor, event, moment)
    file = live_file(session, run)
    assert file is not None, "the run's file was compared just now"
    if file.bank_file_ref:
        return f"Run {run.reference}: known as {file.bank_file_ref}."
    file.bank_file_ref = text_of(event, "id")
    return f"Run {run.reference}: received."


def _file_accepted(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    run = _run_of(session, actor, event, moment)
    rows = life.of_run(session, run.id, {_S.SENT})
    for row in rows:
        life.step(session, actor, row, _S.ACCEPTED, word=word_of(event), moment=moment)
    file = live_file(session, run)
    if file is not None:
        file.bank_file_ref, file.bank_word = text_of(event, "id"), word_of(event)
    advance(session, run, moment)
    return f"Run {run.reference}: {len(rows)} payments accepted."


def _file_rejected(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    run = _run_of(session, actor, event, moment)
    if _is_copy(session, run, event):
        return _copy_refused(session, run, moment)
    rows = life.of_run(session, run.id, {_S.SENT, _S.ACCEPTED})
    word = word_of(event)
    life.mark_refused(session, actor, rows, on=moment.today, word=word, moment=moment)
    run.state_reason = f"The bank rejected the file. {word}"[:500]
    advance(session, run, moment)
    if rows:
        open_exception(
            session,
            "run.rejected",
            "run",
            run.reference,
            f"The bank rejected this run's file. {word} The money is back in the cases.",
            now=moment.at,
        )
    return f"Run {run.reference}: {len(rows)} payments rejected."


def _is_copy(session: Session, run: PaymentRun, event: BankEvent) -> bool:
    """Tell whether the bank speaks of another file than the one that it had from us first."""
    file = live_file(session, run)
    return file is not None and file.bank_file_ref not in {"", text_of(event, "id")}


def _copy_refused(session: Session, run: PaymentRun, moment: Moment) -> str:
    sentence = (
        f"Somebody gave the bank the file of run {run.reference} once more, and the bank refused "
        "the copy. Nothing was paid twice and the run goes on. Find out who sent it."
    )
    open_exception(session, COPIED_KIND, "run", run.reference, sentence, now=moment.at)
    tell_stopped(session, f"{COPIED_KIND}:{run.reference}", sentence, moment)
    return f"Run {run.reference}: a copy of its file was refused."


def _file_suspended(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    run = _run_of(session, actor, event, moment)
    open_exception(
        session,
        SUSPENDED_KIND,
        "run",
        run.reference,
        "The bank holds this run's file back, because its control totals do not agree with it. "
        "Call the bank before the cut-off.",
        now=moment.at,
    )
    return f"Run {run.reference}: held back by the bank."


def _file_settled(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    run = _run_of(session, actor, event, moment)
    if event.data.get("is_complete") is False:
        return f"Run {run.reference}: settled in part, the rest is awaited."
    rows = life.of_run(session, run.id, {_S.SENT, _S.ACCEPTED})
    settled_on = day_of(event, "settles_on")
    life.mark_settled(
        session, actor, rows, settled_on=settled_on, word=word_of(event), moment=moment
    )
    advance(session, run, moment)
    return f"Run {run.reference}: {len(rows)} payments settled on {settled_on.isoformat()}."


def _payment_told(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    status = _PAYMENT_WORDS[event.kind]
    settled_on = day_of(event, "settles_on") if status is BankStatus.SETTLED else None
    snapshot = PaymentSnapshot(
        bank_ref=text_of(event, "id"),
        client_reference=text_of(event, "client_reference"),
        amount_cents=cents_of(event),
        status=status,
        word=event.kind,
        settled_on=settled_on,
    )
    row = record_answer(session, actor, snapshot, moment=moment)
    return f"Payment {row.reference} is {row.state}."


def _payment_changed(
    session: Session,
    actor: Actor,
    snapshot: PaymentSnapshot | None,
    moment: Moment,
) -> str:
    """Apply what the bank said when asked; the event itself only says that it is worth asking."""
    if snapshot is None:
        message = "The bank tells of a payment and does not know it when asked."
        raise Unavailable(message)
    row = record_answer(session, actor, snapshot, moment=moment)
    return f"Payment {row.reference} is {row.state}."


def _money_received(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    account = _trust_account(session, event)
    said = (text_of(event, "text", needed=False), text_of(event, "reference", needed=False))
    receipt = funding.Receipt(
        trust_account_id=account.id,
        trust_code=account.code,
        bank=account.code,
        bank_reference=text_of(event, "bank_reference"),
        amount_cents=cents_of(event),
        sender_name=text_of(event, "sender_name", needed=False),
        text=" ".join(part for part in said if part),
        received_on=day_of(event, "business_on"),
    )
    rail = _MONEY_WORDS[event.kind]
    if rail is ReceiptRail.CHECK and text_of(event, "kind") != rail.value:
        message = f"The bank tells of a deposit of another kind than we know: {event.data['kind']}."
        raise Invalid(message)
    deposit = funding.receive(session, actor, receipt, rail, moment=moment)
    return f"Deposit {deposit.reference} received."


def _deposit_returned(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    account = _trust_account(session, event)
    said = DepositReturn(
        bank=account.code,
        trust_code=account.code,
        bank_reference=text_of(event, "bank_reference"),
        amount_cents=cents_of(event),
        reason=text_of(event, "return_reason", needed=False) or "no reason given",
        return_reference=text_of(event, "return_bank_reference"),
        returned_on=day_of(event, "returned_on"),
    )
    returned = return_deposit(session, actor, said, moment=moment)
    return "Deposit returned." if returned else "The deposit was returned before."


def _trust_account(session: Session, event: BankEvent) -> TrustAccount:
    account = session.execute(
        select(TrustAccount).where(TrustAccount.bank_account_ref == text_of(event, "account_id"))
    ).scalar_one_or_none()
    if account is None:
        message = "The bank names an account that we do not have."
        raise Invalid(message)
    return account


def _entry_returned(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    told = Told(
        trace_number=text_of(event, "trace_number", needed=False),
        identification=text_of(event, "identification", needed=False),
        code=text_of(event, "return_code"),
        amount_cents=cents_of(event),
        returned_on=day_of(event, "returned_on"),
    )
    done = take_back(session, actor, told, moment=moment)
    if done is None:
        message = "The bank returned a payment that we do not know."
        raise Invalid(message)
    which = told.identification or told.trace_number
    return f"Payment {which} returned." if done else f"Payment {which} was returned before."


def _run_of(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> PaymentRun:
    """Return the run that a file event is about, sent as far as we know from now on.

    The event proves that the bank has the file, even where we had not heard so ourselves.
    """
    run = locked_run(session, reference_of_file(session, event))
    file = live_file(session, run)
    if file is None or file.sha256 != text_of(event, "sha256"):
        message = f"The bank speaks of another file than the one sealed for run {run.reference}."
        raise Invalid(message)
    snapshot = FileSnapshot(text_of(event, "id"), file.sha256, BankStatus.RECEIVED, word_of(event))
    return record_transmitted(
        session, actor, run_ref=run.reference, snapshot=snapshot, moment=moment
    )


def reference_of_file(session: Session, event: BankEvent) -> str:
    """Return the reference of the run that a file belongs to: as the bank says, or by its hash."""
    told = text_of(event, "client_reference", needed=False)
    if told:
        return told
    found = session.execute(
        select(PaymentRun.reference)
        .join(BankFile, BankFile.run_id == PaymentRun.id)
        .where(BankFile.sha256 == text_of(event, "sha256"))
    )
    return found.scalar_one_or_none() or ""


def _foreign_file(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str:
    del actor
    sha256 = text_of(event, "sha256")
    sentence = (
        "The bank has a payment file that we did not make. Call the bank before its cut-off, and "
        "find out who may give it files in our name."
    )
    open_exception(session, FOREIGN_KIND, "bank_file", sha256[:64], sentence, now=moment.at)
    tell_stopped(session, f"{FOREIGN_KIND}:{sha256}", sentence, moment)
    return "Not ours."


def word_of(event: BankEvent) -> str:
    """Return the bank's own word, with its detail."""
    detail = event.data.get("detail")
    return f"{event.kind}: {detail}" if detail else event.kind


def text_of(event: BankEvent, name: str, *, needed: bool = True) -> str:
    """Return a text of an event; empty if it may be missing. Raises Invalid."""
    value = event.data.get(name)
    if isinstance(value, str) and value:
        return value
    if needed:
        raise _malformed(event, name)
    return ""


def cents_of(event: BankEvent) -> int:
    """Return the amount of an event in cents. Raises InvalidAmount."""
    return check_amount_cents(event.data.get("amount_cents"))


def day_of(event: BankEvent, name: str) -> date:
    """Return a day of an event. Raises Invalid."""
    try:
        return date.fromisoformat(text_of(event, name))
    except ValueError as error:
        raise _malformed(event, name) from error


def _malformed(event: BankEvent, name: str) -> Invalid:
    message = f"The bank's message {event.kind} has no usable {name}."
    return Invalid(message, errors={name: [message]})


def _subject(event: BankEvent) -> str:
    return f"{source_of(event.bank)}:{event.id}"[:64]


def _open(session: Session, kind: str, event: BankEvent, sentence: str, moment: Moment) -> None:
    open_exception(session, kind, "bank_event", _subject(event), sentence, now=moment.at)


_PAYMENT_WORDS: Final = {
    "payment.accepted": BankStatus.ACCEPTED,
    "payment.settled": BankStatus.SETTLED,
    "payment.rejected": BankStatus.REJECTED,
}
_MONEY_WORDS: Final = {"wire.received": ReceiptRail.WIRE, "deposit.received": ReceiptRail.CHECK}
_HANDLERS: Final[dict[str, _Handler]] = {
    "file.received": _file_received,
    "file.accepted": _file_accepted,
    "file.rejected": _file_rejected,
    "file.settled": _file_settled,
    "file.suspended": _file_suspended,
    "entry.returned": _entry_returned,
    "wire.received": _money_received,
    "deposit.received": _money_received,
    "deposit.returned": _deposit_returned,
    **dict.fromkeys(_PAYMENT_WORDS, _payment_told),
}
# These say nothing that changes a payment; files and statements are read from the folder.
_EXPECTED: Final = frozenset({"file.awaiting_totals", "statement.available", "entry.corrected"})
