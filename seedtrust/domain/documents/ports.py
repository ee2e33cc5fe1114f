"""What documents need of a storage."""

from __future__ import annotations

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
