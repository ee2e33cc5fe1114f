"""Returns and corrections on the staff's pages: what came back, why, and what to do next."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.desk.returns import Meter
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import locked_run, move_run
from seedtrust.domain.payments.corrections import Noted, note_correction
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction
from seedtrust.domain.payments.returns import apply_return
from seedtrust.domain.payments.states import InstructionState, RunState
from seedtrust.formats import nacha
from tests.factories.api_world import wiring_of
from tests.factories.desk_world import DeskWorld
from tests.factories.identity import Person
from tests.support.doors import person_in
from tests.support.queries import MOST, counted

SYSTEM = Actor.system("tests")


def came_back(desk: DeskWorld, code: str = "R03", payments: int = 1) -> str:
    """Have payments of the donor settle and the first come back; return its reference."""
    run_ref = desk.locked_run(payments)
    moment = desk.api.moment()

    def work(session: Session) -> str:
        run = locked_run(session, run_ref)
        move_run(run, RunState.RELEASED)
        move_run(run, RunState.TRANSMITTED)
        rows = life.of_run(session, run.id)
        for row in rows:
            for state in (InstructionState.RELEASED, InstructionState.SUBMITTING):
                life.step(session, SYSTEM, row, state, moment=moment)
        life.mark_sent(session, SYSTEM, rows, moment=moment)
        life.mark_settled(session, SYSTEM, rows, settled_on=moment.today, moment=moment)
        apply_return(
            session,
            SYSTEM,
            run,
            rows[0],
            code=code,
            amount_cents=rows[0].amount_cents,
            returned_on=moment.today,
            moment=moment,
        )
        return rows[0].reference

    return desk.api.do(work)


def correction(desk: DeskWorld, code: str = "C01", **values: str) -> str:
    """Have the bank correct the donor's account; return the notification's reference."""
    run_ref = desk.locked_run()
    moment = desk.api.moment()
    values = values or {"account_number": "99887766554"}

    def work(session: Session) -> str:
        run = locked_run(session, run_ref)
        payment = life.of_run(session, run.id)[0].reference
        data = nacha.corrected_data(code, **values)
        noted = Noted("", payment, code, data, moment.today - timedelta(days=1))
        keys = wiring_of(desk.app).keyring
        row = note_correction(session, SYSTEM, noted, keyring=keys, moment=moment)
        assert row is not None
        return row.reference

    return desk.api.do(work)


def second_lead(desk: DeskWorld) -> Person:
    """Hire somebody who may propose and decide."""
    return person_in(desk.app, Role.PAYMENTS_LEAD)


def test_a_return_says_why_what_follows_and_what_to_do_next(desk: DeskWorld) -> None:
    payment = came_back(desk, "R03", payments=3)
    lead = desk.of("payments_lead")
    listed = lead.get("/admin/returns").text
    assert "The bank finds no such account" in listed
    assert "1 return to deal with" in listed
    seen = lead.get(f"/admin/payments/{payment}").text
    for words in ("What happens next", "Ask the payee for new bank details", "Blocked", "R03"):
        assert words in seen
    assert "The payee&#39;s account is blocked." in seen
    assert "1 of 3, 33.33 %" in lead.get("/admin/payments").text
    assert "limit 3 %" in lead.get("/admin/today").text
    codes = lead.get("/admin/returns/codes").text
    assert "R16" in codes
    assert "twice more within 180 days" in codes.lower()


def test_a_payees_pages_show_what_is_held_and_two_people_unblock(desk: DeskWorld) -> None:
    came_back(desk, "R02")
    desk.ready(7_700)
    payee = desk.api.payees["carrier"].reference
    page = f"/admin/payees/accounts/{desk.waiting_account()}"
    specialist, lead = desk.browser(desk.builder), desk.of("payments_lead")
    for place in (f"/admin/payees/{payee}", page):
        seen = lead.get(place).text
        assert "Nothing is paid to this payee now" in seen
        assert "2 payments are held" in seen
        assert "77.00" in seen
    assert "This account is blocked" in lead.get(page).text
    empty = specialist.submit(f"{page}/unblock", {"unblock-reason": ""}, page=page)
    assert empty.status_code == 422
    assert "Say why; it is kept with the account." in empty.text
    specialist.submit(f"{page}/unblock", {"unblock-reason": "The bank erred."}, page=page)
    assert "You asked to use this account again" in specialist.get(page).text
    assert "The bank erred." in lead.get(page).text
    assert lead.submit(f"{page}/unblock/refuse", {"stay-reason": ""}, page=page).status_code == 422
    lead.submit(f"{page}/unblock/refuse", {"stay-reason": "Call again."}, page=page)
    specialist.submit(f"{page}/unblock", {"unblock-reason": "Called again."}, page=page)
    lead.submit(f"{page}/unblock/confirm", page=page)
    seen = lead.get(page).text
    assert "The account is in use again." in seen
    assert "held" not in seen


def test_what_came_back_is_paid_again_from_its_page(desk: DeskWorld) -> None:
    payment = came_back(desk, "R01")
    lead = desk.of("payments_lead")
    page = f"/admin/requests/{desk.api.do(lambda s: request_of(s, payment))}"
    assert lead.submit(f"{page}/reissue", {"reissue-reason": ""}, page=page).status_code == 422
    lead.submit(f"{page}/reissue", {"reissue-reason": "The account works."}, page=page)
    assert "It is now: reserved." in lead.get(page).text


def request_of(session: Session, payment: str) -> str:
    """Return the reference of a payment's request."""
    return session.execute(
        select(DisbursementRequest.reference)
        .join(PaymentInstruction, PaymentInstruction.request_id == DisbursementRequest.id)
        .where(PaymentInstruction.reference == payment)
    ).scalar_one()


def test_paying_again_to_a_blocked_account_is_refused_and_keeps_the_words(desk: DeskWorld) -> None:
    payment = came_back(desk, "R04")
    lead = desk.of("payments_lead")
    page = f"/admin/requests/{desk.api.do(lambda s: request_of(s, payment))}"
    lead.submit(f"{page}/reissue", {"reissue-reason": "Try again."}, page=page)
    seen = lead.get(page).text
    assert "is blocked. Ask for new bank details" in seen
    assert "Returned by bank" in seen


def test_a_correction_is_proposed_and_applied_by_two_people(desk: DeskWorld) -> None:
    reference = correction(desk)
    page = f"/admin/returns/corrections/{reference}"
    specialist, lead = desk.browser(desk.builder), desk.of("payments_lead")
    assert "bank correction to look at" in specialist.get("/admin/today").text
    assert reference in specialist.get("/admin/returns/corrections").text
    seen = specialist.get(page).text
    assert "••••6554" in seen
    assert "99887766554" not in seen
    assert "On file when we paid" in seen
    specialist.submit(f"{page}/propose", page=page)
    assert "so another person has to apply it" in specialist.get(page).text
    assert "to apply as a second person" in lead.get("/admin/today").text
    assert lead.submit(f"{page}/back", {"back-reason": ""}, page=page).status_code == 422
    lead.submit(f"{page}/back", {"back-reason": "Ask the donor first."}, page=page)
    assert "Ask the donor first." in specialist.get(page).text
    specialist.submit(f"{page}/propose", page=page)
    lead.submit(f"{page}/apply", page=page)
    assert "The corrected account is in use" in lead.get(page).text
    payee = desk.api.payees["carrier"].reference
    assert "••••6554" in lead.get(f"/admin/payees/{payee}").text
    again = lead.submit(f"{page}/apply", page=page)
    assert again.status_code == 303
    assert "cannot become" in lead.get(page).text


def test_a_correction_that_is_no_account_is_set_aside(desk: DeskWorld) -> None:
    reference = correction(desk, "C04", name="QUARLES DELPHINE")
    page = f"/admin/returns/corrections/{reference}"
    lead = desk.browser(second_lead(desk))
    assert "cannot be applied by itself" in lead.get(page).text
    assert lead.submit(f"{page}/aside", {"aside-reason": " "}, page=page).status_code == 422
    lead.submit(f"{page}/aside", {"aside-reason": "The name was right."}, page=page)
    assert "Set aside" in lead.get(page).text
    assert "No correction waits" in lead.get("/admin/returns/corrections").text
    assert reference in lead.get("/admin/returns/corrections?view=all").text


def test_who_may_only_look_changes_nothing(desk: DeskWorld) -> None:
    reference = correction(desk)
    page = f"/admin/returns/corrections/{reference}"
    auditor = desk.of("auditor")
    assert auditor.get(page).status_code == 200
    for act in ("propose", "apply", "back", "aside"):
        assert auditor.submit(f"{page}/{act}", page=page).status_code == 403
    state = desk.api.do(lambda s: s.execute(select(AccountCorrection.state)).scalar_one())
    assert state == "OPEN"


def test_the_pages_ask_no_more_than_twelve_things(desk: DeskWorld) -> None:
    payment = came_back(desk, "R03", payments=15)
    lead = desk.of("payments_lead")
    payee = desk.api.payees["carrier"].reference
    asked = {}
    for page in (
        "/admin/today",
        "/admin/returns",
        "/admin/returns?view=all",
        "/admin/returns/codes",
        "/admin/returns/corrections",
        "/admin/payments",
        f"/admin/payments/{payment}",
        f"/admin/payees/{payee}",
        f"/admin/payees/accounts/{desk.waiting_account()}",
    ):
        with counted(desk.app) as statements:
            assert lead.get(page).status_code == 200
        asked[page] = len(statements)
    assert {page: count for page, count in asked.items() if count > MOST} == {}
    assert "Nothing waits here" in desk.of("auditor").get("/admin/returns?page=9").text


def test_an_unknown_correction_is_not_found(desk: DeskWorld) -> None:
    answer = desk.of("payments_lead").get("/admin/returns/corrections/AAAAAAAAAAAAAAA")
    assert answer.status_code == 404


def test_a_rate_warns_at_half_the_limit_and_is_bad_at_the_limit() -> None:
    tones = [Meter("Overall", count, 100, 15).tone for count in (0, 7, 8, 14, 15)]
    assert tones == ["ok", "ok", "warn", "warn", "bad"]
    assert Meter("Overall", 0, 0, 15).percent == 0
