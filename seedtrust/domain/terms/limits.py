"""What caps by line, day, week or journey leave of a request: arithmetic over plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from seedtrust.domain.terms.plans import Cap
from seedtrust.domain.terms.states import CapPeriod

Bucket = tuple[int, object]


@dataclass(frozen=True)
class Piece:
    """One line of a request as caps see it: cents, the day it is for, hundredths of a unit."""

    amount_cents: int
    serves_on: date | None = None
    quantity_hundredths: int | None = None


@dataclass(frozen=True)
class Allowed:
    """What is left of one piece, in cents, and the cap that took the rest, if one did."""

    cents: int
    cap: Cap | None = None


def missing(caps: Sequence[Cap], pieces: Sequence[Piece]) -> str:
    """Return what the caps need to know and the pieces do not say, as a sentence, or nothing."""
    by_day = any(cap.period in {CapPeriod.DAY, CapPeriod.WEEK} for cap in caps)
    units = [cap.unit for cap in caps if cap.quantity_hundredths is not None]
    limits = ", ".join(cap.words for cap in caps)
    if by_day and (not pieces or any(piece.serves_on is None for piece in pieces)):
        return f"The contract allows {limits}. Give each line the day that it is for."
    if units and (not pieces or any(not piece.quantity_hundredths for piece in pieces)):
        return f"The contract allows {limits}. Give each line its number of {units[0]}."
    return ""


def allowed(
    caps: Sequence[Cap], pieces: Sequence[Piece], used: Iterable[Piece] = ()
) -> list[Allowed]:
    """Return what the caps leave of each piece, in order, after what is used already.

    `used` are approved pieces of other requests, in cents and units that were approved. A piece
    that does not say the day or the units that a cap counts is left nothing.
    """
    spent: dict[Bucket, int] = {}
    for index, piece in enumerate(used):
        for key, cap in _buckets(caps, piece, -1 - index):
            spent[key] = spent.get(key, 0) + _measure(cap, piece)
    return [_take(caps, piece, index, spent) for index, piece in enumerate(pieces)]


def _take(caps: Sequence[Cap], piece: Piece, index: int, spent: dict[Bucket, int]) -> Allowed:
    buckets = _buckets(caps, piece, index)
    if len(buckets) < len(caps):
        return Allowed(0, caps[0])
    cents, binding = piece.amount_cents, None
    for key, cap in buckets:
        left = max(_size(cap) - spent.get(key, 0), 0)
        fits = left if cap.amount_cents is not None else _share(piece, left)
        if fits < cents:
            cents, binding = fits, cap
    for key, cap in buckets:
        spent[key] = spent.get(key, 0) + _measure(cap, part_of(piece, cents))
    return Allowed(cents, binding)


def _share(piece: Piece, hundredths: int) -> int:
    # What so many units of the piece cost, rounded down.
    units = piece.quantity_hundredths or 0
    return piece.amount_cents if units <= hundredths else piece.amount_cents * hundredths // units


def part_of(piece: Piece, cents: int) -> Piece:
    """Return the piece as it counts when only so many cents of it are approved."""
    units = piece.quantity_hundredths
    if units is not None and piece.amount_cents:
        units = -(-units * cents // piece.amount_cents)
    return Piece(cents, piece.serves_on, units)


def _buckets(caps: Sequence[Cap], piece: Piece, index: int) -> list[tuple[Bucket, Cap]]:
    found: list[tuple[Bucket, Cap]] = []
    for number, cap in enumerate(caps):
        key = _key(cap.period, piece, index)
        if key is not None and (cap.amount_cents is not None or piece.quantity_hundredths):
            found.append(((number, key), cap))
    return found


def _key(period: CapPeriod, piece: Piece, index: int) -> object:
    if period is CapPeriod.ITEM:
        return index
    if period is CapPeriod.JOURNEY:
        return "journey"
    day = piece.serves_on
    if day is None or period is CapPeriod.DAY:
        return day
    # Weeks run from Monday to Sunday.
    return day - timedelta(days=day.weekday())


def _size(cap: Cap) -> int:
    return cap.amount_cents if cap.amount_cents is not None else cap.quantity_hundredths or 0


def _measure(cap: Cap, piece: Piece) -> int:
    if cap.amount_cents is not None:
        return piece.amount_cents
    return piece.quantity_hundredths or 0


def divide(approved_cents: int, allowed_cents: Sequence[int]) -> list[int]:
    """Divide an approved amount over lines, each up to what it is allowed; the last give way.

    Raises ValueError for more than the lines are allowed together.
    """
    rest, parts = approved_cents, []
    for most in allowed_cents:
        part = min(most, rest)
        parts.append(part)
        rest -= part
    if rest:
        message = "more is approved than the lines allow"
        raise ValueError(message)
    return parts
