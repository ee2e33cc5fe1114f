"""Classes that are read and never written: international, advices, terminals and the like."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import pytest

from seedtrust.formats.nacha import (
    EntryKind,
    ParsedFile,
    WriteError,
    outgoing_entry,
    outgoing_file,
    read_file,
    render_file,
)
from tests.formats.nacha.making import (
    bytes_of,
    faults_in,
    padded,
    put,
    records_of,
    refusals_in,
)

FOLDER: Final = Path(__file__).parent / "foreign"
ALL: Final = sorted(path.stem for path in FOLDER.glob("*.ach"))
IAT: Final = FOLDER / "iat.ach"
ADV: Final = FOLDER / "adv.ach"
POS: Final = FOLDER / "pos.ach"


def read(name: str) -> ParsedFile:
    return read_file(io.BytesIO((FOLDER / f"{name}.ach").read_bytes()))


@pytest.mark.parametrize("name", ALL)
def test_foreign_classes_are_valid(name: str) -> None:
    assert faults_in((FOLDER / f"{name}.ach").read_bytes()) == []


@pytest.mark.parametrize("name", ALL)
def test_nothing_of_them_is_lost(name: str) -> None:
    data = (FOLDER / f"{name}.ach").read_bytes()
    file = read_file(io.BytesIO(data))
    rows = [] if file.header is None else [file.header.text]
    for batch in file.batches:
        rows.append(batch.header.text)
        for entry in batch.entries:
            rows += [entry.text, *(addenda.text for addenda in entry.addenda)]
        rows += [] if batch.control is None else [batch.control.text]
    rows += [] if file.control is None else [file.control.text]
    assert padded(rows) == records_of(data)


def test_an_international_payment_is_read() -> None:
    entry = next(read("iat").entries)
    assert entry.name == "NORTHERN CLINIC LTD"
    assert entry.account_number == "123456789012345678"
    assert (entry.amount_cents, entry.kind) == (100_000, EntryKind.FORWARD)
    assert entry.batch.company_name == ""
    assert entry.batch.field("destination_country") == "CA"
    assert [row.type_code for row in entry.addenda] == [*map(str, range(10, 19))]


def test_an_international_return_is_read() -> None:
    entry = next(read("iat-return").entries)
    assert (entry.kind, entry.return_code) == (EntryKind.RETURN, "R83")
    assert entry.information == "FOREIGN BANK CLOSED"


def test_an_international_change_is_read() -> None:
    entry = next(read("iat-change").entries)
    assert entry.kind is EntryKind.CHANGE
    assert entry.name == ""
    assert entry.correction is not None
    assert entry.correction.foreign_bank == "CA020012346"


def test_the_name_of_a_bill_payment_comes_first() -> None:
    entry = next(read("cie").entries)
    assert (entry.name, entry.identification) == ("JANE DOE", "SUBSCRIBER-0000000042")


def test_advices_keep_their_wide_amounts() -> None:
    credit, debit = read("adv").entries
    assert (credit.amount_cents, credit.is_debit) == (50_000, False)
    assert (debit.amount_cents, debit.is_debit) == (250_000, True)


@pytest.mark.parametrize(
    "path, line, column, text, code",
    [
        (IAT, 2, 21, "XX", "wrong-value"),
        (IAT, 3, 16, "8", "addenda-count"),
        (IAT, 3, 17, "X", "not-blank"),
        (IAT, 4, 2, "19", "addenda-type"),
        (IAT, 4, 2, "18", "addenda-missing"),
        (IAT, 5, 94, "2", "addenda-trace"),
        (IAT, 11, 87, "2", "addenda-sequence"),
        (IAT, 12, 2, "17", "addenda-sequence"),
        (POS, 4, 2, "05", "addenda-sequence"),
        (POS, 4, 94, "2", "addenda-trace"),
        (ADV, 3, 2, "22", "transaction-code"),
        (ADV, 2, 2, "200", "wrong-value"),
        (ADV, 5, 40, "1", "control-mismatch"),
        (ADV, 6, 71, "1", "control-mismatch"),
    ],
)
def test_faults_in_them_are_found(path: Path, line: int, column: int, text: str, code: str) -> None:
    records = records_of(path.read_bytes())
    assert code in refusals_in(bytes_of(put(line, column, text)(records)))


@pytest.mark.parametrize("name", ["adv", "pos", "cie", "ack", "iat-return"])
def test_they_are_not_written(name: str) -> None:
    file = outgoing_file(read(name))
    with pytest.raises(WriteError):
        render_file(file)


def test_addenda_that_are_not_written_are_named() -> None:
    entry = next(read("iat").entries)
    with pytest.raises(WriteError, match="type 10 are read but not written"):
        outgoing_entry(entry)
