"""Papers as PDF: headings, paragraphs, facts and drawn signatures, on Letter pages.

PDF 1.7 (ISO 32000-1) written by fpdf2. The same content gives the same bytes: the only date in a
paper is the one that its caller gives, and its metadata name no person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from fontTools.ttLib import TTFont
from fpdf import FPDF

_FONTS: Final = Path(__file__).parent / "fonts"
_FAMILY: Final = "Inter"
_MARGIN_MM: Final = 22.0
_TEXT_MM: Final = 5.4
_SMALL_MM: Final = 4.6
_LABEL_MM: Final = 46.0
_GREY: Final = 96
# The field on which a signature is drawn, and how wide it is printed.
DRAWING_WIDTH: Final = 600
DRAWING_HEIGHT: Final = 200
_DRAWING_MM: Final = 60.0

Stroke = Sequence[Sequence[int]]
Style = Literal["", "B"]


class _Pages(FPDF):
    """Letter pages whose foot names the paper and counts its pages."""

    def __init__(self, foot: str) -> None:
        """Take the words of the foot."""
        super().__init__(format="letter")
        self._foot = foot

    def footer(self) -> None:
        """Print the foot of a page."""
        self.set_y(-15)
        self.set_font(_FAMILY, "", 8)
        self.set_text_color(_GREY)
        words = f"{self._foot}   page {self.page_no()} of {{nb}}"
        self.cell(0, 6, words, align="L")
        self.set_text_color(0)


class Paper:
    """One paper that is written from top to bottom."""

    def __init__(self, title: str, *, foot: str, made_at: datetime) -> None:
        """Begin a paper; `made_at` is the only instant that it carries."""
        pages = _Pages(foot)
        pages.add_font(_FAMILY, "", _FONTS / "Inter-Regular.ttf")
        pages.add_font(_FAMILY, "B", _FONTS / "Inter-Bold.ttf")
        pages.set_creation_date(made_at)
        pages.set_title(title)
        pages.set_producer("SeedTrust")
        pages.set_margins(_MARGIN_MM, _MARGIN_MM)
        pages.set_auto_page_break(auto=True, margin=_MARGIN_MM)
        pages.add_page()
        pages.c_margin = 0
        self._pages = pages
        self._widths: dict[tuple[str, float, str], float] = {}
        self._write(title, size=18, style="B", height=8.5)
        pages.ln(2)

    def heading(self, text: str) -> None:
        """Begin a section; it never stands alone at the end of a page."""
        if self._pages.will_page_break(4 * _TEXT_MM):
            self._pages.add_page()
        self._pages.ln(3)
        self._write(text, size=12, style="B", height=6.5)

    def paragraph(self, text: str, *, small: bool = False) -> None:
        """Write a paragraph."""
        self._write(text, size=8.5 if small else 10, height=_SMALL_MM if small else _TEXT_MM)
        self._pages.ln(1.6)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write names and values side by side."""
        pages = self._pages
        for name, value in pairs:
            if pages.will_page_break(2 * _TEXT_MM):
                pages.add_page()
            pages.set_font(_FAMILY, "", 9)
            pages.set_text_color(_GREY)
            pages.cell(_LABEL_MM, _TEXT_MM, name)
            pages.set_text_color(0)
            lines = self._lines(value, pages.epw - _LABEL_MM)
            for line in lines:
                pages.set_x(pages.l_margin + _LABEL_MM)
                pages.cell(0, _TEXT_MM, line, new_x="LMARGIN", new_y="NEXT")
        pages.ln(2)

    def drawing(self, strokes: Sequence[Stroke]) -> None:
        """Draw a signature as it was given, over a line."""
        pages, scale = self._pages, _DRAWING_MM / DRAWING_WIDTH
        height = DRAWING_HEIGHT * scale
        if pages.will_page_break(height + 4):
            pages.add_page()
        left, top = pages.l_margin, pages.get_y()
        pages.set_line_width(0.5)
        for stroke in strokes:
            points = [(left + x * scale, top + y * scale) for x, y in stroke]
            pages.polyline(points if len(points) > 1 else [*points, *points])
        pages.set_line_width(0.2)
        pages.line(left, top + height, left + _DRAWING_MM, top + height)
        pages.set_y(top + height + 2)

    def content(self) -> bytes:
        """Return the PDF."""
        return bytes(self._pages.output())

    def _write(self, text: str, *, size: float, height: float, style: Style = "") -> None:
        pages = self._pages
        pages.set_font(_FAMILY, style, size)
        for written in text.split("\n"):
            for line in self._lines(written, pages.epw):
                pages.cell(0, height, line, new_x="LMARGIN", new_y="NEXT")

    def _lines(self, text: str, width: float) -> list[str]:
        """Return a line of text broken to a width; the library's own breaking is quadratic."""
        lines: list[str] = []
        words: list[str] = []
        blank, used = self._width(" "), 0.0
        for word in (part for long in text.split() for part in self._parts(long, width)):
            wide = self._width(word)
            if words and used + blank + wide > width:
                lines.append(" ".join(words))
                words, used = [], 0.0
            used += wide + (blank if words else 0.0)
            words.append(word)
        return [*lines, " ".join(words)]

    def _parts(self, word: str, width: float) -> list[str]:
        """Return a word, cut where it is wider than a line: a hash, an address."""
        parts = [""]
        for character in word if self._width(word) > width else ():
            if self._width(parts[-1] + character) > width:
                parts.append("")
            parts[-1] += character
        return parts if parts[0] else [word]

    def _width(self, word: str) -> float:
        key = (self._pages.font_style, self._pages.font_size_pt, word)
        if key not in self._widths:
            self._widths[key] = self._pages.get_string_width(word)
        return self._widths[key]


@lru_cache(maxsize=1)
def _printable() -> frozenset[int]:
    with TTFont(_FONTS / "Inter-Regular.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap())


def unprintable(text: str) -> str:
    """Return the characters that a paper cannot print, each once, in their order."""
    known = _printable()
    missing = (one for one in text if ord(one) not in known and one not in "\n\r\t")
    return "".join(dict.fromkeys(missing))
