"""The house as real processes: servers, web, worker and beat; each killed, each started again."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from sqlalchemy.exc import DBAPIError

from scripts import with_services as services
from tests.kills.bank_process import BankProcess
from tests.kills.world import API_KEY
from tests.support.processes import kill, wait_until
from tests.support.services import free_port
from tests.support.source import ROOT

LOOPBACK: Final = services.LOOPBACK


@dataclass
class Kept:
    """One process that is started again each time it is gone."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a group of its own, unless it lives."""
        if self.process is not None and self.process.poll() is None:
            return
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, "PATH": services.SEARCH_PATH, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it and all it has started at once, as a power cut does."""
        if self.process is not None:
            kill(self.process)


class Servers:
    """A MariaDB that keeps what it has acknowledged, and a Redis that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        """Make an empty data folder; nothing runs yet."""
        folder.mkdir()
        data = services.install_mariadb(folder)
        self._port, self._redis_port, password = free_port(), free_port(), secrets.token_hex(8)
        command = services.mariadb_command(folder, data, self._port, password)
        # A commit that was acknowledged outlives the server's death.
        command += ["--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1"]
        self.mariadb = Kept("mariadb", command, folder / "mariadb.log")
        redis = [services.program("redis-server", "redis-server"), "--bind", LOOPBACK]
        options = ["--port", str(self._redis_port), "--save", "", "--dir", str(folder)]
        self.redis = Kept("redis", [*redis, *options, "--appendonly", "no"], folder / "redis.log")
        self.database_url = (
            f"mysql+pymysql://{services.USER}:{password}@{LOOPBACK}:{self._port}/{services.USER}"
            "?charset=utf8mb4"
        )
        self.redis_url = f"redis://{LOOPBACK}:{self._redis_port}/0"

    def start(self) -> None:
        """Start both and wait until they answer."""
        for kept in (self.mariadb, self.redis):
            kept.start()
        wait_until(services.mariadb_answers(self._port), "MariaDB")
        wait_until(services.redis_answers(self._redis_port), "Redis")


class _PostOffice:
    """Takes mails and forgets them."""

    async def handle_DATA(  # noqa: N802 - the name that the server library calls
        self, _server: Any, _session: Any, _envelope: Any
    ) -> str:
        """Take one."""
        return "250 OK"


@contextmanager
def house(folder: Path, servers: Servers, bank: BankProcess, port: int) -> Iterator[list[Kept]]:
    """Give web, worker and beat with their settings; whatever runs at the end is ended."""
    mail = Controller(_PostOffice(), hostname=LOOPBACK, port=free_port())
    key, index_key = (base64.b64encode(raw).decode() for raw in (_FIELD_KEY, _INDEX_KEY))
    environment = {
        "SEEDTRUST_ENV": "test",
        "SEEDTRUST_DATA_DIR": str(folder / "data"),
        "SEEDTRUST_DATABASE_URL": servers.database_url,
        "SEEDTRUST_REDIS_URL": servers.redis_url,
        "SEEDTRUST_SMTP_URL": f"smtp://{LOOPBACK}:{mail.port}",
        "SEEDTRUST_BANK_URL": bank.url,
        "SEEDTRUST_BANK_API_KEY": API_KEY,
        "SEEDTRUST_BANK_DROP_DIR": str(bank.drop),
        "SEEDTRUST_BUSINESS_CLOCK": "database",
        "SEEDTRUST_FIELD_KEYS": f"k1:{key}",
        "SEEDTRUST_INDEX_KEY": index_key,
    }
    seedtrust = [sys.executable, "-m", "seedtrust.cli"]
    commands = {
        "worker": ["worker", "--concurrency", "2"],
        "beat": ["beat"],
        "web": ["web", "--port", str(port), "--workers", "1"],
    }
    kept = [
        Kept(name, [*seedtrust, *arguments], folder / f"{name}.log", environment)
        for name, arguments in commands.items()
    ]
    with ExitStack() as stack:
        mail.start()
        stack.callback(mail.stop, no_assert=True)
        for one in kept:
            stack.callback(one.kill)
        yield kept


def seen(look: Callable[[], object]) -> Callable[[], object]:
    """Return the same look into the database, which is false while the server is away."""

    def patient() -> object:
        try:
            return look()
        except DBAPIError:
            return False

    return patient


# Those of tests.factories.payment_world.KEYRING: the processes open what the world has sealed.
_FIELD_KEY: Final = bytes(range(32))
_INDEX_KEY: Final = bytes(range(32, 64))
