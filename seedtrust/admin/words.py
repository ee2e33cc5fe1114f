"""Plain words for codes that several pages show."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from seedtrust.core.clock import NEW_YORK
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.payments.states import CaseRail, Rail
from seedtrust.domain.terms.states import TaxClass
from seedtrust.web.formatting import date_text
from seedtrust.web.page import Tone

LINE_WORDS: Final = {
    "DEPOSIT": "Deposit",
    "FEE": "Fee",
    "DISBURSEMENT": "Disbursement",
    "SCHEDULED": "Scheduled payment",
    "RETURN": "Returned payment",
    "REISSUE": "Paid again",
    "REFUND": "Refund",
    "BANK_CHARGE": "Bank charge",
    "SHORTAGE_CURE": "Bounced deposit made good",
}
TAX_WORDS: Final = {
    TaxClass.COMPENSATION: "Compensation",
    TaxClass.REIMBURSEMENT: "Reimbursement",
    TaxClass.VENDOR: "Vendor",
    TaxClass.FEE: "Fee",
    TaxClass.NONE: "Not taxed",
}
RAIL_WORDS: Final = {Rail.ACH: "ACH", Rail.WIRE: "Wire"}
CASE_RAIL_WORDS: Final = {CaseRail.NACHA: "NACHA files", CaseRail.HUNTINGTON: "Huntington"}
_STAGE_TONES: Final[dict[Stage, Tone]] = {
    Stage.ON_HOLD: "bad",
    Stage.CANCELLED: "neutral",
    Stage.CLOSED: "ok",
    Stage.INTAKE: "neutral",
    Stage.AWAITING_ESCROW_AGREEMENT: "warn",
    Stage.PENDING_FUNDING: "warn",
    Stage.AWAITING_EXECUTED_AGREEMENT: "warn",
    Stage.AWAITING_CLOSE_APPROVAL: "warn",
}


def stage_tone(stage: Stage) -> Tone:
    """Return the tone of a case's stage: waiting, under way, stopped, done."""
    return _STAGE_TONES.get(stage, "info")


def category_words(code: str) -> str:
    """Return what money is for as people say it."""
    return code.replace("_", " ").capitalize()


def line_words(kind: str) -> str:
    """Return the kind of a ledger line as people say it."""
    return LINE_WORDS.get(kind, category_words(kind))


def recorded(at: datetime, on: date) -> str:
    """Return when something was recorded in New York; with its day where business had another."""
    local = at.astimezone(NEW_YORK)
    clock = f"{local.hour % 12 or 12}:{local:%M %p} ET"
    if local.date() == on:
        return clock
    return f"recorded {date_text(local.date())}, {clock}"


def age_words(since_at: datetime | None, now: datetime) -> str:
    """Return how long something has waited: in minutes, hours or days."""
    if since_at is None:
        return ""
    minutes = max(int((now - since_at).total_seconds()) // 60, 0)
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'s' if count > 1 else ''}"
    return "less than a minute"
