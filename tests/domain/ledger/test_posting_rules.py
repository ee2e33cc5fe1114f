"""What a posting must be, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.errors import InsufficientFunds
from seedtrust.core.permissions import Actor, ActorKind
from seedtrust.domain.ledger import chart, journal, service
from seedtrust.domain.ledger.errors import (
    AccountClosed,
    AccountNotEmpty,
    AccountNotFound,
    PostingRefused,
)
from seedtrust.domain.ledger.models import LedgerEntry, LedgerTxn
from seedtrust.domain.ledger.service import Layer, Link, Posting, Relation, TxnKind, credit, debit
from tests.domain.ledger.books_world import CLERK, DAY, NOW, World, legs, two_legs


def test_a_deposit_raises_the_case_and_the_bank(world: World) -> None:
    done = world.deposit(2_850_000)
    assert not done.replayed
    assert world.balance().ledger_cents == 2_850_000
    assert world.balance(world.bank).ledger_cents == 2_850_000


def test_the_header_keeps_what_was_said(world: World) -> None:
    person = Actor(ActorKind.STAFF, 42, "Ada Clerk")
    posting = Posting(
        TxnKind.DEPOSIT,
        "k",
        DAY,
        (debit(world.bank, 100), credit(world.case, 100)),
        memo="Wire in – naïve",
        category="funding",
        source_type="deposit",
        source_ref="D1",
        counterparty_ref="IP1",
    )
    done = world.do(lambda session: service.post(session, person, posting, now=NOW))
    row = world.do(lambda session: session.get_one(LedgerTxn, done.txn_id))
    assert (row.kind, row.category, row.memo) == ("DEPOSIT", "funding", "Wire in – naïve")
    assert (row.source_type, row.source_ref, row.counterparty_ref) == ("deposit", "D1", "IP1")
    assert (row.effective_on, row.posted_at) == (DAY, NOW)
    assert (row.actor_id, row.actor_name) == (42, "Ada Clerk")


def test_entries_are_numbered_per_account_and_keep_the_balance_after_each_leg(
    world: World,
) -> None:
    world.deposit(1_000)
    world.post(
        legs(
            debit(world.case, 300),
            credit(world.case, 100),
            debit(world.case, 50),
            credit(world.fees, 250),
        )
    )
    entries = world.do(
        lambda session: session.execute(
            select(LedgerEntry.seq, LedgerEntry.posted_after_cents, LedgerEntry.leg)
            .where(LedgerEntry.account_id == world.case)
            .order_by(LedgerEntry.seq)
        ).all()
    )
    assert [tuple(entry) for entry in entries] == [
        (1, 1_000, 1),
        (2, 700, 0),
        (3, 800, 1),
        (4, 750, 2),
    ]


def test_many_legs_of_one_transaction_land_where_they_belong(world: World) -> None:
    world.post(legs(debit(world.bank, 900), credit(world.case, 500), credit(world.other_case, 400)))
    assert world.balance().ledger_cents == 500
    assert world.balance(world.other_case).ledger_cents == 400


def test_debits_and_credits_must_be_equal(world: World) -> None:
    with pytest.raises(PostingRefused) as refusal:
        world.post(legs(debit(world.bank, 100), credit(world.case, 99)))
    assert refusal.value.facts["reason"] == "unbalanced"


def test_one_leg_is_no_posting(world: World) -> None:
    with pytest.raises(PostingRefused) as refusal:
        world.post(legs(debit(world.bank, 100)))
    assert refusal.value.facts["reason"] == "too_few_legs"


@pytest.mark.parametrize("amount", [0, -5, 1.5, True, "100", 10**15, None])
def test_amounts_are_whole_cents_above_zero_and_below_the_limit(
    world: World, amount: object
) -> None:
    with pytest.raises(PostingRefused) as refusal:
        world.post(legs(debit(world.bank, amount), credit(world.case, amount)))  # type: ignore[arg-type]
    assert refusal.value.facts["reason"] == "bad_amount"


def test_the_largest_amount_goes_through(world: World) -> None:
    world.deposit(10**15 - 1)
    assert world.balance().available_cents == 10**15 - 1


def test_two_books_never_share_a_transaction(world: World) -> None:
    with pytest.raises(PostingRefused) as refusal:
        world.post(two_legs(world.operating_cash, world.case, 100, "mixed"))
    assert refusal.value.facts["reason"] == "mixed_books"
    assert world.balance().ledger_cents == 0
    assert world.balance(world.operating_cash).ledger_cents == 0


def test_pending_money_needs_a_hold(world: World) -> None:
    world.deposit(1_000)
    with pytest.raises(PostingRefused) as refusal:
        world.post(
            legs(
                debit(world.case, 100, Layer.PENDING),
                credit(world.commitments, 100, Layer.PENDING),
            )
        )
    assert refusal.value.facts["reason"] == "pending_without_hold"


def test_an_unknown_kind_is_refused(world: World) -> None:
    with pytest.raises(PostingRefused) as refusal:
        world.post(two_legs(world.bank, world.case, 100, "kind", kind="GIFT"))
    assert refusal.value.facts["reason"] == "unknown_kind"


def test_a_kind_may_be_given_as_text(world: World) -> None:
    world.post(two_legs(world.bank, world.case, 100, "text", kind="DEPOSIT"))
    assert world.balance().ledger_cents == 100


@pytest.mark.parametrize(
    "field, text",
    [
        ("memo", "x" * 201),
        ("category", "x" * 41),
        ("source_type", "x" * 41),
        ("source_ref", "x" * 65),
        ("counterparty_ref", "x" * 65),
        ("source_ref", "née"),
    ],
)
def test_texts_that_do_not_fit_are_refused_by_name(world: World, field: str, text: str) -> None:
    posting = replace(world.deposit_posting(100), **{field: text})  # type: ignore[arg-type]
    with pytest.raises(PostingRefused) as refusal:
        world.post(posting)
    assert field in refusal.value.errors


@pytest.mark.parametrize("first", [True, False])
def test_an_unknown_account_is_refused_and_nothing_moves(world: World, first: bool) -> None:
    ends = (77, world.case) if first else (world.bank, 77)
    with pytest.raises(AccountNotFound) as refusal:
        world.post(two_legs(*ends, 100, "unknown"))
    assert refusal.value.facts["account_id"] == 77
    assert world.balance().ledger_cents == 0


def test_a_closed_account_takes_nothing_until_it_is_reopened(world: World) -> None:
    world.do(lambda session: chart.close_account(session, world.case))
    with pytest.raises(AccountClosed) as refusal:
        world.deposit(100)
    assert refusal.value.facts["account_id"] == world.case
    assert world.balance(world.bank).ledger_cents == 0
    world.do(lambda session: chart.reopen_account(session, world.case))
    world.deposit(100)
    assert world.balance().ledger_cents == 100


def test_an_account_with_money_or_holds_is_not_closed(world: World) -> None:
    world.deposit(100)
    with pytest.raises(AccountNotEmpty):
        world.do(lambda session: chart.close_account(session, world.case))


def test_closing_or_reopening_an_unknown_account_says_so(world: World) -> None:
    with pytest.raises(AccountNotFound):
        world.do(lambda session: chart.close_account(session, 77))
    with pytest.raises(AccountNotFound):
        world.do(lambda session: chart.reopen_account(session, 77))


def test_a_refusal_leaves_the_unit_of_work_usable(world: World) -> None:
    def work(session: Session) -> None:
        service.post(session, CLERK, world.deposit_posting(500), now=NOW)
        with pytest.raises(InsufficientFunds):
            service.post(session, CLERK, world.spend_posting(501, "too much"), now=NOW)
        with pytest.raises(PostingRefused):
            service.post(
                session,
                CLERK,
                two_legs(world.bank, world.operating_cash, 5, "mixed"),
                now=NOW,
            )
        service.post(session, CLERK, world.spend_posting(500, "enough"), now=NOW)

    world.do(work)
    assert world.balance().ledger_cents == 0
    assert world.balance(world.fees).ledger_cents == 500


def test_a_key_of_a_refused_posting_is_free_again(world: World) -> None:
    with pytest.raises(InsufficientFunds):
        world.spend(100, "fee")
    world.deposit(100)
    assert not world.spend(100, "fee").replayed


def test_a_correction_points_at_what_it_corrects(world: World) -> None:
    first = world.deposit(100)
    posting = replace(
        world.deposit_posting(20, "more"),
        kind=TxnKind.CORRECTION,
        links=(Link(Relation.CORRECTS, first.txn_id),),
    )
    world.post(posting)
    world.post(replace(posting, key="again"))
    assert world.balance().ledger_cents == 140


def test_instants_must_be_aware() -> None:
    with pytest.raises(TypeError):
        journal.stamp(NOW.replace(tzinfo=None))


def test_a_transfer_is_a_posting_of_two_legs(world: World) -> None:
    done = world.do(
        lambda session: service.transfer(
            session,
            CLERK,
            debit_account_id=world.bank,
            credit_account_id=world.case,
            amount_cents=700,
            kind=TxnKind.DEPOSIT,
            key="transfer",
            effective_on=DAY,
            category="funding",
            now=NOW,
        )
    )
    assert not done.replayed
    assert world.balance().ledger_cents == 700


def test_an_id_that_exists_is_an_error_and_no_replay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.deposit(5)
    monkeypatch.setattr(journal, "new_id", lambda: first.txn_id)
    with pytest.raises(IntegrityError):
        world.deposit(5, "other")
    assert world.balance().ledger_cents == 5
