"""The choice of colours: a cookie that the server reads, so that nothing flashes."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.kit_app import add_page, make_kit_app

PAGE = '{% extends "layouts/base.html" %}{% block title %}Here{% endblock %}'


@pytest.fixture
def app() -> Flask:
    app = make_kit_app()
    app.config["WTF_CSRF_ENABLED"] = False
    add_page(app, "/here", PAGE)
    return app


@pytest.mark.parametrize(
    "cookie, attribute",
    [
        ("light", ' data-bs-theme="light"'),
        ("dark", ' data-bs-theme="dark"'),
        ("system", ""),
        ('"><script>', ""),
        (None, ""),
    ],
)
def test_the_server_sets_the_theme_of_the_cookie(
    app: Flask, cookie: str | None, attribute: str
) -> None:
    client = app.test_client()
    if cookie is not None:
        client.set_cookie("theme", cookie)

    assert f'<html lang="en" class="no-js"{attribute}>' in client.get("/here").text


def test_choosing_keeps_the_cookie_and_goes_back_to_the_page(app: Flask) -> None:
    client = app.test_client()
    response = client.post(
        "/theme", data={"theme": "dark"}, headers={"Referer": "http://localhost/here?q=a"}
    )

    assert (response.status_code, response.location) == (303, "/here?q=a")
    assert 'data-bs-theme="dark"' in client.get("/here").text
    assert "SameSite=Lax" in response.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "referrer", ["https://evil.example/here", "http://localhost//evil.example", "", "javascript:1"]
)
def test_choosing_never_leads_to_another_site(app: Flask, referrer: str) -> None:
    response = app.test_client().post(
        "/theme", data={"theme": "light"}, headers={"Referer": referrer}
    )

    assert response.location == "/"


@pytest.mark.parametrize("theme", ["", "blue", "<b>"])
def test_an_unknown_theme_is_refused(app: Flask, theme: str) -> None:
    assert app.test_client().post("/theme", data={"theme": theme}).status_code == 400


def test_choosing_needs_the_token_of_a_form() -> None:
    app = make_kit_app()

    assert app.test_client().post("/theme", data={"theme": "dark"}).status_code == 400
