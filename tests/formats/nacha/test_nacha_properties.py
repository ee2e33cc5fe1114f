"""Properties: whatever is written is read back, and no bytes bring a reader down."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from seedtrust.formats.nacha import (
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingEntry,
    OutgoingFile,
    WriteError,
    check_digit,
    fit_name,
    is_printable,
    outgoing_file,
    read_entries,
    read_events,
    read_file,
    render_file,
    transliterate,
    validate,
    write_file,
)
from seedtrust.formats.nacha.display import file_as_json, lines_of
from tests.formats.nacha.making import (
    ODFI,
    a_batch,
    a_change,
    a_file,
    a_return,
    an_entry,
    balanced,
    bytes_of,
    disputes,
    faults_in,
    put,
    records_of,
    refusals_in,
    rendered,
    trace,
    with_remittance,
)

_PREFIXES: Final = [f"{number:02d}" for number in (*range(13), *range(21, 33), *range(61, 73), 80)]
printable = st.characters(min_codepoint=32, max_codepoint=126)
references = st.text(printable, max_size=15).map(str.rstrip)
names = st.text(max_size=40).filter(lambda name: fit_name(name, 16) != "")
accounts = st.text(printable, min_size=1, max_size=17).filter(
    lambda text: text.strip(" 0") != "" and text == text.strip()
)
amounts = st.integers(1, 9_999_999_999)


@st.composite
def routing_numbers(draw: st.DrawFn) -> str:
    first = draw(st.sampled_from(_PREFIXES)) + f"{draw(st.integers(1, 999_999)):06d}"
    return first + check_digit(first)


@st.composite
def entries_of(draw: st.DrawFn, sec_code: str, first: int) -> list[OutgoingEntry]:
    most = {"TEL": 0, "CTX": 5}.get(sec_code, 1)
    type_code = "S" if sec_code in {"WEB", "TEL"} else ""
    texts = st.text(max_size=40).filter(lambda text: len(transliterate(text)) <= 80)
    return [
        OutgoingEntry(
            transaction_code=draw(st.sampled_from([22, 32, 27, 37])),
            routing_number=draw(routing_numbers()),
            account_number=draw(accounts),
            amount_cents=draw(amounts),
            identification=draw(references),
            name=draw(names),
            trace_number=trace(first + sequence),
            discretionary=type_code or draw(st.text(printable, max_size=2)).rstrip(),
            addenda=tuple(map(OutgoingAddenda, draw(st.lists(texts, max_size=most)))),
        )
        for sequence in range(draw(st.integers(1, 4)))
    ]


@st.composite
def files(draw: st.DrawFn) -> OutgoingFile:
    batches = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        sec_code = draw(st.sampled_from(["PPD", "CCD", "CTX", "WEB", "TEL"]))
        batches.append(
            OutgoingBatch(
                service_class=200,
                company_name=draw(names),
                company_discretionary_data=draw(st.text(printable, max_size=20)),
                company_identification="1234567890",
                sec_code=sec_code,
                entry_description="REIMBURSE",
                descriptive_date="",
                effective_on=draw(st.dates(date(2000, 1, 1), date(2099, 12, 31))),
                odfi_identification=ODFI,
                batch_number=number,
                entries=draw(entries_of(sec_code, number * 10)),
            )
        )
    return OutgoingFile(
        immediate_destination="044000024",
        immediate_origin="1234567890",
        created_at=draw(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))),  # noqa: DTZ001 - local wall time
        file_id_modifier=draw(st.sampled_from("ABCXYZ0189")),
        destination_name=draw(st.text(max_size=30)),
        origin_name=draw(st.text(max_size=30)),
        reference_code=draw(st.text(printable, max_size=8)),
        batches=batches,
    )


@given(files())
def test_what_is_written_is_valid_and_read_back(file: OutgoingFile) -> None:
    data = render_file(file)
    assert refusals_in(data) == set()
    written = [entry for batch in file.batches for entry in batch.entries]
    for lenient in (False, True):
        parsed = read_file(io.BytesIO(data), lenient=lenient)
        for before, after in zip(written, parsed.entries, strict=True):
            width = 16 if after.batch.sec_code == "CTX" else 22
            assert after.transaction_code == before.transaction_code
            assert after.routing_number == before.routing_number
            assert after.account_number == before.account_number
            assert after.amount_cents == before.amount_cents
            assert after.identification == before.identification
            assert after.name == fit_name(before.name, width)
            assert after.trace_number == before.trace_number
            assert after.remittance == tuple(
                transliterate(row.text).rstrip()
                for row in before.addenda
                if isinstance(row, OutgoingAddenda)
            )


@given(files())
def test_controls_are_the_sums_of_entries(file: OutgoingFile) -> None:
    sink = io.BytesIO()
    totals = write_file(file, sink)
    entries = list(read_entries(io.BytesIO(sink.getvalue())))
    assert totals.debit_cents == sum(row.amount_cents for row in entries if row.is_debit)
    assert totals.credit_cents == sum(row.amount_cents for row in entries if not row.is_debit)
    assert totals.entry_hash == sum(int(row.routing_number[:8]) for row in entries) % 10**10
    assert totals.entry_addenda_count == sum(1 + len(row.addenda) for row in entries)
    assert totals.block_count * 950 == len(sink.getvalue())


@given(files())
def test_what_is_read_is_written_again_byte_for_byte(file: OutgoingFile) -> None:
    data = render_file(file)
    parsed = read_file(io.BytesIO(data))
    again = render_file(outgoing_file(parsed))
    assert again == data


any_text = st.one_of(st.text(max_size=40), st.text(printable, max_size=24))
wild_entries = st.builds(
    an_entry,
    name=any_text,
    account_number=any_text,
    identification=any_text,
    amount_cents=st.integers(-5, 10**11),
    transaction_code=st.integers(0, 99),
    trace_number=st.text("0123456789 ", min_size=7, max_size=8).map(lambda end: ODFI + end),
)


def written_or_refused(entry: OutgoingEntry) -> bytes | WriteError:
    try:
        return rendered(a_batch(entry, service_class=200))
    except WriteError as error:
        return error


@given(wild_entries)
def test_the_writer_refuses_or_writes_what_is_valid(entry: OutgoingEntry) -> None:
    result = written_or_refused(entry)
    if isinstance(result, bytes):
        assert faults_in(result) == []
    else:
        assert result.batch_number == 1


SAMPLES: Final = [
    rendered(a_batch(an_entry(1), an_entry(2))),
    rendered(
        a_batch(with_remittance(1), sec_code="CCD"),
        balanced(batch_number=2, entries=(an_entry(2),)),
    ),
    rendered(a_return(), a_change(batch_number=2)),
    rendered(*disputes()),
]


def read_every_way(data: bytes) -> None:
    for lenient in (False, True):
        codes = [fault.code for fault in validate(io.BytesIO(data), lenient=lenient)]
        file = read_file(io.BytesIO(data), lenient=lenient)
        assert [fault.code for fault in file.faults] == codes
        events = read_events(io.BytesIO(data), lenient=lenient)
        assert "\n".join(line for event in events for line in lines_of(event)) is not None
        assert json.dumps(file_as_json(file))
        for batch in file.batches:
            assert batch.header.service_class >= 0
            assert batch.header.batch_number >= 0
        for entry in file.entries:
            assert entry.amount_cents >= 0
            assert entry.original_trace == entry.original_trace.strip()


@given(st.binary(max_size=2000))
def test_no_bytes_bring_a_reader_down(data: bytes) -> None:
    read_every_way(data)


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=100), max_size=20))
def test_no_lines_bring_a_reader_down(lines: list[str]) -> None:
    kinds = "1566789"
    records = [f"{kinds[number % 7]}{line}" for number, line in enumerate(lines)]
    read_every_way(bytes_of(records))


@given(
    st.sampled_from(SAMPLES),
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 120), st.binary(max_size=120)),
        min_size=1,
        max_size=4,
    ),
)
def test_no_damage_brings_a_reader_down(
    sample: bytes, damages: list[tuple[int, int, bytes]]
) -> None:
    data = sample
    for place, removed, added in damages:
        data = data[:place] + added + data[place + removed :]
    read_every_way(data)


@given(st.sampled_from(SAMPLES), st.integers(0, 2000), st.integers(0, 255))
def test_a_file_that_is_accepted_adds_up(sample: bytes, place: int, byte: int) -> None:
    data = sample[:place] + bytes([byte]) + sample[place + 1 :]
    if refusals_in(data):
        return
    file = read_file(io.BytesIO(data))
    assert file.control is not None
    assert file.control.debit_cents == sum(e.amount_cents for e in file.entries if e.is_debit)
    assert file.control.credit_cents == sum(e.amount_cents for e in file.entries if not e.is_debit)


#: Places of a payment file where no other character may stand, by line.
GUARDED: Final = {
    1: [*range(1, 4), *range(35, 41)],
    2: [1, *range(2, 5), *range(41, 51), *range(80, 95)],
    3: [1, *range(4, 13), *range(30, 40), *range(79, 88)],
    5: [*range(1, 55), *range(74, 95)],
    6: range(1, 95),
    7: range(1, 95),
}


@given(
    st.sampled_from([(line, column) for line, columns in GUARDED.items() for column in columns]),
    printable,
)
def test_a_changed_character_where_it_matters_is_noticed(
    place: tuple[int, int], character: str
) -> None:
    records = records_of(SAMPLES[0])
    line, column = place
    if records[line - 1][column - 1] == character:
        return
    assert refusals_in(bytes_of(put(line, column, character)(records)))


@given(st.text(max_size=200))
def test_the_same_input_is_fitted_the_same_way_by_the_writer(name: str) -> None:
    result = written_or_refused(an_entry(name=name))
    if isinstance(result, WriteError):
        assert result.field == "name"
        assert fit_name(name) == ""
    else:
        read = next(read_entries(io.BytesIO(result)))
        assert read.name == fit_name(name)
        assert is_printable(read.name)


def test_the_samples_are_valid() -> None:
    for sample in SAMPLES:
        assert faults_in(sample) == []
    assert render_file(a_file()) == rendered()
