"""Golden files: what the writer makes today is what it made when a person last looked at it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from seedtrust.formats.nacha import (
    OutgoingBatch,
    Purpose,
    ServiceClass,
    outgoing_file,
    read_file,
    render_file,
    reversal_of,
)
from tests.formats.nacha.making import (
    a_batch,
    a_change,
    a_file,
    a_return,
    an_entry,
    balanced,
    debits,
    disputes,
    faults_in,
    trace,
    with_remittance,
)

FOLDER: Final = Path(__file__).parent / "golden"
CREDITS: Final = a_batch(
    an_entry(1, name="Zoë Müller-Lüdenscheidt"),
    an_entry(2, transaction_code=32, amount_cents=9_999_999_999),
    an_entry(3, transaction_code=23, amount_cents=0, account_number="12345678901234567"),
    with_remittance(4, "MILEAGE NOV 3-17", amount_cents=1),
    entry_description="PAYROLL",
)
CLINIC: Final = with_remittance(
    7, "RMR*IV*INV-1**100.00\\", "RMR*IV*INV-2**200.00\\", name="Buckeye Fertility Clinic"
)
BY_TELEPHONE: Final = an_entry(8, transaction_code=37, discretionary="R")
FILES: Final[dict[str, list[OutgoingBatch]]] = {
    "ppd-credits": [CREDITS],
    "ccd-and-ctx": [
        a_batch(with_remittance(6), sec_code="CCD", entry_description="VENDORPAY"),
        a_batch(CLINIC, sec_code="CTX", entry_description="VENDORPAY", batch_number=2),
    ],
    "web-and-tel-debits": [
        debits("WEB", descriptive_date="SD1300"),
        debits(
            "TEL", batch_number=2, entries=(an_entry(8, transaction_code=37, discretionary="R"),)
        ),
    ],
    "balanced": [balanced()],
    "reversal": [
        reversal_of(
            replace(CREDITS, entries=tuple(CREDITS.entries)[:2]),
            effective_on=date(2026, 11, 27),
            batch_number=3,
            trace_numbers=[trace(20), trace(21)],
        ),
    ],
    "micro-entries": [
        a_batch(
            an_entry(1, amount_cents=12),
            an_entry(2, amount_cents=34),
            an_entry(3, transaction_code=27, amount_cents=46),
            service_class=ServiceClass.MIXED,
            entry_description="ACCTVERIFY",
            purpose=Purpose.ACCOUNT_CHECK,
        ),
    ],
    "returns-and-changes": [
        a_return(),
        a_change("C07", f"121000248{'998877':<17}32", batch_number=2),
    ],
    "disputes": disputes(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_written_as_before(name: str) -> None:
    golden = (FOLDER / f"{name}.ach").read_bytes()
    assert render_file(a_file(*FILES[name])) == golden


@pytest.mark.parametrize("name", FILES)
def test_a_golden_file_is_valid_and_written_again(name: str) -> None:
    golden = (FOLDER / f"{name}.ach").read_bytes()
    assert faults_in(golden) == []
    assert render_file(outgoing_file(read_file(io.BytesIO(golden)))) == golden


def test_every_golden_file_is_compared() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(FILES)
