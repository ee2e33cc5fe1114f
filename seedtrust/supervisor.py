"""One parent for several processes: restarts what dies, and stops all of them on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from seedtrust.core import lifeline

_GRACE_SECONDS: Final = 8.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 15.0
# A process that lived this long was well; its next death counts as the first.
_WELL_AFTER_SECONDS: Final = 60.0


@dataclass
class Child:
    """One process to keep alive; one that ends by itself with success is not started again."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ends_by_itself: bool = False


class _Running:
    """A child with its process, its log, and how often it has died lately."""

    def __init__(self, child: Child, log_dir: Path, lifeline_fd: int) -> None:
        self.child = child
        self._log_path = log_dir / f"{child.name}.log"
        self._lifeline_fd = lifeline_fd
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self.started = 0.0
        self.next_start = 0.0

    def start(self) -> None:
        """Start the process in a group of its own, its output in its log."""
        ours = {lifeline.VARIABLE: str(self._lifeline_fd)}
        with self._log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                self.child.command,
                env={**os.environ, **self.child.environment, **ours},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(self._lifeline_fd,),
            )

    def watch(self, now: float) -> None:
        """Start the process when it is due; note when it has died."""
        if self.process is None:
            if now >= self.next_start:
                self.started = now
                self.start()
            return
        code = self.process.poll()
        if code is None or (code == 0 and self.child.ends_by_itself):
            return
        self.signal(signal.SIGKILL)  # what it has started goes with it, so that a port is free
        self.deaths = 1 if now - self.started > _WELL_AFTER_SECONDS else self.deaths + 1
        pause = min(_FIRST_PAUSE_SECONDS * 2**self.deaths, _LONGEST_PAUSE_SECONDS)
        self.process, self.next_start = None, now + pause

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, dead or alive, and to everything that it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def wait(self, seconds: float) -> bool:
        """Wait for the end; True when the process is gone."""
        if self.process is None:
            return True
        try:
            self.process.wait(timeout=max(seconds, 0.01))
        except subprocess.TimeoutExpired:
            return False
        return True


class Supervisor:
    """Runs children until the block ends, a signal comes, or Ctrl-C is pressed."""

    def __init__(self, children: Sequence[Child], log_dir: Path) -> None:
        """Take the children and the folder of their logs."""
        log_dir.mkdir(parents=True, exist_ok=True)
        # Only this process holds the writing end: it closes however the supervisor ends.
        self._lifeline = os.pipe()
        self._running = [_Running(child, log_dir, self._lifeline[0]) for child in children]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)

    @property
    def is_running(self) -> bool:
        """Tell whether nobody has asked to stop."""
        return not self._stopped.is_set()

    def __enter__(self) -> Self:
        """Start the children and listen for signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop every child, kindly first."""
        self._stopped.set()
        self._thread.join()
        for running in self._running:
            running.signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        for running in self._running:
            running.wait(deadline - time.monotonic())
            running.signal(signal.SIGKILL)
            running.wait(_GRACE_SECONDS)
        for descriptor in self._lifeline:
            os.close(descriptor)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopped.set()

    def _keep_alive(self) -> None:
        while not self._stopped.wait(0.2):
            now = time.monotonic()
            for running in self._running:
                running.watch(now)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until somebody asks to stop."""
        self._stopped.wait(seconds)

    def wait_until(self, is_true: Callable[[], bool], *, seconds: float) -> bool:
        """Wait for a condition; False when time runs out or somebody asks to stop."""
        deadline = time.monotonic() + seconds
        while self.is_running and time.monotonic() < deadline:
            if is_true():
                return True
            self.pause(0.2)
        return False

    def wait_for(self, url: str, *, seconds: float) -> bool:
        """Wait until an address of this machine answers."""

        def answers() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own
                    return bool(answer.status == 200)  # noqa: PLR2004 - HTTP OK
            except (urllib.error.URLError, OSError):
                return False

        return self.wait_until(answers, seconds=seconds)
