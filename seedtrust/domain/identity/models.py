"""Tables of people, their grants, their sessions and the tokens that let them in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, UtcDateTime, one_of
from seedtrust.core.permissions import Role
from seedtrust.domain.identity.states import (
    EndReason,
    SessionStage,
    ThrottleKind,
    UserKind,
    UserStatus,
)


class User(Base):
    """Somebody who may sign in; parties of all cases and the company's own people."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("kind", UserKind),
        one_of("status", UserStatus),
        Index(None, "agency_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    # Canonical: lower case, ASCII; unique by bytes.
    email: Mapped[str] = mapped_column(Ascii(254), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(Ascii(10))
    status: Mapped[str] = mapped_column(Ascii(10))
    agency_id: Mapped[int | None] = mapped_column(BigInteger)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_set_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Sealed; the row's id is part of the seal.
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own attribute


class UserRole(Base):
    """One role that a person holds or held; `current` is NULL once it was revoked."""

    __tablename__ = "user_roles"
    __table_args__ = (one_of("role", Role), UniqueConstraint("user_id", "role", "current"))

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(Ascii(40))
    current: Mapped[bool | None] = mapped_column(Boolean)
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_by: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[int | None] = mapped_column(BigInteger)


class WebSession(Base):
    """One sign-in to the admin pages; the cookie holds the key, the row only its hash."""

    __tablename__ = "web_sessions"
    __table_args__ = (
        one_of("stage", SessionStage),
        one_of("end_reason", EndReason),
        Index(None, "user_id", "ended_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key_hash: Mapped[str] = mapped_column(Ascii(64), unique=True)
    stage: Mapped[str] = mapped_column(Ascii(10))
    address: Mapped[str] = mapped_column(Ascii(45))
    browser: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stepped_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Ascii(30))


class RefreshFamily(Base):
    """One sign-in to the API: the access tokens name it, the refresh tokens descend from it."""

    __tablename__ = "refresh_families"
    __table_args__ = (one_of("end_reason", EndReason), Index(None, "user_id", "ended_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    address: Mapped[str] = mapped_column(Ascii(45))
    browser: Mapped[str] = mapped_column(String(200))
    second_factor: Mapped[bool] = mapped_column(Boolean)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stepped_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Ascii(30))


class RefreshToken(Base):
    """One refresh token by its hash; a used one keeps its successor sealed for the grace."""

    __tablename__ = "refresh_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    family_id: Mapped[int] = mapped_column(ForeignKey("refresh_families.id"), index=True)
    token_hash: Mapped[str] = mapped_column(Ascii(64), unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # One successor at most, so a family never has two live branches.
    successor_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    successor_sealed: Mapped[str | None] = mapped_column(Text)


class MfaChallenge(Base):
    """A correct password that still waits for its second factor, at the API's door."""

    __tablename__ = "mfa_challenges"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(Ascii(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(Base):
    """A single-use way to set the first password; the link holds the token, the row its hash."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(Ascii(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInThrottle(Base):
    """Failed attempts of one account or address; waiting grows, nobody is locked out."""

    __tablename__ = "sign_in_throttles"
    __table_args__ = (one_of("kind", ThrottleKind), UniqueConstraint("kind", "subject"))

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Ascii(10))
    # A keyed fingerprint: the table tells nobody which addresses were tried.
    subject: Mapped[str] = mapped_column(Ascii(64))
    failures: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
