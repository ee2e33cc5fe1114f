"""Bytes to logical BAI2 records: line ends, padding, continuation records and field order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seedtrust.formats.bai2.findings import Finding
from seedtrust.formats.bai2.model import Source

CONTINUATION: Final = "88"
TRANSACTION: Final = "16"
RECORD_CODES: Final = frozenset({"01", "02", "03", "16", "49", "88", "98", "99"})

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_NEXT_RECORD: Final = re.compile(r"\s*(?:01|02|03|16|49|88|98|99)[,/]")
_LENGTH: Final = re.compile(r"01,(?:[^,/]*,){5}([0-9]{2,4}),")
_PADDING: Final = " \t\x00\x1a"


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a logical record that stands on one line, without code and terminator."""

    line: int
    body: str


@dataclass(frozen=True, slots=True)
class LogicalRecord:
    """A record with its continuations; ``physical_count`` is what trailers count."""

    code: str
    segments: tuple[Segment, ...]
    source: Source

    @property
    def line(self) -> int:
        """The line on which the record starts."""
        return self.source.line

    @property
    def physical_count(self) -> int:
        """How many physical records it takes."""
        return len(self.source.raw)


def decode(data: bytes, findings: list[Finding]) -> str:
    """Return the text of a file; bytes beyond ASCII are read as Latin-1 with a warning."""
    body = data.removeprefix(b"\xef\xbb\xbf")
    if not body.isascii():
        message = "The file has characters outside ASCII; they are read as Latin-1."
        findings.append(Finding(0, "", "not_ascii", message, is_warning=True))
    return body.decode("latin-1")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    if "\n" in text or "\r" in text:
        yield from enumerate(_LINE_END.split(text), start=1)
        return
    length = _declared_length(text)
    if length is None:
        yield 1, text
        return
    for number, start in enumerate(range(0, len(text), length), start=1):
        yield number, text[start : start + length]


def _declared_length(text: str) -> int | None:
    match = _LENGTH.match(text)
    return int(match[1]) if match is not None else None


def logical_records(text: str, findings: list[Finding]) -> Iterator[LogicalRecord]:
    """Yield the records of a file; what cannot be a record becomes an error and is skipped."""
    code = ""
    segments: list[Segment] = []
    raw: list[str] = []

    def finished() -> LogicalRecord:
        return LogicalRecord(code, tuple(segments), Source(segments[0].line, tuple(raw)))

    for line, piece in _pieces(text, findings):
        piece_code, body = piece[:2], _body_of(piece)
        if piece_code == CONTINUATION and not code:
            message = "A continuation record (88) follows nothing that it could continue."
            findings.append(Finding(line, piece_code, "stray_continuation", message))
            continue
        if piece_code != CONTINUATION:
            if code:
                yield finished()
            code, segments, raw = piece_code, [], []
        segments.append(Segment(line, body))
        raw.append(piece)
    if code:
        yield finished()


def _body_of(piece: str) -> str:
    body = piece[3:].rstrip(_PADDING)
    # Text may end with a slash that banks add out of habit: one is taken away, the raw line stays.
    if piece[2:3] == "/":
        return ""
    return body.removesuffix("/").rstrip(_PADDING)


def _pieces(text: str, findings: list[Finding]) -> Iterator[tuple[int, str]]:
    context = ""
    for line, raw in _lines(text):
        rest = raw.rstrip(_PADDING)
        while rest:
            if rest[:2] not in RECORD_CODES or rest[2:3] not in {",", "/"}:
                message = f"The line does not begin with a BAI2 record code: {rest[:20]!r}."
                findings.append(Finding(line, "", "unknown_record", message))
                break
            context = rest[:2] if rest[:2] != CONTINUATION else context
            piece, rest = _cut(rest, context, line, findings)
            yield line, piece


def _cut(rest: str, context: str, line: int, findings: list[Finding]) -> tuple[str, str]:
    """Cut one record off; only records without text end at their first slash."""
    end = rest.find("/")
    if context == TRANSACTION or end in {-1, len(rest) - 1}:
        return rest, ""
    if _NEXT_RECORD.match(rest, end + 1):
        message = "Several records stand on one line; they are read one by one."
        findings.append(Finding(line, rest[:2], "several_records", message, is_warning=True))
    else:
        message = f"There is something after the end of the record: {rest[end : end + 20]!r}."
        findings.append(Finding(line, rest[:2], "after_end", message))
        return rest[: end + 1], ""
    return rest[: end + 1], rest[end + 1 :].lstrip()


class FieldCursor:
    """Walks the fields of a logical record, across its continuations."""

    def __init__(self, record: LogicalRecord) -> None:
        """Stand before the first field of the record."""
        self._segments = record.segments
        self._index = 0
        self._blanks = 0
        self._position: int | None = 0

    @property
    def line(self) -> int:
        """The line of the field that comes next, or of the last one."""
        return self._segments[min(self._index, len(self._segments) - 1)].line

    def _settle(self) -> bool:
        while self._index < len(self._segments):
            is_empty_continuation = self._index > 0 and not self._segments[self._index].body
            if self._position is not None and not is_empty_continuation:
                return True
            self._blanks += is_empty_continuation
            self._index += 1
            self._position = 0
        return False

    @property
    def finished(self) -> bool:
        """True when no field is left."""
        return not self._settle()

    def next(self) -> str | None:
        """Return the next field without blanks around it, or None after the last one.

        A continuation with nothing on it holds one empty field, if the record still needs one.
        """
        if not self._settle():
            if not self._blanks:
                return None
            self._blanks -= 1
            return ""
        body = self._segments[self._index].body
        start = self._position or 0
        comma = body.find(",", start)
        self._position = comma + 1 if comma >= 0 else None
        return body[start : comma if comma >= 0 else len(body)].strip()

    def skip_dangling(self) -> None:
        """Step over an empty last field of a line, left by banks that end records with ``,/``."""
        if self._settle() and not self._segments[self._index].body[self._position or 0 :].strip():
            self._position = None

    def text_lines(self) -> tuple[str, ...]:
        """Return all that is left, line by line, commas and slashes included."""
        lines: list[str] = []
        while self._settle():
            lines.append(self._segments[self._index].body[self._position or 0 :])
            self._position = None
        return tuple(line for line in lines if line)
