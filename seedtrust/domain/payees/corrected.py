"""A corrected version of an account that is in use: what the bank said, agreed by two people."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import CiphertextRefused, Keyring
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import Conflict
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.payees.errors import AccountChangeOpen, AccountUnchanged
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.service import account_aad, put_to_use
from seedtrust.domain.payees.states import OPEN_CHANGE, AccountState, AccountType

_LAST = 4
_REPLACEABLE = frozenset({AccountState.ACTIVE, AccountState.BLOCKED})


@dataclass(frozen=True, slots=True)
class CorrectedAccount:
    """What is right from now on; None where it stays as it was."""

    routing_number: str | None
    account_number: str | None = field(repr=False)
    account_type: AccountType | None


def replace_corrected(
    session: Session,
    actor: Actor,
    *,
    account_id: int,
    corrected: CorrectedAccount,
    first_user_id: int | None,
    first_name: str,
    note: str,
    keyring: Keyring,
    moment: Moment,
) -> PayeeAccount:
    """Put a corrected version of an account to use at once; the old one is replaced.

    The actor is the second person, `first_name` the first. Raises AccountChangeOpen while other
    bank details of the payee are undecided, AccountUnchanged when nothing would differ, Conflict
    when the account is not the one in use any more or its number cannot be opened.
    """
    old = session.get_one(PayeeAccount, account_id)
    payee = lock(session, Payee, old.payee_id)
    assert payee is not None, "an account has a payee"
    accounts = lock_where(session, select(PayeeAccount).where(PayeeAccount.payee_id == payee.id))
    if any(AccountState(row.state) in OPEN_CHANGE for row in accounts):
        message = "New bank details of this payee wait for a decision. Decide about those first."
        raise AccountChangeOpen(message)
    if AccountState(old.state) not in _REPLACEABLE:
        message = (
            "The payee has another account by now, so the bank's correction of the old one "
            "changes nothing. Set it aside."
        )
        raise Conflict(message, account=old.reference)
    account = _version(old, corrected, keyring, moment)
    if (account.account_fingerprint, account.account_type) == (
        old.account_fingerprint,
        old.account_type,
    ):
        message = "The account has these details already. Set the correction aside."
        raise AccountUnchanged(message)
    account.submitted_by = note[:200]
    account.checked_by_user_id, account.checked_by = first_user_id, first_name
    account.verified_by_user_id, account.verified_by = first_user_id, first_name
    account.call_back_note = note
    account.approved_by_user_id, account.approved_by = actor.user_id, actor.name
    account.approved_at = moment.at
    session.add(account)
    session.flush()  # the trail and the payee's other accounts refer to the row
    put_to_use(session, actor, payee, account, moment)
    return account


def _version(
    old: PayeeAccount, corrected: CorrectedAccount, keyring: Keyring, moment: Moment
) -> PayeeAccount:
    number = corrected.account_number or _number_of(old, keyring)
    routing = corrected.routing_number or old.routing_number
    kind = old.account_type if corrected.account_type is None else corrected.account_type.value
    account_id = new_id()
    return PayeeAccount(
        id=account_id,
        reference=new_reference(),
        payee_id=old.payee_id,
        state=AccountState.APPROVED.value,
        account_type=kind,
        holder_name=old.holder_name,
        bank_name=old.bank_name if routing == old.routing_number else "",
        routing_number=routing,
        account_number_sealed=keyring.seal(number, account_aad(account_id)),
        account_fingerprint=keyring.fingerprint(f"{routing}:{number}"),
        last_four=number[-_LAST:],
        submitted_at=moment.at,
    )


def _number_of(account: PayeeAccount, keyring: Keyring) -> str:
    try:
        return keyring.open(account.account_number_sealed, account_aad(account.id))
    except CiphertextRefused as error:
        message = (
            "The account number on file cannot be opened: it was altered or belongs to another "
            "payee. Nothing was changed. Tell an administrator at once."
        )
        raise Conflict(message, account=account.reference) from error
