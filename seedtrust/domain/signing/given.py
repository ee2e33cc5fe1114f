"""What a signer gives: consent, and a typed name or a drawn signature that is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seedtrust.domain.cases.checks import clean_text, one_word_of, refuse_field
from seedtrust.domain.cases.models import CaseParty
from seedtrust.domain.signing.errors import ConsentMissing
from seedtrust.domain.signing.states import SignatureMethod
from seedtrust.domain.signing.wording import LATEST_CONSENT
from seedtrust.formats.paper import DRAWING_HEIGHT, DRAWING_WIDTH

_MOST_STROKES: Final = 100
_MOST_POINTS: Final = 4_000
_FEWEST_POINTS: Final = 5

Drawing = list[list[list[int]]]


@dataclass(frozen=True)
class Signature:
    """What somebody gave who signs: method, name or strokes, and what was shown before it.

    A stroke is a list of points `[x, y]` on a field of 600 by 200.
    """

    method: str
    typed_name: str
    drawing: Sequence[object]
    consent_version: int
    document_sha256: str


def require_consent(signature: Signature) -> None:
    """Raise ConsentMissing unless the current consent text was agreed to."""
    if signature.consent_version != LATEST_CONSENT:
        message = "Read the consent to sign electronically and agree to it."
        raise ConsentMissing(message, errors={"consent_version": [message]})


def checked(party: CaseParty, signature: Signature) -> tuple[SignatureMethod, str, Drawing]:
    """Return method, typed name and strokes of a signature that is one. Raises Invalid."""
    method = one_word_of(SignatureMethod, signature.method, "method")
    if method is SignatureMethod.DRAWN:
        return method, "", _strokes(signature.drawing)
    name = clean_text(signature.typed_name, "typed_name", most=120)
    if name.casefold() != clean_text(party.name, "typed_name", most=120).casefold():
        message = f"Type your name as the agreement has it: {party.name}."
        raise refuse_field("typed_name", message)
    return method, name, []


def _strokes(drawing: Sequence[object]) -> Drawing:
    message = "Draw your signature in the field, or type your name instead."
    given = [stroke for stroke in drawing if isinstance(stroke, list)]
    strokes = [[_point(point) for point in stroke] for stroke in given]
    points = [point for stroke in strokes for point in stroke]
    if (
        len(strokes) != len(drawing)
        or len(strokes) > _MOST_STROKES
        or not _FEWEST_POINTS <= len(points) <= _MOST_POINTS
        or [] in points
    ):
        raise refuse_field("drawing", message)
    return strokes


def _point(point: object) -> list[int]:
    """Return a point of the field, or nothing for what is none."""
    if not isinstance(point, list) or len(point) != 2:  # noqa: PLR2004 - across and down
        return []
    x, y = point
    if type(x) is not int or type(y) is not int:
        return []
    return [x, y] if 0 <= x <= DRAWING_WIDTH and 0 <= y <= DRAWING_HEIGHT else []
