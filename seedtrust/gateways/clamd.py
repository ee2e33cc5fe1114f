"""The virus scanner clamd, asked over a socket with INSTREAM (clamd(8), protocol)."""

from __future__ import annotations

import socket
import struct
from typing import Final
from urllib.parse import unquote, urlsplit

import structlog

from seedtrust.core.errors import Unavailable
from seedtrust.core.failpoints import reach

_CHUNK: Final = 65_536
_LONGEST_ANSWER: Final = 4_096
_SECONDS: Final = 30.0
_DEFAULT_PORT: Final = 3310
_CLEAN: Final = "stream: OK"
_FOUND: Final = " FOUND"

log = structlog.get_logger()


class Clamd:
    """Asks one clamd; any answer but a clear yes or no counts as none."""

    name = "clamd"

    def __init__(
        self, family: int, address: str | tuple[str, int], seconds: float = _SECONDS
    ) -> None:
        """Take where clamd listens and how long it may take for each step."""
        self._family = family
        self._address = address
        self._seconds = seconds

    @classmethod
    def from_url(cls, url: str, seconds: float = _SECONDS) -> Clamd:
        """Return the scanner of `tcp://host:port` or `unix:///path`. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme == "tcp" and parts.hostname and not parts.path.strip("/"):
            address = (parts.hostname, parts.port or _DEFAULT_PORT)
            return cls(socket.AF_INET, address, seconds)
        if parts.scheme == "unix" and not parts.netloc and parts.path.strip("/"):
            return cls(socket.AF_UNIX, unquote(parts.path), seconds)
        message = "must be tcp://host:port or unix:///path"
        raise ValueError(message)

    def scan(self, content: bytes) -> str | None:
        """Return the name of what was found, or None. Raises Unavailable without an answer."""
        reach("scanner.before_call")
        try:
            answer = self._ask(content)
        except OSError as error:
            log.warning("scanner.no_answer", error=str(error))
            raise _unavailable() from error
        reach("scanner.answered")
        if answer == _CLEAN:
            return None
        if answer.startswith("stream: ") and answer.endswith(_FOUND):
            found = answer.removeprefix("stream: ").removesuffix(_FOUND)
            log.warning("scanner.found", name=found)
            return found
        log.warning("scanner.strange_answer", answer=answer[:200])
        raise _unavailable()

    def _ask(self, content: bytes) -> str:
        with socket.socket(self._family, socket.SOCK_STREAM) as line:
            line.settimeout(self._seconds)
            line.connect(self._address)
            line.sendall(b"zINSTREAM\0")
            try:
                for at in range(0, len(content), _CHUNK):
                    chunk = content[at : at + _CHUNK]
                    line.sendall(struct.pack("!L", len(chunk)) + chunk)
                line.sendall(struct.pack("!L", 0))
            except (BrokenPipeError, ConnectionResetError):
                # It has said why, such as its limit of size, and hung up.
                log.warning("scanner.hung_up")
            return _answer(line)


def _answer(line: socket.socket) -> str:
    told = b""
    while b"\0" not in told and len(told) < _LONGEST_ANSWER:
        part = line.recv(_LONGEST_ANSWER)
        if not part:
            break
        told += part
    return told.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _unavailable() -> Unavailable:
    return Unavailable(
        "The virus scanner does not answer, so the file was not kept. Try again in a few minutes."
    )
