"""What the calendar does to payee accounts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.domain.payees import service as payees
from seedtrust.ext import in_transaction
from seedtrust.jobs.tools import Tools, system


def activate_cooled(tools: Tools) -> tuple[int, int]:
    """Make the accounts active whose cooling-off days have passed."""
    actor = system("payees.cooling_off")

    def work(session: Session) -> int:
        moment = tools.moment_in(session)
        return len(payees.activate_cooled(session, actor, moment=moment))

    return in_transaction(work), 0
