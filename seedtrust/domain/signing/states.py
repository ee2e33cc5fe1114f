"""The words of signing: who goes first, how it is signed, which papers come of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SigningOrder(StrEnum):
    """Whether the sides sign at the same time or one after the other."""

    TOGETHER = "together"
    RECIPIENTS_FIRST = "recipients_first"
    CARRIER_FIRST = "carrier_first"


class SignatureMethod(StrEnum):
    """How an electronic signature was given."""

    TYPED = "typed"
    DRAWN = "drawn"


class CopyPart(StrEnum):
    """The papers of one agreement: what is signed, what was signed, and how."""

    TEXT = "text"
    EXECUTED = "executed"
    CERTIFICATE = "certificate"


ORDER_LABELS: Final = {
    SigningOrder.TOGETHER: "Everybody at the same time",
    SigningOrder.RECIPIENTS_FIRST: "The parents first, then the others",
    SigningOrder.CARRIER_FIRST: "The surrogate or donor first, then the others",
}
METHOD_LABELS: Final = {
    SignatureMethod.TYPED: "Typed name",
    SignatureMethod.DRAWN: "Drawn signature",
}
PART_LABELS: Final = {
    CopyPart.TEXT: "Text for signature",
    CopyPart.EXECUTED: "Signed copy",
    CopyPart.CERTIFICATE: "Audit certificate",
}
