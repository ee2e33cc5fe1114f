"""The refusals of closing a case."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Forbidden, SegregationOfDuties


class NotReadyToClose(Conflict):
    """Something is still owed, on its way, or not recorded."""

    code = "not_ready_to_close"
    title = "This case cannot be closed yet"


class AccountingOpen(Conflict):
    """A final accounting of the case is under way already."""

    code = "accounting_open"
    title = "A final accounting is under way"


class NoAccounting(Conflict):
    """No final accounting of the case waits for this."""

    code = "no_accounting"
    title = "There is no final accounting to work on"


class AccountingOutdated(Conflict):
    """The books or requests have changed since the final accounting was sent."""

    code = "accounting_outdated"
    title = "The final accounting is out of date"


class NotYourCertification(Forbidden):
    """Only a party's own user certifies for the party."""

    code = "not_your_certification"
    title = "You cannot certify for this party"


class AlreadyCertified(Conflict):
    """The party has certified this accounting."""

    code = "already_certified"
    title = "This party has certified"


class PreparerCannotApprove(SegregationOfDuties):
    """Who prepared the final accounting may not approve it."""

    code = "preparer_cannot_approve"
    title = "Another person has to approve the accounting"


class RefundPayeeMissing(Conflict):
    """No intended parent of the case is a payee, so the rest has nowhere to go."""

    code = "refund_payee_missing"
    title = "There is nobody to refund to"


class RefundUnderWay(Conflict):
    """The closing refund is on its way to the bank or paid."""

    code = "refund_under_way"
    title = "The refund is under way"
