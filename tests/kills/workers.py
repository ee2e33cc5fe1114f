"""Workers that are forked, do the product's own jobs, and die where a seed says."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from seedtrust.core.failpoints import LEASE_POINTS, PAYMENT_POINTS, watched
from seedtrust.ext import db

ANYWHERE: Final = "anywhere"
STOPPED: Final = "stopped"
PATIENCE_SECONDS: Final = 300.0
_BROKEN: Final = 70
_POINTS: Final = tuple(sorted(PAYMENT_POINTS))
# One who stands still in a transaction only holds up the others until it goes on.
_HOLDING: Final = frozenset({"unit.before_commit"})
_SLEEPING_PLACES: Final = tuple(sorted(PAYMENT_POINTS - _HOLDING))


@dataclass(frozen=True)
class Fate:
    """When a worker dies: at the nth place, at the nth time of one place, or at the nth call.

    A fate without a number lets the worker live. `point` is empty for any place; one that waits
    for a certain place or call dies at the `latest` of all places if that does not come. `stops`
    has it stand still there in place of dying.
    """

    number: int = 0
    point: str = ""
    latest: int = 0
    stops: bool = False

    @classmethod
    def drawn(cls, dice: random.Random, *, anywhere: bool = True) -> Fate:
        """Draw a fate: most workers die after a few places, some at a named one, some anywhere."""
        kind = dice.random()
        if kind < 0.65:
            return cls(dice.randint(1, dice.choice((4, 8, 14))))
        if kind < 0.9 or not anywhere:
            return cls(dice.randint(1, 2), dice.choice(_POINTS), dice.randint(20, 80))
        return cls(dice.randint(1, 20_000), ANYWHERE, dice.randint(10, 30))

    @classmethod
    def of_a_sleeper(cls, dice: random.Random) -> Fate:
        """Draw a place where a worker stands still for longer than every lease."""
        point = dice.choice(_SLEEPING_PLACES)
        return cls(1, point, dice.randint(4, 40), stops=True)


LIVES: Final = Fate()


@dataclass(frozen=True)
class End:
    """How a worker ended: where it died, where it stood still, or nothing if it did its work."""

    died_at: str = ""
    stood_at: str = ""

    @property
    def is_asleep(self) -> bool:
        """Tell whether the worker stands still and may go on."""
        return self.died_at == STOPPED


class BrokenWorker(AssertionError):
    """A worker ended by an error that no kill explains; the message has its traceback."""


class Worker:
    """One forked worker at its work."""

    def __init__(self, work: Callable[[], object], *fates: Fate) -> None:
        """Fork it with its fates, one after the other.

        The parent's connections are not the child's to use or to close.
        """
        told, telling = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(told)
            _live(work, fates, telling)
        os.close(telling)
        self._told = told

    def wait(self) -> End:
        """Wait until it has ended or stands still. Raises BrokenWorker."""
        status = self._status()
        if os.WIFSTOPPED(status):
            return End(STOPPED)
        with os.fdopen(self._told) as pipe:
            said = pipe.read()
        code = os.waitstatus_to_exitcode(status)
        if code not in {0, -signal.SIGKILL}:
            raise BrokenWorker(said or f"a worker ended with {code}")
        *stood_at, died_at = said.split("\n")
        return End(died_at, " ".join(stood_at))

    def _status(self) -> int:
        """Wait for the operating system's word, but not for ever: a worker may hang."""
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self._pid, os.WUNTRACED | os.WNOHANG)
            if pid:
                return status
            pause.wait(0.003)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        message = f"a worker neither ended nor stood still within {PATIENCE_SECONDS:.0f} seconds"
        raise BrokenWorker(message)

    def go_on(self) -> End:
        """Let one that stands still go on, and wait until it has ended. Raises BrokenWorker."""
        os.kill(self._pid, signal.SIGCONT)
        return self.wait()


def _live(work: Callable[[], object], fates: Sequence[Fate], telling: int) -> None:
    code = 0
    try:
        db.engine.dispose(close=False)
        _in_its_fates(work, fates, telling)
    except BaseException:  # noqa: BLE001 - nothing of a child may return into the test
        os.write(telling, traceback.format_exc()[-60_000:].encode())
        code = _BROKEN
    finally:
        os._exit(code)


class _Reaper:
    """Counts places and calls, and lets the next fate have its way."""

    def __init__(self, fates: Sequence[Fate], telling: int) -> None:
        self._fates = list(fates)
        self._telling = telling
        self._take_next()

    def count_place(self, place: str) -> None:
        # A lease is renewed in a thread of its own, at times that no seed knows.
        if place in LEASE_POINTS:
            return
        self._left -= self._fate.point in {"", place}
        self._latest -= 1
        if self._left == 0 or self._is_too_late(place):
            self._end(place)

    def count_call(self, _frame: FrameType, event: str, _argument: Any) -> None:
        self._left -= event in {"call", "c_call"}
        if self._left == 0:
            self._end(ANYWHERE)

    def _is_too_late(self, place: str) -> bool:
        if self._fate.stops:
            return self._fate.latest > 0 >= self._latest and place not in _HOLDING
        return self._latest == 0

    def _take_next(self) -> None:
        self._fate = self._fates.pop(0) if self._fates else LIVES
        # A count that begins at zero never comes to zero again.
        self._left, self._latest = self._fate.number, self._fate.latest
        sys.setprofile(self.count_call if self._fate.point == ANYWHERE else None)

    def _end(self, place: str) -> None:
        sys.setprofile(None)
        if self._fate.stops:
            os.write(self._telling, f"{place}\n".encode())
            os.kill(os.getpid(), signal.SIGSTOP)
            self._take_next()
            return
        os.write(self._telling, place.encode())
        os.kill(os.getpid(), signal.SIGKILL)


def _in_its_fates(work: Callable[[], object], fates: Sequence[Fate], telling: int) -> None:
    reaper = _Reaper(fates, telling)
    with watched(reaper.count_place):
        work()
    sys.setprofile(None)
