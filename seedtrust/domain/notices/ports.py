"""What notices need from the outside world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    """One message: plain text and HTML say the same."""

    message_id: str
    to: str
    subject: str
    text: str
    html: str


class MailRefused(Exception):
    """The server refuses this address for good; trying again is useless."""


class Mailer(Protocol):
    """Something that hands a message to a mail server."""

    def send(self, mail: Mail) -> None:
        """Send one message. Raises MailRefused, or OSError when the server cannot be reached."""
        ...
