"""How fast the books are on MariaDB, each figure beside a floor from the same minutes.

Single postings go through a real unit of work; the floor sends the same statements with PyMySQL
alone. Bulk postings are compared with LOAD DATA of rows that were worked out beforehand. Rounds
of figure and floor alternate, and only their ratios mean something on a shared machine.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median
from typing import Any, Final

import pymysql
from sqlalchemy import insert, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import chart, sending, service, statements
from seedtrust.domain.ledger.check import check
from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance
from seedtrust.domain.ledger.posting import Layer, Side
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit

Line = dict[str, object]

NOW: Final = datetime(2026, 1, 22, 15, tzinfo=UTC)
DAY: Final = date(2026, 1, 22)
CLERK: Final = Actor.system("bench")
CHANCE: Final = random.Random(20260122)  # noqa: S311 - no secret, the same amounts in every run
RICH_CENTS: Final = 10**12
PER_COMMIT: Final = 20_000
NOTE: Final = "private MariaDB beside the client, its flush off; ratio of alternating rounds"


def run(quick: bool, mariadb_url: str) -> list[Line]:  # noqa: FBT001 - the benches' contract
    """Measure on a database of its own on the given server and return one line per figure."""
    with database(mariadb_url) as url:
        fixture = prepare(url, accounts=2_000 if quick else 10_000)
        rounds, seconds = (3, 1.0) if quick else (5, 2.0)
        lines = []
        for connections in (1, 4, 8):
            lines += single(url, fixture, connections, rounds=rounds, seconds=seconds)
        transfers, accounts = (20_000, 2_000) if quick else (100_000, 10_000)
        lines.append(in_bulk(url, fixture, transfers, accounts, rounds=3))
        prove_headers_aside(url)
    return lines


@dataclass(frozen=True)
class Fixture:
    """The accounts that postings go to."""

    book: int
    bank: int
    transit: int
    cases: list[int]


@contextmanager
def database(server_url: str) -> Iterator[URL]:
    """Make an empty migrated database and drop it at the end."""
    url = make_url(server_url).set(database="bench_ledger")
    server = make_engine(make_url(server_url))
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS bench_ledger"))
        connection.execute(text("CREATE DATABASE bench_ledger CHARACTER SET utf8mb4"))
    migrations.upgrade(url)
    try:
        yield url
    finally:
        with server.connect() as connection:
            connection.execute(text("DROP DATABASE bench_ledger"))
        server.dispose()


def prepare(url: URL, accounts: int) -> Fixture:
    """Open the books with rich cases and return their accounts."""
    engine = make_engine(url)
    with Session(engine) as session, session.begin():
        chart.open_books(session, NOW)
        bank = chart.open_trust_account(session, "main", NOW)
        transit = chart.account_id(session, "trust", chart.in_transit_code("ach", "out"))
        book = session.get_one(LedgerAccount, bank).book_id
        cases = open_cases(session, book, accounts)
    fixture = Fixture(book, bank, transit, cases)
    fund(engine, fixture, cases)
    engine.dispose()
    return fixture


def open_cases(session: Session, book: int, count: int) -> list[int]:
    """Open many case accounts at once."""
    ids = [new_id() for _ in range(count)]
    session.connection().execute(
        insert(LedgerAccount),
        [
            {
                "id": number,
                "book_id": book,
                "code": chart.case_code(number),
                "kind": chart.AccountKind.CASE.value,
                "normal_side": int(Side.CREDIT),
                "owner_type": "case",
                "owner_id": number,
                "created_at": NOW,
            }
            for number in ids
        ],
    )
    session.connection().execute(
        insert(LedgerBalance),
        [
            {"account_id": number, "book_id": book, "normal_side": int(Side.CREDIT), "guard": 1}
            for number in ids
        ],
    )
    return ids


def fund(engine: Any, fixture: Fixture, cases: list[int]) -> None:
    """Put more on each case than a bench can spend."""
    deposits = [
        Posting(
            TxnKind.DEPOSIT,
            f"fund:{number}",
            DAY,
            (debit(fixture.bank, RICH_CENTS), credit(number, RICH_CENTS)),
        )
        for number in cases
    ]
    with Session(engine) as session, session.begin():
        service.post_many(session, CLERK, deposits, now=NOW)


def prove_headers_aside(url: URL) -> None:
    """Refuse to print figures of broken books; headers that a floor wrote have no request."""
    engine = make_engine(url)
    with Session(engine) as session, session.begin():
        faults = [fault for fault in check(session) if fault.code != "transaction_altered"]
    engine.dispose()
    if faults:
        raise AssertionError(faults[:5])


# Single postings


def single(
    url: URL, fixture: Fixture, connections: int, *, rounds: int, seconds: float
) -> list[Line]:
    """Measure postings and hold-and-capture pairs of several processes at once."""
    modes = ("posting", "floor", "block", "pairs")
    rates: dict[str, list[float]] = {mode: [] for mode in modes}
    with workers(url, fixture, connections) as pipes:
        for mode in modes:
            round_of(pipes, mode, seconds / 2)
        for _ in range(rounds):
            for mode in CHANCE.sample(modes, len(modes)):
                rates[mode].append(round_of(pipes, mode, seconds))
    name = f"{connections} connection" + ("s" if connections > 1 else "")
    return [
        line(
            f"one posting, {name}",
            "postings/s",
            rates["posting"],
            ("the same statements, singly, by PyMySQL", rates["floor"]),
        ),
        line(
            f"one posting, {name}",
            "postings/s",
            rates["posting"],
            ("the same statements in one block by PyMySQL", rates["block"]),
        ),
        line(
            f"hold and capture, {name}",
            "pairs/s",
            rates["pairs"],
            ("single postings", rates["posting"]),
        ),
    ]


@contextmanager
def workers(url: URL, fixture: Fixture, count: int) -> Iterator[list[Pipe]]:
    """Start processes that post on demand, each with a connection of its own."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    address = url.render_as_string(hide_password=False)
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(address, fixture, theirs))
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join()


def round_of(pipes: list[Pipe], mode: str, seconds: float) -> float:
    """Have all workers do one thing for some seconds; return how often per second together."""
    for pipe in pipes:
        pipe.send((mode, seconds))
    return float(sum(pipe.recv() for pipe in pipes))


def work(address: str, fixture: Fixture, pipe: Pipe) -> None:
    """Run in a worker: do what the pipe asks until it asks for nothing."""
    from flask import Flask  # noqa: PLC0415 - workers alone need it

    from seedtrust import ext  # noqa: PLC0415 - the floor is measured without it

    app = Flask("seedtrust")
    app.config["SQLALCHEMY_DATABASE_URI"] = address
    ext.db.init_app(app)
    # Each process its own order of accounts, the same in every run.
    chance = random.Random(os.getpid())  # noqa: S311 - no secret
    floor = Floor(make_url(address), fixture, chance)
    with app.app_context():
        acts: dict[str, Callable[[], None]] = {
            "posting": lambda: post_once(ext, fixture, chance),
            "pairs": lambda: hold_and_capture(ext, fixture, chance),
            "floor": floor.post,
            "block": floor.post_in_a_block,
        }
        pipe.send("ready")
        while (asked := pipe.recv()) is not None:
            mode, seconds = asked
            pipe.send(rate_of(acts[mode], seconds))


def rate_of(act: Callable[[], None], seconds: float) -> float:
    """Repeat an act and return how often it happened per second."""
    count = 0
    start = time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        act()
        count += 1
    return count / spent


def post_once(ext: Any, fixture: Fixture, chance: random.Random) -> None:
    """Move money between two cases in one real unit of work."""
    source, target = chance.sample(fixture.cases, 2)
    posting = Posting(
        TxnKind.MATCH,
        f"bench:{new_id()}",
        DAY,
        (debit(source, cents := chance.randrange(1, 5_000)), credit(target, cents)),
        memo="A transfer",
        source_type="bench",
        source_ref="single",
    )
    ext.in_transaction(lambda session: service.post(session, CLERK, posting, now=NOW))


def hold_and_capture(ext: Any, fixture: Fixture, chance: random.Random) -> None:
    """Reserve money of a case in one unit of work and send it off in another."""
    case, number = chance.choice(fixture.cases), new_id()
    hold = ext.in_transaction(
        lambda session: service.reserve(
            session,
            CLERK,
            case,
            100,
            key=f"hold:{number}",
            effective_on=DAY,
            source_type="bench",
            source_ref="pair",
            now=NOW,
        )
    )
    ext.in_transaction(
        lambda session: service.capture(
            session,
            CLERK,
            hold,
            key=f"capture:{number}",
            effective_on=DAY,
            credit_account_id=fixture.transit,
            kind=TxnKind.DISBURSEMENT,
            source_type="bench",
            source_ref="pair",
            now=NOW,
        )
    )


class Floor:
    """The statements of one transfer, sent with the driver alone."""

    def __init__(self, url: URL, fixture: Fixture, chance: random.Random) -> None:
        """Connect as the application does."""
        self._connection = connect(url)
        self._cursor = self._connection.cursor()
        self._fixture = fixture
        self._chance = chance
        mark = statements.MYSQL_MARK
        self._header = statements.insert_txn(mark)
        # The lower id stands first in the update: once it is debited, once credited.
        self._updates = [
            statements.update_balances(mark, ((1, 1), (2, 1))),
            statements.update_balances(mark, ((2, 1), (1, 1))),
        ]
        self._entries = statements.insert_entries(
            mark,
            (
                (Layer.POSTED, Side.DEBIT, 0, False, False),
                (Layer.POSTED, Side.CREDIT, 0, False, False),
            ),
        )

        self._blocks = [
            sending.block_of(2, update, (self._header, self._entries)) for update in self._updates
        ]

    def post(self) -> None:
        """Write one transfer in three trips and commit it."""
        debited_is_higher, values = self._transfer()
        statements_sent = (self._updates[debited_is_higher], self._header, self._entries)
        for statement, given in zip(statements_sent, values, strict=True):
            self._cursor.execute(statement, given)
        self._connection.commit()

    def post_in_a_block(self) -> None:
        """Write one transfer in one trip, as the product does, and commit it."""
        debited_is_higher, values = self._transfer()
        self._cursor.execute(self._blocks[debited_is_higher], sum(values, ()))
        self._connection.commit()

    def _transfer(self) -> tuple[bool, tuple[tuple[object, ...], ...]]:
        """Draw a transfer: whether the debited account's id is the higher, and all values."""
        source, target = self._chance.sample(self._fixture.cases, 2)
        cents, txn_id = self._chance.randrange(1, 5_000), new_id()
        day = "2026-01-22"
        low, high = sorted((source, target))
        header = (
            txn_id,
            os.urandom(16),
            os.urandom(32),
            "single",
            "",
            "A transfer",
            "MATCH",
            0,
            day,
            "2026-01-22 15:00:00.000000",
            None,
            "bench",
            None,
            "bench",
            source,
        )
        return low == target, (
            (source, cents, target, cents, low, high, source),
            header,
            (txn_id, cents, day, source, txn_id, cents, day, target),
        )


def connect(url: URL) -> Any:
    """Connect with the driver alone, at the product's isolation level."""
    connection = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        unix_socket=url.query.get("unix_socket"),
        user=url.username,
        password=url.password or "",
        database=url.database,
        charset="utf8mb4",
        autocommit=False,
        local_infile=True,
    )
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    return connection


# Bulk


def in_bulk(url: URL, fixture: Fixture, transfers: int, accounts: int, *, rounds: int) -> Line:
    """Measure `post_many` beside LOAD DATA; every second transfer touches the bank's account."""
    engine = make_engine(url)
    ours: list[float] = []
    floor: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            with Session(engine) as session, session.begin():
                cases = open_cases(session, fixture.book, accounts)
            fund(engine, fixture, cases)
            postings = some_transfers(fixture, cases, transfers, number)
            ours.append(transfers / timed(partial(post_in_bulk, engine, postings)))
            ready = Ready(url, Path(folder), fixture, cases, transfers)
            floor.append(transfers / timed(ready.load))
    engine.dispose()
    return line(
        f"{transfers:,} postings in bulk", "transfers/s", ours, ("LOAD DATA of ready rows", floor)
    )


def some_transfers(fixture: Fixture, cases: list[int], count: int, number: int) -> list[Posting]:
    """Return transfers as a payment run would make them."""
    found = []
    for item in range(count):
        source, other = CHANCE.sample(cases, 2)
        target = fixture.bank if item % 2 else other
        cents = CHANCE.randrange(1, 5_000)
        found.append(
            Posting(
                TxnKind.DISBURSEMENT,
                f"bulk:{number}:{item}",
                DAY,
                (debit(source, cents), credit(target, cents)),
                memo="Payment run",
                category="monthly_allowance",
                source_type="payment",
                source_ref=f"P{item}",
            )
        )
    return found


def post_in_bulk(engine: Any, postings: list[Posting]) -> None:
    """Post everything, some thousands in one commit."""
    for start in range(0, len(postings), PER_COMMIT):
        with Session(engine) as session, session.begin():
            service.post_many(session, CLERK, postings[start : start + PER_COMMIT], now=NOW)


def timed(act: Callable[[], None]) -> float:
    """Return how many seconds an act takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


class Ready:
    """Rows of transfers, worked out and written to files before the clock starts."""

    def __init__(
        self, url: URL, folder: Path, fixture: Fixture, cases: list[int], count: int
    ) -> None:
        """Work everything out against the balances of now."""
        self._connection = connect(url)
        self._steps: list[tuple[Path, Path, Path]] = []
        figures = self._balances([*cases, fixture.bank])
        for start in range(0, count, PER_COMMIT):
            paths = tuple(folder / f"{name}{start}" for name in ("txn", "entry", "balance"))
            part = min(PER_COMMIT, count - start)
            self._write(paths, fixture, cases, figures, range(start, start + part))
            self._steps.append((paths[0], paths[1], paths[2]))

    def _balances(self, ids: list[int]) -> dict[int, list[int]]:
        listed = ",".join(map(str, ids))
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT account_id, dr_posted, cr_posted, seq FROM ledger_balance "  # noqa: S608 - ids of our own
                f"WHERE account_id IN ({listed})"
            )
            found = {row[0]: list(row[1:]) for row in cursor.fetchall()}
        self._connection.commit()
        return found

    def _write(
        self,
        paths: tuple[Path, ...],
        fixture: Fixture,
        cases: list[int],
        figures: dict[int, list[int]],
        numbers: range,
    ) -> None:
        headers, entries, touched = [], [], set()
        for number in numbers:
            source, other = CHANCE.sample(cases, 2)
            target = fixture.bank if number % 2 else other
            cents, txn_id = CHANCE.randrange(1, 5_000), new_id()
            headers.append(ready_header(fixture, txn_id, number))
            for leg, (account, side) in enumerate(((source, 1), (target, -1))):
                touched.add(account)
                mine = figures[account]
                mine[0 if side == 1 else 1] += cents
                mine[2] += 1
                normal = 1 if account == fixture.bank else -1
                after = normal * (mine[0] - mine[1])
                entries.append((account, mine[2], txn_id, leg, 0, side, cents, after))
        paths[0].write_bytes(b"\n".join(headers) + b"\n")
        entries.sort()
        tail = "\t0\t2026-01-22\t2026-01-22 15:00:00.000000\n"
        paths[1].write_text("".join("\t".join(map(str, row)) + tail for row in entries))
        paths[2].write_text(
            "".join("\t".join(map(str, (one, *figures[one]))) + "\n" for one in touched)
        )

    def load(self) -> None:
        """Load the files, one commit for each part."""
        cursor = self._connection.cursor()
        cursor.execute(
            "CREATE TEMPORARY TABLE ready_balance (account_id BIGINT PRIMARY KEY, "
            "dr_posted BIGINT, cr_posted BIGINT, seq BIGINT)"
        )
        for headers, entries, balances in self._steps:
            cursor.execute(load_data(headers, "ledger_txn", statements.TXN_COLUMNS))
            cursor.execute(load_data(entries, "ledger_entry", statements.ENTRY_COLUMNS))
            cursor.execute("DELETE FROM ready_balance")
            cursor.execute(
                load_data(balances, "ready_balance", "account_id, dr_posted, cr_posted, seq")
            )
            cursor.execute(
                "UPDATE ledger_balance b JOIN ready_balance r ON r.account_id = b.account_id "
                "SET b.dr_posted = r.dr_posted, b.cr_posted = r.cr_posted, b.seq = r.seq"
            )
            self._connection.commit()
        self._connection.close()


def ready_header(fixture: Fixture, txn_id: int, number: int) -> bytes:
    """Return a line of the header file; hashes are escaped as LOAD DATA wants it."""
    key, request = escaped(os.urandom(16)), escaped(os.urandom(32))
    return b"\t".join(
        (
            str(fixture.book).encode(),
            str(txn_id).encode(),
            key,
            request,
            f"P{number}".encode(),
            b"",
            b"Payment run",
            b"DISBURSEMENT",
            b"0",
            b"2026-01-22",
            b"2026-01-22 15:00:00.000000",
            b"\\N",
            b"bench",
            b"monthly_allowance",
            b"payment",
        )
    )


def escaped(raw: bytes) -> bytes:
    """Return bytes as a field of a LOAD DATA file."""
    return (
        raw.replace(b"\\", b"\\\\")
        .replace(b"\t", b"\\t")
        .replace(b"\n", b"\\n")
        .replace(b"\0", b"\\0")
    )


def load_data(path: Path, table: str, columns: str) -> str:
    """Return the statement that loads a file."""
    return f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table} CHARACTER SET binary ({columns})"


def line(name: str, unit: str, figures: list[float], beside: tuple[str, list[float]]) -> Line:
    """Return one line of the table: the figure, its floor, and the ratio round by round."""
    floor_name, floors = beside
    ratios = [figure / floor for figure, floor in zip(figures, floors, strict=True)]
    return {
        "name": name,
        "figure": round(median(figures)),
        "unit": unit,
        "floor_name": floor_name,
        "floor": round(median(floors)),
        "ratio_median": round(median(ratios), 2),
        "ratio_min": round(min(ratios), 2),
        "ratio_max": round(max(ratios), 2),
        "note": NOTE,
    }
