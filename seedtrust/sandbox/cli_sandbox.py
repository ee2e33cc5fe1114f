"""Command line for the sandbox bank."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import click

from seedtrust.sandbox.server import CLIENT_ID, serve

KEY_VARIABLE: Final = "SEEDTRUST_SANDBOX_BANK_KEY"


@click.command("sandbox-bank")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/bank"),
    show_default=True,
    help="Folder of the bank's database and its drop folder.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--key", envvar=KEY_VARIABLE, help=f"API key; {KEY_VARIABLE} without it.")
@click.option(
    "--client-id",
    envvar="SEEDTRUST_SANDBOX_BANK_CLIENT_ID",
    default=CLIENT_ID,
    show_default=True,
    help="Client id for access tokens.",
)
@click.option(
    "--client-secret",
    envvar="SEEDTRUST_SANDBOX_BANK_CLIENT_SECRET",
    default="",
    help="Client secret for access tokens; the API key without it.",
)
def sandbox_bank(
    *, port: int, data: Path, host: str, key: str | None, client_id: str, client_secret: str
) -> None:
    """Run the simulated bank, with real state and no real money, until Ctrl-C.

    Without a key a new one is made and printed.
    """
    if not key:
        key = secrets.token_urlsafe(24)
        click.echo(f"API key: {key}")
    try:
        serve(
            data,
            port,
            key,
            host=host,
            client_id=client_id,
            client_secret=client_secret,
            announce=click.echo,
        )
    except OSError as error:
        message = f"The sandbox bank cannot start on {host}:{port}: {error.strerror}."
        raise click.ClickException(message) from error
