"""Request ids: taken from the proxy or made here, returned, logged and stored in audit rows."""

from __future__ import annotations

import re
import secrets
from typing import Final, cast

import structlog
from flask import Flask, Response, g, request

HEADER: Final = "X-Request-ID"
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


def request_id() -> str:
    """Return the id of the current request."""
    if "request_id" not in g:
        offered = request.headers.get(HEADER, "")
        g.request_id = offered if _ACCEPTED.fullmatch(offered) else secrets.token_hex(16)
    return cast("str", g.request_id)


def init_request_ids(app: Flask) -> None:
    """Bind the id to every log line of a request and return it in the answer."""

    @app.before_request
    def _bind() -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def _return(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response
