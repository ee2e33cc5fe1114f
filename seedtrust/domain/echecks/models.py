"""Tables of authorisations to debit an account, and of the debits drawn under them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.echecks.states import AuthorisationState, PullState
from seedtrust.domain.payees.states import AccountType


class DebitAuthorisation(Base):
    """What somebody agreed to, word for word, when and from where, for which account."""

    __tablename__ = "debit_authorisations"
    __table_args__ = (
        one_of("state", AuthorisationState),
        one_of("account_type", AccountType),
        Index(None, "case_id", "id"),
        Index(None, "account_fingerprint"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    # Whose account it is; NULL when a signed paper was recorded for somebody without a login.
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Ascii(20))
    holder_name: Mapped[str] = mapped_column(String(120))
    account_type: Mapped[str] = mapped_column(Ascii(20))
    routing_number: Mapped[str] = mapped_column(Ascii(9))
    account_number_sealed: Mapped[str] = mapped_column(Text)
    account_fingerprint: Mapped[str] = mapped_column(Ascii(64))
    last_four: Mapped[str] = mapped_column(Ascii(4))
    # WEB for one given here, PPD for a signed paper (Nacha Operating Rules, entry classes).
    sec_code: Mapped[str] = mapped_column(Ascii(3))
    text: Mapped[str] = mapped_column(String(1000))
    paper: Mapped[str] = mapped_column(String(200), default="")
    given_by: Mapped[str] = mapped_column(String(200))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    given_from: Mapped[str] = mapped_column(Ascii(45))
    checked_by: Mapped[str] = mapped_column(String(200), default="")
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    check_note: Mapped[str] = mapped_column(String(300), default="")
    ended_by: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class EcheckPull(Base):
    """One debit of an authorised account, from being asked for until the bank's last word."""

    __tablename__ = "echeck_pulls"
    __table_args__ = (
        one_of("state", PullState),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("presentment BETWEEN 1 AND 3", name="presented_thrice_at_most"),
        UniqueConstraint("first_pull_id", "presentment"),
        Index(None, "run_id", "position"),
        Index(None, "state", "trust_account_id"),
        Index(None, "case_id", "id"),
        Index(None, "trace_number"),
        Index(None, "trust_account_id", "sent_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    authorisation_id: Mapped[int] = mapped_column(ForeignKey("debit_authorisations.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    trust_account_id: Mapped[int] = mapped_column(ForeignKey("trust_accounts.id"))
    funding_request_id: Mapped[int] = mapped_column(ForeignKey("funding_requests.id"))
    # Holds the request's id while the bank has not given its word, NULL after: one at a time.
    live_funding_request_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    # The debit that this one presents again; its own id for a first one. Tries are counted by it.
    first_pull_id: Mapped[int] = mapped_column(BigInteger)
    presentment: Mapped[int] = mapped_column(Integer)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("payment_runs.id"))
    position: Mapped[int] = mapped_column(Integer, default=0)
    deposit_id: Mapped[int | None] = mapped_column(ForeignKey("deposits.id"), unique=True)
    amount_cents: Mapped[int] = mapped_column(CentsType)
    state: Mapped[str] = mapped_column(Ascii(20))
    state_since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state_reason: Mapped[str] = mapped_column(String(300), default="")
    asked_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_on: Mapped[date] = mapped_column()
    released_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    released_by: Mapped[str] = mapped_column(String(200), default="")
    sec_code: Mapped[str] = mapped_column(Ascii(3))
    entry_description: Mapped[str] = mapped_column(String(10))
    trace_number: Mapped[str | None] = mapped_column(Ascii(15))
    odfi_identification: Mapped[str] = mapped_column(Ascii(8), default="")
    effective_on: Mapped[date | None] = mapped_column()
    sent_on: Mapped[date | None] = mapped_column()
    settled_on: Mapped[date | None] = mapped_column()
    # The day on which the books took it back: refused, or returned.
    ended_on: Mapped[date | None] = mapped_column()
    return_code: Mapped[str] = mapped_column(Ascii(3), default="")
    # The fence of one sender: a stalled one that wakes up finds another number and stops.
    send_attempt: Mapped[int] = mapped_column(Integer, default=0)
    bank_payment_ref: Mapped[str] = mapped_column(Ascii(80), default="")
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form
