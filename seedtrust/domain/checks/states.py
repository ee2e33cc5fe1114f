"""The life of a check that we draw."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class CheckState(StrEnum):
    """Where one check stands."""

    PREPARED = "PREPARED"
    ISSUED = "ISSUED"
    STOP_ASKED = "STOP_ASKED"
    PRESENTED = "PRESENTED"
    STOPPED = "STOPPED"
    VOIDED = "VOIDED"
    STALE = "STALE"
    REISSUED = "REISSUED"
    CANCELLED = "CANCELLED"


_C = CheckState

CHECK_STEPS: Final = {
    _C.PREPARED: frozenset({_C.ISSUED, _C.CANCELLED}),
    _C.ISSUED: frozenset({_C.PRESENTED, _C.STOP_ASKED, _C.VOIDED, _C.STALE}),
    # Until the second person has spoken the bank may still pay it.
    _C.STOP_ASKED: frozenset({_C.STOPPED, _C.ISSUED, _C.PRESENTED}),
    # A bank may pay an old check as long as no other stands in its place.
    _C.STALE: frozenset({_C.REISSUED, _C.PRESENTED}),
    _C.PRESENTED: frozenset[CheckState](),
    _C.STOPPED: frozenset[CheckState](),
    _C.VOIDED: frozenset[CheckState](),
    _C.REISSUED: frozenset[CheckState](),
    _C.CANCELLED: frozenset[CheckState](),
}
CHECK_LABELS: Final = {
    _C.PREPARED: "Waiting for a second person",
    _C.ISSUED: "Outstanding",
    _C.STOP_ASKED: "Stop waits for a second person",
    _C.PRESENTED: "Paid by the bank",
    _C.STOPPED: "Stopped",
    _C.VOIDED: "Void",
    _C.STALE: "Stale",
    _C.REISSUED: "Replaced by another check",
    _C.CANCELLED: "Not issued",
}
CHECK_TONES: Final = {
    _C.PREPARED: "warn",
    _C.ISSUED: "info",
    _C.STOP_ASKED: "warn",
    _C.PRESENTED: "ok",
    _C.STOPPED: "bad",
    _C.VOIDED: "neutral",
    _C.STALE: "warn",
    _C.REISSUED: "neutral",
    _C.CANCELLED: "neutral",
}
OUTSTANDING: Final = frozenset({_C.ISSUED, _C.STOP_ASKED})
# The bank may pay these.
PAYABLE: Final = OUTSTANDING | {_C.STALE}
LIVE_CHECKS: Final = OUTSTANDING | {_C.PREPARED}

# A bank need not pay a check that is older than six months (Uniform Commercial Code, 4-404).
STALE_AFTER_DAYS: Final = 180
