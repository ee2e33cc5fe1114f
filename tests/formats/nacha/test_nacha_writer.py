"""The writer: what it makes of good input, what it refuses, and that it never half-accepts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from seedtrust.formats.nacha import (
    ControlTotals,
    Offset,
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingChange,
    OutgoingEntry,
    OutgoingReturn,
    Purpose,
    ServiceClass,
    WriteError,
    check_digit,
    read_file,
    write_file,
)
from seedtrust.formats.nacha.writer import control_record
from tests.formats.nacha.making import (
    BANK,
    ODFI,
    RDFI,
    a_batch,
    a_change,
    a_file,
    a_return,
    an_entry,
    balanced,
    debits,
    disputes,
    faults_in,
    records_of,
    refusals_in,
    rendered,
    trace,
    with_remittance,
)


def refusal(*batches: OutgoingBatch, **changes: Any) -> WriteError:
    """Return the refusal of a file."""
    with pytest.raises(WriteError) as caught:
        rendered(*batches, **changes)
    return caught.value


def test_a_file_is_whole_blocks_of_records_of_94_characters() -> None:
    data = rendered(a_batch(*map(an_entry, range(1, 8))))
    records = records_of(data)
    assert {len(record) for record in records} == {94}
    assert [record[0] for record in records] == list("15666666689") + ["9"] * 9
    assert records[-9:] == ["9" * 94] * 9


def test_a_file_that_fills_its_blocks_has_no_filler() -> None:
    records = records_of(rendered(a_batch(*map(an_entry, range(1, 7)))))
    assert [record[0] for record in records] == list("1566666689")
    assert records[-1].startswith("9000001000001")


def test_totals_are_returned_and_stand_in_the_control_record() -> None:
    sink = io.BytesIO()
    first = a_batch(an_entry(1), with_remittance(2, amount_cents=50))
    second = a_batch(
        an_entry(3, transaction_code=27, amount_cents=7),
        batch_number=2,
        service_class=225,
        sec_code="CCD",
    )
    totals = write_file(a_file(first, second), sink)
    assert totals == ControlTotals(
        batch_count=2,
        block_count=1,
        entry_addenda_count=4,
        entry_hash=3 * 9_100_001,
        debit_cents=7,
        credit_cents=123_500,
    )
    control = read_file(io.BytesIO(sink.getvalue())).control
    assert control is not None
    assert control.entry_hash == totals.entry_hash
    assert (control.debit_cents, control.credit_cents) == (7, 123_500)
    assert (control.batch_count, control.block_count) == (2, 1)
    assert control.entry_addenda_count == 4


def test_the_same_input_makes_the_same_bytes() -> None:
    assert rendered(balanced()) == rendered(balanced())


def test_records_may_end_with_carriage_return_and_line_feed() -> None:
    sink, plain = io.BytesIO(), io.BytesIO()
    write_file(a_file(), sink, line_end=b"\r\n")
    write_file(a_file(), plain)
    assert sink.getvalue() == plain.getvalue().replace(b"\n", b"\r\n")
    assert faults_in(sink.getvalue()) == []


def test_other_line_ends_are_refused() -> None:
    with pytest.raises(WriteError, match="line feed"):
        write_file(a_file(), io.BytesIO(), line_end=b"\r")


def test_batches_and_entries_may_be_generators() -> None:
    entries = (an_entry(number) for number in range(1, 4))
    data = rendered(*(batch for batch in [a_batch(entries=entries)]))
    assert len(tuple(read_file(io.BytesIO(data)).entries)) == 3


@pytest.mark.parametrize(
    "batch", [a_return(), a_change(), balanced(), debits("WEB"), debits("TEL")]
)
def test_what_is_written_is_accepted(batch: OutgoingBatch) -> None:
    assert faults_in(rendered(batch)) == []


def test_disputes_between_banks_are_written_for_the_bank_simulator() -> None:
    assert faults_in(rendered(*disputes())) == []


def test_the_entry_hash_keeps_its_low_ten_digits() -> None:
    first_eight = "80999999"
    routing = first_eight + check_digit(first_eight)
    entries = [an_entry(number, routing_number=routing) for number in range(1, 401)]
    data = rendered(a_batch(*entries))
    expected = 400 * 80_999_999 % 10**10
    assert expected != 400 * 80_999_999
    assert faults_in(data) == []
    batch = read_file(io.BytesIO(data)).batches[0]
    assert batch.control is not None
    assert batch.control.entry_hash == expected


def test_the_largest_amount_and_the_longest_account_number_are_written() -> None:
    entry = an_entry(amount_cents=9_999_999_999, account_number="12345678901234567")
    read = next(read_file(io.BytesIO(rendered(a_batch(entry)))).entries)
    assert read.amount_cents == 9_999_999_999
    assert read.account_number == "12345678901234567"


def test_a_ctx_entry_takes_9999_addenda() -> None:
    entry = with_remittance(1, *(f"INV*{number}" for number in range(9999)), name="ACME CLINIC INC")
    data = rendered(a_batch(entry, sec_code="CTX", entry_description="VENDORPAY"))
    assert faults_in(data) == []
    read = next(read_file(io.BytesIO(data)).entries)
    assert read.remittance[-1] == "INV*9998"
    assert read.name == "ACME CLINIC INC"


def test_a_ctx_entry_without_addenda_is_written() -> None:
    assert faults_in(rendered(a_batch(sec_code="CTX"))) == []


def test_names_and_remittance_are_brought_to_ascii_and_names_cut() -> None:
    entry = with_remittance(1, "Rechnung für Zoë", name="Zoë  Müller-Lüdenscheidt-Hohenlohe")
    data = rendered(a_batch(entry, company_name="Señor Escrow Company"), origin_name="Žižkov")
    file = read_file(io.BytesIO(data))
    read = next(file.entries)
    assert read.name == "Zoe Muller-Ludenscheid"
    assert read.remittance == ("Rechnung fur Zoe",)
    assert file.batches[0].header.company_name == "Senor Escrow Com"
    assert file.header is not None
    assert file.header.origin_name == "Zizkov"


def test_a_prenote_is_written_with_no_amount() -> None:
    data = rendered(a_batch(an_entry(transaction_code=23, amount_cents=0)))
    assert faults_in(data) == []


def test_zero_dollars_with_remittance_go_to_a_business() -> None:
    entry = with_remittance(transaction_code=24, amount_cents=0)
    assert faults_in(rendered(a_batch(entry, sec_code="CCD"))) == []


def test_a_balanced_batch_closes_with_its_offset() -> None:
    records = records_of(rendered(balanced()))
    assert records[4][:39] == "627044000024555000111        0000123451"
    assert records[4][54:76].rstrip() == "OFFSET"
    assert records[5][20:44] == "000000123451" * 2


def test_debits_are_balanced_by_a_credit() -> None:
    offset = Offset(22, BANK, "555000111", trace(9))
    batch = debits("WEB", service_class=ServiceClass.MIXED, offset=offset)
    assert refusals_in(rendered(batch)) == set()


def test_prenotes_alone_need_no_offset() -> None:
    batch = balanced(entries=(an_entry(transaction_code=23, amount_cents=0),))
    assert [record[0] for record in records_of(rendered(batch))[:4]] == list("1568")


def test_ten_characters_of_destination_are_taken_as_the_bank_wants_them() -> None:
    data = rendered(immediate_destination="0440000240")
    assert data[3:13] == b"0440000240"


@pytest.mark.parametrize(
    "code, field, changes",
    [
        ("routing-number", "immediate_destination", {"immediate_destination": "044000025"}),
        ("routing-number", "immediate_destination", {"immediate_destination": " 000000000"}),
        ("wrong-length", "immediate_destination", {"immediate_destination": "44000024"}),
        ("wrong-length", "immediate_origin", {"immediate_origin": "123456789"}),
        ("wrong-length", "immediate_origin", {"immediate_origin": "12345678901"}),
        ("missing", "immediate_origin", {"immediate_origin": " " * 10}),
        ("wrong-value", "file_id_modifier", {"file_id_modifier": "a"}),
        ("too-long", "file_id_modifier", {"file_id_modifier": "AB"}),
        ("too-long", "reference_code", {"reference_code": "123456789"}),
        ("not-printable", "reference_code", {"reference_code": "É"}),
        ("bad-date", "created_at", {"created_at": datetime.fromisoformat("1999-12-31T23:59:00")}),
    ],
)
def test_a_file_header_that_does_not_fit_is_refused(
    code: str, field: str, changes: dict[str, Any]
) -> None:
    error = refusal(**changes)
    assert (error.code, error.field, error.batch_number) == (code, field, None)


@pytest.mark.parametrize(
    "code, field, changes",
    [
        ("wrong-value", "service_class", {"service_class": 280}),
        ("wrong-value", "service_class", {"service_class": 999}),
        ("missing", "company_name", {"company_name": "  "}),
        ("too-long", "company_discretionary_data", {"company_discretionary_data": "x" * 21}),
        ("not-printable", "company_discretionary_data", {"company_discretionary_data": "\n"}),
        ("too-long", "company_identification", {"company_identification": "12345678901"}),
        ("missing", "company_identification", {"company_identification": ""}),
        ("sec-code", "sec_code", {"sec_code": "ppd"}),
        ("sec-code", "sec_code", {"sec_code": "IAT"}),
        ("sec-code", "sec_code", {"sec_code": "COR"}),
        ("sec-code", "sec_code", {"purpose": Purpose.CHANGE}),
        ("too-long", "entry_description", {"entry_description": "REIMBURSEMENT"}),
        ("missing", "entry_description", {"entry_description": ""}),
        ("too-long", "descriptive_date", {"descriptive_date": "2026-11"}),
        ("bad-date", "effective_on", {"effective_on": date(2100, 1, 1)}),
        ("routing-number", "odfi_identification", {"odfi_identification": "00000000"}),
        ("routing-number", "odfi_identification", {"odfi_identification": "4400002"}),
        ("batch-order", "batch_number", {"batch_number": 0}),
        ("batch-order", "batch_number", {"batch_number": 10_000_000}),
        ("bad-day", "settlement_day", {"settlement_day": 367}),
    ],
)
def test_a_batch_header_that_does_not_fit_is_refused(
    code: str, field: str, changes: dict[str, Any]
) -> None:
    error = refusal(a_batch(**changes))
    assert (error.code, error.field) == (code, field)
    assert f"Batch {changes.get('batch_number', 1)}:" in str(error)


@pytest.mark.parametrize(
    "code, field, changes",
    [
        ("transaction-code", "transaction_code", {"transaction_code": 20}),
        ("transaction-code", "transaction_code", {"transaction_code": 27}),
        ("transaction-code", "transaction_code", {"transaction_code": 24, "amount_cents": 0}),
        ("transaction-code", "transaction_code", {"transaction_code": 21}),
        ("transaction-code", "transaction_code", {"transaction_code": 42}),
        ("transaction-code", "transaction_code", {"transaction_code": 52}),
        ("transaction-code", "transaction_code", {"transaction_code": -22}),
        ("routing-number", "routing_number", {"routing_number": "091000018"}),
        ("routing-number", "routing_number", {"routing_number": "000000000"}),
        ("routing-number", "routing_number", {"routing_number": "09100001"}),
        ("account-number", "account_number", {"account_number": ""}),
        ("account-number", "account_number", {"account_number": "   "}),
        ("account-number", "account_number", {"account_number": "0000000"}),
        ("account-number", "account_number", {"account_number": "12\t34"}),
        ("account-number", "account_number", {"account_number": "12é34"}),
        ("too-long", "account_number", {"account_number": "123456789012345678"}),
        ("not-left-justified", "account_number", {"account_number": " 1234"}),
        ("amount", "amount_cents", {"amount_cents": 0}),
        ("amount", "amount_cents", {"amount_cents": -1}),
        ("amount", "amount_cents", {"amount_cents": 10_000_000_000}),
        ("amount", "amount_cents", {"amount_cents": 12.5}),
        ("amount", "amount_cents", {"amount_cents": True}),
        ("amount", "amount_cents", {"transaction_code": 23}),
        ("too-long", "identification", {"identification": "x" * 16}),
        ("not-printable", "identification", {"identification": "a\x00b"}),
        ("missing", "name", {"name": ""}),
        ("missing", "name", {"name": "\u200b\x00"}),
        ("too-long", "discretionary", {"discretionary": "ABC"}),
        ("not-printable", "discretionary", {"discretionary": "\x7f"}),
        ("trace-odfi", "trace_number", {"trace_number": "091000010000001"}),
        ("trace-odfi", "trace_number", {"trace_number": ""}),
        ("too-long", "trace_number", {"trace_number": trace(1) + "0"}),
        ("not-numeric", "trace_number", {"trace_number": ODFI + "000001"}),
        ("not-numeric", "trace_number", {"trace_number": ODFI + "00000²1"}),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(
    code: str, field: str, changes: dict[str, Any]
) -> None:
    error = refusal(a_batch(an_entry(**changes)))
    assert (error.code, error.field, error.batch_number) == (code, field, 1)
    account = changes.get("account_number", "0123456789")
    assert not account.strip() or account not in str(error)


def a_returned(**changes: Any) -> OutgoingBatch:
    """Return a batch of returns whose one entry is changed."""
    values: dict[str, Any] = {"transaction_code": 21, "trace_number": trace(1, RDFI)}
    return a_return(entries=(an_entry(**values | changes),))


def a_debit(sec_code: str, **changes: Any) -> OutgoingBatch:
    """Return a batch of debits whose one entry is changed."""
    return debits(sec_code, entries=(an_entry(**{"transaction_code": 27} | changes),))


REMITTANCE = (OutgoingAddenda("INV 1"),)


@pytest.mark.parametrize(
    "code, batch",
    [
        ("addenda-count", a_batch(with_remittance(1, "ONE", "TWO"))),
        (
            "addenda-count",
            a_debit("TEL", discretionary="S", addenda=REMITTANCE),
        ),
        ("addenda-missing", a_batch(an_entry(transaction_code=24, amount_cents=0), sec_code="CCD")),
        ("too-long", a_batch(with_remittance(1, "x" * 81))),
        ("addenda-type", a_batch(an_entry(addenda=(OutgoingReturn("R01", trace(1), RDFI),)))),
        (
            "addenda-type",
            a_returned(addenda=REMITTANCE),
        ),
        (
            "addenda-missing",
            a_returned(),
        ),
        ("transaction-code", a_returned(transaction_code=22)),
        ("corrected-data", a_change("C02", "121000249")),
        ("corrected-data", a_change("C05", "21")),
        ("corrected-data", a_change("C01", "")),
        ("corrected-data", a_change("C03", "121000248 123456")),
        ("unknown-code", a_change("C99", "1")),
        ("payment-type", a_debit("WEB")),
        (
            "payment-type",
            a_debit("TEL", discretionary="X"),
        ),
    ],
)
def test_addenda_and_payment_types_that_do_not_belong_are_refused(
    code: str, batch: OutgoingBatch
) -> None:
    assert refusal(batch).code == code


@pytest.mark.parametrize(
    "reason, code",
    [
        (OutgoingReturn("R99", trace(1), RDFI), "unknown-code"),
        (OutgoingReturn("R01", "", RDFI), "not-numeric"),
        (OutgoingReturn("R01", trace(1), "0910000"), "not-numeric"),
        (OutgoingReturn("R01", trace(1), RDFI, died_on=date(2026, 1, 2)), "not-blank"),
        (OutgoingReturn("R01", trace(1), RDFI, "x" * 45), "too-long"),
        (OutgoingChange("C01", trace(1), RDFI, "123"), "addenda-type"),
    ],
)
def test_a_return_must_say_why(reason: Any, code: str) -> None:
    entry = an_entry(transaction_code=21, trace_number=trace(1, RDFI), addenda=(reason,))
    assert refusal(a_return(entries=(entry,))).code == code


def test_a_date_of_death_goes_with_its_code() -> None:
    reason = OutgoingReturn("R15", trace(1), RDFI, died_on=date(2026, 11, 2))
    entry = an_entry(transaction_code=21, trace_number=trace(1, RDFI), addenda=(reason,))
    read = next(read_file(io.BytesIO(rendered(a_return(entries=(entry,))))).entries)
    assert read.died_on == date(2026, 11, 2)


@pytest.mark.parametrize(
    "traces", [(2, 1), (1, 1), (5, 4)], ids=["descending", "twice", "descending later"]
)
def test_trace_numbers_must_ascend_in_a_batch(traces: tuple[int, int]) -> None:
    assert refusal(a_batch(*map(an_entry, traces))).code == "trace-order"


def test_a_trace_number_may_come_only_once_in_a_file() -> None:
    first, second = a_batch(an_entry(7)), a_batch(an_entry(7), batch_number=2)
    error = refusal(first, second)
    assert (error.code, error.batch_number, error.trace_number) == ("trace-order", 2, trace(7))


def test_trace_numbers_of_batches_may_interleave() -> None:
    first, second = a_batch(an_entry(1), an_entry(3)), a_batch(an_entry(2), batch_number=2)
    assert faults_in(rendered(first, second)) == []


def test_batch_numbers_must_ascend() -> None:
    first, second = a_batch(batch_number=2), a_batch(an_entry(2), batch_number=2)
    assert refusal(first, second).code == "batch-order"


def test_a_file_needs_a_batch_and_a_batch_an_entry() -> None:
    with pytest.raises(WriteError, match="at least one batch"):
        write_file(a_file(batches=()), io.BytesIO())
    assert refusal(a_batch(entries=())).code == "empty-batch"


@pytest.mark.parametrize(
    "changes",
    [
        {"service_class": ServiceClass.CREDITS},
        {"offset": Offset(22, BANK, "555000111", trace(99))},
        {"offset": Offset(28, BANK, "555000111", trace(99))},
        {"offset": Offset(99, BANK, "555000111", trace(99))},
        {"entries": (an_entry(1), an_entry(2, transaction_code=27))},
    ],
)
def test_an_offset_must_balance_one_direction(changes: dict[str, Any]) -> None:
    assert refusal(balanced(**changes)).code == "offset"


def test_an_offset_larger_than_an_entry_is_refused() -> None:
    entries = [an_entry(number, amount_cents=9_999_999_999) for number in (1, 2)]
    assert refusal(balanced(entries=entries)).code == "total-too-large"


def test_a_batch_total_that_does_not_fit_is_refused() -> None:
    entries = [an_entry(number, amount_cents=9_999_999_999) for number in range(1, 102)]
    assert refusal(a_batch(*entries)).code == "total-too-large"
    assert faults_in(rendered(a_batch(*entries[:100]))) == []


def test_a_file_total_that_does_not_fit_is_refused() -> None:
    batches = [
        a_batch(
            *(an_entry(50 * b + e, amount_cents=9_999_999_999) for e in range(51)),
            batch_number=b + 1,
        )
        for b in (0, 2)
    ]
    assert refusal(*batches).code == "total-too-large"


def test_more_records_than_a_batch_can_count_are_refused() -> None:
    text = (OutgoingAddenda("x"),)
    entry = an_entry(addenda=text * 9999)
    entries = (an_entry(number, addenda=entry.addenda, name="CLINIC") for number in range(1, 102))
    assert refusal(a_batch(entries=entries, sec_code="CTX")).code == "too-many"


@pytest.mark.parametrize("batches, blocks", [(1_000_000, 1), (1, 1_000_000)])
def test_more_than_the_file_control_can_count_is_refused(batches: int, blocks: int) -> None:
    with pytest.raises(WriteError) as caught:
        control_record(ControlTotals(batches, blocks, 1, 1, 1, 1))
    assert caught.value.code == "too-many"


def test_more_banks_than_are_remembered_are_written_and_read() -> None:
    def entries() -> Iterator[OutgoingEntry]:
        for number in range(1, 20_003):
            first_eight = f"{1_000_000 + number:08d}"
            yield an_entry(number, routing_number=first_eight + check_digit(first_eight))

    assert faults_in(rendered(a_batch(entries=entries()))) == []
