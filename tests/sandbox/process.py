"""The sandbox bank as a process of its own, which a test may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests

from tests.sandbox.support import API_KEY
from tests.support.processes import wait_until


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
    address = f"http://127.0.0.1:{port}/v1/health"

    def answers() -> bool:
        assert process.poll() is None, "the bank ended before it answered"
        try:
            requests.get(address, timeout=30)
        except requests.ConnectionError:
            return False
        return True

    wait_until(answers, "the bank's start")
    return process
