"""Sample journeys from the command line."""

from __future__ import annotations

from pathlib import Path

import click

from seedtrust.journeys import generated


@click.group()
def journeys() -> None:
    """Make sample journeys."""


@journeys.command("generate")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, generated.SEEDS - 1))
@click.option(
    "--count", default=20, show_default=True, type=click.IntRange(1, generated.MOST_JOURNEYS)
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that gets one folder for each journey.",
)
def generate(*, seed: int, count: int, out: Path) -> None:
    """Draw journeys from a seed, each with the ledger that it must come to."""
    drawn = generated.generate(seed, count)
    generated.write(out, drawn)
    click.echo(f"{len(drawn)} journeys in {out}; play them with seedtrust demo --journeys {out}")
