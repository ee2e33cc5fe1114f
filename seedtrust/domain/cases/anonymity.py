"""What one side of an anonymous case may read of the other: an alias, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Side

_HIDDEN_SIDES: Final = frozenset({Side.RECIPIENT, Side.CARRIER})

# Names that are everyday words: hidden only where they are written like a name.
_EVERYDAY: Final = """
    amber april art august baker bank bill brown case clay cook cope crystal dawn day dean drew
    eve faith fee forest frank friend gene grace grant gray green hall hand heath hill home hope
    house iris jack joy june king lake lane law long mark may miles mills moon page paris park
    penny pope price ray reed rich rob rose rush sky star sterling stone summer sunny wade wait
    ward way well white will wood work young
"""
_ALSO_WORDS: Final = frozenset(_EVERYDAY.split())
_SHORTEST_NAME: Final = 2


def hides(case: Case, side: Side | str, viewer_side: Side | None) -> bool:
    """Tell whether a viewer may not know who stands on a side.

    None is the company, which sees all; the agency knows both sides, and both know the agency.
    """
    if not case.anonymous or viewer_side is None or viewer_side is Side.AGENCY:
        return False
    return Side(side) in _HIDDEN_SIDES and Side(side) is not viewer_side


def party_label(case: Case, party: CaseParty, viewer_side: Side | None) -> str:
    """Return the party's name, or its alias across the sides of an anonymous case."""
    return party.alias if hides(case, party.side, viewer_side) else party.name


def case_label(case: Case, viewer_side: Side | None) -> str:
    """Return the case's name; to a side of an anonymous case only its number, as names tell."""
    if case.anonymous and viewer_side in _HIDDEN_SIDES:
        return f"Case {case.number}"
    return case.name


class Veil:
    """Puts aliases in the place of the other side's names in texts that people wrote.

    Never used on a text that the viewer wrote: the alias would tell that a guess was right.
    """

    def __init__(self, case: Case, parties: Iterable[CaseParty], viewer_side: Side | None) -> None:
        """Take the case's parties; without anything to hide, texts pass unchanged."""
        self._rules: list[tuple[re.Pattern[str], str]] = []
        shown: set[str] = set()
        hidden: list[CaseParty] = []
        for party in parties:
            if hides(case, party.side, viewer_side):
                hidden.append(party)
            else:
                shown.update(_words(party.name))
        for party in hidden:
            self._add(party.email, party.alias, everyday=False)
            self._add(party.name, party.alias, everyday=False)
        for party in hidden:
            self._add(party.email.partition("@")[0], party.alias, everyday=False)
            # A name that both sides share is no secret of either.
            for word in _words(party.name) - shown:
                self._add(word, party.alias, everyday=word in _ALSO_WORDS)
        if hidden and case.name:
            self._rules.insert(0, (_pattern(case.name, everyday=False), f"Case {case.number}"))

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return bool(self._rules)

    def _add(self, text: str, alias: str, *, everyday: bool) -> None:
        if len(text) >= _SHORTEST_NAME:
            self._rules.append((_pattern(text, everyday=everyday), alias))

    def text(self, written: str) -> str:
        """Return the text with every name, word of a name and address replaced by the alias."""
        for pattern, alias in self._rules:
            written = _replace(pattern, alias, written)
        return written

    def finds(self, written: str) -> bool:
        """Tell whether the text names somebody who is to be hidden."""
        folded = _fold(written)
        return any(pattern.search(folded) for pattern, _ in self._rules)


def names_somebody(case: Case, parties: Iterable[CaseParty], written: str) -> bool:
    """Tell whether a text that both sides may read names a person of either side."""
    people = list(parties)
    return any(Veil(case, people, side).finds(written) for side in _HIDDEN_SIDES)


def _words(name: str) -> set[str]:
    return {
        word for word in re.split(r"[^a-z0-9]+", _fold(name).lower()) if len(word) >= _SHORTEST_NAME
    }


def _fold(text: str) -> str:
    # One character for one, so that places in the folded text are places in the text.
    return "".join(unicodedata.normalize("NFKD", character)[0] for character in text)


def _pattern(text: str, *, everyday: bool) -> re.Pattern[str]:
    folded = _fold(text)
    if everyday:
        body = f"(?:{re.escape(folded.capitalize())}|{re.escape(folded.upper())})"
        return re.compile(rf"(?<![A-Za-z]){body}(?![A-Za-z])")
    # Blanks, dots, dashes and underscores all part the words of a name, in file names too.
    parts = [re.escape(part) for part in re.split(r"[\s._-]+", folded) if part]
    body = r"[\s._-]*".join(parts)
    return re.compile(rf"(?<![A-Za-z]){body}(?![A-Za-z])", re.IGNORECASE)


def _replace(pattern: re.Pattern[str], alias: str, written: str) -> str:
    folded = _fold(written)
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(folded):
        pieces += [written[end : match.start()], alias]
        end = match.end()
    return "".join([*pieces, written[end:]])
