"""Who reads which copy of an agreement, and what its text says to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from seedtrust.domain.cases.anonymity import hides, names_somebody, party_label
from seedtrust.domain.cases.checks import refuse_field
from seedtrust.domain.cases.models import Agency, Agreement, Case, CaseParty
from seedtrust.domain.cases.states import AgreementKind, Side
from seedtrust.domain.documents.states import Visibility
from seedtrust.domain.signing.errors import TextNamesSomebody
from seedtrust.domain.signing.wording import PLACEHOLDERS
from seedtrust.formats.paper import unprintable

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LONGEST_BODY: Final = 100_000
_LINE_ENDS: Final = re.compile(r"\r\n?")

# The side whose words an audience reads; the agency, like the company, reads all names.
SIDE_OF: Final = {
    Visibility.RECIPIENT: Side.RECIPIENT,
    Visibility.CARRIER: Side.CARRIER,
    Visibility.AGENCY: Side.AGENCY,
    Visibility.ALL_PARTIES: None,
}


def audiences(case: Case, agreement: Agreement) -> tuple[Visibility, ...]:
    """Return for whom a paper of an agreement is made: once for all, or once for each side.

    The fullest copy comes last. The agency's contract is not the carrier's to read.
    """
    if agreement.kind == AgreementKind.AGENCY:
        return (Visibility.RECIPIENT, Visibility.AGENCY)
    if case.anonymous:
        return (Visibility.RECIPIENT, Visibility.CARRIER, Visibility.AGENCY)
    return (Visibility.ALL_PARTIES,)


def audience_of(choices: Iterable[Visibility], side: Side | None) -> Visibility:
    """Return which of an agreement's copies a side reads; None is the company."""
    offered = list(choices)
    if side is not None and Visibility(side.value) in offered:
        return Visibility(side.value)
    return offered[-1]


def checked_body(case: Case, parties: Sequence[CaseParty], body: str) -> str:
    """Return a text as it is kept: plain line ends, placeholders that are known, no name.

    Raises Invalid, naming what is wrong, and TextNamesSomebody on an anonymous case.
    """
    text = _LINE_ENDS.sub("\n", body).strip()
    if not text:
        raise refuse_field("body", "Write the text, or begin from ours.")
    if len(text) > _LONGEST_BODY:
        raise refuse_field("body", f"Keep the text to {_LONGEST_BODY:,} characters or fewer.")
    unknown = sorted({name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS})
    if unknown:
        known = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
        message = f"Nothing can be filled in for {unknown[0]}. These are known: {known}."
        raise refuse_field("body", message)
    _printable(text, "body")
    if case.anonymous and names_somebody(case, parties, text):
        message = (
            "The text names a person of this anonymous case. "
            "Write {{recipients}} and {{carrier}} instead; each side reads an alias there."
        )
        raise TextNamesSomebody(message, errors={"body": [message]})
    return text


def values_for(
    case: Case, parties: Sequence[CaseParty], agency: Agency | None, audience: Visibility
) -> dict[str, str]:
    """Return what stands for each placeholder in one audience's copy.

    Raises Invalid when a name has characters that cannot be printed.
    """
    viewer = SIDE_OF[audience]
    values = {
        "recipients": _names(case, parties, Side.RECIPIENT, viewer),
        "carrier": _names(case, parties, Side.CARRIER, viewer),
        "agency": agency.name if agency is not None else "no agency",
        "case": str(case.number),
    }
    for value in values.values():
        _printable(value, "parties")
    return values


def filled(body: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled in, by plain replacement."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], body)


def _names(case: Case, parties: Sequence[CaseParty], side: Side, viewer: Side | None) -> str:
    on_side = [party for party in parties if party.side == side.value and party.must_sign]
    labels = [party_label(case, party, viewer) for party in on_side]
    return " and ".join(dict.fromkeys(labels)) or "nobody yet"


def hidden_from(case: Case, party: CaseParty, audience: Visibility) -> bool:
    """Tell whether an audience may not know who a party is."""
    return hides(case, party.side, SIDE_OF[audience])


def _printable(text: str, field: str) -> None:
    missing = unprintable(text)
    if missing:
        message = (
            f"These characters cannot be printed on a paper: {missing[:20]}. "
            "Write names in Latin, Greek or Cyrillic letters."
        )
        raise refuse_field(field, message)
