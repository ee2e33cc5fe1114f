"""Files as people send them: pictures and PDFs, made here to the last byte."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
from fpdf import FPDF
from PIL import Image
from pillow_heif import register_heif_opener

register_heif_opener(thumbnails=False)


def picture(kind: str, size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    """Return a plain picture of a kind that Pillow writes."""
    out = io.BytesIO()
    Image.new("RGB", size, (180, 40, 90)).save(out, kind, **options)
    return out.getvalue()


def with_exif(orientation: int = 6) -> bytes:
    """Return a JPEG with camera, place and orientation in its EXIF, and a comment."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Delphine Quarles"
    exif[0x8825] = {1: "N", 2: (45.0, 31.0, 12.0)}
    return picture("JPEG", exif=exif, comment=b"taken by Delphine Quarles")


def pdf_bytes(words: str, *, pages: int = 1, title: str = "") -> bytes:
    """Return a PDF with the words on each page."""
    paper = FPDF(format=(100, 60))
    paper.set_compression(False)
    if title:
        paper.set_title(title)
    paper.set_font("Helvetica", size=12)
    for _ in range(pages):
        paper.add_page()
        paper.cell(0, 10, words)
    return bytes(paper.output())


def pdf(change: Callable[[pikepdf.Pdf], None], *, words: str = "Receipt") -> bytes:
    """Return a PDF of one page that somebody has changed."""
    out = io.BytesIO()
    with pikepdf.Pdf.open(io.BytesIO(pdf_bytes(words))) as paper:
        change(paper)
        paper.save(out)
    return out.getvalue()
