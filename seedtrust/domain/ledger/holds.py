"""Holds: money promised or not yet collected, taken in two pending legs and given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from seedtrust.core.clock import business_date
from seedtrust.core.errors import DomainError
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import fingerprints, journal, statements
from seedtrust.domain.ledger.chart import commitments_of, commitments_seen
from seedtrust.domain.ledger.errors import HoldExceeded, HoldNotFound
from seedtrust.domain.ledger.posting import (
    HoldKind,
    Layer,
    Leg,
    Link,
    Phase,
    PostedTxn,
    Posting,
    Relation,
    TxnKind,
    credit,
    debit,
)


@dataclass(frozen=True, slots=True)
class _Hold:
    id: int
    debit_account_id: int
    credit_account_id: int
    remaining_cents: int


def reserve(
    session: Session,
    actor: Actor,
    case_account_id: int,
    amount_cents: int,
    *,
    key: str,
    effective_on: date,
    source_type: str,
    source_ref: str,
    kind: HoldKind = HoldKind.RESERVED,
    expires_at: datetime | None = None,
    now: datetime,
) -> int:
    """Hold an amount of a case's money and return the id of the hold.

    The same key again returns the same hold. Raises InsufficientFunds, PostingRefused,
    PostingKeyReused, AccountClosed, AccountNotFound; the unit of work stays usable.
    """

    def hold(commitments: int) -> int:
        posting = Posting(
            TxnKind.HOLD,
            key,
            effective_on,
            (
                debit(case_account_id, amount_cents, Layer.PENDING),
                credit(commitments, amount_cents, Layer.PENDING),
            ),
            source_type=source_type,
            source_ref=source_ref,
        )
        return _hold(session, actor, posting, kind, expires_at, now=now)

    seen = commitments_seen(session)
    if seen is not None:
        try:
            return hold(seen)
        except DomainError:
            # The account may lie in a book that holds nothing back: then that is to be said.
            if commitments_of(session, case_account_id) == seen:
                raise
    return hold(commitments_of(session, case_account_id))


def _hold(
    session: Session,
    actor: Actor,
    posting: Posting,
    kind: HoldKind,
    expires_at: datetime | None,
    *,
    now: datetime,
) -> int:
    item = journal.draft(posting, Phase.HOLD, fingerprints.hold_request(posting, kind))
    insert = statements.insert_hold(statements.mark_of(session.connection().dialect.name))
    held, against = posting.legs
    terms = (
        kind.value,
        held.account_id,
        against.account_id,
        held.amount_cents,
        0,
        0,
        posting.source_type,
        posting.source_ref,
        None if expires_at is None else journal.stamp(expires_at),
        journal.stamp(now),
    )
    done = journal.write(
        session, actor, item, also=lambda txn_id: [(insert, (txn_id, *terms))], now=now
    )
    return done.txn_id


def capture(
    session: Session,
    actor: Actor,
    hold_id: int,
    *,
    amount_cents: int | None = None,
    key: str,
    effective_on: date,
    credit_account_id: int,
    kind: str,
    category: str | None = None,
    memo: str = "",
    source_type: str = "",
    source_ref: str = "",
    counterparty_ref: str = "",
    now: datetime,
) -> PostedTxn:
    """Turn a hold, or part of it, into posted money that goes to `credit_account_id`.

    The pending legs are reversed and the posted ones written in one update, so the money is
    never both held and spent. Without an amount all that is left is captured; what a part leaves
    stays held. Raises HoldNotFound, HoldExceeded, PostingRefused, PostingKeyReused,
    AccountClosed, AccountNotFound.
    """
    hold = _lock(session, hold_id)
    amount = hold.remaining_cents if amount_cents is None else amount_cents
    posting = Posting(
        kind,
        key,
        effective_on,
        (
            *_pending_back(hold, amount),
            debit(hold.debit_account_id, amount),
            credit(credit_account_id, amount),
        ),
        memo=memo,
        category=category,
        source_type=source_type,
        source_ref=source_ref,
        links=(Link(Relation.CAPTURES, hold_id),),
        counterparty_ref=counterparty_ref,
    )
    request = fingerprints.capture_request(posting, amount_cents)
    return _finish(session, actor, hold, amount, (posting, Phase.CAPTURE, request), now=now)


def release_hold(
    session: Session,
    actor: Actor,
    hold_id: int,
    *,
    amount_cents: int | None = None,
    key: str,
    now: datetime,
) -> PostedTxn:
    """Give held money, or part of it, back to the available balance.

    Raises HoldNotFound, HoldExceeded, PostingRefused, PostingKeyReused.
    """
    hold = _lock(session, hold_id)
    amount = hold.remaining_cents if amount_cents is None else amount_cents
    posting = Posting(
        TxnKind.RELEASE,
        key,
        business_date(now),
        _pending_back(hold, amount),
        links=(Link(Relation.RELEASES, hold_id),),
    )
    request = fingerprints.release_request(posting, amount_cents)
    return _finish(session, actor, hold, amount, (posting, Phase.RELEASE, request), now=now)


def _finish(
    session: Session,
    actor: Actor,
    hold: _Hold,
    amount_cents: int,
    wanted: tuple[Posting, Phase, fingerprints.Request],
    *,
    now: datetime,
) -> PostedTxn:
    posting, phase, request = wanted
    connection = session.connection()
    if not amount_cents or amount_cents > hold.remaining_cents:
        # Perhaps this very call has finished the hold before.
        found = journal.find_replay(connection, hold.debit_account_id, posting.key, request)
        if found is not None:
            return found
    if not hold.remaining_cents or amount_cents > hold.remaining_cents:
        raise _exceeded(hold, amount_cents)
    item = journal.draft(posting, phase, request)
    mark = statements.mark_of(connection.dialect.name)
    count = (statements.count_hold(mark, captured=phase is Phase.CAPTURE), (amount_cents, hold.id))
    return journal.write(session, actor, item, also=lambda _: [count], now=now)


def _pending_back(hold: _Hold, amount_cents: int) -> tuple[Leg, Leg]:
    return (
        debit(hold.credit_account_id, amount_cents, Layer.PENDING),
        credit(hold.debit_account_id, amount_cents, Layer.PENDING),
    )


def _lock(session: Session, hold_id: int) -> _Hold:
    connection: Connection = session.connection()
    mark = statements.mark_of(connection.dialect.name)
    row = connection.exec_driver_sql(statements.lock_hold(mark), (hold_id,)).first()
    if row is None:
        message = "The books have no hold with this id."
        raise HoldNotFound(message, hold_id=hold_id)
    return _Hold(hold_id, *row)


def _exceeded(hold: _Hold, amount_cents: int) -> HoldExceeded:
    if not hold.remaining_cents:
        message = "Nothing is left of this hold: it was captured or released before."
    else:
        message = (
            f"The hold has {format_dollars(hold.remaining_cents)} left, which does not cover "
            f"{format_dollars(amount_cents)}."
        )
    return HoldExceeded(message, hold_id=hold.id, remaining_cents=hold.remaining_cents)
