"""Asking for money through HTTP, and every answer and refusal on the way."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from seedtrust.core.ids import new_reference
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements import review
from tests.factories import api_world
from tests.factories.api_world import ApiWorld, new_key


def test_a_donor_asks_for_the_own_payment(world: ApiWorld) -> None:
    asked = world.ask()
    body = asked.get_json()
    assert asked.status_code == 201
    assert (body["state"], body["amount_cents"]) == ("SUBMITTED", 12_345)
    assert (body["payee"], body["requester"]) == ("Delphine Quarles", "Delphine Quarles")
    assert body["is_requester"]
    assert body["requested_on"] == "2026-02-20"
    shown = world.program("carrier").get(f"/disbursement-requests/{body['reference']}").get_json()
    assert shown == body


def test_lines_and_evidence_come_along(world: ApiWorld) -> None:
    document = world.upload("carrier").get_json()["reference"]
    lines = [
        {"description": "Miles", "amount_cents": 5_000},
        {"description": "Parking", "amount_cents": 7_345},
    ]
    body = world.ask(lines=lines, documents=[document]).get_json()
    assert [line["amount_cents"] for line in body["lines"]] == [5_000, 7_345]
    assert [one["reference"] for one in body["evidence"]] == [document]


@pytest.mark.parametrize(
    "literal",
    ["0", "-1", "1e3", "12.345", '"12.50"', '"text"', "1000000000000000", "true", "null", "[]"],
)
def test_an_amount_that_is_none_is_refused_under_one_code(world: ApiWorld, literal: str) -> None:
    raw = json.dumps(world.body(amount_cents="HERE")).replace('"HERE"', literal)
    refused = world.program("carrier").call(
        "POST",
        f"/cases/{world.case}/disbursement-requests",
        data=raw,
        content_type="application/json",
        headers={"Idempotency-Key": new_key()},
    )
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (422, "invalid_amount")
    assert list(problem["errors"]) == ["amount_cents"]
    assert refused.content_type == "application/problem+json"
    assert listed(world) == []


def listed(world: ApiWorld, who: str = "specialist") -> list[str]:
    path = f"/cases/{world.case}/disbursement-requests"
    return [row["reference"] for row in world.program(who).get(path).get_json()["data"]]


def test_an_amount_left_out_is_refused_too(world: ApiWorld) -> None:
    body = world.body()
    del body["amount_cents"]
    path = f"/cases/{world.case}/disbursement-requests"
    refused = world.program("carrier").post(path, body, key=new_key())
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid_amount")


def test_an_amount_of_a_line_is_named_by_its_place(world: ApiWorld) -> None:
    refused = world.ask(lines=[{"description": "One", "amount_cents": 0}])
    assert refused.get_json()["code"] == "invalid_amount"
    assert list(refused.get_json()["errors"]) == ["lines.0.amount_cents"]


@pytest.mark.parametrize(
    "changes,field,code",
    [
        ({"lines": [{"description": "One", "amount_cents": 1}]}, "lines", "invalid"),
        ({"category": "holidays"}, "category", "invalid"),
        ({"category": "escrow_fee"}, "category", "invalid"),
        ({"category": "screening_bonus"}, "category", "category_locked"),
        ({"amount_cents": 150_001}, "amount_cents", "over_cap"),
        ({"description": "  "}, "description", "invalid"),
        ({"pay_on": 20260220}, "pay_on", "invalid"),
        ({"pay_on": "soon"}, "pay_on", "invalid"),
        ({"documents": ["x"]}, "documents.0", "invalid"),
        ({"colour": "red"}, "colour", "invalid"),
    ],
)
def test_a_request_that_cannot_be_names_its_field(
    world: ApiWorld, changes: dict[str, Any], field: str, code: str
) -> None:
    refused = world.ask(**changes)
    problem = refused.get_json()
    assert problem["code"] == code
    assert refused.status_code == (409 if code == "category_locked" else 422)
    assert list(problem["errors"]) == [field]
    assert problem["detail"]
    assert listed(world) == []


def test_what_is_left_of_a_cap_is_told(world: ApiWorld) -> None:
    world.ask(amount_cents=100_000)
    refused = world.ask(amount_cents=50_001)
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (422, "over_cap")
    assert problem["remaining_cents"] == 50_000
    assert world.ask(amount_cents=50_000).status_code == 201


def test_a_payee_of_somebody_else_cannot_be_named(world: ApiWorld) -> None:
    refused = world.ask(payee="firm")
    unknown = world.ask(documents=[new_reference()])
    assert list(refused.get_json()["errors"]) == ["payee"]
    assert unknown.status_code == 404


def test_a_closed_case_takes_no_request(world: ApiWorld) -> None:
    def close(session: Session) -> None:
        case = session.get_one(Case, world.world.case.id)
        case.stage, case.closed_on = Stage.CLOSED.value, date(2026, 2, 20)

    world.do(close)
    refused = world.ask()
    assert (refused.status_code, refused.get_json()["code"]) == (409, "case_closed")


def test_the_same_amount_twice_needs_a_reason(world: ApiWorld) -> None:
    first = world.ask().get_json()["reference"]
    refused = world.ask()
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (409, "duplicate_suspected")
    assert problem["other_request"] == first
    assert world.ask(duplicate_reason="Another day of work").status_code == 201


def test_a_repeated_call_makes_one_request(world: ApiWorld) -> None:
    key = new_key()
    first, again = world.ask(key=key), world.ask(key=key)
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(listed(world)) == 1


def test_a_key_of_another_request_is_refused(world: ApiWorld) -> None:
    key = new_key()
    world.ask(key=key)
    refused = world.ask(key=key, amount_cents=5)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "idempotency_key_reused")
    assert len(listed(world)) == 1


def test_without_a_key_nobody_asks(world: ApiWorld) -> None:
    path = f"/cases/{world.case}/disbursement-requests"
    refused = world.program("carrier").post(path, world.body())
    assert (refused.status_code, refused.get_json()["code"]) == (400, "idempotency_key_missing")


def test_a_draft_is_submitted_later(world: ApiWorld) -> None:
    draft = world.ask(as_draft=True).get_json()
    assert draft["state"] == "DRAFT"
    submitted = world.act("carrier", draft["reference"], "submit")
    assert submitted.get_json()["state"] == "SUBMITTED"
    again = world.act("carrier", draft["reference"], "submit")
    assert (again.status_code, again.get_json()["code"]) == (409, "wrong_state")


def test_who_asked_takes_it_back(world: ApiWorld) -> None:
    reference = world.ask().get_json()["reference"]
    other = world.act("agency_admin", reference, "withdraw")
    assert other.status_code == 404
    taken = world.act("carrier", reference, "withdraw", reason="Paid by my insurance")
    assert (taken.status_code, taken.get_json()["state"]) == (200, "CANCELLED")
    again = world.act("carrier", reference, "withdraw")
    assert (again.status_code, again.get_json()["code"]) == (409, "wrong_state")


def test_a_question_is_answered(world: ApiWorld) -> None:
    reference = world.ask().get_json()["reference"]
    world.do(
        lambda session: review.ask(
            session,
            world.world.specialist,
            request_ref=reference,
            question="Which days?",
            moment=world.moment(),
        )
    )
    shown = world.program("carrier").get(f"/disbursement-requests/{reference}").get_json()
    assert (shown["state"], shown["reason"]) == ("NEEDS_INFO", "Which days?")
    empty = world.act("carrier", reference, "answer", reason="")
    assert (empty.status_code, list(empty.get_json()["errors"])) == (422, ["reason"])
    answered = world.act("carrier", reference, "answer", reason="Monday and Tuesday")
    assert answered.get_json()["state"] == "IN_REVIEW"


def test_a_parent_approves_what_the_escrow_has_accepted(world: ApiWorld) -> None:
    reference = world.accepted()
    shown = world.program("parent").get(f"/disbursement-requests/{reference}").get_json()
    assert shown["label"] == "Waiting for approval"
    approved = world.act("parent", reference, "approve", version=shown["version"])
    body = approved.get_json()
    assert (approved.status_code, body["state"]) == (200, "READY")
    assert (body["label"], body["approved_by"]) == ("Approved", ["Rosalind Ashgrove"])
    balance = world.program("parent").get(f"/cases/{world.case}/balance").get_json()
    assert (balance["reserved_cents"], balance["available_cents"]) == (40_000, 2_810_000)


def test_nobody_approves_twice(world: ApiWorld) -> None:
    reference = world.accepted()
    world.act("parent", reference, "approve")
    again = world.act("parent", reference, "approve")
    denied = world.act("parent", reference, "deny", reason="Changed my mind")
    codes = [(answer.status_code, answer.get_json()["code"]) for answer in (again, denied)]
    assert codes == [(409, "already_decided")] * 2


def test_an_approval_of_what_has_changed_is_refused(world: ApiWorld) -> None:
    reference = world.accepted()
    stale = world.act("parent", reference, "approve", version=1)
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale_version")


@pytest.mark.parametrize(
    "who,status,code",
    [
        ("agency_admin", 409, "approver_is_related"),
        ("carrier", 403, "forbidden"),
        ("attorney", 403, "forbidden"),
        ("specialist", 403, "forbidden"),
        ("auditor", 403, "forbidden"),
    ],
)
def test_only_a_parent_approves(world: ApiWorld, who: str, status: int, code: str) -> None:
    reference = world.accepted()
    refused = world.act(who, reference, "approve")
    assert (refused.status_code, refused.get_json()["code"]) == (status, code)


def test_a_denial_needs_a_reason_and_tells_it(world: ApiWorld) -> None:
    reference = world.accepted()
    empty = world.act("parent", reference, "deny", reason="")
    assert (empty.status_code, list(empty.get_json()["errors"])) == (422, ["reason"])
    denied = world.act("parent", reference, "deny", reason="We agreed on another firm")
    assert denied.get_json()["state"] == "DENIED"
    told = world.program("agency_admin").get(f"/disbursement-requests/{reference}").get_json()
    assert told["reason"] == "We agreed on another firm"


def test_the_donor_sees_neither_bills_nor_answers_of_others(world: ApiWorld) -> None:
    reference = world.accepted()
    hidden = world.program("carrier").get(f"/disbursement-requests/{reference}")
    assert (hidden.status_code, hidden.get_json()["code"]) == (404, "not_found")
    assert listed(world, "carrier") == []
    assert listed(world, "parent") == [reference]


def test_the_list_is_filtered_and_paged_to_the_whole(world: ApiWorld) -> None:
    made = [world.ask(amount_cents=1_000 + n).get_json()["reference"] for n in range(5)]
    draft = world.ask(amount_cents=2_000, as_draft=True).get_json()["reference"]
    program, path = world.program("carrier"), f"/cases/{world.case}/disbursement-requests"
    drafts = program.get(f"{path}?state=DRAFT").get_json()["data"]
    assert [row["reference"] for row in drafts] == [draft]
    found, cursor = [], None
    while True:
        query = {"limit": "2", "state": "SUBMITTED"} | ({"cursor": cursor} if cursor else {})
        page = program.get(path, query_string=query).get_json()
        found += [row["reference"] for row in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == list(reversed(made))
    everywhere = program.get("/disbursement-requests").get_json()["data"]
    assert [row["reference"] for row in everywhere] == [draft, *reversed(made)]
    assert program.get(f"{path}?state=NOWHERE").status_code == 422


def test_requests_of_other_cases_are_not_in_the_list(app: Flask, world: ApiWorld) -> None:
    other = api_world.build(app)
    mine, theirs = world.ask().get_json()["reference"], other.ask().get_json()["reference"]
    found = world.program("carrier").get("/disbursement-requests").get_json()["data"]
    staff = world.program("specialist").get("/disbursement-requests").get_json()["data"]
    assert [row["reference"] for row in found] == [mine]
    assert [row["reference"] for row in staff] == [theirs, mine]


def test_words_about_the_other_side_are_read_as_aliases(world: ApiWorld) -> None:
    told = "Lunch with Rosalind Ashgrove after the visit of Ashgrove's lawyer"
    reference = world.ask(description=told).get_json()["reference"]
    path = f"/disbursement-requests/{reference}"
    own = world.program("carrier").get(path).get_json()["description"]
    staff = world.program("specialist").get(path).get_json()["description"]
    attorney = world.program("attorney").get(f"/cases/{world.case}/disbursement-requests")
    assert own == staff == told
    assert "Ashgrove" not in attorney.text
