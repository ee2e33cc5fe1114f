"""What goes into the books: legs, links, postings, and the words for their kinds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from typing import Final

# Counters are BIGINT; 15 digits leave room for a million such amounts on one account.
MAX_LEG_CENTS: Final = 10**15 - 1

MEMO_LENGTH: Final = 200
CATEGORY_LENGTH: Final = 40
SOURCE_TYPE_LENGTH: Final = 40
SOURCE_REF_LENGTH: Final = 64
COUNTERPARTY_LENGTH: Final = 64
SHORTEST_LENGTH: Final = min(
    CATEGORY_LENGTH, SOURCE_TYPE_LENGTH, SOURCE_REF_LENGTH, COUNTERPARTY_LENGTH
)


class Side(IntEnum):
    """The side of a leg; the number is its sign in every sum."""

    DEBIT = 1
    CREDIT = -1

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side(-self)


class Layer(IntEnum):
    """Posted money, or pending money that is held but has not moved."""

    POSTED = 0
    PENDING = 1


class Phase(IntEnum):
    """What part a transaction plays in the life of a hold."""

    SINGLE = 0
    HOLD = 1
    CAPTURE = 2
    RELEASE = 3


class TxnKind(StrEnum):
    """Why money moved. The first seven are line kinds that people see on a case ledger."""

    DEPOSIT = "DEPOSIT"
    FEE = "FEE"
    DISBURSEMENT = "DISBURSEMENT"
    SCHEDULED = "SCHEDULED"
    RETURN = "RETURN"
    REISSUE = "REISSUE"
    REFUND = "REFUND"
    BANK_CHARGE = "BANK_CHARGE"
    CANCELLATION = "CANCELLATION"
    CLEARANCE = "CLEARANCE"
    COLLECTION = "COLLECTION"
    CORRECTION = "CORRECTION"
    HOLD = "HOLD"
    INCOME = "INCOME"
    MATCH = "MATCH"
    PULL = "PULL"
    RECEIPT = "RECEIPT"
    RELEASE = "RELEASE"
    REVERSAL = "REVERSAL"
    SEND_BACK = "SEND_BACK"
    SETTLEMENT = "SETTLEMENT"
    SHORTAGE = "SHORTAGE"
    SHORTAGE_CURE = "SHORTAGE_CURE"
    STALE = "STALE"
    SWEEP = "SWEEP"
    TAKE_OVER = "TAKE_OVER"


class HoldKind(StrEnum):
    """Why money of a case is held: promised to a payee, or not yet collected from the payer."""

    RESERVED = "reserved"
    UNCOLLECTED = "uncollected"


class Relation(StrEnum):
    """How a transaction relates to an earlier one."""

    REVERSES = "reverses"
    CAPTURES = "captures"
    RELEASES = "releases"
    CORRECTS = "corrects"


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a transaction: an account, a side and whole cents above zero."""

    account_id: int
    side: Side
    amount_cents: int
    layer: Layer = Layer.POSTED


@dataclass(frozen=True, slots=True)
class Link:
    """A tie to an earlier transaction; `full` claims the only full reversal of it."""

    relation: Relation
    txn_id: int
    full: bool = False


@dataclass(frozen=True, slots=True)
class Posting:
    """One transaction to write.

    `key` is the idempotency key, unique per book, any length. `effective_on` is the business date
    by which balances and statements count it. `kind` is a TxnKind or its text.
    """

    kind: str
    key: str
    effective_on: date
    legs: tuple[Leg, ...]
    memo: str = ""
    category: str | None = None
    source_type: str = ""
    source_ref: str = ""
    links: tuple[Link, ...] = ()
    counterparty_ref: str = ""


@dataclass(frozen=True, slots=True)
class PostedTxn:
    """The outcome of a posting: its transaction, and whether it had been written before."""

    txn_id: int
    replayed: bool


def debit(account_id: int, amount_cents: int, layer: Layer = Layer.POSTED) -> Leg:
    """Return a debit leg."""
    return Leg(account_id, Side.DEBIT, amount_cents, layer)


def credit(account_id: int, amount_cents: int, layer: Layer = Layer.POSTED) -> Leg:
    """Return a credit leg."""
    return Leg(account_id, Side.CREDIT, amount_cents, layer)
