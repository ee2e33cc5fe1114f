"""Two people decide on one correction at once: one word counts, and the items move once."""

from __future__ import annotations

import threading
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.db import is_retryable
from seedtrust.core.errors import DomainError
from seedtrust.core.permissions import Role
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.terms import corrections
from seedtrust.domain.terms.models import ScheduleItem
from tests.domain.terms.test_corrections import NOW, pregnant, propose
from tests.factories.case_world import person
from tests.support.databases import on_both_databases

Sessions = sessionmaker[Session]


@on_both_databases
def test_two_people_accept_at_once_and_one_of_them_moves_the_items(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = pregnant(session)
        reference = propose(session, world)
        deciders = [world.legal, person(session, "Second Lawyer", Role.LEGAL)]
    barrier, outcomes = threading.Barrier(2), ["", ""]

    def decide(place: int) -> None:
        barrier.wait()
        for _ in range(10):
            try:
                with session_factory() as session, session.begin():
                    corrections.accept_correction(
                        session, deciders[place], correction_ref=reference, moment=NOW
                    )
            except DomainError as refusal:
                outcomes[place] = refusal.code
                return
            except DBAPIError as error:
                if not is_retryable(error):
                    raise
                continue
            outcomes[place] = "done"
            return

    threads = [threading.Thread(target=decide, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["correction_decided", "done"]
    with session_factory() as session, session.begin():
        days = session.execute(select(ScheduleItem.due_on).order_by(ScheduleItem.number)).scalars()
        assert list(days)[2:] == [date(2026, 8, 3), date(2026, 9, 1), date(2026, 10, 1)]
        accepted = session.execute(
            select(AuditEvent.id).where(AuditEvent.action == "milestones.corrected")
        ).all()
        assert len(accepted) == 1
