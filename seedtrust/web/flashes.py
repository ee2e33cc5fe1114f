"""Messages shown on the next page: what was done, or why it was not."""

from __future__ import annotations

from typing import Final

from flask import flash

from seedtrust.core.errors import DomainError

DONE: Final = "success"
REFUSED: Final = "danger"
NOTE: Final = "info"
_LONGEST: Final = 600


def flash_done(message: str) -> None:
    """Say on the next page what was done."""
    flash(message, DONE)


def flash_note(message: str) -> None:
    """Say something worth knowing on the next page."""
    flash(message, NOTE)


def flash_refusal(error: DomainError) -> None:
    """Say on the next page why the act was refused, with the message of each field."""
    extra = [
        message
        for messages in error.errors.values()
        for message in messages
        if message != error.detail
    ]
    # The text travels in a cookie, which browsers cut at 4 KB.
    flash(" ".join([error.detail, *extra])[:_LONGEST], REFUSED)
