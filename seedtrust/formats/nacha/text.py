"""What may stand in a text field of a NACHA file, and how other text is brought to that."""

from __future__ import annotations

import re
import unicodedata

_PRINTABLE = re.compile(r"[ -~]*", re.ASCII)
_BLANKS = re.compile(r"\s+")

# Letters and signs that do not come apart into a base letter and an accent.
_REPLACEMENTS = str.maketrans(
    {
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
        "\N{LATIN CAPITAL LETTER SHARP S}": "SS",
        "\N{LATIN SMALL LETTER AE}": "ae",
        "\N{LATIN CAPITAL LETTER AE}": "AE",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
        "\N{LATIN CAPITAL LIGATURE OE}": "OE",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN CAPITAL LETTER O WITH STROKE}": "O",
        "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
        "\N{LATIN CAPITAL LETTER D WITH STROKE}": "D",
        "\N{LATIN SMALL LETTER ETH}": "d",
        "\N{LATIN CAPITAL LETTER ETH}": "D",
        "\N{LATIN SMALL LETTER THORN}": "th",
        "\N{LATIN CAPITAL LETTER THORN}": "Th",
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN CAPITAL LETTER L WITH STROKE}": "L",
        "\N{LATIN SMALL LETTER H WITH STROKE}": "h",
        "\N{LATIN CAPITAL LETTER H WITH STROKE}": "H",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "\N{LATIN SMALL LETTER ENG}": "n",
        "\N{LATIN CAPITAL LETTER ENG}": "N",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
        "`": "'",
        "\N{ACUTE ACCENT}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
        "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
        "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{FIGURE DASH}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{MIDDLE DOT}": ".",
        "\N{EURO SIGN}": "EUR",
        "\N{POUND SIGN}": "GBP",
        "\N{YEN SIGN}": "JPY",
        "\N{CENT SIGN}": "c",
        "\N{COPYRIGHT SIGN}": "(c)",
        "\N{REGISTERED SIGN}": "(r)",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{DIVISION SIGN}": "/",
        "\N{NUMERO SIGN}": "No",
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
