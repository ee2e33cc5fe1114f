"""Every route of the product: declared, closed to strangers, and listed for auditors."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from flask import Flask

from seedtrust.cli import main
from seedtrust.core.permissions import Permission, Role
from seedtrust.web.guard import Door, Route, route_table
from tests.support.doors import ApiClient, Browser, person_in

# What a stranger may reach; a new name here is a decision.
OPEN = {
    "/",
    "/admin/sign-in",
    "/admin/sign-out",
    "/admin/welcome",
    "/admin/welcome/<token>",
    "/api/v1/auth/revoke",
    "/api/v1/auth/token",
    "/api/v1/docs",
    "/api/v1/openapi.json",
    "/assets/<digest>/<name>",
    # Signed, for minutes, and bound to a session that is looked up anew.
    "/files/<token>",
    "/health/live",
    "/health/ready",
    "/theme",
    # Believed by its signature alone; nothing of it is evidence.
    "/webhooks/bank/<code>",
}
_PART = re.compile(r"<(?:(\w+):)?\w+>")


def path_of(route: Route) -> str:
    """Return an address of the route with parts that name nothing."""
    return _PART.sub(lambda part: "1" if part[1] == "int" else "AAAAAAAAAAAAAAA", route.rule)


@pytest.fixture
def routes(app: Flask) -> list[Route]:
    return route_table(app)


def test_only_the_ways_in_are_open(routes: list[Route]) -> None:
    assert {route.rule for route in routes if route.need == "public"} <= OPEN


def test_every_need_is_a_permission_or_said_in_words(routes: list[Route]) -> None:
    words = {permission.value for permission in Permission} | {
        "public",
        "signed in",
        "password given",
    }
    assert {route.need for route in routes} <= words
    assert [route.rule for route in routes if not route.roles] == []


def test_a_stranger_is_turned_away_from_every_other_route(app: Flask, routes: list[Route]) -> None:
    client, program, let_in = app.test_client(), ApiClient(app), []
    for route in routes:
        if route.need == "public":
            continue
        for method in route.methods:
            if route.door is Door.API:
                status = program.call(method, path_of(route).removeprefix("/api/v1")).status_code
                turned_away = status == 401
            else:
                # A form without a token is refused even before the guard looks at it.
                status = client.open(path_of(route), method=method).status_code
                turned_away = status == (303 if method == "GET" else 400)
            if not turned_away:
                let_in.append((method, route.rule, status))
    assert let_in == []


def test_no_role_gets_past_a_permission_that_it_lacks(app: Flask, routes: list[Route]) -> None:
    passed = []
    for role in (Role.AUDITOR, Role.IT_ADMIN):
        browser, program = Browser(app), ApiClient(app)
        person = person_in(app, role)
        browser.sign_in(person)
        program.sign_in(person)
        for route in routes:
            guarded = route.need in set(Permission) and role.value not in route.roles
            if not guarded:
                continue
            for method in route.methods:
                if route.door is Door.API:
                    path = path_of(route).removeprefix("/api/v1")
                    status = program.call(method, path).status_code
                elif method == "GET":
                    status = browser.get(path_of(route)).status_code
                else:
                    status = browser.submit(path_of(route), page="/admin/account").status_code
                if status != 403:
                    passed.append((role.value, method, route.rule, status))
    assert passed == []


def test_the_command_prints_the_auditors_table(app: Flask, routes: list[Route]) -> None:
    data = str(app.extensions["seedtrust"].settings.data_dir)
    printed = CliRunner().invoke(main, ["routes", "--json", "--data", data])
    assert printed.exit_code == 0, printed.output
    table = json.loads(printed.output)
    assert [line["rule"] for line in table] == [route.rule for route in routes]
    assert set(table[0]) == {
        "rule",
        "endpoint",
        "door",
        "methods",
        "need",
        "step_up",
        "roles",
    }
    plain = CliRunner().invoke(main, ["routes", "--data", data])
    assert "users.invite" in plain.output


def test_an_act_is_a_post_even_where_a_page_asks_first(routes: list[Route]) -> None:
    verbs = re.compile(r"/(approve|deny|release|transmit|close|end|revoke|submit|withdraw)$")
    posts = {route.rule for route in routes if "POST" in route.methods}
    acts = {route.rule for route in routes if verbs.search(route.rule)}
    assert acts - posts == set()


def test_releasing_money_asks_for_a_fresh_code(routes: list[Route]) -> None:
    releases = [
        route
        for route in routes
        if route.need == Permission.RUNS_RELEASE and "POST" in route.methods
    ]
    assert releases
    assert [route.rule for route in releases if not route.step_up] == []


def test_an_address_in_another_script_is_not_found_at_either_door(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/admin/cases/\u4fdd\u7ba1").status_code == 404
    answer = ApiClient(app).get("/cases/\u4fdd\u7ba1")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
