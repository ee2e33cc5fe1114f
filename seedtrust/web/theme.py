"""Light, dark or the system's choice: read from a cookie, so that no page ever flashes."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, abort, redirect, request
from werkzeug.wrappers import Response

from seedtrust.web.problems import safe_path

COOKIE: Final = "theme"
THEMES: Final = ("light", "dark", "system")
DEFAULT: Final = "system"
_COOKIE_SECONDS: Final = 365 * 24 * 60 * 60


def current_theme() -> str:
    """Return the reader's choice; anything unknown counts as the system's choice."""
    chosen = request.cookies.get(COOKIE, DEFAULT)
    return chosen if chosen in THEMES else DEFAULT


def choose() -> Response:
    """Keep the choice for a year and go back; the form works without JavaScript."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        abort(400)
    response = redirect(safe_path(request.referrer) or "/", code=303)
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
