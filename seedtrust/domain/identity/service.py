"""Accounts: creating, inviting, accepting, disabling, and granting roles."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import DomainError, Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import GRANTS, ROLE_LABELS, STAFF_ROLES, Actor, Permission, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.identity import passwords, second_factor
from seedtrust.domain.identity.errors import (
    EmailTaken,
    InvitationRefused,
    RolesConflict,
)
from seedtrust.domain.identity.models import Invitation, User, UserRole
from seedtrust.domain.identity.queries import person_view
from seedtrust.domain.identity.sessions import (
    Client,
    actor_of,
    end_all,
    open_session,
    roles_of,
)
from seedtrust.domain.identity.states import EndReason, SessionStage, UserKind, UserStatus
from seedtrust.domain.identity.tokens import hash_token, new_token
from seedtrust.domain.identity.views import OpenedSession, PersonView
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify

Value = TypeVar("Value")

# Permissions that nobody may hold together, through however many roles.
NEVER_TOGETHER: Final[tuple[tuple[Permission, Permission], ...]] = (
    (Permission.RUNS_BUILD, Permission.RUNS_RELEASE),
    (Permission.USERS_GRANT, Permission.RUNS_RELEASE),
    (Permission.USERS_GRANT, Permission.RUNS_BUILD),
    (Permission.JOBS_RUN, Permission.RUNS_RELEASE),
    (Permission.JOBS_RUN, Permission.RUNS_BUILD),
    (Permission.PAYEES_CHECK, Permission.PAYEES_APPROVE),
    (Permission.CASES_PROPOSE_ACCOUNTING, Permission.CASES_APPROVE_ACCOUNTING),
)
_LONGEST_NAME: Final = 120


def settled(outcome: Value | DomainError) -> Value:
    """Return the value of an outcome, or raise the refusal that it is.

    A verb that must keep what it learnt from a failure (a wrong guess, a stolen token) returns
    its refusal, so that the unit of work commits; the door raises it afterwards.
    """
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def canonical_email(text: str, field: str = "email") -> str:
    """Return an address in the one form that is stored: ASCII, lower case.

    Raises Invalid, naming the field, for anything that is no address.
    """
    try:
        parsed = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as error:
        message = "Enter an e-mail address, for example name@example.com."
        raise Invalid(message, errors={field: [message]}) from error
    return (parsed.ascii_email or "").lower()


def create_user(
    session: Session,
    actor: Actor,
    *,
    email: str,
    display_name: str,
    kind: UserKind,
    roles: Iterable[Role] = (),
    agency_id: int | None = None,
    password_hash: str,
    totp_seed: str | None = None,
    keyring: Keyring,
    now: datetime,
) -> PersonView:
    """Make an account that can sign in at once; for the shell and the demo, not for the doors.

    `password_hash` is made by `passwords.new_hash`. With `totp_seed` the second factor is
    confirmed already. Raises EmailTaken, RolesConflict, and Forbidden unless the system acts.
    """
    if not actor.is_system:
        message = "Invite people instead; they choose their own password."
        raise Forbidden(message)
    user = _add_user(session, email, display_name, kind, agency_id, now=now)
    user.password_hash, user.password_set_at = password_hash, now
    user.status = UserStatus.ACTIVE.value
    if totp_seed is not None:
        second_factor.give_seed(user, keyring, totp_seed)
        user.totp_confirmed_at = now
    held = _grant_all(session, user, actor, roles, now=now)
    record(session, actor, "identity.created", "user", user.reference, now=now)
    return _view(user, held)


def invite(
    session: Session,
    actor: Actor,
    *,
    email: str,
    display_name: str,
    kind: UserKind,
    roles: Iterable[Role] = (),
    agency_id: int | None = None,
    valid_seconds: int,
    keyring: Keyring,
    now: datetime,
) -> PersonView:
    """Make an account and promise the mail with its single-use link.

    Staff start without roles: somebody else grants them (roles and invitation are two acts of two
    people). Raises Forbidden, EmailTaken, Invalid, RolesConflict.
    """
    actor.require(Permission.USERS_INVITE)
    wanted = frozenset(roles)
    if kind is UserKind.STAFF and wanted and not actor.is_system:
        message = "Invite staff without a role. Legal grants it after the invitation."
        raise RolesConflict(message)
    user = _add_user(session, email, display_name, kind, agency_id, now=now)
    held = _grant_all(session, user, actor, wanted, now=now)
    _send_invitation(session, actor, user, valid_seconds, keyring, now=now)
    record(session, actor, "identity.invited", "user", user.reference, now=now)
    return _view(user, held)


def invite_again(
    session: Session,
    actor: Actor,
    reference: str,
    *,
    valid_seconds: int,
    keyring: Keyring,
    now: datetime,
) -> PersonView:
    """Send a new link and end the old one. Raises WrongState once the account is in use."""
    actor.require(Permission.USERS_INVITE)
    user = _locked_user(session, reference)
    if user.status != UserStatus.INVITED:
        message = "This account is in use already; nothing was sent."
        raise WrongState(message)
    for row in lock_where(session, _open_invitations(user.id)):
        row.used_at = now
    _send_invitation(session, actor, user, valid_seconds, keyring, now=now)
    record(session, actor, "identity.invited_again", "user", user.reference, now=now)
    return _view(user, roles_of(session, user.id))


def invitation_aad(event_key: str) -> str:
    """Return what binds the sealed link of an invitation to its notice."""
    return f"notice_deliveries.facts.{event_key}"


def _send_invitation(
    session: Session,
    actor: Actor,
    user: User,
    valid_seconds: int,
    keyring: Keyring,
    *,
    now: datetime,
) -> None:
    token = new_token()
    invitation = Invitation(
        id=new_id(),
        user_id=user.id,
        token_hash=hash_token(token),
        created_at=now,
        created_by=actor.user_id,
        expires_at=now + timedelta(seconds=valid_seconds),
    )
    session.add(invitation)
    event_key = f"invitation-{invitation.id}"
    facts = {
        "name": user.display_name,
        "days": str(max(1, valid_seconds // 86_400)),
        # Opened by the mail job only; the queue and the delivery row never show the link.
        "token_sealed": keyring.seal(token, invitation_aad(event_key)),
    }
    notify(
        session,
        NoticeEvent.INVITED,
        event_key,
        [Recipient(user.id, user.email, facts)],
        request_id=actor.request_id,
        now=now,
    )


@dataclass(frozen=True)
class InvitationView:
    """What the page behind a link shows before a password is chosen."""

    email: str
    display_name: str
    kind: UserKind
    shortest_password: int


def invitation_of(session: Session, token: str, *, now: datetime) -> InvitationView:
    """Return whose invitation a link is. Raises InvitationRefused for a used or old one."""
    row = session.execute(
        select(User)
        .join(Invitation, Invitation.user_id == User.id)
        .where(
            Invitation.token_hash == hash_token(token),
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
            User.status == UserStatus.INVITED.value,
        )
    ).scalar_one_or_none()
    if row is None:
        raise _invitation_refused()
    kind = UserKind(row.kind)
    return InvitationView(row.email, row.display_name, kind, passwords.SHORTEST[kind])


def accept_invitation(
    session: Session,
    token: str,
    *,
    password_hash: str,
    keyring: Keyring,
    client: Client,
    absolute_seconds: int,
    request_id: str = "",
    now: datetime,
) -> OpenedSession | None:
    """Set the first password; staff get a session that may only enrol the second factor.

    People outside get None: they go on in their app. `password_hash` is made by
    `passwords.refusal_of` and `hash_password` outside of any unit of work, because it is slow on
    purpose. Raises InvitationRefused.
    """
    found = lock_where(
        session, select(Invitation).where(Invitation.token_hash == hash_token(token))
    )
    if not found or found[0].used_at is not None or found[0].expires_at <= now:
        raise _invitation_refused()
    user = lock(session, User, found[0].user_id)
    if user is None or user.status != UserStatus.INVITED:
        raise _invitation_refused()
    found[0].used_at = now
    user.password_hash, user.password_set_at = password_hash, now
    user.status = UserStatus.ACTIVE.value
    actor = actor_of(user, roles_of(session, user.id), request_id=request_id)
    record(session, actor, "identity.invitation_accepted", "user", user.reference, now=now)
    if user.kind != UserKind.STAFF:
        return None
    second_factor.give_seed(user, keyring)
    return open_session(
        session,
        user,
        SessionStage.PASSWORD,
        client=client,
        absolute_seconds=absolute_seconds,
        now=now,
    )


def _invitation_refused() -> InvitationRefused:
    message = "This link was used already or is too old. Ask for a new invitation."
    return InvitationRefused(message)


def disable_user(
    session: Session, actor: Actor, reference: str, *, reason: str, now: datetime
) -> PersonView:
    """Close an account at once: no sign-in, every session ended. Raises Forbidden, WrongState."""
    actor.require(Permission.USERS_INVITE)
    user = _locked_user(session, reference)
    if user.id == actor.user_id:
        message = "Ask a colleague: nobody closes their own account."
        raise RolesConflict(message)
    if user.status == UserStatus.DISABLED:
        message = "This account is closed already."
        raise WrongState(message)
    if not reason.strip():
        message = "Say why the account is closed."
        raise Invalid(message, errors={"reason": [message]})
    user.status, user.disabled_at = UserStatus.DISABLED.value, now
    for row in lock_where(session, _open_invitations(user.id)):
        row.used_at = now
    end_all(session, user.id, EndReason.ACCOUNT_DISABLED, now=now)
    record(
        session, actor, "identity.disabled", "user", user.reference, reason=reason.strip(), now=now
    )
    return _view(user, roles_of(session, user.id))


def reset_second_factor(
    session: Session, actor: Actor, reference: str, *, reason: str, keyring: Keyring, now: datetime
) -> PersonView:
    """Take somebody's authenticator away; they set up another at the next sign-in.

    Only from a shell: at the doors it takes two people. Raises Forbidden, NotFound.
    """
    if not actor.is_system:
        message = "An authenticator is taken away from a shell only."
        raise Forbidden(message)
    user = _locked_user(session, reference)
    second_factor.give_seed(user, keyring)
    end_all(session, user.id, EndReason.CREDENTIAL_CHANGED, now=now)
    record(session, actor, "identity.totp_reset", "user", user.reference, reason=reason, now=now)
    return _view(user, roles_of(session, user.id))


def grant_role(
    session: Session, actor: Actor, reference: str, role: Role, *, now: datetime
) -> PersonView:
    """Give somebody a role. Raises Forbidden, RolesConflict for oneself or for a bad pair."""
    actor.require(Permission.USERS_GRANT)
    user = _locked_user(session, reference)
    held = _grant_all(session, user, actor, {role}, now=now)
    return _view(user, held)


def revoke_role(
    session: Session, actor: Actor, reference: str, role: Role, *, reason: str, now: datetime
) -> PersonView:
    """Take a role away, at once and in every open session. Raises Forbidden, WrongState."""
    actor.require(Permission.USERS_GRANT)
    user = _locked_user(session, reference)
    _refuse_oneself(user, actor)
    rows = lock_where(
        session,
        select(UserRole).where(
            UserRole.user_id == user.id, UserRole.role == role.value, UserRole.current.is_(True)
        ),
    )
    if not rows:
        message = f"{user.display_name} does not hold this role."
        raise WrongState(message)
    rows[0].current, rows[0].revoked_at, rows[0].revoked_by = None, now, actor.user_id
    end_all(session, user.id, EndReason.ROLE_REMOVED, now=now)
    record(
        session,
        actor,
        "identity.role_revoked",
        "user",
        user.reference,
        reason=reason,
        facts={"role": role.value},
        now=now,
    )
    return _view(user, roles_of(session, user.id) - {role})


def _grant_all(
    session: Session, user: User, actor: Actor, roles: Iterable[Role], *, now: datetime
) -> frozenset[Role]:
    wanted = frozenset(roles)
    held = roles_of(session, user.id)
    if not wanted:
        return held
    _refuse_oneself(user, actor)
    _refuse_foreign_roles(UserKind(user.kind), wanted)
    refuse_bad_pairs(held | wanted)
    for role in sorted(wanted - held):
        session.add(
            UserRole(
                id=new_id(),
                user_id=user.id,
                role=role.value,
                current=True,
                granted_at=now,
                granted_by=actor.user_id,
            )
        )
        record(
            session,
            actor,
            "identity.role_granted",
            "user",
            user.reference,
            facts={"role": role.value},
            now=now,
        )
    return held | wanted


def _refuse_oneself(user: User, actor: Actor) -> None:
    if user.id == actor.user_id:
        message = "Nobody changes their own roles. Ask a colleague."
        raise RolesConflict(message)


def _refuse_foreign_roles(kind: UserKind, roles: frozenset[Role]) -> None:
    foreign = roles - STAFF_ROLES if kind is UserKind.STAFF else roles & STAFF_ROLES
    if foreign:
        listed = ", ".join(sorted(ROLE_LABELS[role] for role in foreign))
        side = "the company's people" if kind is UserKind.PARTY else "people outside the company"
        message = f"Only {side} can be: {listed}."
        raise RolesConflict(message)


def refuse_bad_pairs(roles: frozenset[Role]) -> None:
    """Raise RolesConflict when these roles together hold two permissions that must stay apart."""
    holders = {
        permission: {role for role in roles if permission in GRANTS[role]}
        for pair in NEVER_TOGETHER
        for permission in pair
    }
    for first, second in NEVER_TOGETHER:
        if holders[first] and holders[second]:
            named = sorted({ROLE_LABELS[role] for role in holders[first] | holders[second]})
            message = (
                f"One person cannot hold {' and '.join(named)}: nobody may act twice on the "
                "same money. Choose one of them."
            )
            raise RolesConflict(message, first=first.value, second=second.value)


def _add_user(
    session: Session,
    email: str,
    display_name: str,
    kind: UserKind,
    agency_id: int | None,
    *,
    now: datetime,
) -> User:
    address = canonical_email(email)
    name = " ".join(unicodedata.normalize("NFC", display_name).split())
    if not 1 < len(name) <= _LONGEST_NAME or not name.isprintable():
        message = f"Enter a name of 2 to {_LONGEST_NAME} characters."
        raise Invalid(message, errors={"display_name": [message]})
    if session.scalars(select(User.id).where(User.email == address)).first() is not None:
        message = "Somebody with this e-mail address has an account already."
        raise EmailTaken(message, errors={"email": [message]})
    user = User(
        id=new_id(),
        reference=new_reference(),
        email=address,
        display_name=name,
        kind=kind.value,
        status=UserStatus.INVITED.value,
        agency_id=agency_id,
        created_at=now,
    )
    session.add(user)
    session.flush()  # roles and invitations refer to the row
    return user


def context_words(email: str, display_name: str) -> tuple[str, ...]:
    """Return what a guesser knows about somebody: the name and both halves of the address."""
    return (display_name, *email.split("@"))


def _locked_user(session: Session, reference: str) -> User:
    found = lock_where(session, select(User).where(User.reference == reference))
    if not found:
        message = "There is nobody with this reference."
        raise NotFound(message)
    return found[0]


def _open_invitations(user_id: int) -> Select[Invitation]:
    return select(Invitation).where(Invitation.user_id == user_id, Invitation.used_at.is_(None))


def _view(user: User, roles: Iterable[Role]) -> PersonView:
    return person_view(user, frozenset(roles))
