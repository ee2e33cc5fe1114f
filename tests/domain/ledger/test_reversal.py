"""A reversal is the exact mirror, and there is one at most."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seedtrust.core.errors import InsufficientFunds
from seedtrust.domain.ledger.errors import AlreadyReversed, PostingRefused, TransactionNotFound
from seedtrust.domain.ledger.service import Link, Relation
from tests.domain.ledger.books_world import World


def test_a_reversal_undoes_every_leg(world: World) -> None:
    first = world.deposit(500)
    world.reverse(first.txn_id)
    assert world.balance().ledger_cents == 0
    assert world.balance(world.bank).ledger_cents == 0


def test_a_second_reversal_is_refused(world: World) -> None:
    first = world.deposit(500)
    world.deposit(500, "more")
    world.reverse(first.txn_id)
    with pytest.raises(AlreadyReversed):
        world.reverse(first.txn_id, "again")
    assert world.balance().ledger_cents == 500


def test_a_second_reversal_by_a_plain_posting_is_refused(world: World) -> None:
    first = world.deposit(500)
    world.deposit(500, "more")
    world.reverse(first.txn_id)
    posting = replace(
        world.spend_posting(100, "by hand"),
        links=(Link(Relation.REVERSES, first.txn_id, full=True),),
    )
    with pytest.raises(AlreadyReversed):
        world.post(posting)
    assert world.balance().ledger_cents == 500


def test_a_reversal_can_be_repeated_under_its_key(world: World) -> None:
    first = world.deposit(500)
    reversal = world.reverse(first.txn_id)
    again = world.reverse(first.txn_id)
    assert (again.txn_id, again.replayed) == (reversal.txn_id, True)


def test_a_reversal_can_itself_be_reversed(world: World) -> None:
    first = world.deposit(500)
    reversal = world.reverse(first.txn_id)
    world.reverse(reversal.txn_id, "back again")
    assert world.balance().ledger_cents == 500


def test_a_reversal_obeys_the_overdraft_rule(world: World) -> None:
    first = world.deposit(500)
    world.spend(1, "fee")
    with pytest.raises(InsufficientFunds):
        world.reverse(first.txn_id)
    assert world.balance().ledger_cents == 499


def test_reversing_a_capture_gives_the_money_back_to_the_balance(world: World) -> None:
    world.deposit(500)
    sent = world.capture(world.reserve(300))
    world.reverse(sent.txn_id)
    figures = world.balance()
    assert (figures.ledger_cents, figures.reserved_cents) == (500, 0)
    assert world.balance(world.transit).ledger_cents == 0


def test_what_moved_no_money_is_not_reversed(world: World) -> None:
    world.deposit(500)
    hold = world.reserve(300)
    with pytest.raises(PostingRefused) as refusal:
        world.reverse(hold)
    assert refusal.value.facts["reason"] == "nothing_posted"
    assert world.balance().reserved_cents == 300


def test_an_unknown_transaction_is_named(world: World) -> None:
    with pytest.raises(TransactionNotFound) as refusal:
        world.reverse(77)
    assert refusal.value.facts["txn_id"] == 77
