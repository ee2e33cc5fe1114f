"""The way in: a file is looked at, scanned, made anew and kept, before any row speaks of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from seedtrust.domain.documents.content import CLEANED_OUTSIDE, checked
from seedtrust.domain.documents.errors import FileInfected
from seedtrust.domain.documents.ports import Cleaner, Scanner, Storage


@dataclass(frozen=True)
class Paper:
    """A file that may be kept: its clean bytes, and what is known of it.

    `received_sha256` and `received_bytes` are those of the file as it was sent, which is not kept.
    """

    content: bytes = field(repr=False)
    content_type: str
    received_sha256: str
    received_bytes: int
    thumbnail: bytes = field(default=b"", repr=False)
    words: str = field(default="", repr=False)
    pages: int | None = None
    width: int | None = None
    height: int | None = None
    scanned_by: str = ""

    @property
    def sha256(self) -> str:
        """Return the hash of the clean bytes, under which they are kept."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def thumbnail_sha256(self) -> str | None:
        """Return the hash of the small picture, or None without one."""
        return hashlib.sha256(self.thumbnail).hexdigest() if self.thumbnail else None


def looked_at(content: bytes, content_type: str) -> Paper:
    """Return a file of our own making, or of a test, as it is; its type is told by its content.

    Raises FileEmpty, FileTooLarge, FileTypeRefused, FileUnsafe.
    """
    found, kept = checked(content, content_type)
    return Paper(kept, found, hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Intake:
    """What every file of a stranger passes; without a scanner its documents say so."""

    storage: Storage
    cleaner: Cleaner
    scanner: Scanner | None = None

    def take(self, content: bytes, content_type: str) -> Paper:
        """Return the file as it may be kept; nothing is stored and nothing is written yet.

        Raises FileEmpty, FileTooLarge, FileTypeRefused, FileUnsafe, FileInfected; Unavailable
        when scanner or cleaner give no answer.
        """
        paper = looked_at(content, content_type)
        if self.scanner is not None:
            found = self.scanner.scan(content)
            if found is not None:
                raise FileInfected(
                    "The virus scanner found something in this file, so it was not kept. "
                    "Check the device that it comes from, and send a clean copy.",
                    errors={"file": ["The virus scanner found something in this file."]},
                )
            paper = replace(paper, scanned_by=self.scanner.name)
        if paper.content_type not in CLEANED_OUTSIDE:
            return paper
        made = self.cleaner.clean(content, paper.content_type)
        return replace(
            paper,
            content=made.content,
            content_type=made.content_type,
            thumbnail=made.thumbnail,
            words=made.words,
            pages=made.pages,
            width=made.width,
            height=made.height,
        )

    def keep(self, paper: Paper) -> None:
        """Store the clean bytes and the small picture, each under its hash.

        Called before the row is written: bytes without a row harm nobody, a row without bytes
        does. Raises Unavailable when the storage refuses.
        """
        self.storage.put(paper.sha256, paper.content)
        if paper.thumbnail_sha256 is not None:
            self.storage.put(paper.thumbnail_sha256, paper.thumbnail)
