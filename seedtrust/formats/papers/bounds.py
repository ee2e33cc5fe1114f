"""How much a file may cost, and the refusal that says so in words for whoever sent it."""

from __future__ import annotations

import resource
from typing import Final

MEBIBYTE: Final = 1024 * 1024
MOST_MEMORY_BYTES: Final = 256 * MEBIBYTE
MOST_CPU_SECONDS: Final = 8
# The clean copy and its preview go to a file, which may not grow beyond this.
MOST_WRITTEN_BYTES: Final = 48 * MEBIBYTE
MOST_OPEN_FILES: Final = 64

MOST_PAGES: Final = 300
# A telephone takes 12 to 50 million; a page at 300 dots an inch has 9.
MOST_PIXELS: Final = 50_000_000
# A JPEG is opened at half or a quarter of its size, other pictures have to be opened whole.
MOST_PIXELS_WHOLE: Final = 16_000_000
# A4 at 270 dots an inch: every receipt stays readable.
LONGEST_SIDE: Final = 3_200
THUMBNAIL_SIDE: Final = 480


class PaperRefused(Exception):
    """The file is not taken; the text is a sentence for the person who sent it."""


def be_modest() -> None:
    """Bound this process for good: memory, processor, files written and opened; no core file.

    `setrlimit(2)`: lowering a hard limit cannot be undone, whatever the file makes us do.
    """
    for kind, most in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MOST_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
