"""One refusal, one code and one sentence, whichever door the request comes through.

Programs read the code; staff read the sentence on the page that they are sent back to.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Milestone, Stage
from seedtrust.domain.disbursements import review
from seedtrust.domain.disbursements.errors import AlreadyDecided
from seedtrust.domain.identity.models import UserRole
from seedtrust.domain.payments import release
from seedtrust.domain.payments.errors import BuilderCannotRelease
from seedtrust.domain.terms.states import Category
from tests.factories import api_world, case_world, desk_world
from tests.factories.api_world import ApiWorld, new_key
from tests.factories.identity import actor_for

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


@pytest.mark.parametrize("cents", [0, -1, 1e3, 12.345, "text", 10**15, True, None])
def test_an_amount_that_is_none_is_refused_to_programs(world: ApiWorld, cents: object) -> None:
    refused = world.ask("specialist", amount_cents=cents)
    problem = refused.get_json()
    assert refused.status_code == 422
    assert list(problem["errors"]) == ["amount_cents"]
    path = f"/cases/{world.case}/disbursement-requests"
    assert world.program("specialist").get(path).get_json()["data"] == []


@pytest.mark.parametrize("number", ["011234507", "12345", "99999999X"])
def test_a_routing_number_with_a_wrong_check_digit(world: ApiWorld, number: str) -> None:
    """Staff submit for a payee on its page, parties their own through the API."""
    details = {
        "holder_name": "Rosalind Ashgrove",
        "account_type": "checking",
        "routing_number": number,
        "account_number": "8800442211",
    }
    payee = world.payees["parent"].reference
    problem = (
        world.program("parent")
        .post("/me/payee-accounts", {**details, "payee": payee, "bank_name": ""}, key=new_key())
        .get_json()
    )
    assert problem["code"] == "invalid_routing_number"
    page = world.browser("specialist").submit(f"/admin/payees/{payee}/account", details)
    assert page.status_code == 422
    assert problem["detail"] in unescape(page.text)
    assert f'value="{number}"' in page.text


def test_whoever_built_a_run_cannot_release_it(app: Flask) -> None:
    """Runs are released by staff alone, on their page: no API route releases anything.

    Nobody holds both roles at once; whoever built it has become a lead meanwhile.
    """
    desk = desk_world.build(app)
    run = desk.locked_run()

    def promoted(session: Session) -> None:
        held = session.query(UserRole).filter_by(user_id=desk.builder.user_id).one()
        held.role = Role.PAYMENTS_LEAD.value

    desk.api.do(promoted)

    def refused(session: Session) -> BuilderCannotRelease:
        lead = actor_for(session, replace(desk.builder, roles=frozenset({Role.PAYMENTS_LEAD})))
        with pytest.raises(BuilderCannotRelease) as caught:
            release.release_run(
                session,
                lead,
                run_ref=run,
                content_hash="",
                moment=desk.api.moment(),
                step_up_seconds=300,
            )
        return caught.value

    refusal = desk.api.do(refused)
    assert refusal.code == "builder_cannot_release"
    browser, page = desk.browser(desk.builder), f"/admin/runs/{run}/release"
    browser.step_up(desk.builder)
    browser.submit(page, {"content_hash": "0" * 64})
    assert refusal.detail in unescape(browser.get(page).text)


def test_nobody_approves_a_second_time(world: ApiWorld) -> None:
    """Parents and agencies approve, through the API alone: the staff's pages have no such act."""
    reference = world.accepted()
    assert world.act("parent", reference, "approve").status_code == 200
    problem = world.act("parent", reference, "approve").get_json()
    assert problem["code"] == "already_decided"

    def again(session: Session) -> AlreadyDecided:
        with pytest.raises(AlreadyDecided) as caught:
            review.approve(
                session, world.world.parent, request_ref=reference, moment=world.moment()
            )
        return caught.value

    refusal = world.do(again)
    assert (refusal.code, refusal.detail) == (problem["code"], problem["detail"])
    pages = {rule.rule for rule in world.app.url_map.iter_rules() if "/admin/" in rule.rule}
    assert [rule for rule in pages if rule.endswith("/approve") and "requests" in rule] == []
