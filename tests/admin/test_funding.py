"""Asking parents for funds through the staff's pages."""

from __future__ import annotations

import pytest

from tests.factories.desk_world import DeskWorld

REASON = "A second clinic has sent its estimate"


def test_a_request_is_prepared_looked_at_sent_and_withdrawn(desk: DeskWorld) -> None:
    browser = desk.of("specialist")
    new = f"/admin/cases/{desk.case}/funding/new"
    assert "nobody outside is told yet" in browser.get(new).text
    made = browser.submit(new, {"amount_cents": "2,500.00", "reason": REASON}, page=new)
    assert made.status_code == 303
    page = made.location or ""
    assert "Look and send" in browser.get(page).text
    sent = browser.submit(f"{page}/send", {"amount_cents": "3,000.00", "due_on": ""}, page=page)
    assert (sent.status_code, sent.location) == (303, page)
    seen = browser.get(page).text
    assert "The request has gone to the parents." in seen
    assert "3,000.00" in seen
    assert "Look and send" not in seen
    overview = browser.get(f"/admin/cases/{desk.case}").text
    assert REASON in overview
    done = browser.submit(f"{page}/withdraw", {"reason": "Not needed"}, page=page)
    assert done.status_code == 303
    assert "Withdrawn" in browser.get(page).text
    assert REASON in browser.get("/admin/funding?state=CANCELLED").text
    assert "3000.00" in browser.get("/admin/funding?format=csv").text


def test_what_was_typed_is_shown_again_beside_the_refusal(desk: DeskWorld) -> None:
    browser = desk.of("specialist")
    new = f"/admin/cases/{desk.case}/funding/new"
    refused = browser.submit(new, {"amount_cents": "1e3", "reason": REASON}, page=new)
    assert refused.status_code == 422
    assert "Enter an amount in dollars and cents" in refused.text
    assert REASON in refused.text
    page = f"/admin/funding/{desk.asked_for_funds()}"
    form = {"amount_cents": "5,000.00", "due_on": "2026-01-01"}
    late = browser.submit(f"{page}/send", form, page=f"{page}/send")
    assert late.status_code == 422
    assert "Choose a day after today." in late.text
    empty = browser.submit(f"{page}/withdraw", {"reason": ""}, page=f"{page}/withdraw")
    assert empty.status_code == 422


def test_a_request_that_was_sent_cannot_be_sent_again(desk: DeskWorld) -> None:
    browser = desk.of("specialist")
    page = f"/admin/funding/{desk.asked_for_funds()}"
    form = {"amount_cents": "5,000.00", "due_on": ""}
    assert browser.submit(f"{page}/send", form, page=page).status_code == 303
    again = browser.submit(f"{page}/send", form, page=page)
    assert again.status_code in {303, 409}
    assert "it cannot become sent from there" in (again.text + browser.get(page).text)


@pytest.mark.parametrize("act", ["send", "withdraw"])
def test_an_auditor_reads_and_does_not_act(desk: DeskWorld, act: str) -> None:
    page = f"/admin/funding/{desk.asked_for_funds()}"
    auditor = desk.of("auditor")
    assert "Look and send" not in auditor.get(page).text
    assert auditor.get(f"{page}/{act}").status_code == 403


def test_an_unknown_request_is_not_found(desk: DeskWorld) -> None:
    assert desk.of("specialist").get("/admin/funding/NOSUCH").status_code == 404


def test_the_rules_are_set_shown_again_and_hold_from_the_stage_of_the_case(desk: DeskWorld) -> None:
    browser, page = desk.of("specialist"), f"/admin/cases/{desk.case}/funding/rules"
    form = {
        "top_up_cents": "2,000.00",
        "minimum_pending_funding": "1,000.00",
        "minimum_cycle_in_progress": "",
        "minimum_post_retrieval": "500.00",
        "due_medication_started": "3,000.00",
    }
    refused = browser.submit(page, form | {"top_up_cents": "-1"}, page=page)
    assert refused.status_code == 422
    assert "500.00" in refused.text
    done = browser.submit(page, form, page=page)
    assert done.status_code == 303
    seen = browser.get(page).text
    assert all(amount in seen for amount in ("2,000.00", "1,000.00", "500.00", "3,000.00"))
    balance = desk.api.program("parent").get(f"/cases/{desk.case}/balance").get_json()
    assert balance["minimum_cents"] == 100_000
    assert desk.of("auditor").get(page).status_code == 403
