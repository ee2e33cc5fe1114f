"""Messages shown on the next page: what was done, or why it was not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import flash, g
from flask.typing import ResponseReturnValue

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


def show_again(page: Callable[[], ResponseReturnValue], *statuses: int) -> None:
    """If a verb refuses what was typed, show this page with it instead of going back.

    With `statuses`, only for refusals of these; others mean that the page itself is out of date.
    """
    g.page_again = (page, frozenset(statuses))


def page_again(error: DomainError) -> Callable[[], ResponseReturnValue] | None:
    """Return the page that keeps what was typed, or None when there is none for this refusal."""
    page, statuses = g.pop("page_again", (None, frozenset()))
    kept: Callable[[], ResponseReturnValue] | None = page
    return kept if not statuses or error.status in statuses else None


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
