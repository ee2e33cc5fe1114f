"""The lives of an authorisation and of an e-check."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AuthorisationState(StrEnum):
    """Whether an account may be debited."""

    GIVEN = "GIVEN"
    ACTIVE = "ACTIVE"
    REVOKED = "REVOKED"
    BLOCKED = "BLOCKED"


_A = AuthorisationState

AUTHORISATION_STEPS: Final = {
    _A.GIVEN: frozenset({_A.ACTIVE, _A.REVOKED, _A.BLOCKED}),
    _A.ACTIVE: frozenset({_A.REVOKED, _A.BLOCKED}),
    _A.REVOKED: frozenset[AuthorisationState](),
    _A.BLOCKED: frozenset[AuthorisationState](),
}
AUTHORISATION_LABELS: Final = {
    _A.GIVEN: "Waiting for the account's check",
    _A.ACTIVE: "In use",
    _A.REVOKED: "Revoked",
    _A.BLOCKED: "Blocked",
}
AUTHORISATION_TONES: Final = {
    _A.GIVEN: "warn",
    _A.ACTIVE: "ok",
    _A.REVOKED: "neutral",
    _A.BLOCKED: "bad",
}


class PullState(StrEnum):
    """Where one e-check stands."""

    REQUESTED = "REQUESTED"
    RELEASED = "RELEASED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    SETTLED = "SETTLED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


_P = PullState

PULL_STEPS: Final = {
    _P.REQUESTED: frozenset({_P.RELEASED, _P.CANCELLED}),
    _P.RELEASED: frozenset({_P.SUBMITTING, _P.CANCELLED}),
    _P.SUBMITTING: frozenset({_P.SENT, _P.UNKNOWN, _P.REJECTED, _P.RELEASED}),
    _P.UNKNOWN: frozenset({_P.SENT, _P.REJECTED}),
    _P.SENT: frozenset({_P.SETTLED, _P.REJECTED}),
    _P.SETTLED: frozenset({_P.RETURNED}),
    _P.RETURNED: frozenset[PullState](),
    _P.REJECTED: frozenset[PullState](),
    _P.CANCELLED: frozenset[PullState](),
}
PULL_LABELS: Final = {
    _P.REQUESTED: "Waiting for a second person",
    _P.RELEASED: "Goes with the next file",
    _P.SUBMITTING: "Being sent",
    _P.UNKNOWN: "Outcome unknown",
    _P.SENT: "In process at the bank",
    _P.SETTLED: "Received",
    _P.RETURNED: "Returned",
    _P.REJECTED: "Refused by the bank",
    _P.CANCELLED: "Cancelled",
}
PULL_TONES: Final = {
    _P.REQUESTED: "warn",
    _P.RELEASED: "info",
    _P.SUBMITTING: "info",
    _P.UNKNOWN: "bad",
    _P.SENT: "info",
    _P.SETTLED: "ok",
    _P.RETURNED: "bad",
    _P.REJECTED: "bad",
    _P.CANCELLED: "neutral",
}
# From being asked for until the bank has given its word: nothing else may be drawn meanwhile.
OPEN_PULLS: Final = frozenset({_P.REQUESTED, _P.RELEASED, _P.SUBMITTING, _P.UNKNOWN, _P.SENT})
UNCLEAR_PULLS: Final = frozenset({_P.SUBMITTING, _P.UNKNOWN})
TO_SEND: Final = frozenset({_P.RELEASED, *UNCLEAR_PULLS})

# A debit that found no money may be presented twice more within 180 days of the first one's
# settlement, for the same amount and under this description (Nacha Operating Rules, reinitiation).
MOST_PRESENTMENTS: Final = 3
PRESENTMENT_DAYS: Final = 180
DESCRIPTION: Final = "ESCROWDEP"
RETRY_DESCRIPTION: Final = "RETRY PYMT"
# A consumer's bank may return an unauthorised debit for sixty days.
RETURN_RISK_DAYS: Final = 60
