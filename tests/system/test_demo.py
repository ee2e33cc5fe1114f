"""The demo as its visitor meets it: one command, a page, a played journey, and a clean end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests
from sqlalchemy import text

from seedtrust.core.clock import business_date
from seedtrust.core.db import make_engine
from tests.support import books, small_journey
from tests.support.processes import children_of, mentioning, running, wait_until
from tests.support.services import free_port
from tests.support.source import ROOT

PLAY_SECONDS = 300.0


@dataclass
class Demo:
    """One start of the demo."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    mark: str

    @property
    def url(self) -> str:
        """Return where it serves."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """Return what it has printed."""
        return (self.data.parent / "demo.log").read_text(encoding="utf-8")

    def is_usable(self) -> bool:
        """Tell whether the sign-in page opens."""
        try:
            return requests.get(f"{self.url}/admin/sign-in", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def summary(self) -> dict[str, Any]:
        """Wait for demo.json and return it."""
        path = self.data / "demo.json"
        wait_until(path.exists, "demo.json", PLAY_SECONDS)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def child(self, word: str) -> int | None:
        """Return the process id of the child that runs one command."""
        return next(
            (
                pid
                for pid, line in children_of(self.process.pid).items()
                if f"seedtrust.cli {word}" in line
            ),
            None,
        )

    def stop(self) -> int:
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@contextmanager
def started(data: Path) -> Iterator[Demo]:
    """Start the demo with the small journey; whatever happens, nothing of it is left."""
    port = free_port()
    mark = f"DEMO_OF_{port}"
    arguments = ["demo", "--journeys", str(small_journey.FOLDER), "--no-browser"]
    arguments += ["--port", str(port), "--data", str(data)]
    with running(arguments, data.parent / "demo.log", {mark: "yes"}) as process:
        demo = Demo(process, port, data, mark)
        wait_until(demo.is_usable, "the page")
        yield demo
    wait_until(lambda: not mentioning(mark), "the end of every process")


def _business_day(data: Path) -> str:
    engine = make_engine(f"sqlite:///{data / 'seedtrust.db'}")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT business_now_at FROM business_clocks")).scalar()
    engine.dispose()
    from datetime import UTC, datetime

    at = found if isinstance(found, datetime) else datetime.fromisoformat(str(found))
    return business_date(at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def _messages_followed(data: Path) -> int:
    """Return how many messages the bank brought by itself, and the worker has followed."""
    engine = make_engine(f"sqlite:///{data / 'seedtrust.db'}")
    followed = text(
        "SELECT count(*) FROM bank_inbox WHERE source = 'webhook.huntington' "
        "AND applied_at IS NOT NULL"
    )
    with engine.connect() as connection:
        count = connection.execute(followed).scalar_one()
    engine.dispose()
    return int(count)


def _sign_in_to_the_pages(demo: Demo, login: dict[str, str]) -> requests.Response:
    with requests.Session() as browser:
        form = {"email": login["email"], "password": login["password"]}
        _submit(browser, f"{demo.url}/admin/sign-in", form)
        code = pyotp.TOTP(login["totp_secret"]).now()
        return _submit(browser, f"{demo.url}/admin/sign-in/code", {"code": code})


def _submit(browser: requests.Session, url: str, form: dict[str, str]) -> requests.Response:
    page = browser.get(url, timeout=30)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None, page.text[:500]
    return browser.post(url, data={"csrf_token": token[1], **form}, timeout=30)


def _sign_in_to_the_api(demo: Demo, login: dict[str, str]) -> str:
    body = {
        "grant_type": "password",
        "username": login["email"],
        "password": login["password"],
    }
    answer = requests.post(f"{demo.url}/api/v1/auth/token", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_the_demo_from_the_first_start_to_the_second(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as demo:
        first = demo.summary()
        _has_the_promised_shape(demo, first)
        journey = first["journeys"]["small"]
        assert journey["result"] == "equal"
        assert _business_day(data) == "2026-07-06"
        _both_doors_open(demo, first, journey)
        wait_until(lambda: _messages_followed(data) > 0, "a message that the bank brought")
        _what_is_killed_comes_back(demo)
        assert demo.stop() == 0
        assert not mentioning(demo.mark)
        assert "Journey small: equal" in demo.log
    assert books.faults(f"sqlite:///{data / 'seedtrust.db'}") == []
    with started(data) as again:
        second = again.summary()
        assert second["journeys"]["small"]["case"] == journey["case"]
        assert second["journeys"]["small"]["result"] == "equal"
        assert second["staff"] == first["staff"]
        assert _business_day(data) == "2026-07-06"
        # A power cut of the parent alone: the children notice and go.
        os.kill(again.process.pid, signal.SIGKILL)
        wait_until(lambda: not mentioning(again.mark), "the children to follow their parent")


def _has_the_promised_shape(demo: Demo, summary: dict[str, Any]) -> None:
    assert set(summary) == {"base_url", "bank_url", "staff", "journeys"}
    assert summary["base_url"] == demo.url
    assert summary["bank_url"].startswith("http://127.0.0.1:")
    assert set(summary["journeys"]) == {"small"}
    journey = summary["journeys"]["small"]
    assert set(journey) == {"case", "logins", "result"}
    assert len(journey["logins"]) == 5
    roles = [login["role"] for login in summary["staff"]]
    for role in ("escrow_specialist", "payments_specialist", "payments_lead", "controller"):
        assert roles.count(role) == 2
    for login in summary["staff"]:
        assert {"email", "password", "role", "totp_secret"} <= set(login)
    for login in journey["logins"]:
        assert {"email", "password", "role"} <= set(login)


def _both_doors_open(demo: Demo, summary: dict[str, Any], journey: dict[str, Any]) -> None:
    lead = next(login for login in summary["staff"] if login["role"] == "payments_lead")
    page = _sign_in_to_the_pages(demo, lead)
    assert page.status_code == 200
    assert "/admin/sign-in" not in page.url
    parent = next(login for login in journey["logins"] if login["role"] == "intended_parent")
    token = _sign_in_to_the_api(demo, parent)
    lines = requests.get(
        f"{demo.url}/api/v1/cases/{journey['case']}/ledger",
        headers={"Authorization": f"Bearer {token}"},
        params={"limit": 100},
        timeout=30,
    )
    assert lines.status_code == 200, lines.text
    assert '"balance_cents"' in lines.text


def _what_is_killed_comes_back(demo: Demo) -> None:
    for word in ("web", "worker"):
        before = demo.child(word)
        assert before is not None, word
        os.kill(before, signal.SIGKILL)

        def is_back(dead: int = before, name: str = word) -> bool:
            return demo.child(name) not in {None, dead}

        wait_until(is_back, f"a new {word}")
    wait_until(demo.is_usable, "the page after a kill")


def _refusal(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seedtrust.cli", "demo", "--no-browser", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def journey(tmp_path: Path) -> Path:
    """Return a copy of the small journey that a test may break."""
    return shutil.copytree(small_journey.FOLDER, tmp_path / "journeys" / "mine")


def test_a_broken_journey_is_refused_before_anything_starts(tmp_path: Path, journey: Path) -> None:
    path = journey / "journey.toml"
    path.write_text(path.read_text().replace('amount = "500.00"', 'amount = "1e3"', 1))
    data = tmp_path / "data"
    ended = _refusal("--journeys", str(journey.parent), "--data", str(data))
    assert ended.returncode == 2
    assert re.search(r"journey\.toml: line \d+: .*1e3.* is not an amount", ended.stderr)
    assert not data.exists()


def test_two_journeys_of_one_number_are_refused(tmp_path: Path, journey: Path) -> None:
    shutil.copytree(journey, journey.parent / "other")
    ended = _refusal("--journeys", str(journey.parent), "--data", str(tmp_path / "data"))
    assert ended.returncode == 2
    assert "the number 200417 is taken by" in ended.stderr


def test_a_journey_with_the_number_of_a_drawn_one_is_refused(tmp_path: Path, journey: Path) -> None:
    path = journey / "journey.toml"
    path.write_text(path.read_text().replace("number = 200417", "number = 300700", 1))
    data = tmp_path / "data"
    more = ("--more", "1", "--seed", "7")
    ended = _refusal("--journeys", str(journey.parent), "--data", str(data), *more)
    assert ended.returncode == 2
    assert "the number 300700 is taken by" in ended.stderr
    assert not (data / "seedtrust.db").exists()


def test_the_help_says_how_many_journeys_are_drawn() -> None:
    told = " ".join(_refusal("--help").stdout.split())
    assert "20 without --journeys, none with it" in told


def test_a_folder_without_a_journey_is_refused(tmp_path: Path) -> None:
    ended = _refusal("--journeys", str(tmp_path), "--data", str(tmp_path / "data"))
    assert ended.returncode == 2
    assert "There is no journey in" in ended.stderr


def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = _refusal("--port", str(port), "--data", str(tmp_path / "data"))
    assert ended.returncode == 2
    assert ended.stderr.strip() == f"Port {port} is taken. Choose another with --port."
    assert not (tmp_path / "data").exists()
