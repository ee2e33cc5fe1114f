"""Playing a shipped journey whole: its own database, the simulated bank, and a letterbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.app import create_app, make_tools
from seedtrust.core.clock import SystemClock
from seedtrust.domain.cases.models import Case
from seedtrust.domain.ledger.queries import case_lines
from seedtrust.domain.notices.ports import Mail
from seedtrust.domain.payments.states import CaseRail
from seedtrust.ext import db, in_transaction, reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.jobs.tools import Tools
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.player import Player
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.script import Journey
from seedtrust.journeys.setting import set_up
from seedtrust.journeys.shipped import journey_folders
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import databases


class Letterbox:
    """Keeps every mail instead of sending it."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """Keep one mail."""
        self.mails.append(mail)


@dataclass
class Played:
    """Everything that a played journey leaves behind."""

    app: Flask
    tools: Tools
    journey: Journey
    folder: Path
    player: Player
    letterbox: Letterbox
    bank: RunningBank
    settings: Settings
    url: str

    def read(self, work: Any) -> Any:
        """Read in the application's database."""
        with self.app.app_context():
            return reading(work)

    def lines(self) -> Sequence[Any]:
        """Return the lines of the case's ledger in their order."""
        found: Sequence[Any] = self.read(lines_in)
        return found


def the_case(session: Session) -> Case:
    """Return the only case of the play."""
    return session.execute(select(Case)).scalar_one()


def lines_in(session: Session) -> Sequence[Any]:
    """Return the ledger lines of the only case."""
    return case_lines(session, the_case(session).ledger_account_id, limit=1000)


@contextmanager
def play_shipped(
    name: str, until: date, template: Path, folder: Path, *, rail: CaseRail | None = None
) -> Iterator[Played]:
    """Play a shipped journey and let the calendar run on to a day; end all of it afterwards.

    On its own rail, or on another one.
    """
    shipped = next(found for found in journey_folders() if found.name == name)
    url = databases.copy_of(template, folder / "seedtrust.sqlite3")
    bank_dir = folder / "bank"
    bank = RunningBank(bank_dir, 0, "test-key", scan_seconds=None)
    bank.start()
    settings = Settings.from_env(
        env="test",
        data_dir=folder,
        database_url=url,
        business_clock="database",
        bank_url=bank.url,
        bank_api_key="test-key",
        bank_drop_dir=bank_dir / "drop",
    )
    app = create_app(settings, clock=SystemClock())
    letterbox = Letterbox()
    tools = replace(make_tools(settings), mailer=letterbox)
    control = HttpSandboxControl(bank.url, "test-key")
    journey = read_journey(shipped / "journey.toml")
    if rail is not None:
        journey = replace(journey, rail=rail)
    with app.app_context():
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, control)
        player = Player(tools, control, cast)
        player.play([journey], until=until)
    yield Played(app, tools, journey, shipped, player, letterbox, bank, settings, url)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    bank.stop()
