"""The writer: streams a file out and refuses whatever the strict reader would refuse."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.batchwriter import (
    BatchWriter,
    Lines,
    Place,
    checked_record,
    short_date,
)
from seedtrust.formats.nacha.faults import WriteError
from seedtrust.formats.nacha.fields import BLOCKING_FACTOR, FILLER
from seedtrust.formats.nacha.outgoing import ControlTotals
from seedtrust.formats.nacha.routing import is_valid_routing_number
from seedtrust.formats.nacha.rules import (
    HASH_MODULUS,
    MAX_BATCHES,
    MAX_BLOCKS,
    MAX_TOTAL_CENTS,
)
from seedtrust.formats.nacha.text import fit_name

if TYPE_CHECKING:
    from typing import BinaryIO

    from seedtrust.formats.nacha.outgoing import OutgoingFile

_LINE_ENDS: Final = (b"\n", b"\r\n")
_ROUTING_LENGTH: Final = 9
_NO_PLACE: Final = Place()


def write_file(file: OutgoingFile, sink: BinaryIO, *, line_end: bytes = b"\n") -> ControlTotals:
    """Write the file to the sink, record by record, and return its control totals.

    The same input always makes the same bytes, and whatever is written in full is accepted by
    `validate`. Batches and entries are read once, so generators will do; memory stays flat.
    Names too long for their field are cut by the rule of `fit_name`; names and remittance text
    are brought to ASCII. Everything else that does not fit raises WriteError: then the sink
    holds half a file that must be thrown away.
    """
    if line_end not in _LINE_ENDS:
        message = "Records end with a line feed, or a carriage return and a line feed."
        raise WriteError("line-end", "line_end", message)
    lines = Lines(sink, line_end)
    lines.put(_file_header(file))
    batch_count = records = entry_hash = debits = credits_ = last_number = 0
    for batch in file.batches:
        writer = BatchWriter(batch, lines, last_number)
        for entry in batch.entries:
            writer.write(entry)
        writer.close()
        batch_count += 1
        last_number = batch.batch_number
        records += writer.records
        entry_hash += writer.entry_hash
        debits += writer.debit_cents
        credits_ += writer.credit_cents
    totals = ControlTotals(
        batch_count=batch_count,
        block_count=-(-(lines.flush() + 1) // BLOCKING_FACTOR),
        entry_addenda_count=records,
        entry_hash=entry_hash % HASH_MODULUS,
        debit_cents=debits,
        credit_cents=credits_,
    )
    lines.put(control_record(totals))
    for _ in range(-lines.flush() % BLOCKING_FACTOR):
        lines.put(FILLER)
    lines.flush()
    return totals


def render_file(file: OutgoingFile, *, line_end: bytes = b"\n") -> bytes:
    """Return the file as bytes; see `write_file` for what is refused."""
    sink = io.BytesIO()
    write_file(file, sink, line_end=line_end)
    return sink.getvalue()


def _destination(text: str) -> str:
    """Return the ten characters of the immediate destination."""
    number = text[1:] if text[:1] == " " and len(text) == _ROUTING_LENGTH + 1 else text
    if len(number) == _ROUTING_LENGTH and not is_valid_routing_number(number):
        message = "The immediate destination is not a valid routing number."
        raise WriteError("routing-number", "immediate_destination", message)
    return f"{text:>10}" if len(text) == _ROUTING_LENGTH else text


def _exact(text: str, field: str) -> str:
    if len(text) != _ROUTING_LENGTH + 1:
        message = f"The {field.replace('_', ' ')} must be exactly ten characters, as the bank says."
        raise WriteError("wrong-length", field, message)
    return text


def _file_header(file: OutgoingFile) -> str:
    values: dict[str, str | int] = {
        "immediate_destination": _exact(
            _destination(file.immediate_destination), "immediate_destination"
        ),
        "immediate_origin": _exact(file.immediate_origin, "immediate_origin"),
        "created_on": short_date(file.created_at, "created_at", _NO_PLACE),
        "created_at_time": f"{file.created_at:%H%M}",
        "file_id_modifier": file.file_id_modifier,
        "destination_name": fit_name(file.destination_name, 23),
        "origin_name": fit_name(file.origin_name, 23),
        "reference_code": file.reference_code,
    }
    return checked_record(layouts.FILE_HEADER, values, _NO_PLACE)


def control_record(totals: ControlTotals) -> str:
    """Return the file control record; raise WriteError if it cannot hold the totals."""
    if totals.batch_count == 0:
        message = "A file needs at least one batch."
        raise WriteError("no-batches", "batches", message)
    if totals.batch_count > MAX_BATCHES or totals.block_count > MAX_BLOCKS:
        message = "The file is longer than its control record can count. Make two files of it."
        raise WriteError("too-many", "batches", message)
    if max(totals.debit_cents, totals.credit_cents) > MAX_TOTAL_CENTS:
        message = "The totals of the file are too large for its control record. Make two files."
        raise WriteError("total-too-large", "batches", message)
    values: dict[str, str | int] = {
        "batch_count": totals.batch_count,
        "block_count": totals.block_count,
        "entry_addenda_count": totals.entry_addenda_count,
        "entry_hash": totals.entry_hash,
        "debit_cents": totals.debit_cents,
        "credit_cents": totals.credit_cents,
    }
    return checked_record(layouts.FILE_CONTROL, values, _NO_PLACE)
