"""Role by route: what the route table promises is what the API answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from seedtrust.core.clock import FixedClock
from seedtrust.core.ids import new_reference
from seedtrust.core.permissions import GRANTS, Permission, Role
from seedtrust.settings import Settings
from seedtrust.web.guard import Door, Route, route_table
from tests.factories.identity import Person
from tests.support.doors import ApiClient, person_in

# A signed-in person may do these without holding anything.
OPEN = {"public", "signed in"}


def api_routes(app: Flask) -> Iterator[tuple[str, Route]]:
    """Give each method of each route of the API."""
    for route in route_table(app):
        if route.door is Door.API:
            for method in route.methods:
                yield method, route


def address_of(rule: str) -> str:
    """Return an address of the rule that names nothing that exists."""
    parts = [new_reference() if part.startswith("<") else part for part in rule.split("/")]
    return "/".join(parts).removeprefix("/api/v1")


@pytest.fixture(scope="module")
def doors(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, dict[Role, ApiClient]]]:
    """Give one application with somebody of every role signed in; nothing is written but that."""
    from datetime import UTC, datetime

    from seedtrust.app import create_app
    from seedtrust.ext import db
    from tests.support import databases

    folder = tmp_path_factory.mktemp("matrix")
    settings = Settings.from_env(
        env="test",
        data_dir=folder / "data",
        database_url=databases.copy_of(sqlite_template, folder / "matrix.sqlite3"),
        sign_in_limit="1000 per minute",
    )
    app = create_app(settings, clock=FixedClock(datetime(2026, 1, 5, 15, tzinfo=UTC)))
    programs = {}
    for role in Role:
        programs[role] = ApiClient(app)
        person: Person = person_in(app, role)
        assert programs[role].sign_in(person).status_code == 200
    yield app, programs
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_what_it_holds_and_nothing_else(
    doors: tuple[Flask, dict[Role, ApiClient]], role: Role
) -> None:
    app, programs = doors
    unexpected = []
    for method, route in api_routes(app):
        if route.need in OPEN:
            continue
        answer = programs[role].call(method, address_of(route.rule), json={})
        code = (answer.get_json(silent=True) or {}).get("code")
        allowed = Permission(route.need) in GRANTS[role]
        refused = (answer.status_code, code) == (403, "forbidden")
        if allowed is refused:
            unexpected.append(f"{method} {route.rule}: {answer.status_code} {code}")
    assert unexpected == []


def test_without_a_token_nothing_opens_but_the_way_in(
    doors: tuple[Flask, dict[Role, ApiClient]],
) -> None:
    app, _ = doors
    nobody = ApiClient(app)
    open_routes = set()
    for method, route in api_routes(app):
        answer = nobody.call(method, address_of(route.rule), json={})
        if answer.status_code == 401 and route.need != "public":
            continue
        open_routes.add((method, route.rule.removeprefix("/api/v1")))
    assert open_routes == {
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("POST", "/auth/revoke"),
        ("POST", "/auth/token"),
    }


def test_every_route_of_the_api_is_in_its_description(
    doors: tuple[Flask, dict[Role, ApiClient]],
) -> None:
    app, _ = doors
    paths = ApiClient(app).get("/openapi.json").get_json()["paths"]
    described = {
        (method.upper(), path.replace("{", "<").replace("}", ">"), operation["x-permission"])
        for path, item in paths.items()
        for method, operation in item.items()
        if method != "parameters"
    }
    served = {(method, route.rule, route.need) for method, route in api_routes(app)}
    left_out = {rule for _, rule, _ in served - described}
    assert left_out == {"/api/v1/docs", "/api/v1/openapi.json"}
    assert described <= served
