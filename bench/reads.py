"""What reads of the books cost beside a long history, and that they do not grow with it.

Each read of the product goes through a session as a page would use it. The floor is a select of
one balance row by primary key through the same session, in rounds that alternate with the read.
The same reads are measured at 1 and at 5 million entries: a read that is flat costs the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import Any, Final

from sqlalchemy import Engine, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from bench.ledger import Fixture
from bench.seed import seed
from seedtrust.core.db import make_engine
from seedtrust.domain.ledger import queries
from seedtrust.domain.ledger.check import check
from seedtrust.domain.ledger.models import LedgerBalance

Line = dict[str, object]
Read = Callable[[Session], object]

SIZES: Final = (1_000_000, 5_000_000)
QUICK_SIZES: Final = (100_000, 200_000)
MIDDLE: Final = date(2025, 1, 31)
CALLS: Final = 20
_NAME: Final = "bench_reads"
_MILLISECONDS: Final = 1_000
NOTE: Final = "client and private MariaDB share two cores; ratio of alternating rounds"


@dataclass(frozen=True)
class _Case:
    name: str
    read: Read


def run(quick: bool, mariadb_url: str) -> list[Line]:  # noqa: FBT001 - the benches' contract
    """Measure on a database of its own at two sizes and return one line per read and size."""
    lines: list[Line] = []
    lines_of_proof: list[Line] = []
    with _database(mariadb_url) as url:
        for entries in QUICK_SIZES if quick else SIZES:
            fixture = seed(url, entries)
            engine = make_engine(url)
            rounds = 5 if quick else 15
            lines += [
                measure(engine, fixture, case, entries, rounds=rounds) for case in cases_of(fixture)
            ]
            if not lines_of_proof:
                # Once: beside five million it takes minutes and says nothing more.
                lines_of_proof.append(proof(engine, entries))
            engine.dispose()
    return lines + lines_of_proof


def proof(engine: Engine, entries: int) -> Line:
    """Return one line: seconds of the proof of all the books, beside reading all entries once.

    The note says what memory the proof added. Raises AssertionError for broken books, whose
    figures would mean nothing.
    """
    with Session(engine) as session, session.begin():
        begun = time.perf_counter()
        session.execute(text("SELECT SUM(posted_after_cents) FROM ledger_entry")).scalar_one()
        floor = time.perf_counter() - begun
        before = getrusage(RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        faults = check(session)
        spent = time.perf_counter() - begun
        added_mb = (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024
    if faults:
        raise AssertionError(faults[:5])
    ratio = round(spent / floor, 1)
    return {
        "name": f"proof of the books, {entries:,} entries, {added_mb:.0f} MB more memory",
        "figure": round(spent, 1),
        "unit": "s",
        "floor_name": "one sum over all entries",
        "floor": round(floor, 2),
        "ratio_median": ratio,
        "ratio_min": ratio,
        "ratio_max": ratio,
        "note": "measured once",
    }


def cases_of(fixture: Fixture) -> list[_Case]:
    """Return the reads that pages and statements live on, for a case and for the bank's account."""
    case, bank = fixture.cases[len(fixture.cases) // 2], fixture.bank
    return [
        _Case("current balance of a case", lambda s: queries.balance_of(s, case)),
        _Case("current balance of bank cash", lambda s: queries.balance_of(s, bank)),
        _Case(
            "newest 50 lines of a case",
            lambda s: queries.case_lines(s, case, newest_first=True),
        ),
        _Case(
            "newest 50 lines of bank cash",
            lambda s: queries.case_lines(s, bank, newest_first=True),
        ),
        _Case("a case as of a day", lambda s: queries.balance_as_of(s, case, MIDDLE)),
        _Case("bank cash as of a day", lambda s: queries.balance_as_of(s, bank, MIDDLE)),
        _Case("trial balance now", lambda s: queries.trial_balance(s, "trust")),
    ]


def measure(engine: Engine, fixture: Fixture, case: _Case, entries: int, *, rounds: int) -> Line:
    """Return one line: milliseconds of the read, of the floor, and their ratio."""
    floor: Read = lambda s: s.execute(  # noqa: E731 - the twin of the reads above
        select(LedgerBalance.dr_posted, LedgerBalance.cr_posted).where(
            LedgerBalance.account_id == fixture.cases[0]
        )
    ).one()
    _time(engine, case.read)
    _time(engine, floor)
    ours, floors = [], []
    for _ in range(rounds):
        ours.append(_time(engine, case.read))
        floors.append(_time(engine, floor))
    ratios = [one / other for one, other in zip(ours, floors, strict=True)]
    return {
        "name": f"{case.name}, {entries:,} entries",
        "figure": round(median(ours), 3),
        "unit": "ms",
        "floor_name": "a balance row by primary key",
        "floor": round(median(floors), 3),
        "ratio_median": round(median(ratios), 2),
        "ratio_min": round(min(ratios), 2),
        "ratio_max": round(max(ratios), 2),
        "note": NOTE,
    }


def _time(engine: Engine, read: Read) -> float:
    """Return the milliseconds of one read in a unit of work, the median of some."""
    times = []
    for _ in range(CALLS):
        with Session(engine) as session, session.begin():
            session.connection()
            begun = time.perf_counter()
            read(session)
            times.append((time.perf_counter() - begun) * _MILLISECONDS)
    return median(times)


@contextmanager
def _database(server_url: str) -> Iterator[URL]:
    url = make_url(server_url).set(database=_NAME)
    server: Any = make_engine(make_url(server_url))
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {_NAME}"))
        connection.execute(text(f"CREATE DATABASE {_NAME} CHARACTER SET utf8mb4"))
    try:
        yield url
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {_NAME}"))
        server.dispose()
