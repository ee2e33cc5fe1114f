"""Listening to the bank: its events in order, and the answers that it leaves for us in files."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.db import is_duplicate_key
from seedtrust.core.errors import DomainError
from seedtrust.core.failpoints import reach
from seedtrust.core.permissions import Actor
from seedtrust.domain.payments import events, inbox
from seedtrust.domain.payments.answers import apply_answer_file
from seedtrust.domain.payments.ports import BankError, BankEvent, InboundFile
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools, system

CURSOR = "bank"
_NACHA_FILES = ".ach"


def poll_events(tools: Tools) -> tuple[int, int]:
    """Read and apply what the bank says since we last asked; returns (applied, kept for later).

    One event that cannot be applied is kept, shown to a person, tried again at the next poll, and
    stops no other.
    """
    actor = system("payments.poll")
    done = failed = 0
    for event in reading(events.unapplied):
        applied = _apply(tools, actor, event, after=None)
        done, failed = done + applied, failed + (not applied)
    after = reading(lambda session: events.cursor_of(session, CURSOR))
    while True:
        try:
            page = tools.bank.list_events(after)
        except BankError:
            _mark_link(tools, healthy=False)
            return done, failed + 1
        reach("events.read")
        for event in page.events:
            applied = _apply(tools, actor, event, after=event.id)
            done, failed = done + applied, failed + (not applied)
        after = page.next_cursor
        if not page.has_more or not page.events:
            break
    _mark_link(tools, healthy=True)
    return done, failed


def _apply(tools: Tools, actor: Actor, event: BankEvent, *, after: str | None) -> bool:
    moment = tools.moment()

    def apply(session: Session) -> None:
        events.apply_event(session, actor, event, moment=moment)
        if after is not None:
            events.move_cursor(session, CURSOR, after, moment=moment)

    try:
        in_transaction(apply)
    except DomainError as refusal:
        kept = refusal

        def keep(session: Session) -> None:
            events.keep_unapplied(session, event, kept, moment=moment)
            if after is not None:
                events.move_cursor(session, CURSOR, after, moment=moment)

        in_transaction(keep)
        return False
    except IntegrityError as error:
        # Another poll was faster with this very event; its effect is committed with its row.
        if not is_duplicate_key(error):
            raise
    reach("events.applied")
    return True


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


def _mark_link(tools: Tools, *, healthy: bool) -> None:
    moment = tools.moment()
    in_transaction(
        lambda session: events.mark_link(session, CURSOR, healthy=healthy, moment=moment)
    )
