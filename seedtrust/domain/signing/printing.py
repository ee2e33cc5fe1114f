"""The papers of an agreement: the text to sign, the signed copy, the audit certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from seedtrust.core.clock import NEW_YORK
from seedtrust.domain.signing.states import METHOD_LABELS, SignatureMethod
from seedtrust.domain.signing.wording import CONSENTS
from seedtrust.formats.paper import Paper, Stroke

_HEADING: Final = "# "
_ON_PAPER: Final = "Signed on paper"
_KEPT: Final = "kept by SeedTrust"


@dataclass(frozen=True)
class Signed:
    """One signature as one audience may read it; a hidden one shows the alias and nothing else."""

    label: str
    role: str
    is_hidden: bool
    signed_on: str
    signed_at: datetime
    recorded_by: str
    document_sha256: str = ""
    consent_version: int | None = None
    method: str = ""
    typed_name: str = ""
    drawing: Sequence[Stroke] = ()
    address: str = ""
    browser: str = ""


@dataclass(frozen=True)
class Happened:
    """One line of an agreement's history."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Heading:
    """What every paper of an agreement says about itself."""

    label: str
    version_number: int
    reference: str
    case_number: int
    made_at: datetime

    @property
    def foot(self) -> str:
        """Return the words at the foot of each page."""
        return f"{self.label}, version {self.version_number}   {self.reference}"


def text_paper(heading: Heading, text: str) -> bytes:
    """Return the text that is signed as a PDF."""
    return _body(heading, text).content()


def executed_paper(heading: Heading, text: str, signatures: Sequence[Signed]) -> bytes:
    """Return the complete copy: the text with every signature under it."""
    paper = _body(heading, text)
    paper.heading("Signatures")
    for one in signatures:
        paper.paragraph(f"{one.label}, {one.role.lower()}")
        if one.drawing and not one.is_hidden:
            paper.drawing(one.drawing)
        how = _method(one)
        name = f" “{one.typed_name}”" if one.typed_name and not one.is_hidden else ""
        paper.paragraph(f"{how}{name}, {one.signed_on}", small=True)
    return paper.content()


def certificate_paper(
    heading: Heading,
    *,
    text_sha256: str,
    signatures: Sequence[Signed],
    history: Sequence[Happened],
) -> bytes:
    """Return the audit certificate: who signed which bytes, when, from where, with what consent."""
    paper = Paper("Audit certificate", foot=heading.foot, made_at=heading.made_at)
    paper.facts(
        [
            ("Agreement", f"{heading.label}, version {heading.version_number}"),
            ("Reference", heading.reference),
            ("Case", str(heading.case_number)),
            ("SHA-256 of this copy's text", text_sha256),
            ("Made", instant_words(heading.made_at)),
        ]
    )
    for one in signatures:
        paper.heading(f"{one.label}, {one.role.lower()}")
        paper.facts(_facts(one))
    paper.heading("What happened")
    paper.facts((instant_words(line.at), line.what) for line in history)
    for version in sorted({one.consent_version for one in signatures if one.consent_version}):
        paper.heading(f"Consent, version {version}")
        paper.paragraph(CONSENTS[version], small=True)
    paper.paragraph(
        "SeedTrust keeps this record for seven years after the case is closed. The hash of a "
        "file proves that it is unchanged.",
        small=True,
    )
    return paper.content()


def instant_words(at: datetime) -> str:
    """Return an instant in New York's time with its zone, as papers print it."""
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S %Z}"


def _method(one: Signed) -> str:
    return METHOD_LABELS[SignatureMethod(one.method)] if one.method else _ON_PAPER


def _facts(one: Signed) -> list[tuple[str, str]]:
    facts = [("Signed", instant_words(one.signed_at)), ("How", _method(one))]
    if not one.method:
        return [("Signed on", one.signed_on), ("How", f"{_ON_PAPER}, recorded by SeedTrust")]
    return [
        *facts,
        ("Name as typed", _KEPT if one.is_hidden else one.typed_name or "drawn"),
        ("Consent", f"version {one.consent_version}"),
        ("SHA-256 of the text signed", one.document_sha256),
        ("Address", _KEPT if one.is_hidden else one.address or "unknown"),
        ("Browser", _KEPT if one.is_hidden else one.browser or "unknown"),
    ]


def _body(heading: Heading, text: str) -> Paper:
    paper = Paper(heading.label, foot=heading.foot, made_at=heading.made_at)
    paper.facts([("Case", str(heading.case_number)), ("Version", str(heading.version_number))])
    for block in text.split("\n\n"):
        lines = block.strip("\n")
        while lines.startswith(_HEADING):
            first, _, lines = lines.partition("\n")
            paper.heading(first.removeprefix(_HEADING))
        if lines:
            paper.paragraph(lines)
    return paper
