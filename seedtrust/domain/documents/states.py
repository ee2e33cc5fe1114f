"""Kinds of documents and who may see them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class DocumentKind(StrEnum):
    """What a file is for."""

    AGREEMENT = "agreement"
    EVIDENCE = "evidence"
    MILESTONE_PROOF = "milestone_proof"
    GENERAL = "general"


class Visibility(StrEnum):
    """Staff always see a file; this says which parties do."""

    STAFF = "staff"
    AGENCY = "agency"
    RECIPIENT = "recipient"
    CARRIER = "carrier"
    ALL_PARTIES = "all_parties"


class DocumentState(StrEnum):
    """Where a document stands that does not count any more; all others have no such word."""

    REFUSED = "refused"
    REPLACED = "replaced"


STATE_LABELS: Final[Mapping[str, str]] = {
    "": "Accepted",
    DocumentState.REFUSED: "Refused",
    DocumentState.REPLACED: "Replaced",
}
