"""The harness finds the faults of designs that have some; otherwise it would prove nothing."""

from __future__ import annotations

import random

from tests.kills.naive import (
    Damage,
    ask_under_a_lease,
    damage,
    delete_then_pay,
    pay_then_delete,
)
from tests.kills.rounds import Work
from tests.kills.series import TOLD, Series, Tell
from tests.kills.workers import Fate

ROUNDS = 2


def dies_soon(dice: random.Random) -> tuple[Fate, ...]:
    return (Fate(dice.randint(1, 6)),)


def stands_still(dice: random.Random) -> tuple[Fate, ...]:
    point = dice.choice(("wire.looked_up", "wire.before_call", "unit.after_commit"))
    return (Fate(1, point, stops=True), Fate(dice.randint(1, 6)))


def played(series: Series, work: Work, fates: object = dies_soon) -> Damage:
    assert callable(fates), "fates are drawn"
    found = [damage(series.again(), seed, work, fates=fates) for seed in range(ROUNDS)]
    return Damage(
        sum(one.lost for one in found),
        sum(one.doubled for one in found),
        sum(one.deaths for one in found),
    )


def test_a_queue_that_forgets_before_it_pays_loses(
    on_sqlite: Series, record_property: Tell
) -> None:
    found = played(on_sqlite, delete_then_pay)
    record_property(TOLD, f"delete, then pay: {found}")
    assert found.lost > 0
    assert found.doubled == 0


def test_a_queue_that_pays_before_it_forgets_doubles(
    on_sqlite: Series, record_property: Tell
) -> None:
    found = played(on_sqlite, pay_then_delete)
    record_property(TOLD, f"pay, then delete: {found}")
    assert found.doubled > 0
    assert found.lost == 0


def test_a_lease_outlives_deaths_but_not_a_worker_that_stands_still(
    on_sqlite: Series, record_property: Tell
) -> None:
    dying, standing = (
        played(on_sqlite, ask_under_a_lease),
        played(on_sqlite, ask_under_a_lease, stands_still),
    )
    record_property(TOLD, f"ask under a lease: {dying}; with some that stand still: {standing}")
    assert (dying.lost, dying.doubled) == (0, 0)
    assert standing.doubled > 0
