"""The lives of a deposit, of a shortage, and of a request for funds."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class DepositState(StrEnum):
    """From the bank's word to spendable money."""

    EXPECTED = "EXPECTED"
    IN_PROCESS = "IN_PROCESS"
    UNIDENTIFIED = "UNIDENTIFIED"
    MATCHED = "MATCHED"
    RECEIVED = "RECEIVED"
    COLLECTED = "COLLECTED"
    RETURNED = "RETURNED"
    SENT_BACK = "SENT_BACK"


STEPS: Final = {
    DepositState.EXPECTED: {DepositState.IN_PROCESS},
    DepositState.IN_PROCESS: {DepositState.RECEIVED, DepositState.RETURNED},
    # A check may bounce before anybody has found out whose it was.
    DepositState.UNIDENTIFIED: {
        DepositState.MATCHED,
        DepositState.SENT_BACK,
        DepositState.RETURNED,
    },
    DepositState.MATCHED: {DepositState.RECEIVED},
    DepositState.RECEIVED: {DepositState.COLLECTED, DepositState.RETURNED},
    DepositState.COLLECTED: {DepositState.RETURNED},
    DepositState.RETURNED: set(),
    DepositState.SENT_BACK: set(),
}

UNIDENTIFIED_KIND: Final = "deposit.unidentified"
# Banking days from the deposit of a check until its money counts as collected.
CHECK_BANKING_DAYS: Final = 5


class ReceiptRail(StrEnum):
    """How money reached the trust account; checks and e-checks may come back, a wire may not."""

    WIRE = "wire"
    CHECK = "check"
    ECHECK = "echeck"


class ShortageState(StrEnum):
    """Whether the company still owes the trust what a bounced deposit took."""

    OPEN = "OPEN"
    CURED = "CURED"


class CureSource(StrEnum):
    """Whose money made a shortage good."""

    CASE = "case"
    ADVANCE = "advance"


class DecisionKind(StrEnum):
    """What two people decide about a shortage."""

    ADVANCE = "advance"
    REPAYMENT = "repayment"
    LIFT = "lift"


class DecisionState(StrEnum):
    """From one person's proposal to what came of it."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    DONE = "DONE"
    WITHDRAWN = "WITHDRAWN"


DECISION_STEPS: Final = {
    # An advance waits for the company's money; the others are done with their approval.
    DecisionState.PROPOSED: frozenset(
        {DecisionState.APPROVED, DecisionState.DONE, DecisionState.WITHDRAWN}
    ),
    DecisionState.APPROVED: frozenset({DecisionState.DONE, DecisionState.WITHDRAWN}),
    # A repayment that the bank never made is taken back.
    DecisionState.DONE: frozenset({DecisionState.WITHDRAWN}),
    DecisionState.WITHDRAWN: frozenset[DecisionState](),
}


class FundingState(StrEnum):
    """Where a request for funds stands."""

    DRAFT = "DRAFT"
    SENT = "SENT"
    PART_FUNDED = "PART_FUNDED"
    FUNDED = "FUNDED"
    OVERDUE = "OVERDUE"
    ESCALATED = "ESCALATED"
    CANCELLED = "CANCELLED"


class FundingCause(StrEnum):
    """Why parents are asked for money."""

    MINIMUM = "minimum"
    MILESTONE = "milestone"
    HAND = "hand"


_F: Final = FundingState
FUNDING_STEPS: Final = {
    _F.DRAFT: frozenset({_F.SENT, _F.CANCELLED}),
    _F.SENT: frozenset({_F.PART_FUNDED, _F.FUNDED, _F.OVERDUE, _F.CANCELLED}),
    # Back to SENT only when a check that funded it in part bounces.
    _F.PART_FUNDED: frozenset({_F.FUNDED, _F.OVERDUE, _F.CANCELLED, _F.SENT}),
    _F.OVERDUE: frozenset({_F.PART_FUNDED, _F.FUNDED, _F.ESCALATED, _F.CANCELLED}),
    _F.ESCALATED: frozenset({_F.PART_FUNDED, _F.FUNDED, _F.CANCELLED}),
    _F.FUNDED: frozenset({_F.PART_FUNDED, _F.SENT}),
    _F.CANCELLED: frozenset[FundingState](),
}
# Parents know of these and still owe something.
AWAITED: Final = frozenset({_F.SENT, _F.PART_FUNDED, _F.OVERDUE, _F.ESCALATED})
OPEN_FUNDING: Final = AWAITED | {_F.DRAFT}
FUNDING_LABELS: Final = {
    _F.DRAFT: "Draft",
    _F.SENT: "Sent",
    _F.PART_FUNDED: "Funded in part",
    _F.FUNDED: "Funded",
    _F.OVERDUE: "Overdue",
    _F.ESCALATED: "Escalated",
    _F.CANCELLED: "Withdrawn",
}
FUNDING_TONES: Final = {
    _F.DRAFT: "neutral",
    _F.SENT: "info",
    _F.PART_FUNDED: "info",
    _F.FUNDED: "ok",
    _F.OVERDUE: "warn",
    _F.ESCALATED: "bad",
    _F.CANCELLED: "neutral",
}
