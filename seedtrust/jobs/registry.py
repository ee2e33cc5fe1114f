"""Which handler keeps which promise, and which job runs when: the two tables of all jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final

from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.clock import NEW_YORK
from seedtrust.domain.outbox.service import MAIN_LANE, bank_lane
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON
from seedtrust.jobs import (
    agreements,
    bank,
    cancelling,
    cases,
    checks,
    clock,
    hints,
    housekeeping,
    notices,
    payees,
    payments,
    reconciliation,
    sending,
    statements,
    subscriptions,
)
from seedtrust.jobs.tools import Tools

Handler = Callable[[Tools, dict[str, str]], None]


@dataclass(frozen=True)
class Job:
    """One scheduled job: its name, when it is due in New York, and what it does."""

    name: str
    at: tuple[time, ...]
    run: Callable[[Tools], tuple[int, int]]
    says: str
    banking_days_only: bool = True
    lane: str = MAIN_LANE

    def last_due(self, now: datetime) -> datetime | None:
        """Return the latest instant not after `now` at which the job was due, within ten days."""
        local = now.astimezone(NEW_YORK)
        for back in range(10):
            day = local.date() - timedelta(days=back)
            if self.banking_days_only and not is_banking_day(day):
                continue
            for at in sorted(self.at, reverse=True):
                due = datetime.combine(day, at, tzinfo=NEW_YORK)
                if due <= local:
                    return due.astimezone(now.tzinfo)
        return None


def _every(minutes: int) -> tuple[time, ...]:
    return tuple(time(m // 60, m % 60) for m in range(0, 24 * 60, minutes))


HANDLERS: Final[Mapping[str, Handler]] = {
    "agreement.complete": agreements.complete,
    "closing.payment_came_back": cases.reopen_returned,
    "bank.hint": hints.follow_hint,
    "notice.mail": notices.send_mail,
    "closing.refund_settled": cases.close_refunded,
    "payment.cancel": cancelling.cancel_payment,
    "payment.send": sending.send_payment,
    "checks.tell_bank": checks.tell_bank,
    "echecks.transmit": payments.transmit_echecks,
    "run.transmit": payments.transmit_run,
    "sandbox.clock": clock.follow,
}

# In this order when several are due at once: what the bank says comes first.
JOBS: Final[tuple[Job, ...]] = (
    Job(
        "payments.poll",
        _every(5),
        bank.poll_events,
        "Reads the bank's events in order.",
        banking_days_only=False,
        lane=bank_lane(FILE_DROP),
    ),
    Job(
        "payments.poll_interface",
        _every(5),
        bank.poll_interface,
        "Reads the events of the bank that takes single payments.",
        banking_days_only=False,
        lane=bank_lane(HUNTINGTON),
    ),
    Job(
        "files.fetch_inbound",
        _every(5),
        bank.fetch_inbound,
        "Reads the bank's files of returns and corrections.",
        banking_days_only=False,
        lane=bank_lane(FILE_DROP),
    ),
    Job(
        "bank.subscribe",
        _every(60),
        subscriptions.keep_subscribed,
        "Has the bank of single payments bring its events here, and changes the secret.",
        banking_days_only=False,
        lane=bank_lane(HUNTINGTON),
    ),
    Job(
        "echecks.collect",
        (time(11, 0), time(13, 0)),
        payments.collect_echecks,
        "Sends the e-checks that were released to the bank.",
    ),
    Job(
        "deposits.collect",
        (time(5, 20),),
        cases.collect_deposits,
        "Lets the money of checks and e-checks be spent once their time has passed.",
    ),
    Job(
        "checks.stale",
        (time(5, 25),),
        checks.find_stale,
        "Moves the money of checks that nobody cashed for 180 days to stale items.",
    ),
    Job(
        "schedule.materialise",
        # Once more before the cut-off: a milestone of the morning may be due tomorrow.
        (time(5, 30), time(12, 30)),
        cases.materialise,
        "Turns due schedule items into approved, reserved requests.",
    ),
    Job("fees.charge", (time(5, 35),), cases.charge_fees, "Charges the fees that fall due."),
    Job(
        "funding.check_minimum",
        (time(1, 0),),
        cases.check_funding,
        "Asks parents for what is due or will be missing, reminds them, and escalates.",
        banking_days_only=False,
    ),
    Job(
        "cases.closing",
        (time(6, 0),),
        cases.close_settled,
        "Closes the cases whose last payment has settled.",
    ),
    Job(
        "statements.import",
        (time(6, 30),),
        statements.import_all,
        "Imports the bank's prior-day statements and matches their lines.",
    ),
    Job(
        "reconciliation.nightly",
        (time(6, 30),),
        reconciliation.nightly,
        "Proves that bank, book and owners agree on every day that the bank has reported.",
    ),
    Job(
        "payees.cooling_off",
        (time(7, 0),),
        payees.activate_cooled,
        "Makes cooled-off bank accounts active.",
    ),
    Job(
        "nocs.deadline",
        (time(7, 5),),
        payees.remind_of_nocs,
        "Reminds of the bank's corrections that have to be applied.",
    ),
    Job(
        "payments.inquire",
        _every(5),
        sending.take_up,
        "Looks up payments whose outcome is unknown.",
        banking_days_only=False,
        lane=bank_lane(FILE_DROP),
    ),
    Job(
        "payments.inquire_interface",
        _every(5),
        partial(sending.take_up, bank=HUNTINGTON),
        "Asks the bank that takes single payments about what is unknown.",
        banking_days_only=False,
        lane=bank_lane(HUNTINGTON),
    ),
    Job(
        "ledger.roll_up",
        (time(1, 30),),
        housekeeping.roll_up,
        "Adds the day's postings to the sums that balances of past days are read from.",
        banking_days_only=False,
    ),
    Job(
        "identity.clean",
        (time(3, 0),),
        housekeeping.clean_identity,
        "Ends sessions that ran out and deletes what sign-ins left behind.",
        banking_days_only=False,
    ),
    Job(
        "bank.prune_calls",
        (time(3, 10),),
        housekeeping.prune_bank_calls,
        "Deletes calls to banks from the log once they are as old as the settings say.",
        banking_days_only=False,
    ),
    Job(
        "ledger.self_check",
        (time(2, 0),),
        cases.check_books,
        "Proves the books.",
        banking_days_only=False,
    ),
)
