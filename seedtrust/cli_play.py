"""The demo's own processes: the player of journeys and the mail catcher."""

from __future__ import annotations

import mailbox
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from seedtrust.app import create_app, make_tools
from seedtrust.cli import settings_or_exit
from seedtrust.core.permissions import Role
from seedtrust.domain.operations.service import give_up_runs
from seedtrust.domain.outbox.service import free_leases
from seedtrust.ext import in_transaction
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys.cast import PASSWORD, Cast, Login
from seedtrust.journeys.player import Played, Player
from seedtrust.journeys.progress import Progress, write_json, write_progress
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.script import Journey
from seedtrust.journeys.setting import set_up
from seedtrust.journeys.shipped import AFTERWARDS
from seedtrust.settings import Settings


@click.command("demo-play")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True))
def play(folders: tuple[Path, ...]) -> None:
    """Play journeys side by side into the demo's database and write demo.json."""
    settings = settings_or_exit()
    tools = make_tools(settings)
    with create_app(settings).app_context():
        cast = Cast(tools.keyring)
        logins = [
            login.as_json()
            for login in in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        ]
        control = HttpSandboxControl(settings.bank_url, settings.bank_api_key.get_secret_value())
        set_up(tools, control)
        in_transaction(_start_afresh)

        def report(day: date, done: int, total: int) -> None:
            write_progress(settings.data_dir, Progress(done, total, day.isoformat(), logins))

        report(AFTERWARDS, 0, 0)
        player = Player(tools, control, cast, report)
        journeys = [(folder, read_journey(folder / "journey.toml")) for folder in folders]
        player.play([journey for _, journey in journeys], until=AFTERWARDS)
        played = [
            (journey, player.outcome(journey, folder / "ledger.csv"))
            for folder, journey in journeys
        ]
        write_json(settings.data_dir / "demo.json", _summary(settings, logins, played))
    for _, outcome in played:
        click.echo(f"{outcome.name}: {outcome.result}")


def _start_afresh(session: Session) -> None:
    """Take up what a former start of the demo had in hand when it was ended."""
    free_leases(session)
    give_up_runs(session)


def _summary(
    settings: Settings, staff: list[dict[str, str]], played: list[tuple[Journey, Played]]
) -> dict[str, Any]:
    return {
        "base_url": settings.public_base_url,
        "bank_url": settings.bank_url,
        "staff": staff,
        "journeys": {
            outcome.name: {
                "case": outcome.case_ref,
                "logins": [
                    Login(party.email, PASSWORD, Role(party.role).value, party.name, None).as_json()
                    for party in journey.parties
                ],
                "result": outcome.result,
            }
            for journey, outcome in played
        },
    }


@click.command("demo-mail")
@click.option("--port", required=True, type=click.IntRange(1, 65_535))
@click.option("--data", required=True, type=click.Path(path_type=Path, file_okay=False))
def mail(port: int, data: Path) -> None:
    """Catch every mail of the demo into a Maildir folder; nothing leaves the machine."""
    import signal
    import threading

    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Mailbox

    folder = data / "mail"
    mailbox.Maildir(folder, create=True)
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=port)
    controller.start()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    controller.stop()
