"""Having a bank bring its events to our door, with a secret that changes from time to time."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import structlog

from seedtrust.core.permissions import Actor
from seedtrust.domain.payments import subscriptions
from seedtrust.domain.payments.ports import HUNTINGTON, BankError, NotSupported, Subscription
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools, system

JOB: Final = "bank.subscribe"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

log = structlog.get_logger()


def keep_subscribed(tools: Tools) -> tuple[int, int]:
    """Have the bank of single payments bring its events here; returns (changed, failed).

    Nothing happens while no trust account names it, where it offers no such call, or where our
    address could not be reached from outside. Its secret is changed every thirty days.
    """
    url = door_of(tools, HUNTINGTON)
    wanted = reading(lambda session: subscriptions.is_paid_through(session, HUNTINGTON))
    if not wanted or not may_be_brought_to(url):
        return 0, 0
    try:
        changed = subscribe(tools, system(JOB), HUNTINGTON, url)
    except NotSupported:
        return 0, 0
    except BankError as failed:
        log.warning("bank.not_subscribed", bank=HUNTINGTON, reason=failed.sentence)
        return 0, 1
    return int(changed), 0


def subscribe(tools: Tools, actor: Actor, bank: str, url: str, *, new_secret: bool = False) -> bool:
    """Have a bank bring its events to an address, once; True if anything had to change.

    What a killed run left at the bank is taken over with a new secret, what is one too many is
    ended, and so is a former address. Raises a BankError; running it again makes it good.
    """
    line, now = tools.bank_of(bank), tools.clock.now()
    known = reading(lambda session: subscriptions.known_subscription(session, bank))
    found = line.list_subscriptions()
    ours = [row for row in found if row.url == url]
    current = next((row for row in ours if known and row.bank_ref == known.bank_ref), None)
    changed = True
    if known is not None and current is not None:
        changed = new_secret or known.wants_new_secret(now)
        if changed:
            _rotate(tools, actor, bank, current)
    elif ours:
        current = ours[0]
        _rotate(tools, actor, bank, current)
    else:
        current = line.subscribe(url)
        _keep(tools, actor, bank, current)
    former = "" if known is None else known.bank_ref
    for row in found:
        if row.bank_ref != current.bank_ref and (row.url == url or row.bank_ref == former):
            line.unsubscribe(row.bank_ref)
            changed = True
    return changed


def door_of(tools: Tools, bank: str) -> str:
    """Return the address at which we take what a bank brings."""
    return f"{tools.public_base_url}/webhooks/bank/{bank}"


def may_be_brought_to(url: str) -> bool:
    """Tell whether an address can be given to a bank: https, or http on this machine alone."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _rotate(tools: Tools, actor: Actor, bank: str, row: Subscription) -> None:
    moment = tools.moment()
    in_transaction(
        lambda session: subscriptions.begin_rotation(session, actor, bank=bank, moment=moment)
    )
    keep_seconds = int(subscriptions.KEEP_OLD.total_seconds())
    made = tools.bank_of(bank).rotate_secret(row.bank_ref, keep_seconds=keep_seconds)
    _keep(tools, actor, bank, made)


def _keep(tools: Tools, actor: Actor, bank: str, made: Subscription) -> None:
    moment = tools.moment()
    in_transaction(
        lambda session: subscriptions.keep_subscription(
            session, actor, bank=bank, made=made, keyring=tools.keyring, moment=moment
        )
    )
