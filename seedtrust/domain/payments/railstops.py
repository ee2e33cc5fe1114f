"""The switch that stops sending on a rail of a bank, for everybody, until it is lifted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Invalid, NotFound
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.payments.errors import RailStopped
from seedtrust.domain.payments.models import RailStop, TrustAccount
from seedtrust.domain.payments.states import Rail


@dataclass(frozen=True, slots=True)
class RailView:
    """One rail of one bank, and who stopped it why, if anybody did."""

    bank: str
    rail: Rail
    is_stopped: bool
    reason: str
    stopped_by_name: str
    stopped_at: datetime | None


def stop_rail(
    session: Session, actor: Actor, *, bank: str, rail: Rail | str, reason: str, moment: Moment
) -> RailStop:
    """Send nothing on a rail of a bank from now on; what is released waits. Again changes nothing.

    What the bank has already is not touched, and unclear payments are still asked about. Raises
    Invalid without a reason, NotFound, Forbidden.
    """
    actor.require(Permission.RAILS_SWITCH)
    reason = reason.strip()
    if not reason:
        message = "Say why, so that others know when to lift it."
        raise Invalid(message, errors={"reason": [message]})
    bank, rail = _known(session, bank, rail)
    known = _open_stop(session, bank, rail)
    if known is not None:
        return known
    stop = RailStop(
        id=new_id(),
        bank=bank,
        rail=rail.value,
        open_key=f"{bank}:{rail.value}",
        reason=reason[:500],
        stopped_by_name=actor.name,
        stopped_at=moment.at,
        lifted_by_name="",
    )
    session.add(stop)
    _log(session, actor, "rail.stopped", bank, rail, reason=reason[:500], moment=moment)
    return stop


def lift_stop(
    session: Session, actor: Actor, *, bank: str, rail: Rail | str, moment: Moment
) -> None:
    """Send on a rail again; without a stop nothing happens. Raises NotFound, Forbidden."""
    actor.require(Permission.RAILS_SWITCH)
    bank, rail = _known(session, bank, rail)
    stop = _open_stop(session, bank, rail)
    if stop is None:
        return
    stop.open_key, stop.lifted_by_name, stop.lifted_at = None, actor.name, moment.at
    _log(session, actor, "rail.lifted", bank, rail, reason=stop.reason, moment=moment)


def is_stopped(session: Session, bank: str, rail: Rail | str) -> bool:
    """Tell whether nothing may be sent on a rail of a bank now."""
    key = f"{bank}:{Rail(rail).value}"
    found = session.execute(select(RailStop.id).where(RailStop.open_key == key))
    return found.first() is not None


def require_open(session: Session, bank: str, rail: Rail | str) -> None:
    """Refuse while a rail of a bank is stopped. Raises RailStopped; trying later may help."""
    if is_stopped(session, bank, rail):
        message = "Sending on this rail is stopped. The payment waits until somebody lifts that."
        raise RailStopped(message, bank=bank, rail=Rail(rail).value)


def list_rails(session: Session, actor: Actor) -> list[RailView]:
    """Return every rail of every bank that a trust account names, stopped or not."""
    actor.require(Permission.BANK_ACCOUNTS_VIEW)
    banks = session.execute(select(TrustAccount.bank_code).distinct()).scalars()
    stops = {
        row.open_key: row
        for row in session.execute(select(RailStop).where(RailStop.open_key.is_not(None))).scalars()
    }
    return [
        RailView(
            bank=bank,
            rail=rail,
            is_stopped=stop is not None,
            reason="" if stop is None else stop.reason,
            stopped_by_name="" if stop is None else stop.stopped_by_name,
            stopped_at=None if stop is None else stop.stopped_at,
        )
        for bank in sorted(banks)
        for rail in Rail
        for stop in [stops.get(f"{bank}:{rail.value}")]
    ]


def _known(session: Session, bank: str, rail: Rail | str) -> tuple[str, Rail]:
    names = {item.value for item in Rail}
    known = session.execute(select(TrustAccount.id).where(TrustAccount.bank_code == bank)).first()
    if known is None or str(rail) not in names:
        message = "There is no such rail."
        raise NotFound(message)
    return bank, Rail(rail)


def _open_stop(session: Session, bank: str, rail: Rail) -> RailStop | None:
    key = f"{bank}:{rail.value}"
    rows = lock_where(session, select(RailStop).where(RailStop.open_key == key))
    return rows[0] if rows else None


def _log(
    session: Session,
    actor: Actor,
    action: str,
    bank: str,
    rail: Rail,
    *,
    reason: str,
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "rail",
        f"{bank}:{rail.value}",
        reason=reason,
        facts={"bank": bank, "rail": rail.value},
        now=moment.at,
    )
