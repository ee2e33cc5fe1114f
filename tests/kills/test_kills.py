"""Workers killed again and again: every payment reaches the bank once, and the books agree."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.kills.series import TOLD, Series, wanted_kills

FIRST_SEED = 1
Tell = Callable[[str, object], None]


def test_a_thousand_kills_on_sqlite_lose_nothing_and_double_nothing(
    on_sqlite: Series, record_property: Tell
) -> None:
    on_sqlite.play_until(wanted_kills(1_000), FIRST_SEED)
    on_sqlite.play_at(on_sqlite.missed, FIRST_SEED)
    record_property(TOLD, f"SQLite: {on_sqlite.told}")
    assert not on_sqlite.missed, "a place at which nobody has died proves nothing"


@pytest.mark.mariadb
def test_two_hundred_kills_on_mariadb_lose_nothing_and_double_nothing(
    on_mariadb: Series, record_property: Tell
) -> None:
    on_mariadb.play_until(wanted_kills(200), FIRST_SEED)
    record_property(TOLD, f"MariaDB: {on_mariadb.told}")
    assert on_mariadb.deaths.total()


def test_the_same_seed_kills_at_the_same_places(on_sqlite: Series) -> None:
    once, again = (on_sqlite.play(FIRST_SEED, anywhere=False).deaths for _ in range(2))
    assert once == again


@pytest.mark.night
def test_a_hundred_thousand_kills_of_the_night(on_sqlite: Series, record_property: Tell) -> None:
    # Another row of seeds each night; a failure names its own.
    on_sqlite.play_until(wanted_kills(100_000), time.time_ns() // 1_000_000)
    record_property(TOLD, f"SQLite: {on_sqlite.told}")
    assert not on_sqlite.missed


@pytest.mark.night
@pytest.mark.mariadb
def test_twenty_thousand_kills_of_the_night_on_mariadb(
    on_mariadb: Series, record_property: Tell
) -> None:
    on_mariadb.play_until(wanted_kills(20_000), time.time_ns() // 1_000_000)
    record_property(TOLD, f"MariaDB: {on_mariadb.told}")
    assert on_mariadb.deaths.total()
