"""The HTTP application of the sandbox bank: who may call, and how refusals read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from seedtrust.sandbox import faultplay, settings
from seedtrust.sandbox.bank import Bank
from seedtrust.sandbox.bankroutes import bank_surface
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.replies import EXTENSION, reply
from seedtrust.sandbox.simroutes import simulator
from seedtrust.sandbox.tokens import Keys
from seedtrust.sandbox.webhookroutes import webhook_tricks

BANNER: Final = ("X-Sandbox", "no real money")
LARGEST_BODY: Final = 1_000_000
_OPEN: Final = frozenset({"bank.health", "give_token"})


def _authenticator(bank: Bank, keys: Keys) -> Callable[[], None]:
    def check() -> None:
        if request.endpoint in _OPEN:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        keys.require(given if scheme == "Bearer" else "", bank.real.now())

    return check


def _token_maker(bank: Bank, keys: Keys) -> Callable[[], Response]:
    def give_token() -> Response:
        """Give an access token to a client that proves itself (OAuth client credentials)."""
        if request.form.get("grant_type") != "client_credentials":
            return reply({"error": "unsupported_grant_type"}, 400)
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id, client_secret = basic.username or "", basic.password or ""
        else:
            client_id = request.form.get("client_id", "")
            client_secret = request.form.get("client_secret", "")
        if not keys.is_client(client_id, client_secret):
            return reply({"error": "invalid_client"}, 401)
        with bank.unit() as connection:
            seconds = settings.read(connection).token_seconds
        token = keys.issue(bank.real.now(), seconds)
        return reply({"access_token": token, "token_type": "Bearer", "expires_in": seconds})

    return give_token


def _as_problem(problem: BankProblem) -> Response:
    response = reply(problem.as_json(), problem.status)
    response.content_type = "application/problem+json"
    if problem.status == 401:  # noqa: PLR2004 - the HTTP status itself
        response.headers["WWW-Authenticate"] = "Bearer"
    retry_after_seconds = problem.facts.get("retry_after_seconds")
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def _as_http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    response = reply(
        {
            "type": "about:blank",
            "title": error.name,
            "status": status,
            "detail": error.description or error.name,
            "code": error.name.lower().replace(" ", "_"),
        },
        status,
    )
    response.content_type = "application/problem+json"
    return response


def _mark(response: Response) -> Response:
    response.headers[BANNER[0]] = BANNER[1]
    return response


def build_app(bank: Bank, keys: Keys) -> Flask:
    """Return the application that speaks for a bank."""
    app = Flask("seedtrust.sandbox", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[EXTENSION] = bank
    app.register_blueprint(bank_surface)
    app.register_blueprint(simulator)
    app.register_blueprint(webhook_tricks)
    app.add_url_rule("/oauth/token", "give_token", _token_maker(bank, keys), methods=["POST"])
    app.before_request(_authenticator(bank, keys))
    # What is registered first runs last: a reply that a fault has replaced is marked as well.
    app.after_request(_mark)
    faultplay.install(app, bank)
    app.register_error_handler(BankProblem, _as_problem)
    app.register_error_handler(HTTPException, _as_http_problem)
    return app
