"""The same key again: the same outcome, or a refusal if the request changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.orm import Session

from seedtrust.domain.ledger import service
from seedtrust.domain.ledger.errors import PostingKeyReused
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit
from tests.domain.ledger.books_world import CLERK, DAY, NOW, World, two_legs


def test_the_same_posting_again_returns_the_first_one(world: World) -> None:
    first = world.deposit(500)
    second = world.deposit(500)
    assert (second.txn_id, second.replayed) == (first.txn_id, True)
    assert world.balance().ledger_cents == 500


def test_a_replay_in_the_same_unit_of_work_returns_the_first_one(world: World) -> None:
    posting = world.deposit_posting(500)

    def twice(session: Session) -> tuple[service.PostedTxn, service.PostedTxn]:
        return (
            service.post(session, CLERK, posting, now=NOW),
            service.post(session, CLERK, posting, now=NOW),
        )

    first, second = world.do(twice)
    assert (second.txn_id, second.replayed) == (first.txn_id, True)


def test_a_replay_of_a_spent_balance_is_still_a_replay(world: World) -> None:
    world.deposit(500)
    first = world.spend(500, "all")
    assert world.spend(500, "all") == service.PostedTxn(first.txn_id, replayed=True)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": TxnKind.RECEIPT},
        {"effective_on": date(2026, 1, 23)},
        {"memo": "other"},
        {"category": "other"},
        {"source_type": "other"},
        {"source_ref": "other"},
        {"counterparty_ref": "other"},
    ],
)
def test_a_changed_word_under_the_same_key_is_a_conflict(
    world: World, change: dict[str, object]
) -> None:
    first = world.deposit(500)
    with pytest.raises(PostingKeyReused) as refusal:
        world.post(replace(world.deposit_posting(500), **change))  # type: ignore[arg-type]
    assert refusal.value.facts["txn_id"] == first.txn_id
    assert refusal.value.code == "posting_key_reused"
    assert world.balance().ledger_cents == 500


def test_another_amount_or_account_under_the_same_key_is_a_conflict(world: World) -> None:
    world.deposit(500)
    with pytest.raises(PostingKeyReused):
        world.deposit(501)
    with pytest.raises(PostingKeyReused):
        world.post(two_legs(world.bank, world.other_case, 500, "deposit", kind=TxnKind.DEPOSIT))
    assert world.balance().ledger_cents == 500


def test_each_book_has_its_own_keys(world: World) -> None:
    world.deposit(500, key="same")
    legs = (debit(world.operating_cash, 5), credit(world.operating_cash, 5))
    done = world.post(Posting(TxnKind.INCOME, "same", DAY, legs))
    assert not done.replayed


def test_keys_may_be_long_and_of_any_script(world: World) -> None:
    first = world.deposit(500, key="ключ" * 200)
    assert world.deposit(500, key="ключ" * 200).txn_id == first.txn_id
    assert not world.deposit(500, key="ключ" * 199).replayed


def test_keys_differ_by_case(world: World) -> None:
    world.deposit(500, key="k")
    assert not world.deposit(500, key="K").replayed
