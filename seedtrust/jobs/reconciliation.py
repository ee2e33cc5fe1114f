"""The three-way proof of every trust account, each banking morning after the statements."""

from __future__ import annotations

from datetime import date

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.domain.payments.queries import trust_accounts
from seedtrust.domain.reconciliation.days import days_to_check
from seedtrust.domain.reconciliation.signing import take_stock
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools, system

JOB = "reconciliation.nightly"
log = structlog.get_logger()


def nightly(tools: Tools) -> tuple[int, int]:
    """Prove each trust account on each day that the bank has spoken of and nobody looked at.

    One unit of work per account and day; a difference is an exception item, which closes itself
    when the figures agree. Returns how many days agree or were told, and how many failed.
    """
    actor, moment = system(JOB), tools.moment()
    waiting = reading(
        lambda session: [
            (account.id, day)
            for account in trust_accounts(session, actor)
            for day in days_to_check(session, account.id, moment.today)
        ]
    )
    done = failed = 0
    for account_id, day in waiting:

        def work(session: Session, account_id: int = account_id, on: date = day) -> None:
            take_stock(session, actor, trust_account_id=account_id, on=on, moment=moment)

        try:
            in_transaction(work)
            done += 1
        except IntegrityError:
            # Another run of this job has just kept the same day.
            log.info("reconciliation.raced", day=day.isoformat())
            failed += 1
    return done, failed
