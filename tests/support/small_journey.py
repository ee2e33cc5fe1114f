"""Plays a small journey in a process of its own, which may end itself at a named place."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from seedtrust.app import create_app, make_tools
from seedtrust.core.failpoints import armed
from seedtrust.domain.notices.ports import Mail
from seedtrust.domain.operations.service import give_up_runs
from seedtrust.domain.outbox.service import free_leases
from seedtrust.ext import in_transaction
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.player import Played, Player
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.setting import set_up
from seedtrust.settings import Settings

FOLDER: Final = Path(__file__).resolve().parents[1] / "journeys" / "data" / "small"
KEY: Final = "test-key"
ENDED_ITSELF: Final = 9


class Letterbox:
    """Keeps every mail instead of sending it."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """Keep one mail."""
        self.mails.append(mail)


def settings_for(folder: Path, url: str, bank_url: str) -> Settings:
    """Return the settings of a play in a folder, with the bank's drop folder in it."""
    return Settings.from_env(
        env="test",
        data_dir=folder,
        database_url=url,
        business_clock="database",
        bank_url=bank_url,
        bank_api_key=KEY,
        bank_drop_dir=folder / "bank" / "drop",
    )


def play(settings: Settings, folder: Path = FOLDER) -> Played:
    """Play a journey, or go on with it, and compare; the caller pushes no context."""
    app = create_app(settings)
    tools = replace(make_tools(settings), mailer=Letterbox())
    control = HttpSandboxControl(settings.bank_url, KEY)
    journey = read_journey(folder / "journey.toml")
    with app.app_context():
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, control)
        in_transaction(free_leases)
        in_transaction(give_up_runs)
        player = Player(tools, control, cast)
        player.play([journey])
        return player.outcome(journey, folder / "ledger.csv")


def _end_at(place: str, times: int, folder: Path) -> None:
    left = [times]

    def pass_or_end() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os._exit(ENDED_ITSELF)

    with ExitStack() as stack:
        if place:
            stack.enter_context(armed(place, pass_or_end))
        settings = settings_for(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
        sys.stdout.write(play(settings, folder).result)


if __name__ == "__main__":
    _end_at(sys.argv[4], int(sys.argv[5]), Path(sys.argv[6]) if sys.argv[6:] else FOLDER)
