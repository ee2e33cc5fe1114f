"""Strict fields of the API: amounts, texts, references, instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from marshmallow import ValidationError, fields

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.schemas import Input, Instant, Output, Reference, StrictAmountCents, Text, dump
from seedtrust.core.ids import new_reference
from seedtrust.core.money import MAX_AMOUNT_CENTS
from seedtrust.web.guard import PUBLIC, requires
from tests.support.doors import ApiClient


class ProbeLineInput(Input):
    """One line with an amount."""

    amount_cents = StrictAmountCents(required=True)


class ProbeInput(Input):
    """A body with an amount, a text and lines."""

    amount_cents = StrictAmountCents(required=True)
    memo = Text(max_length=10, load_default="")
    case = Reference(load_default=None)
    lines = fields.List(fields.Nested(ProbeLineInput), load_default=[])


@pytest.fixture
def program(app: Flask) -> ApiClient:
    blueprint = ApiBlueprint("probe", description="For tests")

    @blueprint.route("/probe", methods=["POST"])
    @requires(PUBLIC)
    @blueprint.arguments(ProbeInput)
    @blueprint.response(200)
    def probe(values: dict[str, Any]) -> dict[str, Any]:
        return {"amount_cents": values["amount_cents"]}

    app.extensions["flask-smorest"]["apis"][""]["ext_obj"].register_blueprint(blueprint)
    return ApiClient(app)


@pytest.mark.parametrize("amount", [1, 100, MAX_AMOUNT_CENTS])
def test_a_whole_number_of_cents_passes(program: ApiClient, amount: int) -> None:
    assert program.post("/probe", {"amount_cents": amount}).get_json() == {"amount_cents": amount}


@pytest.mark.parametrize(
    "literal",
    [
        "0",
        "-1",
        "1e3",
        "12.345",
        "100.0",
        '"100"',
        '"text"',
        "1000000000000000",
        "true",
        "null",
        "[1]",
        "{}",
        "10000000000",
    ],
)
def test_every_other_amount_is_refused_with_its_own_code(program: ApiClient, literal: str) -> None:
    refused = program.call(
        "POST",
        "/probe",
        data=f'{{"amount_cents": {literal}}}',
        content_type="application/json",
    )
    problem = refused.get_json()
    assert refused.status_code == 422
    assert list(problem["errors"]) == ["amount_cents"]
    assert problem["code"] == "invalid_amount"


def test_an_amount_inside_a_line_is_named_by_its_path(program: ApiClient) -> None:
    refused = program.post(
        "/probe", {"amount_cents": 1, "lines": [{"amount_cents": 1}, {"amount_cents": 0}]}
    )
    problem = refused.get_json()
    assert problem["code"] == "invalid_amount"
    assert problem["errors"] == {"lines.1.amount_cents": ["Enter an amount above zero."]}
    assert problem["detail"] == "Enter an amount above zero."


def test_several_faults_are_told_at_once(program: ApiClient) -> None:
    problem = program.post("/probe", {"memo": "x" * 11, "extra": 1}).get_json()
    assert problem["code"] == "invalid"
    assert set(problem["errors"]) == {"amount_cents", "memo", "extra"}


@pytest.mark.parametrize("memo", ["a\x00b", "a\x1bb", "a\x7fb"])
def test_characters_that_cannot_be_printed_are_refused(program: ApiClient, memo: str) -> None:
    problem = program.post("/probe", {"amount_cents": 1, "memo": memo}).get_json()
    assert list(problem["errors"]) == ["memo"]


@pytest.mark.parametrize("memo", ["", "two\nlines", "caf\u00e9", "\U0001f600"])
def test_ordinary_text_passes(program: ApiClient, memo: str) -> None:
    assert program.post("/probe", {"amount_cents": 1, "memo": memo}).status_code == 200


def test_a_reference_with_a_typing_error_is_refused(program: ApiClient) -> None:
    good = new_reference()
    assert program.post("/probe", {"amount_cents": 1, "case": good}).status_code == 200
    swapped = good[:-1] + ("A" if good[-1] != "A" else "B")
    problem = program.post("/probe", {"amount_cents": 1, "case": swapped}).get_json()
    assert list(problem["errors"]) == ["case"]


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "1"])
def test_a_body_that_is_no_object_is_refused(program: ApiClient, body: str) -> None:
    refused = program.call("POST", "/probe", data=body, content_type="application/json")
    assert refused.status_code in {400, 422}
    assert refused.get_json()["code"] in {"bad_request", "invalid"}


def test_instants_are_written_in_utc_with_a_z() -> None:
    class At(Output):
        at = Instant()

    assert dump(At, {"at": datetime(2026, 1, 5, 15, tzinfo=UTC)}) == {"at": "2026-01-05T15:00:00Z"}


def test_answers_may_grow_and_requests_may_not() -> None:
    class Grown(Output):
        known = fields.Integer()

    assert Grown().load({"known": 1, "new": 2}) == {"known": 1}
    with pytest.raises(ValidationError, match="Unknown field"):
        ProbeLineInput().load({"amount_cents": 1, "new": 2})
