"""The door of programs: REST under /api/v1, one module per feature with its schemas.

A module of this package makes one blueprint, which `register` finds by its name:

    blueprint = ApiBlueprint("cases", description="Cases that the caller may see")

    @blueprint.route("/cases/<reference>/balance")
    @requires(Permission.CASES_VIEW)
    @blueprint.response(200, BalanceOutput)
    def balance(reference: str) -> BalanceView:
        actor = current_actor()
        return reading(lambda session: cases.balance(session, actor, reference))

    @blueprint.route("/cases/<reference>/disbursement-requests", methods=["POST"])
    @requires(Permission.REQUESTS_CREATE)
    @blueprint.arguments(RequestInput)
    @blueprint.response(201, RequestOutput)
    def create(values: dict[str, Any], reference: str) -> Response:
        actor, now = current_actor(), clock_now()

        def work(session: Session) -> tuple[dict[str, Any], int]:
            made = disbursements.request(session, actor, reference, **values, now=now)
            return dump(RequestOutput, made), 201

        return idempotent(work)

Refusals are raised, never caught; the problem handler answers them.
"""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.docs import init_docs
from seedtrust.api.problems import JsonProvider, RestApi
from seedtrust.web.guard import Caller

__all__ = ["ApiBlueprint", "authenticate", "register"]


def register(app: Flask) -> None:
    """Import every module of this package and register the blueprint of each."""
    app.json = JsonProvider(app)
    rest = RestApi(app)
    init_docs(app)
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        found = getattr(importlib.import_module(module.name), "blueprint", None)
        if isinstance(found, ApiBlueprint):
            rest.register_blueprint(found)


def authenticate() -> Caller:
    """Return who the bearer token belongs to; cookies are never read.

    Raises TokenExpired, TokenRefused or SessionEnded.
    """
    from seedtrust.api import auth  # noqa: PLC0415 - it needs this package first

    return Caller(auth.bearer_actor())
