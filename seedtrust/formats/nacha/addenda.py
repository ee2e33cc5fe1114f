"""Addenda records: which layout each has, what beyond its layout must hold, how ours are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.corrections import read_correction
from seedtrust.formats.nacha.outgoing import (
    OutgoingAddenda,
    OutgoingChange,
    OutgoingContest,
    OutgoingDishonour,
    OutgoingRefusal,
    OutgoingReturn,
)
from seedtrust.formats.nacha.reasons import CHANGE_CODES, RETURN_CODES
from seedtrust.formats.nacha.text import transliterate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from seedtrust.formats.nacha.fields import Layout
    from seedtrust.formats.nacha.outgoing import AnyAddenda

_DEATH_CODES = frozenset({"R14", "R15"})


class Objection(NamedTuple):
    """Something wrong with an addenda record that its layout alone does not show."""

    field: str
    code: str
    message: str


def addenda_layout(record: str, *, is_international: bool) -> Layout | None:
    """Return the layout of an addenda record, None if there is no such type."""
    kind = record[1:3]
    if kind == "99":
        row = RETURN_CODES.get(record[3:6])
        if row is not None and row.is_bank_to_bank:
            return row.layout
        return layouts.IAT_ADDENDA_99 if is_international else layouts.ADDENDA_99
    if kind == "98":
        change = CHANGE_CODES.get(record[3:6])
        if change is not None and change.is_bank_to_bank:
            return change.layout
        return layouts.IAT_ADDENDA_98 if is_international else layouts.ADDENDA_98
    return layouts.ADDENDA.get(kind)


def _return_objections(layout: Layout, record: str) -> Iterator[Objection]:
    code = record[3:6]
    if code not in RETURN_CODES:
        yield Objection("return_code", "unknown-code", f"There is no return code {code}.")
    if layout in {layouts.ADDENDA_99, layouts.IAT_ADDENDA_99}:
        if code not in _DEATH_CODES and record[layout.slices["date_of_death"]].strip():
            message = "A date of death belongs to the return codes R14 and R15 only."
            yield Objection("date_of_death", "not-blank", message)
        return
    for name in ("return_reason", "dishonoured_reason"):
        if name in layout.slices and f"R{record[layout.slices[name]]}" not in RETURN_CODES:
            yield Objection(name, "unknown-code", "There is no such return reason.")


def _change_objections(layout: Layout, record: str) -> Iterator[Objection]:
    code = record[3:6]
    if code not in CHANGE_CODES:
        yield Objection("change_code", "unknown-code", f"There is no change code {code}.")
    elif layout is layouts.REFUSED_CHANGE:
        refused = CHANGE_CODES.get(record[layout.slices["refused_change_code"]])
        if refused is None or refused.is_bank_to_bank:
            message = "The refused change code is none that a bank may send."
            yield Objection("refused_change_code", "unknown-code", message)
    else:
        correction = read_correction(code, record[layout.slices["corrected_data"]])
        if not (correction.is_complete and correction.is_aligned):
            message = f"The corrected data is not what {code} must carry, or not in its place."
            yield Objection("corrected_data", "corrected-data", message)


def objections(layout: Layout, record: str, entry_trace: str) -> Iterator[Objection]:
    """Yield what is wrong with an addenda record that fits its layout."""
    kind = record[1:3]
    if kind == "99":
        yield from _return_objections(layout, record)
    elif kind == "98":
        yield from _change_objections(layout, record)
    if "trace_number" in layout.slices and record[layout.slices["trace_number"]] != entry_trace:
        message = "The trace number must be that of the entry."
        yield Objection("trace_number", "addenda-trace", message)
    if "entry_sequence" in layout.slices and record[-7:] != entry_trace[-7:]:
        message = "The last seven digits must be those of the entry's trace number."
        yield Objection("entry_sequence", "addenda-trace", message)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%y%m%d}"


def addenda_values(
    addendum: AnyAddenda,
    sequence: int,
    trace_number: str,
) -> tuple[Layout, dict[str, str | int]]:
    """Return the layout of the record that an outgoing addenda becomes, and its values."""
    if isinstance(addendum, OutgoingAddenda):
        return layouts.ADDENDA_05, {
            "payment_information": transliterate(addendum.text),
            "addenda_sequence": sequence,
            "entry_sequence": trace_number[-7:],
        }
    values: dict[str, str | int] = {
        "original_trace": addendum.original_trace,
        "original_routing": addendum.original_routing,
        "trace_number": trace_number,
    }
    if isinstance(addendum, OutgoingChange | OutgoingRefusal):
        values["change_code"] = addendum.change_code
        values["corrected_data"] = addendum.corrected_data
        if isinstance(addendum, OutgoingChange):
            return layouts.ADDENDA_98, values
        values["refused_change_code"] = addendum.refused_change_code
        values["change_trace_sequence"] = addendum.change_trace_sequence
        return layouts.REFUSED_CHANGE, values
    values["return_code"] = addendum.return_code
    if isinstance(addendum, OutgoingReturn):
        values["date_of_death"] = _day(addendum.died_on)
        values["information"] = addendum.information
        return layouts.ADDENDA_99, values
    values["return_trace"] = addendum.return_trace
    values["return_settlement_day"] = f"{addendum.return_settlement_day:03d}"
    values["return_reason"] = addendum.return_reason
    if isinstance(addendum, OutgoingDishonour):
        values["information"] = addendum.information
        return layouts.DISHONOURED_RETURN, values
    return layouts.CONTESTED_RETURN, values | _contest_values(addendum)


def _contest_values(addendum: OutgoingContest) -> dict[str, str | int]:
    return {
        "original_returned_on": _day(addendum.original_returned_on),
        "original_settlement_day": f"{addendum.original_settlement_day:03d}",
        "dishonoured_trace": addendum.dishonoured_trace,
        "dishonoured_settlement_day": f"{addendum.dishonoured_settlement_day:03d}",
        "dishonoured_reason": addendum.dishonoured_reason,
    }
