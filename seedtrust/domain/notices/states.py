"""Channels and the life of a delivery."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How a notice travels."""

    MAIL = "mail"
    IN_APP = "in_app"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
