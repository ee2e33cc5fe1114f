"""Finding the line of a value in a TOML file, so that a refusal can point at it."""

from __future__ import annotations

import re
from typing import Final

_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")

Place = tuple[str, int, str]


def line_numbers(text: str) -> dict[Place, int]:
    """Map (table, index, key) to its line, counted from 1; the header's key is empty.

    Top-level keys stand under the table "". Lines inside multi-line strings and arrays hold no
    keys in this format, so a scan is enough.
    """
    places: dict[Place, int] = {}
    counts: dict[str, int] = {}
    table, index = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is not None:
            table = header[2]
            index = counts.get(table, 0)
            counts[table] = index + 1
            places[table, index, ""] = number
            continue
        key = _KEY.match(line)
        if key is not None:
            places.setdefault((table, index, key[1]), number)
    return places
