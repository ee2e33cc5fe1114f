"""Refusals on their way out: problem details, messages with a way back, pages, and nothing more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from sqlalchemy.exc import OperationalError

from seedtrust.core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InsufficientFunds,
    Invalid,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from seedtrust.web.guard import PUBLIC, requires
from seedtrust.web.problems import safe_path
from tests.support.doors import csrf_token

Raiser = Callable[[Exception], None]


@pytest.fixture
def refuse_with(app: Flask) -> Raiser:
    """Have `/admin/probe`, `/admin/probe-back` and `/api/v1/probe` raise an error."""
    held: list[Exception] = []
    admin = Blueprint("admin_probe", __name__, url_prefix="/admin")
    api = Blueprint("api_probe", __name__, url_prefix="/api/v1")

    def view(back: str | None = None) -> Callable[[], str]:
        @requires(PUBLIC, back=back)
        def raise_it() -> str:
            raise held[-1]

        return raise_it

    methods = ["GET", "POST"]
    admin.add_url_rule("/probe", "plain", view(), methods=methods)
    admin.add_url_rule("/probe-back", "back", view("admin.welcome_done"), methods=methods)
    api.add_url_rule("/probe", "plain", view(), methods=methods)
    app.register_blueprint(admin)
    app.register_blueprint(api)
    return held.append


def test_the_api_gets_every_member_of_a_problem(app: Flask, refuse_with: Raiser) -> None:
    refuse_with(
        InsufficientFunds(
            "The case has 10.00 available.",
            errors={"amount_cents": ["Enter at most 10.00."]},
            available_cents=1000,
        )
    )
    answer = app.test_client().post("/api/v1/probe", headers={"X-Request-ID": "abcdef-123456"})
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert answer.get_json() == {
        "type": "urn:seedtrust:problem:insufficient_funds",
        "title": "The available balance is too low",
        "status": 409,
        "detail": "The case has 10.00 available.",
        "instance": "abcdef-123456",
        "code": "insufficient_funds",
        "errors": {"amount_cents": ["Enter at most 10.00."]},
        "available_cents": 1000,
    }


def test_facts_never_replace_a_member_of_the_standard(app: Flask, refuse_with: Raiser) -> None:
    refuse_with(Conflict("No.", status=200, code="fine"))
    body = app.test_client().post("/api/v1/probe").get_json()
    assert (body["status"], body["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "error,status,header",
    [
        (Unavailable("The bank does not answer."), 503, "2"),
        (TooManyRequests("Slow down.", retry_after_seconds=7), 429, "7"),
        (NotFound("There is no such case."), 404, None),
    ],
)
def test_waiting_times_travel_in_their_header(
    app: Flask, refuse_with: Raiser, error: DomainError, status: int, header: str | None
) -> None:
    refuse_with(error)
    answer = app.test_client().get("/api/v1/probe")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, header)


@pytest.mark.parametrize("error", [Conflict("Somebody was faster."), Invalid("That is no date.")])
def test_a_refused_form_goes_back_with_a_message(
    app: Flask, refuse_with: Raiser, error: DomainError
) -> None:
    refuse_with(error)
    client = app.test_client()
    token = csrf_token(client.get("/admin/sign-in"))
    answer = client.post(
        "/admin/probe",
        data={"csrf_token": token},
        headers={"Referer": "http://localhost/admin/sign-in"},
    )
    assert (answer.status_code, answer.location) == (303, "/admin/sign-in")
    assert error.detail in client.get("/admin/sign-in").text


@pytest.mark.parametrize(
    "referrer,target",
    [
        ("https://evil.example/admin/", "/admin/welcome"),
        ("http://localhost//evil.example", "/admin/welcome"),
        ("nonsense", "/admin/welcome"),
        (None, "/admin/welcome"),
        ("http://localhost/admin/people?q=x", "/admin/people?q=x"),
    ],
)
def test_a_refused_form_never_leads_to_another_site(
    app: Flask, refuse_with: Raiser, referrer: str | None, target: str
) -> None:
    refuse_with(Conflict("No."))
    client = app.test_client()
    token = csrf_token(client.get("/admin/sign-in"))
    answer = client.post(
        "/admin/probe-back",
        data={"csrf_token": token},
        headers={"Referer": referrer} if referrer else {},
    )
    assert (answer.status_code, answer.location) == (303, target)


def test_a_refused_page_is_a_page(app: Flask, refuse_with: Raiser) -> None:
    refuse_with(Forbidden("Your role does not allow this."))
    answer = app.test_client().get("/admin/probe")
    assert answer.status_code == 403
    assert answer.content_type == "text/html; charset=utf-8"
    assert "Your role does not allow this." in answer.text


def test_an_unforeseen_error_shows_its_number_and_nothing_else(
    app: Flask, refuse_with: Raiser
) -> None:
    refuse_with(RuntimeError("secret detail"))
    for path in ("/admin/probe", "/api/v1/probe"):
        answer = app.test_client().get(path)
        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert "RuntimeError" not in answer.text
        assert answer.headers["X-Request-ID"] in answer.text


def test_a_database_that_is_too_busy_asks_to_come_again(app: Flask, refuse_with: Raiser) -> None:
    refuse_with(OperationalError("SELECT 1", {}, Exception("database is locked")))
    answer = app.test_client().get("/api/v1/probe")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_a_missing_page_is_a_page_and_a_missing_resource_a_problem(app: Flask) -> None:
    page = app.test_client().get("/admin/nowhere")
    resource = app.test_client().get("/api/v1/nowhere")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert (resource.status_code, resource.mimetype) == (404, "application/problem+json")
    assert resource.get_json()["code"] == "not_found"


def test_a_wrong_method_names_the_right_ones(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/auth/token")
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"grant_type": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a": "\\ud800"}',
        b"\xff\xfe",
        b'{"a": 1e999}',
        b"",
    ],
)
def test_broken_json_is_a_bad_request(app: Flask, body: bytes) -> None:
    answer = app.test_client().post(
        "/api/v1/auth/token", data=body, content_type="application/json"
    )
    assert answer.status_code == 400, answer.text


def test_a_body_that_is_too_large_is_refused(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = app.test_client().post("/api/v1/auth/token", json={"grant_type": "x" * 2000})
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "address,path",
    [
        ("/admin/", "/admin/"),
        ("/admin/people?q=a", "/admin/people?q=a"),
        ("http://localhost/admin/", "/admin/"),
        ("", None),
        (None, None),
        ("admin/", None),
        ("//evil.example/", None),
        ("///evil.example/", None),
        ("https://evil.example/", None),
        ("https:/evil.example", None),
        ("http:evil.example", None),
        ("/\\evil.example", None),
        ("/\n/evil.example", None),
        (" /admin/", None),
        ("javascript:alert(1)", None),
        ("http://localhost:9/admin/", None),
        ("http://[::1", None),
        ("ftp://localhost/x", None),
    ],
)
def test_only_our_own_paths_are_safe(app: Flask, address: str | None, path: str | None) -> None:
    with app.test_request_context("/"):
        assert safe_path(address) == path
