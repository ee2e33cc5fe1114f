"""Security headers on every answer."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask, Response, jsonify, make_response

from seedtrust.web.headers import PAGE_POLICY, extend_policy, render_policy
from tests.web.kit_app import make_kit_app

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; manifest-src 'self'"
)


@pytest.fixture
def app() -> Flask:
    app = make_kit_app()
    docs = Blueprint("docs", __name__)
    docs.add_url_rule("/docs", "page", lambda: "<p>docs</p>")
    app.register_blueprint(docs)
    app.add_url_rule("/page", "page", lambda: "<p>page</p>")
    app.add_url_rule("/data", "data", lambda: jsonify(balance_cents=1))
    app.add_url_rule("/own", "own", _own)
    return app


def _own() -> Response:
    response = make_response("<p>own</p>")
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


@pytest.mark.parametrize("path", ["/page", "/data", "/missing", "/own"])
def test_every_answer_carries_the_fixed_headers(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_a_page_gets_the_strict_policy_without_inline_script_or_style(app: Flask) -> None:
    policy = app.test_client().get("/page").headers["Content-Security-Policy"]

    assert policy == STRICT
    assert policy == render_policy(PAGE_POLICY)
    assert "unsafe" not in policy


def test_an_error_page_gets_the_same_policy(app: Flask) -> None:
    assert app.test_client().get("/missing").headers["Content-Security-Policy"] == STRICT


def test_data_may_load_nothing_at_all(app: Flask) -> None:
    policy = app.test_client().get("/data").headers["Content-Security-Policy"]

    assert policy == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/page", "/data", "/missing"])
def test_what_people_see_is_never_stored(app: Flask, path: str) -> None:
    response = app.test_client().get(path)

    assert response.headers["Cache-Control"] == "no-store"
    assert {"Cookie", "Authorization"} <= set(response.vary)


def test_one_blueprint_may_widen_its_own_policy_and_no_other(app: Flask) -> None:
    extend_policy(app, "docs", {"style-src-attr": "'unsafe-inline'"})
    extend_policy(app, "docs", {"worker-src": "'self'"})
    client = app.test_client()

    assert client.get("/docs").headers["Content-Security-Policy"] == (
        STRICT + "; style-src-attr 'unsafe-inline'; worker-src 'self'"
    )
    assert client.get("/page").headers["Content-Security-Policy"] == STRICT


def test_a_view_that_sets_a_header_itself_is_left_alone(app: Flask) -> None:
    headers = app.test_client().get("/own").headers

    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Cache-Control"] == "private, max-age=60"


def test_transport_security_is_promised_over_https_only(app: Flask) -> None:
    client = app.test_client()

    assert "Strict-Transport-Security" not in client.get("/page").headers
    assert client.get("/page", base_url="https://localhost").headers[
        "Strict-Transport-Security"
    ] == ("max-age=63072000; includeSubDomains")
