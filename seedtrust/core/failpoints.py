"""Named places at which a test may end the process; everywhere else they do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_armed: dict[str, Callable[[], None]] = {}


def reach(name: str) -> None:
    """Pass a place around a step that touches the world outside; only a test arms it."""
    action = _armed.get(name)
    if action is not None:
        action()


@contextmanager
def armed(name: str, action: Callable[[], None]) -> Iterator[None]:
    """Run `action` whenever the place is reached, for the length of a test's block."""
    _armed[name] = action
    try:
        yield
    finally:
        del _armed[name]
