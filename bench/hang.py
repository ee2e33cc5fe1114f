"""What the API and the common lane take while a bank hangs, beside a bank that answers.

Everything runs as in production: `seedtrust web`, a worker of each lane, beat, and the simulated
bank in a process of its own; payments go out one by one over the bank's interface. Spans of time
in which the bank answers alternate with spans in which it is ordered to hold every call, and a
span of silence begins only when a call is held. A parent's program asks for a case and for a page
of its ledger all the while; the common lane has promises to keep that need no bank. In a span of
silence the bank's own lane must keep nothing, or the bank did not hang and the bench ends.
"""

from __future__ import annotations

import base64
import itertools
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import requests
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from bench.hot import environment
from bench.pages import database, grow
from seedtrust.app import create_app
from seedtrust.core.clock import FixedClock, SystemClock, at_new_york
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.operations.models import JobRun
from seedtrust.domain.operations.service import set_business_clock
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.outbox.service import MAIN_LANE, bank_lane, promise
from seedtrust.domain.payments.ports import HUNTINGTON
from seedtrust.ext import LANES, db, ring_the_relay
from seedtrust.jobs.registry import JOBS
from seedtrust.settings import Settings
from tests.factories import api_world
from tests.factories.api_world import ApiWorld
from tests.factories.payment_world import MONDAY
from tests.kills.bank_process import bank_process
from tests.kills.world import API_KEY, lay_out
from tests.support.processes import running, wait_until
from tests.support.services import free_port

Line = dict[str, object]

ANSWERING: Final = "bank answering"
HANGING: Final = "bank hanging"
PROMISES: Final = "promises of the common lane"
SEND: Final = "payment.send"
BURST: Final = 200
LEDGER_LINES: Final = 60
# A call is held a little longer than is measured, and the lane's worker holds on to it.
MARGIN_SECONDS: Final = 5
PAUSE_SECONDS: Final = 0.02
# Those of tests.factories.payment_world.KEYRING: the processes open what that world has sealed.
_FIELD_KEY: Final = bytes(range(32))
_INDEX_KEY: Final = bytes(range(32, 64))
_AN_AGE: Final = timedelta(days=1)
_HINT: Final = {"bank": HUNTINGTON, "event": "of nothing"}


@dataclass
class Span:
    """What one span of time has shown."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    kept_per_second: float = 0.0
    bank_kept: int = 0


@dataclass(frozen=True)
class House:
    """The running processes, and what is measured at them."""

    world: ApiWorld
    bank_url: str
    api: requests.Session
    addresses: dict[str, str]
    length_seconds: int

    def order(self, method: str, body: object = None) -> Any:
        """Order, list or remove the bank's faults."""
        answer = requests.request(
            method,
            f"{self.bank_url}/sim/faults",
            json=body,
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=60,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def holds_a_call(self) -> bool:
        """Tell whether the bank has begun to hold a call."""
        return any(fault["fired"] for fault in self.order("GET")["data"])

    def kept(self, lane: str, prefix: str = "") -> int:
        """Return how many promises of a lane were kept."""
        statement = select(func.count()).where(
            OutboxMessage.lane == lane,
            OutboxMessage.message_key.startswith(prefix),
            OutboxMessage.done_at.is_not(None),
        )
        return self.world.do(lambda session: session.execute(statement).scalar_one())


def run(quick: bool, mariadb_url: str, redis_url: str) -> list[Line]:  # noqa: FBT001 - the benches' contract
    """Measure on a database of its own; return p50 and p99 of each address, and the lane's rate."""
    rounds, length = (2, 10) if quick else (3, 60)
    found: dict[str, list[Span]] = {ANSWERING: [], HANGING: []}
    with (
        database(mariadb_url, "bench_hang") as url,
        _house(url, redis_url, length, rounds) as house,
    ):
        for number in range(rounds):
            found[ANSWERING].append(_span(house, f"answering-{number}"))
            with _silence(house):
                found[HANGING].append(_span(house, f"hanging-{number}"))
    if any(span.bank_kept for span in found[HANGING]):
        message = "a promise was kept in the lane of a bank that hangs: the bank did not hang"
        raise AssertionError(message)
    return _lines(found, length)


@contextmanager
def _house(url: URL, redis_url: str, length: int, rounds: int) -> Iterator[House]:
    address = url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        # A payment to warm up; in each round seven for each span, and one for the bank to hold.
        place = lay_out(
            address, folder / "bank", files=(4,) * (rounds * 4), wires=(), bank_code=HUNTINGTON
        )
        bank = stack.enter_context(bank_process(place.bank_dir))
        wanted = _settings(address, redis_url, folder, bank.url, bank.drop, length)
        stack.enter_context(environment(wanted))
        world = stack.enter_context(_world())
        port = free_port()
        commands = [["web", "--port", str(port)], ["beat"]]
        commands += [["worker", "--pool", "solo", "--lane", lane] for lane in LANES]
        for command in commands:
            stack.enter_context(running(command, folder / f"{'-'.join(command)}.log"))
        house = _at_the_door(world, bank.url, f"http://127.0.0.1:{port}", length)
        stack.callback(house.api.close)
        _warm_up(house)
        yield house


def _settings(  # noqa: PLR0917 - each is one setting
    address: str, redis_url: str, folder: Path, bank_url: str, drop: Path, length: int
) -> dict[str, str]:
    key, index_key = (base64.b64encode(raw).decode() for raw in (_FIELD_KEY, _INDEX_KEY))
    return {
        "SEEDTRUST_ENV": "test",
        "SEEDTRUST_DATA_DIR": str(folder / "data"),
        "SEEDTRUST_DATABASE_URL": address,
        "SEEDTRUST_REDIS_URL": redis_url,
        "SEEDTRUST_BANK_URL": bank_url,
        "SEEDTRUST_BANK_API_KEY": API_KEY,
        "SEEDTRUST_BANK_DROP_DIR": str(drop),
        "SEEDTRUST_BANK_READ_SECONDS": str(length + 4 * MARGIN_SECONDS),
        "SEEDTRUST_BUSINESS_CLOCK": "database",
        "SEEDTRUST_FIELD_KEYS": f"k1:{key}",
        "SEEDTRUST_INDEX_KEY": index_key,
        "SEEDTRUST_LOG_LEVEL": "ERROR",
    }


@contextmanager
def _world() -> Iterator[ApiWorld]:
    """Add a case whose parent can sign in; payments wait until a span makes them due."""
    now = SystemClock().now()
    app: Flask = create_app(Settings.from_env(), clock=FixedClock(now))
    world = api_world.build(app)
    grow(world, LEDGER_LINES)

    def work(session: Session) -> None:
        set_business_clock(session, Actor.system("bench"), at_new_york(MONDAY, 10), now=now)
        waiting = update(OutboxMessage).where(OutboxMessage.topic == SEND)
        session.execute(waiting.values(due_at=now + _AN_AGE))
        session.add_all(_already_run(now))

    world.do(work)
    try:
        yield world
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _already_run(now: datetime) -> list[JobRun]:
    """Return the bank lane's jobs of the hour as done: one would send every payment at once."""
    hour = at_new_york(MONDAY, 10)
    jobs = [job for job in JOBS if job.lane == bank_lane(HUNTINGTON)]
    return [
        JobRun(
            id=new_id(), job=job.name, due_at=job.last_due(hour), started_at=now, finished_at=now
        )
        for job in jobs
    ]


def _at_the_door(world: ApiWorld, bank_url: str, web_url: str, length: int) -> House:
    api = requests.Session()
    api.headers["Authorization"] = f"Bearer {world.program('parent').access_token}"
    case = f"{web_url}/api/v1/cases/{world.case}"
    addresses = {"API, a case": case, "API, 50 ledger lines": f"{case}/ledger"}

    def is_up() -> bool:
        try:
            return api.get(f"{web_url}/health/ready", timeout=60).ok
        except requests.ConnectionError:
            return False

    wait_until(is_up, "the web process")
    return House(world, bank_url, api, addresses, length)


def _warm_up(house: House) -> None:
    """Have every process at work before anything is measured."""
    _make_due(house, 1)
    _burst(house, "warm-up")
    wait_until(lambda: house.kept(MAIN_LANE, "warm-up") == BURST, "the common lane")
    wait_until(lambda: house.kept(bank_lane(HUNTINGTON)), "the first payment")
    for address in itertools.chain.from_iterable([house.addresses.values()] * 20):
        _timed(house, address)


def _make_due(house: House, count: int) -> None:
    """Let the next payments fall due, evenly over a span."""

    def work(session: Session) -> None:
        now = SystemClock().now()
        waiting = (
            select(OutboxMessage)
            .where(OutboxMessage.topic == SEND, OutboxMessage.due_at > now + _AN_AGE / 2)
            .order_by(OutboxMessage.id)
            .limit(count)
        )
        for place, message in enumerate(session.execute(waiting).scalars()):
            message.due_at = now + timedelta(seconds=house.length_seconds * place / count)

    house.world.do(work)


def _burst(house: House, name: str) -> None:
    """Promise many things that need no bank: hints that turn out to be about nothing."""
    now = SystemClock().now()

    def work(session: Session) -> None:
        for number in range(BURST):
            promise(session, "bank.hint", f"{name}:{number}", _HINT, now=now)

    house.world.do(work)
    with house.world.app.app_context():
        ring_the_relay()


@contextmanager
def _silence(house: House) -> Iterator[None]:
    """Have the bank hold every call; begin once it holds one, end once its lane is free again."""
    held = house.length_seconds + MARGIN_SECONDS
    house.order("POST", {"effect": "hang", "times": 1_000_000, "seconds": held})
    # The business clock stands still, so that nothing but a payment calls the bank.
    _make_due(house, 1)
    wait_until(house.holds_a_call, "a call that the bank holds", 40)
    before = house.kept(bank_lane(HUNTINGTON))
    yield
    house.order("DELETE")
    lane = bank_lane(HUNTINGTON)
    wait_until(lambda: house.kept(lane) > before, "the bank's own lane again")


def _span(house: House, name: str) -> Span:
    """Ask for each address in turn for the length of a span, beside payments and promises."""
    span, lane = Span({what: [] for what in house.addresses}), bank_lane(HUNTINGTON)
    before = house.kept(lane)
    _make_due(house, 7)
    _burst(house, name)
    pause, end = threading.Event(), time.monotonic() + house.length_seconds
    while time.monotonic() < end:
        for what, address in house.addresses.items():
            span.seconds[what].append(_timed(house, address))
            pause.wait(PAUSE_SECONDS)
    span.bank_kept = house.kept(lane) - before
    wait_until(lambda: house.kept(MAIN_LANE, name) == BURST, "the promises of the common lane")
    span.kept_per_second = _rate(house, name)
    return span


def _timed(house: House, address: str) -> float:
    begun = time.perf_counter()
    answer = house.api.get(address, timeout=300)
    spent = time.perf_counter() - begun
    answer.raise_for_status()
    return spent


def _rate(house: House, name: str) -> float:
    """Return how many promises a second were kept, from the promise to the last one kept."""
    statement = select(func.min(OutboxMessage.created_at), func.max(OutboxMessage.done_at)).where(
        OutboxMessage.message_key.startswith(name)
    )
    promised, kept = house.world.do(lambda session: session.execute(statement).one())
    assert promised is not None, "a burst was promised"
    assert kept is not None, "a burst was kept"
    return BURST / (kept - promised).total_seconds()


def _lines(found: dict[str, list[Span]], length: int) -> list[Line]:
    calls = list(found[HANGING][0].seconds)
    sent = sum(span.bank_kept for span in found[ANSWERING])
    note = f"{sent} payments sent while the bank answered, none while it hung"
    lines = [
        _line(
            f"{what}, {name}, {HANGING} {length} s at a time",
            "ms",
            {state: [of(span.seconds[what]) for span in spans] for state, spans in found.items()},
            note,
        )
        for what in calls
        for name, of in (("p50", _p50), ("p99", _p99))
    ]
    rates = {state: [span.kept_per_second for span in spans] for state, spans in found.items()}
    return [*lines, _line(f"{PROMISES}, {HANGING}", "kept/s", rates, note)]


def _p50(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[49] * 1_000


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98] * 1_000


def _line(name: str, unit: str, figures: dict[str, list[float]], note: str) -> Line:
    hanging, answering = figures[HANGING], figures[ANSWERING]
    ratios = [one / other for one, other in zip(hanging, answering, strict=True)]
    return {
        "name": name,
        "figure": round(median(hanging), 1),
        "unit": unit,
        "floor_name": f"the same, {ANSWERING}",
        "floor": round(median(answering), 1),
        "ratio_median": round(median(ratios), 2),
        "ratio_min": round(min(ratios), 2),
        "ratio_max": round(max(ratios), 2),
        "note": note,
    }
