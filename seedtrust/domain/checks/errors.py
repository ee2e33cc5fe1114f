"""Refusals around checks."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, SegregationOfDuties


class CheckNotPossible(Conflict):
    """The request cannot be paid by check now."""

    code = "check_not_possible"
    title = "This cannot be paid by check now"


class PreparerCannotIssue(SegregationOfDuties):
    """Who prepared a check may not issue it."""

    code = "preparer_cannot_issue"
    title = "Another person has to issue this check"


class AskerCannotStop(SegregationOfDuties):
    """Who asked for the stop of a check may not confirm it."""

    code = "asker_cannot_stop"
    title = "Another person has to confirm this stop"
