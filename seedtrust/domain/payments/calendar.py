"""When the bank takes a payment and on which day it settles."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import is_banking_day, next_banking_day
from seedtrust.core.clock import NEW_YORK, Moment
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.domain.payments.states import Rail


def cutoff_of(account: TrustAccount, rail: Rail) -> time:
    """Return the wall-clock time in New York after which the bank works on it the next day."""
    text = account.ach_cutoff_local if rail is Rail.ACH else account.wire_cutoff_local
    return time.fromisoformat(text)


def settles_on(account: TrustAccount, rail: Rail, moment: Moment) -> date:
    """Return the day on which what is handed over now settles.

    A wire settles on the day the bank works on it, an ACH credit one banking day later. After the
    cut-off, or on a closed day, the bank works on it the next banking day (Nacha Operating Rules,
    banking day; cut-offs are the bank's).
    """
    local = moment.business_at.astimezone(NEW_YORK)
    today = moment.today
    in_time = is_banking_day(today) and local.time() < cutoff_of(account, rail)
    worked_on = today if in_time else next_banking_day(today)
    return worked_on if rail is Rail.WIRE else next_banking_day(worked_on)


def earliest_day(session: Session, account: TrustAccount, rail: Rail, moment: Moment) -> date:
    """Return the first day for which the bank still takes something, as far as we know.

    Our table of cut-offs says so, unless the bank has said meanwhile that a day is closed: its
    word counts more than our table, for everything of that account and rail.
    """
    day = settles_on(account, rail, moment)
    closed_on = session.execute(
        select(func.max(PaymentRun.day_closed_on)).where(
            PaymentRun.day_closed_on >= day,
            PaymentRun.trust_account_id == account.id,
            PaymentRun.rail == rail.value,
        )
    ).scalar_one()
    return day if closed_on is None else next_banking_day(closed_on)
