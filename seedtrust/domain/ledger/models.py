"""The tables of the books."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BINARY,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.ledger import posting
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.posting import HoldKind, Relation, TxnKind

IMMUTABLE_TABLES = (
    "ledger_account",
    "ledger_txn",
    "ledger_txn_link",
    "ledger_entry",
)


class LedgerBook(Base):
    """One legal pot of money. A transaction never spans two books."""

    __tablename__ = "ledger_book"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Ascii(20), unique=True)
    kind: Mapped[str] = mapped_column(Ascii(20))
    open_from: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("kind IN ('trust', 'operating')", name="kind"),)


class LedgerAccount(Base):
    """An account. Posting never updates it, so every foreign key of the books points here."""

    __tablename__ = "ledger_account"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_book.id"))
    code: Mapped[str] = mapped_column(Ascii(80))
    kind: Mapped[str] = mapped_column(Ascii(32))
    normal_side: Mapped[int] = mapped_column(SmallInteger)
    owner_type: Mapped[str | None] = mapped_column(Ascii(20))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("book_id", "code"),
        Index(None, "owner_type", "owner_id"),
        one_of("kind", AccountKind),
        CheckConstraint("normal_side IN (1, -1)", name="normal_side"),
    )


class LedgerBalance(Base):
    """The counters of an account: the only row that posting updates. Nothing references it.

    The guard is the overdraft rule: what was credited covers what was debited and what is held.
    Book and normal side repeat the account's, so that posting reads no other row.
    """

    __tablename__ = "ledger_balance"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_account.id"), primary_key=True, autoincrement=False
    )
    book_id: Mapped[int] = mapped_column(BigInteger)
    normal_side: Mapped[int] = mapped_column(SmallInteger)
    guard: Mapped[int] = mapped_column(SmallInteger)
    closed: Mapped[int] = mapped_column(SmallInteger, default=0)
    dr_posted: Mapped[int] = mapped_column(CentsType, default=0)
    cr_posted: Mapped[int] = mapped_column(CentsType, default=0)
    dr_pending: Mapped[int] = mapped_column(CentsType, default=0)
    cr_pending: Mapped[int] = mapped_column(CentsType, default=0)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (
        CheckConstraint("guard IN (0, 1)", name="guard"),
        CheckConstraint("closed IN (0, 1)", name="closed"),
        CheckConstraint(
            "dr_posted >= 0 AND cr_posted >= 0 AND dr_pending >= 0 AND cr_pending >= 0 "
            "AND seq >= 0",
            name="counters",
        ),
        CheckConstraint(
            "guard = 0 OR (dr_pending >= cr_pending "
            "AND cr_posted >= dr_posted + dr_pending - cr_pending)",
            name="overdraft",
        ),
    )


class LedgerTxn(Base):
    """A transaction's header. Immutable."""

    __tablename__ = "ledger_txn"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_book.id"))
    kind: Mapped[str] = mapped_column(Ascii(20))
    phase: Mapped[int] = mapped_column(SmallInteger)
    idem_key: Mapped[bytes] = mapped_column(BINARY(16))
    request_hash: Mapped[bytes] = mapped_column(BINARY(32))
    effective_on: Mapped[date] = mapped_column(Date)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(String(120))
    category: Mapped[str | None] = mapped_column(Ascii(posting.CATEGORY_LENGTH))
    counterparty_ref: Mapped[str] = mapped_column(Ascii(posting.COUNTERPARTY_LENGTH))
    source_type: Mapped[str] = mapped_column(Ascii(posting.SOURCE_TYPE_LENGTH))
    source_ref: Mapped[str] = mapped_column(Ascii(posting.SOURCE_REF_LENGTH))
    memo: Mapped[str] = mapped_column(String(posting.MEMO_LENGTH))

    __table_args__ = (
        UniqueConstraint("book_id", "idem_key"),
        Index(None, "source_type", "source_ref"),
        Index(None, "effective_on"),
        one_of("kind", TxnKind),
        CheckConstraint("phase IN (0, 1, 2, 3)", name="phase"),
    )


class LedgerTxnLink(Base):
    """A tie between transactions. `exclusive_key` is 1 for a full reversal, else null. Immutable.

    Unique keys ignore nulls, so there are many partial ties but at most one full reversal.
    """

    __tablename__ = "ledger_txn_link"

    txn_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_txn.id"), primary_key=True, autoincrement=False
    )
    relation: Mapped[str] = mapped_column(Ascii(12), primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("ledger_txn.id"))
    exclusive_key: Mapped[int | None] = mapped_column(SmallInteger)

    __table_args__ = (
        UniqueConstraint("target_id", "relation", "exclusive_key"),
        one_of("relation", Relation),
        CheckConstraint("exclusive_key IS NULL OR exclusive_key = 1", name="exclusive_key"),
    )


class LedgerEntry(Base):
    """A leg in its account's dense sequence, with the balances after it. Immutable.

    `side` is 1 for a debit and -1 for a credit; the balances stand on the account's normal side.
    """

    __tablename__ = "ledger_entry"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_account.id"), primary_key=True, autoincrement=False
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    txn_id: Mapped[int] = mapped_column(ForeignKey("ledger_txn.id"))
    leg: Mapped[int] = mapped_column(SmallInteger)
    layer: Mapped[int] = mapped_column(SmallInteger)
    side: Mapped[int] = mapped_column(SmallInteger)
    amount_cents: Mapped[int] = mapped_column(CentsType)
    posted_after_cents: Mapped[int] = mapped_column(CentsType)
    pending_after_cents: Mapped[int] = mapped_column(CentsType)
    effective_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("txn_id", "leg"),
        Index(
            "ix_ledger_entry_statement",
            "account_id",
            "effective_on",
            "seq",
            "layer",
            "side",
            "amount_cents",
        ),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("leg >= 0", name="leg"),
        CheckConstraint("layer IN (0, 1)", name="layer"),
        CheckConstraint("side IN (1, -1)", name="side"),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
    )


class LedgerHold(Base):
    """Money held by the pending legs of one transaction, whose id it shares."""

    __tablename__ = "ledger_hold"

    id: Mapped[int] = mapped_column(
        ForeignKey("ledger_txn.id"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(Ascii(12))
    debit_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    credit_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    captured_cents: Mapped[int] = mapped_column(CentsType, default=0)
    released_cents: Mapped[int] = mapped_column(CentsType, default=0)
    source_type: Mapped[str] = mapped_column(Ascii(posting.SOURCE_TYPE_LENGTH))
    source_ref: Mapped[str] = mapped_column(Ascii(posting.SOURCE_REF_LENGTH))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(None, "debit_account_id", "kind"),
        Index(None, "expires_at"),
        one_of("kind", HoldKind),
        CheckConstraint(
            "amount_cents > 0 AND captured_cents >= 0 AND released_cents >= 0", name="amounts"
        ),
        CheckConstraint("captured_cents + released_cents <= amount_cents", name="covered"),
    )


class LedgerDaily(Base):
    """Posted sums of an account by effective day, rolled up to the seq that its mark names."""

    __tablename__ = "ledger_daily"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_account.id"), primary_key=True, autoincrement=False
    )
    effective_on: Mapped[date] = mapped_column(Date, primary_key=True)
    dr_cents: Mapped[int] = mapped_column(CentsType)
    cr_cents: Mapped[int] = mapped_column(CentsType)
    entries: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("dr_cents >= 0 AND cr_cents >= 0 AND entries > 0", name="sums"),
    )


class LedgerDailyMark(Base):
    """How far an account's entries are rolled up into its daily sums."""

    __tablename__ = "ledger_daily_mark"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_account.id"), primary_key=True, autoincrement=False
    )
    seq: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("seq >= 0", name="seq"),)


class LedgerOwnerDaily(Base):
    """Posted sums by owner, kind of account and effective day, up to the accounts' owner marks.

    The owner is whose money it is, a trust account; 0 where no entry tells.
    """

    __tablename__ = "ledger_owner_daily"

    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Ascii(32), primary_key=True)
    effective_on: Mapped[date] = mapped_column(Date, primary_key=True)
    dr_cents: Mapped[int] = mapped_column(CentsType)
    cr_cents: Mapped[int] = mapped_column(CentsType)
    entries: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("dr_cents >= 0 AND cr_cents >= 0 AND entries > 0", name="sums"),
    )


class LedgerOwnerMark(Base):
    """How far an account's entries are rolled up into the sums by owner."""

    __tablename__ = "ledger_owner_mark"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_account.id"), primary_key=True, autoincrement=False
    )
    seq: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("seq >= 0", name="seq"),)
