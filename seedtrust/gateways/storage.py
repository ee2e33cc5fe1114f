"""Files in a local folder, written so that a crash leaves the whole file or none."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from seedtrust.core.errors import NotFound, Unavailable
from seedtrust.core.failpoints import reach

_KEY: Final = re.compile(r"[0-9a-f]{64}")


class LocalStorage:
    """Keeps bytes under their SHA-256 in folders of the hash's first two digits."""

    def __init__(self, root: Path) -> None:
        """Take the folder; it is made when the first file comes."""
        self._root = root

    @classmethod
    def from_url(cls, url: str) -> LocalStorage:
        """Return the storage that a `file://` address names. Raises ValueError for others."""
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not parts.path:
            message = f"a local storage is named file:///path, not {url!r}"
            raise ValueError(message)
        return cls(Path(unquote(parts.path)))

    def put(self, key: str, content: bytes) -> None:
        """Keep the content for good: written aside, synchronised, then renamed.

        Raises Unavailable when the disk refuses, and then nothing is kept.
        """
        place = self._place(key)
        if place.exists():
            return
        aside = place.with_name(f".{key}.{secrets.token_hex(8)}")
        reach("storage.before_write")
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(aside, content)
            reach("storage.written_aside")
            aside.replace(place)
            _synchronise(place.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise _unavailable() from error
        reach("storage.in_place")

    def get(self, key: str) -> bytes:
        """Return the content. Raises NotFound, or Unavailable when the disk refuses."""
        reach("storage.before_read")
        try:
            content = self._place(key).read_bytes()
        except FileNotFoundError:
            raise NotFound("The file is missing in the storage. Tell SeedTrust.") from None
        except OSError as error:
            raise _unavailable() from error
        reach("storage.read")
        return content

    def _place(self, key: str) -> Path:
        # Keys come from hashes; anything else could name a path outside the folder.
        if not _KEY.fullmatch(key):
            message = f"a storage key is a SHA-256 in hex, not {key!r}"
            raise ValueError(message)
        return self._root / key[:2] / key


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _synchronise(folder: Path) -> None:
    # The rename itself must survive, and it lies in the folder.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable() -> Unavailable:
    return Unavailable("Files cannot be stored or read right now. Nothing was changed; try again.")
