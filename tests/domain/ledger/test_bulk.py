"""Many postings at once obey the rules of one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.errors import InsufficientFunds
from seedtrust.domain.ledger import bulk, chart, service
from seedtrust.domain.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    AlreadyReversed,
    PostingKeyReused,
    PostingRefused,
)
from seedtrust.domain.ledger.models import LedgerTxn
from seedtrust.domain.ledger.service import Link, PostedTxn, Posting, Relation, credit, debit
from tests.domain.ledger.books_world import CLERK, NOW, World, counted, legs, two_legs


def post_all(world: World, postings: list[Posting]) -> list[PostedTxn]:
    return world.do(lambda session: service.post_many(session, CLERK, postings, now=NOW))


def deposits(world: World, count: int, cents: int = 100) -> list[Posting]:
    return [world.deposit_posting(cents + number, f"d{number}") for number in range(count)]


def test_every_posting_is_written_in_order(world: World) -> None:
    done = post_all(world, deposits(world, 300))
    assert len({one.txn_id for one in done}) == 300
    assert [one.txn_id for one in done] == sorted(one.txn_id for one in done)
    assert world.balance().ledger_cents == sum(range(100, 400))


def test_the_outcome_is_that_of_posting_one_by_one(world: World) -> None:
    mixed = [
        world.deposit_posting(1_000, "in"),
        legs(
            debit(world.case, 300),
            credit(world.fees, 100),
            credit(world.other_case, 200),
            key="split",
        ),
        world.spend_posting(700, "out"),
        legs(
            debit(world.case, 5),
            credit(world.case, 5),
            debit(world.bank, 1),
            credit(world.fees, 1),
            key="circle",
        ),
    ]
    post_all(world, mixed)
    assert world.balance().ledger_cents == 0
    assert world.balance(world.other_case).ledger_cents == 200
    assert world.balance(world.fees).ledger_cents == 801


def test_nothing_asked_is_nothing_done(world: World) -> None:
    assert post_all(world, []) == []


def test_statements_do_not_grow_with_postings(world: World, engine: Engine) -> None:
    with counted(engine) as few:
        post_all(world, deposits(world, 2))
    with counted(engine) as many:
        post_all(world, [world.deposit_posting(5, f"m{number}") for number in range(400)])
    assert len(many) == len(few)


def test_more_than_one_batch_goes_into_one_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_BATCH", 7)
    done = post_all(world, deposits(world, 30))
    again = post_all(world, deposits(world, 31))
    assert [one.replayed for one in again] == [True] * 30 + [False]
    assert [one.txn_id for one in again[:30]] == [one.txn_id for one in done]


def test_known_keys_are_replays(world: World) -> None:
    first = world.deposit(500, "d1")
    postings = [
        world.deposit_posting(7, "new"),
        world.deposit_posting(500, "d1"),
        world.deposit_posting(7, "new"),
    ]
    done = post_all(world, postings)
    assert done[1] == PostedTxn(first.txn_id, replayed=True)
    assert done[2] == PostedTxn(done[0].txn_id, replayed=True)
    assert [one.replayed for one in done] == [False, True, True]
    assert world.balance().ledger_cents == 507
    assert all(one.replayed for one in post_all(world, postings))


@pytest.mark.parametrize("stored", [True, False])
def test_a_changed_request_under_a_known_key_refuses_the_whole_call(
    world: World,
    stored: bool,
) -> None:
    first = world.deposit_posting(500, "d1")
    postings = [world.deposit_posting(7, "new"), world.deposit_posting(501, "d1")]
    if stored:
        world.post(first)
    else:
        postings.insert(0, first)
    before = world.balance().ledger_cents
    with pytest.raises(PostingKeyReused):
        post_all(world, postings)
    assert world.balance().ledger_cents == before


def test_the_overdraft_rule_holds_after_every_single_posting(world: World) -> None:
    world.deposit(100)
    postings = [world.spend_posting(101, "too early"), world.deposit_posting(50, "late")]
    with pytest.raises(InsufficientFunds) as refusal:
        post_all(world, postings)
    assert refusal.value.facts == {
        "account_id": world.case,
        "available_cents": 100,
        "needed_cents": 101,
    }
    assert world.balance().ledger_cents == 100
    post_all(world, postings[::-1])
    assert world.balance().ledger_cents == 49


def test_held_money_is_not_spent_in_bulk(world: World) -> None:
    world.deposit(100)
    world.reserve(60)
    with pytest.raises(InsufficientFunds):
        post_all(world, [world.spend_posting(20, "a"), world.spend_posting(21, "b")])
    post_all(world, [world.spend_posting(20, "a"), world.spend_posting(20, "b")])
    assert world.balance().available_cents == 0


def test_a_refusal_leaves_the_unit_of_work_usable(world: World) -> None:
    def work(session: Session) -> None:
        service.post(session, CLERK, world.deposit_posting(10), now=NOW)
        with pytest.raises(InsufficientFunds):
            service.post_many(
                session,
                CLERK,
                [world.deposit_posting(1, "one"), world.spend_posting(12, "all")],
                now=NOW,
            )
        service.post_many(session, CLERK, [world.spend_posting(10, "all")], now=NOW)

    world.do(work)
    assert world.balance().ledger_cents == 0


def test_unknown_closed_and_foreign_accounts_are_refused(world: World) -> None:
    with pytest.raises(AccountNotFound):
        post_all(world, [two_legs(77, world.case, 5, "first leg")])
    with pytest.raises(AccountNotFound):
        post_all(world, [two_legs(world.bank, 77, 5, "second leg")])
    with pytest.raises(PostingRefused) as refusal:
        post_all(world, [two_legs(world.bank, world.operating_cash, 5, "mixed")])
    assert refusal.value.facts["reason"] == "mixed_books"
    world.do(lambda session: chart.close_account(session, world.other_case))
    with pytest.raises(AccountClosed):
        post_all(world, [two_legs(world.bank, world.other_case, 5, "closed")])
    assert world.balance(world.bank).ledger_cents == 0


def test_both_books_may_be_in_one_call(world: World) -> None:
    own = legs(debit(world.operating_cash, 5), credit(world.operating_cash, 5), key="deposit")
    done = post_all(world, [world.deposit_posting(5), own])
    again = post_all(world, [own, world.deposit_posting(5)])
    assert [one.txn_id for one in again] == [one.txn_id for one in reversed(done)]
    assert all(one.replayed for one in again)


def test_an_unbalanced_posting_refuses_the_whole_call(world: World) -> None:
    with pytest.raises(PostingRefused):
        post_all(
            world,
            [world.deposit_posting(5), legs(debit(world.bank, 2), credit(world.case, 1))],
        )
    assert world.balance().ledger_cents == 0


def test_a_reversal_in_bulk_is_the_only_one(world: World) -> None:
    first = world.deposit(100)
    mirror = replace(
        two_legs(world.case, world.bank, 100, "mirror"),
        links=(Link(Relation.REVERSES, first.txn_id, full=True),),
    )
    post_all(world, [mirror])
    assert world.balance().ledger_cents == 0
    world.deposit(100, "more")
    with pytest.raises(AlreadyReversed):
        post_all(world, [replace(mirror, key="second")])
    assert world.balance().ledger_cents == 100


def test_words_reach_the_header_as_they_were_said(world: World) -> None:
    memo = 'it\'s 100 % \\ "quoted"; -- naïve 😀'
    done = post_all(world, [replace(world.deposit_posting(5), memo=memo, category=None)])
    row = world.do(lambda session: session.get_one(LedgerTxn, done[0].txn_id))
    assert (row.memo, row.category, row.posted_at) == (memo, None, NOW)


def test_single_and_bulk_posting_recognise_each_other(world: World) -> None:
    done = post_all(world, [world.deposit_posting(5)])
    assert world.deposit(5) == PostedTxn(done[0].txn_id, replayed=True)
    keys = world.do(lambda session: session.execute(select(LedgerTxn.idem_key)).scalars().all())
    assert len(keys) == 1


def test_an_id_that_exists_is_an_error_and_no_replay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.deposit(5)
    monkeypatch.setattr(bulk, "new_id", lambda: first.txn_id)
    with pytest.raises(IntegrityError):
        post_all(world, [world.deposit_posting(5, "other")])
    assert world.balance().ledger_cents == 5


def test_a_tie_to_nothing_is_refused_by_the_database(world: World) -> None:
    posting = replace(world.deposit_posting(5), links=(Link(Relation.REVERSES, 77, full=True),))
    with pytest.raises(IntegrityError):
        post_all(world, [posting])
    with pytest.raises(IntegrityError):
        world.post(posting)
    assert world.balance().ledger_cents == 0
