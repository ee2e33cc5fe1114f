"""The private MariaDB and Redis of a test run, which scripts/with_services.py starts."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from typing import Final

import pytest

MARIADB: Final = "SEEDTRUST_TEST_MARIADB_URL"
REDIS: Final = "SEEDTRUST_TEST_REDIS_URL"
_HOW: Final = "run it as `scripts/run_tests.sh PATH`, or everything as `make test`"
# Redis has sixteen numbered databases: one for each worker of a run, the last for none.
_ALONE: Final = 15
_FIRST_PORT: Final = 12_000
_PORTS_EACH: Final = 1_200
_taken = itertools.count()


def worker() -> str:
    """Return this process's name within a parallel run: gw0, gw1, or main."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def mariadb_url() -> str:
    """Return the server's address, or skip with the reason; in CI a missing server is a failure."""
    return _address(MARIADB, "MariaDB")


def redis_url() -> str:
    """Return the address of this worker's own Redis database, or skip with the reason."""
    base = _address(REDIS, "Redis").rpartition("/")[0]
    name = worker()
    number = int(name.removeprefix("gw")) if name.startswith("gw") else _ALONE
    return f"{base}/{number}"


def _address(variable: str, server: str) -> str:
    url = os.environ.get(variable)
    if url:
        return url
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {server}: {variable} is not set; {_HOW}")
    pytest.skip(f"needs the private {server}; {_HOW}")


def free_port() -> int:
    """Return a port of this machine that nobody listens on, and that nobody is given by chance.

    Each worker of a run has some hundred ports of its own, below those that the system gives to
    whoever asks for any: none of them is gone before its server listens.
    """
    name = worker()
    first = _FIRST_PORT + _PORTS_EACH * (int(name[2:]) if name.startswith("gw") else _ALONE)
    for _ in range(_PORTS_EACH):
        number = first + (os.getpid() + next(_taken)) % _PORTS_EACH
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do, which may listen where a connection of the past still fades away.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", number))
            return number
    message = "every port of this worker is taken"
    raise AssertionError(message)
