"""Small PDF papers that stand for receipts and letters, so that evidence is a real file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from fpdf import FPDF


def paper(title: str, case_number: int, on: date) -> bytes:
    """Return a one-page PDF with a title; it names no person."""
    pdf = FPDF(format="letter")
    pdf.set_creation_date(datetime.combine(on, time(12), tzinfo=UTC))
    pdf.set_title(title)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 16)
    pdf.cell(0, 12, _latin(title), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 11)
    pdf.cell(0, 8, f"Case {case_number}", new_x="LMARGIN", new_y="NEXT")
    pdf.cell(0, 8, f"{on:%d %B %Y}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(120)
    pdf.multi_cell(0, 7, "A sample paper of the demo. It stands for the original.")
    return bytes(pdf.output())


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
