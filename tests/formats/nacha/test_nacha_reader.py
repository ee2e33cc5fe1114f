"""The readers on sound files: every form of line, every field, one entry at a time."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest

from seedtrust.formats.nacha import (
    BatchHeader,
    Control,
    EntryKind,
    Fault,
    FileHeader,
    OutgoingBatch,
    ParsedEntry,
    ReadError,
    read_entries,
    read_events,
    read_file,
    validate,
)
from tests.formats.nacha.making import (
    BANK,
    ODFI,
    RDFI,
    a_batch,
    a_change,
    a_return,
    an_entry,
    balanced,
    bytes_of,
    debits,
    disputes,
    faults_in,
    put,
    records_of,
    rendered,
    trace,
    with_remittance,
)

TWO_BATCHES = rendered(
    a_batch(an_entry(1), an_entry(2, transaction_code=32, amount_cents=5)),
    a_batch(with_remittance(3), batch_number=2, sec_code="CCD"),
)


class Trickle(io.BytesIO):
    """A stream that hands out a few bytes at a time, as a socket does."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        """Return fewer bytes than asked for."""
        del size
        return super().read(self._step)


def texts(data: bytes, *, lenient: bool) -> list[tuple[str, ...]]:
    stream = io.BytesIO(data)
    return [
        (entry.text, *(row.text for row in entry.addenda))
        for entry in read_entries(stream, lenient=lenient)
    ]


FORMS = {
    "LF": TWO_BATCHES,
    "LF without the last": TWO_BATCHES[:-1],
    "CRLF": TWO_BATCHES.replace(b"\n", b"\r\n"),
    "CRLF without the last": TWO_BATCHES[:-1].replace(b"\n", b"\r\n"),
    "unbroken": TWO_BATCHES.replace(b"\n", b""),
    "unbroken with a last LF": TWO_BATCHES.replace(b"\n", b"") + b"\n",
    "unbroken with a last CRLF": TWO_BATCHES.replace(b"\n", b"") + b"\r\n",
}


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_line_reads_the_same(data: bytes, *, lenient: bool) -> None:
    assert faults_in(data, lenient=lenient) == []
    assert texts(data, lenient=lenient) == texts(TWO_BATCHES, lenient=False)


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("size", [1, 7, 93, 94, 95, 4097])
@pytest.mark.parametrize("form", ["LF", "CRLF", "unbroken with a last CRLF"])
def test_a_stream_may_trickle(form: str, size: int, *, lenient: bool) -> None:
    stream = Trickle(FORMS[form], size)
    assert [str(fault) for fault in validate(stream, lenient=lenient)] == []


def test_a_large_file_is_read_in_chunks() -> None:
    data = rendered(a_batch(*map(an_entry, range(1, 5001))))
    for form in (data, data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"")):
        assert faults_in(form) == []
        assert faults_in(form, lenient=True) == []
        assert sum(1 for _ in read_entries(io.BytesIO(form))) == 5000


def test_the_file_header_is_read() -> None:
    header = read_file(io.BytesIO(TWO_BATCHES)).header
    assert header is not None
    assert header.immediate_destination == BANK
    assert header.immediate_origin == "1234567890"
    assert header.created_at == datetime.fromisoformat("2026-11-23T09:30:00")
    assert header.created_on == date(2026, 11, 23)
    assert header.file_id_modifier == "A"
    assert header.destination_name == "HUNTINGTON"
    assert header.origin_name == "SEEDTRUST LLC"
    assert header.reference_code == "RUN00017"


def test_a_header_without_a_time_is_of_midnight() -> None:
    records = put(1, 30, "    ")(records_of(TWO_BATCHES))
    file = read_file(io.BytesIO(bytes_of(records)))
    assert file.is_valid
    assert file.header is not None
    assert file.header.created_at == datetime.fromisoformat("2026-11-23T00:00:00")


def test_a_destination_that_is_no_number_is_read_as_it_stands() -> None:
    header = read_file(io.BytesIO(rendered(immediate_destination="HUNTINGTON"))).header
    assert header is not None
    assert header.immediate_destination == "HUNTINGTON"


def test_the_batch_header_is_read() -> None:
    batch = read_file(io.BytesIO(rendered(a_return(descriptive_date="NOV 26")))).batches[0]
    header = batch.header
    assert (header.service_class, header.sec_code, header.batch_number) == (220, "PPD", 1)
    assert header.company_name == "SEEDTRUST LLC"
    assert header.company_discretionary_data == "RUN 17"
    assert header.company_identification == "1234567890"
    assert header.entry_description == "REIMBURSE"
    assert header.descriptive_date == "NOV 26"
    assert header.effective_on == date(2026, 11, 24)
    assert header.settlement_day == 329
    assert header.odfi_identification == RDFI
    assert not header.is_missing


def test_a_payment_is_read() -> None:
    first, second, third = read_entries(io.BytesIO(TWO_BATCHES))
    assert first.kind is EntryKind.FORWARD
    assert (first.transaction_code, first.routing_number) == (22, "091000019")
    assert (first.account_number, first.account_last_four) == ("0123456789", "6789")
    assert (first.amount_cents, first.is_debit) == (123_450, False)
    assert (first.identification, first.name) == ("K7QW2M4ZP9XA3BC", "Jane Doe")
    assert (first.trace_number, first.discretionary) == (trace(1), "")
    assert (first.line, second.line, third.line) == (3, 4, 7)
    assert first.batch is second.batch
    assert third.batch.sec_code == "CCD"
    assert third.remittance == ("RMR*IV*INV-2026-001\\",)
    assert (first.return_code, first.change_code, first.original_trace) == ("", "", "")
    assert (first.original_routing, first.information, first.corrected_data) == ("", "", "")
    assert first.return_reason is None
    assert first.change_reason is None
    assert first.died_on is None
    assert first.correction is None
    assert first.reason is None


def test_a_prenote_is_told_from_a_payment() -> None:
    data = rendered(a_batch(an_entry(transaction_code=33, amount_cents=0)))
    assert next(read_entries(io.BytesIO(data))).kind is EntryKind.PRENOTE


def test_a_return_is_read() -> None:
    entry = next(read_entries(io.BytesIO(rendered(a_return()))))
    assert entry.kind is EntryKind.RETURN
    assert entry.return_code == "R03"
    assert entry.return_reason is not None
    assert entry.return_reason.blocks_account
    assert entry.original_trace == trace(1)
    assert entry.original_routing == RDFI
    assert entry.information == "NAME DOES NOT FIT"
    assert entry.amount_cents == 123_450
    assert entry.died_on is None


def test_a_change_is_read() -> None:
    entry = next(read_entries(io.BytesIO(rendered(a_change()))))
    assert entry.kind is EntryKind.CHANGE
    assert entry.change_code == "C02"
    assert entry.change_reason is not None
    assert entry.change_reason.corrects == ("routing_number",)
    assert entry.corrected_data == "121000248"
    assert entry.correction is not None
    assert entry.correction.routing_number == "121000248"
    assert entry.return_code == ""


def test_disputes_are_read() -> None:
    dishonour, contest, refusal = read_entries(io.BytesIO(rendered(*disputes())))
    assert dishonour.kind is EntryKind.DISHONOURED
    assert contest.kind is EntryKind.CONTESTED
    assert refusal.kind is EntryKind.REFUSED_CHANGE
    assert dishonour.reason is not None
    assert dishonour.reason.field("return_trace") == trace(1, RDFI)
    assert dishonour.reason.number("return_settlement_day") == 330
    assert contest.reason is not None
    assert contest.reason.day("original_returned_on") == date(2026, 11, 27)
    assert refusal.correction is not None
    assert not refusal.correction.is_complete


def test_controls_are_read() -> None:
    file = read_file(io.BytesIO(TWO_BATCHES))
    first = file.batches[0].control
    assert first is not None
    assert file.control is not None
    assert not first.is_of_file
    assert file.control.is_of_file
    assert (first.entry_addenda_count, first.credit_cents, first.debit_cents) == (2, 123_455, 0)
    assert first.batch_count is None
    assert first.block_count is None
    assert file.control.batch_count == 2


def test_an_offset_entry_is_an_entry_of_its_batch() -> None:
    entries = tuple(read_file(io.BytesIO(rendered(balanced()))).entries)
    assert [entry.is_debit for entry in entries] == [False, False, True]
    assert entries[2].amount_cents == 123_451


def test_events_come_in_the_order_of_the_file() -> None:
    kinds = [type(event) for event in read_events(io.BytesIO(TWO_BATCHES))]
    batch = [BatchHeader, ParsedEntry, ParsedEntry, Control, BatchHeader, ParsedEntry, Control]
    assert kinds == [FileHeader, *batch, Control]


def test_the_strict_stream_stops_at_a_fault() -> None:
    data = bytes_of(put(4, 30, "0" * 10)(records_of(TWO_BATCHES)))
    entries = read_entries(io.BytesIO(data))
    assert next(entries).line == 3
    with pytest.raises(ReadError) as caught:
        next(entries)
    assert caught.value.fault.code == "amount"
    assert str(caught.value) == str(caught.value.fault)


def test_the_strict_stream_goes_on_after_a_warning() -> None:
    batch = a_batch(effective_on=date(2026, 11, 26))
    assert len(list(read_entries(io.BytesIO(rendered(batch))))) == 1


def test_faults_may_be_taken_instead_of_raised() -> None:
    data = bytes_of(put(4, 30, "0" * 10)(records_of(TWO_BATCHES)))
    found: list[Fault] = []
    entries = list(read_entries(io.BytesIO(data), on_fault=found.append))
    assert len(entries) == 3
    assert [fault.code for fault in found] == ["amount", "control-mismatch", "control-mismatch"]


def test_a_file_knows_whether_it_is_valid() -> None:
    assert read_file(io.BytesIO(TWO_BATCHES)).is_valid
    assert read_file(io.BytesIO(rendered(a_batch(effective_on=date(2026, 11, 26))))).is_valid
    assert not read_file(io.BytesIO(TWO_BATCHES[:-100])).is_valid


@pytest.mark.parametrize("batch", [a_batch(), a_return(), a_change(), debits("WEB")])
def test_nothing_that_is_read_prints_an_account_number(batch: OutgoingBatch) -> None:
    file = read_file(io.BytesIO(rendered(batch)))
    entry = next(file.entries)
    shown = f"{file!r} {entry!r} {entry.addenda!r} {entry.fields()} {entry.correction!r}"
    assert "0123456789" not in shown
    assert "******6789" in shown


ACCOUNT = {"account_number": "998877665544"}
VALUES = {
    "C01": ACCOUNT,
    "C03": ACCOUNT | {"routing_number": "121000248"},
    "C06": ACCOUNT | {"transaction_code": "32"},
}


@pytest.mark.parametrize("code", VALUES)
def test_no_correction_prints_an_account_number(code: str) -> None:
    data = {
        "C01": "998877665544",
        "C03": "121000248   998877665544",
        "C06": "998877665544        32",
    }
    entry = next(read_entries(io.BytesIO(rendered(a_change(code, data[code])))))
    assert entry.correction is not None
    assert entry.correction.account_number == "998877665544"
    shown = f"{entry.correction!r} {[row.fields() for row in entry.addenda]}"
    assert "998877665544" not in shown


def test_unknown_fields_of_a_record_are_empty() -> None:
    entry = next(read_entries(io.BytesIO(TWO_BATCHES)))
    assert entry.field("colour") == ""
    assert entry.number("name") is None
    assert entry.day("name") is None
    assert entry.batch.odfi_identification == ODFI
