"""Asking the bank to stop a payment, on the staff's pages."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.payments.models import (
    PaymentCancellation,
    PaymentInstruction,
    PaymentRun,
    TrustAccount,
)
from seedtrust.domain.payments.ports import HUNTINGTON
from tests.factories.desk_world import DeskWorld


@pytest.fixture
def taken(desk: DeskWorld) -> str:
    """Return a payment that the bank of single payments has accepted."""
    run_ref = desk.locked_run()

    def work(session: Session) -> str:
        run = session.execute(
            select(PaymentRun).where(PaymentRun.reference == run_ref)
        ).scalar_one()
        row = session.execute(
            select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
        ).scalar_one()
        run.state, row.state = "TRANSMITTED", "ACCEPTED"
        session.get_one(TrustAccount, run.trust_account_id).bank_code = HUNTINGTON
        return row.reference

    return desk.api.do(work)


def test_a_lead_with_a_fresh_code_asks_and_the_page_says_what_the_bank_said(
    desk: DeskWorld, taken: str
) -> None:
    page, form = f"/admin/payments/{taken}", f"/admin/payments/{taken}/stop"
    lead = desk.of("payments_lead")
    assert "Ask the bank to stop it" in lead.get(page).text
    assert lead.get(form).status_code == 303
    lead.step_up(desk.api.logins["payments_lead"])
    assert "only as long as it has not sent it on" in lead.get(form).text
    refused = lead.submit(form, {"reason": " "})
    assert refused.status_code == 422
    assert "Say why it should be stopped." in refused.text
    assert lead.submit(form, {"reason": "The contract was ended."}).status_code == 303
    shown = lead.get(page).text
    for words in ("The bank has not said yet", "The contract was ended.", "Stopping it"):
        assert words in shown
    assert form not in shown


def test_a_payment_that_settled_meanwhile_keeps_the_words(desk: DeskWorld, taken: str) -> None:
    lead, form = desk.of("payments_lead"), f"/admin/payments/{taken}/stop"
    lead.step_up(desk.api.logins["payments_lead"])

    def settle(session: Session) -> None:
        row = select(PaymentInstruction).where(PaymentInstruction.reference == taken)
        session.execute(row).scalar_one().state = "SETTLED"

    desk.api.do(settle)
    refused = lead.submit(form, {"reason": "The contract was ended."})
    assert refused.status_code == 409
    assert "It has settled." in refused.text
    assert "The contract was ended." in refused.text
    assert desk.api.do(lambda s: s.execute(select(PaymentCancellation)).first()) is None


def test_who_may_only_look_is_not_offered_it(desk: DeskWorld, taken: str) -> None:
    for who in ("auditor", "specialist"):
        browser = desk.of(who)
        assert "Ask the bank to stop it" not in browser.get(f"/admin/payments/{taken}").text
        assert browser.get(f"/admin/payments/{taken}/stop").status_code == 403
