"""The proof of the books: reads everything, changes nothing, names every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import Final, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seedtrust.domain.ledger.check_rules import RULES
from seedtrust.domain.ledger.fingerprints import digest_request, possible_requests
from seedtrust.domain.ledger.models import (
    IMMUTABLE_TABLES,
    LedgerEntry,
    LedgerHold,
    LedgerTxn,
    LedgerTxnLink,
)
from seedtrust.domain.ledger.posting import Layer, Leg, Link, Phase, Posting, Relation, Side
from seedtrust.domain.ledger.triggers import trigger_names

# Enough to see what happened; a broken table would otherwise fill the screen.
MOST_FAULTS_OF_A_KIND: Final = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the books: what, in a sentence, and about what."""

    code: str
    sentence: str
    subject: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{self.code}: {self.subject}: {self.sentence}"


Check = Callable[[Session], Iterable[Fault]]

_registered: list[Check] = []


def register_check(fn: Check) -> Check:
    """Add a feature's own proof to every check of the books; may be used as a decorator.

    The function only reads, and returns the faults it finds in a constant number of queries.
    """
    if fn not in _registered:
        _registered.append(fn)
    return fn


def check(session: Session) -> list[Fault]:
    """Return everything that is wrong with the books, or an empty list.

    Safe on a live system: every rule is one statement and so sees one moment. Of each kind at
    most 100 faults are listed.
    """
    faults = [*_rule_faults(session), *altered_transactions(session), *missing_triggers(session)]
    for extra in _registered:
        faults += extra(session)
    return faults


def _rule_faults(session: Session) -> Iterator[Fault]:
    for rule in RULES:
        # Broken books of millions of entries must not fill the memory either.
        for row in session.execute(text(f"{rule.sql} LIMIT {MOST_FAULTS_OF_A_KIND}")):
            facts = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
            yield Fault(rule.code, rule.sentence.format(**facts), rule.subject.format(**facts))


def missing_triggers(session: Session) -> list[Fault]:
    """Return a fault for each trigger that should refuse changes and is not there."""
    if session.connection().dialect.name == "sqlite":
        listed = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        listed = (
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
        )
    present = set(session.execute(text(listed)).scalars())
    return [
        Fault(
            "trigger_missing",
            f"The trigger {name} is gone, so rows could be changed. Create it again.",
            f"table {table}",
        )
        for table in (*IMMUTABLE_TABLES, "ledger_hold", "ledger_balance")
        for name in trigger_names(table)
        if name not in present
    ]


class _Row(NamedTuple):
    """A transaction joined with one of its entries, its hold and one of its ties."""

    txn_id: int
    kind: str
    phase: int
    request_hash: bytes
    effective_on: date
    memo: str
    category: str | None
    source_type: str
    source_ref: str
    counterparty_ref: str
    leg: int
    account_id: int
    side: int
    amount_cents: int
    layer: int
    hold_kind: str | None
    relation: str | None
    target_id: int | None
    exclusive_key: int | None


def altered_transactions(session: Session) -> list[Fault]:
    """Return a fault for each transaction that no longer says what was asked for.

    Every header keeps the hash of its request; the request is worked out again from the stored
    rows and compared.
    """
    txn, entry, link = LedgerTxn, LedgerEntry, LedgerTxnLink
    rows = session.execute(
        select(
            txn.id,
            txn.kind,
            txn.phase,
            txn.request_hash,
            txn.effective_on,
            txn.memo,
            txn.category,
            txn.source_type,
            txn.source_ref,
            txn.counterparty_ref,
            entry.leg,
            entry.account_id,
            entry.side,
            entry.amount_cents,
            entry.layer,
            LedgerHold.kind,
            link.relation,
            link.target_id,
            link.exclusive_key,
        )
        .select_from(txn)
        .join(entry, entry.txn_id == txn.id)
        .outerjoin(LedgerHold, LedgerHold.id == txn.id)
        .outerjoin(link, link.txn_id == txn.id)
        # By the header's key alone: for the legs' order too, the server would sort everything.
        .order_by(txn.id)
        .execution_options(yield_per=2_000)
    )
    transactions = groupby((_Row._make(row) for row in rows), key=lambda row: row.txn_id)
    altered = (txn for txn, group in transactions if not _says_what_was_asked(list(group)))
    sentence = "It no longer says what was asked for when it was written."
    faults = [
        Fault("transaction_altered", sentence, f"transaction {txn_id}")
        for txn_id in islice(altered, MOST_FAULTS_OF_A_KIND)
    ]
    rows.close()
    return faults


def _says_what_was_asked(rows: list[_Row]) -> bool:
    first = rows[0]
    legs = {
        row.leg: Leg(row.account_id, Side(row.side), row.amount_cents, Layer(row.layer))
        for row in rows
    }
    links = {
        row.relation: Link(Relation(row.relation), row.target_id, row.exclusive_key == 1)
        for row in rows
        if row.relation is not None and row.target_id is not None
    }
    posting = Posting(
        first.kind,
        "",
        first.effective_on,
        tuple(legs[number] for number in sorted(legs)),
        memo=first.memo,
        category=first.category,
        source_type=first.source_type,
        source_ref=first.source_ref,
        links=tuple(links.values()),
        counterparty_ref=first.counterparty_ref,
    )
    asked = possible_requests(posting, Phase(first.phase), first.hold_kind)
    return any(digest_request(one) == bytes(first.request_hash) for one in asked)
