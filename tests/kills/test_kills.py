"""Workers killed again and again: every payment reaches the bank once, and the books agree."""

from __future__ import annotations

import time

import pytest

from tests.kills.rounds import Rules
from tests.kills.series import TOLD, Series, Tell, wanted_kills

FIRST_SEED = 1


# Together a thousand.
FILE_KILLS = 600
INTERFACE_KILLS = 400
WITHOUT_KEYS = {"idempotent_payments": False}


def test_kills_lose_nothing_and_double_nothing(on_sqlite: Series, record_property: Tell) -> None:
    on_sqlite.play_until(wanted_kills(FILE_KILLS), FIRST_SEED)
    on_sqlite.play_at(on_sqlite.missed, FIRST_SEED)
    record_property(TOLD, f"files and wires: {on_sqlite.told}")
    assert not on_sqlite.missed, "a place at which nobody has died proves nothing"


def test_kills_over_the_interface_lose_nothing_and_double_nothing(
    by_interface: Series, record_property: Tell
) -> None:
    by_interface.play_until(wanted_kills(INTERFACE_KILLS), FIRST_SEED)
    by_interface.play_at(by_interface.missed, FIRST_SEED)
    record_property(TOLD, f"over the interface: {by_interface.told}")
    assert not by_interface.missed, "a place at which nobody has died proves nothing"


def test_a_bank_without_keys_is_sent_nothing_twice_however_long_a_worker_stands_still(
    by_interface: Series, record_property: Tell
) -> None:
    by_interface.rules = Rules(asleep=60, bank=WITHOUT_KEYS)
    by_interface.play_until(wanted_kills(200), FIRST_SEED)
    record_property(TOLD, f"a bank without keys: {by_interface.told}")
    assert by_interface.sleeps.total()


@pytest.mark.mariadb
def test_two_hundred_kills_on_mariadb_lose_nothing_and_double_nothing(
    on_mariadb: Series, record_property: Tell
) -> None:
    on_mariadb.play_until(wanted_kills(200), FIRST_SEED)
    record_property(TOLD, f"MariaDB: {on_mariadb.told}")
    assert on_mariadb.deaths.total()


def test_the_same_seed_kills_at_the_same_places(on_sqlite: Series) -> None:
    once, again = (on_sqlite.play(FIRST_SEED, Rules(anywhere=False)).deaths for _ in range(2))
    assert once == again


def test_workers_that_stand_still_past_their_lease_double_nothing(
    on_sqlite: Series, record_property: Tell
) -> None:
    on_sqlite.rules = Rules(asleep=50)
    on_sqlite.play_until(wanted_kills(100), FIRST_SEED)
    record_property(TOLD, f"standing still: {on_sqlite.told}")
    assert on_sqlite.sleeps.total()


@pytest.mark.night
def test_a_hundred_thousand_kills_of_the_night(on_sqlite: Series, record_property: Tell) -> None:
    # Another row of seeds each night; a failure names its own.
    on_sqlite.play_until(wanted_kills(60_000), time.time_ns() // 1_000_000)
    record_property(TOLD, f"files and wires: {on_sqlite.told}")
    assert not on_sqlite.missed


@pytest.mark.night
def test_forty_thousand_of_them_over_the_interface(
    by_interface: Series, record_property: Tell
) -> None:
    by_interface.play_until(wanted_kills(40_000), time.time_ns() // 1_000_000)
    record_property(TOLD, f"over the interface: {by_interface.told}")
    assert not by_interface.missed


@pytest.mark.night
@pytest.mark.mariadb
def test_twenty_thousand_kills_of_the_night_on_mariadb(
    on_mariadb: Series, record_property: Tell
) -> None:
    on_mariadb.play_until(wanted_kills(20_000), time.time_ns() // 1_000_000)
    record_property(TOLD, f"MariaDB: {on_mariadb.told}")
    assert on_mariadb.deaths.total()
