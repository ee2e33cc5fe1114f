"""What the calendar does to payee accounts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.domain.payees import service as payees
from seedtrust.domain.payments.corrections import remind_of_corrections
from seedtrust.ext import in_transaction
from seedtrust.jobs.tools import Tools, system


def activate_cooled(tools: Tools) -> tuple[int, int]:
    """Make the accounts active whose cooling-off days have passed."""
    actor = system("payees.cooling_off")

    def work(session: Session) -> int:
        moment = tools.moment_in(session)
        return len(payees.activate_cooled(session, actor, moment=moment))

    return in_transaction(work), 0


def remind_of_nocs(tools: Tools) -> tuple[int, int]:
    """Put corrections of the bank that are due or late in front of a person."""
    return in_transaction(
        lambda session: remind_of_corrections(session, moment=tools.moment_in(session))
    ), 0
