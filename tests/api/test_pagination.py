"""Lists by cursor: whole, in order, and closed to cursors of others."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from marshmallow import fields

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.pagination import PageQuery, Position, page_of, paginate
from seedtrust.api.schemas import Output
from seedtrust.web.guard import PUBLIC, requires
from tests.support.doors import ApiClient

NUMBERS = range(1, 8)


class NumberOutput(Output):
    """One number of the list."""

    number = fields.Integer(required=True)


@pytest.fixture
def program(app: Flask) -> ApiClient:
    """Return a program at an application with two lists of seven numbers."""
    blueprint = ApiBlueprint("probe", description="For tests")

    def page(query: dict[str, Any]) -> dict[str, Any]:
        def fetch(after: Position | None, limit: int) -> list[dict[str, int]]:
            start = int(after[0] or 0) if after else 0
            return [{"number": number} for number in NUMBERS if number > start][:limit]

        return paginate(query, fetch, position=lambda item: [item["number"]])

    @blueprint.route("/numbers")
    @requires(PUBLIC)
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(NumberOutput))
    def numbers(query: dict[str, Any]) -> dict[str, Any]:
        return page(query)

    @blueprint.route("/others")
    @requires(PUBLIC)
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(NumberOutput))
    def others(query: dict[str, Any]) -> dict[str, Any]:
        return page(query)

    app.extensions["flask-smorest"]["apis"][""]["ext_obj"].register_blueprint(blueprint)
    return ApiClient(app)


def walk(program: ApiClient, limit: int) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        body = program.get("/numbers", query_string=query).get_json()
        pages.append([item["number"] for item in body["data"]])
        cursor = body["next_cursor"]
        if cursor is None:
            return pages


@pytest.mark.parametrize(
    "limit,pages",
    [
        (3, [[1, 2, 3], [4, 5, 6], [7]]),
        (7, [[1, 2, 3, 4, 5, 6, 7]]),
        (200, [[1, 2, 3, 4, 5, 6, 7]]),
        (1, [[1], [2], [3], [4], [5], [6], [7]]),
    ],
)
def test_pages_hold_every_item_once_in_order(
    program: ApiClient, limit: int, pages: list[list[int]]
) -> None:
    assert walk(program, limit) == pages


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", ""])
def test_a_bad_limit_names_its_field(program: ApiClient, limit: str) -> None:
    refused = program.get("/numbers", query_string={"limit": limit})
    assert refused.status_code == 422
    assert "limit" in refused.get_json()["errors"]


@pytest.mark.parametrize("cursor", ["x", "WzNd.forged", "a" * 501, "\u00e9"])
def test_a_forged_cursor_is_refused(program: ApiClient, cursor: str) -> None:
    refused = program.get("/numbers", query_string={"cursor": cursor})
    assert refused.status_code == 422
    assert "cursor" in refused.get_json()["errors"]


def test_a_cursor_is_good_for_its_own_list_only(program: ApiClient) -> None:
    cursor = program.get("/numbers", query_string={"limit": 2}).get_json()["next_cursor"]
    refused = program.get("/others", query_string={"cursor": cursor})
    assert refused.status_code == 422


def test_an_unknown_parameter_is_ignored(program: ApiClient) -> None:
    assert program.get("/numbers", query_string={"unknown": "1"}).status_code == 200
