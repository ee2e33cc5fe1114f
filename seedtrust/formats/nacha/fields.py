"""Fields and records of fixed width: what each may hold, matched and rendered from one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from seedtrust.formats.nacha.routing import FIRST_EIGHT_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_LENGTH = 94
BLOCKING_FACTOR = 10
FILLER = "9" * RECORD_LENGTH

_DATE = (
    r"(?:[0-9]{2}(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[02468][048]|[13579][26])0229)"
)
_TIME = r"(?:(?:[01][0-9]|2[0-3])[0-5][0-9]| {4})"
_DAY_OF_YEAR = r"00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6]"


_TITLES = {
    "amount_cents": "amount",
    "created_on": "creation date",
    "created_at_time": "creation time",
    "credit_cents": "credit total",
    "debit_cents": "debit total",
    "effective_on": "effective date",
    "file_id_modifier": "file ID modifier",
    "odfi_identification": "ODFI identification",
    "original_returned_on": "date of the original return",
    "routing_first_eight": "routing number",
    "sec_code": "entry class",
}


class Kind(Enum):
    """What a field may hold: a pattern for its width `n`, a fault code and a sentence."""

    NUMBER = (r"[0-9]{%(n)d}", "not-numeric", "must be %(n)d digits, filled with zeros")
    DIGITS = (r"[0-9]{%(n)d}", "not-numeric", "must be %(n)d digits")
    TEXT = (r"[ -~]{%(n)d}", "not-printable", "may only hold printable ASCII characters")
    NAME = (
        r"(?! {%(n)d})[ -~]{%(n)d}",
        "missing",
        "must not be blank and may only hold printable ASCII characters",
    )
    ACCOUNT = (
        r"(?![ 0]{%(n)d})[ -~]{%(n)d}",
        "account-number",
        "must not be blank or all zeros and may only hold printable ASCII characters",
    )
    BLANK = (r" {%(n)d}", "not-blank", "is reserved and must be blank")
    ROUTING = (
        FIRST_EIGHT_PATTERN,
        "routing-number",
        "must be the first eight digits of a bank's routing number",
    )
    DATE = (_DATE, "bad-date", "must be a date that exists, as YYMMDD")
    OPTIONAL_DATE = (
        rf"(?:{_DATE}| {{6}})",
        "bad-date",
        "must be blank or a date that exists, as YYMMDD",
    )
    TIME = (_TIME, "bad-time", "must be blank or a time of day, as HHMM")
    DAY_OF_YEAR = (rf"(?:{_DAY_OF_YEAR})", "bad-day", "must be a day of the year, 001 to 366")
    OPTIONAL_DAY = (
        rf"(?: {{3}}|{_DAY_OF_YEAR})",
        "bad-day",
        "must be blank or a day of the year, 001 to 366",
    )
    MODIFIER = (r"[A-Z0-9]", "wrong-value", "must be a capital letter or a digit")
    CHOICE = ("", "wrong-value", "must be %(choices)s")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: `start` counts characters from 0."""

    name: str
    start: int
    length: int
    kind: Kind
    choices: tuple[str, ...]
    pattern: re.Pattern[str]

    @property
    def place(self) -> slice[int, int, None]:
        """Return the place of the field in its record."""
        return slice(self.start, self.start + self.length)

    @property
    def title(self) -> str:
        """Return the name as people write it."""
        return _TITLES.get(self.name) or self.name.replace("_", " ")

    @property
    def code(self) -> str:
        """Return the code of the fault when the content does not fit."""
        return self.kind.value[1]

    @property
    def requirement(self) -> str:
        """Return what the content must be, as the end of a sentence."""
        shown = " or ".join(choice if choice.strip() else "blank" for choice in self.choices)
        return self.kind.value[2] % {"n": self.length, "choices": shown}


_Row = tuple[str, int, Kind] | tuple[str, int, Kind, str]


class Layout:
    """The fields of one kind of record, 94 characters in all, and what follows from them.

    `match` accepts a record exactly if every field holds what its kind allows; `template` is
    the %-format that renders one, with a place for every field that is not constant.
    """

    __slots__ = ("_regex", "fields", "inputs", "match", "name", "slices", "template")

    def __init__(self, name: str, *rows: _Row) -> None:
        """Lay the fields end to end; raise ValueError if they do not fill a record."""
        self.name = name
        fields: list[Field] = []
        start = 0
        for field_name, length, kind, *texts in rows:
            choices = tuple(choice for text in texts for choice in text.split("|"))
            source = "|".join(map(re.escape, choices)) or kind.value[0] % {"n": length}
            pattern = re.compile(f"(?:{source})", re.ASCII)
            fields.append(Field(field_name, start, length, kind, choices, pattern))
            start += length
        if start != RECORD_LENGTH:
            message = f"The layout {name} has {start} characters."
            raise ValueError(message)
        self.fields = tuple(fields)
        self.slices = {field.name: field.place for field in fields}
        self.inputs = tuple(field.name for field in fields if not _constant(field))
        self.template = "".join(_placeholder(field) for field in fields)
        self.match = self.matcher()

    def matcher(self, *captured: str) -> re.Pattern[str]:
        """Return the pattern of a whole record with a group for each captured field."""
        parts = (
            f"({field.pattern.pattern})" if field.name in captured else field.pattern.pattern
            for field in self.fields
        )
        return re.compile("".join(parts) + r"\Z", re.ASCII)

    def field(self, name: str) -> Field:
        """Return the field of that name; raise KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def misfits(self, record: str) -> Iterator[Field]:
        """Yield the fields of a 94-character record whose content is not allowed."""
        for field in self.fields:
            if not field.pattern.fullmatch(record, field.start, field.start + field.length):
                yield field

    def render(self, values: dict[str, str | int]) -> str:
        """Return a record; fields that are not given are blank, or zero if they are numbers.

        The result is not checked: text that is too long makes a record that is too long.
        """
        return self.template % tuple(
            values.get(field.name, 0 if field.kind is Kind.NUMBER else "")
            for field in self.fields
            if not _constant(field)
        )


def _constant(field: Field) -> bool:
    return field.kind is Kind.BLANK or len(field.choices) == 1


def _placeholder(field: Field) -> str:
    if field.kind is Kind.BLANK:
        return " " * field.length
    if len(field.choices) == 1:
        return field.choices[0]
    if field.kind is Kind.NUMBER:
        return f"%0{field.length}d"
    return f"%-{field.length}s"
