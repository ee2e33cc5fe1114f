"""More than a hundred hostile files, each made here to the last byte, by what they try."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image

from tests.factories.papers import pdf, pdf_bytes, picture

# Whatever runs anywhere leaves this mark: in the title of a page, a dialog or a request.
MARK: Final = "executed-by-a-hostile-file"
SCRIPT: Final = f"<script>document.title='{MARK}';alert('{MARK}')</script>".encode()
JS: Final = f"app.alert('{MARK}'); this.submitForm('http://127.0.0.1:9/{MARK}');"
PAGE: Final = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"
PHP: Final = b"<?php system($_GET['c']); ?>"


@dataclass(frozen=True)
class Hostile:
    """One file: what it is called, what it says that it is, what it holds."""

    what: str
    name: str
    stated: str
    content: bytes


def archive(name: str = "evil.txt", content: bytes = b"payload") -> bytes:
    """Return a ZIP archive with one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG with its length and check."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, data: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG that says it has this size, whatever its data hold."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@cache
def _zeros(size: int) -> bytes:
    engine = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(engine.compress(block) for _ in range(size >> 20)) + engine.flush()


def corpus() -> list[Hostile]:
    """Return all of them; names are unique."""
    found = [
        *_pages(), *_polyglots(), *_in_pictures(), *_wrong_types(), *_programs(), *_pdf_scripts(),
        *_pdf_traps(), *_bombs(), *_huge(), *_broken(), *_names(),
    ]  # fmt: skip
    assert len({one.what for one in found}) == len(found)
    return found


def _pages() -> Iterator[Hostile]:
    """Yield web pages and drawings with scripts, under every name that might be believed."""
    for name, stated in (
        ("page.html", "text/html"), ("page.pdf", "application/pdf"), ("page.png", "image/png"),
        ("page.txt", "text/plain"), ("page.csv", "text/csv"), ("page", ""),
        ("page.jpg", "application/octet-stream"),
    ):  # fmt: skip
        yield Hostile(f"page as {stated or 'nothing'}", name, stated, PAGE)
    for name, stated in (
        ("a.svg", "image/svg+xml"), ("a.png", "image/png"), ("a.txt", "text/plain"), ("a.xml", ""),
    ):  # fmt: skip
        yield Hostile(f"svg as {stated or 'nothing'}", name, stated, SVG)
    for what, content in {
        "svg in utf-16": SVG.decode().encode("utf-16"),
        "page behind a mark": b"\xef\xbb\xbf" + PAGE,
        "page behind blanks": b" " * 3_000 + PAGE,
        "xhtml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT,
        "xml bomb": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>',
        "xsl": b'<?xml-stylesheet href="#x"?><x>' + SCRIPT + b"</x>",
        "iframe": b"<iframe srcdoc='<script>alert(1)</script>'>",
        "meta refresh": b"<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
        "image with a handler": b"<img src=x onerror=alert(1)>",
        "css expression": b"<style>@import 'http://127.0.0.1:9/'</style>",
        "mhtml": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + PAGE,
        "php": PHP,
        "asp": b"<% Response.Write(1) %>",
        "template": b"<body>{{ config.__class__.__init__.__globals__ }}</body>",
    }.items():
        yield Hostile(what, "note.txt", "text/plain", content)


def _polyglots() -> Iterator[Hostile]:
    """Yield files that are two things at once."""
    hosts = {
        "pdf": ("a.pdf", "application/pdf", pdf_bytes("Receipt")),
        "png": ("a.png", "image/png", picture("PNG")),
        "jpeg": ("a.jpg", "image/jpeg", picture("JPEG")),
        "webp": ("a.webp", "image/webp", picture("WEBP")),
    }
    guests = {
        "archive": archive(), "page": PAGE, "svg": SVG, "php": PHP,
        "program": b"MZ\x90\x00" + bytes(64), "elf": b"\x7fELF" + bytes(64),
        "shell": b"#!/bin/sh\nrm -rf /\n", "java": archive("META-INF/MANIFEST.MF", b"Main: X"),
    }  # fmt: skip
    for host, (name, stated, content) in hosts.items():
        for guest, tail in guests.items():
            yield Hostile(f"{host} and {guest}", name, stated, content + tail)
    yield Hostile("png and pdf", "a.png", "image/png", picture("PNG") + pdf_bytes("x"))
    yield Hostile("pdf inside a jpeg", "a.jpg", "image/jpeg", picture("JPEG", comment=b"%PDF-1.4"))
    yield Hostile("gif and script", "a.gif", "image/gif", b"GIF89a/*" + bytes(9) + b"*/=1;alert(1)")
    yield Hostile("bmp and script", "a.bmp", "image/bmp", b"BM=1;/*" + bytes(40) + b"*/alert(1)")


def _in_pictures() -> Iterator[Hostile]:
    """Yield pictures with code beside their dots: accepted at most without it."""
    plain = picture("PNG")
    for what, part in {
        "text": chunk(b"tEXt", b"Comment\x00" + SCRIPT),
        "packed text": chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(SCRIPT * 99)),
        "text bomb": chunk(b"zTXt", b"Comment\x00\x00" + _zeros(64 << 20)),
        "profile": chunk(b"iCCP", b"x\x00\x00" + zlib.compress(SCRIPT * 99)),
        "own chunk": chunk(b"scRt", SCRIPT),
    }.items():
        yield Hostile(f"png with {what}", "a.png", "image/png", plain[:33] + part + plain[33:])
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    exif[0x8825] = {1: "N", 2: (45.0, 31.0, 12.0)}
    for kind, end in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("HEIF", "heic")):
        yield Hostile(
            f"{kind} with a script in its camera data",
            f"a.{end}",
            "",
            picture(kind, exif=exif),
        )
    code = b"/*" + b"A" * 60 + b"*/;alert(1)//"
    yield Hostile("jpeg with a comment of code", "a.jpg", "", picture("JPEG", comment=code))
    dots = b"".join(PHP.ljust(30)[at : at + 3] for at in range(0, 30, 3)) * 64
    image = Image.frombytes("RGB", (32, 20), dots[: 32 * 20 * 3])
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=0)
    yield Hostile("png whose dots spell code", "a.png", "image/png", out.getvalue())


def _wrong_types() -> Iterator[Hostile]:
    """Yield files that are not what they say."""
    real = {
        "application/pdf": pdf_bytes("x"),
        "image/png": picture("PNG"),
        "image/jpeg": picture("JPEG"),
        "text/plain": b"hello",
    }
    for stated in real:
        for found, content in real.items():
            if stated != found:
                yield Hostile(f"{found} as {stated}", "a.bin", stated, content)
    for kind in ("GIF", "TIFF", "BMP", "ICO", "PPM"):
        yield Hostile(f"{kind} as nothing", f"a.{kind.lower()}", "", picture(kind))
    yield Hostile("null bytes as text", "a.txt", "text/plain", b"a\x00b" * 99)
    yield Hostile("latin text", "a.txt", "text/plain", "café".encode("latin-1"))
    yield Hostile("text in UTF-7", "a.txt", "text/plain; charset=utf-7", b"+ADw-script+AD4-")


def _programs() -> Iterator[Hostile]:
    """Yield programs, archives and office files."""
    for what, content in {
        "windows program": b"MZ\x90\x00" + bytes(400),
        "elf program": b"\x7fELF\x02\x01\x01" + bytes(400),
        "mach-o program": b"\xcf\xfa\xed\xfe" + bytes(400),
        "java class": b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(400),
        "wasm": b"\x00asm\x01\x00\x00\x00" + bytes(100),
        "archive": archive(),
        "archive with a path": archive("../../../../etc/cron.d/x"),
        "archive bomb": archive("zeros", bytes(30 << 20)),
        "word file with a macro": archive("word/vbaProject.bin", b"macro"),
        "old office file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "gzip": b"\x1f\x8b\x08\x00" + bytes(60),
        "rtf": b"{\\rtf1{\\object\\objocx}}",
        "postscript": b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file",
        "shortcut": b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(100),
        "sqlite": b"SQLite format 3\x00" + bytes(100),
    }.items():
        yield Hostile(what, "receipt.pdf", "", content)


def _script(words: str = JS) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(words))


def _link(action: Dictionary) -> Array:
    return Array([Dictionary(Subtype=Name.Link, Rect=[0, 0, 300, 300], A=action)])


def _pdf_scripts() -> Iterator[Hostile]:
    """Yield PDFs that act: scripts, programs, forms, links, films."""

    def names(paper: Pdf) -> None:
        paper.Root.Names = Dictionary(JavaScript=Dictionary(Names=[String("a"), _script()]))

    def field(paper: Pdf) -> None:
        box = Dictionary(
            Subtype=Name.Widget, FT=Name.Tx, T=String("x"), Rect=[0, 0, 90, 90],
            AA=Dictionary(K=_script(), F=_script(), V=_script(), C=_script()),
        )  # fmt: skip
        widget = paper.make_indirect(box)
        paper.pages[0].Annots = Array([widget])
        paper.Root.AcroForm = Dictionary(Fields=[widget], CO=[widget])

    def put(**root: Dictionary) -> Callable[[Pdf], None]:
        def change(paper: Pdf) -> None:
            for key, value in root.items():
                paper.Root[f"/{key}"] = value

        return change

    def on_page(action: Dictionary) -> Callable[[Pdf], None]:
        def change(paper: Pdf) -> None:
            paper.pages[0].Annots = _link(action)

        return change

    def page_acts(paper: Pdf) -> None:
        paper.pages[0].AA = Dictionary(O=_script(), C=_script())

    acts = {
        "launch": Dictionary(S=Name.Launch, F=String("cmd.exe")),
        "launch with parameters": Dictionary(
            S=Name.Launch, Win=Dictionary(F=String("cmd.exe"), P=String("/c calc"))
        ),
        "address of a script": Dictionary(S=Name.URI, URI=String("javascript:alert(1)")),
        "address elsewhere": Dictionary(S=Name.URI, URI=String("http://127.0.0.1:9/")),
        "other file": Dictionary(S=Name.GoToR, F=String("\\\\127.0.0.1\\share\\x.pdf"), D=[0]),
        "form sent away": Dictionary(S=Name.SubmitForm, F=String("http://127.0.0.1:9/")),
        "imported data": Dictionary(S=Name.ImportData, F=String("/etc/passwd")),
        "film": Dictionary(S=Name.Movie, T=String("x")),
        "rendition": Dictionary(S=Name.Rendition, JS=String(JS)),
        "sound": Dictionary(S=Name.Sound),
        "chain": Dictionary(S=Name.GoTo, D=[0], Next=_script()),
    }
    changes: dict[str, Callable[[Pdf], None]] = {
        "opening script": put(OpenAction=_script()),
        "document acts": put(AA=Dictionary(WC=_script(), WS=_script(), DP=_script())),
        "named scripts": names,
        "page acts": page_acts,
        "field script": field,
        "form of one program": put(AcroForm=Dictionary(Fields=[], XFA=String("<xdp/>"))),
        "opening address": put(OpenAction=acts["address of a script"]),
        **{f"link to {what}": on_page(action) for what, action in acts.items()},
    }
    for what, change in changes.items():
        yield Hostile(f"pdf: {what}", "bill.pdf", "application/pdf", pdf(change))


def _circle(paper: Pdf) -> None:
    paper.Root.Pages.Kids.append(paper.Root.Pages)


def _metadata(paper: Pdf) -> None:
    paper.Root.Metadata = paper.make_stream(b"<x:xmpmeta>" + SCRIPT + b"</x:xmpmeta>")


def _pdf_traps() -> Iterator[Hostile]:
    """Yield PDFs that hide, lock or lie."""

    def attached(paper: Pdf) -> None:
        paper.attachments["../../evil.exe"] = b"MZ\x90\x00"

    def pinned(paper: Pdf) -> None:
        file = Dictionary(Type=Name.Filespec, F=String("evil.exe"))
        note = Dictionary(Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9], FS=file)
        paper.pages[0].Annots = Array([note])

    def foreign(paper: Pdf) -> None:
        stream = paper.make_stream(b"", F=Dictionary(Type=Name.Filespec, F=String("/etc/passwd")))
        paper.pages[0].Contents = stream

    def printer(paper: Pdf) -> None:
        program = paper.make_stream(b"(/etc/passwd) run", Type=Name.XObject, Subtype=Name("/PS"))
        paper.pages[0].Resources.XObject = Dictionary(P=program)

    def rich(paper: Pdf) -> None:
        media = Dictionary(Subtype=Name.RichMedia, Rect=[0, 0, 9, 9], RichMediaContent=Dictionary())
        paper.pages[0].Annots = Array([media])

    def properties(paper: Pdf) -> None:
        paper.pages[0].Resources.Properties = Dictionary(A=Dictionary(AA=Dictionary(O=_script())))

    for what, change in {
        "attachment": attached, "pinned file": pinned, "file of the machine": foreign,
        "program for printers": printer, "flash": rich, "circle of pages": _circle,
        "page in its metadata": _metadata, "script among properties": properties,
    }.items():  # fmt: skip
        yield Hostile(f"pdf: {what}", "bill.pdf", "application/pdf", pdf(change))
    for what, words in {"opened by a password": "secret", "locked for changes": ""}.items():
        out = io.BytesIO()
        with Pdf.open(io.BytesIO(pdf_bytes("x"))) as paper:
            paper.save(out, encryption=pikepdf.Encryption(owner="o", user=words))
        yield Hostile(f"pdf: {what}", "bill.pdf", "application/pdf", out.getvalue())


def _bombs() -> Iterator[Hostile]:
    """Yield small files that unpack to large ones."""

    def contents(data: bytes, filters: Name | Array) -> Callable[[Pdf], None]:
        def change(paper: Pdf) -> None:
            stream = paper.make_stream(b"")
            stream.write(data, filter=filters)
            paper.pages[0].Contents = stream

        return change

    def image(width: int, height: int) -> Callable[[Pdf], None]:
        def change(paper: Pdf) -> None:
            dots = paper.make_stream(
                b"", Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height,
                ColorSpace=Name.DeviceGray, BitsPerComponent=8,
            )  # fmt: skip
            dots.write(_zeros(32 << 20), filter=Name.FlateDecode)
            paper.pages[0].Resources.XObject = Dictionary(I=dots)
            paper.pages[0].Contents = paper.make_stream(b"q 200 0 0 200 0 0 cm /I Do Q")

        return change

    flate = Name.FlateDecode
    twice = Array([flate, flate])
    nested = zlib.compress(_zeros(160 << 20), 9)
    for what, change in {
        "flate bomb": contents(_zeros(160 << 20), flate),
        "flate bomb in a bomb": contents(nested, twice),
        "huge picture": image(30_000, 30_000),
        "picture of lies": image(2_000_000_000, 2),
    }.items():
        yield Hostile(f"pdf: {what}", "bill.pdf", "application/pdf", pdf(change))
    yield Hostile("png of zeros", "a.png", "image/png", png(100, 100, _zeros(160 << 20)))
    yield Hostile("pdf of 400 pages", "a.pdf", "application/pdf", pdf_bytes("x", pages=400))
    deep = b"[" * 60_000 + b"]" * 60_000
    body = (
        b"1 0 obj<</Type/Catalog/Pages 2 0 R/X " + deep + b">>endobj\n2 0 obj<</Type/Pages>>endobj"
    )
    yield Hostile(
        "pdf: deep nesting", "a.pdf", "application/pdf", b"%PDF-1.7\n" + body + b"\n%%EOF"
    )


def _huge() -> Iterator[Hostile]:
    """Yield pictures with too many dots, said or real."""
    for width, height in (
        (65_000, 65_000),
        (2_000_000_000, 1),
        (1, 2_000_000_000),
        (20_000, 9_000),
    ):
        yield Hostile(
            f"png of {width} by {height}", "a.png", "image/png", png(width, height, _zeros(1 << 20))
        )
    sof = picture("JPEG")
    at = sof.index(b"\xff\xc0") + 5
    said = sof[:at] + struct.pack(">HH", 65_000, 65_000) + sof[at + 4 :]
    yield Hostile("jpeg that says 65000", "a.jpg", "image/jpeg", said)
    yield Hostile("real png of 36 million", "a.png", "image/png", picture("PNG", (6_000, 6_000)))
    yield Hostile(
        "real webp of 36 million", "a.webp", "", picture("WEBP", (6_000, 6_000), method=0)
    )
    out = io.BytesIO()
    frames = [Image.new("RGB", (900, 900), (at, 0, 0)) for at in range(40)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    yield Hostile("png of forty frames", "a.png", "image/png", out.getvalue())


def _broken() -> Iterator[Hostile]:
    """Yield files that end early or whose parts contradict each other."""
    for kind, end in (("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("HEIF", "heic")):
        whole = picture(kind, (200, 200))
        yield Hostile(f"{kind} cut short", f"a.{end}", "", whole[: len(whole) // 2])
        middle = len(whole) // 2
        bent = whole[:middle] + b"\xff\x00\xff\xd9" * 8 + whole[middle + 32 :]
        yield Hostile(f"{kind} bent", f"a.{end}", "", bent)
    sent = pdf_bytes("Receipt")
    yield Hostile("pdf cut short", "a.pdf", "application/pdf", sent[: len(sent) // 2])
    bare = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    yield Hostile("pdf without pages", "a.pdf", "application/pdf", bare)
    yield Hostile("pdf of nothing", "a.pdf", "application/pdf", b"%PDF-1.7\n%%EOF")
    yield Hostile("nothing", "a.pdf", "application/pdf", b"")


def _names() -> Iterator[Hostile]:
    """Yield harmless files whose names try to go somewhere or to be run."""
    for what, name in {
        "path up": "../../../../etc/passwd",
        "path of windows": "..\\..\\windows\\system32\\x.txt",
        "absolute path": "/etc/cron.d/evil",
        "drive": "C:\\autoexec.bat",
        "null": "receipt.txt\x00.exe",
        "turned writing": "receipt\u202etxt.exe",
        "script": "<script>alert(1)</script>.txt",
        "quotes": '"; filename="evil.html',
        "formula": '=HYPERLINK("http://127.0.0.1:9/")',
        "template": "{{ 7*7 }}.txt",
        "device": "CON.txt",
        "hidden": ".htaccess",
        "dots": "..",
        "long": "x" * 190 + ".txt",
        "lines": "a\r\nSet-Cookie: x=1.txt",
    }.items():
        yield Hostile(f"name: {what}", name, "text/plain", b"A receipt over 62.15")
    word = base64.b64encode(PAGE).decode()
    yield Hostile("data address", "a.txt", "text/plain", f"data:text/html;base64,{word}".encode())
