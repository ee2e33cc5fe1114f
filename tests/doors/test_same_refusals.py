"""One refusal, one code and one sentence, whichever door the request comes through.

Programs read the code; staff read the sentence on the page that they are sent back to.
"""

from __future__ import annotations

from datetime import date
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Milestone, Stage
from seedtrust.domain.terms.states import Category
from tests.factories import api_world, case_world
from tests.factories.api_world import ApiWorld

AMOUNTS = ["0", "-1", "1e3", "12.345", "text", "1000000000000000", ""]


@pytest.fixture
def world(app: Flask) -> ApiWorld:
    """Return a case whose contract has a clause that no milestone has opened yet."""
    made = api_world.build(app)

    def work(session: Session) -> None:
        case_world.propose(
            session,
            made.world,
            category=Category.CANCELLED_CYCLE,
            cap_cents=100_000,
            trigger=Milestone.CYCLE_CANCELLED,
            on=date(2026, 2, 20),
        )
        case_world.activate(session, made.world, on=date(2026, 2, 20))

    made.do(work)
    return made


def close(world: ApiWorld) -> None:
    def work(session: Session) -> None:
        case = session.get_one(Case, world.world.case.id)
        case.stage, case.closed_on = Stage.CLOSED.value, date(2026, 2, 20)

    world.do(work)


def by_program(world: ApiWorld, **changes: Any) -> dict[str, Any]:
    """Ask as an escrow specialist through the API and return the problem."""
    refused = world.ask("specialist", **changes)
    problem: dict[str, Any] = refused.get_json()
    assert refused.status_code >= 400, problem
    return problem


def by_page(world: ApiWorld, amount: str = "123.45", category: str = "lost_wages") -> str:
    """Ask as the same person on the staff's page and return what the next page says."""
    path = f"/admin/requests/new?case={world.case}"
    browser = world.browser("specialist")
    answer = browser.submit(
        path,
        {
            "category": category,
            "payee": world.payees["carrier"].reference,
            "amount_cents": amount,
            "description": "8 hours at the clinic",
        },
    )
    while answer.status_code == 303:
        answer = browser.get(answer.headers["Location"])
    return unescape(answer.text)


@pytest.mark.parametrize(
    "code,api,page",
    [
        ("over_cap", {"amount_cents": 150_001}, {"amount": "1,500.01"}),
        ("category_locked", {"category": "cancelled_cycle"}, {"category": "cancelled_cycle"}),
    ],
)
def test_a_request_against_the_contract(
    world: ApiWorld, code: str, api: dict[str, Any], page: dict[str, str]
) -> None:
    problem = by_program(world, **api)
    assert problem["code"] == code
    assert problem["detail"] in by_page(world, **page)


def test_a_request_on_a_closed_case(world: ApiWorld) -> None:
    close(world)
    problem = by_program(world)
    assert problem["code"] == "case_closed"
    assert problem["detail"] in by_page(world)


def test_the_same_amount_to_the_same_payee(world: ApiWorld) -> None:
    world.ask()
    problem = by_program(world)
    assert problem["code"] == "duplicate_suspected"
    assert problem["detail"] in by_page(world)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_that_is_none_is_refused_on_the_page(world: ApiWorld, amount: str) -> None:
    told = by_page(world, amount=amount)
    assert "Enter an amount" in told or "Enter at most" in told
    path = f"/cases/{world.case}/disbursement-requests"
    assert world.program("specialist").get(path).get_json()["data"] == []


@pytest.mark.parametrize("cents,typed", [(0, "0"), (10**15, "10000000000000")])
def test_an_amount_out_of_range_has_one_sentence(world: ApiWorld, cents: int, typed: str) -> None:
    problem = by_program(world, amount_cents=cents)
    assert problem["code"] == "invalid_amount"
    assert problem["detail"] in by_page(world, amount=typed)
