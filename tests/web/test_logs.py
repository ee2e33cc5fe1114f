"""What is logged, and what never is."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from seedtrust.core.permissions import Role
from seedtrust.settings import Settings
from seedtrust.web.logs import MASK, configure_logs, redact
from tests.support.doors import Browser, person_in


def test_values_of_secret_keys_are_dropped_at_any_depth() -> None:
    event = {
        "event": "sent",
        "password": "a",
        "Authorization": "b",
        "X-Api-Key": "c",
        "nested": {"refresh_token": "d", "list": [{"account_number": "e"}, "kept"]},
        "totp_secret": ["f"],
        "count": 3,
    }
    written = json.dumps(redact(None, "info", event))
    assert json.loads(written) == {
        "event": "sent",
        "password": MASK,
        "Authorization": MASK,
        "X-Api-Key": MASK,
        "nested": {"refresh_token": MASK, "list": [{"account_number": MASK}, "kept"]},
        "totp_secret": MASK,
        "count": 3,
    }


def test_signing_in_leaves_no_secret_in_the_log(
    app: Flask, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs(settings.model_copy(update={"log_format": "json"}))
    lead, browser = person_in(app, Role.PAYMENTS_LEAD), Browser(app)
    browser.sign_in(lead)
    cookie = browser.client.get_cookie("seedtrust")
    written = capfd.readouterr().err
    assert cookie is not None
    assert '"route": "/admin/sign-in/code"' in written
    for secret in (lead.password, str(lead.seed), cookie.value, lead.email, lead.name):
        assert secret not in written


def test_a_failure_is_logged_without_the_values_of_variables(
    app: Flask, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    from seedtrust.web.guard import PUBLIC, requires

    def fail() -> str:
        local_secret = "canary-7731"
        raise RuntimeError(len(local_secret))

    app.add_url_rule("/fail", "fail", requires(PUBLIC)(fail))
    for log_format in ("json", "columns"):
        configure_logs(settings.model_copy(update={"log_format": log_format}))
        assert app.test_client().get("/fail").status_code == 500
    written = capfd.readouterr().err
    assert written.count("request.failed") >= 2
    assert settings.secret_key.get_secret_value() not in written


def test_one_json_line_per_request(
    app: Flask, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs(settings.model_copy(update={"log_format": "json"}))
    capfd.readouterr()
    app.test_client().get("/health/live", headers={"X-Request-ID": "from-the-proxy"})
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["request"]
    assert lines[0]["request_id"] == "from-the-proxy"
    assert lines[0]["status"] == 200


@pytest.mark.parametrize("offered", ["short", "x" * 65, "line\\nbreak", "a b c d e f", ""])
def test_a_strange_request_id_is_replaced(app: Flask, offered: str) -> None:
    answer = app.test_client().get("/health/live", headers={"X-Request-ID": offered})
    assert answer.headers["X-Request-ID"] != offered
    assert len(answer.headers["X-Request-ID"]) == 32
