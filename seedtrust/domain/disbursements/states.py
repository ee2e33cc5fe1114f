"""The life of a disbursement request: states, events, and the one table of steps."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RequestState(StrEnum):
    """Where a request stands."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    NEEDS_INFO = "NEEDS_INFO"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    APPROVED = "APPROVED"
    READY = "READY"
    INSUFFICIENT = "INSUFFICIENT"
    ON_HOLD = "ON_HOLD"
    IN_PAYMENT = "IN_PAYMENT"
    PAID = "PAID"
    RETURNED = "RETURNED"
    DENIED = "DENIED"
    DISPUTED = "DISPUTED"
    CANCELLED = "CANCELLED"


class RequestEvent(StrEnum):
    """What moves a request."""

    SUBMIT = "submit"
    START_REVIEW = "start_review"
    ASK = "ask"
    ANSWER = "answer"
    ACCEPT_FOR_APPROVAL = "accept_for_approval"
    ACCEPT_PRE_AUTHORISED = "accept_pre_authorised"
    REFUSE = "refuse"
    APPROVE = "approve"
    DENY = "deny"
    DISPUTE = "dispute"
    TIMER_APPROVE = "timer_approve"
    SEND_BACK = "send_back"
    RESERVE = "reserve"
    FIND_INSUFFICIENT = "find_insufficient"
    HOLD = "hold"
    RECHECK = "recheck"
    RELEASE_RESERVATION = "release_reservation"
    ADD_TO_RUN = "add_to_run"
    LEAVE_RUN = "leave_run"
    SETTLE = "settle"
    RETURN = "return"
    PAY_AGAIN = "pay_again"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    EXPIRE = "expire"
    RESOLVE_APPROVED = "resolve_approved"
    RESOLVE_DENIED = "resolve_denied"


class RequestKind(StrEnum):
    """Who set the request going; it becomes the kind of its ledger line."""

    REQUEST = "request"
    SCHEDULED = "scheduled"
    REFUND = "refund"


S = RequestState
E = RequestEvent

STEPS: Final = {
    (S.DRAFT, E.SUBMIT): S.SUBMITTED,
    (S.SUBMITTED, E.START_REVIEW): S.IN_REVIEW,
    (S.IN_REVIEW, E.ASK): S.NEEDS_INFO,
    (S.PENDING_APPROVAL, E.ASK): S.NEEDS_INFO,
    (S.NEEDS_INFO, E.ANSWER): S.IN_REVIEW,
    (S.NEEDS_INFO, E.EXPIRE): S.CANCELLED,
    (S.IN_REVIEW, E.ACCEPT_FOR_APPROVAL): S.PENDING_APPROVAL,
    (S.IN_REVIEW, E.ACCEPT_PRE_AUTHORISED): S.APPROVED,
    (S.IN_REVIEW, E.REFUSE): S.DENIED,
    (S.PENDING_APPROVAL, E.APPROVE): S.APPROVED,
    (S.PENDING_APPROVAL, E.TIMER_APPROVE): S.APPROVED,
    (S.PENDING_APPROVAL, E.DENY): S.DENIED,
    (S.PENDING_APPROVAL, E.DISPUTE): S.DISPUTED,
    (S.APPROVED, E.SEND_BACK): S.IN_REVIEW,
    (S.APPROVED, E.RESERVE): S.READY,
    (S.APPROVED, E.FIND_INSUFFICIENT): S.INSUFFICIENT,
    (S.APPROVED, E.HOLD): S.ON_HOLD,
    (S.READY, E.HOLD): S.ON_HOLD,
    (S.INSUFFICIENT, E.RECHECK): S.APPROVED,
    (S.ON_HOLD, E.RECHECK): S.APPROVED,
    (S.READY, E.RELEASE_RESERVATION): S.APPROVED,
    (S.READY, E.ADD_TO_RUN): S.IN_PAYMENT,
    (S.IN_PAYMENT, E.LEAVE_RUN): S.READY,
    (S.IN_PAYMENT, E.SETTLE): S.PAID,
    (S.IN_PAYMENT, E.RETURN): S.RETURNED,
    (S.PAID, E.RETURN): S.RETURNED,
    (S.RETURNED, E.PAY_AGAIN): S.APPROVED,
    (S.RETURNED, E.CANCEL): S.CANCELLED,
    (S.DRAFT, E.WITHDRAW): S.CANCELLED,
    (S.SUBMITTED, E.WITHDRAW): S.CANCELLED,
    (S.IN_REVIEW, E.WITHDRAW): S.CANCELLED,
    (S.NEEDS_INFO, E.WITHDRAW): S.CANCELLED,
    (S.PENDING_APPROVAL, E.WITHDRAW): S.CANCELLED,
    (S.APPROVED, E.WITHDRAW): S.CANCELLED,
    (S.READY, E.WITHDRAW): S.CANCELLED,
    (S.INSUFFICIENT, E.WITHDRAW): S.CANCELLED,
    (S.ON_HOLD, E.WITHDRAW): S.CANCELLED,
    (S.APPROVED, E.CANCEL): S.CANCELLED,
    (S.READY, E.CANCEL): S.CANCELLED,
    (S.INSUFFICIENT, E.CANCEL): S.CANCELLED,
    (S.ON_HOLD, E.CANCEL): S.CANCELLED,
    (S.DISPUTED, E.RESOLVE_APPROVED): S.APPROVED,
    (S.DISPUTED, E.RESOLVE_DENIED): S.DENIED,
}

OPEN_STATES: Final = frozenset(
    {
        S.SUBMITTED,
        S.IN_REVIEW,
        S.NEEDS_INFO,
        S.PENDING_APPROVAL,
        S.APPROVED,
        S.READY,
        S.INSUFFICIENT,
        S.ON_HOLD,
        S.IN_PAYMENT,
        S.RETURNED,
        S.DISPUTED,
    }
)

STATE_LABELS: Final = {
    S.DRAFT: "Draft",
    S.SUBMITTED: "Submitted",
    S.IN_REVIEW: "In review",
    S.NEEDS_INFO: "More information needed",
    S.PENDING_APPROVAL: "Waiting for approval",
    S.APPROVED: "Approved",
    S.READY: "Reserved",
    S.INSUFFICIENT: "Insufficient funds",
    S.ON_HOLD: "On hold",
    S.IN_PAYMENT: "In payment",
    S.PAID: "Paid",
    S.RETURNED: "Returned by bank",
    S.DENIED: "Not approved",
    S.DISPUTED: "Disputed",
    S.CANCELLED: "Withdrawn",
}

# What people outside read; internal words such as insufficient are never shown to them.
CLIENT_LABELS: Final = {
    S.DRAFT: "Draft",
    S.SUBMITTED: "Submitted",
    S.IN_REVIEW: "Being reviewed",
    S.NEEDS_INFO: "More information needed",
    S.PENDING_APPROVAL: "Waiting for approval",
    S.APPROVED: "Approved",
    S.READY: "Approved",
    S.INSUFFICIENT: "On hold",
    S.ON_HOLD: "On hold",
    S.IN_PAYMENT: "Sent",
    S.PAID: "Paid",
    S.RETURNED: "Returned by bank",
    S.DENIED: "Not approved",
    S.DISPUTED: "On hold",
    S.CANCELLED: "Withdrawn",
}

# One of five tones goes with every word, in badges, timelines and charts alike.
STATE_TONES: Final = {
    S.DRAFT: "neutral",
    S.SUBMITTED: "info",
    S.IN_REVIEW: "info",
    S.NEEDS_INFO: "warn",
    S.PENDING_APPROVAL: "warn",
    S.APPROVED: "info",
    S.READY: "info",
    S.INSUFFICIENT: "bad",
    S.ON_HOLD: "bad",
    S.IN_PAYMENT: "info",
    S.PAID: "ok",
    S.RETURNED: "bad",
    S.DENIED: "neutral",
    S.DISPUTED: "bad",
    S.CANCELLED: "neutral",
}
