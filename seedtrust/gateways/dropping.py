"""Putting a file into a shared folder: one sender at a time, whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InOtherHands(Exception):
    """Another sender has this file in hand, or has just let go of it."""


def part_of(path: Path) -> Path:
    """Return the name under which a file lies in the folder until it is whole."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def alone(path: Path) -> Iterator[Path]:
    """Give a file's half, made if need be, and keep other senders of this machine away from it.

    The lock is the half's own and goes where it is renamed to, so that a sender that stands still
    holds up this one file, and a dead one nothing. Raises InOtherHands at once, or OSError.
    """
    part = part_of(path)
    part.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(part, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        if not is_locked(handle, part):
            raise InOtherHands(path.name)
        yield part
    finally:
        os.close(handle)


def is_locked(handle: int, part: Path) -> bool:
    """Lock an open half without waiting; False if it is another's, or was moved on meanwhile."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), part.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def write_safely(part: Path, content: bytes) -> None:
    """Write a half whole and have the disk keep it. Raises OSError."""
    with part.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())


def sync_folder(folder: Path) -> None:
    """Have the disk keep what was renamed in a folder. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
