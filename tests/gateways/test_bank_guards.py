"""Our own budget of calls and the breaker, on a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from seedtrust.domain.payments.ports import NotSent
from seedtrust.gateways.guards import CircuitBreaker, Limits, RateBudget

LIMITS = Limits(
    calls_per_second=2.0,
    burst=2,
    longest_wait_seconds=0.0,
    failures_until_open=2,
    open_seconds=30.0,
)


@dataclass
class Time:
    """A clock that stands."""

    seconds: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def test_the_budget_refills_with_time() -> None:
    time = Time()
    budget = RateBudget(LIMITS, clock=time)
    budget.take()
    budget.take()
    with pytest.raises(NotSent):
        budget.take()
    time.seconds += 0.5
    budget.take()
    with pytest.raises(NotSent):
        budget.take()


def test_a_pause_ends_and_is_never_longer_than_five_minutes() -> None:
    time = Time()
    budget = RateBudget(LIMITS, clock=time)
    budget.pause(1e9)
    time.seconds += 299
    with pytest.raises(NotSent):
        budget.take()
    time.seconds += 1
    budget.take()


def test_the_breaker_lets_one_call_try_the_bank_and_closes_on_an_answer() -> None:
    time = Time()
    breaker = CircuitBreaker(LIMITS, clock=time)
    breaker.failed()
    breaker.admit()
    breaker.failed()
    assert breaker.is_open
    with pytest.raises(NotSent):
        breaker.admit()
    time.seconds += 30
    breaker.admit()
    with pytest.raises(NotSent):
        breaker.admit()
    breaker.succeeded()
    breaker.admit()
    assert not breaker.is_open


def test_a_call_that_tries_the_bank_in_vain_opens_the_breaker_anew() -> None:
    time = Time()
    breaker = CircuitBreaker(LIMITS, clock=time)
    breaker.failed()
    breaker.failed()
    time.seconds += 30
    breaker.admit()
    breaker.failed()
    time.seconds += 29
    with pytest.raises(NotSent):
        breaker.admit()


def test_one_answer_among_failures_counts_from_the_beginning() -> None:
    breaker = CircuitBreaker(LIMITS, clock=Time())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    breaker.admit()
    assert not breaker.is_open
