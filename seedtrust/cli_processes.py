"""Commands that run the production processes: web, worker and beat."""

from __future__ import annotations

import os
from pathlib import Path

import click

from seedtrust.cli import data_option, settings_or_exit


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
    import sys  # noqa: PLC0415

    from gunicorn.app.wsgiapp import run  # noqa: PLC0415 - other commands do not need gunicorn

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
