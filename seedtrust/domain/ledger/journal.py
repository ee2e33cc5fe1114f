"""The only writer of transactions, entries and balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from seedtrust.core.db import is_check_violation, is_duplicate_key
from seedtrust.core.errors import DomainError, InsufficientFunds
from seedtrust.core.ids import new_id
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import posting as words
from seedtrust.domain.ledger import statements
from seedtrust.domain.ledger.chart import unknown_account
from seedtrust.domain.ledger.errors import (
    AccountClosed,
    AlreadyReversed,
    PostingKeyReused,
    PostingRefused,
)
from seedtrust.domain.ledger.fingerprints import (
    Request,
    digest_key,
    digest_request,
    posting_request,
)
from seedtrust.domain.ledger.models import LedgerBalance
from seedtrust.domain.ledger.posting import (
    MAX_LEG_CENTS,
    Layer,
    Leg,
    Link,
    Phase,
    PostedTxn,
    Posting,
    Side,
)

_ACTOR_NAME_LENGTH: Final = 120
_SAVEPOINT: Final = "SAVEPOINT ledger_post"
_FORGET: Final = "ROLLBACK TO SAVEPOINT ledger_post"
_KEEP: Final = "RELEASE SAVEPOINT ledger_post"
_KINDS: Final = frozenset(kind.value for kind in words.TxnKind)


# Key, request hash, source, counterparty and memo, then what the rows of a batch share.
HeaderRest = tuple[bytes, bytes, str, str, str, *tuple[int | str | None, ...]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A posting that has passed every rule that needs no database, with its fingerprints."""

    posting: Posting
    phase: Phase
    idem_key: bytes
    request_hash: bytes


def draft(posting: Posting, phase: Phase = Phase.SINGLE, request: Request | None = None) -> Draft:
    """Check a posting and fingerprint it.

    `request` is what a replay must repeat when it is not the posting itself, for verbs that work
    out the legs from the books. Raises PostingRefused.
    """
    check_legs(posting.legs)
    check_texts(posting)
    if phase is Phase.SINGLE and any(leg.layer is Layer.PENDING for leg in posting.legs):
        message = "Pending legs belong to a hold: use reserve, capture or release_hold."
        raise _refused("pending_without_hold", message)
    said = posting_request(posting) if request is None else request
    return Draft(posting, phase, digest_key(posting.key), digest_request(said))


def check_legs(legs: Sequence[Leg]) -> None:
    """Refuse fewer than two legs, amounts out of range, and layers that do not sum to zero."""
    if len(legs) < 2:  # noqa: PLR2004 - double entry
        raise _refused("too_few_legs", "A posting needs at least two legs.")
    sums = [0, 0]
    for leg in legs:
        amount = leg.amount_cents
        if type(amount) is not int or not 0 < amount <= MAX_LEG_CENTS:
            message = "Every leg needs a whole number of cents above zero and below 10^15."
            raise _refused("bad_amount", message)
        sums[leg.layer] += leg.side * amount
    if any(sums):
        message = "Debits and credits must be equal, in the posted and in the pending layer."
        raise _refused("unbalanced", message)


def check_texts(posting: Posting) -> None:
    """Refuse texts that their columns cannot hold, and kinds that the books do not know."""
    if posting.kind not in _KINDS:
        raise _refused("unknown_kind", f"The books know no transaction of kind {posting.kind}.")
    if len(posting.memo) > words.MEMO_LENGTH:
        raise _too_long("memo", words.MEMO_LENGTH)
    for name, text, length in (
        ("category", posting.category or "", words.CATEGORY_LENGTH),
        ("source_type", posting.source_type, words.SOURCE_TYPE_LENGTH),
        ("source_ref", posting.source_ref, words.SOURCE_REF_LENGTH),
        ("counterparty_ref", posting.counterparty_ref, words.COUNTERPARTY_LENGTH),
    ):
        if len(text) > length or not text.isascii():
            raise _too_long(name, length)


def write(session: Session, actor: Actor, item: Draft, *, now: datetime) -> PostedTxn:
    """Write one transaction, or find that it was written before.

    A refusal leaves the unit of work as it was before the call, so the caller may go on. Raises
    InsufficientFunds, AccountClosed, AccountNotFound, PostingKeyReused, AlreadyReversed,
    PostingRefused.
    """
    connection = session.connection()
    mark = statements.mark_of(connection.dialect.name)
    legs = item.posting.legs
    txn_id = new_id()
    connection.exec_driver_sql(_SAVEPOINT)
    try:
        _write(connection, mark, item, (txn_id, *header_rest(actor, item, now)))
    except _Miscounted:
        connection.exec_driver_sql(_FORGET)
        raise misfit(session, legs) from None
    except DBAPIError as error:
        connection.exec_driver_sql(_FORGET)
        if is_check_violation(error):
            raise overdraft(session, legs) from error
        if not is_duplicate_key(error):
            raise
        return _stored_or_reversed(connection, item, error)
    if mark == statements.SQLITE_MARK:
        # MySQL replaces a savepoint of the same name; SQLite stacks them.
        connection.exec_driver_sql(_KEEP)
    return PostedTxn(txn_id, replayed=False)


class _Miscounted(Exception):
    """Fewer rows were touched than the transaction has accounts."""


def _write(
    connection: Connection,
    mark: str,
    item: Draft,
    header: tuple[int, *HeaderRest],
) -> None:
    txn_id = header[0]
    legs = item.posting.legs
    sent = connection.exec_driver_sql(statements.insert_txn(mark), (*header, legs[0].account_id))
    if sent.rowcount != 1:
        raise _Miscounted
    update, counts, accounts = balance_update(mark, legs)
    if connection.exec_driver_sql(update, (*counts, txn_id)).rowcount != accounts:
        raise _Miscounted
    connection.exec_driver_sql(*entry_insert(mark, txn_id, item.posting))
    for link in item.posting.links:
        connection.exec_driver_sql(statements.insert_link(mark), link_row(txn_id, link))


def _stored_or_reversed(connection: Connection, item: Draft, error: DBAPIError) -> PostedTxn:
    account_id = item.posting.legs[0].account_id
    stored = _stored(connection, account_id, item.idem_key, item.request_hash)
    if stored is not None:
        return stored
    refuse_second_reversal(error)
    raise error


def refuse_second_reversal(error: DBAPIError) -> None:
    """Raise AlreadyReversed if the unique key of full reversals refused a tie."""
    if is_duplicate_key(error) and "ledger_txn_link" in str(error.orig):
        message = "This transaction was fully reversed before. It cannot be reversed again."
        raise AlreadyReversed(message) from error


def balance_update(mark: str, legs: Sequence[Leg]) -> tuple[str, tuple[int, ...], int]:
    """Return the update of a transaction's balances, its values, and the number of accounts."""
    moves: dict[int, list[int]] = {}
    for leg in legs:
        move = moves.setdefault(leg.account_id, [0, 0, 0, 0, 0])
        move[2 * leg.layer + (leg.side == Side.CREDIT)] += leg.amount_cents
        move[4] += 1
    ordered = sorted(moves.items())
    shape = tuple((sum(1 << bit for bit in range(4) if move[bit]), move[4]) for _, move in ordered)
    values: list[int] = []
    for bit in range(4):
        for account_id, move in ordered:
            if move[bit]:
                values += (account_id, move[bit])
    accounts = [account_id for account_id, _ in ordered]
    if len({move[4] for _, move in ordered}) > 1:
        values += accounts
    values += accounts
    return statements.update_balances(mark, shape), tuple(values), len(ordered)


def entry_insert(mark: str, txn_id: int, posting: Posting) -> tuple[str, tuple[int | str, ...]]:
    """Return the insert of a transaction's entries and its values."""
    effective_on = posting.effective_on.isoformat()
    later: dict[int, list[int]] = {}
    shapes: list[statements.LegShape] = []
    values: list[tuple[int | str, ...]] = []
    # Backwards, because the balance rows already hold what all legs of an account add up to.
    for leg in reversed(posting.legs):
        rest = later.setdefault(leg.account_id, [0, 0, 0])
        posted, pending, count = rest
        shapes.append((leg.layer, leg.side, count, bool(posted), bool(pending)))
        offsets = tuple(offset for offset in (posted, pending) if offset)
        values.append((txn_id, leg.amount_cents, *offsets, effective_on, leg.account_id))
        rest[leg.layer] += leg.side * leg.amount_cents
        rest[2] += 1
    shapes.reverse()
    values.reverse()
    sql = statements.insert_entries(mark, tuple(shapes))
    return sql, tuple(value for row in values for value in row)


def header_rest(actor: Actor, item: Draft, now: datetime) -> HeaderRest:
    """Return the values of a header but book and id, in the order of its columns."""
    posting = item.posting
    return (
        item.idem_key,
        item.request_hash,
        posting.source_ref,
        posting.counterparty_ref,
        posting.memo,
        str(posting.kind),
        int(item.phase),
        posting.effective_on.isoformat(),
        stamp(now),
        actor.user_id,
        actor.name[:_ACTOR_NAME_LENGTH],
        posting.category,
        posting.source_type,
    )


def link_row(txn_id: int, link: Link) -> tuple[int | str | None, ...]:
    """Return the values of a tie, in the order of its columns."""
    return (txn_id, link.relation.value, link.txn_id, 1 if link.full else None)


def stamp(instant: datetime) -> str:
    """Return an aware instant as both databases store it: UTC with microseconds."""
    if instant.tzinfo is None:
        message = "instants must be aware"
        raise TypeError(message)
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def find_replay(
    connection: Connection, account_id: int, key: str, request: Request
) -> PostedTxn | None:
    """Return the stored outcome of a key in the book of an account, or None if the key is new.

    Raises PostingKeyReused.
    """
    return _stored(connection, account_id, digest_key(key), digest_request(request))


def _stored(
    connection: Connection, account_id: int, idem_key: bytes, request_hash: bytes
) -> PostedTxn | None:
    sql = statements.find_txn(statements.mark_of(connection.dialect.name))
    row = connection.exec_driver_sql(sql, (idem_key, account_id)).first()
    if row is None:
        return None
    return replay_of(row[0], bytes(row[1]), request_hash)


def replay_of(txn_id: int, stored_hash: bytes, request_hash: bytes) -> PostedTxn:
    """Return the stored outcome if the request is the same. Raises PostingKeyReused."""
    if stored_hash != request_hash:
        message = "This key was used for another posting. Use a new key for a new posting."
        raise PostingKeyReused(message, txn_id=txn_id)
    return PostedTxn(txn_id, replayed=True)


def overdraft(session: Session, legs: Sequence[Leg]) -> InsufficientFunds:
    """Return the error that names the guarded account which the legs would overdraw."""
    needed: dict[int, int] = {}
    for leg in legs:
        needed[leg.account_id] = needed.get(leg.account_id, 0) + leg.side * leg.amount_cents
    balance = LedgerBalance
    rows = session.execute(
        select(
            balance.account_id,
            balance.cr_posted - balance.dr_posted + balance.cr_pending - balance.dr_pending,
        ).where(balance.account_id.in_(needed), balance.guard == 1)
    ).all()
    for account_id, available_cents in rows:
        if needed[account_id] > available_cents:
            return insufficient(account_id, available_cents, needed[account_id])
    message = "The available balance does not cover this. Check what is held on the case."
    return InsufficientFunds(message)


def insufficient(account_id: int, available_cents: int, needed_cents: int) -> InsufficientFunds:
    """Return the error that says what is there and what was asked."""
    message = (
        f"Only {format_dollars(available_cents)} is available and "
        f"{format_dollars(needed_cents)} is needed. Add money to the case or lower the amount."
    )
    return InsufficientFunds(
        message,
        account_id=account_id,
        available_cents=available_cents,
        needed_cents=needed_cents,
    )


def misfit(session: Session, legs: Sequence[Leg]) -> DomainError:
    """Return the error for accounts that do not exist, are closed, or lie in different books."""
    ids = {leg.account_id for leg in legs}
    balance = LedgerBalance
    rows = session.execute(
        select(balance.account_id, balance.book_id, balance.closed).where(
            balance.account_id.in_(ids)
        )
    ).all()
    unknown = ids.difference(row.account_id for row in rows)
    if unknown:
        return unknown_account(min(unknown))
    if len({row.book_id for row in rows}) > 1:
        message = "A posting stays within one book. Post to each book on its own."
        return _refused("mixed_books", message)
    message = "An account of this posting is closed. Reopen it, or post to another account."
    closed = sorted(row.account_id for row in rows if row.closed)
    return AccountClosed(message, account_id=closed[0] if closed else None)


def _refused(reason: str, message: str) -> PostingRefused:
    return PostingRefused(message, reason=reason)


def _too_long(field: str, length: int) -> PostingRefused:
    message = f"Use at most {length} plain characters."
    return PostingRefused(message, errors={field: [message]}, reason="bad_text", field=field)
