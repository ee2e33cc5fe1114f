"""Reviewing requests through the staff's pages."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from tests.factories.api_world import PDF
from tests.factories.desk_world import DeskWorld
from tests.support.doors import csrf_token


def version_on(text: str) -> str:
    """Return the version that the form of acceptance carries."""
    found = re.search(r'name="accept-version"[^>]*value="(\d+)"', text)
    assert found is not None
    return found[1]


def test_a_reviewer_sees_clause_cap_and_money_and_accepts_in_part(desk: DeskWorld) -> None:
    reference = desk.request(20_000)
    page = f"/admin/requests/{reference}"
    browser = desk.of("second")
    seen = browser.get(page)
    assert "$1,500.00</span> is left for this request." in seen.text
    form = {"accept-amount_cents": "150.00", "accept-version": version_on(seen.text)}
    told = browser.submit(
        f"{page}/accept", {**form, "accept-reason": "Six hours are covered."}, page=page
    )
    assert (told.status_code, told.location) == (303, page)
    after = browser.get(page)
    assert "It is now: reserved." in after.text
    assert "$150.00" in after.text


def test_less_than_asked_needs_a_reason_that_the_requester_reads(desk: DeskWorld) -> None:
    page = f"/admin/requests/{desk.request(20_000)}"
    browser = desk.of("second")
    form = {
        "accept-amount_cents": "150.00",
        "accept-version": version_on(browser.get(page).text),
    }
    refused = browser.submit(f"{page}/accept", form, page=page)
    assert refused.status_code == 422
    assert "Give a reason; the people concerned will read it." in refused.text
    assert 'value="150.00"' in refused.text
    assert "Submitted" in browser.get(page).text


@pytest.mark.parametrize("text", ["0", "-5", "1e3", "12.345", "a lot", "1000000000000000", ""])
def test_an_amount_that_makes_no_sense_stays_in_its_field(desk: DeskWorld, text: str) -> None:
    page = f"/admin/requests/{desk.request()}"
    browser = desk.of("second")
    refused = browser.submit(
        f"{page}/accept", {"accept-amount_cents": text, "accept-version": "1"}, page=page
    )
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert f'value="{text}"' in refused.text


def test_somebody_who_looked_too_long_is_asked_to_look_again(desk: DeskWorld) -> None:
    page = f"/admin/requests/{desk.request()}"
    slow, quick = desk.of("second"), desk.of("specialist")
    seen = version_on(slow.get(page).text)
    quick.submit(f"{page}/start", page=page)
    slow.submit(
        f"{page}/accept",
        {"accept-amount_cents": "123.45", "accept-version": seen},
        page=page,
    )
    assert "changed while you were looking at it" in slow.get(page).text


def test_refusing_and_asking_need_words(desk: DeskWorld) -> None:
    page = f"/admin/requests/{desk.request()}"
    browser = desk.of("second")
    for act, field in (("refuse", "refuse-reason"), ("ask", "ask-question")):
        refused = browser.submit(f"{page}/{act}", {field: " "}, page=page)
        assert refused.status_code == 422
        assert "error-summary" in refused.text
    told = browser.submit(f"{page}/ask", {"ask-question": "Which day was it?"}, page=page)
    assert told.status_code == 303
    assert "Which day was it?" in browser.get(page).text


def test_a_lead_sends_a_reserved_request_back_and_holds_it(desk: DeskWorld) -> None:
    page = f"/admin/requests/{desk.ready()}"
    lead = desk.of("payments_lead")
    lead.submit(f"{page}/hold", {"hold-reason": "The payee asked us to wait."}, page=page)
    assert "It is now: on hold." in lead.get(page).text
    desk.of("second").submit(f"{page}/recheck", page=page)
    lead.submit(f"{page}/send-back", {"back-reason": "The receipt is another one."}, page=page)
    assert "It is now: in review." in lead.get(page).text


def test_only_reviewers_may_review(desk: DeskWorld) -> None:
    page = f"/admin/requests/{desk.request()}"
    auditor = desk.of("auditor")
    seen = auditor.get(page)
    assert "An escrow specialist has to review this request." in seen.text
    assert auditor.submit(f"{page}/start", page=page).status_code == 403


def test_staff_ask_on_behalf_and_may_not_review_it_themselves(desk: DeskWorld) -> None:
    asking = desk.of("specialist")
    page = f"/admin/requests/new?case={desk.case}"
    form = {
        "csrf_token": csrf_token(asking.get(page)),
        "category": "mileage",
        "payee": desk.api.payees["carrier"].reference,
        "amount_cents": "42.50",
        "description": "Parking at the clinic",
        "evidence": (BytesIO(PDF), "p.pdf"),
    }
    made = asking.client.post(page, data=form, headers={"Referer": f"http://localhost{page}"})
    assert made.status_code == 303, made.text
    seen = asking.get(made.location)
    assert "so a colleague has to review it" in seen.text
    document = re.search(r'src="(/admin/documents/[A-Z0-9]+)', seen.text)
    assert document is not None
    shown = asking.get(document[1])
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    saved = asking.get(asking.get(f"{document[1]}?save=1").location)
    assert saved.headers["Content-Disposition"].startswith("attachment")


def test_a_request_without_words_is_shown_again_with_what_was_entered(desk: DeskWorld) -> None:
    page = f"/admin/requests/new?case={desk.case}"
    refused = desk.of("specialist").submit(page, {"amount_cents": "12.345", "description": "Taxi"})
    assert refused.status_code == 422
    assert 'value="Taxi"' in refused.text
    assert "Choose who is paid." in refused.text


def test_a_refused_request_keeps_its_case_and_what_was_entered(desk: DeskWorld) -> None:
    page = f"/admin/requests/new?case={desk.case}"
    form = {
        "category": "mileage",
        "payee": desk.api.payees["carrier"].reference,
        "amount_cents": "42.50",
        "description": "Parking at the clinic",
    }
    browser = desk.of("specialist")
    assert browser.submit(page, form).status_code == 303
    twin = browser.submit(page, form)
    assert twin.status_code == 409
    assert "asks for the same amount to the same payee within ten days" in twin.text
    assert 'value="42.50"' in twin.text
    assert 'value="Parking at the clinic"' in twin.text
    again = browser.submit(page, {**form, "duplicate_reason": "The way back"})
    assert again.status_code == 303
    assert again.location.startswith("/admin/requests/")


def test_without_a_case_there_is_nothing_to_ask_for(desk: DeskWorld) -> None:
    answer = desk.of("specialist").get("/admin/requests/new")
    assert (answer.status_code, answer.location) == (303, "/admin/cases?view=open")
