"""Telling staff about payments that need them; facts carry case numbers, never names or amounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Role
from seedtrust.domain.identity.queries import staff_holding
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify

GUARDS = frozenset({Role.PAYMENTS_LEAD, Role.CONTROLLER, Role.IT_ADMIN})


def tell_staff(
    session: Session,
    event: NoticeEvent,
    key: str,
    roles: Collection[Role],
    facts: Mapping[str, str],
    *,
    case_id: int | None = None,
    moment: Moment,
) -> None:
    """Tell everybody of the staff who holds one of the roles; the same key tells nobody twice."""
    recipients = [
        Recipient(user_id, email, facts) for user_id, email in staff_holding(session, roles)
    ]
    notify(session, event, f"{event.value}:{key}", recipients, case_id=case_id, now=moment.at)


def tell_stopped(session: Session, key: str, sentence: str, moment: Moment) -> None:
    """Tell lead, controller and administrators that something was refused for safety."""
    tell_staff(
        session, NoticeEvent.PAYMENT_STOPPED, key, GUARDS, {"sentence": sentence}, moment=moment
    )
