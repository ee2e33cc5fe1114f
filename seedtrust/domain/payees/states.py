"""The life of a payee account and the words around it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class PayeeKind(StrEnum):
    """People are paid by PPD entries, companies by CCD."""

    PERSON = "person"
    COMPANY = "company"


class AccountType(StrEnum):
    """What kind of bank account it is."""

    CHECKING = "checking"
    SAVINGS = "savings"


class AccountState(StrEnum):
    """From submission to use; only ACTIVE is ever paid."""

    SUBMITTED = "SUBMITTED"
    CHECKED = "CHECKED"
    VERIFIED = "VERIFIED"
    APPROVED = "APPROVED"
    COOLING = "COOLING"
    ACTIVE = "ACTIVE"
    SUPERSEDED = "SUPERSEDED"
    BLOCKED = "BLOCKED"
    REJECTED = "REJECTED"


_BEFORE_ACTIVE = {
    AccountState.SUBMITTED,
    AccountState.CHECKED,
    AccountState.VERIFIED,
    AccountState.APPROVED,
    AccountState.COOLING,
}

STEPS: Final = {
    AccountState.SUBMITTED: {AccountState.CHECKED, AccountState.REJECTED},
    AccountState.CHECKED: {AccountState.VERIFIED, AccountState.REJECTED},
    AccountState.VERIFIED: {AccountState.APPROVED, AccountState.REJECTED},
    AccountState.APPROVED: {AccountState.COOLING, AccountState.ACTIVE, AccountState.REJECTED},
    AccountState.COOLING: {AccountState.ACTIVE, AccountState.REJECTED},
    AccountState.ACTIVE: {AccountState.SUPERSEDED, AccountState.BLOCKED},
    AccountState.BLOCKED: {AccountState.ACTIVE, AccountState.SUPERSEDED},
    AccountState.SUPERSEDED: set(),
    AccountState.REJECTED: set(),
}

OPEN_CHANGE: Final = frozenset(_BEFORE_ACTIVE)

STATE_LABELS: Final = {
    AccountState.SUBMITTED: "Submitted",
    AccountState.CHECKED: "Checked, call-back next",
    AccountState.VERIFIED: "Verified, waiting for approval",
    AccountState.APPROVED: "Approved",
    AccountState.COOLING: "Cooling off",
    AccountState.ACTIVE: "Active",
    AccountState.SUPERSEDED: "Replaced",
    AccountState.BLOCKED: "Blocked",
    AccountState.REJECTED: "Rejected",
}

STATE_TONES: Final = {
    AccountState.SUBMITTED: "warn",
    AccountState.CHECKED: "warn",
    AccountState.VERIFIED: "warn",
    AccountState.APPROVED: "info",
    AccountState.COOLING: "info",
    AccountState.ACTIVE: "ok",
    AccountState.SUPERSEDED: "neutral",
    AccountState.BLOCKED: "bad",
    AccountState.REJECTED: "neutral",
}

# A new account that replaces another waits this long, so that the payee can object.
COOLING_BANKING_DAYS: Final = 3
