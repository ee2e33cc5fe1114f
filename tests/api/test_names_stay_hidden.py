"""Neither side of a donation finds the other in any answer of the API that it can read.

Every route that reads is called with everything that the caller can name, so a new one joins by
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask

from seedtrust.domain.cases.states import Milestone
from seedtrust.web.guard import Door, route_table
from tests.factories import api_world, case_world
from tests.factories.api_world import ApiWorld, new_key

DONORS = ("Quarles", "Delphine", "Brandt", "Willamette", "5520917734", "323171904", "stub-quarles")
PARENTS = ("Ashgrove", "Rosalind", "Charles River", "7719204418", "211370600", "plan-ashgrove")
# The donor's attorney stands on the donor's side.
HIDDEN_FROM = {"parent": DONORS, "carrier": PARENTS, "attorney": PARENTS}


@pytest.fixture
def world(app: Flask) -> ApiWorld:
    """Return a case in which everybody has written the other side's names wherever they can."""
    made = api_world.build(app)
    for who, bank, routing, number in (
        ("parent", "Charles River Savings", "211370600", "7719204418"),
        ("agency_admin", "Beacon Street Bank", "011234506", "4400187263"),
    ):
        body = {
            "payee": made.payees[who].reference,
            "account_type": "checking",
            "holder_name": made.logins[who].name,
            "bank_name": bank,
            "routing_number": routing,
            "account_number": number,
        }
        answer = made.program(who).post("/me/payee-accounts", body, key=new_key())
        assert answer.status_code == 201
    _papers(made)
    _requests(made)
    case_world_note(made)
    return made


def case_world_note(world: ApiWorld) -> None:
    on = date(2026, 2, 20)
    world.do(
        lambda session: case_world.happen(session, world.world, Milestone.MEDICATION_STARTED, on=on)
    )


def _papers(world: ApiWorld) -> None:
    assert world.upload("carrier", title="stub-quarles.pdf").status_code == 201
    assert world.upload("parent", title="plan-ashgrove.pdf").status_code == 201
    for visibility, title in (("recipient", "Itinerary"), ("carrier", "Calendar")):
        made = world.upload("specialist", title=title, visibility=visibility)
        assert made.status_code == 201


def _requests(world: ApiWorld) -> None:
    told = world.ask(
        "carrier", amount_cents=5_000, description="Lunch, Delphine Quarles and Victor Brandt"
    )
    assert told.status_code == 201
    bill = world.ask(
        "agency_admin",
        payee="carrier",
        category="mileage",
        amount_cents=6_000,
        description="Miles of Quarles, told to Rosalind Ashgrove",
        lines=[{"description": "Delphine to Ashgrove and back", "amount_cents": 6_000}],
        duplicate_reason="Quarles went twice; Ashgrove knows",
    )
    assert bill.status_code == 201
    waiting = world.accepted(amount_cents=7_000)
    denied = world.act("parent", waiting, "deny", reason="Says Rosalind Ashgrove")
    assert denied.status_code == 200
    approved = world.act("parent", world.accepted(amount_cents=8_000), "approve")
    assert approved.status_code == 200


def addresses(world: ApiWorld, who: str) -> Iterator[str]:
    """Give every address that somebody can read, with everything that they can name."""
    program, case = world.program(who), world.case
    references = {
        "/disbursement-requests/<reference>": f"/cases/{case}/disbursement-requests?limit=200",
        "/documents/<reference>": f"/cases/{case}/documents",
    }
    for route in route_table(world.app):
        if route.door is not Door.API or "GET" not in route.methods:
            continue
        rule = route.rule.removeprefix("/api/v1")
        if rule in references:
            listed = program.get(references[rule]).get_json()["data"]
            for row in listed:
                yield rule.replace("<reference>", row["reference"])
        elif "<reference>" not in rule:
            yield rule.replace("<case>", case)


@pytest.mark.parametrize("who", list(HIDDEN_FROM))
def test_no_answer_tells_one_side_who_the_other_is(world: ApiWorld, who: str) -> None:
    found, read = [], 0
    for address in addresses(world, who):
        answer = world.program(who).get(address)
        if address.startswith(("/docs", "/openapi.json")):
            continue
        read += answer.status_code == 200
        # Files are bytes; a name would still be spelled in them.
        text = answer.data.decode("utf-8", "replace") + str(answer.headers)
        found += [f"{address}: {word}" for word in HIDDEN_FROM[who] if word in text]
    assert read >= 8
    assert found == []


def test_staff_do_read_the_names_so_the_search_can_find_them(world: ApiWorld) -> None:
    texts = "".join(
        world.program("specialist").get(address).data.decode("utf-8", "replace")
        for address in addresses(world, "specialist")
    )
    for word in ("Quarles", "Delphine", "Ashgrove", "Rosalind", "stub-quarles", "plan-ashgrove"):
        assert word in texts
