"""Rate limits of the ways in: per client address, counted in Redis or in this process."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from seedtrust.settings import Settings
from seedtrust.web.actor import current_settings

limiter = Limiter(key_func=get_remote_address)


def sign_in_limit() -> str:
    """Return the limit of sign-in attempts, for `limiter.limit(sign_in_limit)`."""
    return current_settings().sign_in_limit


def init_limits(app: Flask, settings: Settings) -> None:
    """Count by the settings' storage; answers carry the RateLimit headers."""
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.rate_limit_storage,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_HEADER_LIMIT="RateLimit-Limit",
        RATELIMIT_HEADER_REMAINING="RateLimit-Remaining",
        RATELIMIT_HEADER_RESET="RateLimit-Reset",
        RATELIMIT_STRATEGY="sliding-window-counter",
    )
    limiter.init_app(app)
