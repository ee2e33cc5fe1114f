"""The words of identity: kinds of people, life of an account, reasons why a session ended."""

from __future__ import annotations

from enum import StrEnum


class UserKind(StrEnum):
    """Whether somebody works for the company or is a party to a case."""

    STAFF = "staff"
    PARTY = "party"


class UserStatus(StrEnum):
    """Where an account stands: INVITED, then ACTIVE, then perhaps DISABLED."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class SessionStage(StrEnum):
    """How far a sign-in has come; only FULL reaches anything but the second factor."""

    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    FULL = "full"


class EndReason(StrEnum):
    """Why a session is over; clients are told."""

    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ROTATED = "rotated"
    REFRESH_REUSED = "refresh_reused"
    ACCOUNT_DISABLED = "account_disabled"
    CREDENTIAL_CHANGED = "credential_changed"
    ROLE_REMOVED = "role_removed"


class ThrottleKind(StrEnum):
    """What failed attempts are counted by."""

    ACCOUNT = "account"
    ADDRESS = "address"
    TOTP = "totp"
