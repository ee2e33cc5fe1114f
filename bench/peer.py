"""How postings compare with those of another library for double entry, django-hordak.

The library is no part of the product: the bench installs it into an environment of its own and
talks to its processes by pipes. It keeps no balance row, no key, no running balance and no limit,
so it does less for each transfer than the books do. Where it cannot be installed, as without a
network, the bench says so and goes on.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from bench.ledger import database, line, prepare, round_of, workers
from seedtrust.core.db import make_engine

Line = dict[str, object]
Process = subprocess.Popen[str]

PEER: Final = ("django-hordak==2.0.0", "Django==5.2.*", "PyMySQL>=1.1,<2", "cryptography")
_NAME: Final = "bench_peer"
_WORKER: Final = Path(__file__).with_name("hordak_worker.py")


def run(quick: bool, mariadb_url: str) -> list[Line]:  # noqa: FBT001 - the benches' contract
    """Measure single postings of both, alternating, at one and at four connections."""
    python = installed()
    if python is None:
        return []
    rounds, seconds = (3, 1.0) if quick else (5, 2.0)
    lines = []
    with database(mariadb_url) as url, _database(mariadb_url) as peer_url:
        fixture = prepare(url, accounts=2_000)
        _prepare(python, peer_url)
        for connections in (1, 4):
            ours, theirs = [], []
            with (
                workers(url, fixture, connections) as pipes,
                _processes(python, peer_url, connections) as processes,
            ):
                round_of(pipes, "posting", seconds / 2)
                _round(processes, seconds / 2)
                for _ in range(rounds):
                    ours.append(round_of(pipes, "posting", seconds))
                    theirs.append(_round(processes, seconds))
            name = f"{connections} connection" + ("s" if connections > 1 else "")
            beside = ("transfers of django-hordak", theirs)
            lines.append(line(f"one posting, {name}", "postings/s", ours, beside))
    return lines


def installed() -> Path | None:
    """Return the Python that has the library, after installing it; None if that fails."""
    place = Path(sys.prefix) / "peer"
    python, done = place / "bin" / "python", place / "done"
    if done.exists() and done.read_text() == repr(PEER):
        return python
    venv.create(place, clear=True, with_pip=True)
    try:
        subprocess.run([python, "-m", "pip", "install", "-qq", *PEER], check=True)
    except subprocess.CalledProcessError:
        print("django-hordak cannot be installed here; its lines are left out.", file=sys.stderr)
        return None
    done.write_text(repr(PEER))
    return python


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    server = make_engine(make_url(server_url))
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {_NAME}"))
        connection.execute(text(f"CREATE DATABASE {_NAME} CHARACTER SET utf8mb4"))
    try:
        url: URL = make_url(server_url).set(database=_NAME, query={})
        yield url.render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {_NAME}"))
        server.dispose()


def _prepare(python: Path, address: str) -> None:
    subprocess.run([python, _WORKER, "prepare"], input=f"{address}\n", text=True, check=True)


@contextmanager
def _processes(python: Path, address: str, count: int) -> Iterator[list[Process]]:
    processes = [
        subprocess.Popen(
            [python, _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            _say(process, address)
        for process in processes:
            _hear(process)
        yield processes
    finally:
        for process in processes:
            process.communicate()


def _round(processes: list[Process], seconds: float) -> float:
    """Have all processes post for some seconds; return how many per second together."""
    for process in processes:
        _say(process, str(seconds))
    return sum(float(_hear(process)) for process in processes)


def _say(process: Process, words: str) -> None:
    if process.stdin is not None:
        process.stdin.write(f"{words}\n")
        process.stdin.flush()


def _hear(process: Process) -> str:
    heard = "" if process.stdout is None else process.stdout.readline()
    if not heard:
        message = "a process of django-hordak ended early"
        raise RuntimeError(message)
    return heard.strip()
