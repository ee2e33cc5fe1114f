"""What may stand in a text field of a NACHA file, and how other text is brought to that."""

from __future__ import annotations

import re
import unicodedata

_PRINTABLE = re.compile(r"[ -~]*", re.ASCII)
_BLANKS = re.compile(r"\s+")

# Letters and signs that do not come apart into a base letter and an accent.
_REPLACEMENTS = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
        "ł": "l",
        "Ł": "L",
        "ħ": "h",
        "Ħ": "H",
        "ı": "i",
        "ŋ": "n",
        "Ŋ": "N",
        "‘": "'",
        "’": "'",
        "ʼ": "'",
        "`": "'",
        "´": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "·": ".",
        "€": "EUR",
        "£": "GBP",
        "¥": "JPY",
        "¢": "c",
        "©": "(c)",
        "®": "(r)",
        "×": "x",
        "÷": "/",
        "№": "No",
    },
)


def is_printable(text: str) -> bool:
    """Tell whether the text holds only printable ASCII (blank to tilde), the NACHA set."""
    return _PRINTABLE.fullmatch(text) is not None


def transliterate(text: str) -> str:
    """Return the text in printable ASCII: accents dropped, ligatures spelled out.

    White space of any kind becomes a blank and control characters vanish. A character without
    a Latin reading (of another script, an emoji) becomes a question mark, so that a person sees
    that something was lost. ASCII text comes back unchanged.
    """
    if is_printable(text):
        return text
    letters = []
    for character in unicodedata.normalize("NFKD", text.translate(_REPLACEMENTS)):
        if " " <= character <= "~":
            letters.append(character)
        elif character.isspace():
            letters.append(" ")
        elif not unicodedata.combining(character) and unicodedata.category(character)[0] != "C":
            letters.append("?")
    return "".join(letters)


def fit_name(name: str, width: int = 22) -> str:
    """Return the name as it will stand in a field of `width` characters.

    The rule: transliterate, make one blank of every run of white space, drop leading and
    trailing blanks, keep the first `width` characters, drop blanks left at the end. Names are
    not abbreviated, so that the receiver's bank sees the beginning of what we hold.
    """
    return _BLANKS.sub(" ", transliterate(name)).strip()[:width].rstrip()
