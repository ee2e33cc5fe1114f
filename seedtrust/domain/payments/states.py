"""The lives of payment instructions, runs and bank files, and the rails they travel on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# The exception item of a payment that came back, closed when another payment replaces it.
RETURNED_KIND: Final = "payment.returned"
# That of a payment that was not sent, closed likewise.
NOT_SENT_KIND: Final = "wire.not_sent"
# House policy, kept with each trust account: 7,500.00.
FIRST_PAYMENT_LIMIT_CENTS: Final = 750_000
# House policy, kept with each trust account: 25,000.00 by one e-check, 50,000.00 a day on a case.
PULL_LIMIT_CENTS: Final = 2_500_000
PULL_DAILY_LIMIT_CENTS: Final = 5_000_000
FIRST_CHECK_NUMBER: Final = 1001
MONEY_OUT: Final = "out"
MONEY_IN: Final = "in"


class Rail(StrEnum):
    """How money travels."""

    ACH = "ach"
    WIRE = "wire"


class CaseRail(StrEnum):
    """Which way a case pays its parties."""

    NACHA = "nacha"
    HUNTINGTON = "huntington"


class InstructionState(StrEnum):
    """Where one payment stands, from creation to the bank's last word."""

    CREATED = "CREATED"
    RELEASED = "RELEASED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


_I = InstructionState

INSTRUCTION_STEPS: Final = {
    _I.CREATED: {_I.RELEASED, _I.CANCELLED},
    _I.RELEASED: {_I.SUBMITTING, _I.CREATED, _I.CANCELLED},
    _I.SUBMITTING: {_I.SENT, _I.UNKNOWN, _I.REJECTED, _I.RELEASED},
    _I.UNKNOWN: {_I.SENT, _I.ACCEPTED, _I.SETTLED, _I.FAILED},
    _I.SENT: {_I.ACCEPTED, _I.SETTLED, _I.REJECTED, _I.RETURNED, _I.CANCELLED},
    _I.ACCEPTED: {_I.SETTLED, _I.REJECTED, _I.RETURNED, _I.CANCELLED},
    _I.SETTLED: {_I.RETURNED},
    _I.REJECTED: set(),
    _I.RETURNED: set(),
    _I.CANCELLED: set(),
    _I.FAILED: set(),
}

LIVE_STATES: Final = frozenset(
    {_I.CREATED, _I.RELEASED, _I.SUBMITTING, _I.UNKNOWN, _I.SENT, _I.ACCEPTED, _I.SETTLED}
)
IN_FLIGHT_STATES: Final = frozenset({_I.SENT, _I.ACCEPTED})
# The bank may or may not have it: nothing is sent again before the bank was asked.
UNCLEAR_STATES: Final = frozenset({_I.SUBMITTING, _I.UNKNOWN})

INSTRUCTION_LABELS: Final = {
    _I.CREATED: "Created",
    _I.RELEASED: "Released",
    _I.SUBMITTING: "Being sent",
    _I.UNKNOWN: "Outcome unknown",
    _I.SENT: "Sent to the bank",
    _I.ACCEPTED: "Accepted by the bank",
    _I.SETTLED: "Settled",
    _I.REJECTED: "Rejected by the bank",
    _I.RETURNED: "Returned",
    _I.CANCELLED: "Cancelled",
    _I.FAILED: "Not sent",
}

INSTRUCTION_TONES: Final = {
    _I.CREATED: "neutral",
    _I.RELEASED: "info",
    _I.SUBMITTING: "info",
    _I.UNKNOWN: "bad",
    _I.SENT: "info",
    _I.ACCEPTED: "info",
    _I.SETTLED: "ok",
    _I.REJECTED: "bad",
    _I.RETURNED: "bad",
    _I.CANCELLED: "neutral",
    _I.FAILED: "bad",
}


class CancellationState(StrEnum):
    """What became of the wish that the bank stop a payment; only the bank's word ends it."""

    ASKED = "ASKED"
    CANCELLED = "CANCELLED"
    TOO_LATE = "TOO_LATE"


CANCELLATION_LABELS: Final = {
    CancellationState.ASKED: "The bank has not said yet",
    CancellationState.CANCELLED: "Stopped by the bank",
    CancellationState.TOO_LATE: "Not stopped",
}

CANCELLATION_TONES: Final = {
    CancellationState.ASKED: "warn",
    CancellationState.CANCELLED: "ok",
    CancellationState.TOO_LATE: "bad",
}


class RunState(StrEnum):
    """Where a payment run stands."""

    OPEN = "OPEN"
    LOCKED = "LOCKED"
    RELEASED = "RELEASED"
    UNKNOWN = "UNKNOWN"
    TRANSMITTED = "TRANSMITTED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


_R = RunState

RUN_STEPS: Final = {
    _R.OPEN: {_R.LOCKED, _R.CANCELLED},
    _R.LOCKED: {_R.RELEASED, _R.OPEN},
    _R.RELEASED: {_R.TRANSMITTED, _R.UNKNOWN, _R.OPEN, _R.CANCELLED},
    _R.UNKNOWN: {_R.TRANSMITTED, _R.RELEASED},
    _R.TRANSMITTED: {_R.ACKNOWLEDGED, _R.REJECTED},
    _R.ACKNOWLEDGED: {_R.SETTLED},
    _R.SETTLED: set(),
    _R.REJECTED: set(),
    _R.CANCELLED: set(),
}

RUN_LABELS: Final = {
    _R.OPEN: "Open",
    _R.LOCKED: "Locked, waiting for release",
    _R.RELEASED: "Released",
    _R.UNKNOWN: "Delivery unclear",
    _R.TRANSMITTED: "Transmitted",
    _R.ACKNOWLEDGED: "Acknowledged by the bank",
    _R.SETTLED: "Settled",
    _R.REJECTED: "Rejected by the bank",
    _R.CANCELLED: "Cancelled",
}

RUN_TONES: Final = {
    _R.OPEN: "neutral",
    _R.LOCKED: "warn",
    _R.RELEASED: "info",
    _R.UNKNOWN: "bad",
    _R.TRANSMITTED: "info",
    _R.ACKNOWLEDGED: "info",
    _R.SETTLED: "ok",
    _R.REJECTED: "bad",
    _R.CANCELLED: "neutral",
}


class FileState(StrEnum):
    """Where a bank file stands; its bytes never change after sealing."""

    SEALED = "SEALED"
    TRANSMITTED = "TRANSMITTED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REJECTED = "REJECTED"
    SETTLED = "SETTLED"
    DISCARDED = "DISCARDED"


class ReconciliationStatus(StrEnum):
    """Whether the bank's statement shows the movement; separate from the payment's own state."""

    UNMATCHED = "unmatched"
    MATCHED = "matched"
    EXCEPTION = "exception"


class ExceptionReason(StrEnum):
    """Why something due is not in a run."""

    NO_ACTIVE_ACCOUNT = "no_active_account"
    COOLING_OFF = "cooling_off"
    ACCOUNT_CHANGE_OPEN = "account_change_open"
    HOLD = "hold"
    CAP = "cap"
    INSUFFICIENT = "insufficient"
    DUPLICATE_SUSPICION = "duplicate_suspicion"
    NOT_DUE = "not_due"
    CASE_STAGE = "case_stage"


EXCEPTION_LABELS: Final = {
    ExceptionReason.NO_ACTIVE_ACCOUNT: "The payee has no active account",
    ExceptionReason.COOLING_OFF: "The payee's new account is cooling off",
    ExceptionReason.ACCOUNT_CHANGE_OPEN: "A change of the payee's account is open",
    ExceptionReason.HOLD: "A hold blocks it",
    ExceptionReason.CAP: "A cap is reached",
    ExceptionReason.INSUFFICIENT: "The available balance is too low",
    ExceptionReason.DUPLICATE_SUSPICION: "It looks like a duplicate",
    ExceptionReason.NOT_DUE: "It is not due yet",
    ExceptionReason.CASE_STAGE: "The case's stage does not allow it",
}


class CorrectionState(StrEnum):
    """Where a notification of change stands."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    APPLIED = "APPLIED"
    SET_ASIDE = "SET_ASIDE"


CORRECTION_STEPS: Final = {
    CorrectionState.OPEN: {CorrectionState.PROPOSED, CorrectionState.SET_ASIDE},
    CorrectionState.PROPOSED: {
        CorrectionState.OPEN,
        CorrectionState.APPLIED,
        CorrectionState.SET_ASIDE,
    },
    CorrectionState.APPLIED: set(),
    CorrectionState.SET_ASIDE: set(),
}

CORRECTION_LABELS: Final = {
    CorrectionState.OPEN: "To be applied",
    CorrectionState.PROPOSED: "Waiting for a second person",
    CorrectionState.APPLIED: "Applied",
    CorrectionState.SET_ASIDE: "Set aside",
}

CORRECTION_TONES: Final = {
    CorrectionState.OPEN: "warn",
    CorrectionState.PROPOSED: "info",
    CorrectionState.APPLIED: "ok",
    CorrectionState.SET_ASIDE: "neutral",
}

UNDECIDED_CORRECTIONS: Final = frozenset({CorrectionState.OPEN, CorrectionState.PROPOSED})
# The originator changes the account within this many banking days of receipt (Nacha rules).
CORRECTION_BANKING_DAYS: Final = 6


class LimitChangeState(StrEnum):
    """Whether a second person has let another limit hold."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
