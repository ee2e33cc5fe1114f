"""The day of a payments team, from the first request to bank = book = cases, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, Playwright, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.identity import service as identity
from seedtrust.domain.identity.models import User
from seedtrust.domain.ledger.queries import case_lines
from seedtrust.domain.payments.models import BankFile, PaymentInstruction, PaymentRun
from seedtrust.journeys.cast import PASSWORD
from tests.support.browser import LEGAL, MILEAGE, PARENT, TRAVEL, WAGES, Seat, World, fill_the_desk

pytestmark = pytest.mark.browser

TakeSeat = Callable[[str], Seat]
REASON = "The folio shows six nights; the seventh is not on it."


def flash(page: Page, words: str) -> None:
    """Expect a message on top of the page."""
    expect(page.locator("#flashes")).to_contain_text(words)


def accept(page: Page, world: World, category: str, amount: str = "", reason: str = "") -> None:
    """Accept a request, in part if an amount is given."""
    page.goto(f"/admin/requests/{world.request(category)}")
    if amount:
        page.get_by_label("Amount to approve").fill(amount)
        page.get_by_label("Reason, if it is less than asked for").fill(reason)
    page.get_by_role("button", name="Accept", exact=True).click()
    flash(page, "The request is accepted.")


def review(seat: Seat) -> None:
    """Look at the request beside its evidence and its clause, and accept part of it."""
    page, world = seat.page, seat.world
    page.goto("/admin/today")
    page.get_by_role("link", name=re.compile("requests to review")).click()
    row = page.get_by_role("row").filter(has_text="Hotel, 7 nights")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Travel advance, $1,182.30")
    expect(page.locator("section, div").filter(has_text="D-6.1").first).to_be_visible()
    paper = page.locator("iframe.evidence-view").first
    expect(paper).to_be_visible()
    kept = page.request.get(str(paper.get_attribute("src")))
    assert kept.ok
    assert kept.body().startswith(b"%PDF")
    accept(page, world, TRAVEL, "1013.40", REASON)
    expect(page.get_by_text(REASON).first).to_be_visible()
    accept(page, world, LEGAL)
    accept(page, world, WAGES)


def approve_by_program(playwright: Playwright, world: World) -> None:
    """Let a parent approve what waits for them, through the API over the same socket."""
    api = playwright.request.new_context(base_url=world.base_url)
    grant = {"grant_type": "password", "username": PARENT, "password": PASSWORD}
    token = api.post("/api/v1/auth/token", data=grant).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for category in (TRAVEL, LEGAL):
        path = f"/api/v1/disbursement-requests/{world.request(category)}"
        shown = api.get(path, headers=bearer).json()
        assert shown["state"] == "PENDING_APPROVAL"
        answer = api.post(
            f"{path}/approve",
            headers={**bearer, "Idempotency-Key": f"approve-{category}"},
            data={"version": shown["version"]},
        )
        assert (answer.status, answer.json()["state"]) == (200, "READY")
    api.dispose()


def build(seat: Seat) -> str:
    """Collect what is due, read why something was left out, lock the run; return its reference."""
    page = seat.page
    page.goto("/admin/runs/build")
    page.locator("#account-1, [aria-labelledby]").first.wait_for()
    page.get_by_role("button", name="Collect by ACH").first.click()
    flash(page, "Everything that is due was looked at.")
    left_out = page.get_by_role("region", name="Left out").or_(page.locator("#exceptions"))
    expect(left_out.first).to_contain_text("A change of the payee's bank account is undecided.")
    expect(left_out.first).to_contain_text("530.40")
    expect(page.locator("#payments tfoot")).to_contain_text("1,163.40")
    page.get_by_role("button", name="Lock for release").click()
    flash(page, "Another person has to release it now.")
    return page.url.rpartition("/")[2]


def step_up(seat: Seat) -> None:
    """Give a fresh code where the page asks for it, and come back."""
    page = seat.page
    page.get_by_role("link", name="Enter a code").click()
    page.get_by_label("Code").fill(seat.world.code(seat.key))
    page.get_by_role("button", name="Confirm").click()
    flash(page, "Now do what you were about to do")


def release(seat: Seat, run: str) -> None:
    """Find the run on Today, look at it, confirm with a fresh code, press the button twice."""
    page = seat.page
    page.goto("/admin/today")
    page.get_by_role("link", name="ACH run to release").click()
    page.get_by_role("link", name="Look and release").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Release $1,163.40")
    step_up(seat)
    page.get_by_role("button", name="Release $1,163.40").dblclick()
    flash(page, "The run is released and on its way to the bank.")
    page.go_back()
    page.get_by_role("button", name="Release $1,163.40").or_(
        page.get_by_text("This run is not waiting for a release")
    ).first.wait_for()
    assert state_of(seat.world, run) == "RELEASED"


def state_of(world: World, run: str) -> str:
    """Return the state of a run."""
    found: str = world.read(
        lambda s: s.execute(select(PaymentRun.state).where(PaymentRun.reference == run)).scalar()
    )
    return found


def move_the_date(seat: Seat, to: date, words: str) -> None:
    """Move the business date with the button on Today, and let the worker do what it sets off."""
    page = seat.page
    page.goto("/admin/today")
    page.get_by_role("link", name="Move the date").click()
    expect(page.get_by_role("heading", name=f"Move to {words}?")).to_be_visible()
    page.get_by_role("button", name="Move the date").click()
    flash(page, f"The business date is {words}.")
    seat.world.follow(to)
    seat.world.work()
    # Nobody stays signed in over night.
    page.goto("/admin/today")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    seat.sign_in()


def payments_of(session: Session, run: str) -> list[PaymentInstruction]:
    """Return the payments of a run."""
    query = select(PaymentInstruction).join(PaymentRun, PaymentRun.id == PaymentInstruction.run_id)
    return list(session.execute(query.where(PaymentRun.reference == run)).scalars())


def see_it_settled(page: Page, world: World, run: str) -> None:
    """Follow one payment from its timeline to the bank's line."""
    page.goto(f"/admin/runs/{run}")
    page.get_by_role("link", name="Larkspur").click()
    course = page.locator("#course")
    for step in ("Created", "Released", "Sent", "Accepted", "Settled"):
        expect(course).to_contain_text(step)
    expect(page.get_by_text("The money has arrived.")).to_be_visible()
    states = world.read(
        lambda s: [(one.state, one.reconciliation_status) for one in payments_of(s, run)]
    )
    assert states == [("SETTLED", "matched")] * 2


def see_the_line(page: Page) -> None:
    """Open the statement of the day and find the line with the run that it belongs to."""
    page.goto("/admin/statements")
    page.get_by_role("link", name="Mar 24, 2026").first.click()
    line = page.get_by_role("row").filter(has_text="1,163.40")
    expect(line).to_contain_text("Matched")
    line.get_by_role("link", name="Payment run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ACH run of Mar 23, 2026")


def see_the_proof(page: Page) -> None:
    """Read on Today that bank, book and cases agree."""
    page.goto("/admin/today")
    proofs = page.locator(".proof")
    expect(proofs).to_have_count(2)
    for proof in proofs.all():
        expect(proof.locator(".proof-difference")).to_contain_text("0.00")
        expect(proof.locator(".proof-difference")).to_contain_text("Agrees")
    figures = proofs.first.locator("dd").all_inner_texts()
    assert figures[0] == figures[1] == figures[2] != "$0.00"


def ledger_of(session: Session) -> list[tuple[str | None, int]]:
    """Return the last lines of the case's ledger."""
    case = session.execute(select(Case)).scalar_one()
    lines = case_lines(session, case.ledger_account_id, limit=100)
    return [(line.category, line.amount_cents) for line in lines][-2:]


def test_a_request_becomes_money_at_the_payee_in_one_day(
    world: World, seat: TakeSeat, playwright: Playwright
) -> None:
    escrow, specialist, lead = seat("escrow1"), seat("payments1"), seat("lead1")
    review(escrow)
    approve_by_program(playwright, world)
    run = build(specialist)
    specialist.page.goto(f"/admin/runs/{run}/release")
    expect(specialist.page.get_by_role("heading", level=1)).to_be_visible()
    expect(specialist.page.locator("main")).to_contain_text("Your role does not allow this")
    release(lead, run)
    files = sorted(path.name for path in (world.folder / "bank" / "drop").rglob("*.ach"))
    world.work()
    delivered = {path.name for path in (world.folder / "bank" / "drop").rglob("*.ach")}
    assert len(delivered - set(files)) == 1
    lead.page.goto(f"/admin/runs/{run}")
    assert state_of(world, run) == "ACKNOWLEDGED"
    expect(lead.page.locator("#file")).to_contain_text("Bank's reference")
    expect(lead.page.locator("#totals")).to_contain_text("$1,163.40")

    move_the_date(lead, date(2026, 3, 24), "Mar 24, 2026")
    assert state_of(world, run) == "SETTLED"
    move_the_date(lead, date(2026, 3, 25), "Mar 25, 2026")
    see_it_settled(lead.page, world, run)
    see_the_line(lead.page)
    see_the_proof(lead.page)
    assert sorted(world.read(ledger_of)) == [("legal", -15_000), ("travel_advance", -101_340)]
    for one in (escrow, specialist, lead):
        unwanted = [said for said in one.complaints if "403" not in said]
        assert unwanted == []


def test_what_was_pressed_twice_or_came_too_late_is_answered_kindly(
    world: World, seat: TakeSeat
) -> None:
    run = fill_the_desk(world)
    lead, controller = seat("lead1"), seat("controller1")
    for one in (lead, controller):
        one.page.goto(f"/admin/runs/{run}/release")
        step_up(one)
    lead.page.get_by_role("button", name=re.compile("Release")).dblclick()
    flash(lead.page, "The run is released and on its way to the bank.")
    controller.page.get_by_role("button", name=re.compile("Release")).click()
    flash(controller.page, "released")
    expect(controller.page.locator("#flashes .tone-ok")).to_have_count(0)
    expect(controller.page.get_by_text("This run is not waiting for a release")).to_be_visible()
    world.work()
    assert state_of(world, run) == "ACKNOWLEDGED"
    assert world.read(lambda s: len(files_of(s, run))) == 1


def test_going_back_to_a_decided_request_says_what_happened(world: World, seat: TakeSeat) -> None:
    first, second = seat("escrow1"), seat("escrow2")
    address = f"/admin/requests/{world.request(MILEAGE)}"
    second.page.goto(address)
    accept(first.page, world, MILEAGE, "69.60", "The parking slip is missing.")
    second.page.get_by_role("button", name="Accept", exact=True).click()
    expect(second.page.locator("#flashes .notice")).to_be_visible()
    expect(second.page.locator("#flashes")).not_to_contain_text("The request is accepted.")
    expect(second.page.locator("#history")).to_contain_text("The parking slip is missing.")
    first.page.go_back()
    expect(first.page.get_by_role("heading", level=1)).to_contain_text("Mileage")
    expect(first.page.get_by_role("button", name="Accept", exact=True)).to_have_count(0)
    approved = world.read(
        lambda s: s.execute(
            select(DisbursementRequest.approved_cents).where(
                DisbursementRequest.reference == world.request(MILEAGE)
            )
        ).scalar()
    )
    assert approved == 6_960


@pytest.mark.parametrize("amount", ["0", "-5", "1e3", "12.345", "ten", "9" * 15])
def test_an_amount_that_is_none_stays_in_its_form(
    world: World, seat: TakeSeat, amount: str
) -> None:
    page = seat("escrow1").page
    page.goto(f"/admin/requests/{world.request(MILEAGE)}")
    page.get_by_label("Amount to approve").fill(amount)
    page.get_by_role("button", name="Accept", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_label("Amount to approve")).to_have_value(amount)
    assert world.read(lambda s: state_of_request(s, world.request(MILEAGE))) == "SUBMITTED"


def test_who_built_a_run_cannot_release_it_even_in_another_role(
    world: World, seat: TakeSeat
) -> None:
    run = fill_the_desk(world)
    world.do(lambda session: promote(session, world))
    page = seat("payments1").page
    page.goto(f"/admin/runs/{run}")
    expect(page.get_by_role("link", name="Look and release")).to_have_count(0)
    expect(page.get_by_text("Another person has to release it")).to_be_visible()
    page.goto(f"/admin/runs/{run}/release")
    expect(page.locator("#refused")).to_contain_text("another person has to release it")
    expect(page.get_by_role("button", name=re.compile("Release"))).to_have_count(0)
    assert state_of(world, run) == "LOCKED"


def promote(session: Session, world: World) -> None:
    """Make a lead of the specialist who has built the run."""
    system, now = Actor.system("tests"), world.clock.now()
    email = world.staff["payments1"].email
    person = session.execute(select(User.reference).where(User.email == email)).scalar_one()
    identity.revoke_role(
        session, system, person, Role.PAYMENTS_SPECIALIST, reason="Promoted", now=now
    )
    identity.grant_role(session, system, person, Role.PAYMENTS_LEAD, now=now)


def test_signing_out_everywhere_ends_the_other_browser(seat: TakeSeat) -> None:
    here, there = seat("lead1"), seat("lead1")
    here.page.goto("/admin/account")
    expect(here.page.locator("#sessions tbody tr")).to_have_count(2)
    here.page.get_by_role("button", name="Sign out everywhere").click()
    flash(here.page, "You are signed out on every device.")
    there.page.goto("/admin/cases")
    expect(there.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert "/admin/sign-in?next=/admin/cases" in there.page.url


def state_of_request(session: Session, reference: str) -> str:
    """Return the state of a request."""
    query = select(DisbursementRequest.state).where(DisbursementRequest.reference == reference)
    return session.execute(query).scalar_one()


def files_of(session: Session, run: str) -> list[BankFile]:
    """Return the bank files of a run."""
    query = select(BankFile).join(PaymentRun, PaymentRun.id == BankFile.run_id)
    return list(session.execute(query.where(PaymentRun.reference == run)).scalars())
