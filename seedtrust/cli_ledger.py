"""Commands about the books: the proof that they are whole."""

from __future__ import annotations

from pathlib import Path

import click

from seedtrust.app import create_app
from seedtrust.cli import data_option, settings_or_exit
from seedtrust.domain.ledger.check import check as faults_of
from seedtrust.ext import reading


@click.group()
def ledger() -> None:
    """Prove the books."""


@ledger.command()
@data_option
def check(data: Path | None) -> None:
    """Read all of the books and name every fault.

    Nothing is changed and others may go on posting. The exit code is 0 if all is well, 1 if not.
    """
    app = create_app(settings_or_exit(data, log_level="ERROR"))
    with app.app_context():
        faults = reading(faults_of)
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(
            f"The books have {len(faults)} faults. Stop payments and find the cause.", err=True
        )
        raise SystemExit(1)
    click.echo("The books are whole.")
