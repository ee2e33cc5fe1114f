"""Light, dark or the system's choice: read from a cookie, so that no page ever flashes."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, redirect, request
from werkzeug.wrappers import Response

COOKIE: Final = "theme"
THEMES: Final = ("light", "dark", "system")
DEFAULT: Final = "system"
_COOKIE_SECONDS: Final = 365 * 24 * 60 * 60


def current_theme() -> str:
    """Return the reader's choice; anything unknown counts as the system's choice."""
    chosen = request.cookies.get(COOKIE, DEFAULT)
    return chosen if chosen in THEMES else DEFAULT


def return_path() -> str:
    """Return the page the reader came from if it is ours, else the start page."""
    came_from = urlsplit(request.referrer or "")
    path = came_from.path
    if came_from.netloc != request.host or not path.startswith("/") or path.startswith("//"):
        return "/"
    return f"{path}?{came_from.query}" if came_from.query else path


def choose() -> Response:
    """Keep the choice for a year and go back; the form works without JavaScript."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        abort(400)
    response = redirect(return_path(), code=303)
    # Not HttpOnly: the switch in the page sets the same cookie without a round trip.
    response.set_cookie(
        COOKIE, chosen, max_age=_COOKIE_SECONDS, secure=request.is_secure, samesite="Lax"
    )
    return response


def init_theme(app: Flask) -> None:
    """Register `POST /theme`, and `current_theme` for templates."""
    blueprint = Blueprint("theme", __name__)
    blueprint.add_url_rule("/theme", "choose", choose, methods=["POST"])
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(current_theme=current_theme)
