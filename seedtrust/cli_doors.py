"""Commands about the doors: the auditor's table of routes and the API's description."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from seedtrust.app import create_app
from seedtrust.cli import data_option, settings_or_exit
from seedtrust.web.guard import route_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
@data_option
def routes(data: Path | None, *, as_json: bool) -> None:
    """List every route with its door, methods, permission and roles."""
    table = route_table(create_app(settings_or_exit(data, log_level="ERROR")))
    if as_json:
        click.echo(json.dumps([asdict(route) for route in table], indent=2))
        return
    for route in table:
        step_up = " + fresh second factor" if route.step_up else ""
        click.echo(
            f"{route.door:<6} {'/'.join(route.methods):<8} {route.rule:<60} {route.need}{step_up}"
        )


@click.command()
@data_option
def openapi(data: Path | None) -> None:
    """Print the OpenAPI 3.1 description of the API as JSON, for a client generator."""
    app = create_app(settings_or_exit(data, log_level="ERROR"))
    rest = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    click.echo(json.dumps(rest.spec.to_dict(), indent=2))
