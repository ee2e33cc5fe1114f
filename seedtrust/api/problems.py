"""The API's document and its JSON: problem details by default, strict reading, OpenAPI 3.1."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from flask import Flask, render_template
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Api

from seedtrust import __version__
from seedtrust.api.blueprint import PREFIX, ApiBlueprint
from seedtrust.api.schemas import Instant, ProblemSchema, Reference, StrictAmountCents, Text
from seedtrust.web.guard import PUBLIC, declare
from seedtrust.web.headers import extend_policy
from seedtrust.web.problems import PROBLEM_TYPE

_ABOUT: Final = """\
REST API of SeedTrust for the clients of parents, surrogates, donors and agencies.

Money is whole cents in fields named `..._cents`; instants are RFC 3339 in UTC; business dates are
`YYYY-MM-DD` in New York; objects are named by references of 15 characters. Every refusal is a
problem (RFC 9457) with a stable `code`.
"""


class JsonProvider(DefaultJSONProvider):
    """Reads JSON strictly: no NaN, no member twice, no halves of characters."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse; raises ValueError, which becomes a 400, for what JSON does not allow."""
        try:
            value = json.loads(
                s,
                parse_constant=_refuse_constant,
                parse_float=_finite,
                object_pairs_hook=_object_once,
                **kwargs,
            )
            json.dumps(value, ensure_ascii=False).encode()
        except RecursionError as error:
            message = "nested too deeply"
            raise ValueError(message) from error
        return value


def _refuse_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        message = "a number is too large"
        raise ValueError(message)
    return number


def _object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member stands twice in one object"
        raise ValueError(message)
    return members


class RestApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest without its application-wide error handler."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        """Describe the API and serve the description under its prefix."""
        app.config.update(
            API_TITLE="SeedTrust",
            API_VERSION=__version__,
            OPENAPI_VERSION="3.1.0",
            OPENAPI_URL_PREFIX=PREFIX,
            OPENAPI_SWAGGER_UI_PATH="/docs",
            OPENAPI_SWAGGER_UI_URL="/assets/",
        )
        super().__init__(
            app,
            spec_kwargs={
                "info": {"description": _ABOUT},
                "servers": [{"url": "/"}],
            },
        )
        self.spec.components.security_scheme(
            "bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "at+jwt"}
        )
        for field, base in (
            (StrictAmountCents, "integer"),
            (Text, "string"),
            (Reference, "string"),
            (Instant, "string"),
        ):
            self.register_field(field, base, _FORMATS.get(field))
        declare(app, "api-docs.openapi_json", PUBLIC)
        declare(app, "api-docs.openapi_swagger_ui", PUBLIC)
        # Swagger UI writes styles into its elements; scripts stay our own files.
        extend_policy(app, "api-docs", {"style-src-attr": "'unsafe-inline'"})

    def _openapi_swagger_ui(self) -> str:
        """Show the readable page with files of ours; the library's own has scripts within."""
        return render_template("api/docs.html", title=f"{self.spec.title} API")

    def _register_error_handlers(self) -> None:
        """Leave errors to our own handler: this one would answer JSON to missing pages too."""

    def _register_responses(self) -> None:
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_TYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = Api.DEFAULT_RESPONSE_CONTENT_TYPE

    def register_blueprint(self, blueprint: ApiBlueprint, **options: Any) -> None:
        """Register a feature and describe its tag."""
        super().register_blueprint(blueprint, **options)
        # The parent names the tag after the blueprint; readers get the feature's own name.
        self.spec._tags[-1]["name"] = blueprint.tag  # noqa: SLF001 - apispec has no way to rename


_FORMATS: Final[dict[type, str | None]] = {StrictAmountCents: "int64", Instant: "date-time"}
