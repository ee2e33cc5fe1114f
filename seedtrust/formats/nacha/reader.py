"""The readers: validate a file, read it whole, or stream its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrust.formats.nacha.faults import Fault, ReadError
from seedtrust.formats.nacha.findings import Findings
from seedtrust.formats.nacha.parsed import (
    BatchHeader,
    Control,
    FileHeader,
    ParsedBatch,
    ParsedEntry,
    ParsedFile,
    Unreadable,
)
from seedtrust.formats.nacha.scanner import Scanner
from seedtrust.formats.nacha.sources import LenientSource, strict_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from seedtrust.formats.nacha.findings import Event


def read_events(
    stream: BinaryIO,
    *,
    lenient: bool = False,
    wants_records: bool = True,
) -> Iterator[Event]:
    """Yield headers, entries, controls, unreadable records and faults as they come. Streams."""
    findings = Findings(lenient=lenient, wants_records=wants_records)
    source: Iterable[list[str]] = (
        LenientSource(stream, findings.of_line)
        if lenient
        else strict_records(stream, findings.of_line)
    )
    return Scanner(findings).scan(source)


def validate(stream: BinaryIO, *, lenient: bool = False) -> Iterator[Fault]:
    """Yield everything that is wrong with a file, in the order of its records.

    Streams: memory does not grow with the file. A file is valid if every fault is a warning.
    With `lenient`, deviations of form that the lenient reader repairs are warnings as well.
    """
    for event in read_events(stream, lenient=lenient, wants_records=False):
        assert isinstance(event, Fault)
        yield event


def read_entries(
    stream: BinaryIO,
    *,
    lenient: bool = False,
    on_fault: Callable[[Fault], None] | None = None,
) -> Iterator[ParsedEntry]:
    """Yield the entries of a file one by one, each with its addenda and batch header.

    Streams. Faults go to `on_fault`; without it they raise ReadError in the strict reader
    (warnings do not) and are dropped by the lenient one, which never raises. Control totals
    come last: do nothing final with an entry before the iterator has ended.
    """
    for event in read_events(stream, lenient=lenient):
        if isinstance(event, ParsedEntry):
            yield event
        elif isinstance(event, Fault):
            if on_fault is not None:
                on_fault(event)
            elif not (lenient or event.is_warning):
                raise ReadError(event)


class _Assembly:
    """A file as it grows together from events."""

    def __init__(self) -> None:
        self.header: FileHeader | None = None
        self.control: Control | None = None
        self.faults: list[Fault] = []
        self.unreadable: list[Unreadable] = []
        self.batches: list[ParsedBatch] = []
        self._batch: BatchHeader | None = None
        self._entries: list[ParsedEntry] = []

    def add(self, event: Event) -> None:
        if isinstance(event, ParsedEntry):
            self._entries.append(event)
        elif isinstance(event, Fault):
            self.faults.append(event)
        elif isinstance(event, BatchHeader):
            self.end_batch(None)
            self._batch = event
        elif isinstance(event, FileHeader):
            self.header = self.header or event
        elif isinstance(event, Unreadable):
            self.unreadable.append(event)
        elif event.is_of_file:
            self.control = event
        else:
            self.end_batch(event)

    def end_batch(self, control: Control | None) -> None:
        if self._batch is not None:
            self.batches.append(ParsedBatch(self._batch, tuple(self._entries), control))
        self._batch = None
        self._entries = []


def read_file(stream: BinaryIO, *, lenient: bool = False) -> ParsedFile:
    """Read a whole file into memory, with everything that is wrong with it; never raises.

    The strict reader takes the file as it stands; the lenient one repairs lines, does without
    missing headers, controls and filler, and goes on to the end whatever it meets. A record
    that could not be read either way is among the `unreadable`.
    """
    assembly = _Assembly()
    for event in read_events(stream, lenient=lenient):
        assembly.add(event)
    assembly.end_batch(None)
    return ParsedFile(
        assembly.header,
        tuple(assembly.batches),
        assembly.control,
        tuple(assembly.faults),
        tuple(assembly.unreadable),
    )
