"""The parent of several processes: restarts what dies, and takes all of them with it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedtrust.core import lifeline
from seedtrust.supervisor import Child, Supervisor
from tests.support.processes import children_of, mentioning, running, wait_until
from tests.support.services import free_port

# Notes that it was started, then waits to be ended.
NOTE_AND_WAIT = """
import os, pathlib, sys, threading
path = pathlib.Path(sys.argv[1])
with path.open("a") as notes:
    notes.write(f"{os.getpid()}\\n")
threading.Event().wait(600)
"""


def _pids(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


@pytest.fixture
def waiting(tmp_path: Path) -> Child:
    """Return a child that notes its process id and waits."""
    notes = tmp_path / "notes"
    return Child("waiting", [sys.executable, "-c", NOTE_AND_WAIT, str(notes)], {"A_TEST": "yes"})


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_dies_is_started_again_and_all_end_with_the_block(
    tmp_path: Path, waiting: Child
) -> None:
    notes = tmp_path / "notes"
    with Supervisor([waiting], tmp_path / "logs") as supervisor:
        wait_until(lambda: len(_pids(notes)) == 1, "the first start")
        os.kill(_pids(notes)[0], signal.SIGKILL)
        wait_until(lambda: len(_pids(notes)) == 2, "the second start")
        assert supervisor.is_running
    assert not set(_pids(notes)) & set(children_of(os.getpid()))


def test_what_ends_by_itself_with_success_stays_ended(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    program = f"open({str(path)!r}, 'a').write('1 ')"
    child = Child("short", [sys.executable, "-c", program], ends_by_itself=True)
    with Supervisor([child], tmp_path / "logs") as supervisor:
        wait_until(lambda: _pids(path), "the run")
        supervisor.pause(1.5)  # longer than the pause before a restart
    assert _pids(path) == [1]


def test_a_signal_ends_the_waiting(tmp_path: Path, waiting: Child) -> None:
    # A browser of an earlier test may be this process's child for the whole run.
    before = set(children_of(os.getpid()))
    with Supervisor([waiting], tmp_path / "logs") as supervisor:
        wait_until(lambda: _pids(tmp_path / "notes"), "the start")
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: not supervisor.is_running, "the end")
        assert not supervisor.wait_until(lambda: True, seconds=5)
    assert set(children_of(os.getpid())) <= before


def test_nobody_without_a_parent_has_a_lifeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(lifeline.VARIABLE, raising=False)
    before = threading.active_count()
    assert not lifeline.hold()
    assert threading.active_count() == before


def test_a_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    port = free_port()
    arguments = ["demo-mail", "--port", str(port), "--data", str(tmp_path)]
    mark = f"PARENT_OF_{port}"
    environment = {lifeline.VARIABLE: str(reading), mark: "yes"}
    with running(arguments, tmp_path / "log", environment, keep=(reading,)) as child:
        os.close(reading)
        wait_until((tmp_path / "mail").exists, "the start")
        assert child.pid in mentioning(mark)
        os.close(writing)
        wait_until(lambda: child.poll() is not None, "the end")
    assert not mentioning(mark)
