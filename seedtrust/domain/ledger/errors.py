"""The refusals of the books."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, IdempotencyConflict, Invalid, NotFound


class PostingRefused(Invalid):
    """The posting breaks a rule of double entry; the `reason` fact names the rule."""

    code = "posting_refused"
    title = "The posting does not follow the rules of the books"


class PostingKeyReused(IdempotencyConflict):
    """The posting's key was used before for something else."""

    code = "posting_key_reused"
    title = "This posting key belongs to another posting"


class AccountNotFound(NotFound):
    """The books have no such account."""

    code = "ledger_account_not_found"
    title = "No such account in the books"


class AccountClosed(Conflict):
    """The account takes no more postings."""

    code = "ledger_account_closed"
    title = "This account is closed"


class AccountNotEmpty(Conflict):
    """Only an account at zero can be closed."""

    code = "ledger_account_not_empty"
    title = "This account still holds money"


class HoldNotFound(NotFound):
    """The books have no such hold."""

    code = "hold_not_found"
    title = "No such hold"


class HoldExceeded(Conflict):
    """More was to be captured or released than the hold still has."""

    code = "hold_exceeded"
    title = "The hold does not cover this amount"


class TransactionNotFound(NotFound):
    """The books have no such transaction."""

    code = "ledger_transaction_not_found"
    title = "No such transaction in the books"


class AlreadyReversed(Conflict):
    """A transaction is fully reversed at most once."""

    code = "already_reversed"
    title = "This transaction was reversed before"
