"""What a scan has found and not yet handed on: faults and, if wanted, parsed records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrust.formats.nacha.faults import TOLERATED_CODES, WARNING_CODES, Fault
from seedtrust.formats.nacha.fields import RECORD_LENGTH, Kind
from seedtrust.formats.nacha.parsed import BatchHeader, Control, FileHeader, ParsedEntry, Unreadable

if TYPE_CHECKING:
    from seedtrust.formats.nacha.fields import Layout

Event = Fault | FileHeader | BatchHeader | ParsedEntry | Control | Unreadable

# Content of these kinds may name a person or an account, so faults do not repeat it.
_PRIVATE = frozenset({Kind.ACCOUNT, Kind.NAME, Kind.TEXT})


class Findings:
    """Collects events in the order of the file; `wants_records` adds the parsed ones."""

    def __init__(self, *, lenient: bool, wants_records: bool) -> None:
        """Start empty."""
        self.events: list[Event] = []
        self.lenient = lenient
        self.wants_records = wants_records

    def fault(self, line: int, column: int, field: str, code: str, message: str) -> None:
        """Add a fault; its code and the reader decide whether it is a warning."""
        is_warning = code in WARNING_CODES or (self.lenient and code in TOLERATED_CODES)
        self.events.append(Fault(line, column, field, code, message, is_warning))

    def of_line(self, line: int, column: int, code: str, message: str) -> None:
        """Add a fault that concerns a line, not a field."""
        self.fault(line, column, "record", code, message)

    def of_field(self, layout: Layout, name: str, line: int, code: str, message: str) -> None:
        """Add a fault of one field of a record."""
        self.fault(line, layout.field(name).start + 1, name, code, message)

    def misfits(self, layout: Layout, record: str, line: int, *, but: str = "") -> bool:
        """Add a fault for every field that does not fit; tell whether the length is right.

        The field named by `but` is left out.
        """
        if len(record) != RECORD_LENGTH:
            self.length(record, line)
            return False
        for field in layout.misfits(record):
            if field.name == but:
                continue
            found = "" if field.kind in _PRIVATE else f", not {record[field.place]!r}"
            message = f"The {field.title} {field.requirement}{found}."
            self.fault(line, field.start + 1, field.name, field.code, message)
        return True

    def length(self, record: str, line: int) -> None:
        """Add the fault of a record that has not 94 characters."""
        if "\n" in record or "\r" in record:
            message = "The records do not all end alike."
            self.of_line(line, min(len(record), RECORD_LENGTH) + 1, "line-end", message)
            return
        message = f"The record has {len(record)} characters instead of {RECORD_LENGTH}."
        column = min(len(record), RECORD_LENGTH) + 1
        self.of_line(line, column, "record-length", message)

    def unreadable(self, record: str, line: int) -> None:
        """Keep a record that cannot be taken for what it should be."""
        if self.wants_records:
            self.events.append(Unreadable(line, record))
