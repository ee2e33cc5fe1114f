"""The comparer tells the first difference at its line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from seedtrust.journeys.comparer import LedgerFileRefused, first_difference, read_expected

HEAD = "line,date,type,category,amount,balance\n"
FILE = HEAD + (
    "B01,2026-01-22,DEPOSIT,funding,28500.00,28500.00\n"
    "B02,2026-01-23,FEE,escrow_fee,-750.00,27750.00\n"
)


@dataclass(frozen=True)
class Line:
    """A played line."""

    effective_on: date
    kind: str
    category: str | None
    amount_cents: int
    balance_cents: int


PLAYED = [
    Line(date(2026, 1, 22), "DEPOSIT", "funding", 2_850_000, 2_850_000),
    Line(date(2026, 1, 23), "FEE", "escrow_fee", -75_000, 2_775_000),
]


def _difference(tmp_path: Path, text: str, played: list[Line]) -> str | None:
    path = tmp_path / "ledger.csv"
    path.write_text(text, encoding="utf-8")
    return first_difference(read_expected(path), played)


def test_equal_ledgers_have_no_difference(tmp_path: Path) -> None:
    assert _difference(tmp_path, FILE, PLAYED) is None


@pytest.mark.parametrize(
    "good, bad, name",
    [
        ("2026-01-23", "2026-01-24", "date"),
        ("FEE", "DISBURSEMENT", "type"),
        ("escrow_fee", "bank_fee", "category"),
        ("-750.00", "-750.01", "amount"),
        ("27750.00", "27749.99", "balance"),
    ],
)
def test_one_altered_cell_fails_at_its_line(tmp_path: Path, good: str, bad: str, name: str) -> None:
    found = _difference(tmp_path, FILE.replace(good, bad), PLAYED)
    assert found is not None
    assert found.startswith(f"line 3 (B02): {name} is ")


def test_a_line_too_few_and_a_line_too_many_are_told(tmp_path: Path) -> None:
    assert "no such line" in (_difference(tmp_path, FILE, PLAYED[:1]) or "")
    more = [*PLAYED, replace(PLAYED[1], balance_cents=0)]
    assert "after the last line" in (_difference(tmp_path, FILE, more) or "")


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerFileRefused, match="“balance” is missing"):
        _difference(tmp_path, FILE.replace("balance", "saldo"), PLAYED)
