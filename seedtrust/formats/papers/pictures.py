"""Pictures drawn again: only the dots are carried over, upright, and never too many of them.

Everything beside the dots stays behind: place, camera, comments, colour profiles, further frames,
whatever follows the end.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from seedtrust.formats.papers.bounds import (
    LONGEST_SIDE,
    MOST_PIXELS,
    MOST_PIXELS_WHOLE,
    THUMBNAIL_SIDE,
    PaperRefused,
)

_KINDS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
}
_QUALITY: Final = 88
# Higher levels take seconds for a large picture and win little.
_PNG_EFFORT: Final = 2
_THUMBNAIL_QUALITY: Final = 75
_DAMAGED: Final = "The picture is damaged. Save it anew, or take it again."


@dataclass(frozen=True)
class CleanPicture:
    """The picture made anew, with a small one of it, and its size in dots."""

    content: bytes
    content_type: str
    thumbnail: bytes
    width: int
    height: int


def clean_picture(content: bytes, content_type: str) -> CleanPicture:
    """Return the picture drawn again: HEIC as JPEG, others as what they are.

    Raises PaperRefused when it is damaged or has too many dots; MemoryError may end it before.
    """
    image = _opened(content, _KINDS[content_type])
    try:
        image.load()
        # Every step works on the picture itself: two copies of a large one are too many.
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=2.0)
        ImageOps.exif_transpose(image, in_place=True)
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, EOFError) as error:
        raise PaperRefused(_DAMAGED) from error
    plain = _plain(image)
    del image
    kept_type = "image/jpeg" if content_type == "image/heic" else content_type
    kept = _written(plain, _KINDS[kept_type])
    width, height = plain.size
    return CleanPicture(kept, kept_type, thumbnail_of(plain), width, height)


def thumbnail_of(image: Image.Image) -> bytes:
    """Return a small JPEG of the picture, on white where it is transparent."""
    scale = max(1.0, max(image.size) / THUMBNAIL_SIDE)
    size = max(1, round(image.width / scale)), max(1, round(image.height / scale))
    small = image.resize(size, reducing_gap=2.0)
    if "A" in small.getbands():
        ground = Image.new("RGB", small.size, "white")
        ground.paste(small, mask=small.getchannel("A"))
        small = ground
    out = io.BytesIO()
    small.convert("RGB").save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
    return out.getvalue()


def _opened(content: bytes, kind: str) -> Image.Image:
    """Open by the header alone, and refuse by its size before a dot is drawn."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    if kind == "HEIF":
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - few pictures need it

        register_heif_opener(thumbnails=False)
    try:
        image = Image.open(io.BytesIO(content), formats=[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(MOST_PIXELS) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise PaperRefused(_DAMAGED) from error
    most = MOST_PIXELS if kind == "JPEG" else MOST_PIXELS_WHOLE
    width, height = image.size
    if width * height > most:
        raise _too_large(most)
    if kind == "JPEG":
        # The decoder halves as it reads, so that a large photo never lies in memory whole.
        scale = max(1.0, max(width, height) / (0.75 * LONGEST_SIDE))
        image.draft(None, (int(width / scale), int(height / scale)))
    return image


def _too_large(most: int) -> PaperRefused:
    return PaperRefused(
        f"The picture has more than {most // 1_000_000} million dots. Make it smaller, or take a "
        "photo with the usual camera setting."
    )


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in grey or in red, green and blue, transparency kept."""
    clear = "A" in image.getbands() or "transparency" in image.info
    wanted = "RGBA" if clear else "L" if image.mode in {"1", "L"} else "RGB"
    if image.mode.startswith(("I", "F")):
        wanted = "L"
        image = image.point(lambda dot: dot / 256).convert("L")  # 16 bits a dot
    plain = image if image.mode == wanted else image.convert(wanted)
    # A copy of the dots alone: what a format says beside them hangs on `info`.
    plain.info = {}
    return plain


def _written(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "JPEG":
        flat = image if image.mode in {"L", "RGB"} else image.convert("RGB")
        flat.save(out, "JPEG", quality=_QUALITY, optimize=False, exif=b"", icc_profile=None)
    elif kind == "PNG":
        image.save(out, "PNG", compress_level=_PNG_EFFORT)
    else:
        image.save(out, "WEBP", quality=_QUALITY, method=2)
    return out.getvalue()
