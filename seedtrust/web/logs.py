"""Logging: one line per request, JSON in production, secrets dropped before anything is written."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog
from flask import Flask, Response, g, request

from seedtrust.settings import Settings

MASK: Final = "[redacted]"
# A key that contains one of these words never reaches a log with its value.
SECRET_WORDS: Final = (
    "password",
    "secret",
    "token",
    "authorization",
    "cookie",
    "totp",
    "otp",
    "account_number",
    "api_key",
    "field_key",
    "signing_key",
    "session_key",
    "email",
    "phone",
    "ssn",
    "tax_id",
)
_log = structlog.get_logger("seedtrust.web")


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the values of secret keys, at any depth; a structlog processor."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: str, value: object) -> object:
    lowered = key.lower().replace("-", "_")
    if any(word in lowered for word in SECRET_WORDS):
        return MASK
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(key, held) for held in value]
    return value


def configure_logs(settings: Settings) -> None:
    """Send structlog and the standard loggers to standard error in one format."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The richer formatter prints local variables, which hold secrets.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    finish: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.log_as_json:
        finish.append(structlog.processors.format_exc_info)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[*finish, renderer]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [held for held in root.handlers if not _is_ours(held)] + [handler]
    root.setLevel(settings.log_level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)


def init_request_log(app: Flask) -> None:
    """Write one line per request: what was asked, by whom, the status and the time it took."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _finish(response: Response) -> Response:
        actor = g.get("actor")
        _log.info(
            "request",
            method=request.method,
            route=str(request.url_rule or "unknown"),
            status=response.status_code,
            duration_ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000),
            user_id=getattr(actor, "user_id", None),
        )
        return response
