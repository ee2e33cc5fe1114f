"""The kinds of accounts, with their normal side."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from seedtrust.domain.ledger.posting import Side


class BookCode(StrEnum):
    """The two legal pots of money: the clients' and the company's."""

    TRUST = "trust"
    OPERATING = "operating"


class AccountKind(StrEnum):
    """What an account stands for."""

    BANK_CASH = "bank_cash"
    IN_TRANSIT = "in_transit"
    SHORTAGE_RECEIVABLE = "shortage_receivable"
    BANK_CHARGES_RECOVERABLE = "bank_charges_recoverable"
    MIGRATION = "migration"
    CASE = "case"
    DEPOSITS_IN_PROCESS = "deposits_in_process"
    UNIDENTIFIED_RECEIPTS = "unidentified_receipts"
    FEES_PAYABLE = "fees_payable"
    RETURNED_PAYMENTS = "returned_payments"
    CHECKS_OUTSTANDING = "checks_outstanding"
    STALE_ITEMS = "stale_items"
    COMMITMENTS = "commitments"
    OPERATING_CASH = "operating_cash"
    FEE_INCOME = "fee_income"
    BANK_CHARGES = "bank_charges"
    SHORTAGE_EXPENSE = "shortage_expense"
    DUE_TO_TRUST = "due_to_trust"


_DEBIT_NORMAL: Final = frozenset(
    {
        AccountKind.BANK_CASH,
        AccountKind.IN_TRANSIT,
        AccountKind.SHORTAGE_RECEIVABLE,
        AccountKind.BANK_CHARGES_RECOVERABLE,
        AccountKind.MIGRATION,
        AccountKind.OPERATING_CASH,
        AccountKind.BANK_CHARGES,
        AccountKind.SHORTAGE_EXPENSE,
    }
)

# Case ledgers alone are guarded: assets may run negative while items are under way.
GUARDED: Final = frozenset({AccountKind.CASE})

# One account of each in its book; the code is the kind.
STANDARD: Final = {
    BookCode.TRUST: (
        AccountKind.SHORTAGE_RECEIVABLE,
        AccountKind.BANK_CHARGES_RECOVERABLE,
        AccountKind.MIGRATION,
        AccountKind.DEPOSITS_IN_PROCESS,
        AccountKind.UNIDENTIFIED_RECEIPTS,
        AccountKind.FEES_PAYABLE,
        AccountKind.RETURNED_PAYMENTS,
        AccountKind.CHECKS_OUTSTANDING,
        AccountKind.STALE_ITEMS,
        AccountKind.COMMITMENTS,
    ),
    BookCode.OPERATING: (
        AccountKind.OPERATING_CASH,
        AccountKind.FEE_INCOME,
        AccountKind.BANK_CHARGES,
        AccountKind.SHORTAGE_EXPENSE,
        AccountKind.DUE_TO_TRUST,
    ),
}


def normal_side(kind: AccountKind) -> Side:
    """Return the side on which the kind's balance stands."""
    return Side.DEBIT if kind in _DEBIT_NORMAL else Side.CREDIT
