"""Messages shown on the next page: what was done, or why it was not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

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


class Refusable(Protocol):
    """A form that can show a refusal beside the fields that it names."""

    def refuse(self, refusal: DomainError) -> None:
        """Put the refusal's messages beside their fields."""


Page = Callable[[], ResponseReturnValue]


def show_again(form: Refusable, page: Page, *statuses: int) -> None:
    """If a verb refuses what was typed into a form, show this page with it, not the one before.

    With `statuses`, only for refusals of these; others mean that the page itself is out of date.
    """
    g.page_again = (form, page, frozenset(statuses))


def page_again(error: DomainError) -> Page | None:
    """Return the page that keeps what was typed, or None when there is none for this refusal."""
    form, page, statuses = g.pop("page_again", (None, None, frozenset()))
    if form is None or (statuses and error.status not in statuses):
        return None
    if error.errors:
        form.refuse(error)
    kept: Page = page
    return kept


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
