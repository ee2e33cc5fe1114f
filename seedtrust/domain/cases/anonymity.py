"""What one side of an anonymous case may read of the other: an alias, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
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
# Words of the trade stand in every text; alone they name nobody, whoever bears one as a name.
_TRADE: Final = """
    account admin agency agreement attorney billing carrier case clinic contact cycle donor doctor
    donation egg escrow family father fund funding hello info intended legal mail manager mother
    office parent parents party patient payee payment recipient recipients representative seed
    surrogate test the travel trust user
"""
_TRADE_WORDS: Final = frozenset(_TRADE.split())
_SHORTEST_NAME: Final = 2
_SHORT_NAME: Final = 3  # An, Al, Kim: too short to be sought in lower case


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


@dataclass(frozen=True)
class _Rule:
    """What to look for, what to say in its place, and whether finding it proves a leak."""

    pattern: re.Pattern[str]
    alias: str
    is_proof: bool


class Veil:
    """Puts aliases in the place of the other side's names in texts that people wrote.

    Never used on a text that the viewer wrote: the alias would tell that a guess was right.
    """

    def __init__(self, case: Case, parties: Iterable[CaseParty], viewer_side: Side | None) -> None:
        """Take the case's parties; without anything to hide, texts pass unchanged."""
        self._rules: list[_Rule] = []
        shown: set[str] = set()
        hidden: list[CaseParty] = []
        for party in parties:
            if hides(case, party.side, viewer_side):
                hidden.append(party)
            else:
                shown.update(_words(party.name))
        if hidden:
            self._add(case.name, f"Case {case.number}")
        for party in hidden:
            self._add(party.email, party.alias)
            self._add(party.name, party.alias)
        for party in hidden:
            self._add_parts(party, shown)

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return bool(self._rules)

    def _add(self, text: str, alias: str) -> None:
        if _words(text) - _TRADE_WORDS:
            self._rules.append(_Rule(_anywhere(text), alias, is_proof=True))

    def _add_parts(self, party: CaseParty, shown: set[str]) -> None:
        self._add(party.email.partition("@")[0], party.alias)
        # A name that both sides share is no secret of either.
        for word in sorted(_words(party.name) - shown - _TRADE_WORDS):
            if word in _ALSO_WORDS or len(word) <= _SHORT_NAME:
                self._rules.append(_Rule(_as_a_name(word), party.alias, is_proof=False))
            else:
                self._rules.append(_Rule(_anywhere(word), party.alias, is_proof=True))

    def text(self, written: str) -> str:
        """Return the text with every name, word of a name and address replaced by the alias."""
        for rule in self._rules:
            written = _replace(rule.pattern, rule.alias, written)
        return written

    def finds(self, written: str) -> bool:
        """Tell whether the text names somebody who is to be hidden, beyond everyday words."""
        folded = _fold(written)
        return any(rule.pattern.search(folded) for rule in self._rules if rule.is_proof)


def names_somebody(case: Case, parties: Iterable[CaseParty], written: str) -> bool:
    """Tell whether a text that both sides may read names a person of either side."""
    people = list(parties)
    return any(Veil(case, people, side).finds(written) for side in _HIDDEN_SIDES)


def tells_a_name(text: str, name: str) -> bool:
    """Tell whether a text holds a word of a name, beyond words of the trade."""
    return bool(_words(text) & (_words(name) - _TRADE_WORDS))


def _words(name: str) -> set[str]:
    return {
        word for word in re.split(r"[^a-z0-9]+", _fold(name).lower()) if len(word) >= _SHORTEST_NAME
    }


def _fold(text: str) -> str:
    # One character for one, so that places in the folded text are places in the text.
    return "".join(unicodedata.normalize("NFKD", character)[0] for character in text)


def _anywhere(text: str) -> re.Pattern[str]:
    # Blanks, dots, dashes and underscores all part the words of a name, in file names too.
    parts = [re.escape(part) for part in re.split(r"[\s._-]+", _fold(text)) if part]
    body = r"[\s._-]*".join(parts)
    return re.compile(rf"(?<![A-Za-z]){body}(?![A-Za-z])", re.IGNORECASE)


def _as_a_name(word: str) -> re.Pattern[str]:
    body = f"(?:{re.escape(word.capitalize())}|{re.escape(word.upper())})"
    return re.compile(rf"(?<![A-Za-z]){body}(?![A-Za-z])")


def _replace(pattern: re.Pattern[str], alias: str, written: str) -> str:
    folded = _fold(written)
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(folded):
        pieces += [written[end : match.start()], alias]
        end = match.end()
    return "".join([*pieces, written[end:]])
