"""What doors may show of payees: never a whole account number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from seedtrust.domain.payees.states import AccountState, AccountType, PayeeKind


@dataclass(frozen=True, slots=True)
class AccountView:
    """One bank account of a payee, its number masked to the last four."""

    reference: str
    payee_ref: str
    payee_name: str
    state: AccountState
    state_label: str
    state_tone: str
    account_type: AccountType
    holder_name: str
    bank_name: str
    routing_number: str
    masked_number: str
    submitted_by: str
    submitted_at: datetime
    checked_by: str
    verified_by: str
    call_back_note: str
    approved_by: str
    approved_at: datetime | None
    cooling_until_on: date | None
    active_on: date | None
    state_reason: str
    may_check: bool
    may_verify: bool
    may_approve: bool
    may_reject: bool


@dataclass(frozen=True, slots=True)
class PayeeView:
    """One payee with its accounts, the newest first."""

    reference: str
    kind: PayeeKind
    name: str
    label: str
    case_ref: str
    accounts: tuple[AccountView, ...]
    created_by: str
    created_at: datetime

    @property
    def active(self) -> AccountView | None:
        """Return the account that money goes to, if any."""
        found = (row for row in self.accounts if row.state is AccountState.ACTIVE)
        return next(found, None)

    @property
    def in_change(self) -> AccountView | None:
        """Return the account that is on its way to being used, if any."""
        closed = {
            AccountState.ACTIVE,
            AccountState.SUPERSEDED,
            AccountState.BLOCKED,
            AccountState.REJECTED,
        }
        return next((row for row in self.accounts if row.state not in closed), None)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a payee's money goes today, or that it cannot go anywhere and why.

    `blocked_because` is why the account last in use is blocked, empty if it is not.
    """

    payee_id: int
    account_id: int | None
    change_open: bool
    cooling: bool
    blocked_because: str = ""
