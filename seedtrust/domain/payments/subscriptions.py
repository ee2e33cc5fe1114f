"""Where a bank brings its events, and the secrets that prove that it was the bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.payments.models import TrustAccount, WebhookSubscription
from seedtrust.domain.payments.ports import Subscription

# The bank signs with both secrets for a day, so that nothing is refused on the way over.
KEEP_OLD: Final = timedelta(days=1)
ROTATE_AFTER: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KnownSubscription:
    """What we know of a subscription; `is_rotating` says that a new secret may have been lost."""

    bank_ref: str
    url: str
    secret_since_at: datetime
    is_rotating: bool

    def wants_new_secret(self, now: datetime) -> bool:
        """Tell whether its secret is due to be changed, or its last change was never finished."""
        return self.is_rotating or now - self.secret_since_at >= ROTATE_AFTER


def known_subscription(session: Session, bank: str) -> KnownSubscription | None:
    """Return what we know of where a bank brings its events, None if it brings nothing."""
    row = _row(session, bank)
    if row is None:
        return None
    return KnownSubscription(
        row.bank_ref, row.url, row.secret_since_at, row.rotating_since_at is not None
    )


def is_paid_through(session: Session, bank: str) -> bool:
    """Tell whether a trust account names a bank, so that its events are worth having."""
    found = session.execute(select(TrustAccount.id).where(TrustAccount.bank_code == bank))
    return found.first() is not None


def begin_rotation(session: Session, actor: Actor, *, bank: str, moment: Moment) -> None:
    """Note that the bank is about to be asked for a new secret; committed before it is asked.

    The answer tells the secret once. Should it be lost, this note has the bank asked again.
    """
    _require_command(actor)
    for row in _locked(session, bank):
        row.rotating_since_at = moment.at


def keep_subscription(
    session: Session,
    actor: Actor,
    *,
    bank: str,
    made: Subscription,
    keyring: Keyring,
    moment: Moment,
) -> None:
    """Keep where a bank brings its events, its secret sealed; the one before counts for a day.

    Only a job or a command may do this; the change is on the trail, without the secret. Raises
    Forbidden.
    """
    _require_command(actor)
    rows = _locked(session, bank)
    row = rows[0] if rows else WebhookSubscription(id=new_id(), bank=bank, secret_sealed="")
    before = _opened(row, row.secret_sealed, keyring)
    row.old_secret_sealed = keyring.seal(before, secret_aad(row.id)) if before else ""
    row.old_until_at = moment.at + KEEP_OLD if before else None
    row.bank_ref, row.url = made.bank_ref, made.url
    row.secret_sealed = keyring.seal(made.secret, secret_aad(row.id))
    row.secret_since_at, row.rotating_since_at = moment.at, None
    session.add(row)
    record(
        session,
        actor,
        "webhook.secret_kept",
        "webhook_subscription",
        f"{bank}:{made.bank_ref}",
        facts={"bank": bank, "url": made.url},
        now=moment.at,
    )


def secrets_of(session: Session, bank: str, keyring: Keyring, now: datetime) -> list[str]:
    """Return the secrets that may sign what a bank brings now, the newest first.

    Raises CiphertextRefused when a sealed one was altered or moved.
    """
    row = _row(session, bank)
    if row is None:
        return []
    found = [_opened(row, row.secret_sealed, keyring)]
    if row.old_until_at is not None and now < row.old_until_at:
        found.append(_opened(row, row.old_secret_sealed, keyring))
    return [secret for secret in found if secret]


def secret_aad(subscription_id: int) -> str:
    """Return what binds a sealed secret to its row."""
    return f"webhook_subscriptions.secret_sealed:{subscription_id}"


def _opened(row: WebhookSubscription, sealed: str, keyring: Keyring) -> str:
    return keyring.open(sealed, secret_aad(row.id)) if sealed else ""


def _row(session: Session, bank: str) -> WebhookSubscription | None:
    return session.execute(
        select(WebhookSubscription).where(WebhookSubscription.bank == bank)
    ).scalar_one_or_none()


def _locked(session: Session, bank: str) -> list[WebhookSubscription]:
    return lock_where(session, select(WebhookSubscription).where(WebhookSubscription.bank == bank))


def _require_command(actor: Actor) -> None:
    if not actor.is_system:
        message = "Where a bank brings its events is set from the command line."
        raise Forbidden(message)
