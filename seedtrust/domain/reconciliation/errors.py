"""The refusals of statements."""

from __future__ import annotations

from seedtrust.core.errors import Invalid


class StatementRefused(Invalid):
    """The bank's statement cannot be used; nothing of it was imported."""

    code = "statement_refused"
    title = "The statement cannot be imported"
