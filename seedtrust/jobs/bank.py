"""Listening to the bank: its events in order, and the answers that it leaves for us in files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.db import is_duplicate_key
from seedtrust.core.errors import DomainError
from seedtrust.core.failpoints import reach
from seedtrust.core.permissions import Actor
from seedtrust.domain.echecks.bankside import apply_to_echecks, take_back
from seedtrust.domain.payments import events, inbox
from seedtrust.domain.payments.answers import apply_answer_file
from seedtrust.domain.payments.corrections import note_from_bank
from seedtrust.domain.payments.ports import (
    FILE_DROP,
    HUNTINGTON,
    BankError,
    BankEvent,
    InboundFile,
    PaymentSnapshot,
)
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools, system

_NACHA_FILES = ".ach"


def poll_events(tools: Tools, bank: str = FILE_DROP) -> tuple[int, int]:
    """Read and apply what a bank says since we last asked; returns (applied, kept for later).

    One event that cannot be applied is kept, shown to a person, tried again at the next poll, and
    stops no other.
    """
    actor, line = system("payments.poll"), tools.bank_of(bank)
    kept = reading(lambda session: events.unapplied(session, bank))
    done, failed = _apply_all(tools, actor, kept)
    after = reading(lambda session: events.cursor_of(session, bank))
    while True:
        try:
            page = line.list_events(after)
        except BankError:
            _mark_link(tools, bank, healthy=False)
            return done, failed + 1
        reach("events.read")
        ours = _for_this_line(page.events)
        applied, refused = _apply_all(tools, actor, ours)
        done, failed = done + applied, failed + refused
        if page.next_cursor != after:
            _move_cursor(tools, bank, page.next_cursor)
        after = page.next_cursor
        if not page.has_more or not page.events:
            break
    _mark_link(tools, bank, healthy=True)
    return done, failed


def poll_interface(tools: Tools) -> tuple[int, int]:
    """Read and apply what the bank that takes single payments says; returns (applied, kept)."""
    return poll_events(tools, HUNTINGTON)


def _for_this_line(found: Sequence[BankEvent]) -> list[BankEvent]:
    return reading(lambda session: [one for one in found if events.concerns(session, one)])


def _apply_all(tools: Tools, actor: Actor, found: Sequence[BankEvent]) -> tuple[int, int]:
    """Apply events in their order; a payment that several of them name is asked about once."""
    asked: dict[str, PaymentSnapshot | None] = {}
    done = failed = 0
    for event in found:
        applied = _apply(tools, actor, event, _snapshot(tools, event, asked))
        done, failed = done + applied, failed + (not applied)
    return done, failed


def _snapshot(
    tools: Tools, event: BankEvent, asked: dict[str, PaymentSnapshot | None]
) -> PaymentSnapshot | None:
    """Return what the bank says about the payment that an event names, None if it says nothing."""
    reference = event.data.get("client_reference")
    if event.kind != events.CHANGED or not isinstance(reference, str):
        return None
    if reference not in asked:
        try:
            asked[reference] = tools.bank_of(event.bank).find_payment(reference)
        except BankError:
            asked[reference] = None
    return asked[reference]


def _apply(tools: Tools, actor: Actor, event: BankEvent, snapshot: PaymentSnapshot | None) -> bool:
    moment = tools.moment()

    def apply(session: Session) -> None:
        events.apply_event(
            session, actor, event, snapshot=snapshot, others=apply_to_echecks, moment=moment
        )
        if snapshot is not None:
            note_from_bank(session, actor, snapshot, keyring=tools.keyring, moment=moment)

    try:
        in_transaction(apply)
    except DomainError as refusal:
        kept = refusal
        in_transaction(lambda session: events.keep_unapplied(session, event, kept, moment=moment))
        return False
    except IntegrityError as error:
        # Another poll was faster with this very event; its effect is committed with its row.
        if not is_duplicate_key(error):
            raise
    reach("events.applied")
    return True


def _move_cursor(tools: Tools, bank: str, after: str) -> None:
    moment = tools.moment()
    in_transaction(lambda session: events.move_cursor(session, bank, after, moment=moment))


def fetch_inbound(tools: Tools) -> tuple[int, int]:
    """Read the NACHA files that the bank left: returns and notifications of change.

    Whatever their names are, each is read strictly and applied whole; a broken one is put in
    front of a person, stops no other and is tried again.
    """
    actor = system("files.fetch_inbound")
    done = failed = 0
    for file in waiting_files(tools, "", _NACHA_FILES):
        try:
            _take_answers(tools, actor, file)
            done += 1
        except (DomainError, BankError) as refusal:
            report_file(tools, file, refusal)
            failed += 1
    return done, failed


def _take_answers(tools: Tools, actor: Actor, file: InboundFile) -> None:
    content, moment = tools.bank.download(file.name), tools.moment()

    def apply(session: Session) -> None:
        apply_answer_file(
            session,
            actor,
            file_name=file.name,
            content=content,
            keyring=tools.keyring,
            others=take_back,
            moment=moment,
        )
        inbox.mark_taken(session, file, moment=moment)

    take_once(file, apply)


def take_once(file: InboundFile, work: Callable[[Session], None]) -> None:
    """Take a file in one unit of work, unless another worker was faster with this very file."""
    try:
        in_transaction(work)
    except IntegrityError as error:
        # What it did is committed with its mark; ours is undone.
        if not is_duplicate_key(error) or reading(lambda s: inbox.not_taken(s, [file])):
            raise


def waiting_files(tools: Tools, prefix: str, suffix: str) -> list[InboundFile]:
    """Return the bank's files of a kind that were not taken yet; none if it cannot be reached."""
    try:
        found = tools.bank.list_inbound()
    except BankError:
        return []
    wanted = [file for file in found if file.name.startswith(prefix) and file.name.endswith(suffix)]
    return reading(lambda session: inbox.not_taken(session, wanted))


def report_file(tools: Tools, file: InboundFile, refusal: DomainError | BankError) -> None:
    """Put a file that could not be taken in front of a person; it is tried again."""
    now = tools.clock.now()
    sentence = refusal.detail if isinstance(refusal, DomainError) else refusal.sentence
    in_transaction(lambda session: inbox.refuse(session, file, sentence, now=now))


def _mark_link(tools: Tools, bank: str, *, healthy: bool) -> None:
    moment = tools.moment()
    in_transaction(lambda session: events.mark_link(session, bank, healthy=healthy, moment=moment))
