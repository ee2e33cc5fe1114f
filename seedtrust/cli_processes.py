"""Commands that run the production processes: web, worker and beat."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from seedtrust.cli import data_option, settings_or_exit
from seedtrust.settings import SettingsRefused


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
@data_option
def web(data: Path | None, host: str, port: int, workers: int, threads: int) -> None:
    """Serve the admin pages and the API with gunicorn."""
    settings = settings_or_exit(data)
    os.environ["SEEDTRUST_DATA_DIR"] = str(settings.data_dir)
    import sys

    from gunicorn.app.wsgiapp import run

    sys.argv = [
        "gunicorn",
        f"--bind={host}:{port}",
        f"--workers={workers}",
        f"--threads={threads}",
        "--timeout=60",
        "--graceful-timeout=20",
        "--no-control-socket",
        "--limit-request-line=8190",
        "seedtrust.wsgi:app",
    ]
    run()


@click.command()
@click.option("--concurrency", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--pool",
    default="prefork",
    show_default=True,
    type=click.Choice(["prefork", "threads", "solo"]),
    help="How work is shared; one process that does one thing at a time is `solo`.",
)
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    help="Do the work of this lane alone; may be repeated. Every lane without it. A bank that "
    "hangs holds up only the workers of its own lane.",
)
@data_option
def worker(data: Path | None, concurrency: int, pool: str, lanes: tuple[str, ...]) -> None:
    """Keep what transactions promised, and run the jobs that are due."""
    from seedtrust.ext import LANES

    if unknown := set(lanes) - set(LANES):
        message = f"There is no lane {min(unknown)}. Choose among {', '.join(LANES)}."
        raise click.BadParameter(message, param_hint="--lane")
    app = _celery_app(data)
    app.worker_main(
        [
            "worker",
            f"--concurrency={concurrency}",
            f"--pool={pool}",
            f"--queues={','.join(lanes or LANES)}",
            "--loglevel=WARNING",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


@click.command()
@data_option
def beat(data: Path | None) -> None:
    """Ring for due work; a second one, a late one or none at all changes nothing but time."""
    app = _celery_app(data)
    app.start(["beat", "--loglevel=WARNING"])


def _celery_app(data: Path | None) -> Any:
    settings = settings_or_exit(data)
    os.environ["SEEDTRUST_DATA_DIR"] = str(settings.data_dir)
    from seedtrust import worker as tasks

    try:
        tasks.prepare(settings)
    except SettingsRefused as refused:
        click.echo(str(refused), err=True)
        raise SystemExit(2) from None
    return tasks.celery
