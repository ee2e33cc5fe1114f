"""Forged requests are refused before anything else is looked at."""

from __future__ import annotations

import pytest
from flask import Flask

from seedtrust.core.permissions import Role
from tests.support.doors import ApiClient, Browser, csrf_token, person_in


def test_a_form_without_its_token_is_refused(app: Flask) -> None:
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.AUDITOR))
    assert browser.client.post("/admin/account/sessions/end").status_code == 400
    assert browser.get("/admin/account").status_code == 200


def test_a_token_of_another_browser_is_refused(app: Flask) -> None:
    mine, theirs = Browser(app), Browser(app)
    mine.sign_in(person_in(app, Role.AUDITOR))
    theirs.sign_in(person_in(app, Role.AUDITOR))
    stolen = csrf_token(theirs.get("/admin/account"))
    refused = mine.client.post("/admin/account/sessions/end", data={"csrf_token": stolen})
    assert refused.status_code == 400


@pytest.mark.parametrize("site,status", [("cross-site", 403), ("same-site", 403)])
def test_a_request_that_another_site_sent_is_refused(app: Flask, site: str, status: int) -> None:
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.AUDITOR))
    token = csrf_token(browser.get("/admin/account"))
    refused = browser.client.post(
        "/admin/account/sessions/end",
        data={"csrf_token": token},
        headers={"Sec-Fetch-Site": site},
    )
    assert refused.status_code == status
    assert browser.get("/admin/account").status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_pages_and_typed_addresses_pass(app: Flask, site: str) -> None:
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.AUDITOR))
    token = csrf_token(browser.get("/admin/account"))
    passed = browser.client.post(
        "/admin/account/sessions/end",
        data={"csrf_token": token},
        headers={"Sec-Fetch-Site": site},
    )
    assert passed.status_code == 303


def test_the_api_needs_no_token_and_sets_no_cookie(app: Flask) -> None:
    program = ApiClient(app)
    answer = program.sign_in(person_in(app, Role.DONOR, seed=None))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
