"""Telling parents about money that comes in, or that is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Side
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify


def tell_parents(
    session: Session,
    event: NoticeEvent,
    key: str,
    case: Case,
    facts: Mapping[str, str],
    *,
    moment: Moment,
) -> None:
    """Queue a notice to the parents of a case and who stands for them, once under the key."""
    parties = session.execute(
        select(CaseParty).where(
            CaseParty.case_id == case.id,
            CaseParty.side == Side.RECIPIENT.value,
            CaseParty.role.in_((Role.INTENDED_PARENT.value, Role.IP_REPRESENTATIVE.value)),
        )
    ).scalars()
    told = {"case": str(case.number), "case_ref": case.reference, **facts}
    recipients = [Recipient(party.user_id, party.email, told) for party in parties]
    notify(session, event, key, recipients, case_id=case.id, now=moment.at)
