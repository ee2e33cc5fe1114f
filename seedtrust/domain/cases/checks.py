"""Checks that the verbs of cases, documents, terms and closing share."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final, TypeVar

from seedtrust.core.errors import Invalid
from seedtrust.domain.cases.errors import CaseClosed, CaseOnHold
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.stages import ENDED
from seedtrust.domain.cases.states import FREEZE_REASONS, Stage

Word = TypeVar("Word", bound=StrEnum)

# Format characters include the marks that turn the direction of writing.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def require_open(case: Case) -> None:
    """Raise CaseClosed when the case has ended."""
    if Stage(case.stage) in ENDED:
        raise CaseClosed(
            f"Case {case.number} is closed. Ask the controller to reopen it, "
            "or choose another case.",
            stage=case.stage,
        )


def require_active(case: Case) -> None:
    """Raise CaseClosed when the case has ended, CaseOnHold while a hold stops it."""
    require_open(case)
    if case.stage == Stage.ON_HOLD:
        raise CaseOnHold(f"Case {case.number} is on hold. Resume it first.", stage=case.stage)


def why_on_hold(case: Case) -> str:
    """Return why a case stands still: a person's words, else what froze it; else nothing."""
    return case.hold_reason or FREEZE_REASONS.get(case.frozen_by, "")


def refuse_field(field: str, message: str) -> Invalid:
    """Return the refusal of one field."""
    return Invalid(message, errors={field: [message]})


def clean_text(text: str, field: str, *, most: int, required: bool = True) -> str:
    """Return one line of text without unseen characters and repeated blanks.

    Raises Invalid, naming `field`, when it is empty although required, or longer than `most`.
    """
    normal = unicodedata.normalize("NFC", text)
    seen = "".join(
        " " if unicodedata.category(character) in _UNSEEN else character for character in normal
    )
    cleaned = re.sub(r"\s+", " ", seen).strip()
    if required and not cleaned:
        raise refuse_field(field, "This is needed. Enter a few words.")
    if len(cleaned) > most:
        raise refuse_field(field, f"Keep this to {most} characters or fewer.")
    return cleaned


def one_word_of(words: type[Word], text: str, field: str) -> Word:
    """Return the member of an enum by its value. Raises Invalid, naming `field` and the choices."""
    try:
        return words(text)
    except ValueError:
        choices = ", ".join(word.value for word in words)
        raise refuse_field(field, f"Choose one of: {choices}.") from None
