"""The verbs of the books. They write within the caller's unit of work and never commit.

A refusal leaves the unit of work as it was before the call: the caller may catch it and go on.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import journal
from seedtrust.domain.ledger.bulk import post_many
from seedtrust.domain.ledger.errors import PostingRefused, TransactionNotFound
from seedtrust.domain.ledger.holds import capture, release_hold, reserve
from seedtrust.domain.ledger.models import LedgerEntry
from seedtrust.domain.ledger.posting import (
    HoldKind,
    Layer,
    Leg,
    Link,
    PostedTxn,
    Posting,
    Relation,
    Side,
    TxnKind,
    credit,
    debit,
)

__all__ = [
    "HoldKind",
    "Layer",
    "Leg",
    "Link",
    "PostedTxn",
    "Posting",
    "Relation",
    "Side",
    "TxnKind",
    "capture",
    "credit",
    "debit",
    "post",
    "post_many",
    "release_hold",
    "reserve",
    "reverse",
    "transfer",
]


def post(session: Session, actor: Actor, posting: Posting, *, now: datetime) -> PostedTxn:
    """Write one transaction; the same posting under the same key again returns the first one.

    Raises PostingRefused (unbalanced, two books, bad amounts), AccountNotFound, AccountClosed,
    PostingKeyReused, AlreadyReversed, and InsufficientFunds when the database's CHECK refuses.
    """
    return journal.write(session, actor, journal.draft(posting), now=now)


def transfer(
    session: Session,
    actor: Actor,
    *,
    debit_account_id: int,
    credit_account_id: int,
    amount_cents: int,
    kind: str,
    key: str,
    effective_on: date,
    memo: str = "",
    category: str | None = None,
    source_type: str = "",
    source_ref: str = "",
    counterparty_ref: str = "",
    now: datetime,
) -> PostedTxn:
    """Write a plain posting of two legs. Raises what `post` raises."""
    posting = Posting(
        kind,
        key,
        effective_on,
        (debit(debit_account_id, amount_cents), credit(credit_account_id, amount_cents)),
        memo=memo,
        category=category,
        source_type=source_type,
        source_ref=source_ref,
        counterparty_ref=counterparty_ref,
    )
    return post(session, actor, posting, now=now)


def reverse(
    session: Session,
    actor: Actor,
    txn_id: int,
    *,
    key: str,
    effective_on: date,
    memo: str,
    kind: str = TxnKind.REVERSAL,
    category: str | None = None,
    source_type: str = "",
    source_ref: str = "",
    now: datetime,
) -> PostedTxn:
    """Write the exact mirror of a transaction's posted legs; the only full reversal it can have.

    What a capture took out of a hold stays captured: the money goes back to the balance, not to
    the hold. Raises TransactionNotFound, AlreadyReversed for a second key, PostingRefused for a
    transaction that only held or released money, and what `post` raises.
    """
    entries = session.execute(
        select(
            LedgerEntry.account_id, LedgerEntry.side, LedgerEntry.amount_cents, LedgerEntry.layer
        )
        .where(LedgerEntry.txn_id == txn_id)
        .order_by(LedgerEntry.leg)
    ).all()
    if not entries:
        message = "The books have no transaction with this id."
        raise TransactionNotFound(message, txn_id=txn_id)
    legs = tuple(
        Leg(account_id, Side(side).opposite, amount_cents)
        for account_id, side, amount_cents, layer in entries
        if layer == Layer.POSTED
    )
    if not legs:
        message = "This transaction moved no money. Release the hold instead."
        raise PostingRefused(message, reason="nothing_posted", txn_id=txn_id)
    posting = Posting(
        kind,
        key,
        effective_on,
        legs,
        memo=memo,
        category=category,
        source_type=source_type,
        source_ref=source_ref,
        links=(Link(Relation.REVERSES, txn_id, full=True),),
    )
    return post(session, actor, posting, now=now)
