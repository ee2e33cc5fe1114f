"""The description of the API: valid, complete, and the one that was reviewed."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests.support.doors import ApiClient
from tests.support.source import ROOT

SNAPSHOT = ROOT / "docs" / "openapi.json"
HOW = "run: seedtrust openapi > docs/openapi.json, and look at what changed"
PROBLEM = "application/problem+json"


@pytest.fixture
def description(app: Flask) -> dict[str, Any]:
    answer = ApiClient(app).get("/openapi.json")
    found: dict[str, Any] = answer.get_json()
    return found


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every operation by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_the_description_is_valid_openapi(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    validate(description)


def test_every_operation_says_what_it_does_needs_and_refuses(description: dict[str, Any]) -> None:
    found = operations(description)
    assert len(found) > 30
    for name, operation in found.items():
        assert operation["summary"].endswith("."), name
        assert operation["x-permission"], name
        assert operation["tags"], name
        assert "default" in operation["responses"], name


def test_every_refusal_is_a_problem(description: dict[str, Any]) -> None:
    odd = []
    for name, operation in operations(description).items():
        if "/auth/" in name:
            continue  # OAuth's own bodies
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                continue
            reference = answer["$ref"].rpartition("/")[2]
            content = description["components"]["responses"][reference]["content"]
            if list(content) != [PROBLEM]:
                odd.append(f"{name} {status}")
    assert odd == []


def test_every_write_that_makes_something_takes_a_key(description: dict[str, Any]) -> None:
    without = {
        name
        for name, operation in operations(description).items()
        if name.startswith("POST")
        and "/auth/" not in name
        and "/me/" not in name
        and "Idempotency-Key"
        not in {parameter["name"] for parameter in operation.get("parameters", [])}
    }
    assert without == set()


def test_money_is_whole_cents_and_no_number_of_the_database_is_shown(
    description: dict[str, Any],
) -> None:
    schemas = description["components"]["schemas"]
    members = {
        f"{schema}.{member}": what
        for schema, described in schemas.items()
        for member, what in described.get("properties", {}).items()
    }
    money = {name: what for name, what in members.items() if name.endswith("_cents")}
    assert len(money) > 20
    assert all("integer" in what["type"] for what in money.values())
    # OAuth's own parameter of that name is taken and ignored.
    ours = members.keys() - {"TokenInput.client_id"}
    assert [name for name in ours if name.endswith((".id", "_id"))] == []


def test_the_committed_description_is_the_one_that_is_served(description: dict[str, Any]) -> None:
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == description, HOW


def test_the_command_prints_the_same() -> None:
    printed = subprocess.run(
        [str(ROOT / ".venv/bin/seedtrust"), "openapi"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert json.loads(printed.stdout) == json.loads(SNAPSHOT.read_text(encoding="utf-8")), HOW


def test_the_readable_page_runs_files_of_ours_only(app: Flask) -> None:
    page = app.test_client().get("/api/v1/docs")
    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "<script>" not in page.text
    for address in ("swagger-ui.js", "swagger-ui.css", "api-docs.js"):
        assert f"/{address}" in page.text
