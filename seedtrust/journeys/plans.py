"""What the drawn journeys are: their kinds, where they stand at the end, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Where a journey stops, in banking days after it opened, by what its case is then called.
DONATION_STOPS: Final[Mapping[str, int]] = {
    "AWAITING_ESCROW_AGREEMENT": 2,
    "PENDING_FUNDING": 4,
    "CANCELLED": 4,
    "AWAITING_EXECUTED_AGREEMENT": 13,
    "ON_HOLD": 13,
    "CYCLE_IN_PROGRESS": 30,
    "POST_RETRIEVAL": 55,
    "AWAITING_CLOSE_APPROVAL": 62,
    "FINAL_ACCOUNTING": 64,
    "FINAL_DISBURSEMENT": 65,
    "CLOSED": 99,
}
SURROGACY_STOPS: Final[Mapping[str, int]] = {
    "AWAITING_ESCROW_AGREEMENT": 2,
    "PENDING_FUNDING": 4,
    "CANCELLED": 4,
    "AWAITING_EXECUTED_AGREEMENT": 18,
    "ON_HOLD": 18,
    "AWAITING_HEARTBEAT": 40,
    "PREGNANT": 150,
    "POST_DELIVERY": 240,
}


@dataclass(frozen=True)
class Plan:
    """One journey: its kind, the stage in which it stands at the end, and what goes wrong.

    `ages` are the least and the most banking days for which it has been open on the day on which
    people last act: enough for everything that happens, and not so many that its stage is over.
    """

    kind: str
    stage: str
    trouble: str
    ages: tuple[int, int]

    @property
    def is_surrogacy(self) -> bool:
        """Tell whether somebody carries the child."""
        return self.kind == "surrogacy"

    @property
    def stops(self) -> Mapping[str, int]:
        """Return where journeys of the kind stop."""
        return SURROGACY_STOPS if self.is_surrogacy else DONATION_STOPS


def _surrogacy(stage: str, trouble: str, ages: tuple[int, int]) -> Plan:
    return Plan("surrogacy", stage, trouble, ages)


def _donation(stage: str, trouble: str, ages: tuple[int, int]) -> Plan:
    return Plan("egg_donation", stage, trouble, ages)


PLANS: Final = (
    _surrogacy("PREGNANT", "account_closed", (130, 185)),
    _donation("CLOSED", "denied", (70, 225)),
    _surrogacy("POST_DELIVERY", "over_cap", (219, 232)),
    _donation("POST_RETRIEVAL", "return", (54, 59)),
    _surrogacy("AWAITING_HEARTBEAT", "lost", (105, 220)),
    _donation("PENDING_FUNDING", "bounced", (8, 14)),
    _surrogacy("PREGNANT", "shortfall_covered", (95, 170)),
    _donation("FINAL_DISBURSEMENT", "terminated", (50, 225)),
    _surrogacy("PREGNANT", "unanswered", (95, 185)),
    _donation("POST_RETRIEVAL", "shortfall", (53, 59)),
    _surrogacy("AWAITING_EXECUTED_AGREEMENT", "unmatched", (14, 18)),
    _donation("FINAL_ACCOUNTING", "", (65, 75)),
    _surrogacy("PREGNANT", "account_missing", (130, 185)),
    _donation("AWAITING_CLOSE_APPROVAL", "", (63, 70)),
    _surrogacy("CLOSED", "terminated", (50, 225)),
    _donation("AWAITING_ESCROW_AGREEMENT", "", (1, 4)),
    _surrogacy("CANCELLED", "", (8, 150)),
    _donation("ON_HOLD", "bounced_late", (22, 40)),
    _surrogacy("PENDING_FUNDING", "", (5, 12)),
    _donation("CYCLE_IN_PROGRESS", "unreviewed", (34, 35)),
)
