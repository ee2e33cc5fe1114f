"""Answers to entries: returns, changes and reversals made from what was read or sent."""

from __future__ import annotations

import io
from datetime import date

import pytest

from seedtrust.formats.nacha import (
    EntryKind,
    OutgoingBatch,
    ParsedEntry,
    Purpose,
    ServiceClass,
    WriteError,
    change_of,
    corrected_data,
    outgoing_batch,
    outgoing_file,
    read_file,
    render_file,
    return_of,
    reversal_of,
)
from seedtrust.formats.nacha.parsed import ParsedBatch
from tests.formats.nacha.making import (
    RDFI,
    a_batch,
    a_change,
    a_file,
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


def only_entry(batch: OutgoingBatch) -> ParsedEntry:
    return next(read_file(io.BytesIO(rendered(batch))).entries)


@pytest.mark.parametrize(
    "code, cents, answer",
    [(22, 100, 21), (23, 0, 21), (27, 100, 26), (28, 0, 26), (32, 5, 31), (37, 5, 36), (38, 0, 36)],
)
def test_a_return_keeps_the_amount_and_turns_the_code(code: int, cents: int, answer: int) -> None:
    sent = only_entry(
        a_batch(an_entry(7, transaction_code=code, amount_cents=cents), service_class=200)
    )
    back = return_of(sent, "R02", trace_number=trace(1, RDFI), information="CLOSED")
    read = only_entry(a_return(entries=(back,), service_class=200))
    assert (read.transaction_code, read.amount_cents) == (answer, cents)
    assert (read.return_code, read.original_trace, read.information) == ("R02", trace(7), "CLOSED")
    assert read.original_routing == "09100001"
    assert read.is_debit is sent.is_debit
    assert read.identification == sent.identification


def test_a_return_for_death_carries_its_date() -> None:
    back = return_of(
        only_entry(a_batch()), "R14", trace_number=trace(1, RDFI), died_on=date(2026, 10, 1)
    )
    assert only_entry(a_return(entries=(back,))).died_on == date(2026, 10, 1)


def test_a_change_carries_no_money() -> None:
    data = corrected_data("C05", transaction_code="32")
    answer = change_of(only_entry(a_batch()), "C05", data, trace_number=trace(1, RDFI))
    read = only_entry(a_change(entries=(answer,)))
    assert (read.kind, read.amount_cents, read.transaction_code) == (EntryKind.CHANGE, 0, 21)
    assert read.correction is not None
    assert read.correction.transaction_code == 32


@pytest.mark.parametrize(
    "batch, codes, service_class",
    [
        (a_batch(an_entry(1), an_entry(2, transaction_code=32)), [27, 37], 225),
        (debits("WEB"), [22], 220),
        (a_batch(an_entry(1), an_entry(2, transaction_code=27), service_class=200), [27, 22], 200),
    ],
)
def test_a_reversal_flips_codes_and_keeps_amounts(
    batch: OutgoingBatch, codes: list[int], service_class: int
) -> None:
    back = reversal_of(
        batch,
        effective_on=date(2026, 11, 27),
        batch_number=9,
        trace_numbers=map(trace, range(50, 60)),
    )
    file = read_file(io.BytesIO(rendered(back)))
    assert file.is_valid
    assert [entry.transaction_code for entry in file.entries] == codes
    header = file.batches[0].header
    assert header.service_class == service_class
    assert header.entry_description == "REVERSAL"
    assert header.company_identification == batch.company_identification
    sent = [entry.amount_cents for entry in batch.entries]
    assert [entry.amount_cents for entry in file.entries] == sent


@pytest.mark.parametrize(
    "batch", [a_batch(an_entry(transaction_code=23, amount_cents=0)), a_return()]
)
def test_prenotes_and_returns_are_not_reversed(batch: OutgoingBatch) -> None:
    back = reversal_of(
        batch, effective_on=date(2026, 11, 27), batch_number=9, trace_numbers=[trace(50)]
    )
    with pytest.raises(WriteError) as caught:
        rendered(back)
    assert caught.value.code == "not-reversible"


def test_a_reversal_never_drops_an_entry() -> None:
    batch = a_batch(an_entry(1), an_entry(2))
    back = reversal_of(
        batch, effective_on=date(2026, 11, 27), batch_number=9, trace_numbers=[trace(50)]
    )
    with pytest.raises(WriteError) as caught:
        rendered(back)
    assert (caught.value.code, caught.value.trace_number) == ("trace-missing", trace(2))


FILES = [
    render_file(
        a_file(
            a_batch(an_entry(1)),
            debits(
                "TEL",
                batch_number=2,
                entries=(an_entry(2, transaction_code=27, discretionary="R"),),
            ),
        )
    ),
    rendered(a_batch(with_remittance(1, "ONE", "TWO", name="CLINIC"), sec_code="CTX")),
    rendered(balanced()),
    rendered(a_return(), a_change(batch_number=2)),
    rendered(*disputes()),
    rendered(a_batch(entry_description="REVERSAL", purpose=Purpose.REVERSAL)),
    rendered(a_batch(entry_description="PAYROLL")),
    rendered(immediate_destination="HUNTINGTON"),
    rendered(a_batch(service_class=ServiceClass.MIXED)),
]


@pytest.mark.parametrize("data", FILES)
def test_what_was_read_can_be_written_again(data: bytes) -> None:
    assert faults_in(data) == [] or b"HUNTINGTON" in data[:14]
    assert render_file(outgoing_file(read_file(io.BytesIO(data)))) == data


def test_a_file_without_a_header_cannot_be_written_again() -> None:
    parsed = read_file(io.BytesIO(rendered()[95:]), lenient=True)
    with pytest.raises(WriteError, match="no header"):
        outgoing_file(parsed)


def test_a_batch_without_a_date_cannot_be_written_again() -> None:
    parsed = read_file(io.BytesIO(bytes_of(put(2, 70, "000000")(records_of(rendered())))))
    with pytest.raises(WriteError, match="effective date"):
        outgoing_batch(parsed.batches[0])


def test_a_description_that_is_never_sent_is_refused_when_written_again() -> None:
    parsed = read_file(io.BytesIO(bytes_of(put(2, 54, "RECLAIM   ")(records_of(rendered())))))
    batch = outgoing_batch(ParsedBatch(parsed.batches[0].header, (), None))
    assert batch.purpose is Purpose.PAYMENT
    with pytest.raises(WriteError, match="reserved"):
        rendered(batch)
