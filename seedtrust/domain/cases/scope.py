"""Who reaches which case, and from which side: the only place where that is decided."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVarTuple

from sqlalchemy import Select, and_, exists, false, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from seedtrust.core.db import lock
from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import GRANTS, Actor, Permission, Role, Scope
from seedtrust.domain.cases.models import Case, CaseParty, CaseTeamMember
from seedtrust.domain.cases.states import Side

Columns = TypeVarTuple("Columns")


def case_for(
    session: Session,
    actor: Actor,
    reference: str,
    permission: Permission = Permission.CASES_VIEW,
    *,
    locked: bool = False,
) -> Case:
    """Return a case within the actor's reach; `locked` takes its row lock and fresh attributes.

    Raises Forbidden without the permission, and NotFound for what is missing or out of scope.
    """
    row = session.execute(
        select(Case).where(Case.reference == reference, reach(actor, permission))
    ).scalar_one_or_none()
    if row is not None and locked:
        row = lock(session, Case, row.id)
    if row is None:
        raise missing_case()
    return row


def missing_case() -> NotFound:
    """Return the answer for a case that does not exist or is out of reach: both look the same."""
    return NotFound("There is no such case, or it is not yours to see.")


def cases_in_scope(
    query: Select[*Columns], actor: Actor, permission: Permission
) -> Select[*Columns]:
    """Narrow a query that selects from or joins `cases` to what the actor reaches.

    Raises Forbidden without the permission.
    """
    return query.where(reach(actor, permission))


def reach(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """Return the condition on `cases` for the cases that the permission reaches.

    Each role reaches by its own relation, so a right that a person has as an agency's
    administrator does not leak into a case where the same person is only a party.
    Raises Forbidden without the permission.
    """
    actor.require(permission)
    if actor.is_system:
        return true()
    conditions = [
        _reach_of_role(actor, role, scope)
        for role in actor.roles
        if (scope := GRANTS[role].get(permission)) is not None
    ]
    return or_(false(), *conditions)


def _reach_of_role(actor: Actor, role: Role, scope: Scope) -> ColumnElement[bool]:
    if scope is Scope.ALL:
        return true()
    own = exists().where(
        CaseParty.case_id == Case.id,
        CaseParty.user_id == actor.user_id,
        CaseParty.role == role.value,
    )
    if scope is Scope.OWN:
        return own
    if scope is Scope.AGENCY:
        return own if actor.agency_id is None else or_(own, Case.agency_id == actor.agency_id)
    assigned: ColumnElement[bool] = exists().where(
        CaseTeamMember.case_id == Case.id, CaseTeamMember.user_id == actor.user_id
    )
    if actor.agency_id is not None:
        # Who changes to another agency leaves the old one's cases behind.
        assigned = and_(assigned, Case.agency_id == actor.agency_id)
    return or_(own, assigned)


def side_of(session: Session, actor: Actor, case_id: int) -> Side | None:
    """Return the side from which the actor looks at a case; None for the company, which sees all.

    Raises NotFound for somebody with no relation to the case.
    """
    return sides_of(session, actor, [case_id])[case_id]


def sides_of(session: Session, actor: Actor, case_ids: Collection[int]) -> dict[int, Side | None]:
    """Return the actor's side on each of several cases, in two queries at most.

    Raises NotFound if the actor has no relation to one of them.
    """
    if actor.is_staff or actor.is_system:
        return dict.fromkeys(case_ids)
    sides: dict[int, Side | None] = {}
    rows = session.execute(
        select(CaseParty.case_id, CaseParty.side).where(
            CaseParty.case_id.in_(case_ids), CaseParty.user_id == actor.user_id
        )
    )
    for case_id, side in rows:
        # The agency's people know both sides; whoever is also a client sees as that client.
        if case_id not in sides or sides[case_id] is Side.AGENCY:
            sides[case_id] = Side(side)
    unknown = [case_id for case_id in case_ids if case_id not in sides]
    if unknown:
        sides.update(_agency_sides(session, actor, unknown))
    if len(sides) < len(set(case_ids)):
        raise missing_case()
    return sides


def _agency_sides(session: Session, actor: Actor, case_ids: list[int]) -> dict[int, Side | None]:
    agency_roles = {Role.AGENCY_ADMINISTRATOR, Role.CASE_MANAGER} & actor.roles
    conditions = [
        _reach_of_role(actor, role, GRANTS[role][Permission.CASES_VIEW]) for role in agency_roles
    ]
    rows = session.execute(select(Case.id).where(Case.id.in_(case_ids), or_(false(), *conditions)))
    return dict.fromkeys(rows.scalars(), Side.AGENCY)
