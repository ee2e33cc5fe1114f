"""Commands about accounts: create, invite, roles, and taking a second factor away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import pyotp
from sqlalchemy.orm import Session

from seedtrust.app import create_app, make_keyring
from seedtrust.cli import data_option, settings_or_exit
from seedtrust.core.clock import SystemClock
from seedtrust.core.crypto import Keyring
from seedtrust.core.errors import DomainError
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.identity import passwords, queries, service
from seedtrust.domain.identity.states import UserKind
from seedtrust.domain.identity.views import PersonView
from seedtrust.ext import in_transaction
from seedtrust.settings import Settings

Result = TypeVar("Result")

ROLES = click.Choice([role.value for role in Role])
KINDS = click.Choice([kind.value for kind in UserKind])


@click.group()
def user() -> None:
    """Create and invite people."""


def _run(settings: Settings, work: Callable[[Session, Actor, Keyring], Result]) -> Result:
    """Run one verb as the shell; a refusal ends with exit code 1 and its sentence."""
    app = create_app(settings)
    with app.app_context():
        try:
            return in_transaction(
                lambda session: work(session, Actor.system("shell"), make_keyring(settings))
            )
        except DomainError as refusal:
            messages = [message for held in refusal.errors.values() for message in held]
            click.echo(" ".join(dict.fromkeys([refusal.detail, *messages])), err=True)
            raise SystemExit(1) from None


def _settings(data: Path | None) -> Settings:
    return settings_or_exit(data, log_level="ERROR")


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--kind", type=KINDS, default=UserKind.STAFF.value, show_default=True)
@click.option("--role", "roles", type=ROLES, multiple=True, help="May be given several times.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
@click.option("--totp", is_flag=True, help="Make a second factor and print its key once.")
@data_option
def create(
    email: str,
    name: str,
    kind: str,
    *,
    roles: tuple[str, ...],
    password: str,
    data: Path | None,
    totp: bool,
) -> None:
    """Make an account that can sign in at once."""
    seed = pyotp.random_base32() if totp else None
    settings = _settings(data)
    try:
        context = service.context_words(email, name)
        password_hash = passwords.new_hash(password, UserKind(kind), context)
    except DomainError as refusal:
        click.echo(refusal.detail, err=True)
        raise SystemExit(1) from None

    def work(session: Session, actor: Actor, keyring: Keyring) -> PersonView:
        return service.create_user(
            session,
            actor,
            email=email,
            display_name=name,
            kind=UserKind(kind),
            roles=[Role(role) for role in roles],
            password_hash=password_hash,
            totp_seed=seed,
            keyring=keyring,
            now=SystemClock().now(),
        )

    person = _run(settings, work)
    click.echo(f"{person.reference}  {person.email}")
    if seed is not None:
        click.echo(f"Key for the authenticator app: {seed}")


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--kind", type=KINDS, default=UserKind.STAFF.value, show_default=True)
@click.option("--role", "roles", type=ROLES, multiple=True, help="May be given several times.")
@data_option
def invite(email: str, name: str, kind: str, roles: tuple[str, ...], data: Path | None) -> None:
    """Make an account and send its link by mail."""
    settings = _settings(data)

    def work(session: Session, actor: Actor, keyring: Keyring) -> PersonView:
        return service.invite(
            session,
            actor,
            email=email,
            display_name=name,
            kind=UserKind(kind),
            roles=[Role(role) for role in roles],
            valid_seconds=settings.invitation_seconds,
            keyring=keyring,
            now=SystemClock().now(),
        )

    person = _run(settings, work)
    click.echo(f"{person.reference}  {person.email}: the invitation is on its way.")


@user.command("reset-mfa")
@click.argument("email")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@data_option
def reset_mfa(email: str, reason: str, data: Path | None) -> None:
    """Take an authenticator app away; its owner sets up another at the next sign-in."""

    def work(session: Session, actor: Actor, keyring: Keyring) -> PersonView:
        person = queries.person_by_email(session, actor, service.canonical_email(email))
        return service.reset_second_factor(
            session,
            actor,
            person.reference,
            reason=reason,
            keyring=keyring,
            now=SystemClock().now(),
        )

    person = _run(_settings(data), work)
    click.echo(f"{person.email}: the authenticator app is taken away, every session is ended.")


@user.command()
@click.argument("email")
@click.option("--grant", type=ROLES, help="Give this role.")
@click.option("--revoke", type=ROLES, help="Take this role away.")
@data_option
def roles(email: str, grant: str | None, revoke: str | None, data: Path | None) -> None:
    """Show somebody's roles, give one, or take one away."""

    def work(session: Session, actor: Actor, _keyring: Keyring) -> PersonView:
        now = SystemClock().now()
        person = queries.person_by_email(session, actor, service.canonical_email(email))
        if grant is not None:
            person = service.grant_role(session, actor, person.reference, Role(grant), now=now)
        if revoke is not None:
            person = service.revoke_role(
                session, actor, person.reference, Role(revoke), reason="by shell", now=now
            )
        return person

    person = _run(_settings(data), work)
    click.echo(f"{person.email}: {', '.join(sorted(person.roles)) or 'no role'}")
