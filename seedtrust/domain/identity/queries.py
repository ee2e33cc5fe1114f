"""Reading people: one by reference, lists for the staff, and who is somebody's self."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.identity.models import User, UserRole
from seedtrust.domain.identity.states import UserKind, UserStatus
from seedtrust.domain.identity.views import PersonView

_MOST = 500


def person_view(user: User, roles: frozenset[Role]) -> PersonView:
    """Return the frozen picture of an account."""
    return PersonView(
        id=user.id,
        reference=user.reference,
        email=user.email,
        display_name=user.display_name,
        kind=UserKind(user.kind),
        status=UserStatus(user.status),
        roles=roles,
        has_second_factor=user.totp_confirmed_at is not None,
        created_at=user.created_at,
        agency_id=user.agency_id,
    )


def myself(session: Session, actor: Actor) -> PersonView:
    """Return the actor's own account. Raises NotFound for a job."""
    found = _views(session, session.scalars(select(User).where(User.id == actor.user_id)))
    if not found:
        message = "A job has no account of its own."
        raise NotFound(message)
    return found[0]


def person(session: Session, actor: Actor, reference: str) -> PersonView:
    """Return an account by reference. Raises Forbidden or NotFound."""
    actor.require(Permission.USERS_VIEW)
    found = _views(session, session.scalars(select(User).where(User.reference == reference)))
    if not found:
        message = "There is nobody with this reference."
        raise NotFound(message)
    return found[0]


def person_by_email(session: Session, actor: Actor, email: str) -> PersonView:
    """Return an account by its canonical address. Raises Forbidden or NotFound."""
    actor.require(Permission.USERS_VIEW)
    found = _views(session, session.scalars(select(User).where(User.email == email)))
    if not found:
        message = "There is nobody with this e-mail address."
        raise NotFound(message)
    return found[0]


def people(
    session: Session,
    actor: Actor,
    *,
    kind: UserKind | None = None,
    status: UserStatus | None = None,
    text: str = "",
    limit: int = _MOST,
) -> list[PersonView]:
    """Return accounts by name, filtered; two queries however many there are."""
    actor.require(Permission.USERS_VIEW)
    statement = select(User).order_by(User.display_name, User.id).limit(limit)
    if kind is not None:
        statement = statement.where(User.kind == kind.value)
    if status is not None:
        statement = statement.where(User.status == status.value)
    wanted = text.strip()
    if wanted:
        fits = [User.display_name.icontains(wanted, autoescape=True)]
        if wanted.isascii():  # MariaDB refuses to look for other texts in an address
            fits.append(User.email.icontains(wanted.lower(), autoescape=True))
        statement = statement.where(or_(*fits))
    return _views(session, session.scalars(statement))


def names_of(session: Session, user_ids: Iterable[int]) -> dict[int, str]:
    """Return display names by user id, for lists that show who did something."""
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(set(user_ids))))
    return {user_id: name for user_id, name in rows}  # noqa: C416 - rows are not pairs to mypy


def staff_holding(session: Session, roles: Collection[Role]) -> list[tuple[int, str]]:
    """Return user id and address of the active staff who hold one of some roles, by id."""
    rows = session.execute(
        select(User.id, User.email)
        .join(UserRole, UserRole.user_id == User.id)
        .where(
            User.kind == UserKind.STAFF.value,
            User.status == UserStatus.ACTIVE.value,
            UserRole.current.is_(True),
            UserRole.role.in_([role.value for role in roles]),
        )
        .distinct()
        .order_by(User.id)
    )
    return [(user_id, email) for user_id, email in rows]


def people_of_agency(session: Session, agency_id: int, role: Role) -> list[tuple[int, str]]:
    """Return user id and address of an agency's active people with a role, by id."""
    rows = session.execute(
        select(User.id, User.email)
        .join(UserRole, UserRole.user_id == User.id)
        .where(
            User.agency_id == agency_id,
            User.status == UserStatus.ACTIVE.value,
            UserRole.current.is_(True),
            UserRole.role == role.value,
        )
        .order_by(User.id)
    )
    return [(user_id, email) for user_id, email in rows]


def _views(session: Session, users: Iterable[User]) -> list[PersonView]:
    found = list(users)
    roles: defaultdict[int, set[Role]] = defaultdict(set)
    statement = select(UserRole.user_id, UserRole.role).where(
        UserRole.user_id.in_([user.id for user in found]), UserRole.current.is_(True)
    )
    for user_id, role in session.execute(statement):
        roles[user_id].add(Role(role))
    return [person_view(user, frozenset(roles[user.id])) for user in found]
