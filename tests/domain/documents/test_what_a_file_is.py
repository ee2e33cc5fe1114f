"""A file is what its content proves; what is two things at once is refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seedtrust.core.errors import DomainError
from seedtrust.domain.documents.content import MOST_BYTES, checked
from seedtrust.domain.documents.errors import (
    FileEmpty,
    FileTooLarge,
    FileTypeRefused,
    FileUnsafe,
)

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(kind: str, **options: object) -> bytes:
    """Return a small real picture."""
    out = io.BytesIO()
    image = Image.new("RGB", (40, 20), (180, 40, 90))
    image.save(out, kind, **options)
    return out.getvalue()


def archive() -> bytes:
    """Return a small ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("evil.txt", "payload")
    return out.getvalue()


def with_exif(orientation: int = 6) -> bytes:
    """Return a JPEG with camera, place and orientation in its EXIF, and a comment."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Delphine Quarles"
    exif[0x8825] = {1: "N", 2: (45.0, 31.0, 12.0)}
    return picture("JPEG", exif=exif, comment=b"taken by Delphine Quarles")


@pytest.mark.parametrize(
    "content, stated, found",
    [
        (PDF, "application/pdf", "application/pdf"),
        (PDF, "", "application/pdf"),
        (PDF, "application/octet-stream", "application/pdf"),
        (picture("PNG"), "image/png", "image/png"),
        (picture("JPEG"), "image/jpg", "image/jpeg"),
        (picture("WEBP"), "image/webp; charset=binary", "image/webp"),
        (b"hours,rate\n24,22.10\n", "text/csv", "text/csv"),
        (b"hours,rate\n24,22.10\n", "application/vnd.ms-excel", "text/csv"),
        ("Zwölf Stunden".encode(), "text/plain", "text/plain"),
        (b"\xef\xbb\xbfwith a mark", "", "text/plain"),
    ],
)
def test_the_accepted_types_are_known_by_their_content(
    content: bytes, stated: str, found: str
) -> None:
    kind, kept = checked(content, stated)
    assert kind == found
    assert kept


@pytest.mark.parametrize(
    "content, stated",
    [
        (PDF, "image/png"),
        (picture("PNG"), "application/pdf"),
        (picture("GIF"), "image/gif"),
        (picture("GIF"), ""),
        (picture("TIFF"), ""),
        (archive(), "application/zip"),
        (archive(), ""),
        (b"MZ\x90\x00" + b"\x00" * 100, ""),
        (b"\x7fELF" + b"\x00" * 100, "application/octet-stream"),
        (b"\x00\x01\x02", "text/plain"),
        (b"caf\xe9", "text/plain"),
        (b"<html><body>hi</body></html>", "text/html"),
        (b"plain words", "application/pdf"),
        (b"bell \x07", "text/plain"),
    ],
)
def test_other_types_and_false_names_are_refused(content: bytes, stated: str) -> None:
    with pytest.raises(FileTypeRefused) as refusal:
        checked(content, stated)
    assert refusal.value.errors["file"]
    assert "Send a" in refusal.value.detail or "Save it anew" in refusal.value.detail


@pytest.mark.parametrize(
    "content",
    [
        PDF + archive(),
        picture("PNG") + archive(),
        picture("JPEG") + archive(),
        picture("WEBP") + archive(),
        picture("PNG") + PDF,
        picture("JPEG") + b"<script>alert(1)</script>",
        picture("PNG") + b"<?php system($_GET[0]); ?>",
        picture("JPEG") + b"MZ\x90\x00",
        PDF + b"<html><script>alert(1)</script>",
        b"%PDF-1.7 <script>alert(1)</script>\n%%EOF",
        b"name,amount\n<script>alert(1)</script>,3\n",
        b"<?xml version='1.0'?><svg onload='x'/>",
        picture("JPEG", comment=b"%PDF-1.4"),
        picture("JPEG", comment=b"<html><script>1</script>"),
        b"%PDF-1.7\n" + b"x" * 5000,
        picture("PNG")[:-20],
        picture("JPEG")[:-30],
        picture("WEBP")[:-30],
    ],
)
def test_a_file_that_is_two_things_or_broken_is_refused(content: bytes) -> None:
    with pytest.raises(FileUnsafe) as refusal:
        checked(content, "")
    assert refusal.value.code == "file_unsafe"


def test_two_letters_by_chance_in_compressed_bytes_refuse_no_pdf() -> None:
    head, rest = PDF.split(b"\n", 1)
    by_chance = head + b"\n%\x8f<%\x01<\r%\xfe\n" + rest
    assert checked(by_chance, "application/pdf") == ("application/pdf", by_chance)
    with pytest.raises(FileUnsafe):
        checked(b"<% Response.Write(1) %>", "text/plain")


def test_an_empty_and_a_too_large_file_are_refused_by_their_own_codes() -> None:
    with pytest.raises(FileEmpty):
        checked(b"", "application/pdf")
    with pytest.raises(FileTooLarge) as refusal:
        checked(PDF + b"\x00" * MOST_BYTES, "application/pdf")
    assert "20 MB" in refusal.value.detail


def test_a_photo_keeps_its_picture_and_its_upright_position_and_nothing_else() -> None:
    _, kept = checked(with_exif(), "image/jpeg")
    before, after = Image.open(io.BytesIO(with_exif())), Image.open(io.BytesIO(kept))
    assert before.tobytes() == after.tobytes()
    assert dict(after.getexif()) == {0x0112: 6}
    assert b"Delphine" not in kept
    assert b"Quarles" not in kept


def test_an_upright_photo_keeps_no_camera_data_at_all() -> None:
    _, kept = checked(with_exif(orientation=1), "image/jpeg")
    assert not dict(Image.open(io.BytesIO(kept)).getexif())


def test_a_phones_trailer_after_the_picture_is_cut_off() -> None:
    photo = picture("JPEG")
    _, kept = checked(photo + b"SEFT trailer of a phone", "image/jpeg")
    _, clean = checked(photo, "image/jpeg")
    assert kept == clean


def test_a_progressive_photo_with_several_scans_survives() -> None:
    photo = picture("JPEG", progressive=True)
    _, kept = checked(photo, "image/jpeg")
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(photo)).tobytes()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_a_png_loses_its_texts_and_keeps_its_picture() -> None:
    plain = picture("PNG")
    author = _chunk(b"tEXt", b"Author\x00Delphine Quarles")
    told = plain[:33] + author + plain[33:]
    _, kept = checked(told, "image/png")
    assert b"Delphine" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()


def test_a_webp_loses_its_camera_data_and_keeps_its_picture() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Delphine Quarles"
    told = picture("WEBP", lossless=True, exif=exif)
    assert b"Delphine" in told
    _, kept = checked(told, "image/webp")
    assert b"Delphine" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(told)).tobytes()


def test_cleaning_a_clean_file_changes_nothing() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        _, once = checked(picture(kind), "")
        _, twice = checked(once, "")
        assert once == twice


@given(
    st.one_of(
        st.binary(max_size=400),
        st.tuples(
            st.sampled_from([PDF, picture("PNG"), picture("JPEG"), picture("WEBP")]),
            st.integers(min_value=0, max_value=400),
            st.binary(max_size=40),
        ).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]),
    )
)
def test_no_bytes_whatever_do_more_than_be_refused(content: bytes) -> None:
    outcome = _outcome(content)
    assert isinstance(outcome, tuple) or outcome.status == 422
    if isinstance(outcome, tuple):
        assert outcome[1]
        assert checked(outcome[1], "") == outcome


def _outcome(content: bytes) -> tuple[str, bytes] | DomainError:
    try:
        return checked(content, "")
    except DomainError as refusal:
        return refusal


def _jpeg_with(segment: bytes) -> bytes:
    plain = picture("JPEG")
    return plain[:2] + segment + plain[2:]


def _app1(tiff: bytes) -> bytes:
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"XX*\x00\x08\x00\x00\x00\x00\x00",
        b"II*\x00\xff\xff\xff\x7f\x00\x00",
        b"II*\x00\x08\x00\x00\x00\xff\xff",
        b"MM\x00*\x00\x00\x00\x08\x00\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 77, 0),
    ],
)
def test_camera_data_that_make_no_sense_are_dropped(tiff: bytes) -> None:
    _, kept = checked(_jpeg_with(_app1(tiff)), "image/jpeg")
    assert b"Exif" not in kept
    assert Image.open(io.BytesIO(kept)).size == (40, 20)


def test_a_little_endian_photo_keeps_its_upright_position() -> None:
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHHI", 0x0112, 3, 1, 8, 0, 0)
    _, kept = checked(_jpeg_with(_app1(tiff)), "image/jpeg")
    assert dict(Image.open(io.BytesIO(kept)).getexif()) == {0x0112: 8}


def test_a_photo_with_restart_marks_fill_bytes_and_its_own_colours_survives() -> None:
    out = io.BytesIO()
    image = Image.effect_noise((64, 64), 80).convert("CMYK")
    image.save(out, "JPEG", restart_marker_blocks=1, icc_profile=b"colours " * 20)
    photo = out.getvalue()
    padded = photo[:2] + b"\xff" + photo[2:]
    _, kept = checked(padded, "image/jpeg")
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(photo)).tobytes()
    assert Image.open(io.BytesIO(kept)).info["icc_profile"] == b"colours " * 20


def test_a_segment_of_another_maker_is_dropped() -> None:
    maker = b"\xff\xed" + struct.pack(">H", 22) + b"Photoshop of Delphine"[:20]
    _, kept = checked(_jpeg_with(maker), "image/jpeg")
    assert b"Photoshop" not in kept


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + PDF,
        picture("JPEG")[:2] + b"\x00\x00\x00\x00" + picture("JPEG")[2:],
        picture("JPEG")[:2] + b"\xff\xd9" + b"\x00" * 20,
        picture("WEBP")[:16] + b"\xff\xff\xff\x7f" + picture("WEBP")[20:],
        picture("PNG")[:40] + b"\x00" + picture("PNG")[41:],
    ],
)
def test_a_file_whose_frame_is_broken_is_refused(content: bytes) -> None:
    with pytest.raises((FileUnsafe, FileTypeRefused)):
        checked(content, "")
