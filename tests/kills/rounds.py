"""One round: payments wait, workers die one after the other, until all work is done."""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
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
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON, Bank
from seedtrust.ext import db, in_transaction, reading
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.relay import drain
from seedtrust.jobs.sending import take_up
from seedtrust.jobs.statements import import_all
from seedtrust.jobs.tools import Tools
from tests.factories.case_world import REAL_TIME
from tests.factories.job_tools import FixedTools
from tests.factories.payment_world import KEYRING
from tests.kills.bank_process import BankProcess, bank_process
from tests.kills.workers import LIVES, End, Fate, Worker
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
    """What happened: at which places workers died and stood still, in order."""

    seed: int
    deaths: list[str] = field(default_factory=list)
    sleeps: list[str] = field(default_factory=list)

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
    jobs: list[Callable[[Tools], object]] = [drain, fetch_inbound, import_all]
    for bank in tools.banks:
        jobs += [partial(take_up, bank=bank), partial(poll_events, bank=bank)]
    dice.shuffle(jobs)
    for job in [*jobs, drain]:
        job(tools)


@dataclass(frozen=True)
class Rules:
    """What a round is played with: the work, deaths to begin each day with, and other troubles.

    `anywhere` lets workers die in the middle of calls too, which repeats only nearly. `asleep` is
    how many of a hundred stand still past their lease instead. `bank` are the bank's switches.
    """

    work: Work = the_products_work
    first: tuple[Fate, ...] = ()
    anywhere: bool = True
    asleep: int = 0
    bank: Mapping[str, object] = field(default_factory=dict)

    @property
    def leaves_to_people(self) -> frozenset[str]:
        """Return the states in which a round may leave a run: people decide where no key helps."""
        has_keys = self.bank.get("idempotent_payments", True)
        return frozenset() if has_keys else frozenset({"UNKNOWN"})


BY_DEFAULT: Final = Rules()


def play(place: Place, seed: int, rules: Rules = BY_DEFAULT) -> Round:
    """Let workers die as the seed says until all work is done, day after day.

    The caller has given jobs the place's database (`database_of_jobs`) and uses it no more itself.
    """
    found = Round(seed)
    with bank_process(place.bank_dir) as bank:
        bank.switch(rules.bank)
        office = Office(place, bank, random.Random(seed), rules)  # noqa: S311 - a game of dice
        try:
            for day in DAYS:
                bank.control.move_clock(at_new_york(day, 10))
                office.work_through(day, found)
        finally:
            office.wake_all(found)
    return found


def rehearse(place: Place) -> None:
    """Do all the work in this process, so that workers forked from it have everything at hand."""
    with bank_process(place.bank_dir) as bank:
        office = Office(place, bank, random.Random(0))  # noqa: S311 - dice
        for day in DAYS:
            bank.control.move_clock(at_new_york(day, 10))
            office.work_here(day)
    db.session.remove()
    db.engine.dispose()
    gc.collect()
    gc.freeze()


@dataclass
class Office:
    """Where one worker follows the other, with a clock that passes between them."""

    place: Place
    bank: BankProcess
    dice: random.Random
    rules: Rules = BY_DEFAULT
    now: datetime = REAL_TIME
    sleepers: list[Worker] = field(default_factory=list)

    def work_through(self, day: date, found: Round) -> None:
        """Let workers die over a day's work, then let one finish it in peace."""
        asked_for = ((fate,) for fate in self.rules.first)
        for fates in chain(asked_for, (self._fates() for _ in range(KILLS_A_DAY))):
            end = self.send(day, fates, found)
            if not end.died_at and self._is_done(day):
                break
            if self.dice.random() < 0.5:
                self.bank.control.scan()
            if self.sleepers and self.dice.random() < 0.3:
                self.wake(self.sleepers.pop(0), found)
        self.wake_all(found)
        self._finish(day)

    def send(self, day: date, fates: Sequence[Fate], found: Round) -> End:
        """Send the next worker to its fates and note how it ended."""
        worker = self._worker(day, *fates)
        end = worker.wait()
        if end.is_asleep:
            self.sleepers.append(worker)
        elif end.died_at:
            found.deaths.append(end.died_at)
        return end

    def wake(self, sleeper: Worker, found: Round) -> None:
        """Let a worker go on that has stood still while others took over."""
        end = sleeper.go_on()
        found.sleeps.append(end.stood_at)
        if end.died_at:
            found.deaths.append(end.died_at)

    def wake_all(self, found: Round) -> None:
        """Let everybody go on."""
        while self.sleepers:
            self.wake(self.sleepers.pop(0), found)

    def _fates(self) -> tuple[Fate, ...]:
        if self.dice.randrange(100) < self.rules.asleep:
            # Most die soon after they woke, so that enough is left for the others.
            return (Fate.of_a_sleeper(self.dice), Fate(self.dice.randint(1, 12)))
        return (Fate.drawn(self.dice, anywhere=self.rules.anywhere),)

    def work_here(self, day: date) -> None:
        """Do a day's work in this process."""
        self.rules.work(self.tools(day), self.dice)

    def _finish(self, day: date) -> None:
        for _ in range(PATIENCE):
            self.bank.control.scan()
            end = self._worker(day, LIVES, by_hand=True).wait()
            assert not end.died_at, "nobody killed it"
            if self._is_done(day):
                return
        message = f"the work of {day} is never done: {self._left(day)}"
        raise AssertionError(message)

    def _worker(self, day: date, *fates: Fate, by_hand: bool = False) -> Worker:
        self.now += timedelta(seconds=self.dice.choice(PAUSES))
        tools, dice = self.tools(day), random.Random(self.dice.random())  # noqa: S311 - dice

        def work() -> None:
            if by_hand:
                take_up_what_is_parked(tools)
            self.rules.work(tools, dice)

        return Worker(work, *fates)

    def tools(self, day: date) -> Tools:
        """Return what workers work with at ten in the morning of a day."""
        return FixedTools(
            clock=FixedClock(self.now),
            business_clock="real",
            keyring=KEYRING,
            banks=self._banks(),
            sandbox=None,
            mailer=_Letterbox(),
            storage=_NoStorage(),  # type: ignore[arg-type]
            public_base_url="http://localhost",
            session_idle_seconds=900,
            refresh_grace_seconds=10,
            business_at_day=(day, 10, 0),
        )

    def _banks(self) -> dict[str, Bank]:
        if self.place.bank_code == FILE_DROP:
            return {FILE_DROP: self.bank.bank}
        return {FILE_DROP: self.bank.bank, HUNTINGTON: self.bank.by_interface}

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
            open_states = [state for state in states if state in _ON_THEIR_WAY]
        else:
            open_states = [state for state in states if state != "SETTLED"]
        return left + [state for state in open_states if state not in self.rules.leaves_to_people]


class _NoStorage:
    """Stands where a job of payments never reaches."""


def take_up_what_is_parked(tools: Tools) -> None:
    """Do what a person does about promises that failed too often: give them another round."""
    parked = select(OutboxMessage.id).where(OutboxMessage.parked_at.is_not(None))
    for number in reading(lambda session: session.execute(parked).scalars().all()):
        in_transaction(
            lambda session, number=number: retry_parked(session, number, now=tools.clock.now())  # type: ignore[misc]
        )
