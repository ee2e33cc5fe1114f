"""Promises and due jobs in real worker processes: killed, doubled, and with the queue lost."""

from __future__ import annotations

import email
import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from redis import Redis
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from seedtrust.app import create_app
from seedtrust.core.clock import SystemClock
from seedtrust.domain.ledger import chart
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.ext import celery, db, in_transaction, reading, ring_the_relay
from seedtrust.settings import Settings
from tests.support.doors import Browser
from tests.support.processes import kill, running, wait_until
from tests.support.services import free_port

FACTS = {
    "case": "100398",
    "case_ref": "ABCDEFGHIJKLMNO",
    "request": "ABCDEFGHIJKLMNO",
    "category": "legal",
    "reason": "The invoice is missing.",
    "name": "Maren Holt",
}


@dataclass
class PostOffice:
    """A mail server that can be told to think for a long time before it takes a mail."""

    port: int
    mails: list[Message] = field(default_factory=list)
    knocked: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False

    async def handle_DATA(  # noqa: N802 - the name that the server library calls
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Keep one message, or let the sender wait until it is gone."""
        import asyncio

        self.knocked.set()
        if self.is_slow:
            await asyncio.sleep(3600)
        self.mails.append(email.message_from_bytes(envelope.content))
        return "250 OK"

    def subjects_to(self, address: str) -> list[str]:
        """Return the message ids of the mails to somebody."""
        return [str(mail["Message-ID"]) for mail in self.mails if mail["To"] == address]


@dataclass
class Office:
    """An application, its mail server, and the processes that work beside it."""

    app: Flask
    settings: Settings
    post: PostOffice
    stack: ExitStack

    def environment(self) -> dict[str, str]:
        """Return the variables that give a process the same settings."""
        return {
            "SEEDTRUST_ENV": "test",
            "SEEDTRUST_DATA_DIR": str(self.settings.data_dir),
            "SEEDTRUST_DATABASE_URL": self.settings.database_url.get_secret_value(),
            "SEEDTRUST_SMTP_URL": f"smtp://127.0.0.1:{self.post.port}",
            "SEEDTRUST_REDIS_URL": self.settings.redis_url.get_secret_value(),
            "SEEDTRUST_BANK_URL": "http://127.0.0.1:1",
        }

    def start(self, *arguments: str) -> Popen[bytes]:
        """Start one process of the product; it is ended with the test."""
        log = self.settings.data_dir / f"{arguments[0]}.log"
        return self.stack.enter_context(running(arguments, log, self.environment()))

    def worker(self) -> Popen[bytes]:
        """Start a worker that does one thing at a time."""
        return self.start("worker", "--pool", "solo")

    def tell(self, address: str) -> None:
        """Promise a mail in a transaction of this process."""

        def work(session: Session) -> None:
            recipient = Recipient(None, address, FACTS)
            key = f"tell:{address}"
            notify(
                session, NoticeEvent.REQUEST_NEEDS_INFO, key, [recipient], now=SystemClock().now()
            )

        with self.app.app_context():
            in_transaction(work)

    def is_told(self, address: str) -> bool:
        """Tell whether the mail came and is recorded."""
        return bool(self.post.subjects_to(address)) and not self.open_promises()

    def open_promises(self) -> int:
        """Return how many mails are promised and not recorded as sent."""
        with self.app.app_context():
            return reading(
                lambda session: session.execute(
                    select(func.count())
                    .select_from(OutboxMessage)
                    .where(OutboxMessage.done_at.is_(None), OutboxMessage.topic == "notice.mail")
                ).scalar_one()
            )

    def ring(self) -> None:
        """Ring once, as the doors do after an act."""
        with self.app.app_context():
            assert ring_the_relay()

    def rung(self, is_true: Callable[[], object], ring: Callable[[], object] | None = None) -> None:
        """Ring until something is so: a bell that a worker hears half a minute late is void."""
        rung_at = [-math.inf]

        def look() -> object:
            if time.monotonic() - rung_at[0] > 5:
                (ring or self.ring)()
                rung_at[0] = time.monotonic()
            return is_true()

        wait_until(look, "what the bell was for")

    def let_leases_run_out(self) -> None:
        """Let the leases of a dead worker be over; no test waits for what a clock brings."""
        past = SystemClock().now() - timedelta(seconds=1)

        def work(session: Session) -> None:
            session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.lease_until.is_not(None))
                .values(lease_until=past)
            )

        with self.app.app_context():
            in_transaction(work)


@pytest.fixture
def post() -> Iterator[PostOffice]:
    """Run a mail server on a free port."""
    office = PostOffice(free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    yield office
    controller.stop(no_assert=True)


def _office(settings: Settings, post: PostOffice, stack: ExitStack) -> Office:
    return Office(_app(settings), settings, post, stack)


def _app(settings: Settings) -> Flask:
    app = create_app(settings)
    # One process rings for one application; here several follow each other.
    celery.amqp._producer_pool = None  # noqa: SLF001 - no other way to forget it
    with app.app_context():
        in_transaction(lambda session: chart.open_books(session, SystemClock().now()))
    return app


def _close(office: Office) -> None:
    with office.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def office(settings: Settings, post: PostOffice) -> Iterator[Office]:
    """Give an office whose queue is a folder."""
    with ExitStack() as stack:
        found = _office(settings, post, stack)
        yield found
    _close(found)


@pytest.fixture
def redis_office(
    database_url: str, tmp_path: Path, redis_url: str, post: PostOffice
) -> Iterator[Office]:
    """Give an office whose queue is Redis."""
    settings = Settings.from_env(
        env="test", data_dir=tmp_path / "data", database_url=database_url, redis_url=redis_url
    )
    with ExitStack() as stack:
        found = _office(settings, post, stack)
        yield found
    _close(found)


def _keeps_what_was_promised_here(office: Office) -> None:
    office.worker()
    office.tell("one@families.example")
    office.rung(lambda: office.is_told("one@families.example"))
    assert len(office.post.mails) == 1


def test_a_worker_keeps_what_another_process_promised(office: Office) -> None:
    _keeps_what_was_promised_here(office)


@pytest.mark.redis
def test_a_worker_on_redis_keeps_it_too_and_a_flushed_redis_loses_nothing(
    redis_office: Office,
) -> None:
    _keeps_what_was_promised_here(redis_office)
    redis_office.tell("two@families.example")
    with Redis.from_url(redis_office.settings.redis_url.get_secret_value()) as client:
        client.flushdb()
    # No bell rings for it any more; beat's tick finds it in the database.
    redis_office.start("beat")
    wait_until(lambda: redis_office.is_told("two@families.example"), "the second mail")
    assert len(redis_office.post.mails) == 2


def test_a_worker_killed_in_the_middle_leaves_the_promise_to_the_next(office: Office) -> None:
    office.post.is_slow = True
    first = office.worker()
    office.tell("late@families.example")
    office.rung(office.post.knocked.is_set)
    kill(first)
    assert office.open_promises() == 1
    office.post.is_slow = False
    office.let_leases_run_out()
    office.worker()
    office.rung(lambda: office.is_told("late@families.example"))
    assert len(office.post.subjects_to("late@families.example")) == 1


def test_a_lost_queue_folder_loses_nothing(office: Office) -> None:
    office.tell("lost@families.example")
    office.ring()
    shutil.rmtree(office.settings.broker_dir)
    office.worker()
    office.start("beat")
    wait_until(lambda: office.is_told("lost@families.example"), "the mail without its bell")
    assert len(office.post.mails) == 1


def test_two_workers_and_two_beats_run_a_due_job_once(office: Office) -> None:
    for number in range(8):
        office.tell(f"person{number}@families.example")
    for _ in range(2):
        office.worker()
        office.start("beat")

    def runs() -> list[tuple[str, datetime]]:
        with office.app.app_context():
            return reading(
                lambda session: [
                    (job, due_at)
                    for job, due_at in session.execute(select(JobRun.job, JobRun.due_at)).all()
                ]
            )

    wait_until(lambda: {"payments.poll", "ledger.self_check"} <= {job for job, _ in runs()}, "jobs")
    wait_until(lambda: office.open_promises() == 0, "all mails")
    found = runs()
    assert len(found) == len(set(found))
    assert len(office.post.mails) == 8


def test_a_request_rings_and_does_not_mind_a_queue_that_is_down(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings.from_env(
        env="test",
        data_dir=tmp_path / "data",
        database_url=database_url,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    app = _app(settings)
    browser = Browser(app)
    assert browser.submit("/theme", {"theme": "dark"}, page="/admin/sign-in").status_code == 303
    with app.app_context():
        assert not ring_the_relay()
        db.session.remove()
        db.engine.dispose()


def test_a_successful_act_wakes_the_worker_by_itself(office: Office) -> None:
    office.worker()
    office.tell("act@families.example")
    browser = Browser(office.app)

    def act() -> None:
        answer = browser.submit("/theme", {"theme": "dark"}, page="/admin/sign-in")
        assert answer.status_code == 303

    office.rung(lambda: office.is_told("act@families.example"), act)
