"""The refusals of payees and their bank accounts."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Invalid, SegregationOfDuties


class InvalidRoutingNumber(Invalid):
    """The routing number is not nine digits with a known prefix and the right check digit."""

    code = "invalid_routing_number"
    title = "Please check the routing number"


class InvalidAccountNumber(Invalid):
    """The account number has the wrong length or characters, or is nothing but zeros."""

    code = "invalid_account_number"
    title = "Please check the account number"


class AccountUnchanged(Conflict):
    """The submitted account is the one that the payee already has."""

    code = "account_unchanged"
    title = "This account is already on file"


class AccountChangeOpen(Conflict):
    """Another change of the payee's account has not been decided."""

    code = "account_change_open"
    title = "A change of this account is already open"


class PayeeExists(Conflict):
    """The party or agency already has its payee."""

    code = "payee_exists"
    title = "This payee exists already"


class SubmitterCannotApprove(SegregationOfDuties):
    """Who submitted bank details may not approve them."""

    code = "submitter_cannot_approve"
    title = "Another person has to approve these bank details"


class CheckerCannotApprove(SegregationOfDuties):
    """Who checked or verified bank details may not approve them."""

    code = "checker_cannot_approve"
    title = "Another person has to approve these bank details"


class AskerCannotUnblock(SegregationOfDuties):
    """Who asked to use a blocked account again may not decide about it."""

    code = "asker_cannot_unblock"
    title = "Another person has to decide about this account"
