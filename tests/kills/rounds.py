"""One round: payments wait, workers die one after the other, until all work is done."""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import FixedClock, at_new_york
from seedtrust.core.db import make_engine
from seedtrust.domain.notices.ports import Mail
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.outbox.service import retry_parked
from seedtrust.domain.payments.models import PaymentRun
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.ext import db, in_transaction, reading
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.payments import inquire_unknown
from seedtrust.jobs.relay import drain
from seedtrust.jobs.statements import import_all
from seedtrust.jobs.tools import Tools
from tests.factories.case_world import REAL_TIME
from tests.factories.job_tools import FixedTools
from tests.factories.payment_world import KEYRING
from tests.kills.bank_process import BankProcess, bank_process
from tests.kills.workers import LIVES, Fate, Worker
from tests.kills.world import Place

# Monday the payments go out; on the next days the bank settles and its statements come.
DAYS: Final = (date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7))
KILLS_A_DAY: Final = 60
PATIENCE: Final = 40
# What passes between a death and the next worker: nothing to speak of, or a lease and more.
PAUSES: Final = (2, 70, 400, 400, 3_600, 20_000)
_ON_THEIR_WAY: Final = ("RELEASED", "UNKNOWN")

Work = Callable[[Tools, random.Random], None]


@dataclass
class Round:
    """What happened: at which places workers died, in order."""

    seed: int
    deaths: list[str] = field(default_factory=list)

    @property
    def at(self) -> Counter[str]:
        """Return how often workers died at each place."""
        return Counter(self.deaths)


class _Letterbox:
    """Takes mails and forgets them: no money hangs on them."""

    def send(self, mail: Mail) -> None:
        """Take one."""
        del mail


def the_products_work(tools: Tools, dice: random.Random) -> None:
    """Do what workers do: keep promises and run the jobs of payments, in any order."""
    jobs: list[Callable[[Tools], object]] = [
        drain,
        inquire_unknown,
        poll_events,
        fetch_inbound,
        import_all,
    ]
    dice.shuffle(jobs)
    for job in [*jobs, drain]:
        job(tools)


def play(
    place: Place,
    seed: int,
    *,
    work: Work = the_products_work,
    first: Sequence[Fate] = (),
    anywhere: bool = True,
) -> Round:
    """Let workers die as the seed says until all work is done, day after day.

    Each day begins with the fates that are asked for; the seed draws the others, also deaths in
    the middle of `anywhere`, which repeat only nearly.
    The caller has given jobs the place's database (`database_of_jobs`) and uses it no more itself.
    """
    found = Round(seed)
    with bank_process(place.bank_dir) as bank:
        office = _Office(place, bank, random.Random(seed), work, first, anywhere)  # noqa: S311 - a game of dice
        for day in DAYS:
            bank.control.move_clock(at_new_york(day, 10))
            office.work_through(day, found)
    return found


def rehearse(place: Place) -> None:
    """Do all the work in this process, so that workers forked from it have everything at hand."""
    with bank_process(place.bank_dir) as bank:
        office = _Office(place, bank, random.Random(0), the_products_work)  # noqa: S311 - dice
        for day in DAYS:
            bank.control.move_clock(at_new_york(day, 10))
            office.work_here(day)
    db.session.remove()
    db.engine.dispose()
    gc.collect()
    gc.freeze()


@dataclass
class _Office:
    place: Place
    bank: BankProcess
    dice: random.Random
    work: Work
    first: Sequence[Fate] = ()
    anywhere: bool = True
    now: datetime = REAL_TIME

    def work_through(self, day: date, found: Round) -> None:
        drawn = (Fate.drawn(self.dice, anywhere=self.anywhere) for _ in range(KILLS_A_DAY))
        for fate in chain(self.first, drawn):
            end = self._worker(day, fate).wait()
            if end.died_at:
                found.deaths.append(end.died_at)
            elif self._is_done(day):
                break
            if self.dice.random() < 0.5:
                self.bank.control.scan()
        self._finish(day)

    def work_here(self, day: date) -> None:
        self.work(self._tools(day), self.dice)

    def _finish(self, day: date) -> None:
        for _ in range(PATIENCE):
            self.bank.control.scan()
            end = self._worker(day, LIVES, by_hand=True).wait()
            assert not end.died_at, "nobody killed it"
            if self._is_done(day):
                return
        message = f"the work of {day} is never done: {self._left(day)}"
        raise AssertionError(message)

    def _worker(self, day: date, fate: Fate, *, by_hand: bool = False) -> Worker:
        self.now += timedelta(seconds=self.dice.choice(PAUSES))
        tools, dice = self._tools(day), random.Random(self.dice.random())  # noqa: S311 - dice

        def work() -> None:
            if by_hand:
                take_up_what_is_parked(tools)
            self.work(tools, dice)

        return Worker(work, fate)

    def _tools(self, day: date) -> Tools:
        return FixedTools(
            clock=FixedClock(self.now),
            business_clock="real",
            keyring=KEYRING,
            banks={FILE_DROP: self.bank.bank},
            sandbox=None,
            mailer=_Letterbox(),
            storage=_NoStorage(),  # type: ignore[arg-type]
            public_base_url="http://localhost",
            business_at_day=(day, 10, 0),
        )

    def _is_done(self, day: date) -> bool:
        return not self._left(day)

    def _left(self, day: date) -> list[str]:
        promises = select(OutboxMessage.topic).where(OutboxMessage.done_at.is_(None))
        runs = select(PaymentRun.state)
        engine = make_engine(self.place.database_url)
        try:
            with Session(engine) as session, session.begin():
                left = list(session.execute(promises).scalars())
                states = session.execute(runs).scalars().all()
        finally:
            engine.dispose()
        if day == DAYS[0]:
            return left + [state for state in states if state in _ON_THEIR_WAY]
        return left + [state for state in states if state != "SETTLED"]


class _NoStorage:
    """Stands where a job of payments never reaches."""


def take_up_what_is_parked(tools: Tools) -> None:
    """Do what a person does about promises that failed too often: give them another round."""
    parked = select(OutboxMessage.id).where(OutboxMessage.parked_at.is_not(None))
    for number in reading(lambda session: session.execute(parked).scalars().all()):
        in_transaction(
            lambda session, number=number: retry_parked(session, number, now=tools.clock.now())  # type: ignore[misc]
        )
