"""Talking to a bank from a shell: where it brings its events."""

from __future__ import annotations

from pathlib import Path

import click

from seedtrust.app import create_app, make_tools
from seedtrust.cli import data_option, settings_or_exit
from seedtrust.core.permissions import Actor
from seedtrust.domain.payments.ports import HUNTINGTON, BankError
from seedtrust.jobs.subscriptions import door_of, may_be_brought_to, subscribe


@click.group("bank")
def bank() -> None:
    """Talk to the bank that takes single payments."""


@bank.command("subscribe")
@click.option("--url", default="", help="Our address as the bank sees it; the public one without.")
@click.option("--new-secret", is_flag=True, help="Change the secret even if it is not due.")
@data_option
def subscribe_to(url: str, data: Path | None, *, new_secret: bool) -> None:
    """Have the bank bring its events to our door, once; the secret is kept sealed.

    The job `bank.subscribe` does the same every hour. Exits with 1 and a sentence if the bank
    cannot be asked; running it again makes it good.
    """
    settings = settings_or_exit(data, log_level="ERROR")
    app, tools = create_app(settings), make_tools(settings)
    address = url or door_of(tools, HUNTINGTON)
    if not may_be_brought_to(address):
        click.echo(f"A bank brings nothing to {address}. Give an https address.", err=True)
        raise SystemExit(1)
    with app.app_context():
        try:
            changed = subscribe(
                tools, Actor.system("shell"), HUNTINGTON, address, new_secret=new_secret
            )
        except BankError as failed:
            click.echo(failed.sentence, err=True)
            raise SystemExit(1) from None
    told = "brings its events to" if changed else "brings its events already to"
    click.echo(f"The bank {told} {address}.")
