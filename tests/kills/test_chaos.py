"""The database server, Redis, worker, beat and web killed at random under load."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest
import requests
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from seedtrust.core import migrations
from seedtrust.core.clock import SystemClock, at_new_york
from seedtrust.core.db import make_engine
from seedtrust.core.permissions import Actor
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.operations.service import set_business_clock
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.jobs.registry import JOBS
from tests.kills.bank_process import BankProcess, bank_process
from tests.kills.house import Kept, Servers, house, seen
from tests.kills.proof import faults
from tests.kills.rounds import DAYS
from tests.kills.series import TOLD, Tell, wanted_kills
from tests.kills.world import Place, lay_out
from tests.support import services
from tests.support.processes import wait_until

# Promises fall due one after the other, so that something is under way at every death.
_APART_SECONDS: Final = 1.5
_OK: Final = 200
_UNSENT: Final = {"RELEASED", "SUBMITTING", "UNKNOWN"}
# What the product promises: all work is done within a minute after the last kill. A lease of twenty
# seconds, the tick of beat and the start of a process leave room for a busy machine.
_PROMISED_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 180.0


@dataclass
class Chaos:
    """Everything that runs, and who may be killed."""

    place: Place
    servers: Servers
    bank: BankProcess
    processes: list[Kept]
    engine: Engine
    web_url: str
    killed: Counter[str] = field(default_factory=Counter)
    last_kill: float = 0.0
    took_seconds: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start whatever does not run."""
        self.servers.start()
        for kept in self.processes:
            kept.start()

    def kill_one_after_the_other(self, dice: random.Random, times: int) -> None:
        """Kill one at a time, start it again, and let the house work for a moment."""
        everyone = [*self.processes, self.servers.mariadb, self.servers.redis]
        pause = threading.Event()
        for _ in range(times):
            victim = dice.choice(everyone)
            victim.kill()
            self.last_kill = time.monotonic()
            self.killed[victim.name] += 1
            pause.wait(dice.uniform(0.0, 0.5))
            self.start()
            self.bank.control.scan()
            self.web_answers()
            pause.wait(dice.uniform(0.2, 3.0))

    @property
    def told(self) -> str:
        """Return who was killed how often, and how long all work took after the last."""
        took = " and ".join(f"{seconds:.0f} s" for seconds in self.took_seconds)
        return f"chaos: {dict(sorted(self.killed.items()))}; all work done after {took}"

    def move_clock(self, day: date) -> None:
        """Begin a business day; the bank follows by a promise of the same transaction."""
        with Session(self.engine) as session, session.begin():
            at, now = at_new_york(day, 10), SystemClock().now()
            set_business_clock(session, Actor.system("tests"), at, now=now)

    def spread_promises(self) -> None:
        """Let what is promised fall due in the course of the chaos."""
        now = SystemClock().now()
        with Session(self.engine) as session, session.begin():
            numbers = session.execute(select(OutboxMessage.id).order_by(OutboxMessage.id)).scalars()
            for place, number in enumerate(numbers.all()):
                due_at = now + timedelta(seconds=place * _APART_SECONDS)
                session.execute(
                    update(OutboxMessage).where(OutboxMessage.id == number).values(due_at=due_at)
                )

    def web_answers(self) -> bool:
        """Tell whether the pages are served and reach the database and the queue."""
        try:
            return requests.get(f"{self.web_url}/health/ready", timeout=5).status_code == _OK
        except requests.RequestException:
            return False

    def is_sent(self) -> bool:
        """Tell whether everything has reached the bank and no promise is open."""
        with Session(self.engine) as session, session.begin():
            states = set(session.execute(select(PaymentInstruction.state)).scalars())
            promises = select(OutboxMessage.id).where(OutboxMessage.done_at.is_(None))
            return not states & _UNSENT and not session.execute(promises).first()

    def jobs_are_done(self, day: date) -> bool:
        """Tell whether each job that is due by ten in the morning has run to its end."""
        due = {(job.name, job.last_due(at_new_york(day, 10))) for job in JOBS}
        with Session(self.engine) as session, session.begin():
            rows = session.execute(select(JobRun.job, JobRun.due_at, JobRun.finished_at)).all()
        finished = {(job, due_at) for job, due_at, finished_at in rows if finished_at is not None}
        return len(finished) == len(rows) and due <= finished

    def wait_for_all_work(self, day: date) -> None:
        """Wait until all work is done, no longer than was promised; nobody helps it along."""
        left = self.last_kill + _PROMISED_SECONDS - time.monotonic()
        wait_until(
            seen(lambda: self.is_sent() and self.jobs_are_done(day) and self.web_answers()),
            "all work of the day, a minute after the last kill",
            left,
        )
        self.took_seconds.append(time.monotonic() - self.last_kill)

    def is_settled(self) -> bool:
        """Tell whether everything is settled and no promise is open."""
        self.bank.control.scan()
        with Session(self.engine) as session, session.begin():
            states = set(session.execute(select(PaymentRun.state)).scalars())
        return states == {"SETTLED"} and self.is_sent()


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    """Give a house of its own with released payments; nothing of the product runs yet."""
    services.mariadb_url()  # skips where there are no servers to be had
    servers = Servers(tmp_path / "servers")
    with ExitStack() as stack:
        for kept in (servers.mariadb, servers.redis):
            stack.callback(kept.kill)
        servers.start()
        migrations.upgrade(servers.database_url)
        place = lay_out(servers.database_url, tmp_path / "bank")
        engine = make_engine(servers.database_url)
        stack.callback(engine.dispose)
        bank = stack.enter_context(bank_process(place.bank_dir))
        port = services.free_port()
        processes = stack.enter_context(house(tmp_path, servers, bank, port))
        yield Chaos(place, servers, bank, processes, engine, f"http://127.0.0.1:{port}")


def play(chaos: Chaos, seed: int, kills: int) -> None:
    """Kill while payments go out and while the bank's answers come in; then wait for the end."""
    dice = random.Random(seed)  # noqa: S311 - a game of dice
    chaos.move_clock(DAYS[0])
    chaos.spread_promises()
    chaos.start()
    chaos.kill_one_after_the_other(dice, kills * 2 // 3)
    chaos.wait_for_all_work(DAYS[0])
    # The bank takes what lies in its folder while it is still Monday.
    chaos.bank.control.scan()
    chaos.move_clock(DAYS[1])
    chaos.kill_one_after_the_other(dice, kills - kills * 2 // 3)
    chaos.wait_for_all_work(DAYS[1])
    chaos.move_clock(DAYS[2])
    wait_until(seen(chaos.is_settled), "every payment to settle", _PATIENCE_SECONDS)


@pytest.mark.mariadb
@pytest.mark.redis
def test_killing_anything_at_any_time_loses_nothing_and_doubles_nothing(
    chaos: Chaos, record_property: Tell
) -> None:
    play(chaos, 1, 15)
    record_property(TOLD, chaos.told)
    assert faults(chaos.place) == []


@pytest.mark.night
@pytest.mark.mariadb
@pytest.mark.redis
def test_three_hundred_deaths_of_the_night(chaos: Chaos, record_property: Tell) -> None:
    play(chaos, 2, wanted_kills(300))
    record_property(TOLD, chaos.told)
    assert faults(chaos.place) == []
