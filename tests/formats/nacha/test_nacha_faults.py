"""Files with one fault in them: the strict reader must refuse each, and say where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from seedtrust.formats.nacha import Purpose
from tests.formats.nacha.making import (
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
    padded,
    put,
    records_of,
    refusals_in,
    rendered,
    trace,
    warnings_in,
    with_remittance,
)

Spoiler = Callable[[list[str]], list[str]]

NINES: Final = "9" * 94
REMITTANCE: Final = "705" + " " * 80 + "00010000001"
# Records: 1 header, 2 batch, 3-4 entries, 5 control, 6 batch, 7 entry with 8 addenda, 9, 10 file.
PAYMENTS: Final = rendered(
    a_batch(an_entry(1), an_entry(2)),
    a_batch(with_remittance(3), batch_number=2, sec_code="CCD"),
)
# Records: 1 header, 2 batch, 3 entry, 4 addenda, 5 control, 6 file.
RETURN: Final = rendered(a_return())
CHANGE: Final = rendered(a_change())
DEBITS: Final = rendered(debits("WEB"))
CTX: Final = rendered(a_batch(with_remittance(1, "ONE", "TWO", name="CLINIC"), sec_code="CTX"))
PRENOTE: Final = rendered(a_batch(an_entry(transaction_code=23, amount_cents=0)))
ZERO_DOLLARS: Final = rendered(
    a_batch(with_remittance(transaction_code=24, amount_cents=0), sec_code="CCD")
)
DISPUTES: Final = rendered(*disputes())


def without(*lines: int) -> Spoiler:
    return lambda records: [text for line, text in enumerate(records, 1) if line not in lines]


def without_and_padded(*lines: int) -> Spoiler:
    return lambda records: padded(without(*lines)(records))


def twice(line: int) -> Spoiler:
    return lambda records: [*records[:line], records[line - 1], *records[line:]]


def inserted(line: int, record: str) -> Spoiler:
    return lambda records: [*records[: line - 1], record, *records[line - 1 :]]


def cut(line: int) -> Spoiler:
    return lambda records: [
        text[:-1] if number == line else text for number, text in enumerate(records, 1)
    ]


def longer(line: int) -> Spoiler:
    return lambda records: [
        text + " " if number == line else text for number, text in enumerate(records, 1)
    ]


def both(*spoilers: Spoiler) -> Spoiler:
    def spoil(records: list[str]) -> list[str]:
        for spoiler in spoilers:
            records = spoiler(records)
        return records

    return spoil


DESTINATION: Final = "immediate_destination"
ODFI_FIELD: Final = "odfi_identification"
FIELDS: Final = [
    # File header
    ("priority code", PAYMENTS, put(1, 2, "02"), "wrong-value", 1, "priority_code"),
    ("destination blank", PAYMENTS, put(1, 4, " " * 10), "missing", 1, DESTINATION),
    (
        "destination zeros",
        PAYMENTS,
        put(1, 5, "0" * 9),
        "routing-number",
        1,
        "immediate_destination",
    ),
    ("destination digit", PAYMENTS, put(1, 13, "5"), "routing-number", 1, "immediate_destination"),
    ("origin blank", PAYMENTS, put(1, 14, " " * 10), "missing", 1, "immediate_origin"),
    ("creation month", PAYMENTS, put(1, 26, "13"), "bad-date", 1, "created_on"),
    ("creation blank", PAYMENTS, put(1, 24, " " * 6), "bad-date", 1, "created_on"),
    ("creation hour", PAYMENTS, put(1, 30, "24"), "bad-time", 1, "created_at_time"),
    ("modifier", PAYMENTS, put(1, 34, "a"), "wrong-value", 1, "file_id_modifier"),
    ("record size", PAYMENTS, put(1, 35, "080"), "wrong-value", 1, "record_size"),
    ("blocking", PAYMENTS, put(1, 38, "01"), "wrong-value", 1, "blocking_factor"),
    ("format", PAYMENTS, put(1, 40, "2"), "wrong-value", 1, "format_code"),
    ("origin name", PAYMENTS, put(1, 64, "\x07"), "not-printable", 1, "origin_name"),
    # Batch header
    ("service class", PAYMENTS, put(2, 2, "201"), "wrong-value", 2, "service_class"),
    ("advices", PAYMENTS, put(2, 2, "280"), "wrong-value", 2, "service_class"),
    ("company name", PAYMENTS, put(2, 5, " " * 16), "missing", 2, "company_name"),
    ("company id", PAYMENTS, put(2, 41, " " * 10), "missing", 2, "company_identification"),
    ("class", PAYMENTS, put(2, 51, "PPX"), "sec-code", 2, "sec_code"),
    ("class in small letters", PAYMENTS, put(2, 51, "ppd"), "sec-code", 2, "sec_code"),
    ("description", PAYMENTS, put(2, 54, " " * 10), "missing", 2, "entry_description"),
    ("no effective date", PAYMENTS, put(2, 70, " " * 6), "bad-date", 2, "effective_on"),
    ("zero effective date", PAYMENTS, put(2, 70, "0" * 6), "bad-date", 2, "effective_on"),
    ("impossible date", PAYMENTS, put(2, 70, "270229"), "bad-date", 2, "effective_on"),
    ("no date", PAYMENTS, put(2, 70, "26 124"), "bad-date", 2, "effective_on"),
    ("settlement", PAYMENTS, put(2, 76, "367"), "bad-day", 2, "settlement_day"),
    ("settlement zero", PAYMENTS, put(2, 76, "000"), "bad-day", 2, "settlement_day"),
    ("status", PAYMENTS, put(2, 79, "3"), "wrong-value", 2, "originator_status"),
    ("odfi", PAYMENTS, put(2, 80, "0" * 8), "routing-number", 2, "odfi_identification"),
    ("batch number", PAYMENTS, put(2, 88, "000000X"), "not-numeric", 2, "batch_number"),
    # Entry
    ("transaction code", PAYMENTS, put(3, 2, "20"), "transaction-code", 3, "transaction_code"),
    ("debit among credits", PAYMENTS, put(3, 2, "27"), "transaction-code", 3, "transaction_code"),
    ("return code alone", PAYMENTS, put(3, 2, "21"), "reason-missing", 3, "transaction_code"),
    ("zero dollars", PAYMENTS, put(3, 2, "24"), "transaction-code", 3, "transaction_code"),
    ("advice", PAYMENTS, put(3, 2, "81"), "transaction-code", 3, "transaction_code"),
    ("code", PAYMENTS, put(3, 2, "2X"), "not-numeric", 3, "transaction_code"),
    ("bank zeros", PAYMENTS, put(3, 4, "0" * 9), "routing-number", 3, "routing_first_eight"),
    ("bank prefix", PAYMENTS, put(3, 4, "99"), "routing-number", 3, "routing_first_eight"),
    ("check digit", PAYMENTS, put(3, 12, "8"), "check-digit", 3, "check_digit"),
    ("check letter", PAYMENTS, put(3, 12, "X"), "not-numeric", 3, "check_digit"),
    ("account blank", PAYMENTS, put(3, 13, " " * 17), "account-number", 3, "account_number"),
    (
        "account zeros",
        PAYMENTS,
        put(3, 13, f"{'0' * 9:<17}"),
        "account-number",
        3,
        "account_number",
    ),
    ("account long zeros", PAYMENTS, put(3, 13, "0" * 17), "account-number", 3, "account_number"),
    ("amount", PAYMENTS, put(3, 30, "      1234"), "not-numeric", 3, "amount_cents"),
    ("no amount", PAYMENTS, put(3, 30, "0" * 10), "amount", 3, "amount_cents"),
    ("name", PAYMENTS, put(3, 55, " " * 22), "missing", 3, "name"),
    ("name beyond ASCII", PAYMENTS, put(3, 55, "é"), "missing", 3, "name"),
    ("indicator", PAYMENTS, put(3, 79, "2"), "wrong-value", 3, "addenda_indicator"),
    ("announces", PAYMENTS, put(3, 79, "1"), "addenda-missing", 3, "addenda_indicator"),
    ("does not announce", PAYMENTS, put(7, 79, "0"), "addenda-indicator", 7, "addenda_indicator"),
    ("trace bank", PAYMENTS, put(3, 80, "09100001"), "trace-odfi", 3, "trace_number"),
    ("trace blank", PAYMENTS, put(3, 80, " " * 15), "not-numeric", 3, "trace_number"),
    ("trace twice", PAYMENTS, put(4, 94, "1"), "trace-order", 4, "trace_number"),
    ("prenote with money", PRENOTE, put(3, 39, "1"), "amount", 3, "amount_cents"),
    ("prenote made live", PRENOTE, put(3, 2, "22"), "amount", 3, "amount_cents"),
    ("payment type", DEBITS, put(3, 77, "X "), "payment-type", 3, "discretionary"),
    ("payment type moved", DEBITS, put(3, 77, " S"), "payment-type", 3, "discretionary"),
    # Addenda
    ("addenda type", PAYMENTS, put(8, 2, "06"), "addenda-type", 8, "type_code"),
    ("addenda text", PAYMENTS, put(8, 4, "\x00"), "not-printable", 8, "payment_information"),
    ("addenda sequence", PAYMENTS, put(8, 87, "2"), "addenda-sequence", 8, "addenda_sequence"),
    ("addenda number", PAYMENTS, put(8, 84, "   1"), "not-numeric", 8, "addenda_sequence"),
    ("addenda entry", PAYMENTS, put(8, 94, "4"), "addenda-trace", 8, "entry_sequence"),
    ("ctx sequence", CTX, put(5, 87, "3"), "addenda-sequence", 5, "addenda_sequence"),
    ("ctx count", CTX, put(3, 58, "3"), "addenda-count", 3, "addenda_count"),
    ("ctx reserved", CTX, put(3, 75, "X"), "not-blank", 3, "reserved"),
    # Returns and changes
    ("return code", RETURN, put(4, 4, "R48"), "unknown-code", 4, "return_code"),
    ("return code in small letters", RETURN, put(4, 4, "r03"), "unknown-code", 4, "return_code"),
    ("no original trace", RETURN, put(4, 7, " " * 15), "not-numeric", 4, "original_trace"),
    ("no original bank", RETURN, put(4, 28, " " * 8), "not-numeric", 4, "original_routing"),
    ("death", RETURN, put(4, 22, "261101"), "not-blank", 4, "date_of_death"),
    ("death date", RETURN, put(4, 22, "261301"), "bad-date", 4, "date_of_death"),
    ("return trace", RETURN, put(4, 94, "2"), "addenda-trace", 4, "trace_number"),
    ("return as payment", RETURN, put(3, 2, "22"), "transaction-code", 3, "transaction_code"),
    ("return not announced", RETURN, put(3, 79, "0"), "addenda-indicator", 3, "addenda_indicator"),
    ("change in a return", RETURN, put(4, 2, "98C01"), "reason-missing", 3, "transaction_code"),
    ("change code", CHANGE, put(4, 4, "C10"), "unknown-code", 4, "change_code"),
    ("change with money", CHANGE, put(3, 39, "1"), "amount", 3, "amount_cents"),
    ("corrected routing", CHANGE, put(4, 36, "121000249"), "corrected-data", 4, "corrected_data"),
    ("nothing corrected", CHANGE, put(4, 36, " " * 9), "corrected-data", 4, "corrected_data"),
    ("corrected beside", CHANGE, put(4, 36, " 121000248"), "corrected-data", 4, "corrected_data"),
    ("change reserved", CHANGE, put(4, 22, "X"), "not-blank", 4, "reserved"),
    ("dishonour reason", DISPUTES, put(4, 57, "99"), "unknown-code", 4, "return_reason"),
    ("dishonour day", DISPUTES, put(4, 54, "400"), "bad-day", 4, "return_settlement_day"),
    ("contest reason", DISPUTES, put(8, 77, "00"), "unknown-code", 8, "dishonoured_reason"),
    ("refused code", DISPUTES, put(12, 65, "C64"), "unknown-code", 12, "refused_change_code"),
    # Batch control
    ("control class", PAYMENTS, put(5, 2, "200"), "control-mismatch", 5, "service_class"),
    ("control count", PAYMENTS, put(5, 10, "3"), "control-mismatch", 5, "entry_addenda_count"),
    ("control hash", PAYMENTS, put(5, 20, "9"), "control-mismatch", 5, "entry_hash"),
    ("control debits", PAYMENTS, put(5, 32, "1"), "control-mismatch", 5, "debit_cents"),
    ("control credits", PAYMENTS, put(5, 33, "1"), "control-mismatch", 5, "credit_cents"),
    ("control blank", PAYMENTS, put(5, 21, " " * 12), "not-numeric", 5, "debit_cents"),
    ("control company", PAYMENTS, put(5, 45, "2"), "control-mismatch", 5, "company_identification"),
    ("control reserved", PAYMENTS, put(5, 74, "1"), "not-blank", 5, "reserved"),
    (
        "control odfi",
        PAYMENTS,
        put(5, 80, "09100001"),
        "control-mismatch",
        5,
        "odfi_identification",
    ),
    ("control number", PAYMENTS, put(5, 94, "2"), "control-mismatch", 5, "batch_number"),
    # File control
    ("file batches", PAYMENTS, put(10, 7, "3"), "control-mismatch", 10, "batch_count"),
    ("file blocks", PAYMENTS, put(10, 13, "2"), "block-count", 10, "block_count"),
    ("file count", PAYMENTS, put(10, 21, "5"), "control-mismatch", 10, "entry_addenda_count"),
    ("file hash", PAYMENTS, put(10, 22, "9"), "control-mismatch", 10, "entry_hash"),
    ("file debits", PAYMENTS, put(10, 43, "1"), "control-mismatch", 10, "debit_cents"),
    ("file credits", PAYMENTS, put(10, 44, "1"), "control-mismatch", 10, "credit_cents"),
    ("file reserved", PAYMENTS, put(10, 94, "X"), "not-blank", 10, "reserved"),
]


@pytest.mark.parametrize(
    "data, spoiler, code, line, field",
    [row[1:] for row in FIELDS],
    ids=[row[0] for row in FIELDS],
)
def test_a_fault_in_a_field_is_found_where_it_is(
    data: bytes, spoiler: Spoiler, code: str, line: int, field: str
) -> None:
    found = faults_in(bytes_of(spoiler(records_of(data))))
    match = [
        fault for fault in found if (fault.line, fault.code, fault.field) == (line, code, field)
    ]
    assert len(match) == 1, found
    assert not match[0].is_warning
    assert match[0].message.endswith(".")


HEADER: Final = records_of(PAYMENTS)[0]
MISSING: Final = "addenda-missing"
STRUCTURE: Final = [
    ("no file header", PAYMENTS, without_and_padded(1), "missing-file-header"),
    ("no batch header", PAYMENTS, without_and_padded(2), "missing-batch-header"),
    ("second without header", PAYMENTS, without_and_padded(6), "missing-batch-header"),
    ("no batch control", PAYMENTS, without_and_padded(5), "missing-batch-control"),
    ("last without control", PAYMENTS, without_and_padded(9), "missing-batch-control"),
    ("no file control", PAYMENTS, without(10), "missing-file-control"),
    ("no control but filler", RETURN, without(6), "missing-file-control"),
    ("no entries", PAYMENTS, without_and_padded(3, 4), "empty-batch"),
    ("no batches", PAYMENTS, without_and_padded(*range(2, 10)), "no-batches"),
    ("entry lost", PAYMENTS, without_and_padded(3), "control-mismatch"),
    ("entry twice", PAYMENTS, both(twice(4), padded), "trace-order"),
    ("addenda lost", PAYMENTS, without_and_padded(8), "addenda-missing"),
    ("addenda twice", PAYMENTS, both(twice(8), padded), "addenda-count"),
    ("addenda without entry", PAYMENTS, without_and_padded(7), "record-order"),
    ("addenda outside", PAYMENTS, both(inserted(2, "705" + " " * 91), padded), "record-order"),
    ("control outside", PAYMENTS, both(twice(5), padded), "record-order"),
    ("header twice", PAYMENTS, both(twice(1), padded), "record-order"),
    (
        "header in a batch",
        PAYMENTS,
        both(inserted(4, records_of(PAYMENTS)[0]), padded),
        "record-order",
    ),
    ("batch number repeated", PAYMENTS, both(put(6, 94, "1"), put(9, 94, "1")), "batch-order"),
    ("file twice", PAYMENTS, lambda records: records * 2, "after-file-control"),
    ("more after the end", PAYMENTS, lambda records: [*records, records[1]], "after-file-control"),
    ("unknown type", PAYMENTS, both(inserted(3, "2" + " " * 93), padded), "record-type"),
    ("no filler", RETURN, without(7, 8, 9, 10), "filler"),
    ("filler missing", RETURN, without(10), "filler"),
    ("filler in excess", PAYMENTS, lambda records: [*records, *[NINES] * 10], "filler"),
    ("filler before the end", PAYMENTS, inserted(6, NINES), "missing-file-control"),
    ("filler of eights", RETURN, put(10, 94, "8"), "after-file-control"),
    ("return without addenda", RETURN, without_and_padded(4), "reason-missing"),
    ("change without addenda", CHANGE, without_and_padded(4), "reason-missing"),
    ("two reasons", RETURN, both(twice(4), padded), "reason-missing"),
    (
        "remittance on a return",
        RETURN,
        inserted(4, "705" + " " * 80 + "00010000001"),
        "addenda-count",
    ),
    ("zero dollars alone", ZERO_DOLLARS, both(put(3, 79, "0"), without_and_padded(4)), MISSING),
    ("short record", PAYMENTS, cut(3), "record-length"),
    ("short header", PAYMENTS, cut(1), "record-length"),
    ("short batch header", PAYMENTS, cut(2), "record-length"),
    ("short addenda", PAYMENTS, cut(8), "record-length"),
    ("short batch control", PAYMENTS, cut(5), "record-length"),
    ("short file control", PAYMENTS, cut(10), "record-length"),
    ("long record", PAYMENTS, longer(3), "record-length"),
    ("blank line", PAYMENTS, inserted(3, ""), "blank-line"),
    ("line of blanks", PAYMENTS, inserted(3, " " * 94), "blank-line"),
    ("blank line at the end", PAYMENTS, lambda records: [*records, ""], "blank-line"),
]


@pytest.mark.parametrize(
    "data, spoiler, code", [row[1:] for row in STRUCTURE], ids=[row[0] for row in STRUCTURE]
)
def test_a_fault_of_structure_is_found(data: bytes, spoiler: Spoiler, code: str) -> None:
    assert code in refusals_in(bytes_of(spoiler(records_of(data))))


BYTES: Final = [
    ("nothing", b"", "empty-file"),
    ("line ends only", b"\n\n", "empty-file"),
    ("blanks only", b" " * 94, "empty-file"),
    ("prose", b"Dear bank,\nplease pay.\n", "foreign-file"),
    ("zip", b"PK\x03\x04" + bytes(range(256)) * 8, "foreign-file"),
    ("json", b'{"file": 1}', "foreign-file"),
    ("one digit", b"1", "foreign-file"),
    ("header only", PAYMENTS[:95], "missing-file-control"),
    ("filler only", b"9" * 94, "missing-file-header"),
    ("byte-order mark", b"\xef\xbb\xbf" + PAYMENTS, "byte-order-mark"),
    ("lone carriage returns", PAYMENTS.replace(b"\n", b"\r"), "line-end"),
    (
        "one other line end",
        PAYMENTS.replace(b"\n", b"\r\n", 3).replace(b"\r\n", b"\n", 2),
        "line-end",
    ),
    ("first line end lost", PAYMENTS.replace(b"\n", b"", 1), "record-type"),
    ("half a file", PAYMENTS[:500], "record-length"),
    ("end-of-file mark", PAYMENTS + b"\x1a", "after-file-control"),
    ("a long line", PAYMENTS + b"X" * 200_000, "after-file-control"),
]


@pytest.mark.parametrize("data, code", [row[1:] for row in BYTES], ids=[row[0] for row in BYTES])
def test_what_is_no_such_file_is_refused(data: bytes, code: str) -> None:
    assert code in refusals_in(data)


def test_a_foreign_file_gives_one_fault_only() -> None:
    assert [fault.code for fault in faults_in(b"<html>\n" * 5000)] == ["foreign-file"]


ODD: Final = [
    ("Saturday", PAYMENTS, put(2, 70, "261128"), "closed-day"),
    ("Thanksgiving", PAYMENTS, put(2, 70, "261126"), "closed-day"),
    ("yesterday", PAYMENTS, put(2, 70, "261120"), "date-before-creation"),
    ("next year", PAYMENTS, put(2, 70, "271122"), "date-far-ahead"),
    ("account moved", PAYMENTS, put(3, 13, f"{'0123456789':>17}"), "not-left-justified"),
    ("destination", PAYMENTS, put(1, 4, "HUNTINGTON"), "destination-odd"),
    ("same-day marker", PAYMENTS, put(2, 64, "SD13:0"), "same-day-marker"),
    ("no payment type", DEBITS, put(3, 77, "  "), "payment-type-missing"),
    ("no date of a return", RETURN, put(2, 70, "000000"), "date-missing"),
    ("no date of a change", CHANGE, put(2, 70, "      "), "date-missing"),
]


@pytest.mark.parametrize(
    "data, spoiler, code", [row[1:] for row in ODD], ids=[row[0] for row in ODD]
)
def test_what_is_odd_but_legal_is_a_warning(data: bytes, spoiler: Spoiler, code: str) -> None:
    spoilt = bytes_of(spoiler(records_of(data)))
    assert refusals_in(spoilt) == set()
    assert warnings_in(spoilt) == {code}


def test_the_day_before_a_saturday_holiday_is_open() -> None:
    records = records_of(rendered(created_at=datetime.fromisoformat("2026-07-02T09:30:00")))
    assert faults_in(bytes_of(put(2, 70, "260703")(records))) == []


def test_a_same_day_entry_over_the_limit_is_a_warning() -> None:
    batch = a_batch(an_entry(amount_cents=100_000_001), descriptive_date="SD1300")
    assert warnings_in(rendered(batch)) == {"over-same-day-limit"}
    within = a_batch(an_entry(amount_cents=100_000_000), descriptive_date="SD1300")
    assert faults_in(rendered(within)) == []


def test_a_web_credit_is_a_warning() -> None:
    batch = a_batch(an_entry(discretionary="S"), sec_code="WEB")
    assert warnings_in(rendered(batch)) == {"person-to-person"}


def test_a_return_of_a_web_debit_needs_no_payment_type() -> None:
    returned = a_return(sec_code="WEB")
    assert faults_in(rendered(returned)) == []


def test_a_batch_without_date_and_entries_has_both_faults() -> None:
    records = put(2, 70, "000000")(records_of(PAYMENTS))
    spoilt = bytes_of(without_and_padded(3, 4)(records))
    assert {"bad-date", "empty-batch"} <= refusals_in(spoilt)
    change = bytes_of(without_and_padded(3, 4)(put(2, 70, "000000")(records_of(CHANGE))))
    assert "date-missing" in warnings_in(change)


def test_a_fault_reads_as_one_line() -> None:
    fault = faults_in(bytes_of(put(3, 30, "0" * 10)(records_of(PAYMENTS))))[0]
    assert str(fault) == (
        "3:30: fault amount (amount_cents): "
        "The amount must not be zero with the transaction code 22."
    )


def test_faults_never_repeat_an_account_number_or_a_name() -> None:
    records = put(3, 13, "4111é1111111111")(records_of(PAYMENTS))
    records = put(4, 55, "Jane Dö")(records)
    text = " ".join(map(str, faults_in(bytes_of(records))))
    assert "4111" not in text
    assert "Jane" not in text


def test_a_mixed_file_of_payments_returns_and_changes_is_valid() -> None:
    debit = replace(next(iter(a_change("C05", "37").entries)), transaction_code=26)
    data = rendered(
        a_batch(an_entry(1)),
        a_return(batch_number=2),
        a_change(
            batch_number=3,
            entries=(replace(debit, trace_number=trace(5, RDFI)),),
            service_class=225,
        ),
        balanced(batch_number=4, entries=(an_entry(8),)),
    )
    assert faults_in(data) == []


def test_the_purpose_of_a_batch_is_not_needed_to_read_it() -> None:
    batch = a_batch(entry_description="REVERSAL", purpose=Purpose.REVERSAL)
    assert faults_in(rendered(batch)) == []
