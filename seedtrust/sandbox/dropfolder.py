"""The drop folder of the sandbox bank: files and totals come in, acknowledgements go out."""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seedtrust.sandbox import achcheck, files, issuedchecks
from seedtrust.sandbox.achcheck import Totals
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Store

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.ach")
_TOTALS_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.totals\.json")
_CHECKS_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.checks\.csv")
_LARGEST_TOTALS: Final = 10_000


@dataclass(slots=True)
class _GivenTotals:
    path: Path
    sha256: str
    client_reference: str
    totals: Totals


@dataclass(slots=True)
class ScanResult:
    """What a look into the inbox changed."""

    files: list[str] = field(default_factory=list)
    totals: list[str] = field(default_factory=list)


class DropFolder:
    """The folders ``inbox``, ``outbox`` and ``archive``, read and written in steps that repeat.

    A file is known by its name and hash: what a kill left half done is done again without
    effect on the books.
    """

    def __init__(self, root: Path, store: Store) -> None:
        """Make the folders."""
        self.inbox, self.outbox, self.archive = (
            root / name for name in ("inbox", "outbox", "archive")
        )
        for folder in (self.inbox, self.outbox, self.archive):
            folder.mkdir(parents=True, exist_ok=True)
        self._store = store
        self._lock = threading.Lock()

    def scan(self) -> ScanResult:
        """Take in what lies in the inbox, give waiting totals to their files, write the outbox."""
        result = ScanResult()
        with self._lock:
            for path in self._matching(_FILE_NAME):
                if self._take_in(path):
                    result.files.append(path.name)
            for given in self._totals():
                if self._confirm(given):
                    result.totals.append(given.path.name)
            for path in self._matching(_CHECKS_NAME):
                self._take_checks(path)
            self._write_outbox()
        return result

    def write_outbox(self) -> None:
        """Write what the bank has for its customers and has not written yet."""
        with self._lock:
            self._write_outbox()

    def _matching(self, pattern: re.Pattern[str]) -> list[Path]:
        return sorted(
            path
            for path in self.inbox.iterdir()
            if pattern.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        )

    def _take_in(self, path: Path) -> bool:
        """Take a file in together with its totals if they are there; tell whether it was new."""
        data = path.read_bytes()
        sha256 = achcheck.sha256_of(data)
        with self._store.unit() as connection:
            is_known = files.is_known(connection, path.name, sha256)
        if not is_known:
            candidate = achcheck.read(path.name, data)
            with self._store.unit() as connection:
                files.take_in(connection, candidate)
        self._put_away(path, sha256)
        return not is_known

    def _take_checks(self, path: Path) -> None:
        """Take a positive-pay file; one that cannot be read is left for a person to see."""
        data = path.read_bytes()
        try:
            told = issuedchecks.parse(data)
            with self._store.unit() as connection:
                issuedchecks.take(connection, told)
        except BankProblem:
            return
        self._put_away(path, achcheck.sha256_of(data))

    def _totals(self) -> list[_GivenTotals]:
        given: list[_GivenTotals] = []
        for path in self._matching(_TOTALS_NAME):
            try:
                if path.stat().st_size > _LARGEST_TOTALS:
                    continue
                sha256, client_reference, totals = files.parse_totals(json.loads(path.read_bytes()))
            except (BankProblem, ValueError, RecursionError):
                # Left where it is, for a person to see: the file goes on waiting.
                continue
            given.append(_GivenTotals(path, sha256, client_reference, totals))
        return given

    def _confirm(self, given: _GivenTotals) -> bool:
        """Give totals to the file that they name by its hash; they wait if it is not there yet."""
        with self._store.unit() as connection:
            row = files.by_sha256(connection, given.sha256)
            if row is None:
                return False
            # Totals for a file that is decided, read again after a kill, change nothing.
            with suppress(BankProblem):
                files.confirm(connection, row, given.client_reference, given.sha256, given.totals)
        self._put_away(given.path, given.sha256)
        return True

    def _put_away(self, path: Path, sha256: str) -> None:
        """Move a file out of the inbox; one of the same name and content replaces its like."""
        target = self.archive / path.name
        if target.exists():
            target = self.archive / f"{sha256[:8]}-{path.name}"
        path.replace(target)

    def _write_outbox(self) -> None:
        with self._store.unit() as connection:
            rows = connection.execute(
                "SELECT name, content FROM outbox WHERE is_written = 0 ORDER BY rowid"
            ).fetchall()
        for row in rows:
            part = self.outbox / f"{row['name']}.part"
            with part.open("wb") as sink:
                sink.write(row["content"])
                sink.flush()
                os.fsync(sink.fileno())
            part.replace(self.outbox / row["name"])
            with self._store.unit() as connection:
                connection.execute(
                    "UPDATE outbox SET is_written = 1 WHERE name = ? AND content = ?",
                    (row["name"], row["content"]),
                )
