"""The same egg donation over the other rail: every payment by the bank's interface, one ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payments.models import BankFile, PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import CaseRail
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.journeys.player import EQUAL
from tests.journeys.test_case_b import UNTIL
from tests.support import books
from tests.support.shipped_play import Played, play_shipped


@pytest.fixture(scope="module")
def by_interface(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """Play the journey with the rail changed and nothing else."""
    folder = tmp_path_factory.mktemp("journey")
    with play_shipped("case-b", UNTIL, sqlite_template, folder, rail=CaseRail.HUNTINGTON) as found:
        yield found


def test_the_ledger_is_the_same_to_the_last_cell(by_interface: Played) -> None:
    with by_interface.app.app_context():
        outcome = by_interface.player.outcome(
            by_interface.journey, by_interface.folder / "ledger.csv"
        )
    assert outcome.result == EQUAL
    assert books.faults(by_interface.url) == []


def test_every_payment_went_singly_and_settled(by_interface: Played) -> None:
    rows = by_interface.read(
        lambda s: Counter(
            (row.rail, row.state) for row in s.execute(select(PaymentInstruction)).scalars()
        )
    )
    assert rows == {("ach", "SETTLED"): 13, ("wire", "SETTLED"): 1}
    assert by_interface.read(lambda s: s.execute(select(BankFile.id)).all()) == []


def test_bank_book_and_cases_agree_at_the_end(by_interface: Played) -> None:
    accounts = by_interface.read(lambda s: s.execute(select(TrustAccount.id)).scalars().all())
    for account in accounts:
        day = by_interface.read(lambda s, chosen=account: three_way(s, chosen, UNTIL))
        assert day.difference_cents == 0


def test_every_payment_stands_on_a_statement_and_nothing_waits_for_a_person(
    by_interface: Played,
) -> None:
    statuses = by_interface.read(
        lambda s: set(s.execute(select(PaymentInstruction.reconciliation_status)).scalars())
    )
    assert statuses == {"matched"}
    items = by_interface.read(
        lambda s: [(i.kind, i.sentence) for i in s.execute(select(ExceptionItem)).scalars()]
    )
    assert items == []
