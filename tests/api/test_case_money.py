"""The money of a case through HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger.service import Posting, credit, debit, post_many
from seedtrust.domain.terms.states import Category
from tests.factories import case_world
from tests.factories.api_world import TODAY, ApiWorld


def spend(world: ApiWorld, count: int) -> None:
    """Book some payments of different amounts."""

    def work(session: Session) -> None:
        for number in range(count):
            case_world.pay(session, world.world, 100 + number, Category.MILEAGE, on=TODAY)

    world.do(work)


@pytest.mark.parametrize("who", ["parent", "agency_admin", "specialist", "auditor"])
def test_the_balance_is_told_in_full(world: ApiWorld, who: str) -> None:
    body = world.program(who).get(f"/cases/{world.case}/balance").get_json()
    assert body == {
        "case": world.case,
        "as_of_on": "2026-02-20",
        "visibility": "full",
        "is_sufficient": True,
        "ledger_cents": 2_850_000,
        "reserved_cents": 0,
        "uncollected_cents": 0,
        "available_cents": 2_850_000,
        "minimum_cents": 0,
    }


def test_the_donor_learns_that_the_money_suffices_and_no_figure(world: ApiWorld) -> None:
    body = world.program("carrier").get(f"/cases/{world.case}/balance").get_json()
    assert (body["visibility"], body["is_sufficient"]) == ("sufficient", True)
    assert {value for name, value in body.items() if name.endswith("_cents")} == {None}


@pytest.mark.parametrize("path", ["ledger", "forecast", "proof-of-funds"])
@pytest.mark.parametrize("who", ["carrier", "attorney"])
def test_the_donors_side_reads_no_ledger(world: ApiWorld, who: str, path: str) -> None:
    refused = world.program(who).get(f"/cases/{world.case}/{path}")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")


def test_a_line_of_the_ledger_says_what_moved(world: ApiWorld) -> None:
    spend(world, 1)
    lines = world.program("parent").get(f"/cases/{world.case}/ledger").get_json()["data"]
    first, second = lines
    assert (first["type"], first["category"], first["effective_on"]) == (
        "DEPOSIT",
        "funding",
        "2026-01-22",
    )
    assert (first["amount_cents"], first["balance_cents"]) == (2_850_000, 2_850_000)
    assert first["counterparty"] == "Rosalind Ashgrove"
    assert (second["type"], second["category"]) == ("DISBURSEMENT", "mileage")
    assert (second["amount_cents"], second["balance_cents"]) == (-100, 2_849_900)


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [1, 3, 200])
def test_pages_of_the_ledger_add_up_to_the_whole(world: ApiWorld, limit: int, order: str) -> None:
    spend(world, 6)
    program, path = world.program("parent"), f"/cases/{world.case}/ledger"
    whole = program.get(path).get_json()["data"]
    found, cursor = [], None
    while True:
        query = {"limit": str(limit), "order": order} | ({"cursor": cursor} if cursor else {})
        page = program.get(path, query_string=query).get_json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    running = 0
    for line in whole:
        running += line["amount_cents"]
        assert line["balance_cents"] == running
    assert found == (whole if order == "oldest" else whole[::-1])


def test_a_cursor_of_another_list_is_refused(world: ApiWorld) -> None:
    spend(world, 2)
    program = world.program("parent")
    path = f"/cases/{world.case}/ledger"
    cursor = program.get(f"{path}?limit=1").get_json()["next_cursor"]
    refused = program.get(f"/cases/{world.case}/disbursement-requests?cursor={cursor}")
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["cursor"])
    assert program.get(f"{path}?order=sideways").status_code == 422


def test_the_forecast_goes_from_the_past_to_what_is_coming(world: ApiWorld) -> None:
    world.ask(amount_cents=50_000, pay_on="2026-03-02")
    body = world.program("parent").get(f"/cases/{world.case}/forecast").get_json()
    past = [point for point in body["points"] if point["is_past"]]
    coming = [point for point in body["points"] if not point["is_past"]]
    assert past[-1]["balance_cents"] == 2_850_000
    assert coming[-1] == {
        "on": "2026-03-02",
        "balance_cents": 2_800_000,
        "label": "8 hours at the clinic",
        "is_past": False,
    }
    assert body["shortfall_on"] is None


def test_a_forecast_of_a_long_history_begins_with_the_balance_of_today(world: ApiWorld) -> None:
    account = world.world.case.ledger_account_id

    def work(session: Session) -> None:
        cash = chart.account_id(session, "trust", chart.bank_cash_code("main"))
        legs = (debit(cash, 100), credit(account, 100))
        postings = [Posting("DEPOSIT", f"many:{n}", TODAY, legs) for n in range(1_001)]
        post_many(session, Actor.system("tests"), postings, now=world.moment().at)

    world.do(work)
    body = world.program("parent").get(f"/cases/{world.case}/forecast").get_json()
    assert body["points"][-1]["balance_cents"] == 2_850_000 + 100_100


def test_a_forecast_calls_the_other_side_by_its_alias(world: ApiWorld) -> None:
    world.ask(description="Invoice of Delphine Quarles", pay_on="2026-03-02")
    program = world.program("parent")
    told = program.get(f"/cases/{world.case}/forecast").text
    assert "Quarles" not in told
    assert "Quarles" in world.program("specialist").get(f"/cases/{world.case}/forecast").text


def test_funds_are_proved_against_bank_and_all_owners(world: ApiWorld) -> None:
    body = world.program("parent").get(f"/cases/{world.case}/proof-of-funds").get_json()
    assert (body["case_ledger_cents"], body["trust_total_cents"]) == (2_850_000, 2_850_000)
    assert (body["book_cents"], body["adjusted_bank_cents"]) == (2_850_000, 2_850_000)
    assert body["bank_book_owners_agree"]
    assert (body["statement_on"], body["statement_cents"]) == (None, None)
