"""Identifiers: 63-bit row ids made by the application, and the references that people read."""

from __future__ import annotations

import os
import secrets
import threading
import time
from pathlib import Path
from typing import Final

# No 0, 1, 8 and 9: they look like O, I, B and g. RFC 4648 base32, so 32 symbols.
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
REFERENCE_LENGTH: Final = 15
_EPOCH_MS: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
_NODE_BITS: Final = 10
_COUNTER_BITS: Final = 12
_COUNTER_LIMIT: Final = 1 << _COUNTER_BITS


class IdMaker:
    """Makes rising 63-bit ids: 41 bits of milliseconds, 10 of node, 12 of counter.

    The clock never goes backwards for the maker: a machine clock that does is waited out by
    counting on from the last millisecond. Ids are known before the insert, which bulk posting
    needs and MySQL cannot give.
    """

    def __init__(self, node: int) -> None:
        """Take the node number, 0 to 1023; two makers at work never share one."""
        if not 0 <= node < 1 << _NODE_BITS:
            message = "a node number lies between 0 and 1023"
            raise ValueError(message)
        self._node = node
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0

    def next(self) -> int:
        """Return the next id, greater than every id this maker gave before."""
        with self._lock:
            now_ms = time.time_ns() // 1_000_000 - _EPOCH_MS
            if now_ms > self._last_ms:
                self._last_ms, self._counter = now_ms, 0
            else:
                self._counter += 1
                if self._counter == _COUNTER_LIMIT:
                    self._last_ms, self._counter = self._last_ms + 1, 0
            return (
                self._last_ms << (_NODE_BITS + _COUNTER_BITS)
                | self._node << _COUNTER_BITS
                | self._counter
            )


class _NodeNumbers:
    """Hands each process of this machine a node number of its own, held by a file lock."""

    def __init__(self) -> None:
        self._handle: int | None = None

    def claim(self) -> int:
        """Lock the first free number; the operating system frees it when the process ends."""
        import fcntl  # noqa: PLC0415 - absent where ids are only read, never made
        import tempfile  # noqa: PLC0415 - only a process without a number needs it

        base = int(os.environ.get("SEEDTRUST_ID_MACHINE", "0")) << 6
        folder = Path(tempfile.gettempdir()) / f"seedtrust-nodes-{os.getuid()}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(64):
            handle = os.open(folder / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            self._handle = handle
            return base | number
        message = (
            "All 64 id numbers of this machine are taken. Stop some processes, or give this "
            "machine another SEEDTRUST_ID_MACHINE (0 to 15)."
        )
        raise RuntimeError(message)


_state: dict[str, IdMaker] = {}
_nodes = _NodeNumbers()
_claim_lock = threading.Lock()


def _forget_maker() -> None:
    # A forked worker must not count on with its parent's node number.
    _state.clear()


os.register_at_fork(after_in_child=_forget_maker)


def new_id() -> int:
    """Return a new row id, unique across processes and rising within one."""
    maker = _state.get("maker")
    if maker is None:
        with _claim_lock:
            maker = _state.setdefault("maker", IdMaker(_nodes.claim()))
    return maker.next()


def new_reference() -> str:
    """Return a 15-character reference, the last character a check, for anything people name."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(REFERENCE_LENGTH - 1))
    return body + _check_character(body)


def is_reference(text: str) -> bool:
    """Tell whether the text is a reference whose check character fits."""
    return (
        len(text) == REFERENCE_LENGTH
        and all(character in ALPHABET for character in text)
        and _check_character(text[:-1]) == text[-1]
    )


def _check_character(body: str) -> str:
    # Luhn in base 32: finds every single wrong character and nearly every swap of neighbours.
    total = 0
    for position, character in enumerate(reversed(body)):
        value = ALPHABET.index(character) * (2 if position % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
