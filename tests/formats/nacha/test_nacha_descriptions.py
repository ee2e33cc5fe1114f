"""Reserved company entry descriptions and the purposes that they belong to."""

from __future__ import annotations

from typing import Any

import pytest

from seedtrust.formats.nacha import OutgoingBatch, Purpose, WriteError, reserved_description
from tests.formats.nacha.making import (
    a_batch,
    a_change,
    a_return,
    an_entry,
    bytes_of,
    faults_in,
    put,
    records_of,
    rendered,
    warnings_in,
)


def a_retry(**changes: Any) -> OutgoingBatch:
    entry = an_entry(transaction_code=27)
    values = {"service_class": 225, "entry_description": "RETRY PYMT", "purpose": Purpose.RETRY}
    return a_batch(entry, **values | changes)


def micro_entries(*cents: int) -> OutgoingBatch:
    entries = [
        an_entry(number, transaction_code=22 if amount > 0 else 27, amount_cents=abs(amount))
        for number, amount in enumerate(cents, 1)
    ]
    return a_batch(
        *entries,
        service_class=200,
        entry_description="ACCTVERIFY",
        purpose=Purpose.ACCOUNT_CHECK,
    )


@pytest.mark.parametrize(
    "text, reserved",
    [
        ("PAYROLL", "PAYROLL"),
        ("payroll", "PAYROLL"),
        ("PAYROLL W4", "PAYROLL"),
        ("Reversal", "REVERSAL"),
        ("RETRYPYMT", "RETRY PYMT"),
        ("retry pymt", "RETRY PYMT"),
        ("Acct Verify", "ACCTVERIFY"),
        ("RECLAIM", "RECLAIM"),
    ],
)
def test_reserved_words_are_recognised_in_any_case(text: str, reserved: str) -> None:
    row = reserved_description(text)
    assert row is not None
    assert row.text == reserved


@pytest.mark.parametrize("text", ["REIMBURSE", "REVERSALS", "ESCROWDEP", "", "MY PAYROLL"])
def test_other_words_are_free(text: str) -> None:
    assert reserved_description(text) is None


@pytest.mark.parametrize(
    "batch",
    [
        a_batch(entry_description="PAYROLL"),
        a_batch(entry_description="PAYROLL 47"),
        a_retry(),
        micro_entries(12, 34, -46),
        a_batch(entry_description="REVERSAL", purpose=Purpose.REVERSAL),
        a_return(entry_description="Payroll"),
        a_change(entry_description="RECLAIM"),
    ],
)
def test_a_reserved_word_may_stand_where_it_belongs(batch: OutgoingBatch) -> None:
    assert {fault.code for fault in faults_in(rendered(batch))} <= {"description-odd"}


@pytest.mark.parametrize(
    "code, batch",
    [
        ("description-reserved", a_batch(entry_description="Payroll")),
        ("description-reserved", a_batch(entry_description="PAYROLL", sec_code="CCD")),
        ("description-reserved", a_batch(entry_description="PAYROLL", purpose=Purpose.RETRY)),
        ("description-reserved", a_batch(entry_description="REVERSAL")),
        ("description-reserved", a_batch(entry_description="RETRY PYMT")),
        ("description-reserved", a_batch(entry_description="ACCTVERIFY")),
        ("description-reserved", a_batch(entry_description="RETURN FEE")),
        ("description-reserved", a_batch(entry_description="NONSETTLED")),
        ("description-reserved", a_batch(purpose=Purpose.REVERSAL)),
        ("description-reserved", a_batch(purpose=Purpose.ACCOUNT_CHECK)),
        ("transaction-code", a_retry(entries=(an_entry(),), service_class=200)),
        (
            "transaction-code",
            a_batch(an_entry(transaction_code=27), entry_description="PAYROLL", service_class=200),
        ),
        (
            "transaction-code",
            a_batch(
                an_entry(transaction_code=23, amount_cents=0),
                entry_description="REVERSAL",
                purpose=Purpose.REVERSAL,
            ),
        ),
        ("amount", micro_entries(100)),
        ("micro-entries", micro_entries(12, -13)),
    ],
)
def test_and_nowhere_else(code: str, batch: OutgoingBatch) -> None:
    with pytest.raises(WriteError) as caught:
        rendered(batch)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["Payroll", "RETURN FEE", "RECLAIM", "purchase", "PURCHASE"])
def test_the_reader_warns_of_odd_descriptions(text: str) -> None:
    records = put(2, 54, f"{text:<10}")(records_of(rendered(a_batch(sec_code="CCD"))))
    assert warnings_in(bytes_of(records)) == {"description-odd"}


def test_the_reader_takes_reserved_words_where_they_belong() -> None:
    records = put(2, 54, "PAYROLL 47")(records_of(rendered()))
    assert faults_in(bytes_of(records)) == []
