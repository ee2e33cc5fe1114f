"""Cases through HTTP: who sees which, and in which words."""

from __future__ import annotations

import pytest
from flask import Flask

from seedtrust.core.ids import new_reference
from seedtrust.domain.cases.states import CaseKind
from tests.factories import api_world
from tests.factories.api_world import FIRM, ApiWorld

PARTIES = ("parent", "carrier", "attorney", "agency_admin")
STAFF = ("specialist", "payments_lead", "controller", "auditor", "legal")


@pytest.mark.parametrize("who", [*PARTIES, *STAFF])
def test_a_case_is_listed_and_shown_to_its_people(world: ApiWorld, who: str) -> None:
    program = world.program(who)
    listed = program.get("/cases").get_json()
    shown = program.get(f"/cases/{world.case}").get_json()
    assert [row["reference"] for row in listed["data"]] == [world.case]
    assert listed["next_cursor"] is None
    assert (shown["reference"], shown["stage"]) == (world.case, "CYCLE_IN_PROGRESS")
    assert shown["number"] == world.world.case.number


def test_staff_read_the_names_of_a_case(world: ApiWorld) -> None:
    shown = world.program("specialist").get(f"/cases/{world.case}").get_json()
    labels = {party["role"]: party["label"] for party in shown["parties"]}
    assert shown["viewer_side"] is None
    assert shown["name"] == "Ashgrove_Quarles"
    assert labels["donor"] == "Delphine Quarles"
    assert not any(party["is_alias"] for party in shown["parties"])


@pytest.mark.parametrize("who,other", [("parent", "donor"), ("carrier", "intended_parent")])
def test_across_the_sides_of_a_donation_stands_an_alias(
    world: ApiWorld, who: str, other: str
) -> None:
    shown = world.program(who).get(f"/cases/{world.case}").get_json()
    hidden = next(party for party in shown["parties"] if party["role"] == other)
    mine = next(party for party in shown["parties"] if party["is_me"])
    assert hidden["is_alias"]
    assert hidden["label"].startswith(("Donor ", "Recipient "))
    assert (hidden["email"], hidden["place"]) == ("", "")
    assert mine["label"] == world.logins[who].name
    assert shown["name"] == f"Case {world.world.case.number}"


def test_the_course_of_a_case_is_told_stage_by_stage(world: ApiWorld) -> None:
    shown = world.program("parent").get(f"/cases/{world.case}").get_json()
    progress = {step["stage"]: step["progress"] for step in shown["stages"]}
    milestones = {one["code"]: one["occurred_on"] for one in shown["milestones"]}
    assert progress["PENDING_FUNDING"] == "done"
    assert progress["CYCLE_IN_PROGRESS"] == "current"
    assert progress["CLOSED"] == "upcoming"
    assert milestones["agreement_executed"] == "2026-02-18"


def test_the_donor_does_not_learn_what_the_parents_keep(world: ApiWorld) -> None:
    parent = world.program("parent").get(f"/cases/{world.case}").get_json()
    donor = world.program("carrier").get(f"/cases/{world.case}").get_json()
    assert parent["funding_required_cents"] == 2_850_000
    assert donor["funding_required_cents"] is None
    assert donor["minimum_balance_cents"] is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/balance",
        "/schedule",
        "/documents",
        "/payees",
        "/final-accounting",
        "/disbursement-requests",
    ],
)
def test_a_foreign_case_looks_like_a_missing_one(app: Flask, world: ApiWorld, path: str) -> None:
    foreign = api_world.build(app, kind=CaseKind.SURROGACY)
    program = world.program("carrier")
    refused = program.get(f"/cases/{foreign.case}{path}")
    missing = program.get(f"/cases/{new_reference()}{path}")
    told = [
        (answer.status_code, answer.get_json()["code"], answer.get_json()["detail"])
        for answer in (refused, missing)
    ]
    assert told[0] == told[1]
    assert told[0][:2] == (404, "not_found")


def test_nobody_acts_on_a_foreign_case(app: Flask, world: ApiWorld) -> None:
    foreign = api_world.build(app, kind=CaseKind.SURROGACY)
    asked = foreign.ask("carrier", category="mileage")
    reference = asked.get_json()["reference"]
    mine = world.program("carrier")
    refused = [
        mine.get(f"/disbursement-requests/{reference}"),
        world.act("carrier", reference, "withdraw"),
        world.act("parent", reference, "approve"),
        world.act("parent", reference, "deny", reason="No"),
        mine.post(
            f"/cases/{foreign.case}/disbursement-requests",
            world.body(),
            key=api_world.new_key(),
        ),
        mine.post(f"/cases/{foreign.case}/certifications", {}, key=api_world.new_key()),
    ]
    codes = {(answer.status_code, answer.get_json()["code"]) for answer in refused}
    assert codes == {(404, "not_found")}


def test_staff_see_every_case_and_filter_them(app: Flask, world: ApiWorld) -> None:
    second = api_world.build(app, kind=CaseKind.SURROGACY)
    program = world.program("specialist")
    everything = program.get("/cases").get_json()["data"]
    surrogacies = program.get("/cases?kind=surrogacy").get_json()["data"]
    number = world.world.case.number
    searched = program.get(f"/cases?search={number}").get_json()["data"]
    assert [row["reference"] for row in everything] == [second.case, world.case]
    assert [row["reference"] for row in surrogacies] == [second.case]
    assert [row["reference"] for row in searched] == [world.case]
    assert program.get("/cases?stage=CLOSED").get_json()["data"] == []
    assert len(program.get("/cases?stage=CLOSED&stage=CYCLE_IN_PROGRESS").get_json()["data"]) == 1


def test_pages_of_cases_add_up_to_the_whole(app: Flask, world: ApiWorld) -> None:
    others = [api_world.build(app).case for _ in range(2)]
    program = world.program("specialist")
    found, cursor = [], None
    while True:
        query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = program.get("/cases", query_string=query).get_json()
        found += [row["reference"] for row in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [*reversed(others), world.case]


@pytest.mark.parametrize("query", ["stage=NOWHERE", "kind=adoption", "limit=0", "cursor=made-up"])
def test_a_filter_that_makes_no_sense_names_itself(world: ApiWorld, query: str) -> None:
    refused = world.program("specialist").get(f"/cases?{query}")
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (422, "invalid")
    assert next(iter(problem["errors"])).startswith(query.partition("=")[0])


@pytest.mark.parametrize("who", ["parent", "carrier"])
def test_only_staff_search_by_name(world: ApiWorld, who: str) -> None:
    path = "/cases?search=Quarles"
    assert world.program(who).get(path).get_json()["data"] == []
    assert len(world.program("specialist").get(path).get_json()["data"]) == 1


def test_the_schedule_waits_for_its_milestone(world: ApiWorld) -> None:
    item = world.program("carrier").get(f"/cases/{world.case}/schedule").get_json()["data"][0]
    assert (item["amount_cents"], item["due_on"], item["state"]) == (240_000, None, "WAITING")
    assert item["waits_for"] == "Injectable medication started"


def test_payees_are_those_whom_the_caller_may_name(world: ApiWorld) -> None:
    found = {
        who: world.program(who).get(f"/cases/{world.case}/payees").get_json()["data"]
        for who in ("carrier", "agency_admin", "attorney", "specialist")
    }
    assert [(row["name"], row["is_me"]) for row in found["carrier"]] == [("Delphine Quarles", True)]
    assert FIRM in {row["name"] for row in found["agency_admin"]}
    assert "Psychologist" in {row["name"] for row in found["attorney"]}
    assert "Rosalind Ashgrove" not in {row["name"] for row in found["attorney"]}
    assert len(found["specialist"]) == 5


def test_the_list_of_categories_says_what_opens_them(world: ApiWorld) -> None:
    rows = world.program("carrier").get("/reference/categories").get_json()["data"]
    found = {row["code"]: row for row in rows}
    assert found["lost_wages"]["opened_by"][0]["code"] == "agreement_executed"
    assert found["lost_wages"]["can_be_requested"]
    assert not found["closing_refund"]["can_be_requested"]
