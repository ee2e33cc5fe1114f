"""How fast one account takes postings when every commit is flushed and the binary log is synced.

Every transfer debits bank cash, as every deposit does. The server is one of its own: binary log
on and synced, a flush at every commit, and each flush a millisecond longer than the disk needs
(through a preloaded library, where a C compiler is at hand; without one the line says so). The
floor is a one-row insert and commit of as many connections.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from bench.ledger import (
    CLERK,
    DAY,
    NOW,
    Fixture,
    connect,
    database,
    line,
    prepare,
    prove_headers_aside,
    rate_of,
    round_of,
)
from scripts.with_services import mariadb, scratch
from seedtrust.core.db import make_engine
from seedtrust.core.ids import new_id
from seedtrust.domain.ledger import service
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit

Line = dict[str, object]

SINGLES: Final = 16
WRITERS: Final = 4
BATCH: Final = 50
FLUSH_US: Final = "1000"
OPTIONS: Final = (
    "--log-bin",
    "--server-id=1",
    "--sync-binlog=1",
    "--innodb-flush-log-at-trx-commit=1",
    "--log-bin-trust-function-creators=1",
)


def run(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    """Measure on a server of its own: a line for single postings and one for batches."""
    rounds, seconds = (3, 1.5) if quick else (5, 3.0)
    with _server() as (server_url, flush), database(server_url) as url:
        fixture = prepare(url, accounts=2_000)
        address = url.render_as_string(hide_password=False)
        lines = [
            _measure(address, fixture, "singly", SINGLES, rounds=rounds, seconds=seconds),
            _measure(address, fixture, "in batches", WRITERS, rounds=rounds, seconds=seconds),
        ]
        prove_headers_aside(url)
    return [{**found, "note": flush} for found in lines]


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True) as name:
        library = _slow_flush(Path(name))
        added = {} if library is None else {"LD_PRELOAD": str(library), "SLOW_FLUSH_US": FLUSH_US}
        with (
            environment(added),
            mariadb(Path(name) / "mariadb", options=OPTIONS) as url,
        ):
            yield url, "flushes 1 ms longer" if library else "no C compiler: flushes as they are"


def _slow_flush(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "slow_flush.so"
    source = Path(__file__).with_name("slow_flush.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True
    )
    return library


@contextmanager
def environment(added: dict[str, str]) -> Iterator[None]:
    """Set variables for this process and those it starts, for the length of a block."""
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _measure(
    address: str,
    fixture: Fixture,
    mode: str,
    connections: int,
    *,
    rounds: int,
    seconds: float,
) -> Line:
    rates: dict[str, list[float]] = {mode: [], "floor": []}
    with _workers(address, fixture, connections) as pipes:
        for name in rates:
            round_of(pipes, name, seconds / 2)
        for _ in range(rounds):
            for name, found in rates.items():
                found.append(round_of(pipes, name, seconds))
    return line(
        f"hot account {mode}, {connections} connections",
        "transfers/s",
        rates[mode],
        ("one-row commits", rates["floor"]),
    )


@contextmanager
def _workers(address: str, fixture: Fixture, count: int) -> Iterator[list[Pipe]]:
    # Clients must not flush slowly, only the server: they start without the library.
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    with environment({"LD_PRELOAD": ""}):
        for number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(address, fixture, number, theirs))
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


def _work(address: str, fixture: Fixture, number: int, pipe: Pipe) -> None:
    """Run in a worker: do what the pipe asks until it asks for nothing."""
    engine = make_engine(make_url(address))
    chance = random.Random(number)  # noqa: S311 - no secret
    acts: dict[str, tuple[Callable[[], None], int]] = {
        "singly": (partial(_post, engine, fixture, chance, 1), 1),
        "in batches": (partial(_post, engine, fixture, chance, BATCH), BATCH),
        "floor": (_one_row(address, number), 1),
    }
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        mode, seconds = asked
        act, worth = acts[mode]
        pipe.send(rate_of(act, seconds) * worth)


def _post(engine: Any, fixture: Fixture, chance: random.Random, count: int) -> None:
    postings = [
        Posting(
            TxnKind.DEPOSIT,
            f"hot:{new_id()}",
            DAY,
            (debit(fixture.bank, cents := chance.randrange(1, 5_000)), credit(case, cents)),
        )
        for case in chance.sample(fixture.cases, count)
    ]
    with Session(engine) as session, session.begin():
        if count == 1:
            service.post(session, CLERK, postings[0], now=NOW)
        else:
            service.post_many(session, CLERK, postings, now=NOW)


def _one_row(address: str, number: int) -> Callable[[], None]:
    connection = connect(make_url(address))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS bench_row (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT)"
        )
    connection.commit()

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_row (n) VALUES (%s)", (number,))
        connection.commit()

    return insert
