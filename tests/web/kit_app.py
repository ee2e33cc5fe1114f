"""A small application that holds the user interface kit and nothing else."""

from __future__ import annotations

from flask import Flask, render_template_string
from flask_wtf import CSRFProtect

from seedtrust.core.locations import templates_folder
from seedtrust.web.assets import init_assets
from seedtrust.web.formatting import init_formatting
from seedtrust.web.headers import init_headers
from seedtrust.web.theme import init_theme


def make_kit_app() -> Flask:
    """Return the kit wired as the product wires it, without database, doors or guard."""
    app = Flask("kit", static_folder=None, template_folder=str(templates_folder()))
    app.config.update(SECRET_KEY="a" * 32, TESTING=True)
    CSRFProtect(app)
    init_assets(app)
    init_headers(app)
    init_formatting(app)
    init_theme(app)
    return app


def add_page(app: Flask, path: str, source: str, **values: object) -> None:
    """Serve a template given as text."""
    app.add_url_rule(
        path, path.strip("/") or "start", lambda: render_template_string(source, **values)
    )
