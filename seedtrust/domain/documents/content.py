"""What a file really is: its type by content, refusing what is two things at once.

Signatures: PDF 1.7 (ISO 32000-1) 7.5.2, PNG (W3C) 5.2, JPEG (ITU T.81) B.1, WebP container,
ZIP appnote 4.3.16.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import filetype

from seedtrust.domain.documents.errors import FileEmpty, FileTooLarge, FileTypeRefused, FileUnsafe

MOST_BYTES: Final = 20 * 1024 * 1024

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
WEBP: Final = "image/webp"
HEIC: Final = "image/heic"
PLAIN: Final = "text/plain"
CSV: Final = "text/csv"

EXTENSIONS: Final[Mapping[str, str]] = {
    PDF: ".pdf",
    PNG: ".png",
    JPEG: ".jpg",
    WEBP: ".webp",
    HEIC: ".heic",
    PLAIN: ".txt",
    CSV: ".csv",
}
# What is made anew before it is kept: these can hold more than they show.
CLEANED_OUTSIDE: Final = frozenset({PDF, PNG, JPEG, WEBP, HEIC})
_UNSTATED: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
# What browsers and phones call these types.
_OTHER_NAMES: Final = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/x-png": PNG,
    "image/heif": HEIC,
    "application/x-pdf": PDF,
    "application/csv": CSV,
    "application/vnd.ms-excel": CSV,
}
_ACCEPTED: Final = "Send a PDF, a picture (PNG, JPEG, WebP or HEIC), a text or a CSV file."

_HEAD_BYTES: Final = 1024
_TAIL_BYTES: Final = 2048
# What a browser or a server would run if it took the file for a page.
_WORDS: Final = (
    rb"!doctype|html|head|body|script|svg|iframe|object|embed|form|meta|link|style|img"
    rb"|\?php|\?xml"
)
_MARKUP: Final = re.compile(rb"<\s*(?:" + _WORDS + rb")", re.IGNORECASE)
# Two letters alone say nothing in compressed bytes: every fiftieth PDF would have them.
_MARKUP_OF_TEXT: Final = re.compile(rb"<\s*(?:" + _WORDS + rb"|%)", re.IGNORECASE)
_FOREIGN: Final = (b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"MZ\x90", b"\x7fELF", b"#!/")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def checked(content: bytes, content_type: str) -> tuple[str, bytes]:
    """Return a file's type by its content, and the bytes to keep.

    Pictures lose what they carry beside the picture: place, camera, comments, anything after
    their end. Raises FileEmpty, FileTooLarge, FileTypeRefused, FileUnsafe.
    """
    if not content:
        raise FileEmpty(
            "The file has no content. Choose another.", errors={"file": ["The file is empty."]}
        )
    if len(content) > MOST_BYTES:
        message = f"Send a file of {MOST_BYTES // 1024 // 1024} MB at most."
        raise FileTooLarge(message, errors={"file": [message]}, most_bytes=MOST_BYTES)
    found = _type_of(content, content_type)
    _not_two_things(content, found)
    clean = _CLEANERS[found]
    return found, clean(content)


def _type_of(content: bytes, content_type: str) -> str:
    stated = content_type.partition(";")[0].strip().lower()
    stated = _OTHER_NAMES.get(stated, stated)
    if stated not in EXTENSIONS and stated not in _UNSTATED:
        raise _refused_type(f"Files of type {stated[:60]} are not accepted. {_ACCEPTED}")
    guess = filetype.guess(content[:8192])
    if guess is None:
        found = _text_type(content, stated)
    elif guess.mime in CLEANED_OUTSIDE:
        found = str(guess.mime)
    else:
        raise _refused_type(f"The content of this file is {guess.mime}. {_ACCEPTED}")
    if stated not in _UNSTATED and stated != found:
        raise _refused_type(
            f"The file came as {stated} but its content is {found}. Save it anew and try again."
        )
    return found


def _text_type(content: bytes, stated: str) -> str:
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        raise _refused_type(f"The type of this file is not known. {_ACCEPTED}") from None
    if _CONTROLS.search(text):
        raise _refused_type(f"The type of this file is not known. {_ACCEPTED}")
    return CSV if stated == CSV else PLAIN


def _refused_type(message: str) -> FileTypeRefused:
    return FileTypeRefused(message, errors={"file": [message]})


def unsafe(message: str) -> FileUnsafe:
    """Return the refusal of a file that hides something."""
    return FileUnsafe(message, errors={"file": [message]})


def _not_two_things(content: bytes, found: str) -> None:
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise unsafe("The file is an archive as well. Save it anew, or print it to PDF.")
    head = content[:_HEAD_BYTES]
    is_text = found in {PLAIN, CSV}
    if _MARKUP_OF_TEXT.search(content) if is_text else _MARKUP.search(head):
        raise unsafe("The file contains web page code. Save it anew, or print it to PDF.")
    if found != PDF and b"%PDF-" in head:
        raise unsafe("The file is a PDF as well. Save it anew, or print it to PDF.")


def _pdf(content: bytes) -> bytes:
    if not content.startswith(b"%PDF-"):
        raise unsafe("The PDF does not begin as one. Print it to PDF and try again.")
    end = content.rfind(b"%%EOF")
    if end < len(content) - _TAIL_BYTES:
        raise unsafe("The PDF does not end as one. Print it to PDF and try again.")
    _foreign_tail(content[end + 5 :])
    return content


def _foreign_tail(tail: bytes) -> None:
    if any(mark in tail for mark in _FOREIGN) or _MARKUP.search(tail):
        raise unsafe("Something else follows the end of this file. Save it anew and try again.")


_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
# What belongs to the picture; texts, times and camera data do not.
_PNG_KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT"}
)


def _png(content: bytes) -> bytes:
    kept = [_PNG_START]
    at = len(_PNG_START)
    while at + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        name = content[at + 4 : at + 8]
        chunk = content[at : at + 12 + size]
        if len(chunk) < 12 + size:
            break
        (check,) = struct.unpack_from(">I", chunk, 8 + size)
        if check != zlib.crc32(chunk[4 : 8 + size]):
            break
        if name in _PNG_KEPT:
            kept.append(chunk)
        at += len(chunk)
        if name == b"IEND":
            _foreign_tail(content[at:])
            return b"".join(kept)
    raise _broken("PNG")


def _broken(kind: str) -> FileUnsafe:
    return unsafe(f"The {kind} picture is damaged. Save it anew, or take it again.")


_SOI: Final = b"\xff\xd8"
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_APP0: Final = 0xE0
_APP1: Final = 0xE1
_APP2: Final = 0xE2
_APP14: Final = 0xEE
_APPS: Final = range(0xE0, 0xF0)
_COMMENT: Final = 0xFE
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})


def _jpeg(content: bytes) -> bytes:
    kept = [_SOI]
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:  # noqa: PLR2004 - every marker begins with FF
            break
        marker = content[at + 1]
        if marker == _EOI:
            break
        if marker in _ALONE or marker == 0xFF:  # noqa: PLR2004 - a fill byte
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004 - figures of the file format
            continue
        (size,) = struct.unpack_from(">H", content, at + 2)
        segment = content[at : at + 2 + size]
        at += 2 + size
        if marker == _SOS:
            scan, at = _scan(content, at)
            kept += [segment, scan]
            if content[at : at + 2] == b"\xff\xd9":
                _foreign_tail(content[at + 2 :])
                return b"".join([*kept, b"\xff\xd9"])
            continue
        kept.append(_jpeg_segment(marker, segment))
    raise _broken("JPEG")


def _scan(content: bytes, at: int) -> tuple[bytes, int]:
    """Return the coded data after a scan's header, and where the next marker stands."""
    start = at
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise _broken("JPEG")
        following = content[at + 1]
        if following and following not in _ALONE:
            return content[start:at], at
        at += 2


def _jpeg_segment(marker: int, segment: bytes) -> bytes:
    """Return what is kept of a segment: all but comments and application data.

    Of those stay what colours and the picture's upright position hang on.
    """
    if marker == _COMMENT:
        return b""
    if marker not in _APPS:
        return segment
    if marker == _APP1 and segment[4:10] == b"Exif\x00\x00":
        return _only_orientation(segment[10:])
    if marker == _APP2 and segment[4:16] == b"ICC_PROFILE\x00":
        return segment
    return segment[:20] if marker in {_APP0, _APP14} and _is_bare(marker, segment) else b""


def _is_bare(marker: int, segment: bytes) -> bool:
    # JFIF without a thumbnail and Adobe's colour transform, neither of which can hold text.
    if marker == _APP0:
        return segment[4:9] == b"JFIF\x00" and len(segment) == 18  # noqa: PLR2004 - figures of the file format
    return segment[4:9] == b"Adobe" and len(segment) == 16  # noqa: PLR2004 - figures of the file format


_ORIENTATION_TAG: Final = 0x0112


def _only_orientation(tiff: bytes) -> bytes:
    """Return an EXIF segment that says which way is up and nothing else (EXIF 2.3, tag 274)."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:  # noqa: PLR2004 - header and the count of entries
        return b""
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    if first + 2 > len(tiff):
        return b""
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    for entry in range(first + 2, min(first + 2 + 12 * count, len(tiff) - 11), 12):
        tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION_TAG and 1 < value <= 8:  # noqa: PLR2004 - 1 is upright
            body = b"Exif\x00\x00MM\x00*" + struct.pack(
                ">IHHHIHHI", 8, 1, _ORIENTATION_TAG, 3, 1, value, 0, 0
            )
            return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return b""


_WEBP_KEPT: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_NO_METADATA: Final = 0xFF & ~(0x08 | 0x04)  # the EXIF and XMP flags of VP8X


def _webp(content: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", content, 4)
    end = 8 + size
    if end > len(content):
        raise _broken("WebP")
    kept: list[bytes] = []
    at = 12
    while at + 8 <= end:
        name = content[at : at + 4]
        (length,) = struct.unpack_from("<I", content, at + 4)
        if at + 8 + length > end:
            raise _broken("WebP")
        chunk = content[at : at + 8 + length + length % 2]
        if name == b"VP8X" and len(chunk) > 8:  # noqa: PLR2004 - the header's length
            chunk = chunk[:8] + bytes([chunk[8] & _WEBP_NO_METADATA]) + chunk[9:]
        if name in _WEBP_KEPT:
            kept.append(chunk)
        at += 8 + length + length % 2
    if not kept or at < end:
        raise _broken("WebP")
    _foreign_tail(content[end:])
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _as_it_is(content: bytes) -> bytes:
    return content


_CLEANERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    PDF: _pdf,
    PNG: _png,
    JPEG: _jpeg,
    WEBP: _webp,
    HEIC: _as_it_is,
    PLAIN: _as_it_is,
    CSV: _as_it_is,
}
