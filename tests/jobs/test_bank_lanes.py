"""A bank that hangs holds up its own lane and nothing else, in real worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.app import create_app
from seedtrust.core.clock import Moment, SystemClock, at_new_york
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.outbox.service import promise
from seedtrust.domain.payments.hints import take_hint
from seedtrust.ext import LANES, celery, db, in_transaction, reading
from seedtrust.gateways.profile import load_profile
from seedtrust.settings import Settings
from tests.factories.payment_world import MONDAY
from tests.fakes import interface_bank
from tests.fakes.interface_bank import CLIENT, Fault, InterfaceBank
from tests.support.processes import running, wait_until


@dataclass
class Lanes:
    """An application, a bank that may hang, and a worker of each lane."""

    settings: Settings
    bank: InterfaceBank
    stack: ExitStack

    def start(self, *arguments: str) -> None:
        """Start one process of the product."""
        name = "-".join(arguments).replace(".", "-")
        environment = {
            "SEEDTRUST_ENV": "test",
            "SEEDTRUST_DATA_DIR": str(self.settings.data_dir),
            "SEEDTRUST_DATABASE_URL": self.settings.database_url.get_secret_value(),
            "SEEDTRUST_BANK_URL": self.bank.url,
            "SEEDTRUST_BANK_CLIENT_SECRET": CLIENT.secret,
            "SEEDTRUST_BANK_READ_SECONDS": "60",
        }
        log = self.settings.data_dir / f"{name}.log"
        self.stack.enter_context(running(arguments, log, environment))

    def done(self, topic: str) -> int:
        """Return how many promises of a topic were kept."""
        statement = (
            select(func.count())
            .select_from(OutboxMessage)
            .where(OutboxMessage.topic == topic, OutboxMessage.done_at.is_not(None))
        )
        return reading(lambda session: session.execute(statement).scalar_one())

    def jobs(self) -> set[str]:
        """Return the jobs that have run to their end."""
        statement = select(JobRun.job).where(JobRun.finished_at.is_not(None))
        return set(reading(lambda session: session.execute(statement).scalars().all()))


@pytest.fixture
def lanes(settings: Settings) -> Iterator[Lanes]:
    """Start the bank; its event log hangs until the test lets go."""
    with interface_bank.running(load_profile("neutral")) as bank, ExitStack() as stack:
        app = create_app(settings)
        celery.amqp._producer_pool = None  # noqa: SLF001 - no other way to forget it
        with app.app_context():
            yield Lanes(settings, bank, stack)
            bank.release.set()
            db.session.remove()
            db.engine.dispose()


def test_a_bank_that_hangs_delays_nothing_but_its_own_lane(lanes: Lanes) -> None:
    lanes.bank.fault("/v1/events", Fault(hangs=True), times=50)
    moment = Moment(SystemClock().now(), at_new_york(MONDAY, 10))

    def work(session: Session) -> None:
        take_hint(session, "huntington", "1", {"type": "x", "data": {}}, moment=moment)
        promise(
            session,
            "sandbox.clock",
            "later",
            {"to": moment.business_at.isoformat()},
            now=moment.at,
        )

    in_transaction(work)
    for lane in LANES:
        lanes.start("worker", "--pool", "solo", "--lane", lane)
    lanes.start("beat")
    wait_until(lambda: "GET /v1/events" in lanes.bank.calls, "the call that hangs")
    # The bank is still holding that call while everything else is done.
    wait_until(lambda: lanes.done("sandbox.clock") == 1, "what was promised in the common lane")
    wait_until(lambda: "ledger.self_check" in lanes.jobs(), "a job of the common lane")
    assert lanes.done("bank.hint") == 0
    assert not lanes.bank.release.is_set()
    lanes.bank.faults.clear()
    lanes.bank.release.set()
    wait_until(lambda: lanes.bank.calls.count("GET /v1/events") > 1, "the bank's own lane again")
