"""What the list of cases says about the money of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from seedtrust.domain.cases.states import Stage
from seedtrust.domain.desk.cases import CaseLine
from seedtrust.domain.ledger.queries import Balance

LINE = CaseLine(
    reference="CASE",
    number=300_100,
    name="Abel_Castell",
    kind_label="Surrogacy",
    stage=Stage.PREGNANT,
    stage_label="Pregnant",
    since_on=date(2026, 3, 2),
    agency="Cedar Bridge",
    opened_on=date(2025, 12, 1),
    balance=Balance(0, 0, 0, 0),
    minimum_cents=500_000,
)


@pytest.mark.parametrize(
    "stage, short",
    [
        (Stage.PREGNANT, True),
        (Stage.ON_HOLD, True),
        (Stage.FINAL_ACCOUNTING, False),
        (Stage.CLOSED, False),
        (Stage.CANCELLED, False),
    ],
)
def test_a_minimum_counts_while_the_case_goes_on(stage: Stage, *, short: bool) -> None:
    assert replace(LINE, stage=stage).is_short is short
