"""From bytes to records: the strict source takes three forms of line, the lenient one repairs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from seedtrust.formats.nacha.fields import RECORD_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    #: Takes line, column, code and sentence of something odd.
    Report = Callable[[int, int, str, str], None]

_CHUNK: Final = 1 << 17
_LONGEST_LINE: Final = 4096
_MARK: Final = b"\xef\xbb\xbf"
_MARK_MESSAGE: Final = "The file begins with a byte-order mark."
_CLEAN: Final = re.compile(rb"[!-~][ -~]{93}")
_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _line_end(head: str) -> str:
    """Return the line end that a file begins with, empty if its records follow each other."""
    first = min((place for place in map(head.find, "\r\n") if place >= 0), default=-1)
    if first < 0 or (first > RECORD_LENGTH and first % RECORD_LENGTH == 0):
        return ""
    return "\r\n" if head.startswith("\r\n", first) else head[first]


def strict_records(stream: BinaryIO, report: Report) -> Iterator[list[str]]:
    """Yield the records some hundred at a time, exactly as they stand.

    Takes LF, CRLF and unbroken files, with or without a last line end. Bytes beyond ASCII come
    through as Latin-1, so that columns stay what they are and the layouts refuse them.
    """
    carry = b""
    chunks = _chunks(stream)
    for chunk in chunks:
        carry += chunk
        if len(carry) > _LONGEST_LINE:
            break
    if carry.startswith(_MARK):
        report(1, 1, "byte-order-mark", _MARK_MESSAGE)
        carry = carry[len(_MARK) :]
    line_end = _line_end(carry.decode("latin-1"))
    if line_end == "\r":
        report(1, RECORD_LENGTH + 1, "line-end", "Records end with a lone carriage return.")
    split = _broken if line_end else _unbroken
    text = carry.decode("latin-1")
    while True:
        records, text = split(text, line_end)
        yield records
        chunk = next(chunks, b"")
        if not chunk:
            break
        text += chunk.decode("latin-1")
    rest = text if line_end else _without_line_end(text)
    if rest:
        yield [rest[start : start + _LONGEST_LINE] for start in range(0, len(rest), _LONGEST_LINE)]


def _without_line_end(text: str) -> str:
    """Drop the one line end that an unbroken file may close with."""
    return text.removesuffix("\n").removesuffix("\r")


def _broken(text: str, line_end: str) -> tuple[list[str], str]:
    records = text.split(line_end)
    rest = records.pop()
    if len(rest) > _LONGEST_LINE:
        records.append(rest)
        rest = ""
    return records, rest


def _unbroken(text: str, _line_end: str) -> tuple[list[str], str]:
    whole = len(text) - len(text) % RECORD_LENGTH
    records = [text[start : start + RECORD_LENGTH] for start in range(0, whole, RECORD_LENGTH)]
    return records, text[whole:]


class LenientSource:
    """Records of 94 characters out of whatever a bank, an editor or a mail program left of them.

    Takes any line end, mixed as well, or none; pads short lines; cuts long ones, or cuts them
    up if they hold several records; reads UTF-8 and Windows-1252. Each repair is reported.
    """

    def __init__(self, stream: BinaryIO, report: Report) -> None:
        """Begin at the start of the stream."""
        self._stream = stream
        self._report = report
        self._line = 0
        self._is_unbroken = False

    def __iter__(self) -> Iterator[list[str]]:
        """Yield lists of records; a blank line gives an empty record."""
        carry = b""
        is_first = True
        for chunk in _chunks(self._stream):
            carry += chunk
            if is_first and len(carry) >= len(_MARK):
                is_first = False
                if carry.startswith(_MARK):
                    self._report(1, 1, "byte-order-mark", _MARK_MESSAGE)
                    carry = carry[len(_MARK) :]
            # A carriage return at the very end may be half of a line end.
            held = carry[-1:] if carry.endswith(b"\r") else b""
            lines = _split_lines(carry[: len(carry) - len(held)])
            carry = lines.pop() + held
            if len(carry) > _LONGEST_LINE:
                self._is_unbroken = True
                whole = len(carry) - len(carry) % RECORD_LENGTH
                lines.append(carry[:whole])
                carry = carry[whole:]
            yield from self._groups(lines)
        yield from self._groups([line for line in _split_lines(carry) if line])

    def _groups(self, lines: list[bytes]) -> Iterator[list[str]]:
        """Yield the records of lines, those that need no repair together."""
        clean: list[str] = []
        for line in lines:
            if _CLEAN.fullmatch(line):
                clean.append(line.decode("ascii"))
                self._line += 1
                continue
            # Whoever takes the records must have them before the next repair is reported.
            if clean:
                yield clean
                clean = []
            yield self._records(line)
        yield clean

    def _records(self, line: bytes) -> list[str]:
        """Return the records of one line, each 94 characters long."""
        text = self._text(line)
        records: list[str] = []
        while len(text) >= 2 * RECORD_LENGTH or (
            len(text) > RECORD_LENGTH and (records or self._is_unbroken)
        ):
            records.append(self._fit(text[:RECORD_LENGTH]))
            text = text[RECORD_LENGTH:]
        if not records or text.strip():
            records.append(self._fit(text))
        return records

    def _text(self, line: bytes) -> str:
        """Return the line as text, without control characters and blanks beyond a record."""
        try:
            text = line.decode("ascii")
        except UnicodeDecodeError:
            text = self._beyond_ascii(line)
        cleaned = _CONTROL_CHARACTERS.sub(" ", text)
        if cleaned != text:
            message = "The record holds control characters, read as blanks."
            self._report(self._line + 1, 1, "not-ascii", message)
        if len(cleaned) > RECORD_LENGTH:
            shortened = f"{cleaned.rstrip(' '):<{RECORD_LENGTH}}"
            if len(shortened) == RECORD_LENGTH:
                return shortened
        return cleaned

    def _beyond_ascii(self, line: bytes) -> str:
        message = "The record holds characters beyond ASCII."
        self._report(self._line + 1, 1, "not-ascii", message)
        # With 94 bytes, each byte is a column; otherwise the columns were counted in letters.
        if len(line) != RECORD_LENGTH:
            try:
                return line.decode("utf-8")
            except UnicodeDecodeError:
                pass
        return line.decode("cp1252", "replace")

    def _fit(self, text: str) -> str:
        """Return the text as one record, padded or cut; an empty record for a blank line."""
        self._line += 1
        if not text.strip():
            return ""
        if len(text) == RECORD_LENGTH:
            return text
        how = "padded" if len(text) < RECORD_LENGTH else "cut"
        message = f"The record has {len(text)} characters instead of {RECORD_LENGTH}; it was {how}."
        self._report(self._line, 1, "record-length", message)
        return f"{text:<{RECORD_LENGTH}}"[:RECORD_LENGTH]


def _split_lines(data: bytes) -> list[bytes]:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
