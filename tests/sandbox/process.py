"""The sandbox bank as a process of its own, which a test may kill."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import requests

from tests.sandbox.support import API_KEY


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_process(
    folder: Path, port: int, *, dies_on: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a bank and wait until it answers; it may be one that dies when a day is reached."""
    program = ["seedtrust.cli", "sandbox-bank"]
    if dies_on is not None:
        program = ["tests.sandbox.dying_bank", dies_on]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", *program),
            *("--port", str(port), "--data", str(folder)),
        ],
        env=os.environ | {"SEEDTRUST_SANDBOX_BANK_KEY": API_KEY},
        stdout=subprocess.PIPE,
    )
    pause = threading.Event()
    for _ in range(200):
        try:
            requests.get(f"http://127.0.0.1:{port}/v1/health", timeout=5)
        except requests.ConnectionError:
            pause.wait(0.05)
        else:
            return process
    message = "the bank did not start"
    raise AssertionError(message)
