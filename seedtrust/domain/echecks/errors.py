"""Refusals around e-checks."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, SegregationOfDuties


class NotAuthorised(Conflict):
    """The account may not be debited: not checked yet, revoked, or blocked after a return."""

    code = "debit_not_authorised"
    title = "This account may not be debited"


class EchecksNotOffered(Conflict):
    """The bank of the case's trust account takes no debits from us."""

    code = "echecks_not_offered"
    title = "E-checks are not offered for this case"


class AuthorisationTextChanged(Conflict):
    """What was agreed to is not the text that holds now."""

    code = "authorisation_text_changed"
    title = "The text has changed"


class PullUnderWay(Conflict):
    """Another e-check for the same request for funds has not come to its end."""

    code = "echeck_under_way"
    title = "An e-check is already under way"


class PullLimitExceeded(Conflict):
    """The e-check is above what the trust account draws at once, or on one day."""

    code = "echeck_limit_exceeded"
    title = "This is more than an e-check may draw"


class NothingToPull(Conflict):
    """The request for funds is not open, or less than this is missing on it."""

    code = "nothing_to_pull"
    title = "Nothing of that amount is asked for"


class CannotPresentAgain(Conflict):
    """The rules of the network do not allow the debit to be presented again."""

    code = "cannot_present_again"
    title = "This e-check cannot be presented again"


class AskerCannotRelease(SegregationOfDuties):
    """Who asked for an e-check may not release it."""

    code = "asker_cannot_release"
    title = "Another person has to release this e-check"
