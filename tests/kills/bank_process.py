"""The simulated bank in a process of its own, which no death of a worker touches."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from seedtrust.gateways.bank import FileDropBank, HttpSandboxControl, Timeouts
from seedtrust.sandbox import RunningBank
from tests.kills.world import API_KEY


class BankProcess:
    """A running bank: its address, the adapter that speaks to it, and the strings that move it."""

    def __init__(self, url: str, drop: Path) -> None:
        """Take where the bank listens and its folder."""
        timeouts = Timeouts(connect_seconds=10.0, read_seconds=60.0)
        self.url, self.drop = url, drop
        self.bank = FileDropBank(url, API_KEY, drop, timeouts)
        self.control = HttpSandboxControl(url, API_KEY)

    def switch(self, settings: Mapping[str, object]) -> None:
        """Turn switches of the bank."""
        if settings:
            headers = {"Authorization": f"Bearer {API_KEY}"}
            url = f"{self.url}/sim/settings"
            requests.put(url, json=settings, headers=headers, timeout=60).raise_for_status()


@contextmanager
def bank_process(bank_dir: Path) -> Iterator[BankProcess]:
    """Run a bank on a folder in a forked process for as long as the block lasts."""
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(told)
            _serve(bank_dir, telling)
        finally:
            os._exit(1)
    os.close(telling)
    try:
        with os.fdopen(told) as pipe:
            port = pipe.readline().strip()
        assert port, "the bank's process ended before it listened"
        yield BankProcess(f"http://127.0.0.1:{port}", bank_dir / "drop")
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _serve(bank_dir: Path, telling: int) -> None:
    running = RunningBank(bank_dir, 0, API_KEY, scan_seconds=None)
    running.start()
    os.write(telling, f"{running.port}\n".encode())
    os.close(telling)
    signal.pause()
