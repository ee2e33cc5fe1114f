"""What the readers give: thin views over records, whose fields are cut out when asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.codes import TRANSACTION_CODES, Meaning
from seedtrust.formats.nacha.corrections import Correction, read_correction
from seedtrust.formats.nacha.reasons import CHANGE_CODES, RETURN_CODES, ChangeCode, ReturnCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedtrust.formats.nacha.faults import Fault
    from seedtrust.formats.nacha.fields import Layout

_NUMBER = re.compile(r" *[0-9]+ *", re.ASCII)
_DATE = re.compile(r"[0-9]{6}", re.ASCII)
_CENTURY = 2000
_LAST_CREDIT_DIGIT = 4
_SHOWN = 4
_MASKED = frozenset({"account_number", "corrected_data"})


class Record:
    """One record of 94 characters with its layout and its place in the file."""

    __slots__ = ("layout", "line", "text")

    def __init__(self, layout: Layout, text: str, line: int) -> None:
        """Keep the record as it stands; nothing is cut out yet."""
        self.layout = layout
        self.text = text
        self.line = line

    def field(self, name: str) -> str:
        """Return the field without the blanks that fill it, empty if the record has none such."""
        place = self.layout.slices.get(name)
        return "" if place is None else self.text[place].rstrip()

    def number(self, name: str) -> int | None:
        """Return the field as a whole number, None if it is none."""
        text = self.field(name)
        return int(text) if _NUMBER.fullmatch(text) else None

    def day(self, name: str) -> date | None:
        """Return the field as a date of this century, None if it is none."""
        text = self.field(name)
        if not _DATE.fullmatch(text):
            return None
        try:
            return date(_CENTURY + int(text[:2]), int(text[2:4]), int(text[4:]))
        except ValueError:
            return None

    def fields(self) -> dict[str, str]:
        """Return every field that is not reserved; account numbers show the last four digits."""
        return {
            field.name: mask(self.field(field.name))
            if field.name in _MASKED
            else self.field(field.name)
            for field in self.layout.fields
            if not field.name.startswith("reserved")
        }

    def __repr__(self) -> str:
        """Return the kind and the line only: records hold account numbers."""
        return f"<{type(self).__name__} {self.layout.name} at line {self.line}>"


def mask(text: str) -> str:
    """Return the text with all but its last four characters replaced, for screens and logs.

    A text of four characters or fewer is replaced altogether.
    """
    shown = text[-_SHOWN:] if len(text) > _SHOWN else ""
    return "*" * (len(text) - len(shown)) + shown


class FileHeader(Record):
    """The file header."""

    __slots__ = ()

    @property
    def immediate_destination(self) -> str:
        """The routing number that the file goes to, or ten characters if it is no such number."""
        text = self.text[self.layout.slices["immediate_destination"]]
        return text[1:] if text[:1] == " " and text[1:].isdecimal() else text

    @property
    def immediate_origin(self) -> str:
        """The ten characters that name the sender, as they stand."""
        return self.text[self.layout.slices["immediate_origin"]]

    @property
    def created_on(self) -> date | None:
        """The date of creation, None if it cannot be read."""
        return self.day("created_on")

    @property
    def created_at(self) -> datetime | None:
        """The local wall time of creation, midnight if only the date is given."""
        day = self.created_on
        if day is None:
            return None
        text = self.field("created_at_time")
        try:
            return datetime.combine(day, time(int(text[:2]), int(text[2:])))
        except ValueError:
            return datetime.combine(day, time())

    @property
    def file_id_modifier(self) -> str:
        """The letter or digit that tells the files of one day apart."""
        return self.field("file_id_modifier")

    @property
    def destination_name(self) -> str:
        """The receiving bank's name."""
        return self.field("destination_name")

    @property
    def origin_name(self) -> str:
        """The sender's name."""
        return self.field("origin_name")

    @property
    def reference_code(self) -> str:
        """The sender's own reference."""
        return self.field("reference_code")


class BatchHeader(Record):
    """The header of a batch; numbers are 0 where they cannot be read."""

    __slots__ = ()

    @property
    def service_class(self) -> int:
        """200 mixed, 220 credits only, 225 debits only, 280 advices."""
        return self.number("service_class") or 0

    @property
    def company_name(self) -> str:
        """The originator's name as the receiver sees it; empty in an international batch."""
        return self.field("company_name")

    @property
    def company_discretionary_data(self) -> str:
        """The originator's own text, which comes back on returns."""
        return self.field("company_discretionary_data")

    @property
    def company_identification(self) -> str:
        """The originator's number, as its bank assigned it."""
        return self.field("company_identification")

    @property
    def sec_code(self) -> str:
        """The standard entry class: PPD, CCD, COR and so on."""
        return self.field("sec_code")

    @property
    def entry_description(self) -> str:
        """The description that the receiver sees."""
        return self.field("entry_description")

    @property
    def descriptive_date(self) -> str:
        """The originator's free text for a date, or the same-day marker."""
        return self.field("descriptive_date")

    @property
    def effective_on(self) -> date | None:
        """The banking day for which the originator asked, None if it cannot be read."""
        return self.day("effective_on")

    @property
    def settlement_day(self) -> int | None:
        """The day of the year of settlement that the operator filled in, if it did."""
        return self.number("settlement_day")

    @property
    def odfi_identification(self) -> str:
        """Eight digits of the bank that sent the batch: of a return, the returning bank."""
        return self.field("odfi_identification")

    @property
    def batch_number(self) -> int:
        """The number of the batch within the file."""
        return self.number("batch_number") or 0

    @property
    def is_missing(self) -> bool:
        """Tell whether the file had no header here and this one stands in for it."""
        return not self.text[1:].strip()


class Control(Record):
    """The control record of a batch or a file; None where a number cannot be read."""

    __slots__ = ()

    @property
    def is_of_file(self) -> bool:
        """Tell the control of a file from that of a batch."""
        return "batch_count" in self.layout.slices

    @property
    def batch_count(self) -> int | None:
        """The number of batches, in a file control."""
        return self.number("batch_count")

    @property
    def block_count(self) -> int | None:
        """The number of blocks of ten records, in a file control."""
        return self.number("block_count")

    @property
    def entry_addenda_count(self) -> int | None:
        """The number of entries and addenda."""
        return self.number("entry_addenda_count")

    @property
    def entry_hash(self) -> int | None:
        """The low ten digits of the sum of the receiving banks' eight digits."""
        return self.number("entry_hash")

    @property
    def debit_cents(self) -> int | None:
        """The sum of all debits in cents."""
        return self.number("debit_cents")

    @property
    def credit_cents(self) -> int | None:
        """The sum of all credits in cents."""
        return self.number("credit_cents")


class ParsedAddenda(Record):
    """One addenda record of any type."""

    __slots__ = ()

    @property
    def type_code(self) -> str:
        """The addenda type, two digits."""
        return self.text[1:3]


class EntryKind(StrEnum):
    """What an entry is to its reader."""

    FORWARD = "forward"
    PRENOTE = "prenote"
    RETURN = "return"
    CHANGE = "change"
    DISHONOURED = "dishonoured return"
    CONTESTED = "contested return"
    REFUSED_CHANGE = "refused change"


_KINDS = {
    layouts.ADDENDA_99.name: EntryKind.RETURN,
    layouts.IAT_ADDENDA_99.name: EntryKind.RETURN,
    layouts.DISHONOURED_RETURN.name: EntryKind.DISHONOURED,
    layouts.CONTESTED_RETURN.name: EntryKind.CONTESTED,
    layouts.ADDENDA_98.name: EntryKind.CHANGE,
    layouts.IAT_ADDENDA_98.name: EntryKind.CHANGE,
    layouts.REFUSED_CHANGE.name: EntryKind.REFUSED_CHANGE,
}


class ParsedEntry(Record):
    """One entry with its addenda and the header of its batch.

    The transaction code and the amount can always be read: an entry where they cannot is kept
    apart, as an `Unreadable`.
    """

    __slots__ = ("addenda", "batch")

    def __init__(
        self,
        layout: Layout,
        text: str,
        line: int,
        batch: BatchHeader,
        addenda: tuple[ParsedAddenda, ...],
    ) -> None:
        """Keep the records; nothing is cut out yet."""
        self.layout = layout
        self.text = text
        self.line = line
        self.batch = batch
        self.addenda = addenda

    @property
    def transaction_code(self) -> int:
        """The kind of account and what happens to it."""
        return int(self.text[1:3])

    @property
    def routing_number(self) -> str:
        """The nine digits of the receiving bank."""
        return self.text[3:12].strip()

    @property
    def account_number(self) -> str:
        """The account at the receiving bank."""
        return self.field("account_number").strip()

    @property
    def account_last_four(self) -> str:
        """The last four characters of the account number, fewer if it is short."""
        return mask(self.account_number).lstrip("*")

    @property
    def amount_cents(self) -> int:
        """The amount in cents."""
        return int(self.text[self.layout.slices["amount_cents"]])

    @property
    def identification(self) -> str:
        """The individual or company identification: our payment reference."""
        return self.field("identification")

    @property
    def name(self) -> str:
        """The receiver's name; of an international entry, from its first addenda."""
        if "name" in self.layout.slices:
            return self.field("name")
        return next((row.field("name") for row in self.addenda if row.type_code == "10"), "")

    @property
    def discretionary(self) -> str:
        """Two characters of the originator; the payment type of WEB and TEL."""
        return self.field("discretionary")

    @property
    def trace_number(self) -> str:
        """The fifteen digits of this entry (of a return: the returning bank's)."""
        return self.field("trace_number")

    @property
    def is_debit(self) -> bool:
        """Tell whether the entry takes money from the receiver, or returns such an entry."""
        row = TRANSACTION_CODES.get(self.transaction_code)
        if row is None:
            return self.transaction_code % 10 > _LAST_CREDIT_DIGIT
        return row.is_debit

    @property
    def remittance(self) -> tuple[str, ...]:
        """The texts of the 05 addenda."""
        rows = (row for row in self.addenda if row.type_code == "05")
        return tuple(row.field("payment_information") for row in rows)

    @property
    def reason(self) -> ParsedAddenda | None:
        """The addenda that says why the entry came back or what should change."""
        return next((row for row in self.addenda if row.type_code in {"98", "99"}), None)

    @property
    def kind(self) -> EntryKind:
        """Tell a payment from a prenote, a return, a change and their disputes."""
        reason = self.reason
        if reason is not None:
            return _KINDS[reason.layout.name]
        row = TRANSACTION_CODES.get(self.transaction_code)
        is_prenote = row is not None and row.meaning is Meaning.PRENOTE
        return EntryKind.PRENOTE if is_prenote else EntryKind.FORWARD

    def _of_reason(self, name: str) -> str:
        reason = self.reason
        return "" if reason is None else reason.field(name)

    @property
    def return_code(self) -> str:
        """The return code, such as R01; empty if the entry is no return."""
        return self._of_reason("return_code")

    @property
    def return_reason(self) -> ReturnCode | None:
        """The row of the table of return codes, None if there is none for the code."""
        return RETURN_CODES.get(self.return_code)

    @property
    def change_code(self) -> str:
        """The change code, such as C02; empty if the entry is no notification of change."""
        return self._of_reason("change_code")

    @property
    def change_reason(self) -> ChangeCode | None:
        """The row of the table of change codes, None if there is none for the code."""
        return CHANGE_CODES.get(self.change_code)

    @property
    def original_trace(self) -> str:
        """The trace number of the entry that this one answers."""
        return self._of_reason("original_trace").strip()

    @property
    def original_routing(self) -> str:
        """Eight digits of the bank that the original went to."""
        return self._of_reason("original_routing").strip()

    @property
    def information(self) -> str:
        """The free text of a return."""
        return self._of_reason("information")

    @property
    def died_on(self) -> date | None:
        """The date of death, in returns R14 and R15."""
        reason = self.reason
        return None if reason is None else reason.day("date_of_death")

    @property
    def corrected_data(self) -> str:
        """The corrected data as it stands, for a person to read."""
        return self._of_reason("corrected_data")

    @property
    def correction(self) -> Correction | None:
        """The corrected values, None if the entry is no notification of change."""
        if not self.change_code:
            return None
        return read_correction(self.change_code, self.corrected_data)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be taken for what it should be; `text` may hold account numbers."""

    line: int
    text: str

    def __repr__(self) -> str:
        """Return the line only."""
        return f"<Unreadable at line {self.line}>"


@dataclass(frozen=True, slots=True)
class ParsedBatch:
    """One batch; `header.is_missing` or no control if the file lacked them."""

    header: BatchHeader
    entries: tuple[ParsedEntry, ...]
    control: Control | None


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file, or all files that stood in one: header of the first, control of the last."""

    header: FileHeader | None
    batches: tuple[ParsedBatch, ...]
    control: Control | None
    faults: tuple[Fault, ...]
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Tell whether nothing is wrong; warnings do not count."""
        return all(fault.is_warning for fault in self.faults)

    @property
    def entries(self) -> Iterator[ParsedEntry]:
        """Yield the entries of all batches in their order."""
        for batch in self.batches:
            yield from batch.entries
