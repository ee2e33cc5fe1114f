"""The demo: every process of the product on one machine, with journeys played on start."""

from __future__ import annotations

import json
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from seedtrust.cli import settings_or_exit
from seedtrust.core.migrations import upgrade
from seedtrust.ext import LANES
from seedtrust.journeys import generated
from seedtrust.journeys.cast import PASSWORD
from seedtrust.journeys.progress import read_progress
from seedtrust.journeys.reader import JourneyRefused, read_journey
from seedtrust.journeys.shipped import journey_folders
from seedtrust.settings import Settings
from seedtrust.supervisor import Child, Supervisor

_MORE: Final = 20


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Folder of the demo's data; kept, so that the next start goes on where this one ended.",
)
@click.option(
    "--journeys",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder whose sub-folders each hold a journey.toml; the shipped ones without it.",
)
@click.option(
    "--more",
    type=click.IntRange(0, generated.MOST_JOURNEYS),
    help=f"Further journeys, drawn from a seed and played beside the others; {_MORE} without "
    "--journeys, none with it.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, generated.SEEDS - 1),
    help="What the further journeys are drawn from.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def demo(
    *, port: int, data: Path, journeys: Path | None, more: int | None, seed: int, no_browser: bool
) -> None:
    """Run everything on this machine, with sample journeys; Ctrl-C ends it."""
    console = Console(stderr=False)
    folders = _found(journeys)
    if more is None:
        more = _MORE if journeys is None else 0
    _require_free(port)
    environment = _environment(port, data)
    os.environ.update(environment)
    settings = settings_or_exit(data)
    if more:
        folders = [*folders, *_drawn(settings, seed, more)]
        _check(folders)
    upgrade(settings.database_url.get_secret_value())
    # What a former start has written is not true of this one until the player says so.
    (settings.data_dir / "demo.json").unlink(missing_ok=True)
    url = environment["SEEDTRUST_PUBLIC_BASE_URL"]
    supervisor = Supervisor(_children(port, settings, folders), settings.data_dir / "logs")
    with supervisor:
        is_up = supervisor.wait_for(f"{url}/health/ready", seconds=60)
        if not is_up and supervisor.is_running:
            console.print(f"The pages did not come up; look into {settings.data_dir / 'logs'}.")
            raise SystemExit(1)
        if is_up:
            _welcome(console, url, settings, supervisor)
        if is_up and not no_browser and sys.stdout.isatty():
            webbrowser.open(f"{url}/admin")
        _watch(console, settings, supervisor, len(folders))
    console.print("Stopped. Nothing is left running; start again to go on with the same data.")


def _found(folder: Path | None) -> Sequence[Path]:
    """Return the folders of the journeys, all read and found good before anything starts."""
    folders = journey_folders(folder)
    if not folders:
        click.echo(f"There is no journey in {folder}; each needs a journey.toml.", err=True)
        raise SystemExit(2)
    _check(folders)
    return folders


def _check(folders: Sequence[Path]) -> None:
    """Read every journey; a broken one ends the command, and so do two with one name or number."""
    faults = []
    seen: dict[str, Path] = {}
    for found in folders:
        path = found / "journey.toml"
        try:
            journey = read_journey(path)
        except JourneyRefused as refused:
            faults.append(str(refused))
            continue
        for word in (f"name “{journey.name}”", f"number {journey.number}"):
            if word in seen:
                faults.append(f"{path}: the {word} is taken by {seen[word]}")
            seen.setdefault(word, path)
    if faults:
        click.echo("\n".join(faults), err=True)
        raise SystemExit(2)


def _drawn(settings: Settings, seed: int, count: int) -> Sequence[Path]:
    """Write journeys of a seed beside the demo's data and return their folders."""
    root = settings.data_dir / f"journeys-of-seed-{seed}"
    drawn = generated.generate(seed, count)
    generated.write(root, drawn)
    return [root / journey.name for journey in drawn]


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            click.echo(f"Port {port} is taken. Choose another with --port.", err=True)
            raise SystemExit(2) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _environment(port: int, data: Path) -> dict[str, str]:
    return {
        "SEEDTRUST_ENV": "demo",
        "SEEDTRUST_DATA_DIR": str(data.resolve()),
        "SEEDTRUST_BUSINESS_CLOCK": "database",
        "SEEDTRUST_PUBLIC_BASE_URL": f"http://localhost:{port}",
        "SEEDTRUST_BANK_URL": f"http://127.0.0.1:{_free_port()}",
        "SEEDTRUST_SMTP_URL": f"smtp://127.0.0.1:{_free_port()}",
    }


def _children(port: int, settings: Settings, folders: Sequence[Path]) -> list[Child]:
    python = [sys.executable, "-m", "seedtrust.cli"]
    bank_port = settings.bank_url.rpartition(":")[2]
    smtp_port = settings.smtp_url.get_secret_value().rpartition(":")[2]
    return [
        Child(
            "bank",
            [
                *python,
                "sandbox-bank",
                "--port",
                bank_port,
                "--data",
                str(settings.bank_dir.parent),
            ],
            {"SEEDTRUST_SANDBOX_BANK_KEY": settings.bank_api_key.get_secret_value()},
        ),
        Child(
            "mail",
            [*python, "demo-mail", "--port", smtp_port, "--data", str(settings.data_dir)],
        ),
        Child(
            "web",
            [*python, "web", "--port", str(port), "--workers", "1", "--threads", "16"],
        ),
        *(
            Child(f"worker-{lane}", [*python, "worker", "--pool", "solo", "--lane", lane])
            for lane in LANES
        ),
        Child("beat", [*python, "beat"]),
        Child(
            "player",
            [*python, "demo-play", *(str(folder) for folder in folders)],
            ends_by_itself=True,
        ),
    ]


def _welcome(console: Console, url: str, settings: Settings, supervisor: Supervisor) -> None:
    console.print(f"\n[bold]SeedTrust is running on {url}[/bold]")
    console.print(f"Admin pages {url}/admin   API {url}/api/v1/docs   Bank {settings.bank_url}")
    console.print("The queue runs on " + settings.broker_url.partition(":")[0] + ".")
    supervisor.wait_until(lambda: bool(_staff(settings)), seconds=60)
    table = Table("Role", "E-mail", "Authenticator secret", box=None, pad_edge=False)
    for login in _staff(settings):
        secret = login.get("totp_secret", "none")
        table.add_row(login["role"].replace("_", " "), login["email"], secret)
    # Wide enough to copy a secret whole, also when the output goes into a file.
    Console(width=max(console.width, 100)).print(table)
    console.print(f"\nEvery login has the password {PASSWORD}")
    console.print(
        "Codes for the authenticator: add a secret to any app, or run "
        "seedtrust demo-code SECRET.\nCtrl-C ends everything."
    )


def _staff(settings: Settings) -> list[dict[str, str]]:
    progress = read_progress(settings.data_dir)
    return progress.staff if progress is not None else []


def _watch(console: Console, settings: Settings, supervisor: Supervisor, count: int) -> None:
    """Show how the journeys go, then wait; Ctrl-C or SIGTERM ends it."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    told: set[str] = set()
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("Playing the sample journeys", total=None)
        while supervisor.is_running and len(told) < count:
            progress = read_progress(settings.data_dir)
            if progress is not None and progress.total:
                bars.update(
                    task,
                    total=progress.total,
                    completed=progress.done,
                    description=f"Playing the sample journeys, {progress.day}",
                )
            for name, journey in _result(settings).items():
                if name not in told:
                    console.print(f"Journey {name}: {journey['result']}")
                    told.add(name)
            supervisor.pause(0.5)
    while supervisor.is_running:
        supervisor.pause(1.0)


def _result(settings: Settings) -> dict[str, Any]:
    path = settings.data_dir / "demo.json"
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found["journeys"] if found.get("base_url") == settings.public_base_url else {}


@click.command("demo-code")
@click.argument("secret")
def demo_code(secret: str) -> None:
    """Print the authenticator's current code for a secret of the demo."""
    import pyotp

    click.echo(pyotp.TOTP(secret).now())
