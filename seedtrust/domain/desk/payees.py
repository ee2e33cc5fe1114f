"""Bank details that wait, beside those on file; numbers by their last four only."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payees.states import AccountState


def on_file(session: Session, actor: Actor, payee_refs: Collection[str]) -> dict[str, str]:
    """Return the masked number of the active account of several payees, by payee. One query."""
    actor.require(Permission.PAYEES_VIEW)
    rows = session.execute(
        select(Payee.reference, PayeeAccount.last_four)
        .join(Payee, Payee.id == PayeeAccount.payee_id)
        .where(Payee.reference.in_(payee_refs), PayeeAccount.state == AccountState.ACTIVE.value)
    )
    return {reference: masked(last_four) for reference, last_four in rows}


def payee_of_account(session: Session, actor: Actor, account_ref: str) -> str:
    """Return the reference of the payee whose account it is. Raises NotFound."""
    actor.require(Permission.PAYEES_VIEW)
    found = session.execute(
        select(Payee.reference)
        .join(PayeeAccount, PayeeAccount.payee_id == Payee.id)
        .where(PayeeAccount.reference == account_ref)
    ).scalar_one_or_none()
    if found is None:
        message = "There is no such bank account."
        raise NotFound(message)
    return found
