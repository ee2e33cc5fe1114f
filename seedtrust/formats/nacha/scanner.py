"""The one pass over records that validates them and, if asked, hands out what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.batchscan import BatchScan, KnownRouting, compare_numbers
from seedtrust.formats.nacha.fields import BLOCKING_FACTOR, FILLER, RECORD_LENGTH
from seedtrust.formats.nacha.parsed import Control, FileHeader
from seedtrust.formats.nacha.routing import is_valid_routing_number
from seedtrust.formats.nacha.rules import HASH_MODULUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from seedtrust.formats.nacha.findings import Event, Findings

_BLANK_BATCH = "5" + " " * (RECORD_LENGTH - 1)
_TYPES = "156789"
_HEADER_START = "101"
_FILLER_START = "9" * 20


def _is_filler(record: str) -> bool:
    """Tell whether a repaired record was a filler, perhaps a short one."""
    return record.startswith(_FILLER_START) and not record.strip("9 ")


def _is_foreign(kind: str, record: str) -> bool:
    """Tell whether a file that begins like this is something else altogether."""
    return kind not in _TYPES or (
        len(record) != RECORD_LENGTH and not record.startswith(_HEADER_START)
    )


class Scanner:
    """Takes the records of a file in their order and fills the findings."""

    def __init__(self, findings: Findings) -> None:
        """Begin before the first record."""
        self._line = 1
        self._findings = findings
        self._known: KnownRouting = {}
        self._batch: BatchScan | None = None
        self._is_foreign = False
        self._is_empty = True
        self._start_file()

    def _start_file(self) -> None:
        self._has_header = False
        self._is_ended = False
        self._is_advice = False
        self._created_on: date | None = None
        self._last_number = -1
        self._batches = 0
        self._records = 0
        self._fillers = 0
        self._entry_addenda = 0
        self._hash = 0
        self._debits = 0
        self._credits = 0

    def scan(self, source: Iterable[list[str]]) -> Iterator[Event]:
        """Yield what is found, after each list of records."""
        events = self._findings.events
        batch = None
        line = 0
        for records in source:
            for record in records:
                line += 1
                kind = record[:1]
                if kind == "6" and batch is not None:
                    batch.entry(record, line)
                elif kind == "7" and batch is not None:
                    batch.addenda(record, line)
                else:
                    self._line = line
                    self._other(kind, record)
                    batch = self._batch
                    if self._is_foreign:
                        break
            # Handing events on by the hundred is twice as fast as one by one.
            yield from events
            events.clear()
            if self._is_foreign:
                return
        self._line = max(line, 1)
        self._finish()
        yield from events
        events.clear()

    def _fault(self, code: str, message: str) -> None:
        self._findings.of_line(self._line, 1, code, message)

    def _other(self, kind: str, record: str) -> None:
        """Take a record that is not an entry or addenda inside a batch."""
        if not record.strip():
            self._fault("blank-line", "The line is blank.")
            return
        is_first, self._is_empty = self._is_empty, False
        if record == FILLER or (self._findings.lenient and _is_filler(record)):
            self._filler()
        elif is_first and not self._findings.lenient and _is_foreign(kind, record):
            self._is_foreign = True
            self._fault("foreign-file", "This is not a NACHA file.")
        elif self._may_go_on(kind):
            self._records += 1
            self._structure(kind, record)

    def _may_go_on(self, kind: str) -> bool:
        """Begin a new file where one does; tell whether the record is to be looked at."""
        if self._is_ended:
            self._fault("after-file-control", "Something stands after the file control record.")
            if kind != "1" and not self._findings.lenient:
                return False
            self._check_filler()
            self._start_file()
            self._has_header = kind != "1"
        elif kind == "1" and (self._has_header or self._batch is not None):
            self._fault("record-order", "A file header stands inside a file.")
            self._without_file_control()
            self._start_file()
        if kind != "1" and not self._has_header:
            self._fault("missing-file-header", "The file has no file header record.")
            self._has_header = True
        return True

    def _structure(self, kind: str, record: str) -> None:
        if kind == "1":
            self._header(record)
        elif kind == "5":
            self._close_batch()
            self._open_batch(record)
        elif kind == "8" and self._batch is not None:
            self._batch.control(record, self._line)
            self._add_batch(self._batch)
        elif kind == "9":
            self._close_batch()
            self._control(record)
        elif kind == "6":
            self._fault("missing-batch-header", "The entry stands outside of a batch.")
            self._batches += 1
            self._records -= 1
            self._batch = BatchScan(
                self._findings, _BLANK_BATCH, self._line, self._known, self._created_on
            )
            self._batch.entry(record, self._line)
        else:
            if kind in _TYPES:
                self._fault("record-order", f"A record of type {kind} does not belong here.")
            else:
                self._fault("record-type", f"There is no record type {kind!r}.")
            self._findings.unreadable(record, self._line)

    def _header(self, record: str) -> None:
        self._has_header = True
        findings, layout, line = self._findings, layouts.FILE_HEADER, self._line
        if not layout.match.match(record) and not findings.misfits(layout, record, line):
            findings.unreadable(record, line)
            return
        header = FileHeader(layout, record, line)
        self._created_on = header.created_on
        self._check_destination(record[3:13])
        if findings.wants_records:
            findings.events.append(header)

    def _check_destination(self, text: str) -> None:
        if not text.strip() or is_valid_routing_number(text.removeprefix(" ")):
            return
        name = "immediate_destination"
        if text[0] == " " and text[1:].isdecimal():
            code = "routing-number"
            message = "The immediate destination is not a valid routing number."
        else:
            code = "destination-odd"
            message = "The immediate destination is not a blank and a routing number."
        self._findings.of_field(layouts.FILE_HEADER, name, self._line, code, message)

    def _open_batch(self, record: str) -> None:
        batch = BatchScan(self._findings, record, self._line, self._known, self._created_on)
        self._batch = batch
        self._batches += 1
        self._is_advice = self._is_advice or batch.sec.code == "ADV"
        number = batch.header.number("batch_number")
        if number is None:
            return
        if number <= self._last_number:
            message = "The batch numbers of a file must ascend."
            layout = batch.sec.batch
            self._findings.of_field(layout, "batch_number", self._line, "batch-order", message)
        self._last_number = number

    def _add_batch(self, batch: BatchScan) -> None:
        self._records += batch.records
        self._entry_addenda += batch.records
        self._hash += batch.entry_hash
        self._debits += batch.debit_cents
        self._credits += batch.credit_cents
        self._batch = None

    def _close_batch(self) -> None:
        """End a batch that has no control record."""
        batch = self._batch
        if batch is not None:
            batch.close(self._line)
            self._fault("missing-batch-control", "The batch has no batch control record.")
            self._add_batch(batch)

    def _control(self, record: str) -> None:
        self._is_ended = True
        findings, line = self._findings, self._line
        layout = layouts.ADV_FILE_CONTROL if self._is_advice else layouts.FILE_CONTROL
        if not layout.match.match(record) and not findings.misfits(layout, record, line):
            findings.unreadable(record, line)
            return
        blocks = -(-self._records // BLOCKING_FACTOR)
        actual = {
            "batch_count": self._batches,
            "entry_addenda_count": self._entry_addenda,
            "entry_hash": self._hash % HASH_MODULUS,
            "debit_cents": self._debits,
            "credit_cents": self._credits,
        }
        compare_numbers(findings, layout, record, line, actual)
        compare_numbers(findings, layout, record, line, {"block_count": blocks}, code="block-count")
        if self._batches == 0:
            self._fault("no-batches", "The file has no batches.")
        if findings.wants_records:
            findings.events.append(Control(layout, record, line))

    def _filler(self) -> None:
        if not self._is_ended:
            if not self._has_header:
                self._fault("missing-file-header", "The file has no file header record.")
            self._without_file_control()
            self._is_ended = True
        self._fillers += 1

    def _without_file_control(self) -> None:
        self._close_batch()
        self._fault("missing-file-control", "The file has no file control record.")

    def _check_filler(self) -> None:
        expected = -self._records % BLOCKING_FACTOR
        if self._fillers != expected:
            message = f"The file must end with {expected} records of nines, it has {self._fillers}."
            self._fault("filler", message)

    def _finish(self) -> None:
        if self._is_empty:
            self._fault("empty-file", "The file is empty.")
        elif self._is_ended:
            self._check_filler()
        else:
            self._without_file_control()
