"""The simulated bank in a process of its own, which no death of a worker touches."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from seedtrust.gateways.bank import FileDropBank, HttpSandboxControl
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.gateways.guards import Limits
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import load_profile
from seedtrust.sandbox import RunningBank
from tests.kills.world import API_KEY


class BankProcess:
    """A running bank: its address, the adapter that speaks to it, and the strings that move it."""

    def __init__(self, url: str, drop: Path) -> None:
        """Take where the bank listens and its folder."""
        timeouts = LineTimeouts(connect_seconds=10.0, read_seconds=60.0)
        self.url, self.drop = url, drop
        # The kills of a round come faster than a bank would like to be called.
        limits = Limits(calls_per_second=10_000, burst=10_000)
        self.bank = FileDropBank(url, API_KEY, drop, timeouts, limits=limits)
        self.by_interface = _by_interface(url)
        self.control = HttpSandboxControl(url, API_KEY)

    def switch(self, settings: Mapping[str, object]) -> None:
        """Turn switches of the bank; one without keys promises none either."""
        if settings:
            keyed = settings.get("idempotent_payments", True) is True
            self.by_interface = _by_interface(self.url, recognises_repeats=keyed)
            headers = {"Authorization": f"Bearer {API_KEY}"}
            url = f"{self.url}/sim/settings"
            requests.put(url, json=settings, headers=headers, timeout=60).raise_for_status()


def _by_interface(url: str, *, recognises_repeats: bool = True) -> HuntingtonBank:
    profile = load_profile("neutral")
    promises = profile.promises.model_copy(update={"recognises_repeats": recognises_repeats})
    limits = profile.limits.model_copy(update={"calls_per_second": 10_000, "burst": 10_000})
    return HuntingtonBank(
        url,
        Client("seedtrust", API_KEY),
        profile.model_copy(update={"promises": promises, "limits": limits}),
        timeouts=LineTimeouts(10.0, 60.0),
    )


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
