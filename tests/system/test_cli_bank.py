"""Subscribing to a bank's events from a shell, at the bank simulator on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seedtrust.cli import main
from seedtrust.core import migrations
from seedtrust.sandbox import RunningBank
from seedtrust.settings import Settings

HOOK = "https://escrow.example/webhooks/bank/huntington"


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBank]:
    """Start a bank and migrate a demo that knows where it is."""
    bank = RunningBank(tmp_path / "bank", 0, "test-key", scan_seconds=None)
    bank.start()
    monkeypatch.setenv("SEEDTRUST_BANK_URL", bank.url)
    monkeypatch.setenv("SEEDTRUST_BANK_API_KEY", "test-key")
    migrations.upgrade(Settings.from_env(data_dir=tmp_path).database_url.get_secret_value())
    yield bank
    bank.stop()


def subscribe(data: Path, *words: str) -> Result:
    """Say it in a shell."""
    return CliRunner().invoke(main, ["bank", "subscribe", "--data", str(data), *words])


def test_it_is_said_once_and_again_changes_nothing(running: RunningBank, tmp_path: Path) -> None:
    assert running.url
    first = subscribe(tmp_path, "--url", HOOK)
    assert (first.exit_code, first.output) == (0, f"The bank brings its events to {HOOK}.\n")
    again = subscribe(tmp_path, "--url", HOOK)
    assert (again.exit_code, again.output) == (
        0,
        f"The bank brings its events already to {HOOK}.\n",
    )
    changed = subscribe(tmp_path, "--url", HOOK, "--new-secret")
    assert (changed.exit_code, changed.output) == (0, first.output)
    assert "whsec_" not in first.output + again.output + changed.output


def test_an_address_that_no_bank_reaches_is_refused(running: RunningBank, tmp_path: Path) -> None:
    assert running.url
    refused = subscribe(tmp_path, "--url", "http://escrow.example/hook")
    assert refused.exit_code == 1
    assert "Give an https address." in refused.output


def test_a_bank_that_is_gone_is_told_in_a_sentence(
    running: RunningBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDTRUST_BANK_INTERFACE_URL", f"{running.url}1")
    refused = subscribe(tmp_path, "--url", HOOK)
    assert (refused.exit_code, refused.output) == (1, "The bank cannot be reached.\n")
