"""A stranger's file is opened in a process with little memory and little time."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from PIL import Image

from seedtrust.core.errors import Unavailable
from seedtrust.core.failpoints import armed
from seedtrust.domain.documents.errors import FileUnsafe
from seedtrust.formats.papers.bounds import LONGEST_SIDE, MOST_MEMORY_BYTES, THUMBNAIL_SIDE
from seedtrust.gateways.cleaning import MOST_AT_ONCE, CleanerMissing, ProcessCleaner
from tests.factories.papers import pdf, pdf_bytes, picture, with_exif

CLEANER = ProcessCleaner()


def opened(content: bytes) -> Image.Image:
    """Return a picture from its bytes."""
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    "kind, sent, kept",
    [
        ("JPEG", "image/jpeg", "image/jpeg"),
        ("PNG", "image/png", "image/png"),
        ("WEBP", "image/webp", "image/webp"),
        ("HEIF", "image/heic", "image/jpeg"),
    ],
)
def test_a_picture_is_drawn_again_with_a_small_one_of_it(kind: str, sent: str, kept: str) -> None:
    made = CLEANER.clean(picture(kind, (640, 320)), sent)
    assert (made.content_type, made.width, made.height) == (kept, 640, 320)
    assert opened(made.content).size == (640, 320)
    assert max(opened(made.thumbnail).size) == THUMBNAIL_SIDE


def test_a_photo_becomes_upright_and_keeps_nothing_beside_its_dots() -> None:
    made = CLEANER.clean(with_exif(orientation=6), "image/jpeg")
    assert (made.width, made.height) == (20, 40)
    assert not dict(opened(made.content).getexif())
    for part in (made.content, made.thumbnail):
        assert b"Quarles" not in part


def test_a_large_photo_is_made_smaller_within_its_memory() -> None:
    answer = CLEANER.run("clean", picture("JPEG", (7000, 5000)), "image/jpeg")
    assert answer.facts["width"] == LONGEST_SIDE
    assert 0 < answer.peak_bytes <= MOST_MEMORY_BYTES


def test_transparent_and_grey_and_coloured_pictures_stay_what_they_are() -> None:
    for mode, kept in (("RGBA", "RGBA"), ("L", "L"), ("P", "RGB"), ("I;16", "L"), ("1", "L")):
        out = io.BytesIO()
        Image.new(mode, (30, 20)).save(out, "PNG")
        assert opened(CLEANER.clean(out.getvalue(), "image/png").content).mode == kept


def _script(paper: pikepdf.Pdf) -> None:
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    paper.Root.OpenAction = script
    paper.Root.AA = pikepdf.Dictionary(WC=script)
    paper.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["x", script]))
    paper.pages[0].AA = pikepdf.Dictionary(O=script)


def _launch(paper: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")
    link = pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=[0, 0, 99, 99], A=action)
    paper.pages[0].Annots = pikepdf.Array([link])


def _attachment(paper: pikepdf.Pdf) -> None:
    paper.attachments["calc.exe"] = b"MZ payload"


def _form(paper: pikepdf.Pdf) -> None:
    paper.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=pikepdf.String("<xdp/>"))


def _hidden_deep(paper: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    paper.pages[0].Resources.Properties = pikepdf.Dictionary(
        Deep=pikepdf.Dictionary(Deeper=[pikepdf.Dictionary(A=action, AF="calc.exe")])
    )


@pytest.mark.parametrize("harm", [_script, _launch, _attachment, _form, _hidden_deep])
def test_what_a_pdf_could_do_stays_behind_and_what_it_shows_stays(
    harm: Callable[[pikepdf.Pdf], None],
) -> None:
    made = CLEANER.clean(pdf(harm, words="Receipt 62.15"), "application/pdf")
    with pikepdf.Pdf.open(io.BytesIO(made.content)) as kept:
        assert set(kept.Root.keys()) == {"/Type", "/Pages"}
        told = repr([repr(one) for one in kept.objects])
        for word in ("JavaScript", "Launch", "alert", "calc.exe", "XFA", "Annots", "/AA"):
            assert word not in told
    assert made.pages == 1
    assert "Receipt 62.15" in made.words
    assert opened(made.thumbnail).format == "JPEG"


def test_the_same_pdf_becomes_the_same_file_without_author_and_title() -> None:
    sent = pdf_bytes("Bill", title="Bill for Delphine Quarles")
    first, second = (CLEANER.clean(sent, "application/pdf").content for _ in range(2))
    assert first == second
    assert b"Quarles" in sent
    with pikepdf.Pdf.open(io.BytesIO(first)) as kept:
        assert "/Info" not in kept.trailer
        assert "/Metadata" not in kept.Root


def _locked(sent: bytes, user: str = "") -> bytes:
    out = io.BytesIO()
    with pikepdf.Pdf.open(io.BytesIO(sent)) as paper:
        paper.save(out, encryption=pikepdf.Encryption(owner="o", user=user))
    return out.getvalue()


@pytest.mark.parametrize(
    "content, kind, says",
    [
        (_locked(pdf_bytes("x"), user="secret"), "application/pdf", "protected by a password"),
        (_locked(pdf_bytes("x")), "application/pdf", "protected by a password"),
        (pdf_bytes("x", pages=301), "application/pdf", "at most 300"),
        (b"%PDF-1.7\nnothing\n%%EOF", "application/pdf", "damaged"),
        (picture("PNG", (5000, 4000)), "image/png", "16 million dots"),
        (picture("PNG")[:60], "image/png", "damaged"),
        (b"\xff\xd8\xff\xe0 nothing", "image/jpeg", "damaged"),
    ],
)
def test_what_cannot_be_made_anew_is_refused_with_the_reason(
    content: bytes, kind: str, says: str
) -> None:
    with pytest.raises(FileUnsafe) as refusal:
        CLEANER.clean(content, kind)
    assert says in refusal.value.detail


def _python(source: str, **bounds: Any) -> ProcessCleaner:
    return ProcessCleaner((sys.executable, "-I", "-c", source), **bounds)


def test_a_process_that_takes_too_long_is_ended() -> None:
    with pytest.raises(FileUnsafe) as refusal:
        _python("import time; time.sleep(600)", most_seconds=0.2).clean(b"", "image/png")
    assert "more memory or time" in refusal.value.detail


@pytest.mark.parametrize(
    "greed",
    [
        "bytearray(300 * 1024 * 1024)",
        "resource.setrlimit(resource.RLIMIT_CPU, (1, 8))\nwhile True: pass",
        "sys.stdout.buffer.write(bytes(60 * 1024 * 1024))",
        "resource.setrlimit(resource.RLIMIT_AS, (2 ** 40, 2 ** 40))",
    ],
)
def test_memory_processor_and_output_of_the_process_are_bounded(greed: str) -> None:
    bounded = "import resource, sys\nfrom seedtrust.formats.papers.bounds import be_modest\n"
    # A hard limit cannot be raised again, except by the administrator.
    drop = "import os\nos.getuid() == 0 and os.setuid(65534)\n" if "2 ** 40" in greed else ""
    with pytest.raises(FileUnsafe):
        _python(f"{bounded}be_modest()\n{drop}{greed}\n").clean(b"", "image/png")


def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDTRUST_SECRET_KEY", "known to the application alone")
    told = (
        'import json, os; print(json.dumps({"type": " ".join(os.environ), "parts": [],'
        ' "peak_bytes": 1}))'
    )
    seen = _python(told).run("clean", b"", "image/png").facts["type"]
    assert "SEEDTRUST" not in seen


def test_a_missing_library_is_no_fault_of_the_file() -> None:
    with pytest.raises(CleanerMissing):
        _python("import no_such_library").clean(b"", "image/png")


def test_when_too_many_files_wait_the_next_is_asked_to_come_again() -> None:
    cleaner = ProcessCleaner(wait_seconds=0)
    asked: list[int] = []

    def another() -> None:
        # Reached inside each process's place: the places fill up one within the other.
        asked.append(len(asked))
        cleaner.clean(picture("PNG"), "image/png")

    with armed("cleaner.before_start", another), pytest.raises(Unavailable) as refusal:
        cleaner.clean(picture("PNG"), "image/png")
    assert len(asked) == MOST_AT_ONCE
    assert "Try again" in refusal.value.detail
    assert cleaner.clean(picture("PNG"), "image/png").width == 40
