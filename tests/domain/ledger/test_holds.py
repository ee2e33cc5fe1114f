"""Holds: reserved and uncollected money, captured, released, never twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from seedtrust.core.errors import InsufficientFunds
from seedtrust.domain.ledger import chart, queries, service
from seedtrust.domain.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    HoldExceeded,
    HoldNotFound,
    PostingKeyReused,
    PostingRefused,
)
from seedtrust.domain.ledger.service import HoldKind, TxnKind
from tests.domain.ledger.books_world import CLERK, DAY, NOW, World


def test_a_hold_lowers_what_is_available_and_not_the_balance(world: World) -> None:
    world.deposit(1_000)
    world.reserve(300)
    figures = world.balance()
    assert (figures.ledger_cents, figures.reserved_cents) == (1_000, 300)
    assert (figures.uncollected_cents, figures.available_cents) == (0, 700)


def test_uncollected_money_is_shown_apart(world: World) -> None:
    world.deposit(1_000)
    world.reserve(300)
    world.do(
        lambda session: service.reserve(
            session,
            CLERK,
            world.case,
            200,
            key="uncollected",
            effective_on=DAY,
            source_type="deposit",
            source_ref="D1",
            kind=HoldKind.UNCOLLECTED,
            expires_at=NOW + timedelta(days=5),
            now=NOW,
        )
    )
    figures = world.balance()
    assert (figures.reserved_cents, figures.uncollected_cents) == (300, 200)
    assert figures.available_cents == 500


def test_more_than_is_available_cannot_be_held(world: World) -> None:
    world.deposit(1_000)
    world.reserve(700, "first")
    with pytest.raises(InsufficientFunds) as refusal:
        world.reserve(301, "second")
    assert refusal.value.facts == {
        "account_id": world.case,
        "available_cents": 300,
        "needed_cents": 301,
    }
    assert world.balance().available_cents == 300


def test_held_money_cannot_be_spent(world: World) -> None:
    world.deposit(1_000)
    world.reserve(700)
    with pytest.raises(InsufficientFunds):
        world.spend(301, "fee")
    world.spend(300, "fee")
    assert world.balance().available_cents == 0


def test_a_capture_moves_the_money_and_ends_the_hold(world: World) -> None:
    world.deposit(1_000)
    world.capture(world.reserve(700))
    figures = world.balance()
    assert (figures.ledger_cents, figures.reserved_cents) == (300, 0)
    assert figures.available_cents == 300
    assert world.balance(world.transit).ledger_cents == -700


def test_everything_held_can_be_captured_when_nothing_else_is_left(world: World) -> None:
    world.deposit(1_000)
    world.capture(world.reserve(1_000))
    assert world.balance().ledger_cents == 0


def test_a_part_is_captured_and_the_rest_stays_held(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    world.capture(hold, 200, "one")
    assert world.balance().reserved_cents == 500
    world.capture(hold, None, "two")
    assert world.balance().reserved_cents == 0
    assert world.balance().ledger_cents == 300


def test_more_than_is_left_cannot_be_captured(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    world.capture(hold, 500, "one")
    with pytest.raises(HoldExceeded) as refusal:
        world.capture(hold, 201, "two")
    assert refusal.value.facts["remaining_cents"] == 200
    assert world.balance().reserved_cents == 200


def test_a_finished_hold_has_nothing_to_capture_or_release(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    world.capture(hold)
    with pytest.raises(HoldExceeded):
        world.capture(hold, key="again")
    with pytest.raises(HoldExceeded):
        world.release(hold)
    assert world.balance().ledger_cents == 300


def test_a_release_gives_the_money_back(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    world.release(hold, 200, "part")
    assert world.balance().available_cents == 500
    world.release(hold)
    assert world.balance().available_cents == 1_000


def test_amounts_of_parts_are_checked(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    with pytest.raises(PostingRefused):
        world.capture(hold, 0)
    with pytest.raises(PostingRefused):
        world.release(hold, -1)


def test_each_verb_can_be_repeated_under_its_key(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    assert world.reserve(700) == hold
    part = world.capture(hold, 100, "part")
    assert world.capture(hold, 100, "part") == service.PostedTxn(part.txn_id, replayed=True)
    rest = world.capture(hold, None, "rest")
    assert world.capture(hold, None, "rest") == service.PostedTxn(rest.txn_id, replayed=True)
    assert world.capture(hold, 100, "part").replayed
    assert world.balance().ledger_cents == 300
    second = world.reserve(300, "second")
    freed = world.release(second)
    assert world.release(second) == service.PostedTxn(freed.txn_id, replayed=True)
    assert world.balance().available_cents == 300


def test_a_changed_request_under_the_same_key_is_a_conflict(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    with pytest.raises(PostingKeyReused):
        world.reserve(600)
    world.capture(hold, 100, "part")
    with pytest.raises(PostingKeyReused):
        world.capture(hold, 101, "part")
    with pytest.raises(PostingKeyReused):
        world.capture(hold, 601, "part")
    with pytest.raises(PostingKeyReused):
        world.release(hold, 100, "part")
    assert world.balance().reserved_cents == 600


def test_an_unknown_hold_is_named(world: World) -> None:
    with pytest.raises(HoldNotFound):
        world.capture(77)
    with pytest.raises(HoldNotFound):
        world.release(77)


def test_only_the_trust_book_holds_money(world: World) -> None:
    def work(session: Session, account_id: int) -> int:
        return service.reserve(
            session,
            CLERK,
            account_id,
            5,
            key="k",
            effective_on=DAY,
            source_type="",
            source_ref="",
            now=NOW,
        )

    for _ in range(2):
        with pytest.raises(AccountNotFound, match="only be held in the trust book"):
            world.do(lambda session: work(session, world.operating_cash))
        with pytest.raises(AccountNotFound, match="no account with this id"):
            world.do(lambda session: work(session, 77))
        # From here on the connection remembers what stands against held money.
        world.deposit(5)
        world.reserve(5)


def test_a_hold_asks_again_when_its_connection_remembers_another_account(world: World) -> None:
    world.deposit(1_000)
    world.do(lambda session: session.connection().info.update({"ledger.commitments": 77}))
    world.reserve(300)
    assert world.balance().reserved_cents == 300


def test_a_refused_capture_leaves_the_hold_as_it_was(world: World) -> None:
    world.deposit(1_000)
    hold = world.reserve(700)
    world.do(lambda session: chart.close_account(session, world.transit))
    with pytest.raises(AccountClosed):
        world.capture(hold)
    assert world.balance().reserved_cents == 700


def test_a_bounced_deposit_takes_its_uncollected_money(world: World) -> None:
    world.deposit(1_000)

    def bounce(session: Session) -> None:
        hold = service.reserve(
            session,
            CLERK,
            world.case,
            1_000,
            key="uncollected",
            effective_on=DAY,
            source_type="deposit",
            source_ref="D1",
            kind=HoldKind.UNCOLLECTED,
            now=NOW,
        )
        service.capture(
            session,
            CLERK,
            hold,
            key="bounced",
            effective_on=DAY,
            credit_account_id=world.bank,
            kind=TxnKind.RETURN,
            now=NOW,
        )

    world.do(bounce)
    assert world.balance().ledger_cents == 0
    assert world.balance(world.bank).ledger_cents == 0


def test_holds_that_have_run_out_are_listed(world: World) -> None:
    world.deposit(1_000)

    def reserve(session: Session, key: str, days: int | None) -> int:
        return service.reserve(
            session,
            CLERK,
            world.case,
            100,
            key=key,
            effective_on=DAY,
            source_type="deposit",
            source_ref=key,
            kind=HoldKind.UNCOLLECTED,
            expires_at=None if days is None else NOW + timedelta(days=days),
            now=NOW,
        )

    due = world.do(lambda session: reserve(session, "due", 5))
    world.do(lambda session: reserve(session, "later", 6))
    world.do(lambda session: reserve(session, "never", None))
    done = world.do(lambda session: reserve(session, "done", 5))
    world.release(done)
    found = world.do(lambda session: queries.expired_holds(session, NOW + timedelta(days=5)))
    assert [(hold.hold_id, hold.source_ref) for hold in found] == [(due, "due")]
    assert found[0].remaining_cents == 100
