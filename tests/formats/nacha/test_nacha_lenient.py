"""The lenient reader: repairs what banks, editors and mail programs do to files, and says so."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import pytest

from seedtrust.formats.nacha import EntryKind, ParsedFile, read_entries, read_file
from tests.formats.nacha.making import (
    a_batch,
    a_change,
    a_return,
    an_entry,
    bytes_of,
    faults_in,
    put,
    records_of,
    refusals_in,
    rendered,
    trace,
    warnings_in,
    with_remittance,
)

GOOD: Final = rendered(
    a_batch(an_entry(1), an_entry(2)),
    a_batch(with_remittance(3), batch_number=2, sec_code="CCD"),
)
RETURNS: Final = rendered(a_return(), a_change(batch_number=2))
NINES: Final = "9" * 94

Spoiler = Callable[[bytes], bytes]


def lenient(data: bytes) -> ParsedFile:
    return read_file(io.BytesIO(data), lenient=True)


def amounts(file: ParsedFile) -> list[int]:
    return [entry.amount_cents for entry in file.entries]


def each(change: Callable[[str], str]) -> Spoiler:
    return lambda data: bytes_of(map(change, records_of(data)))


REPAIRS: Final[list[tuple[str, Spoiler, set[str]]]] = [
    ("CR", lambda data: data.replace(b"\n", b"\r"), set()),
    ("mixed ends", lambda data: data.replace(b"\n", b"\r\n", 3), set()),
    ("stripped", each(str.rstrip), {"record-length"}),
    ("trailing blanks", each(lambda record: record + "   "), set()),
    ("doubled width", each(lambda record: f"{record:<188}"), set()),
    ("junk beyond", each(lambda record: record + "#"), {"record-length"}),
    ("blank lines", each(lambda record: record + "\n"), {"blank-line"}),
    ("lines of blanks", each(lambda record: record + "\n" + " " * 94), {"blank-line"}),
    ("byte-order mark", lambda data: b"\xef\xbb\xbf" + data, {"byte-order-mark"}),
    ("no filler", lambda data: data.replace(b"9" * 94 + b"\n", b""), set()),
    ("two in a line", lambda data: data.replace(b"\n", b"", 1), set()),
    ("unbroken and stripped", lambda data: data.replace(b"\n", b"").rstrip(), {"record-length"}),
    ("an end-of-file mark", lambda data: data + b"\x1a", {"not-ascii", "blank-line"}),
    ("a NUL in a name", lambda data: data.replace(b"Jane Doe", b"Jane\x00Doe", 1), {"not-ascii"}),
    ("Windows letters", lambda data: data.replace(b"Jane Doe", b"Jan\xe9 Doe", 1), {"not-ascii"}),
    ("half a letter", lambda data: data.replace(b"Jane Doe", b"Jan\x81 Doe", 1), {"not-ascii"}),
]


@pytest.mark.parametrize(
    "spoiler, warnings", [row[1:] for row in REPAIRS], ids=[row[0] for row in REPAIRS]
)
def test_slips_of_form_are_repaired(spoiler: Spoiler, warnings: set[str]) -> None:
    spoilt = spoiler(GOOD)
    assert amounts(lenient(spoilt)) == [123_450] * 3
    assert warnings <= warnings_in(spoilt, lenient=True)
    assert not refusals_in(spoilt, lenient=True) - {"missing", "not-printable"}


def test_letters_beyond_ascii_are_read() -> None:
    windows = lenient(GOOD.replace(b"Jane Doe", b"Jan\xe9 Doe"))
    modern = lenient(GOOD.replace(b"Jane Doe", "Jané Doe".encode()))
    assert {entry.name for entry in windows.entries} == {"Jané Doe"}
    assert {entry.name for entry in modern.entries} == {"Jané Doe"}


def test_several_files_in_one_are_read_as_one() -> None:
    file = lenient(GOOD + RETURNS)
    assert len(file.batches) == 4
    assert file.is_valid
    assert {fault.code for fault in file.faults} == {"after-file-control"}
    assert file.control is not None
    assert file.control.batch_count == 2


def test_a_file_in_a_file_is_read() -> None:
    records = records_of(GOOD)
    spoilt = bytes_of([*records[:5], *records])
    assert len(amounts(lenient(spoilt))) == 5
    assert "missing-file-control" in warnings_in(spoilt, lenient=True)


MISSING: Final = [
    ("no file header", [1], "missing-file-header"),
    ("no batch header", [2], "missing-batch-header"),
    ("no batch control", [5], "missing-batch-control"),
    ("no file control", [10], "missing-file-control"),
    ("nothing around", [1, 2, 5, 9, 10], "missing-batch-header"),
]


@pytest.mark.parametrize(
    "lines, code", [row[1:] for row in MISSING], ids=[row[0] for row in MISSING]
)
def test_returns_are_read_without_headers_and_controls(lines: list[int], code: str) -> None:
    records = [text for line, text in enumerate(records_of(RETURNS), 1) if line not in lines]
    spoilt = bytes_of(records)
    file = lenient(spoilt)
    returned, changed = file.entries
    assert returned.return_code == "R03"
    assert returned.original_trace == trace(1)
    assert changed.change_code == "C02"
    assert code in warnings_in(spoilt, lenient=True)


def test_a_bare_entry_is_read_without_a_batch() -> None:
    record = records_of(GOOD)[2]
    file = lenient(record.encode())
    assert file.header is None
    assert file.control is None
    assert file.batches[0].header.is_missing
    assert file.batches[0].control is None
    entry = next(file.entries)
    assert entry.amount_cents == 123_450
    assert entry.batch.sec_code == ""
    assert entry.batch.effective_on is None
    assert (entry.batch.service_class, entry.batch.batch_number) == (0, 0)


def test_an_unknown_return_code_is_kept_and_flagged() -> None:
    records = put(4, 4, "R98")(records_of(RETURNS))
    file = lenient(bytes_of(records))
    entry = next(file.entries)
    assert (entry.return_code, entry.return_reason) == ("R98", None)
    assert entry.kind is EntryKind.RETURN
    assert [fault.code for fault in file.faults] == ["unknown-code"]


def test_an_unknown_transaction_code_is_kept_and_counted() -> None:
    records = put(4, 2, "69")(put(3, 2, "20")(records_of(GOOD)))
    first, second, _ = lenient(bytes_of(records)).entries
    assert (first.is_debit, second.is_debit) == (False, True)
    assert second.kind is EntryKind.FORWARD


def test_a_word_in_the_place_of_a_trace_number_is_kept() -> None:
    records = put(3, 80, "REJ0           ")(records_of(GOOD))
    entry = next(lenient(bytes_of(records)).entries)
    assert entry.trace_number == "REJ0"
    assert entry.amount_cents == 123_450


def test_an_amount_filled_with_blanks_is_read() -> None:
    records = put(3, 30, "    123450")(records_of(GOOD))
    file = lenient(bytes_of(records))
    assert amounts(file) == [123_450] * 3
    assert [fault.code for fault in file.faults] == ["not-numeric"]


@pytest.mark.parametrize(
    "column, text",
    [(30, "12 4567890"), (30, " " * 10), (30, "+000001234"), (30, "1_00000000"), (2, "2X")],
)
def test_an_entry_whose_money_cannot_be_read_is_set_apart(column: int, text: str) -> None:
    records = put(7, column, text)(records_of(GOOD))
    file = lenient(bytes_of(records))
    assert len(amounts(file)) == 2
    assert [row.line for row in file.unreadable] == [7, 8]
    assert "Jane" not in repr(file.unreadable)
    assert not file.is_valid


def test_debits_are_told_by_the_code_even_when_the_bank_is_garbled() -> None:
    records = put(3, 2, "29")(put(3, 4, "XXXXXXXX")(records_of(GOOD)))
    assert next(lenient(bytes_of(records)).entries).is_debit


def test_short_filler_is_filler() -> None:
    spoilt = GOOD.replace(NINES.encode(), b"9" * 40) + b"9" * 94 + b"\n"
    assert amounts(lenient(spoilt)) == [123_450] * 3
    assert "filler" in warnings_in(spoilt, lenient=True)


def test_prose_gives_faults_and_no_entries() -> None:
    file = lenient(b"Dear bank,\nplease pay 22 dollars.\n")
    assert amounts(file) == []
    assert not file.is_valid
    assert len(file.unreadable) == 2


def test_records_out_of_place_are_set_apart() -> None:
    records = records_of(GOOD)
    file = lenient(bytes_of([records[0], "705" + " " * 91, "8" + " " * 93, *records[1:]]))
    assert [row.line for row in file.unreadable] == [2, 3]
    assert len(amounts(file)) == 3


def test_addenda_of_no_type_are_set_apart() -> None:
    file = lenient(bytes_of(put(8, 2, "44")(records_of(GOOD))))
    assert [row.line for row in file.unreadable] == [8]
    assert len(amounts(file)) == 3


def test_a_date_that_does_not_exist_is_none() -> None:
    records = put(1, 24, "261301")(put(2, 70, "260230")(records_of(GOOD)))
    file = lenient(bytes_of(records))
    assert file.header is not None
    assert file.header.created_on is None
    assert file.header.created_at is None
    assert file.batches[0].header.effective_on is None


def test_the_lenient_stream_never_raises() -> None:
    spoilt = bytes_of(put(3, 30, "0" * 10)(records_of(GOOD)))
    entries = list(read_entries(io.BytesIO(spoilt), lenient=True))
    assert len(entries) == 3
    assert "amount" in refusals_in(spoilt, lenient=True)


def test_an_endless_line_is_cut_up() -> None:
    data = GOOD.replace(b"\n", b"") + b" " * 300_000
    assert amounts(lenient(data)) == [123_450] * 3


def test_an_endless_row_of_addenda_is_not_kept() -> None:
    records = records_of(GOOD)
    data = bytes_of([*records[:8], *[records[7]] * 12_000, *records[8:]])
    *_, last = lenient(data).entries
    assert len(last.addenda) == 10_000
    assert "addenda-count" in refusals_in(data, lenient=True)


def test_nothing_is_an_empty_file() -> None:
    assert [fault.code for fault in faults_in(b"", lenient=True)] == ["empty-file"]
    assert lenient(b"").batches == ()
