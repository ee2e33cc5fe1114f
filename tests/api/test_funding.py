"""Money into a case through HTTP: what was asked for, what came in, and who may read it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.funding import asking
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.funding.service import Receipt, receive
from seedtrust.domain.funding.states import ReceiptRail
from tests.factories.api_world import TODAY, ApiWorld

BANK = Actor.system("tests")


def asked(world: ApiWorld, cents: int, *, send: bool = True) -> str:
    """Ask the parents for money."""
    moment = world.moment()

    def work(session: Session) -> str:
        row = asking.draft_request(
            session,
            world.world.specialist,
            case_ref=world.case,
            amount_cents=cents,
            reason="A second clinic has sent its estimate",
            moment=moment,
        )
        if send:
            asking.send_request(
                session, world.world.specialist, funding_ref=row.reference, moment=moment
            )
        return row.reference

    return world.do(work)


def came_in(world: ApiWorld, cents: int, reference: str, rail: ReceiptRail) -> str:
    """Have the bank tell of money for the case."""
    moment, account_id = world.moment(), world.world.case.trust_account_id
    receipt = Receipt(account_id, "main", "main", reference, cents, "R. Ash", world.case, TODAY)
    return world.do(lambda session: receive(session, BANK, receipt, rail, moment=moment).reference)


def listed(world: ApiWorld, who: str, path: str, **query: str) -> list[dict[str, object]]:
    """Return a list of the case."""
    answer = world.program(who).get(f"/cases/{world.case}/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, object]] = answer.get_json()["data"]
    return rows


def test_parents_read_what_they_were_asked_for_and_no_draft(world: ApiWorld) -> None:
    sent, draft = asked(world, 500_000), asked(world, 100, send=False)
    came_in(world, 200_000, "L1", ReceiptRail.WIRE)
    (row,) = listed(world, "parent", "funding-requests")
    assert (row["reference"], row["state"]) == (sent, "PART_FUNDED")
    assert (row["amount_cents"], row["received_cents"], row["open_cents"]) == (
        500_000,
        200_000,
        300_000,
    )
    assert (row["sent_on"], row["due_on"]) == ("2026-02-20", "2026-03-02")
    inside = [one["reference"] for one in listed(world, "specialist", "funding-requests")]
    assert inside == [draft, sent]


def test_deposits_say_from_when_they_can_be_spent_and_that_they_came_back(world: ApiWorld) -> None:
    came_in(world, 200_000, "L1", ReceiptRail.WIRE)
    came_in(world, 300_000, "L2", ReceiptRail.CHECK)
    came_in(world, 400_000, "L3", ReceiptRail.CHECK)
    said = DepositReturn("main", "main", "L3", 400_000, "NSF", "L4", TODAY)
    moment = world.moment()
    world.do(lambda session: return_deposit(session, BANK, said, moment=moment))
    rows = listed(world, "parent", "deposits")
    assert [
        (row["rail"], row["state"], row["available_on"], row["returned_on"]) for row in rows
    ] == [
        ("check", "RETURNED", None, "2026-02-20"),
        ("check", "RECEIVED", "2026-02-27", None),
        ("wire", "COLLECTED", "2026-02-20", None),
        ("wire", "COLLECTED", "2026-01-22", None),
    ]
    first = listed(world, "agency_admin", "deposits", limit="1")
    assert first == rows[:1]


def test_the_forecast_says_by_when_how_much_is_needed(world: ApiWorld) -> None:
    def work(session: Session) -> None:
        case = session.merge(world.world.case)
        case.minimum_balance_cents = 3_000_000

    world.do(work)
    body = world.program("parent").get(f"/cases/{world.case}/forecast").get_json()
    assert (body["shortfall_on"], body["shortfall_cents"]) == ("2026-02-20", 150_000)
    assert (body["needed_by_on"], body["first_shortfall_cents"]) == ("2026-02-20", 150_000)


@pytest.mark.parametrize("path", ["funding-requests", "deposits"])
@pytest.mark.parametrize("who", ["carrier", "attorney"])
def test_the_donors_side_reads_nothing_of_it(world: ApiWorld, who: str, path: str) -> None:
    refused = world.program(who).get(f"/cases/{world.case}/{path}")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
