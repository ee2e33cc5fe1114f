"""Rounds one after the other until enough workers have died, each proved when it ends."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from seedtrust.core.failpoints import FILE_POINTS, PAYMENT_POINTS, WIRE_POINTS
from tests.kills.proof import faults, faults_without_keys
from tests.kills.rounds import BY_DEFAULT, Round, Rules, play
from tests.kills.workers import Fate
from tests.kills.world import Place

# Set to repeat one round, or to have more of them.
SEED: Final = "SEEDTRUST_KILLS_SEED"
KILLS: Final = "SEEDTRUST_KILLS"
# What tests/conftest.py prints below the run.
TOLD: Final = "told"
Tell = Callable[[str, object], None]
_TRIES: Final = 10
# Where a payment may die over the bank's interface, and where in a file or by wire: there the
# bank's events mostly answer before anybody asks.
INTERFACE_POINTS: Final = PAYMENT_POINTS - FILE_POINTS
_ASKED: Final = {"bank.before_call", "bank.after_call", "wire.before_lookup", "wire.looked_up"}
FILE_DROP_POINTS: Final = PAYMENT_POINTS - _ASKED


@dataclass
class Series:
    """A row of rounds on one place that is put back before each."""

    again: Callable[[], Place]
    rules: Rules = BY_DEFAULT
    points: frozenset[str] = FILE_DROP_POINTS
    deaths: Counter[str] = field(default_factory=Counter)
    sleeps: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    def play_until(self, kills: int, first_seed: int) -> None:
        """Play rounds with rising seeds until so many workers have died.

        SEEDTRUST_KILLS_SEED plays one round alone. Fails with the line that repeats a round at
        whose end anything is wrong.
        """
        alone = os.environ.get(SEED)
        if alone:
            self.play(int(alone))
            return
        seed = first_seed
        while self.deaths.total() < kills:
            self.play(seed)
            seed += 1

    def play_at(self, points: Iterable[str], seed: int) -> None:
        """Play rounds for places that no seed has hit, with a death at each of them."""
        for point in sorted(points):
            # Some places are only reached after another worker's death half-way.
            half_way = [Fate(1, "wire.after_call")] if point in WIRE_POINTS else []
            first = [*half_way, Fate(1, point)] * 4
            for offset in range(_TRIES):
                if point not in self.deaths:
                    self.play(seed + offset, replace(self.rules, first=tuple(first)))

    def play(self, seed: int, rules: Rules | None = None) -> Round:
        """Play one round and prove it. Fails with the line that repeats it."""
        place = self.again()
        try:
            found = play(place, seed, rules or self.rules)
        except AssertionError as broken:
            pytest.fail(f"{broken}\n{_repeat(seed)}")
        keyed = not self.rules.leaves_to_people
        wrong = faults(place) if keyed else faults_without_keys(place)
        assert not wrong, "\n".join([*wrong, "Deaths: " + " ".join(found.deaths), _repeat(seed)])
        self.deaths += found.at
        self.sleeps += Counter(found.sleeps)
        self.rounds += 1
        return found

    @property
    def missed(self) -> frozenset[str]:
        """Return the places of payments at which nobody has died yet."""
        return self.points - self.deaths.keys()

    @property
    def told(self) -> str:
        """Return how many died and where, in a line."""
        told = f"{self.deaths.total()} kills in {self.rounds} rounds: {_listed(self.deaths)}"
        if self.sleeps:
            told += f"; {self.sleeps.total()} stood still: {_listed(self.sleeps)}"
        return told


def wanted_kills(by_default: int) -> int:
    """Return how many kills a run is asked for."""
    return int(os.environ.get(KILLS, by_default))


def _listed(places: Counter[str]) -> str:
    return ", ".join(f"{place} {number}" for place, number in sorted(places.items()))


def _repeat(seed: int) -> str:
    return f"Repeat with: {SEED}={seed} scripts/run_tests.sh tests/kills -k kills"
