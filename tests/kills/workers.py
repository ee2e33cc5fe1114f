"""Workers that are forked, do the product's own jobs, and die where a seed says."""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from seedtrust.core.failpoints import PAYMENT_POINTS, watched
from seedtrust.ext import db

ANYWHERE: Final = "anywhere"
STOPPED: Final = "stopped"
_BROKEN: Final = 70
_POINTS: Final = tuple(sorted(PAYMENT_POINTS))


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


LIVES: Final = Fate()


@dataclass(frozen=True)
class End:
    """How a worker ended: the place where it died, or nothing if it did all that was to do."""

    died_at: str = ""


class BrokenWorker(AssertionError):
    """A worker ended by an error that no kill explains; the message has its traceback."""


class Worker:
    """One forked worker at its work."""

    def __init__(self, work: Callable[[], object], fate: Fate) -> None:
        """Fork it; the parent's connections are not the child's to use or to close."""
        told, telling = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(told)
            _live(work, fate, telling)
        os.close(telling)
        self._told = told

    def wait(self) -> End:
        """Wait until it has ended or stands still. Raises BrokenWorker."""
        _pid, status = os.waitpid(self._pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return End(STOPPED)
        with os.fdopen(self._told) as pipe:
            said = pipe.read()
        code = os.waitstatus_to_exitcode(status)
        if code not in {0, -signal.SIGKILL}:
            raise BrokenWorker(said or f"a worker ended with {code}")
        return End(said if code else "")

    def go_on(self) -> End:
        """Let one that stands still go on, and wait until it has ended. Raises BrokenWorker."""
        os.kill(self._pid, signal.SIGCONT)
        return self.wait()


def _live(work: Callable[[], object], fate: Fate, telling: int) -> None:
    code = 0
    try:
        db.engine.dispose(close=False)
        _in_its_fate(work, fate, telling)
    except BaseException:  # noqa: BLE001 - nothing of a child may return into the test
        os.write(telling, traceback.format_exc()[-60_000:].encode())
        code = _BROKEN
    finally:
        os._exit(code)


def _in_its_fate(work: Callable[[], object], fate: Fate, telling: int) -> None:
    # A count that begins at zero never comes to zero again.
    left, latest = fate.number, fate.latest

    def end(place: str) -> None:
        sys.setprofile(None)
        if fate.stops:
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        os.write(telling, place.encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def count(place: str) -> None:
        nonlocal left, latest
        left -= fate.point in {"", place}
        latest -= 1
        if 0 in {left, latest}:
            end(place)

    def count_call(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        left -= event in {"call", "c_call"}
        if left == 0:
            end(ANYWHERE)

    with watched(count):
        if fate.point == ANYWHERE:
            sys.setprofile(count_call)
        work()
    sys.setprofile(None)
