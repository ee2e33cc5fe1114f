"""Run a command beside a private MariaDB and a private Redis, and leave nothing behind.

    python scripts/with_services.py -- pytest tests/domain

The command finds SEEDTRUST_TEST_MARIADB_URL and SEEDTRUST_TEST_REDIS_URL in its environment; its
exit code is passed on. Only the standard library is used, and nothing outside a temporary folder.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

LOOPBACK: Final = "127.0.0.1"
USER: Final = "seedtrust"
READY_WITHIN_SECONDS: Final = 60.0
STOPPED_WITHIN_SECONDS: Final = 20.0
ATTEMPTS: Final = 3
ROOM_BYTES: Final = 3 * 1024**3
# Debian keeps servers where an ordinary user's path does not look.
SEARCH_PATH: Final = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])
_PR_SET_PDEATHSIG: Final = 1


class ServiceFailed(Exception):
    """A private server did not start; the message says why and what to do."""


def program(name: str, package: str) -> str:
    """Return the path of a server program, or raise ServiceFailed naming its Debian package."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        message = f"{name} is not installed. Run: apt-get install {package}"
        raise ServiceFailed(message)
    return found


def scratch() -> str | None:
    """Return the folder for temporary data: memory where there is room, since nothing is kept."""
    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made inside it
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        return None
    free = os.statvfs(memory)
    return str(memory) if free.f_bavail * free.f_frsize >= ROOM_BYTES else None


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    # Even a killed test run leaves no server behind; only Linux has this.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server in its own session, so that Ctrl-C reaches the tests first."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"PATH": SEARCH_PATH},
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs yet
        )


def tail_of(log: Path) -> str:
    """Return the last lines of a server's log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def wait_until_ready(
    server: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path, name: str
) -> None:
    """Return once the server answers. Raises ServiceFailed if it ends or stays silent."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if is_ready():
            return
        pause.wait(0.05)
    stop(server)
    message = f"The private {name} did not start. The end of its log:\n{tail_of(log)}"
    raise ServiceFailed(message)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server politely, then by force; its data is thrown away in any case."""
    if server.poll() is not None:
        return
    server.terminate()
    try:
        server.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def as_root() -> list[str]:
    """Return the option that MariaDB asks for before it runs as root."""
    return ["--user=root"] if os.geteuid() == 0 else []


def install_mariadb(folder: Path) -> Path:
    """Create an empty data folder and return it."""
    data = folder / "data"
    command = [
        program("mariadb-install-db", "mariadb-server-core mariadb-client-core"),
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        *as_root(),
    ]
    log = folder / "install.log"
    installer = start(command, log)
    try:
        code = installer.wait()
    finally:
        # Interrupted, it leaves a server at work behind its shell.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(installer.pid, signal.SIGKILL)
    if code != 0:
        message = f"mariadb-install-db failed:\n{tail_of(log)}"
        raise ServiceFailed(message)
    return data


def mariadb_command(folder: Path, data: Path, port: int, password: str) -> list[str]:
    """Return the server's command line: fast and forgetful, otherwise as it comes.

    The isolation level is left alone, because the application has to set it for itself.
    """
    first = folder / "first.sql"
    # A server that starts deletes what it takes for leftovers in this folder: it must be its own.
    scratch_tables = folder / "tmp"
    scratch_tables.mkdir(exist_ok=True)
    first.write_text(
        f"CREATE DATABASE IF NOT EXISTS {USER};\n"
        f"CREATE USER IF NOT EXISTS '{USER}'@'{LOOPBACK}' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'{LOOPBACK}' WITH GRANT OPTION;\n"
    )
    first.chmod(0o600)
    return [
        program("mariadbd", "mariadb-server-core mariadb-client-core"),
        "--no-defaults",
        *as_root(),
        f"--datadir={data}",
        f"--socket={folder / 'sock'}",
        f"--pid-file={folder / 'pid'}",
        f"--tmpdir={scratch_tables}",
        f"--init-file={first}",
        f"--bind-address={LOOPBACK}",
        f"--port={port}",
        "--skip-name-resolve",
        "--skip-log-bin",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        "--max-connections=400",
        "--performance-schema=OFF",
        "--innodb-buffer-pool-size=256M",
        "--innodb-log-file-size=64M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--innodb-fast-shutdown=2",
    ]


def mariadb_answers(port: int) -> Callable[[], bool]:
    """Return a probe that is true once the server greets on its port."""

    def greets() -> bool:
        try:
            with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
                return bool(connection.recv(1))
        except OSError:
            return False

    return greets


@contextlib.contextmanager
def mariadb(folder: Path, options: Sequence[str] = ()) -> Iterator[str]:
    """Run a private MariaDB while the block lasts and give its address; `options` come last."""
    folder.mkdir()
    data = install_mariadb(folder)
    log = folder / "log"
    password = secrets.token_urlsafe(16)

    def begin() -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        server = start([*mariadb_command(folder, data, port, password), *options], log)
        wait_until_ready(server, mariadb_answers(port), log, "MariaDB")
        return server, port

    server, port = _with_another_port(begin)
    try:
        yield f"mysql+pymysql://{USER}:{password}@{LOOPBACK}:{port}/{USER}?charset=utf8mb4"
    finally:
        stop(server)


def redis_answers(port: int) -> Callable[[], bool]:
    """Return a probe that is true once the server answers a ping."""

    def pongs() -> bool:
        try:
            with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    return pongs


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a private Redis while the block lasts and give its address."""
    folder.mkdir()
    log = folder / "log"
    server_program = program("redis-server", "redis-server")

    def begin() -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        options = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(folder), "--save", ""]
        server = start([server_program, *options, "--appendonly", "no"], log)
        wait_until_ready(server, redis_answers(port), log, "Redis")
        return server, port

    server, port = _with_another_port(begin)
    try:
        yield f"redis://{LOOPBACK}:{port}/0"
    finally:
        stop(server)


def _with_another_port(
    begin: Callable[[], tuple[subprocess.Popen[bytes], int]],
) -> tuple[subprocess.Popen[bytes], int]:
    # Somebody may take the port between our asking and the server's binding.
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(ServiceFailed):
            return begin()
    return begin()


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command, pass on what would end us, and return its exit code."""
    child = subprocess.Popen(
        command,
        env=os.environ | environment,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs yet
    )

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT and child.poll() is None:
            child.send_signal(number)

    # Ctrl-C reaches the child by itself, through the terminal.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    code = child.wait()
    return code if code >= 0 else 128 - code


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the servers, run the command, stop the servers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", nargs="+", help="the command and its arguments, after --")
    command: list[str] = parser.parse_args(arguments).command
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with (
            tempfile.TemporaryDirectory(
                prefix="seedtrust-", dir=scratch(), ignore_cleanup_errors=True
            ) as name,
            mariadb(Path(name) / "mariadb") as mariadb_url,
            redis(Path(name) / "redis") as redis_url,
        ):
            return run(
                command,
                {
                    "SEEDTRUST_TEST_MARIADB_URL": mariadb_url,
                    "SEEDTRUST_TEST_REDIS_URL": redis_url,
                    # The databases of tests on SQLite lie in pytest's temporary folder.
                    "PYTEST_DEBUG_TEMPROOT": name,
                },
            )
    except ServiceFailed as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
