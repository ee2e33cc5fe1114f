"""Checking, verifying and approving bank details through the staff's pages."""

from __future__ import annotations

from tests.factories.desk_world import DeskWorld


def test_details_are_checked_called_back_and_approved_by_another_person(desk: DeskWorld) -> None:
    page = f"/admin/payees/accounts/{desk.waiting_account()}"
    checker, lead = desk.browser(desk.builder), desk.of("payments_lead")
    assert "Waiting for a colleague" in lead.get(page).text
    checker.submit(f"{page}/check", page=page)
    assert (
        checker.submit(f"{page}/verify", {"verify-call_back_note": ""}, page=page).status_code
        == 422
    )
    checker.submit(
        f"{page}/verify",
        {"verify-call_back_note": "Called the number on file; confirmed."},
        page=page,
    )
    lead.submit(f"{page}/approve", page=page)
    seen = lead.get(page).text
    assert "It is in use." in seen
    assert "Called the number on file; confirmed." in seen


def test_numbers_are_masked_on_every_page_of_bank_details(desk: DeskWorld) -> None:
    reference = desk.waiting_account()
    payee = desk.api.payees["carrier"]
    whole = f"30041{payee.id % 10_000:04d}"
    browser = desk.of("payments_lead")
    for page in (
        "/admin/payees",
        "/admin/payees?view=all",
        f"/admin/payees/{payee.reference}",
        f"/admin/payees/accounts/{reference}",
    ):
        seen = browser.get(page).text
        assert whole not in seen
        assert f"••••{whole[-4:]}" in seen or "view=all" in page


def test_refusing_needs_a_reason_and_blocking_too(desk: DeskWorld) -> None:
    page = f"/admin/payees/accounts/{desk.activate_account()}"
    lead = desk.of("payments_lead")
    assert lead.submit(f"{page}/block", {"block-reason": ""}, page=page).status_code == 422
    lead.submit(f"{page}/block", {"block-reason": "The bank says it is closed."}, page=page)
    assert "The bank says it is closed." in lead.get(page).text


def test_who_may_only_look_cannot_refuse(desk: DeskWorld) -> None:
    page = f"/admin/payees/accounts/{desk.waiting_account()}"
    answer = desk.of("auditor").submit(f"{page}/reject", {"reject-reason": "No."}, page=page)
    assert answer.status_code == 403


def test_staff_submit_bank_details_and_a_wrong_check_digit_loses_nothing(desk: DeskWorld) -> None:
    payee = desk.api.payees["attorney"].reference
    page = f"/admin/payees/{payee}/account"
    browser = desk.of("specialist")
    form = {
        "holder_name": "Victor Brandt",
        "account_type": "checking",
        "routing_number": "011234507",
        "account_number": "8800442211",
    }
    wrong = browser.submit(page, form)
    assert wrong.status_code == 422
    assert "check digit" in wrong.text
    assert 'value="Victor Brandt"' in wrong.text
    made = browser.submit(page, {**form, "routing_number": "011234506"})
    assert made.status_code == 303, made.text
    seen = browser.get(made.location).text
    assert "••••2211" in seen
    assert "8800442211" not in seen
