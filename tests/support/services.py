"""The private MariaDB and Redis of a test run, which scripts/with_services.py starts."""

from __future__ import annotations

import os
import socket
from typing import Final

import pytest

MARIADB: Final = "SEEDTRUST_TEST_MARIADB_URL"
REDIS: Final = "SEEDTRUST_TEST_REDIS_URL"
_HOW: Final = "run it as `scripts/run_tests.sh PATH`, or everything as `make test`"
# Redis has sixteen numbered databases: one for each worker of a run, the last for none.
_ALONE: Final = 15


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
    """Return a port of this machine that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
