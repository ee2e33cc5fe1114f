"""Checks: telling the bank which may be paid, and finding those that nobody cashed."""

from __future__ import annotations

from seedtrust.domain.checks import service
from seedtrust.domain.checks.issuefile import positive_pay_of
from seedtrust.domain.payments.ports import BankError
from seedtrust.ext import reading
from seedtrust.jobs.cases import each
from seedtrust.jobs.payments import later
from seedtrust.jobs.tools import Tools, system


def tell_bank(tools: Tools, payload: dict[str, str]) -> None:
    """Leave a positive-pay file about one check in the bank's folder.

    Its name is that of the check and what it says, so a repeat after a kill replaces it with the
    same. Raises Unavailable when the folder cannot be reached: the promise is kept later.
    """
    reference, state = payload["check"], payload["state"]
    content = reading(lambda session: positive_pay_of(session, reference, state))
    try:
        tools.bank.leave_checks(f"CHK-{reference}-{state}", content)
    except BankError as failed:
        raise later(failed) from failed


def find_stale(tools: Tools) -> tuple[int, int]:
    """Move the money of checks that are outstanding for more than 180 days to stale items."""
    moment, actor = tools.moment(), system("checks.stale")
    ids = reading(lambda session: service.stale_checks(session, moment.today))
    return each(
        tools,
        actor.name,
        ids,
        lambda session, check_id: service.make_stale(session, actor, check_id, moment=moment),
    )
