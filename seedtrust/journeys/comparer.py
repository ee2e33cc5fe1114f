"""Comparing a played ledger with the one a journey's file expects, line by line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seedtrust.core.money import plain_dollars

COLUMNS = ("date", "type", "category", "amount", "balance")


@dataclass(frozen=True)
class ExpectedLine:
    """One line of ledger.csv, as text; `place` is its own name or line number."""

    place: str
    cells: tuple[str, ...]


class LedgerLine(Protocol):
    """What the comparer needs of a line of the case's ledger."""

    @property
    def effective_on(self) -> object:
        """The day on which the money moves."""

    @property
    def kind(self) -> str:
        """The type of the line."""

    @property
    def category(self) -> str | None:
        """What the money is for."""

    @property
    def amount_cents(self) -> int:
        """Signed from the case's point of view."""

    @property
    def balance_cents(self) -> int:
        """The running balance after the line."""


class LedgerFileRefused(Exception):
    """ledger.csv cannot be read; the message names the line."""


def read_expected(path: Path) -> list[ExpectedLine]:
    """Read ledger.csv. Raises LedgerFileRefused when it is no text or a column is missing."""
    try:
        return _read(path)
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path}: cannot be read as a CSV file in UTF-8"
        raise LedgerFileRefused(message) from error


def _read(path: Path) -> list[ExpectedLine]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        rows = csv.DictReader(source)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            message = f"{path}: line 1: the column “{missing[0]}” is missing"
            raise LedgerFileRefused(message)
        return [
            ExpectedLine(
                f"line {number}" + (f" ({row['line']})" if row.get("line") else ""),
                tuple((row[name] or "").strip() for name in COLUMNS),
            )
            for number, row in enumerate(rows, start=2)
        ]


def first_difference(expected: Sequence[ExpectedLine], played: Sequence[LedgerLine]) -> str | None:
    """Return the first difference as a sentence with the file's line, or None when all is equal."""
    for wanted, line in zip(expected, played, strict=False):
        for name, want, got in zip(COLUMNS, wanted.cells, _cells(line), strict=True):
            if want != got:
                return f"{wanted.place}: {name} is {got}, the file says {want}"
    if len(expected) > len(played):
        missing = expected[len(played)]
        return f"{missing.place}: the ledger has no such line; it ends after {len(played)} lines"
    if len(played) > len(expected):
        extra = " ".join(_cells(played[len(expected)]))
        return f"after the last line: the ledger goes on with {extra}"
    return None


def _cells(line: LedgerLine) -> tuple[str, ...]:
    return (
        str(line.effective_on),
        line.kind,
        line.category or "",
        plain_dollars(line.amount_cents),
        plain_dollars(line.balance_cents),
    )
