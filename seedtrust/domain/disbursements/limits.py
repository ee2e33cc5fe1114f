"""What the caps of a term leave of a request, line by line, and what a review approves of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.money import format_dollars
from seedtrust.domain.disbursements.models import DisbursementLine, DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.terms import limits
from seedtrust.domain.terms.limits import Allowed, Piece
from seedtrust.domain.terms.plans import Cap, caps_of

_USES_NOTHING = (RequestState.DRAFT, RequestState.DENIED, RequestState.CANCELLED)


@dataclass(frozen=True)
class LineLimit:
    """One line, what is allowed of it in cents, and which cap takes the rest; no words if none."""

    number: int
    serves_on: date | None
    asked_cents: int
    allowed_cents: int
    cap_words: str

    @property
    def words(self) -> str:
        """Say what is too much: “2025-11-24: 109.00 asked, 100.00 left (100.00 a day)”."""
        where = f"line {self.number}" if self.serves_on is None else str(self.serves_on)
        asked, left = format_dollars(self.asked_cents), format_dollars(self.allowed_cents)
        return f"{where}: {asked} asked, {left} left ({self.cap_words})"


@dataclass(frozen=True)
class Limits:
    """What the caps of a term leave of a request in all, and of each line."""

    allowed_cents: int
    lines: tuple[LineLimit, ...]
    caps: tuple[Cap, ...]

    @property
    def over(self) -> tuple[LineLimit, ...]:
        """Return the lines of which the caps take something."""
        return tuple(line for line in self.lines if line.allowed_cents < line.asked_cents)

    @property
    def words(self) -> str:
        """Say what exceeds the caps, line by line; empty if nothing does."""
        return "; ".join(line.words for line in self.over)


def limits_on(session: Session, request: DisbursementRequest, term_id: int) -> Limits | None:
    """Return what the caps of a term leave of a request now; None for a term without such caps.

    What other requests got approved for the same days and weeks is used; what they only ask for
    is not. Three queries at most.
    """
    caps = caps_of(session, [term_id]).get(term_id, ())
    if not caps:
        return None
    lines = _lines(session, request)
    left = limits.allowed(
        caps, [piece_of(line) for line in lines], _used(session, request, term_id)
    )
    return Limits(
        sum(one.cents for one in left),
        tuple(_line_limit(line, one) for line, one in zip(lines, left, strict=True)),
        caps,
    )


def _line_limit(line: DisbursementLine, left: Allowed) -> LineLimit:
    words = "" if left.cap is None else left.cap.words
    return LineLimit(line.number, line.serves_on, line.amount_cents, left.cents, words)


def piece_of(line: DisbursementLine) -> Piece:
    """Return a line as caps see it."""
    return Piece(line.amount_cents, line.serves_on, line.quantity_hundredths)


def _lines(session: Session, request: DisbursementRequest) -> list[DisbursementLine]:
    return list(
        session.execute(
            select(DisbursementLine)
            .where(DisbursementLine.request_id == request.id)
            .order_by(DisbursementLine.number)
        ).scalars()
    )


def _used(session: Session, request: DisbursementRequest, term_id: int) -> list[Piece]:
    rows = session.execute(
        select(DisbursementLine)
        .join(DisbursementRequest, DisbursementRequest.id == DisbursementLine.request_id)
        .where(
            DisbursementRequest.term_id == term_id,
            DisbursementRequest.id != request.id,
            DisbursementRequest.state.not_in([state.value for state in _USES_NOTHING]),
            DisbursementLine.approved_cents.is_not(None),
        )
        .order_by(DisbursementLine.id)
    ).scalars()
    return [limits.part_of(piece_of(row), row.approved_cents or 0) for row in rows]


def note_approved(
    session: Session, request: DisbursementRequest, allowed: Limits | None, approved_cents: int
) -> None:
    """Write down what a review left of each line; the caller has checked the amount."""
    lines = _lines(session, request)
    most: Sequence[int] = (
        [line.amount_cents for line in lines]
        if allowed is None
        else [line.allowed_cents for line in allowed.lines]
    )
    if lines:
        for line, part in zip(lines, limits.divide(approved_cents, most), strict=True):
            line.approved_cents = part
