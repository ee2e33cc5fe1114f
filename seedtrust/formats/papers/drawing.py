"""The first page of a clean PDF as a small picture, and the words on its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pypdfium2

from seedtrust.formats.papers.bounds import THUMBNAIL_SIDE, PaperRefused
from seedtrust.formats.papers.pictures import thumbnail_of

_MOST_WORDS: Final = 400_000
_MOST_READ_PAGES: Final = 50


@dataclass(frozen=True)
class Drawn:
    """A small picture of the first page, and what can be read on the first fifty."""

    thumbnail: bytes
    words: str


def draw(content: bytes) -> Drawn:
    """Return the drawing. Raises PaperRefused when no program could show the file either."""
    try:
        with pypdfium2.PdfDocument(content) as document:
            words: list[str] = []
            for number in range(min(len(document), _MOST_READ_PAGES)):
                text = document[number].get_textpage()
                words.append(text.get_text_bounded())
                text.close()
                if sum(map(len, words)) > _MOST_WORDS:
                    break
            page = document[0]
            scale = THUMBNAIL_SIDE / max(1.0, *page.get_size())
            image = page.render(scale=scale, may_draw_forms=False).to_pil()
    except (pypdfium2.PdfiumError, ValueError, IndexError) as error:
        raise PaperRefused(
            "The PDF cannot be shown. Print it to a new PDF and try again."
        ) from error
    return Drawn(thumbnail_of(image), "\n".join(words)[:_MOST_WORDS])
