"""The description of the API: valid, complete, and the same as what is enforced."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from openapi_spec_validator import validate

from seedtrust.cli import main
from seedtrust.web.guard import Door, route_table


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.get_json()
    return body


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_operation_shows_the_permission_that_is_enforced(
    app: Flask, document: dict[str, Any]
) -> None:
    enforced = {
        (method, route.rule.replace("<", "{").replace(">", "}")): route.need
        for route in route_table(app)
        for method in route.methods
        if route.door is Door.API and not route.rule.endswith(("/openapi.json", "/docs"))
    }
    shown = {name: operation["x-permission"] for name, operation in operations(document).items()}
    assert {name[0]: None for name in shown}.keys() <= {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert shown == {
        (method, path.replace("{path:", "{").replace("{int:", "{")): need
        for (method, path), need in enforced.items()
    }


def test_every_operation_is_summed_up_in_a_line(document: dict[str, Any]) -> None:
    mute = [name for name, operation in operations(document).items() if not operation["summary"]]
    assert mute == []


def test_refusals_are_described_as_problems(document: dict[str, Any]) -> None:
    odd = [
        name
        for name, operation in operations(document).items()
        if operation["responses"]["default"]["$ref"] != "#/components/responses/DEFAULT_ERROR"
    ]
    assert odd == []
    content = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(content) == ["application/problem+json"]


def test_tags_are_words_for_readers(document: dict[str, Any]) -> None:
    names = [tag["name"] for tag in document["tags"]]
    assert "auth" in names
    assert [name for name in names if name.startswith("api_") or "_" in name] == []


def test_the_command_prints_the_same_document(app: Flask, document: dict[str, Any]) -> None:
    data = str(app.extensions["seedtrust"].settings.data_dir)
    printed = CliRunner().invoke(main, ["openapi", "--data", data])
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.output) == document


def test_the_readable_page_loads_nothing_from_elsewhere(app: Flask) -> None:
    page = app.test_client().get("/api/v1/docs")
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(sources) >= 5
    assert [source for source in sources if not source.startswith(("/", "#"))] == []
    served = {app.test_client().get(source).status_code for source in sources if source[0] == "/"}
    assert served == {200}
