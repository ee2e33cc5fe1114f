"""PDFs rebuilt from their pages: what would be printed goes into a new file, nothing else does.

The catalogue of the old file stays behind, and with it scripts, actions, attachments, forms, layers
and metadata (ISO 32000-1, 7.7.2, 12.6, 7.11.4, 12.7). What people typed into a form is drawn on its
page first. What could still be an action or a foreign file deep inside a page is taken out.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Pdf, Stream

from seedtrust.formats.papers.bounds import MEBIBYTE, MOST_PAGES, PaperRefused

# What a page needs to be printed (table 30); annotations were drawn on it before.
_KEPT_ON_PAGES: Final = frozenset(
    {"/Type", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group"}
)
# Actions, files, programs and remarks, wherever they hang.
_NEVER_KEPT: Final = (
    "/A", "/AA", "/AcroForm", "/AF", "/Annots", "/B", "/Dest", "/EF", "/EmbeddedFiles", "/F",
    "/FFilter", "/FDecodeParms", "/JavaScript", "/JS", "/Launch", "/Metadata", "/OpenAction",
    "/OPI", "/Parent", "/PieceInfo", "/PresSteps", "/Ref", "/RichMediaContent", "/Rendition",
    "/StructParent", "/StructParents", "/URI", "/XFA",
)  # fmt: skip
_MOST_OBJECTS: Final = 60_000
_MOST_STREAM_BYTES: Final = 128 * MEBIBYTE
_MOST_UNPACKED_BYTES: Final = 400 * MEBIBYTE
_MOST_DOTS: Final = 100_000_000
_CHUNK: Final = MEBIBYTE
_FLATE: Final = frozenset({"/FlateDecode", "/Fl"})
_PACKING: Final = _FLATE | {"/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"}
_DAMAGED: Final = "The PDF is damaged. Print it to a new PDF and try again."
_LOCKED: Final = (
    "The PDF is protected by a password. Print it to a new PDF without one and try again."
)
_BOMB: Final = "The PDF unpacks to far more than it holds. Print it to a new PDF and try again."
# What reading a damaged file raises in the library.
_BROKEN: Final = (
    pikepdf.PdfError,
    pikepdf.ForeignObjectError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class CleanPdf:
    """The rebuilt file and how many pages it has."""

    content: bytes
    pages: int


def clean_pdf(content: bytes) -> CleanPdf:
    """Return the file rebuilt from its pages.

    Raises PaperRefused when it is locked, damaged, has no page or too many, or is a bomb.
    """
    try:
        with Pdf.open(io.BytesIO(content)) as source:
            return _rebuilt(source)
    except pikepdf.PasswordError as error:
        raise PaperRefused(_LOCKED) from error
    except _BROKEN as error:
        raise PaperRefused(_DAMAGED) from error


def _rebuilt(source: Pdf) -> CleanPdf:
    if source.is_encrypted:
        raise PaperRefused(_LOCKED)
    _count(source)
    _bounded(source)
    _draw_what_was_typed(source)
    target = Pdf.new()
    for page in source.pages:
        for key in set(page.obj.keys()) - _KEPT_ON_PAGES:
            del page[key]
        target.pages.append(page)
    for one in _dictionaries(target):
        _strip(one)
    out = io.BytesIO()
    # The same upload becomes the same file, so it is kept once.
    target.save(out, object_stream_mode=ObjectStreamMode.generate, deterministic_id=True)
    return CleanPdf(out.getvalue(), len(target.pages))


def _count(source: Pdf) -> None:
    pages = len(source.pages)
    if pages == 0:
        raise PaperRefused("The PDF has no page. Print it to a new PDF and try again.")
    if pages > MOST_PAGES:
        raise PaperRefused(
            f"The PDF has {pages} pages, and at most {MOST_PAGES} are taken. Send it in parts."
        )
    if len(source.objects) > _MOST_OBJECTS:
        raise PaperRefused("The PDF has too many parts. Print it to a new PDF and try again.")
    if source.Root.get("/NeedsRendering"):
        raise PaperRefused(
            "The PDF is a form that only one program can show. Print it to a new PDF and try again."
        )


def _bounded(source: Pdf) -> None:
    """Unpack every stream piece by piece and count, so that nobody's viewer has to find out."""
    unpacked = 0
    for one in source.objects:
        if isinstance(one, Stream):
            unpacked += _unpacked_bytes(one)
            if unpacked > _MOST_UNPACKED_BYTES:
                raise PaperRefused(_BOMB)


def _unpacked_bytes(stream: Stream) -> int:
    if int(stream.get("/Width", 0)) * int(stream.get("/Height", 0)) > _MOST_DOTS:
        raise PaperRefused(_BOMB)
    filters = stream.get("/Filter")
    names = [str(one) for one in filters] if isinstance(filters, Array) else [str(filters)]
    if sum(name in _PACKING for name in names) > 1:
        raise PaperRefused(_BOMB)
    if names[0] not in _FLATE:
        return len(stream.read_raw_bytes())
    total = 0
    for piece in _inflated(stream.read_raw_bytes()):
        total += len(piece)
        if total > _MOST_STREAM_BYTES:
            raise PaperRefused(_BOMB)
    return total


def _inflated(packed: bytes) -> Iterator[bytes]:
    engine = zlib.decompressobj()
    rest = packed
    while rest:
        try:
            piece = engine.decompress(rest, _CHUNK)
        except zlib.error:
            return  # a viewer stops here too
        yield piece
        if engine.eof or not piece:
            return
        rest = engine.unconsumed_tail


def _draw_what_was_typed(source: Pdf) -> None:
    if "/AcroForm" in source.Root:
        form = source.Root["/AcroForm"]
        if isinstance(form, Dictionary) and "/XFA" in form:
            del form["/XFA"]
        source.generate_appearance_streams()
    source.flatten_annotations("print")


def _dictionaries(target: Pdf) -> Iterator[Dictionary | Stream]:
    """Yield every dictionary and stream of the file, those inside others too, without recursion."""
    waiting: list[Object] = list(target.objects)
    while waiting:
        one = waiting.pop()
        if isinstance(one, Dictionary | Stream):
            yield one
            inside: list[object] = [one[key] for key in one.keys()]  # noqa: SIM118 - no mapping
        elif isinstance(one, Array):
            inside = list(one)
        else:
            continue
        waiting += [
            part for part in inside if isinstance(part, Dictionary | Array) and not part.is_indirect
        ]


def _strip(one: Dictionary | Stream) -> None:
    kind = one.get("/Type")
    is_tree = kind in {Name.Page, Name.Pages}
    for key in _NEVER_KEPT:
        # A page hangs on its tree by /Parent; a colour space or a pattern may be called anything.
        if key in one and not (is_tree and key == "/Parent") and not _is_a_name_of_ours(one, key):
            del one[key]
    if isinstance(one, Stream) and one.get("/Subtype") == Name("/PS"):
        one.write(b"")  # a program for printers


def _is_a_name_of_ours(one: Dictionary | Stream, key: str) -> bool:
    """Tell whether the key is the name that a page gives to a font or picture, such as `/F`."""
    part = one.get(key)
    if not isinstance(part, Dictionary | Stream):
        return False
    return part.get("/Type") in {Name.Font, Name.XObject, Name.ExtGState, Name.Pattern} or (
        part.get("/Subtype") in {Name.Image, Name.Form}
    )
