"""The bank's NACHA files to us: returns and notifications of change, read strictly and once."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.errors import Invalid
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments.achfile import sha256_of
from seedtrust.domain.payments.corrections import Noted, note_correction
from seedtrust.domain.payments.models import BankInboxItem
from seedtrust.domain.payments.returns import Told, take_back
from seedtrust.formats.nacha import EntryKind, ParsedEntry, ParsedFile, read_file

SOURCE: Final = "returns"
BETWEEN_BANKS_KIND: Final = "return.between_banks"
_DISPUTES: Final = frozenset({EntryKind.DISHONOURED, EntryKind.CONTESTED, EntryKind.REFUSED_CHANGE})


class Taker(Protocol):
    """What takes returns of something else than payments; None for what is not its own."""

    def __call__(
        self, session: Session, actor: Actor, told: Told, *, moment: Moment
    ) -> bool | None:
        """Apply a return; False if it is known already."""
        ...


@dataclass
class AnswerFile:
    """What a file of the bank changed, entry by entry."""

    returned: int = 0
    known_before: int = 0
    unknown: int = 0
    shown: int = 0
    corrected: int = 0


def apply_answer_file(
    session: Session,
    actor: Actor,
    *,
    file_name: str,
    content: bytes,
    keyring: Keyring,
    others: Taker | None = None,
    moment: Moment,
) -> AnswerFile:
    """Apply a file of returns and changes, whole and once; entries are matched by original trace.

    The file is read strictly: one that breaks a rule of the standard, or holds anything but
    answers to what we sent, is refused whole. What the bank's events have told already changes
    nothing here. Entries that belong to none of our payments become exception items; disputes
    between the banks are shown and never answered. Raises Invalid.
    """
    sha256 = sha256_of(content)
    result = AnswerFile()
    if _is_known(session, sha256):
        return result
    for entry in _strictly_read(file_name, content).entries:
        if entry.kind is EntryKind.CHANGE:
            _note(session, actor, entry, result, keyring, moment)
        else:
            _apply(session, actor, entry, result, others or _nobody, moment)
    counts = {name: count for name, count in vars(result).items() if count}
    session.add(
        BankInboxItem(
            id=new_id(),
            source=SOURCE,
            external_id=sha256,
            kind="return_file",
            payload={"file": file_name, **counts},
            received_at=moment.at,
            applied_at=moment.at,
            outcome=", ".join(f"{count} {name}" for name, count in counts.items()),
        )
    )
    return result


def _is_known(session: Session, sha256: str) -> bool:
    known = select(BankInboxItem.id).where(
        BankInboxItem.source == SOURCE, BankInboxItem.external_id == sha256
    )
    return session.execute(known).scalar_one_or_none() is not None


def _strictly_read(file_name: str, content: bytes) -> ParsedFile:
    parsed = read_file(io.BytesIO(content))
    if not parsed.is_valid or not parsed.batches:
        first = next((fault for fault in parsed.faults if not fault.is_warning), None)
        why = "it holds no entries." if first is None else f"line {first.line}: {first.message}"
        message = (
            f"The file {file_name} breaks the rules of its format ({why}). "
            "Nothing of it was applied. Ask the bank to send it again."
        )
        raise Invalid(message, file=file_name)
    foreign = [entry for entry in parsed.entries if entry.kind not in _ANSWERS]
    if foreign:
        message = (
            f"The file {file_name} holds {len(foreign)} entries that answer nothing of ours. "
            "Nothing of it was applied. Ask the bank what it is."
        )
        raise Invalid(message, file=file_name)
    return parsed


def _nobody(session: Session, actor: Actor, told: Told, *, moment: Moment) -> bool | None:
    del session, actor, told, moment
    return None


def _apply(  # noqa: PLR0917 - one entry, who may take it, and where its effect is counted
    session: Session,
    actor: Actor,
    entry: ParsedEntry,
    result: AnswerFile,
    others: Taker,
    moment: Moment,
) -> None:
    if entry.kind in _DISPUTES:
        _show(session, entry, moment)
        result.shown += 1
        return
    told = Told(
        trace_number=entry.original_trace,
        identification=entry.identification,
        code=entry.return_code,
        amount_cents=entry.amount_cents,
        returned_on=_day_of(entry, moment),
    )
    done = others(session, actor, told, moment=moment)
    if done is None:
        done = take_back(session, actor, told, moment=moment)
    if done is None:
        result.unknown += 1
    elif done:
        result.returned += 1
    else:
        result.known_before += 1


def _note(  # noqa: PLR0917 - one entry, and where its effect is counted
    session: Session,
    actor: Actor,
    entry: ParsedEntry,
    result: AnswerFile,
    keyring: Keyring,
    moment: Moment,
) -> None:
    noted = Noted(
        trace_number=entry.original_trace,
        identification=entry.identification,
        change_code=entry.change_code,
        corrected_data=entry.corrected_data,
        noted_on=_day_of(entry, moment),
    )
    if note_correction(session, actor, noted, keyring=keyring, moment=moment) is not None:
        result.corrected += 1


def _show(session: Session, entry: ParsedEntry, moment: Moment) -> None:
    open_exception(
        session,
        BETWEEN_BANKS_KIND,
        "return",
        f"{entry.trace_number}:{entry.original_trace}"[:64],
        "The banks dispute a return. Nothing was booked; look at what the bank says about it.",
        now=moment.at,
    )


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


_ANSWERS: Final = frozenset({EntryKind.RETURN, EntryKind.CHANGE, *_DISPUTES})
