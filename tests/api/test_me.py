"""Who the caller is, through HTTP."""

from __future__ import annotations

import pytest
from flask import Flask

from seedtrust.core.permissions import Role
from seedtrust.domain.identity import second_factor
from tests.factories.identity import Person
from tests.support.doors import ApiClient, person_in


@pytest.fixture
def parent(app: Flask) -> Person:
    return person_in(app, Role.INTENDED_PARENT, seed=None)


@pytest.fixture
def program(app: Flask, parent: Person) -> ApiClient:
    client = ApiClient(app)
    client.sign_in(parent)
    return client


def test_me_shows_account_roles_and_reach(program: ApiClient, parent: Person) -> None:
    body = program.get("/me").get_json()
    assert body["reference"] == parent.reference
    assert body["display_name"] == parent.name
    assert body["kind"] == "party"
    assert body["roles"] == ["intended_parent"]
    assert body["permissions"]["requests.approve"] == "own"
    assert "runs.release" not in body["permissions"]


def test_me_shows_no_number_of_the_database(program: ApiClient, parent: Person) -> None:
    assert str(parent.user_id) not in program.get("/me").text


def test_somebody_outside_can_set_up_an_authenticator(
    app: Flask, program: ApiClient, parent: Person
) -> None:
    begun = program.post("/me/mfa/totp")
    seed = begun.get_json()["secret"]
    assert begun.status_code == 201
    refused = program.post("/me/mfa/totp/confirm", {"code": "000000"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "code_refused")
    code = second_factor.code_at(seed, program.clock.now())
    assert program.post("/me/mfa/totp/confirm", {"code": code}).status_code == 204
    assert program.get("/me").get_json()["has_second_factor"] is True
    asked = ApiClient(app).token(
        grant_type="password", username=parent.email, password=parent.password
    )
    assert asked.get_json()["error"] == "mfa_required"
    again = program.post("/me/mfa/totp")
    assert (again.status_code, again.get_json()["code"]) == (409, "already_enrolled")


@pytest.mark.parametrize("body", [{}, {"code": 123456}, {"code": "1"}, {"code": "123456", "x": 1}])
def test_a_code_of_the_wrong_shape_names_its_field(
    program: ApiClient, body: dict[str, object]
) -> None:
    program.post("/me/mfa/totp")
    refused = program.post("/me/mfa/totp/confirm", body)
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (422, "invalid")
    assert list(problem["errors"]) == ["x" if "x" in body else "code"]
