"""The guard: one declaration per route, one check before every request, one table for auditors.

A view says what it needs with `requires(...)`; the mark only stores data. The guard chooses the
authenticator by the door that the blueprint belongs to (cookie for the admin UI, bearer token for
the API, never both), builds the actor and checks the permission. An application with a route that
declares nothing does not start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Any, Final, TypeVar

from flask import Flask, current_app, g, request

from seedtrust.core.errors import Forbidden, StepUpRequired, Unauthenticated
from seedtrust.core.permissions import GRANTS, Actor, Permission, Role
from seedtrust.web.actor import clock_now, current_settings

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Caller:
    """Whom an authenticator found: an actor, or somebody between password and second factor."""

    actor: Actor | None = None
    password_given: bool = False


Authenticator = Callable[[], Caller]


class Open(Enum):
    """What a route may ask for short of a permission."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    # A correct password was given, the second factor was not: enrolment and challenge only.
    PASSWORD_GIVEN = "password given"  # noqa: S105 - a word, not a secret


PUBLIC: Final = Open.PUBLIC
SIGNED_IN: Final = Open.SIGNED_IN
PASSWORD_GIVEN: Final = Open.PASSWORD_GIVEN


class Door(StrEnum):
    """By which way a request comes in."""

    ADMIN = "admin"
    API = "api"
    OPEN = "open"


@dataclass(frozen=True)
class Access:
    """What a route declares: its need, a fresh second factor, and where a refusal returns to."""

    need: Permission | Open
    step_up: bool = False
    back: str | None = None


@dataclass(frozen=True)
class Route:
    """One line of the auditors' table."""

    rule: str
    endpoint: str
    door: Door
    methods: tuple[str, ...]
    need: str
    step_up: bool
    roles: tuple[str, ...]


class RouteUndeclared(Exception):
    """A route declares no permission, so the application refuses to start."""


_MARK: Final = "_seedtrust_access"
_DECLARED: Final = "seedtrust_declared_routes"
_AUTHENTICATORS: Final = "seedtrust_authenticators"
_SIGN_IN: Final = "Sign in and try again."
_AUTOMATIC: Final = frozenset({"HEAD", "OPTIONS"})


def requires(
    need: Permission | Open, *, step_up: bool = False, back: str | None = None
) -> Callable[[View], View]:
    """Mark a view with what it needs; below the route decorator.

    `step_up` asks for a second factor given within `step_up_seconds`. `back` is the endpoint to
    which a refused form of the admin UI returns when the browser names no page of ours.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, Access(need, step_up, back))
        return view

    return mark


def declare(app: Flask, endpoint: str, need: Permission | Open) -> None:
    """Declare what an endpoint of a library needs, since its view cannot be marked."""
    app.extensions.setdefault(_DECLARED, {})[endpoint] = Access(need)


def init_guard(app: Flask, authenticators: dict[Door, Authenticator]) -> None:
    """Check every request before its view; `authenticators` name the actor for each door."""
    app.extensions[_AUTHENTICATORS] = authenticators
    app.before_request(check_request)


def door_of(blueprint: str | None) -> Door:
    """Return the door of a blueprint, told by the beginning of its name."""
    name = (blueprint or "").partition(".")[0]
    if name == "admin" or name.startswith("admin_"):
        return Door.ADMIN
    if name == "api" or name.startswith(("api_", "api-")):
        return Door.API
    return Door.OPEN


def access_of(app: Flask, endpoint: str, method: str) -> Access | None:
    """Return what a route declares, or None."""
    declared: dict[str, Access] = app.extensions.get(_DECLARED, {})
    if endpoint in declared:
        return declared[endpoint]
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        view = getattr(view_class, method.lower(), view)
    return mark_of(view)


def mark_of(view: object) -> Access | None:
    """Return what `requires` wrote on a view, or None."""
    access: Access | None = getattr(view, _MARK, None)
    return access


def check_request() -> None:
    """Authenticate by the request's door and check what its route declares.

    Raises Unauthenticated, StepUpRequired or Forbidden; an unknown path is left to its 404.
    """
    if request.url_rule is None:
        return
    access = access_of(current_app._get_current_object(), request.endpoint or "", _method())  # type: ignore[attr-defined]  # noqa: SLF001 - the way Flask gives the application itself
    if access is None:
        message = "This page is not open to anybody."
        raise Forbidden(message)
    door = door_of(request.blueprint)
    caller = _caller(door, access)
    g.actor = caller.actor
    if access.need is PASSWORD_GIVEN:
        if not caller.password_given:
            raise Unauthenticated(_SIGN_IN)
    elif access.need is not PUBLIC:
        _check_actor(caller.actor, access)


def _caller(door: Door, access: Access) -> Caller:
    authenticate: Authenticator | None = current_app.extensions[_AUTHENTICATORS].get(door)
    if authenticate is None or (access.need is PUBLIC and door is Door.API):
        return Caller()
    if access.need is not PUBLIC:
        return authenticate()
    try:
        return authenticate()
    except Unauthenticated:
        # The way in must open for a browser that still holds a dead session.
        return Caller()


def _method() -> str:
    return "GET" if request.method in _AUTOMATIC else request.method


def _check_actor(actor: Actor | None, access: Access) -> None:
    if actor is None:
        raise Unauthenticated(_SIGN_IN)
    if isinstance(access.need, Permission):
        actor.require(access.need)
    if access.step_up:
        check_step_up(actor)


def check_step_up(actor: Actor) -> None:
    """Raise StepUpRequired unless the actor gave a second factor a short while ago."""
    limit = current_settings().step_up_seconds
    if actor.stepped_up_at is None or clock_now() - actor.stepped_up_at > timedelta(seconds=limit):
        message = "Confirm with a code from your authenticator app, then try again."
        raise StepUpRequired(message, max_age=limit)


def _methods_of(app: Flask, endpoint: str, methods: set[str]) -> dict[Access | None, list[str]]:
    found: dict[Access | None, list[str]] = {}
    for method in sorted(methods - _AUTOMATIC):
        found.setdefault(access_of(app, endpoint, method), []).append(method)
    return found


def route_table(app: Flask) -> list[Route]:
    """Return every route with its door, methods, need and the roles that hold it.

    Raises RouteUndeclared, naming every route that declares nothing.
    """
    routes: list[Route] = []
    missing: list[str] = []
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.rpartition(".")[0]
        for access, methods in _methods_of(app, rule.endpoint, set(rule.methods or ())).items():
            if access is None:
                missing.append(f"{','.join(methods)} {rule.rule} ({rule.endpoint})")
                continue
            routes.append(
                Route(
                    rule=rule.rule,
                    endpoint=rule.endpoint,
                    door=door_of(blueprint),
                    methods=tuple(methods),
                    need=access.need.value,
                    step_up=access.step_up,
                    roles=roles_holding(access.need),
                )
            )
    if missing:
        listed = "\n  ".join(sorted(missing))
        message = (
            f"These routes declare no permission; mark their views with requires():\n  {listed}"
        )
        raise RouteUndeclared(message)
    return sorted(routes, key=lambda route: (route.rule, route.methods))


def roles_holding(need: Permission | Open) -> tuple[str, ...]:
    """Return the roles that reach a route with this need; anybody for a public one."""
    if isinstance(need, Open):
        return ("anybody",) if need is PUBLIC else ("everybody signed in",)
    return tuple(role.value for role in Role if need in GRANTS[role])


def assert_complete(app: Flask) -> None:
    """Refuse to start while a route declares nothing. Raises RouteUndeclared."""
    route_table(app)
