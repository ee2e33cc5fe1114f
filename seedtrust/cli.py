"""The command line: processes, migrations, accounts, file tools and the books' proof."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

import click

from seedtrust import __version__
from seedtrust.core import lifeline
from seedtrust.settings import Settings, SettingsRefused

# Loaded when asked for, so `seedtrust nacha` does not import a web framework.
_COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "bai2": ("seedtrust.formats.cli_bai2", "bai2", "Read BAI2 bank statements."),
    "bank": ("seedtrust.cli_bank", "bank", "Have a bank bring its events."),
    "beat": ("seedtrust.cli_processes", "beat", "Start due jobs on time."),
    "db": ("seedtrust.cli_db", "db", "Migrate and check the database."),
    "demo": ("seedtrust.cli_demo", "demo", "Run everything on this machine, with sample cases."),
    "demo-code": ("seedtrust.cli_demo", "demo_code", "Print an authenticator code of the demo."),
    "demo-mail": ("seedtrust.cli_play", "mail", "Catch the demo's mail."),
    "demo-play": ("seedtrust.cli_play", "play", "Play journeys into the demo."),
    "journeys": ("seedtrust.cli_journeys", "journeys", "Draw sample journeys from a seed."),
    "ledger": ("seedtrust.cli_ledger", "ledger", "Prove the books."),
    "nacha": ("seedtrust.formats.cli_nacha", "nacha", "Validate, show and write NACHA files."),
    "openapi": ("seedtrust.cli_doors", "openapi", "Print the API's description."),
    "reconcile": ("seedtrust.cli_reconcile", "reconcile", "Prove bank = book = owners of a day."),
    "routes": ("seedtrust.cli_doors", "routes", "List every route with its permission."),
    "sandbox-bank": ("seedtrust.sandbox.cli_sandbox", "sandbox_bank", "Run the bank simulator."),
    "trust-account": ("seedtrust.cli_trust", "trust_account", "Set policies of a trust account."),
    "user": ("seedtrust.cli_user", "user", "Create and invite people."),
    "web": ("seedtrust.cli_processes", "web", "Serve the admin pages and the API."),
    "worker": ("seedtrust.cli_processes", "worker", "Run the jobs."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names without importing anything."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None for an unknown name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help, still without importing."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, place[2]) for name, place in sorted(_COMMANDS.items())])


@click.group(cls=LazyGroup)
@click.version_option(__version__, prog_name="seedtrust")
def main() -> None:
    """Escrow for families who have a child with a surrogate's or donor's help."""
    lifeline.hold()


def settings_or_exit(data: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings, or end with exit code 2 and the list of what must be put right."""
    if data is not None:
        overrides["data_dir"] = data
    try:
        return Settings.from_env(**overrides)
    except SettingsRefused as refused:
        click.echo(str(refused), err=True)
        raise SystemExit(2) from None


data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the demo's data; SEEDTRUST_DATA_DIR and ./var without it.",
)


if __name__ == "__main__":
    main()
