"""Forged requests: a token in every form of the admin UI, and a look at the sending site."""

from __future__ import annotations

from flask import Flask, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.wrappers import Request
from flask_wtf.csrf import CSRFProtect

from seedtrust.core.errors import Forbidden

API_PREFIX = "/api/"
WEBHOOK_PREFIX = "/webhooks/"
_WITHOUT_COOKIES = (API_PREFIX, WEBHOOK_PREFIX)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AdminOnlySessions(SecureCookieSessionInterface):
    """Opens the cookie session for pages only: API and banks neither read nor set a cookie."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the cookie, or one that cannot be written under the API."""
        if request.path.startswith(_WITHOUT_COOKIES):
            return self.make_null_session(app)
        return super().open_session(app, request)


csrf = CSRFProtect()


def init_csrf(app: Flask) -> None:
    """Check forms before anything else; calls of the API carry no cookie and need no token."""
    app.session_interface = AdminOnlySessions()
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)

    @app.before_request
    def _check() -> None:
        if request.method in _SAFE_METHODS or request.path.startswith(_WITHOUT_COOKIES):
            return
        # Browsers that send Sec-Fetch-Site tell us plainly; older ones are caught by the token.
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            message = "The form came from another site. Open the page here and try again."
            raise Forbidden(message)
        if request.endpoint is not None:
            csrf.protect()
