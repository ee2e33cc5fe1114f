"""What every list takes from its address, and how it leaves as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from flask import Response, request

from seedtrust.core.money import format_dollars

PER_PAGE: Final = 50
EXPORTED: Final = 5000
_LAST_PAGE: Final = 10_000
_LONGEST: Final = 100
# A cell that starts like a formula would be worked out by a spreadsheet.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

Choice = TypeVar("Choice", bound=StrEnum)
Cell = str | int | date | None


def text_of(name: str) -> str:
    """Return a text of the address, cut to a length that a search can bear."""
    return request.args.get(name, "").strip()[:_LONGEST]


def page_number() -> int:
    """Return the page that is asked for; anything else is the first."""
    text = request.args.get("page", "")
    return min(max(int(text), 1), _LAST_PAGE) if text.isdecimal() and len(text) < 6 else 1  # noqa: PLR2004 - digits


def sort_of(known: Collection[str], default: str) -> str:
    """Return the sort key of the address, `-` in front for downwards, if the list knows it."""
    text = request.args.get("sort", "")
    return text if text.removeprefix("-") in known else default


def choice_of(name: str, kind: type[Choice]) -> Choice | None:
    """Return a value of a closed set, or None for everything else."""
    text = request.args.get(name, "")
    return kind(text) if text in {member.value for member in kind} else None


def day_of(name: str) -> date | None:
    """Return a day of the address, or None."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def wants_csv() -> bool:
    """Tell whether the list is asked for as a file."""
    return request.args.get("format") == "csv"


def dollars(cents: int | None) -> str:
    """Return an amount as a spreadsheet reads it: `-1234.50`."""
    if cents is None:
        return ""
    sign = "-" if cents < 0 else ""
    return sign + format_dollars(abs(cents)).replace(",", "")


def as_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Return the rows as a CSV file; texts that look like formulas are put in quotes for good."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    response = Response(sink.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    text = str(cell)
    if text.startswith(_FORMULA_STARTS) and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()
