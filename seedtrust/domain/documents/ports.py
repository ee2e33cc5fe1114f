"""What documents need of the outside: a storage, somebody who cleans, somebody who scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Storage(Protocol):
    """Keeps bytes under the SHA-256 of the bytes; the same content is kept once.

    Both calls raise Unavailable when the storage cannot be reached.
    """

    def put(self, key: str, content: bytes) -> None:
        """Keep the content for good; returning means that it survives a crash."""
        ...

    def get(self, key: str) -> bytes:
        """Return the content. Raises NotFound if there is none under the key."""
        ...


@dataclass(frozen=True)
class Cleaned:
    """A picture or a PDF made anew: its bytes and type, a small picture of it, what it says.

    Sizes are dots of the picture as kept; pages those of a PDF.
    """

    content: bytes
    content_type: str
    thumbnail: bytes = b""
    words: str = ""
    pages: int | None = None
    width: int | None = None
    height: int | None = None


class Cleaner(Protocol):
    """Makes pictures and PDFs anew, within bounds of memory and time."""

    def clean(self, content: bytes, content_type: str) -> Cleaned:
        """Return the file made anew.

        Raises FileUnsafe when it cannot be, Unavailable when too many files wait already.
        """
        ...


class Scanner(Protocol):
    """Looks for known malicious software."""

    @property
    def name(self) -> str:
        """Return the name that a scanned document carries, in lower case."""
        ...

    def scan(self, content: bytes) -> str | None:
        """Return the name of what was found, or None for a clean file.

        Raises Unavailable when no answer comes: a file that nobody looked at is not kept.
        """
        ...
