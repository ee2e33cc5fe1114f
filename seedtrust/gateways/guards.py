"""What stands before every call to a bank: our own budget of calls, and a breaker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from seedtrust.domain.payments.ports import NotSent

# A bank that asks us to slow down is obeyed, but never for longer than this.
_LONGEST_PAUSE_SECONDS: Final = 300.0

Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a bank is called, and when it is left alone for a while."""

    calls_per_second: float = 20.0
    burst: int = 100
    longest_wait_seconds: float = 2.0
    failures_until_open: int = 5
    open_seconds: float = 30.0


class RateBudget:
    """A bucket of calls that refills with time; a call waits shortly for its turn or is not made.

    One per bank and process, shared by threads.
    """

    def __init__(self, limits: Limits, *, clock: Monotonic = time.monotonic) -> None:
        """Start with a full bucket."""
        self._limits, self._clock = limits, clock
        self._lock = threading.Lock()
        self._left = float(limits.burst)
        self._filled_at = clock()
        self._paused_until = 0.0

    def take(self) -> None:
        """Take one call out of the budget, waiting for a moment if need be. Raises NotSent."""
        wait_seconds = self._reserve()
        if wait_seconds > 0:
            threading.Event().wait(wait_seconds)

    def pause(self, seconds: float) -> None:
        """Make no call for so long, because the bank has asked us to slow down."""
        with self._lock:
            until = self._clock() + min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)
            self._paused_until = max(self._paused_until, until)

    def _reserve(self) -> float:
        with self._lock:
            now, rate = self._clock(), self._limits.calls_per_second
            if now < self._paused_until:
                message = "The bank has asked us to slow down; it is called again later."
                raise NotSent(message, word="paused")
            refilled = self._left + (now - self._filled_at) * rate
            self._left, self._filled_at = min(float(self._limits.burst), refilled), now
            wait_seconds = max(0.0, (1.0 - self._left) / rate)
            if wait_seconds > self._limits.longest_wait_seconds:
                message = "Our own limit of calls to the bank is reached; it is called again later."
                raise NotSent(message, word="budget")
            self._left -= 1.0
            return wait_seconds


class CircuitBreaker:
    """Leaves a bank alone that has failed several times in a row, then lets one call try it.

    One per bank and process, shared by threads.
    """

    def __init__(self, limits: Limits, *, clock: Monotonic = time.monotonic) -> None:
        """Start closed: calls pass."""
        self._limits, self._clock = limits, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether calls are being held back now."""
        with self._lock:
            return self._open_until is not None and self._clock() < self._open_until

    def admit(self) -> None:
        """Let a call pass, or hold it back before its first byte. Raises NotSent."""
        with self._lock:
            if self._open_until is None:
                return
            now = self._clock()
            if now < self._open_until:
                message = "The bank has failed several times in a row; it is called again later."
                raise NotSent(message, word="breaker")
            # One call tries the bank; the others stay back until it is known how that went.
            self._open_until = now + self._limits.open_seconds

    def succeeded(self) -> None:
        """Note that the bank has answered."""
        with self._lock:
            self._failures, self._open_until = 0, None

    def failed(self) -> None:
        """Note that the bank did not answer, or only to say that it is broken."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._limits.failures_until_open:
                self._open_until = self._clock() + self._limits.open_seconds
