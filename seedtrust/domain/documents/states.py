"""Kinds of documents and who may see them."""

from __future__ import annotations

from enum import StrEnum


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
