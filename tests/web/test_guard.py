"""The guard: declarations, doors, and the refusal to start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from seedtrust.core.permissions import Permission, Role
from seedtrust.web.guard import (
    PASSWORD_GIVEN,
    PUBLIC,
    SIGNED_IN,
    Door,
    Open,
    RouteUndeclared,
    assert_complete,
    declare,
    door_of,
    requires,
    roles_holding,
    route_table,
)
from tests.support.doors import ApiClient, Browser, person_in

Need = Permission | Open


@pytest.fixture
def probe(app: Flask) -> Callable[..., str]:
    """Add a route with a need to one of the doors and return its path."""

    def add(need: Need, *, door: str = "admin", step_up: bool = False) -> str:
        prefix = "/admin" if door == "admin" else "/api/v1"
        blueprint = Blueprint(f"{door}_probe", __name__, url_prefix=prefix)

        @blueprint.route("/probe", methods=["GET", "POST"])
        @requires(need, step_up=step_up)
        def probe_view() -> str:
            return "reached"

        app.register_blueprint(blueprint)
        return f"{prefix}/probe"

    return add


def test_an_undeclared_route_stops_the_start(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RouteUndeclared, match=r"GET /forgotten \(forgotten\)"):
        assert_complete(app)


def test_a_declared_route_of_a_library_does_not(app: Flask) -> None:
    app.add_url_rule("/library", "library", lambda: "")
    declare(app, "library", PUBLIC)
    assert_complete(app)
    assert "/library" in {route.rule for route in route_table(app)}


def test_each_method_of_a_class_declares_for_itself(app: Flask) -> None:
    class Both(MethodView):
        @requires(PUBLIC)
        def get(self) -> str:
            return "get"

        def post(self) -> str:
            return "post"

    app.add_url_rule("/both", view_func=Both.as_view("both"))
    with pytest.raises(RouteUndeclared, match=r"POST /both"):
        assert_complete(app)


def test_an_undeclared_route_is_closed_even_if_the_check_was_missed(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert app.test_client().get("/forgotten").status_code == 403


@pytest.mark.parametrize(
    "blueprint,door",
    [
        ("admin", Door.ADMIN),
        ("admin_reports", Door.ADMIN),
        ("api_cases", Door.API),
        ("api-docs", Door.API),
        ("assets", Door.OPEN),
        ("administration", Door.OPEN),
        ("apiary", Door.OPEN),
        (None, Door.OPEN),
    ],
)
def test_a_door_is_told_by_the_blueprints_name(blueprint: str | None, door: Door) -> None:
    assert door_of(blueprint) is door


def test_a_permission_lets_its_roles_in(app: Flask, probe: Callable[..., str]) -> None:
    path = probe(Permission.RUNS_RELEASE)
    lead, auditor = Browser(app), Browser(app)
    lead.sign_in(person_in(app, Role.PAYMENTS_LEAD))
    auditor.sign_in(person_in(app, Role.AUDITOR))
    assert lead.get(path).text == "reached"
    refused = auditor.get(path)
    assert refused.status_code == 403
    assert "Your role does not allow this" in refused.text
    anonymous = Browser(app).get(path)
    assert (anonymous.status_code, anonymous.location) == (303, f"/admin/sign-in?next={path}")


def test_the_api_answers_the_same_refusals_as_problems(
    app: Flask, probe: Callable[..., str]
) -> None:
    path = probe(Permission.RUNS_RELEASE, door="api").removeprefix("/api/v1")
    lead, donor = ApiClient(app), ApiClient(app)
    lead.sign_in(person_in(app, Role.PAYMENTS_LEAD))
    donor.sign_in(person_in(app, Role.DONOR))
    assert lead.get(path).text == "reached"
    assert donor.get(path).get_json()["code"] == "forbidden"
    assert donor.get(path).get_json()["permission"] == "runs.release"
    assert ApiClient(app).get(path).get_json()["code"] == "unauthenticated"


def test_a_fresh_code_is_asked_for_and_counts_five_minutes(
    app: Flask, probe: Callable[..., str]
) -> None:
    path = probe(Permission.RUNS_RELEASE, step_up=True)
    lead, browser = person_in(app, Role.PAYMENTS_LEAD), Browser(app)
    browser.sign_in(lead)
    asked = browser.get(path)
    assert (asked.status_code, asked.location) == (303, f"/admin/confirm?next={path}")
    browser.get(asked.location)
    assert browser.step_up(lead).location == path
    assert browser.get(path).text == "reached"
    browser.clock.advance(timedelta(seconds=301))
    assert browser.get(path).status_code == 303


def test_the_api_says_how_fresh_a_code_must_be(app: Flask, probe: Callable[..., str]) -> None:
    path = probe(Permission.RUNS_RELEASE, door="api", step_up=True).removeprefix("/api/v1")
    lead, program = person_in(app, Role.PAYMENTS_LEAD), ApiClient(app)
    program.sign_in(lead)
    refused = program.get(path)
    assert refused.status_code == 401
    assert refused.get_json()["code"] == "insufficient_user_authentication"
    assert 'error="insufficient_user_authentication"' in refused.headers["WWW-Authenticate"]
    assert 'max_age="300"' in refused.headers["WWW-Authenticate"]
    program.post("/auth/step-up", {"code": program.next_code(lead)})
    assert program.get(path).text == "reached"


def test_a_page_between_password_and_code_is_closed_to_all_others(
    app: Flask, probe: Callable[..., str]
) -> None:
    path = probe(PASSWORD_GIVEN)
    lead, browser = person_in(app, Role.PAYMENTS_LEAD), Browser(app)
    assert browser.get(path).status_code == 303
    browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    assert browser.get(path).text == "reached"
    browser.submit("/admin/sign-in/code", {"code": browser.next_code(lead)})
    assert browser.get(path).status_code == 303


def test_a_public_page_opens_to_a_browser_with_a_dead_session(
    app: Flask, probe: Callable[..., str]
) -> None:
    path = probe(PUBLIC)
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.AUDITOR))
    browser.clock.advance(timedelta(hours=1))
    assert browser.get(path).text == "reached"


def test_signed_in_is_enough_where_it_is_asked_for(app: Flask, probe: Callable[..., str]) -> None:
    path = probe(SIGNED_IN)
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.AUDITOR))
    assert browser.get(path).text == "reached"


def test_the_table_names_the_roles_behind_a_need() -> None:
    assert roles_holding(Permission.RUNS_RELEASE) == ("payments_lead", "controller")
    assert roles_holding(PUBLIC) == ("anybody",)
    assert roles_holding(SIGNED_IN) == ("everybody signed in",)
