"""The page of refusals, and how each of them leaves through both doors."""

from __future__ import annotations

import pytest
from flask import Flask

from scripts import list_errors
from seedtrust.core.errors import DomainError
from seedtrust.web.problems import problem_of


def test_the_page_of_refusals_equals_the_code() -> None:
    written = list_errors.PAGE.read_text(encoding="utf-8")
    assert written == list_errors.page(), "run: python scripts/list_errors.py"


@pytest.mark.parametrize("error", list_errors.refusals(), ids=lambda error: error.code)
def test_each_refusal_becomes_a_whole_problem(error: type[DomainError]) -> None:
    with Flask("test").test_request_context("/api/v1/anything"):
        answer = problem_of(error("Do this instead.", errors={"field": ["Say it."]})).as_json()
    body = answer.get_json()
    assert answer.status_code == body["status"] == error.status
    assert (body["code"], body["type"]) == (error.code, f"urn:seedtrust:problem:{error.code}")
    assert body["detail"] == "Do this instead."
    assert body["errors"] == {"field": ["Say it."]}
    assert ("WWW-Authenticate" in answer.headers) is (error.status == 401)
