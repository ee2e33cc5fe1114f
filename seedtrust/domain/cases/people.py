"""The people and the dated events of a case, read by every feature to its right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.anonymity import Veil
from seedtrust.domain.cases.models import Case, CaseMilestone, CaseParty
from seedtrust.domain.cases.scope import side_of
from seedtrust.domain.cases.states import Milestone, Side


@dataclass(frozen=True)
class Viewpoint:
    """From which side somebody looks at a case, and the people on it; None is the company."""

    side: Side | None
    parties: tuple[CaseParty, ...]


def viewpoint(session: Session, actor: Actor, case: Case) -> Viewpoint:
    """Return what every view of one case needs to choose its words. Three queries at most.

    Raises NotFound for somebody with no relation to the case.
    """
    side = side_of(session, actor, case.id)
    return Viewpoint(side, tuple(parties_of(session, case.id)))


def parties_of(session: Session, case_id: int) -> list[CaseParty]:
    """Return the parties of a case in the order in which they were added."""
    rows = session.execute(
        select(CaseParty).where(CaseParty.case_id == case_id).order_by(CaseParty.id)
    )
    return list(rows.scalars())


def milestones_of(session: Session, case_id: int) -> dict[Milestone, date]:
    """Return the recorded milestones of a case with the day of their last occurrence."""
    rows = session.execute(
        select(CaseMilestone.code, CaseMilestone.occurred_on)
        .where(CaseMilestone.case_id == case_id)
        .order_by(CaseMilestone.occurrence)
    )
    return {Milestone(code): on for code, on in rows}


def veil_for(session: Session, actor: Actor, case: Case) -> Veil:
    """Return what hides the other side's names from the actor in texts that people wrote.

    Two queries at most. Raises NotFound for somebody with no relation to the case.
    """
    return veil_on(session, case, side_of(session, actor, case.id))


def veil_on(session: Session, case: Case, side: Side | None) -> Veil:
    """Return the same for a side that is known. One query, none where nothing is hidden."""
    hidden = case.anonymous and side in {Side.RECIPIENT, Side.CARRIER}
    return Veil(case, parties_of(session, case.id) if hidden else (), side)
