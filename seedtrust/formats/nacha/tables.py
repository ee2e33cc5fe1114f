"""From a spreadsheet of entries and a page about the company to a file that can be written."""

from __future__ import annotations

import csv
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from seedtrust.core.bankdays import next_banking_day
from seedtrust.core.errors import InvalidAmount
from seedtrust.core.money import parse_dollars
from seedtrust.formats.nacha.codes import TRANSACTION_CODES, Account, Meaning, ServiceClass
from seedtrust.formats.nacha.outgoing import (
    Offset,
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingEntry,
    OutgoingFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_REQUIRED_COLUMNS: Final = ("name", "routing_number", "account_number", "amount")
_OPTIONAL_COLUMNS: Final = (
    "account_type",
    "direction",
    "transaction_code",
    "identification",
    "discretionary",
    "addenda",
)
_CODES: Final = {
    (row.account.value, "debit" if row.is_debit else "credit"): row.code
    for row in TRANSACTION_CODES.values()
    if row.meaning is Meaning.LIVE and row.account in {Account.CHECKING, Account.SAVINGS}
}
_ZERO: Final = frozenset({"0", "0.0", "0.00"})


class TableError(ValueError):
    """A column, key or value is missing, unknown or cannot be read; the text says where."""


class Key(NamedTuple):
    """One key of the company page: its type, and whether it may be left out."""

    kind: type
    is_required: bool = True


_COMPANY: Final[dict[str, dict[str, Key]]] = {
    "file": {
        "immediate_destination": Key(str),
        "immediate_origin": Key(str),
        "destination_name": Key(str),
        "origin_name": Key(str),
        "reference_code": Key(str, is_required=False),
        "file_id_modifier": Key(str, is_required=False),
        "created_at": Key(datetime, is_required=False),
    },
    "company": {
        "name": Key(str),
        "identification": Key(str),
        "discretionary_data": Key(str, is_required=False),
    },
    "batch": {
        "sec_code": Key(str),
        "entry_description": Key(str),
        "odfi_identification": Key(str),
        "descriptive_date": Key(str, is_required=False),
        "effective_on": Key(date, is_required=False),
        "batch_number": Key(int, is_required=False),
        "first_sequence": Key(int, is_required=False),
    },
    "offset": {
        "routing_number": Key(str),
        "account_number": Key(str),
        "account_type": Key(str, is_required=False),
        "name": Key(str, is_required=False),
    },
}


class Page:
    """One table of the company page, with its keys checked."""

    def __init__(self, name: str, values: object) -> None:
        """Check the keys of a table; raise TableError for the first that is wrong."""
        if not isinstance(values, dict):
            message = f"The table [{name}] is missing."
            raise TableError(message)
        known = _COMPANY[name]
        for key in values:
            if key not in known:
                message = f"[{name}] has an unknown key {key}. Known are: {', '.join(known)}."
                raise TableError(message)
        for key, row in known.items():
            if key not in values:
                if row.is_required:
                    message = f"[{name}] lacks the key {key}."
                    raise TableError(message)
            elif type(values[key]) is not row.kind:
                message = f"[{name}] {key} must be a {_KIND_NAMES[row.kind]}."
                raise TableError(message)
        self._values = values

    def text(self, key: str, default: str = "") -> str:
        """Return a text, or the default."""
        return str(self._values.get(key, default))

    def number(self, key: str, default: int) -> int:
        """Return a whole number, or the default."""
        value = self._values.get(key, default)
        assert isinstance(value, int)
        return value

    def day(self, key: str) -> date | None:
        """Return a date, or a date with a time, or None."""
        value = self._values.get(key)
        return value if isinstance(value, date) else None


_KIND_NAMES: Final = {
    str: "text in quotes",
    int: "whole number",
    date: "date such as 2026-11-24",
    datetime: "local date and time such as 2026-11-23T09:30:00",
}


def _rows(table: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(table, strict=True)
    try:
        columns = reader.fieldnames or ()
        for column in columns:
            if column not in _REQUIRED_COLUMNS + _OPTIONAL_COLUMNS:
                message = f"Line 1: There is no column {column!r}."
                raise TableError(message)
        for column in _REQUIRED_COLUMNS:
            if column not in columns:
                message = f"Line 1: The column {column} is missing."
                raise TableError(message)
        for row in reader:
            if None in row or None in row.values():
                message = f"Line {reader.line_num}: The row has not as many cells as the heading."
                raise TableError(message)
            yield reader.line_num, {key: value.strip() for key, value in row.items()}
    except csv.Error as error:
        message = f"Line {reader.line_num}: This is not a table: {error}."
        raise TableError(message) from error


def _transaction_code(line: int, row: Mapping[str, str]) -> int:
    text = row.get("transaction_code", "")
    if text:
        if not (text.isascii() and text.isdecimal()):
            message = f"Line {line}: The transaction code must be a number."
            raise TableError(message)
        return int(text)
    pair = (row.get("account_type") or "checking", row.get("direction") or "credit")
    if pair not in _CODES:
        message = (
            f"Line {line}: The account type must be checking or savings, "
            "the direction credit or debit."
        )
        raise TableError(message)
    return _CODES[pair]


def _amount_cents(line: int, text: str) -> int:
    if text in _ZERO:
        return 0
    try:
        return parse_dollars(text)
    except InvalidAmount as error:
        message = f"Line {line}: {error}"
        raise TableError(message) from error


def read_entries_table(
    table: Iterable[str],
    odfi_identification: str,
    first_sequence: int,
) -> Iterator[OutgoingEntry]:
    """Yield the entries of a CSV table, with trace numbers counted up from the first sequence.

    Raises TableError, which names the line, for what cannot be read.
    """
    for sequence, (line, row) in enumerate(_rows(table), first_sequence):
        addenda = row.get("addenda", "")
        yield OutgoingEntry(
            transaction_code=_transaction_code(line, row),
            routing_number=row["routing_number"],
            account_number=row["account_number"],
            amount_cents=_amount_cents(line, row["amount"]),
            identification=row.get("identification", ""),
            name=row["name"],
            trace_number=f"{odfi_identification}{sequence:07d}",
            discretionary=row.get("discretionary", ""),
            addenda=(OutgoingAddenda(addenda),) if addenda else (),
        )


def _service_class(entries: Iterable[OutgoingEntry]) -> ServiceClass:
    rows = [TRANSACTION_CODES.get(entry.transaction_code) for entry in entries]
    directions = {row.is_debit for row in rows if row is not None}
    if len(directions) != 1:
        return ServiceClass.MIXED
    return ServiceClass.DEBITS if directions == {True} else ServiceClass.CREDITS


def _offset(values: object, service_class: ServiceClass, trace_number: str) -> Offset | None:
    if values is None:
        return None
    page = Page("offset", values)
    direction = "credit" if service_class is ServiceClass.DEBITS else "debit"
    pair = (page.text("account_type", "checking"), direction)
    if pair not in _CODES:
        message = "[offset] account_type must be checking or savings."
        raise TableError(message)
    return Offset(
        transaction_code=_CODES[pair],
        routing_number=page.text("routing_number"),
        account_number=page.text("account_number"),
        trace_number=trace_number,
        name=page.text("name", "OFFSET"),
    )


def read_outgoing(
    entries: Iterable[str],
    company: Mapping[str, object],
    local_now: datetime,
) -> OutgoingFile:
    """Return a file of one batch from a CSV table and a parsed TOML page.

    `local_now` stands in for a date of creation that the page does not give, and the next
    banking day after it for the effective date. Raises TableError.
    """
    for name in company:
        if name not in _COMPANY:
            message = f"There is no table [{name}]. Known are: {', '.join(_COMPANY)}."
            raise TableError(message)
    file, owner, batch = (Page(name, company.get(name)) for name in ("file", "company", "batch"))
    created_at = file.day("created_at")
    if not isinstance(created_at, datetime):
        created_at = local_now
    odfi = batch.text("odfi_identification")
    first = batch.number("first_sequence", 1)
    rows = tuple(read_entries_table(entries, odfi, first))
    service_class = _service_class(rows)
    offset = _offset(company.get("offset"), service_class, f"{odfi}{first + len(rows):07d}")
    only = OutgoingBatch(
        service_class=service_class if offset is None else ServiceClass.MIXED,
        company_name=owner.text("name"),
        company_discretionary_data=owner.text("discretionary_data"),
        company_identification=owner.text("identification"),
        sec_code=batch.text("sec_code"),
        entry_description=batch.text("entry_description"),
        descriptive_date=batch.text("descriptive_date"),
        effective_on=batch.day("effective_on") or next_banking_day(created_at.date()),
        odfi_identification=odfi,
        batch_number=batch.number("batch_number", 1),
        entries=rows,
        offset=offset,
    )
    return OutgoingFile(
        immediate_destination=file.text("immediate_destination"),
        immediate_origin=file.text("immediate_origin"),
        created_at=created_at,
        file_id_modifier=file.text("file_id_modifier", "A"),
        destination_name=file.text("destination_name"),
        origin_name=file.text("origin_name"),
        reference_code=file.text("reference_code"),
        batches=(only,),
    )
