"""A payment whose outcome is unknown, and the switch of the rails, on the staff's pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor
from seedtrust.domain.payments import sending
from seedtrust.domain.payments.access import locked_instruction
from seedtrust.domain.payments.calls import keep_call
from seedtrust.domain.payments.models import PaymentInquiry, PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import BankCall
from tests.factories.desk_world import DeskWorld


@pytest.fixture
def lost(desk: DeskWorld) -> str:
    """Return a payment that was sent eleven minutes ago and got no answer."""
    run_ref, moment = desk.locked_run(), desk.api.moment()

    def work(session: Session) -> str:
        run = session.execute(
            select(PaymentRun).where(PaymentRun.reference == run_ref)
        ).scalar_one()
        row = session.execute(
            select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
        ).scalar_one()
        run.state, row.state = "RELEASED", "SUBMITTING"
        session.flush()
        run, row = locked_instruction(session, row.reference)
        actor = Actor.system("tests")
        sending.mark_unknown(session, actor, run, row, word="ReadTimeout", moment=moment)
        session.flush()
        inquiry = session.execute(select(PaymentInquiry)).scalar_one()
        inquiry.unknown_since_at = moment.at - timedelta(minutes=11)
        for verb, outcome, status in (
            ("create_payment", "OutcomeUnknown", 0),
            ("find_payment", "ok", 200),
        ):
            call = BankCall("huntington", verb, row.reference, outcome, status, 5_000, "Silence.")
            keep_call(session, call, now=moment.at)
        return row.reference

    return desk.api.do(work)


def state(desk: DeskWorld, reference: str) -> str:
    """Return where the payment stands."""
    statement = select(PaymentInstruction.state).where(PaymentInstruction.reference == reference)
    return desk.api.do(lambda session: session.execute(statement).scalar_one())


def test_the_page_says_what_is_known_what_was_tried_and_what_comes_next(
    desk: DeskWorld, lost: str
) -> None:
    auditor = desk.of("auditor")
    assert f"/admin/payments/{lost}/unknown" in auditor.get(f"/admin/payments/{lost}").text
    text = auditor.get(f"/admin/payments/{lost}/unknown").text
    for words in (
        "We asked the bank to send this and have not heard whether it did.",
        "Do not pay it again.",
        "Asked the bank to send it",
        "No clear answer",
        "Asked the bank whether it has it",
        "The bank is asked again",
    ):
        assert words in text
    assert "Confirm that it was not sent" not in text


def test_two_people_with_fresh_codes_end_it(desk: DeskWorld, lost: str) -> None:
    page, form = f"/admin/payments/{lost}/unknown", f"/admin/payments/{lost}/not-sent"
    told = {"note": "Ms Oduya of the wire room finds nothing."}
    for who in ("payments_lead", "controller"):
        person = desk.of(who)
        assert "Confirm that it was not sent" in person.get(page).text
        assert person.get(form).status_code == 303
        person.step_up(desk.api.logins[who])
        assert "the payee is paid twice" in person.get(form).text
        refused = person.submit(form, {"note": " "})
        assert refused.status_code == 422
        assert "Say how you know" in refused.text
        assert person.submit(form, told).status_code == 303
        assert told["note"] in person.get(page).text or who == "controller"
    assert state(desk, lost) == "FAILED"
    assert "It is known by now" in desk.of("auditor").get(page).text


def test_one_person_does_not_count_twice_on_the_page_either(desk: DeskWorld, lost: str) -> None:
    lead, form = desk.of("payments_lead"), f"/admin/payments/{lost}/not-sent"
    lead.step_up(desk.api.logins["payments_lead"])
    lead.submit(form, {"note": "Nothing found."})
    again = lead.submit(form, {"note": "Still nothing."})
    assert again.status_code == 409
    assert "A second person has to confirm it as well." in again.text
    assert "Still nothing." in again.text
    assert state(desk, lost) == "UNKNOWN"


def test_a_rail_is_stopped_with_a_reason_and_sends_again(desk: DeskWorld) -> None:
    lead, stop = desk.of("payments_lead"), "/admin/rails/filedrop/wire/stop"
    assert "Sends" in lead.get("/admin/rails").text
    assert lead.submit(stop, {"reason": ""}).status_code == 422
    assert lead.submit(stop, {"reason": "The bank is under attack."}).status_code == 303
    shown = lead.get("/admin/rails").text
    assert "Stopped" in shown
    assert "The bank is under attack." in shown
    lead.submit("/admin/rails/filedrop/wire/lift", page="/admin/rails")
    assert "The rail sends again." in lead.get("/admin/rails").text
    assert lead.get("/admin/rails/filedrop/pigeon/stop").status_code == 404
    assert desk.of("auditor").get(stop).status_code == 403
