"""What a page costs beside its own queries: how many it sends, and its time against theirs.

A request goes through the whole application on MariaDB, without a network. The floor sends the
statements that the page has just sent, with their parameters, through the bare driver, fetches
every row and ends the same units of work. Rounds of page and floor alternate; the ratio says how
many times its queries a page takes. The same pages are measured beside 10 and beside 1,000 cases
and lines: the number of queries must not change.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from flask import Flask
from sqlalchemy import event, insert, select, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.orm import Session

from bench.ledger import open_cases
from seedtrust.app import create_app
from seedtrust.core import migrations
from seedtrust.core.clock import FixedClock
from seedtrust.core.db import make_engine
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Side, Stage
from seedtrust.domain.ledger import chart, service
from seedtrust.domain.ledger.models import LedgerAccount
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit
from seedtrust.ext import db
from seedtrust.settings import Settings
from tests.factories import api_world
from tests.factories.api_world import TODAY, ApiWorld

Line = dict[str, object]
Call = Callable[[], Any]

SIZES: Final = (10, 1_000)
CALLS: Final = 7
MOST_QUERIES: Final = 12
OPENED: Final = date(2026, 1, 5)
CLERK: Final = Actor.system("bench")
END: Final = "end of a unit of work"


@dataclass(frozen=True)
class Page:
    """One address to measure, and who asks for it."""

    name: str
    get: Call


def run(quick: bool, mariadb_url: str) -> list[Line]:  # noqa: FBT001 - the benches' contract
    """Measure on a database of its own and return one line per page and size."""
    rounds = 3 if quick else 15
    lines: list[Line] = []
    with database(mariadb_url) as url, application(url) as app:
        world = api_world.build(app)
        pages = pages_of(world)
        sent: dict[str, set[int]] = {page.name: set() for page in pages}
        standing = 1
        for size in SIZES:
            grow(world, size - standing)
            standing = size
            for page in pages:
                line, queries = measure(app, page, size, rounds)
                sent[page.name].add(queries)
                lines.append(line)
    uneven = {name: counts for name, counts in sent.items() if len(counts) > 1}
    if uneven:
        message = f"the number of queries grows with the rows: {uneven}"
        raise AssertionError(message)
    return lines


@contextmanager
def database(server_url: str, name: str = "bench_pages") -> Iterator[URL]:
    """Make an empty migrated database and drop it at the end."""
    url = make_url(server_url).set(database=name)
    server = make_engine(make_url(server_url))
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    migrations.upgrade(url)
    try:
        yield url
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        server.dispose()


@contextmanager
def application(url: URL) -> Iterator[Flask]:
    """Make the application on this database, its clock standing still."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env(
            env="test",
            data_dir=Path(folder),
            database_url=url.render_as_string(hide_password=False),
            log_level="ERROR",
        )
        app = create_app(settings, clock=FixedClock(datetime(2026, 1, 5, 15, tzinfo=UTC)))
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def pages_of(world: ApiWorld) -> list[Page]:
    """Return the pages to measure, by somebody signed in."""
    parent, staff = world.program("parent"), world.browser("specialist")
    clerk, case = world.program("specialist"), world.case
    return [
        Page("API, a case, to a parent", lambda: parent.get(f"/cases/{case}")),
        Page("API, 50 ledger lines, to a parent", lambda: parent.get(f"/cases/{case}/ledger")),
        Page("API, balance, to a parent", lambda: parent.get(f"/cases/{case}/balance")),
        Page("API, 50 cases, to staff", lambda: clerk.get("/cases")),
        Page("admin page, a case", lambda: staff.get(f"/admin/cases/{case}")),
        Page("admin page, list of cases", lambda: staff.get("/admin/cases")),
    ]


def grow(world: ApiWorld, count: int) -> None:
    """Add some cases with a party each, and some lines to the ledger of the case."""

    def work(session: Session) -> None:
        account = session.get_one(LedgerAccount, world.world.case.ledger_account_id)
        accounts = open_cases(session, account.book_id, count)
        session.execute(insert(Case), [_case(world, number) for number in accounts])
        made = session.execute(
            select(Case.id).where(Case.ledger_account_id.in_(accounts))
        ).scalars()
        session.execute(insert(CaseParty), [_party(number) for number in made])
        cash = chart.account_id(session, "trust", chart.bank_cash_code("main"))
        service.post_many(
            session,
            CLERK,
            [
                Posting(
                    TxnKind.DEPOSIT,
                    f"bench:{new_id()}",
                    TODAY,
                    (debit(cash, 100), credit(account.id, 100)),
                    category="funding",
                )
                for _ in range(count)
            ],
            now=world.moment().at,
        )

    world.do(work)


def _case(world: ApiWorld, account: int) -> dict[str, object]:
    case = world.world.case
    return {
        "id": new_id(),
        "reference": new_reference(),
        "number": account % 1_000_000_000 + 1_000_000_000,
        "kind": case.kind,
        "name": f"Bench_{account}",
        "stage": Stage.CYCLE_IN_PROGRESS.value,
        "stage_since_on": OPENED,
        "rail": case.rail,
        "agency_id": case.agency_id,
        "trust_account_id": case.trust_account_id,
        "ledger_account_id": account,
        "anonymous": True,
        "funding_required_cents": 1,
        "opened_on": OPENED,
        "version": 1,
    }


def _party(case_id: int) -> dict[str, object]:
    return {
        "id": new_id(),
        "reference": new_reference(),
        "case_id": case_id,
        "role": Role.INTENDED_PARENT.value,
        "side": Side.RECIPIENT.value,
        "name": f"Parent {case_id}",
        "email": f"parent{case_id}@mail.example",
        "must_sign": True,
        "must_certify": True,
        "added_at": datetime(2026, 1, 5, 15, tzinfo=UTC),
    }


def measure(app: Flask, page: Page, size: int, rounds: int) -> tuple[Line, int]:
    """Return the line of one page, and how many queries it sent."""
    with app.app_context():
        engine = db.engine
    for _ in range(3):
        answer = page.get()
        if answer.status_code != 200:
            message = f"{page.name}: {answer.status} {answer.text[:300]}"
            raise AssertionError(message)
    statements = recorded(engine, page.get)
    queries = sum(statement is not None for statement, _ in statements)
    connection = engine.raw_connection()
    try:
        pairs = [
            (timed(page.get), timed(lambda: replay(connection, statements))) for _ in range(rounds)
        ]
    finally:
        connection.close()
    ratios = [slow / bare for slow, bare in pairs]
    within = "" if queries <= MOST_QUERIES else f", aim at most {MOST_QUERIES}"
    line: Line = {
        "name": f"{page.name}, beside {size:,}",
        "figure": round(median(slow for slow, _ in pairs) * 1_000, 2),
        "unit": "ms",
        "floor_name": f"its {queries} queries, bare",
        "floor": round(median(bare for _, bare in pairs) * 1_000, 2),
        "ratio_median": round(median(ratios), 2),
        "ratio_min": round(min(ratios), 2),
        "ratio_max": round(max(ratios), 2),
        "note": f"{queries} queries{within}; ratio is times its queries",
        "queries": queries,
    }
    return line, queries


def recorded(engine: Any, call: Call) -> list[tuple[str | None, Any]]:
    """Return every statement of one call with its parameters; None marks the end of a unit."""
    found: list[tuple[str | None, Any]] = []

    def sent(*arguments: Any) -> None:
        found.append((arguments[2], arguments[3]))

    def ended(_connection: Connection) -> None:
        found.append((None, END))

    listeners = (("before_cursor_execute", sent), ("commit", ended), ("rollback", ended))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        call()
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)
    return found


def replay(connection: Any, statements: list[tuple[str | None, Any]]) -> None:
    """Send the statements through the bare driver and fetch what they give."""
    with connection.cursor() as cursor:
        for statement, parameters in statements:
            if statement is None:
                connection.commit()
            else:
                cursor.execute(statement, parameters)
                cursor.fetchall()


def timed(call: Call) -> float:
    """Return the seconds of one call, the median of several."""
    taken = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return median(taken)
