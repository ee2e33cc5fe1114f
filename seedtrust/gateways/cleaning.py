"""The process in which a stranger's file is opened: little memory, little time, no secrets."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Final

import structlog

from seedtrust.core.errors import Unavailable
from seedtrust.core.failpoints import reach
from seedtrust.domain.documents.content import PDF, unsafe
from seedtrust.domain.documents.ports import Cleaned

COMMAND: Final = (sys.executable, "-I", "-m", "seedtrust.formats.papers")
MOST_SECONDS: Final = 10.0
# Each may hold 256 MB; more of them at once would be a way to fill a machine.
MOST_AT_ONCE: Final = 2
_WAIT_SECONDS: Final = 20.0
# Nothing of ours: keys and addresses stand in the environment of the application.
_ENVIRONMENT: Final = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
_TOO_MUCH: Final = (
    "This file takes more memory or time than one file may have. Make it smaller, or print it to "
    "a new PDF."
)

log = structlog.get_logger()


class CleanerMissing(RuntimeError):
    """A library that opens files is not installed, which no file is to blame for."""


@dataclass(frozen=True)
class Answer:
    """What the process said: its facts, the bytes that came with them, its peak of memory."""

    facts: Mapping[str, Any]
    parts: Sequence[bytes]

    @property
    def peak_bytes(self) -> int:
        """Return the most memory that the process held."""
        return int(self.facts["peak_bytes"])


class ProcessCleaner:
    """Makes pictures and PDFs anew, each in a process of its own that ends with the file."""

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        *,
        most_seconds: float = MOST_SECONDS,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        """Take the command to run and how long it may take; tests choose others."""
        self._command = tuple(command)
        self._most_seconds = most_seconds
        self._wait_seconds = wait_seconds
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def clean(self, content: bytes, content_type: str) -> Cleaned:
        """Return the file made anew, with a small picture and the words of a PDF.

        Raises FileUnsafe with the reason, Unavailable when too many files wait already,
        CleanerMissing when a library is not installed.
        """
        answer = self.run("clean", content, content_type)
        facts = answer.facts
        made = Cleaned(
            content=answer.parts[0],
            content_type=str(facts["type"]),
            thumbnail=b"".join(answer.parts[1:2]),
            pages=facts.get("pages"),
            width=facts.get("width"),
            height=facts.get("height"),
        )
        if content_type != PDF:
            return made
        # Drawn from the clean copy: what cannot be shown within the bounds is no evidence.
        thumbnail, words = self.run("draw", made.content, PDF).parts
        return replace(made, thumbnail=thumbnail, words=words.decode())

    def run(self, act: str, content: bytes, content_type: str) -> Answer:
        """Return the answer of one process. Raises as `clean` does."""
        if not self._places.acquire(timeout=self._wait_seconds):
            raise Unavailable("Many files are being looked at right now. Try again in a minute.")
        try:
            return self._run(act, content, content_type)
        finally:
            self._places.release()

    def _run(self, act: str, content: bytes, content_type: str) -> Answer:
        asked = json.dumps({"act": act, "type": content_type}).encode()
        # Unnamed files: the process can write to one of them, so far and no further.
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
            source.write(asked + b"\n" + content)
            source.seek(0)
            reach("cleaner.before_start")
            try:
                done = subprocess.run(  # noqa: S603 - a command of ours; the file is its input
                    self._command,
                    stdin=source,
                    stdout=target,
                    stderr=subprocess.PIPE,
                    timeout=self._most_seconds,
                    env=_ENVIRONMENT,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                log.warning("document.took_too_long", act=act, type=content_type)
                raise unsafe(_TOO_MUCH) from None
            reach("cleaner.ended")
            target.seek(0)
            answer = _answer(target)
        if done.returncode or answer is None:
            raise _failed(done)
        if "refused" in answer.facts:
            raise unsafe(str(answer.facts["refused"]))
        return answer


def _answer(target: IO[bytes]) -> Answer | None:
    try:
        facts = json.loads(target.readline())
    except ValueError:
        return None
    parts = [target.read(size) for size in facts["parts"]]
    return Answer(facts, parts) if [len(part) for part in parts] == facts["parts"] else None


def _failed(done: subprocess.CompletedProcess[bytes]) -> Exception:
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
    if last.startswith(("ModuleNotFoundError", "ImportError")) and "failed to map" not in last:
        return CleanerMissing(f"{last}: install what requirements/dev.lock or setup.cfg names")
    log.warning("document.could_not_be_opened", code=done.returncode, last=last)
    return unsafe(_TOO_MUCH)
