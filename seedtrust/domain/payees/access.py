"""Who may see which payee: the only way by which verbs and views obtain one."""

from __future__ import annotations

from sqlalchemy import Select, false, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission, Scope
from seedtrust.domain.cases.models import CaseParty
from seedtrust.domain.payees.models import Payee, PayeeAccount


def visible(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """Return the condition on payees that the actor may reach with a permission.

    Staff reach every payee; a party its own; an agency's administrator the agency's own and, as a
    party, its own. Raises Forbidden without the permission.
    """
    scope = actor.require(permission)
    if scope is Scope.ALL:
        return true()
    own: list[ColumnElement[bool]] = [false()]
    if actor.user_id is not None:
        parties = select(CaseParty.id).where(CaseParty.user_id == actor.user_id)
        own.append(Payee.party_id.in_(parties))
    if scope is Scope.AGENCY and actor.agency_id is not None:
        own.append(Payee.agency_id == actor.agency_id)
    return or_(*own)


def payee_for(
    session: Session,
    actor: Actor,
    reference: str,
    permission: Permission = Permission.PAYEES_VIEW,
    *,
    locked: bool = False,
) -> Payee:
    """Return a payee within the actor's scope. Raises NotFound for every other reference."""
    statement = select(Payee).where(Payee.reference == reference, visible(actor, permission))
    rows = lock_where(session, statement) if locked else _read(session, statement)
    if not rows:
        message = "There is no such payee."
        raise NotFound(message)
    return rows[0]


def account_for(
    session: Session, actor: Actor, reference: str, permission: Permission
) -> tuple[Payee, PayeeAccount]:
    """Lock and return a payee and one of its accounts, the payee first.

    Every change of an account locks its payee, so that two changes never cross.
    Raises NotFound.
    """
    owner = select(PayeeAccount.payee_id).where(PayeeAccount.reference == reference)
    payees = lock_where(
        session,
        select(Payee).where(Payee.id.in_(owner.scalar_subquery()), visible(actor, permission)),
    )
    accounts = lock_where(session, select(PayeeAccount).where(PayeeAccount.reference == reference))
    if not payees or not accounts:
        message = "There is no such bank account."
        raise NotFound(message)
    return payees[0], accounts[0]


def _read(session: Session, statement: Select[Payee]) -> list[Payee]:
    return list(session.execute(statement).scalars())
