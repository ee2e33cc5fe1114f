"""The refusals of statements and of the days they prove."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Invalid, SegregationOfDuties


class StatementRefused(Invalid):
    """The bank's statement cannot be used; nothing of it was imported."""

    code = "statement_refused"
    title = "The statement cannot be imported"


class PreparerCannotReview(SegregationOfDuties):
    """Who prepared a reconciliation may neither review nor lock it."""

    code = "preparer_cannot_review"
    title = "Another person has to review this reconciliation"


class FiguresChanged(Conflict):
    """The figures of the day are not those that were prepared."""

    code = "reconciliation_changed"
    title = "The figures of this day have changed"


class StatementMissing(Conflict):
    """A day is reconciled once the bank has sent its statement of it."""

    code = "statement_missing"
    title = "The bank's statement of this day has not come"


class DifferenceUnexplained(Invalid):
    """A difference needs a sentence that says where it comes from."""

    code = "difference_unexplained"
    title = "Explain the difference"


class NothingToSweep(Conflict):
    """No fees wait on the trust account."""

    code = "nothing_to_sweep"
    title = "There are no fees to sweep"


class NotYetCollected(Conflict):
    """The money of a check that may still bounce does not leave the trust account."""

    code = "deposit_not_collected"
    title = "This deposit is not collected yet"
