"""What happens to requests for funds that nobody answers: reminders, overdue, escalation."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import banking_days_between
from seedtrust.core.clock import Moment
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.funding_rules import WITHOUT_MINIMUM
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.cases.worklists import open_case_ids
from seedtrust.domain.funding.allocating import (
    ESCALATED_KIND,
    OVERDUE_KIND,
    awaited_of,
    step,
)
from seedtrust.domain.funding.asking import facts_of, withdraw_all
from seedtrust.domain.funding.models import FundingRequest
from seedtrust.domain.funding.states import OPEN_FUNDING, FundingState
from seedtrust.domain.funding.telling import tell_parents
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import close_exceptions_of, open_exception

REMIND_EVERY: Final = timedelta(days=3)
ESCALATE_AFTER_BANKING_DAYS: Final = 5
_S: Final = FundingState


def cases_to_look_at(session: Session) -> list[int]:
    """Return the ids of cases that go on, and of ended ones that still ask parents for money."""
    asking_still = (
        select(FundingRequest.case_id)
        .where(FundingRequest.state.in_([state.value for state in OPEN_FUNDING]))
        .distinct()
    )
    return sorted({*open_case_ids(session), *session.execute(asking_still).scalars()})


def chase(session: Session, actor: Actor, case: Case, *, moment: Moment) -> int:
    """Remind, find overdue, and escalate what the parents of a case still owe.

    A reminder goes out on every third day; a request becomes overdue after its due day and is put
    in front of the team's lead five banking days later. Nobody is chased while the case is on
    hold; from the final accounting on, what is still asked for is withdrawn. The caller holds the
    case's lock. Returns how many requests changed or were reminded of.
    """
    stage = Stage(case.stage)
    if stage is Stage.ON_HOLD:
        return 0
    if stage in WITHOUT_MINIMUM:
        return withdraw_all(session, actor, case, reason="The case is being closed.", moment=moment)
    return sum(
        _chase(session, actor, case, row, moment=moment) for row in awaited_of(session, case.id)
    )


def _chase(
    session: Session, actor: Actor, case: Case, row: FundingRequest, *, moment: Moment
) -> bool:
    moved = _grow_late(session, actor, row, moment)
    last = row.reminded_on or row.sent_on or row.raised_on
    if moment.today - last < REMIND_EVERY:
        return moved
    row.reminded_on = moment.today
    tell_parents(
        session,
        NoticeEvent.FUNDING_REMINDER,
        f"funding.reminder:{row.reference}:{moment.today.isoformat()}",
        case,
        facts_of(row),
        moment=moment,
    )
    return True


def _grow_late(session: Session, actor: Actor, row: FundingRequest, moment: Moment) -> bool:
    if row.due_on is None or moment.today <= row.due_on:
        return False
    late = banking_days_between(row.due_on, moment.today)
    open_cents = format_dollars(row.amount_cents - row.funded_cents)
    if row.state in {_S.SENT, _S.PART_FUNDED}:
        step(session, actor, row, _S.OVERDUE, moment=moment)
        sentence = f"The parents were asked for money by {row.due_on}; {open_cents} are missing."
        _open(session, OVERDUE_KIND, row, sentence, moment)
        return True
    if row.state == _S.OVERDUE and late > ESCALATE_AFTER_BANKING_DAYS:
        step(session, actor, row, _S.ESCALATED, moment=moment)
        close_exceptions_of(
            session, OVERDUE_KIND, row.reference, closed_by=actor.name, now=moment.at
        )
        sentence = (
            f"{open_cents} that were due on {row.due_on} have not come in after reminders. "
            "Call the parents, and decide whether payments of the case have to wait."
        )
        _open(session, ESCALATED_KIND, row, sentence, moment)
        return True
    return False


def _open(session: Session, kind: str, row: FundingRequest, sentence: str, moment: Moment) -> None:
    open_exception(
        session,
        kind,
        "funding_request",
        row.reference,
        sentence,
        case_id=row.case_id,
        occurrence=moment.today.isoformat(),
        now=moment.at,
    )
