"""Chromium at the real pages: one played journey per run, one copy of it per test that acts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Seat, World, prepare, served, take_seat
from tests.support.source import ROOT

OUTPUT: Final = ROOT / "tests" / "output"
TakeSeat = Callable[..., Seat]
_REPORTS: Final = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep how the test itself ended, so that the fixture of the windows can tell."""
    report = yield
    if report.when == "call":
        item.stash[_REPORTS] = report
    return report


@pytest.fixture(scope="session")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the journey played to its middle; to be copied, never opened."""
    return prepare(sqlite_template, tmp_path_factory.mktemp("middle"))


@pytest.fixture
def world(prepared: Path, tmp_path: Path) -> Iterator[World]:
    """Give the pages, the bank and the worker over a copy of the played data."""
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    with served(folder) as world:
        yield world


@pytest.fixture
def seat(request: pytest.FixtureRequest, world: World, chromium: Browser) -> Iterator[TakeSeat]:
    """Give a way to seat somebody, signed in, at a window; pictures are kept after a failure."""
    taken: list[Seat] = []

    def take(key: str) -> Seat:
        found = take_seat(chromium, world, key)
        taken.append(found)
        found.sign_in()
        return found

    yield take
    report = request.node.stash.get(_REPORTS, None)
    for number, one in enumerate(taken, start=1):
        if report is not None and report.failed:
            photograph(one, f"{request.node.name}-{number}-{one.key}")
        one.context.close()


def photograph(seat: Seat, name: str) -> None:
    """Keep a picture of a window for whoever looks into a failure."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^\w-]+", "-", name)
    seat.page.screenshot(path=OUTPUT / f"{plain}.png", full_page=True)
