"""The only writer of transactions, entries and balances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from seedtrust.core.db import is_duplicate_key
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
from seedtrust.domain.ledger.sending import (
    AccountLeftOutError,
    Sent,
    is_known_key,
    is_overdraft,
    send,
)

_ACTOR_NAME_LENGTH: Final = 120
_SAVEPOINT: Final = "SAVEPOINT ledger_post"
_FORGET: Final = "ROLLBACK TO SAVEPOINT ledger_post"
_KEEP: Final = "RELEASE SAVEPOINT ledger_post"
_KINDS: Final = frozenset(kind.value for kind in words.TxnKind)


# What belongs to a transaction, told by its id.
Also = Callable[[int], Sequence[Sent]]

# Key, request hash, source, counterparty and memo, then what the rows of a batch share.
HeaderRest = tuple[bytes, bytes, str, str, str, *tuple[int | str | None, ...]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A posting that has passed every rule that needs no database, with its fingerprints."""

    posting: Posting
    phase: Phase
    idem_key: bytes
    request_hash: bytes
    day: str


def draft(posting: Posting, phase: Phase = Phase.SINGLE, request: Request | None = None) -> Draft:
    """Check a posting and fingerprint it.

    `request` is what a replay must repeat when it is not the posting itself, for verbs that work
    out the legs from the books. Raises PostingRefused.
    """
    pending = check_legs(posting.legs)
    check_texts(posting)
    if pending and phase is Phase.SINGLE:
        message = "Pending legs belong to a hold: use reserve, capture or release_hold."
        raise _refused("pending_without_hold", message)
    said = posting_request(posting) if request is None else request
    day = posting.effective_on.isoformat()
    return Draft(posting, phase, digest_key(posting.key), digest_request(said), day)


def check_legs(legs: Sequence[Leg]) -> bool:
    """Refuse fewer than two legs, amounts out of range, and layers that do not sum to zero.

    Return whether money is held or released.
    """
    if len(legs) < 2:  # noqa: PLR2004 - double entry
        raise _refused("too_few_legs", "A posting needs at least two legs.")
    sums = [0, 0]
    pending = False
    for leg in legs:
        amount = leg.amount_cents
        if type(amount) is not int or not 0 < amount <= MAX_LEG_CENTS:
            message = "Every leg needs a whole number of cents above zero and below 10^15."
            raise _refused("bad_amount", message)
        layer = leg.layer
        sums[layer] += leg.side * amount
        pending = pending or layer != Layer.POSTED
    if any(sums):
        message = "Debits and credits must be equal, in the posted and in the pending layer."
        raise _refused("unbalanced", message)
    return pending


def check_texts(posting: Posting) -> None:
    """Refuse texts that their columns cannot hold, and kinds that the books do not know."""
    if posting.kind not in _KINDS:
        raise _refused("unknown_kind", f"The books know no transaction of kind {posting.kind}.")
    if len(posting.memo) > words.MEMO_LENGTH:
        raise _too_long("memo", words.MEMO_LENGTH)
    category = posting.category or ""
    together = f"{category}{posting.source_type}{posting.source_ref}{posting.counterparty_ref}"
    if together.isascii() and len(together) <= words.SHORTEST_LENGTH:
        # Most postings: what fits the shortest column together fits each.
        return
    for name, text, length in (
        ("category", category, words.CATEGORY_LENGTH),
        ("source_type", posting.source_type, words.SOURCE_TYPE_LENGTH),
        ("source_ref", posting.source_ref, words.SOURCE_REF_LENGTH),
        ("counterparty_ref", posting.counterparty_ref, words.COUNTERPARTY_LENGTH),
    ):
        if len(text) > length or not text.isascii():
            raise _too_long(name, length)


def no_more(_txn_id: int) -> Sequence[Sent]:
    """Return nothing: header, entries and ties are all there is."""
    return ()


def write(
    session: Session, actor: Actor, item: Draft, *, also: Also = no_more, now: datetime
) -> PostedTxn:
    """Write one transaction, or find that it was written before.

    `also` gives statements that belong to the transaction whose id it is told. A refusal leaves
    the unit of work as it was before the call, so the caller may go on. Raises InsufficientFunds,
    AccountClosed, AccountNotFound, PostingKeyReused, AlreadyReversed, PostingRefused.
    """
    if not any(link.full for link in item.posting.links):
        return _write(session, actor, item, also, now)
    # The only refusal that comes after entries are written.
    connection = session.connection()
    connection.exec_driver_sql(_SAVEPOINT)
    try:
        done = _write(session, actor, item, also, now)
    except DBAPIError as error:
        connection.exec_driver_sql(_FORGET)
        refuse_second_reversal(error)
        raise
    except DomainError:
        connection.exec_driver_sql(_FORGET)
        raise
    connection.exec_driver_sql(_KEEP)
    return done


def _write(session: Session, actor: Actor, item: Draft, also: Also, now: datetime) -> PostedTxn:
    """Move the balances, which is where money may be refused, then write what moved them.

    Balances come first: a CHECK that refuses has changed nothing, and a replay is moved back
    under the row locks that it holds. That is a statement less than a savepoint each time.
    """
    connection = session.connection()
    mark = statements.mark_of(connection.dialect.name)
    posting = item.posting
    move, txn_id = Move.of(posting.legs), new_id()
    header = (txn_id, *header_rest(actor, item, stamp(now)), posting.legs[0].account_id)
    rest = (
        (statements.insert_txn(mark), header),
        entry_insert(mark, txn_id, item),
        *((statements.insert_link(mark), link_row(txn_id, link)) for link in posting.links),
        *also(txn_id),
    )
    try:
        send(connection, move.statement(mark), len(move.accounts), rest)
    except AccountLeftOutError:
        connection.exec_driver_sql(*move.statement(mark, back=True))
        return _stored_or(connection, item, misfit(session, posting.legs))
    except DBAPIError as error:
        if is_overdraft(error):
            return _stored_or(connection, item, overdraft(session, posting.legs))
        if not is_known_key(error):
            raise
        connection.exec_driver_sql(*move.statement(mark, back=True))
        return _stored_or(connection, item, error)
    return PostedTxn(txn_id, replayed=False)


def _stored_or(connection: Connection, item: Draft, error: Exception) -> PostedTxn:
    """Return the outcome stored under the key, or raise the error if the key is new."""
    account_id = item.posting.legs[0].account_id
    stored = _stored(connection, account_id, item.idem_key, item.request_hash)
    if stored is None:
        raise error
    return stored


def refuse_second_reversal(error: DBAPIError) -> None:
    """Raise AlreadyReversed if the unique key of full reversals refused a tie."""
    if is_duplicate_key(error) and "ledger_txn_link" in str(error.orig):
        message = "This transaction was fully reversed before. It cannot be reversed again."
        raise AlreadyReversed(message) from error


@dataclass(frozen=True, slots=True)
class Move:
    """What a transaction adds to the counters of its accounts."""

    accounts: tuple[int, ...]
    shape: tuple[statements.AccountShape, ...]
    values: tuple[int, ...]

    @classmethod
    def of(cls, legs: Sequence[Leg]) -> Move:
        """Add up the legs of each account."""
        sums: dict[int, list[int]] = {}
        for leg in legs:
            counters = sums.setdefault(leg.account_id, [0, 0, 0, 0, 0])
            counters[2 * leg.layer + (leg.side == Side.CREDIT)] += leg.amount_cents
            counters[4] += 1
        accounts = tuple(sorted(sums))
        values: list[int] = []
        for bit in range(4):
            for account_id in accounts:
                if amount_cents := sums[account_id][bit]:
                    values += (account_id, amount_cents)
        shape = tuple(
            (sum(1 << bit for bit in range(4) if sums[account_id][bit]), sums[account_id][4])
            for account_id in accounts
        )
        if len({count for _, count in shape}) > 1:
            values += accounts
        return cls(accounts, shape, (*values, *accounts, legs[0].account_id))

    def statement(self, mark: str, *, back: bool = False) -> tuple[str, tuple[int, ...]]:
        """Return the update that makes the move, or takes it back, with its values."""
        return statements.update_balances(mark, self.shape, back=back), self.values


def entry_insert(mark: str, txn_id: int, item: Draft) -> tuple[str, tuple[int | str, ...]]:
    """Return the insert of a transaction's entries and its values."""
    later: dict[int, list[int]] = {}
    shapes: list[statements.LegShape] = []
    values: list[tuple[int | str, ...]] = []
    # Backwards, because the balance rows already hold what all legs of an account add up to.
    for leg in reversed(item.posting.legs):
        rest = later.setdefault(leg.account_id, [0, 0, 0])
        posted, pending, count = rest
        shapes.append((leg.layer, leg.side, count, bool(posted), bool(pending)))
        offsets = tuple(offset for offset in (posted, pending) if offset)
        values.append((txn_id, leg.amount_cents, *offsets, item.day, leg.account_id))
        rest[leg.layer] += leg.side * leg.amount_cents
        rest[2] += 1
    shapes.reverse()
    values.reverse()
    sql = statements.insert_entries(mark, tuple(shapes))
    return sql, tuple(value for row in values for value in row)


def header_rest(actor: Actor, item: Draft, posted_at: str) -> HeaderRest:
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
        item.day,
        posted_at,
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
