"""The readable description of the API: Swagger UI from files of our own."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, render_template

from seedtrust.api.blueprint import PREFIX
from seedtrust.web.assets import OWN, Source
from seedtrust.web.guard import PUBLIC, requires

_DISTRIBUTION: Final = "flask-swagger-ui"
SOURCES: Final = (
    Source("swagger-ui.css", _DISTRIBUTION, "flask_swagger_ui/dist/swagger-ui.css"),
    Source("swagger-ui.js", _DISTRIBUTION, "flask_swagger_ui/dist/swagger-ui-bundle.js"),
    Source("api-docs.js", OWN, "api-docs.js"),
)


@requires(PUBLIC)
def page() -> str:
    """Show the description; the script reads the document from beside this page."""
    return render_template("api/docs.html")


def init_docs(app: Flask) -> None:
    """Serve the page under the API's prefix."""
    blueprint = Blueprint("api_docs", __name__, url_prefix=PREFIX)
    blueprint.add_url_rule("/docs", "page", page)
    app.register_blueprint(blueprint)
