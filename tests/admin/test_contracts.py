"""A case through the staff's pages: opened, peopled, signed, its terms, milestones and end."""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from html import unescape

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from seedtrust.core.errors import StaleVersion
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.closing import service as closing
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.identity.states import UserKind
from seedtrust.ext import db, keeping_papers, reading
from seedtrust.gateways.storage import LocalStorage
from tests.factories import case_world
from tests.factories.api_world import wiring_of
from tests.factories.desk_world import DeskWorld
from tests.support.doors import Browser, person_in

CASE = {
    "kind": "egg_donation",
    "name": "Bellweather_Lund",
    "new_agency": "Juniper Family Building",
    "funding_required_cents": "31,250.00",
    "anonymous": "y",
}
TERM = {
    "clause": "4.2",
    "title": "Donor compensation",
    "category": "donor_compensation",
    "kind": "scheduled",
    "tax_class": "C",
    "approver": "pre_authorised",
    "amount_cents": "12,000.00",
    "trigger": "retrieval_done",
    "pay_after_days": "5",
}


def option(page: TestResponse, field: str, words: str) -> str:
    """Return the value of the choice with these words."""
    select = re.search(rf'<select[^>]*name="{field}".*?</select>', page.text, re.DOTALL)
    assert select is not None, field
    found = re.search(rf'<option[^>]*value="([^"]*)"[^>]*>{re.escape(words)}', unescape(select[0]))
    assert found is not None, select[0]
    return found[1]


def opened(desk: DeskWorld) -> str:
    """Open a case and return its page."""
    browser, path = desk.of("specialist"), "/admin/cases/new"
    account = option(browser.get(path), "trust_account", "")
    made = browser.submit(path, {**CASE, "trust_account": account})
    assert made.status_code == 303
    return str(made.location)


def party(desk: DeskWorld, case: str, part: str, name: str, **more: str) -> None:
    duties = {"must_sign": "y", "must_certify": "y", "is_paid": "y", "country": "US"}
    made = desk.of("specialist").submit(
        f"{case}/parties/new", {"part": part, "name": name, **duties, **more}
    )
    assert made.status_code == 303


def agreement(desk: DeskWorld, case: str, kind: str = "escrow") -> str:
    form = {"kind": kind, "title": "Escrow agreement of March"}
    made = desk.of("specialist").submit(f"{case}/agreements/new", form)
    assert made.status_code == 303
    return str(made.location)


def sign(browser: Browser, page: str, who: str, on: str = "2026-02-19") -> TestResponse:
    waiting = option(browser.get(page), "sign-party", who)
    return browser.submit(f"{page}/sign", {"sign-party": waiting, "sign-signed_on": on}, page=page)


def test_a_case_is_opened_with_its_agency_and_people(desk: DeskWorld) -> None:
    donor = person_in(desk.app, Role.DONOR, kind=UserKind.PARTY)
    case, browser = opened(desk), desk.of("specialist")
    seen = browser.get(case).text
    for words in ("Bellweather_Lund", "Juniper Family Building", "Awaiting escrow", "$31,250.00"):
        assert words in seen
    party(desk, case, "intended_parent:recipient", "Bo Bellweather")
    party(desk, case, "donor:carrier", "Liv Lund", email=donor.email.upper(), region="ma")
    told = browser.get(case).text
    assert "Their login is connected." in told
    assert "the other side reads “Donor " in told
    assert "MA, US" in told
    assert "Liv Lund" in browser.get("/admin/payees?view=all&q=Liv").text


def test_nobody_but_the_escrow_team_opens_cases(desk: DeskWorld) -> None:
    lead = desk.of("payments_lead")
    assert lead.get("/admin/cases/new").status_code == 403
    assert "Open a case" not in lead.get("/admin/cases").text
    assert "Add a party" not in lead.get(f"/admin/cases/{desk.case}").text


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"name": ""}, "Enter the name of the case."),
        ({"number": "12"}, "Enter six digits."),
        ({"funding_required_cents": "0"}, "Enter an amount above zero."),
        ({"funding_required_cents": "1e3"}, "Enter an amount in dollars and cents"),
        ({"minimum_balance_cents": "12.345"}, "Enter an amount in dollars and cents"),
        ({"kind": "adoption"}, "Not a valid choice"),
    ],
)
def test_a_case_that_cannot_be_names_the_field_and_keeps_the_rest(
    desk: DeskWorld, changes: dict[str, str], words: str
) -> None:
    browser, path = desk.of("specialist"), "/admin/cases/new"
    account = option(browser.get(path), "trust_account", "")
    refused = browser.submit(path, {**CASE, "trust_account": account, **changes})
    assert refused.status_code == 422
    assert words in refused.text
    assert 'value="Juniper Family Building"' in refused.text


def test_an_agreement_is_sent_signed_on_paper_and_moves_the_case(desk: DeskWorld) -> None:
    case, browser = opened(desk), desk.of("specialist")
    party(desk, case, "intended_parent:recipient", "Bo Bellweather")
    party(desk, case, "donor:carrier", "Liv Lund")
    page = agreement(desk, case)
    assert "2 parties have to sign." in browser.get(page).text
    assert browser.submit(f"{page}/send", page=page).status_code == 303
    assert sign(browser, page, "Bo Bellweather").status_code == 303
    last = browser.get(page).text
    assert "Others still have to sign." in last
    assert "This is the last signature" in last
    assert sign(browser, page, "Liv Lund").status_code == 303
    assert "Everybody has signed; the case goes on." in browser.get(page).text
    assert "Pending funding" in browser.get(case).text


def test_papers_are_kept_and_read_while_no_unit_of_work_is_open(
    desk: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[str, bool]] = set()
    put, get = LocalStorage.put, LocalStorage.get

    def watched_put(self: LocalStorage, key: str, content: bytes) -> None:
        seen.add(("put", db.session().in_transaction()))
        put(self, key, content)

    def watched_get(self: LocalStorage, key: str) -> bytes:
        seen.add(("get", db.session().in_transaction()))
        return get(self, key)

    case, browser = opened(desk), desk.of("specialist")
    party(desk, case, "intended_parent:recipient", "Bo Bellweather")
    page = agreement(desk, case)
    form = {"body": "# 1\nBetween {{recipients}} and us.", "signing_order": "together"}
    browser.submit(f"{page}/text", form)
    monkeypatch.setattr(LocalStorage, "put", watched_put)
    monkeypatch.setattr(LocalStorage, "get", watched_get)
    assert browser.submit(f"{page}/send", page=page).status_code == 303
    paper = re.search(r'href="(/admin/documents/[^"]+)"', browser.get(page).text)
    assert paper is not None
    assert browser.get(paper[1]).data.startswith(b"%PDF-")
    assert seen == {("put", False), ("get", False)}


def test_papers_that_differ_from_the_rehearsed_ones_leave_nothing(desk: DeskWorld) -> None:
    turns: list[int] = []
    kept = wiring_of(desk.app).intake.storage

    def work(session: Session, storage: Storage) -> None:
        turns.append(1)
        paper = b"Turn %d" % len(turns)
        session.execute(update(Case).values(version=Case.version + 7))
        storage.put(sha256(paper).hexdigest(), paper)

    with desk.app.app_context():
        versions = select(Case.version)
        before = reading(lambda session: session.execute(versions).scalars().all())
        with pytest.raises(StaleVersion):
            keeping_papers(work, kept)
        assert reading(lambda session: session.execute(versions).scalars().all()) == before
    assert kept.get(sha256(b"Turn 1").hexdigest()) == b"Turn 1"
    assert len(turns) == 2


def test_an_agreement_with_a_text_goes_out_as_a_paper_for_each_side(desk: DeskWorld) -> None:
    case, browser = opened(desk), desk.of("specialist")
    party(desk, case, "intended_parent:recipient", "Bo Bellweather")
    page = agreement(desk, case)
    written = browser.get(f"{page}/text")
    assert "{{recipients}} (the intended parents)" in written.text
    form = {"body": "Between {{father}} and us.", "signing_order": "together"}
    refused = browser.submit(f"{page}/text", form)
    assert refused.status_code == 422
    assert "Nothing can be filled in for father." in refused.text
    assert "Between {{father}} and us." in refused.text
    kept = browser.submit(f"{page}/text", {**form, "body": "# 1\nBetween {{recipients}} and us."})
    assert kept.status_code == 303
    assert "The parties sign it on their own screens." in browser.get(page).text
    assert browser.submit(f"{page}/send", page=page).status_code == 303
    seen = browser.get(page).text
    assert "Text for signature" in seen
    paper = re.search(r'href="(/admin/documents/[^"]+)"', seen)
    assert paper is not None
    assert browser.get(paper[1]).data.startswith(b"%PDF-")
    assert browser.get(f"{page}/text").status_code == 200
    late = browser.submit(f"{page}/text", {**form, "body": "Other."})
    assert "it cannot be written anew" in late.text
    assert sign(browser, page, "Bo Bellweather").status_code == 303
    assert "recorded by" in browser.get(page).text


def test_a_signature_of_tomorrow_keeps_who_signed(desk: DeskWorld) -> None:
    case, browser = opened(desk), desk.of("specialist")
    party(desk, case, "intended_parent:recipient", "Bo Bellweather")
    page = agreement(desk, case)
    browser.submit(f"{page}/send", page=page)
    refused = sign(browser, page, "Bo Bellweather", on="2026-12-24")
    assert refused.status_code == 422
    assert "A signature is recorded once it is given." in refused.text
    assert 'value="2026-12-24"' in refused.text
    assert re.search(r"<option selected[^>]*>Bo Bellweather", refused.text)


def test_an_agreement_that_nobody_signs_is_not_sent_and_is_taken_back(desk: DeskWorld) -> None:
    case, browser = opened(desk), desk.of("specialist")
    page = agreement(desk, case)
    browser.submit(f"{page}/send", page=page)
    assert "No party of this case has to sign." in browser.get(page).text
    told = browser.submit(f"{page}/withdraw", {"withdraw-reason": "Wrong clinic."}, page=page)
    assert told.status_code == 303
    seen = browser.get(page).text
    assert "Withdrawn" in seen
    assert f"{page}/send" not in seen
    assert browser.get("/admin/agreements/NOSUCHREFERENCE").status_code == 404


def proposed(desk: DeskWorld) -> str:
    """Propose what the calendar pays after the retrieval; return where the case is."""
    page, browser = f"/admin/cases/{desk.case}", desk.of("specialist")
    payee = option(browser.get(f"{page}/terms/new"), "payee", "Delphine Quarles")
    made = browser.submit(f"{page}/terms/new", {**TERM, "payee": payee})
    assert made.status_code == 303
    return page


def test_a_proposed_term_is_activated_by_a_second_person_who_sees_what_follows(
    desk: DeskWorld,
) -> None:
    page, legal = proposed(desk), desk.of("legal")
    assert "Check and activate 1 proposal" in legal.get(f"{page}/schedule").text
    assert desk.of("specialist").get(f"{page}/terms/activate").status_code == 403
    seen = legal.submit(f"{page}/terms/activate")
    assert seen.status_code == 200
    assert "Activate all of them?" in seen.text
    assert "1 expected payment changes, $12,000.00 together" in seen.text
    assert "Waiting for its milestone" in seen.text
    assert "Check and activate 1 proposal" in legal.get(f"{page}/schedule").text
    done = legal.submit(f"{page}/terms/activate", {"confirmed": "yes"})
    assert done.status_code == 303
    after = legal.get(f"{page}/schedule").text
    assert "The terms are active" in after
    assert "Check and activate" not in after
    assert legal.submit(f"{page}/terms/activate").status_code == 409


def test_a_term_without_what_it_needs_names_the_field(desk: DeskWorld) -> None:
    page = f"/admin/cases/{desk.case}/terms/new"
    refused = desk.of("specialist").submit(page, TERM)
    assert refused.status_code == 422
    assert "What is paid by the calendar needs its payee." in refused.text
    assert 'value="12,000.00"' in refused.text


def test_a_milestone_shows_what_moves_before_it_is_recorded_and_a_colleague_corrects_it(
    desk: DeskWorld,
) -> None:
    page, legal, browser = proposed(desk), desk.of("legal"), desk.of("specialist")
    legal.submit(f"{page}/terms/activate", {"confirmed": "yes"})
    form = {"code": "retrieval_done", "occurred_on": "2026-02-20"}
    seen = browser.submit(f"{page}/milestones/new", form)
    assert "goes from “Cycle in progress” to “Post retrieval”" in unescape(seen.text)
    assert "Feb 25, 2026" in seen.text
    assert "Retrieval done" not in browser.get(f"{page}/activity").text
    done = browser.submit(f"{page}/milestones/new", {**form, "confirmed": "yes"})
    assert done.status_code == 303
    assert "Feb 25, 2026" in browser.get(f"{page}/schedule").text
    right = {"occurred_on": "2026-02-19", "reason": "The clinic's letter says the 19th."}
    path = f"{page}/milestones/retrieval_done/correct"
    assert "It is recorded for Feb 20, 2026." in browser.get(path).text
    made = browser.submit(path, right)
    assert made.status_code == 303
    assert "Feb 24, 2026" in browser.get(made.location).text
    assert "Feb 24, 2026" not in browser.get(f"{page}/schedule").text
    assert legal.submit(f"{made.location}/accept", page=made.location).status_code == 303
    assert "Feb 24, 2026" in browser.get(f"{page}/schedule").text


def test_a_milestone_of_tomorrow_or_out_of_order_is_refused_with_what_was_typed(
    desk: DeskWorld,
) -> None:
    page, browser = f"/admin/cases/{desk.case}/milestones/new", desk.of("specialist")
    form = {"code": "retrieval_done", "occurred_on": "2026-02-21", "note": "By letter"}
    refused = browser.submit(page, form)
    assert refused.status_code == 422
    assert "A milestone is recorded once it has happened." in refused.text
    assert 'value="By letter"' in refused.text
    early = browser.submit(page, {**form, "code": "obligations_ended", "occurred_on": "2026-02-20"})
    assert early.status_code == 409
    assert "Obligations do not end in the stage" in early.text
    missing = f"/admin/cases/{desk.case}/milestones/delivered/correct"
    assert browser.get(missing).status_code == 404


def ended(desk: DeskWorld) -> str:
    """Bring the case to the end of its obligations; return its page."""
    page, browser = f"/admin/cases/{desk.case}", desk.of("specialist")
    for code in ("retrieval_done", "obligations_ended"):
        form = {"code": code, "occurred_on": "2026-02-20", "confirmed": "yes"}
        assert browser.submit(f"{page}/milestones/new", form).status_code == 303
    return page


def certify(desk: DeskWorld, party: Actor) -> None:
    moment = case_world.moment_on(date(2026, 2, 20))
    desk.api.do(lambda session: closing.certify(session, party, case_ref=desk.case, moment=moment))


def test_a_case_is_closed_by_two_people_and_its_parties(desk: DeskWorld) -> None:
    browser, controller = desk.of("specialist"), desk.of("controller")
    assert (
        "The end of the obligations is not recorded."
        in browser.get(f"/admin/cases/{desk.case}/closing").text
    )
    page = ended(desk)
    assert "Nothing stands in the way." in browser.get(f"{page}/closing").text
    assert "Not sent yet" in browser.get(f"{page}/closing/statement").text
    seen = browser.submit(f"{page}/closing/start")
    assert "The rest that goes back is $28,500.00." in seen.text
    assert "to “Awaiting close approval”" in unescape(seen.text)
    assert browser.submit(f"{page}/closing/start", {"confirmed": "yes"}).status_code == 303
    for who in ("parent", "carrier"):
        certify(desk, getattr(desk.api.world, who))
    assert "You prepared this accounting" in browser.get(f"{page}/closing").text
    assert "The controller has to approve" in desk.of("second").get(f"{page}/closing").text
    assert browser.get(f"{page}/closing/approve").status_code == 403
    look = controller.submit(f"{page}/closing/approve")
    assert "$28,500.00 is reserved and goes back" in look.text
    done = controller.submit(f"{page}/closing/approve", {"confirmed": "yes"})
    assert done.status_code == 303
    after = controller.get(f"{page}/closing").text
    assert "Refund" in after
    assert re.search(r"/admin/requests/[A-Z0-9]+", after)
    printed = controller.get(f"{page}/closing/statement").text
    assert "Carla Whitlock" in printed
    assert "Rosalind Ashgrove" in printed


def test_an_accounting_is_taken_back_with_a_reason_that_survives_a_refusal(
    desk: DeskWorld,
) -> None:
    page, browser = ended(desk), desk.of("specialist")
    browser.submit(f"{page}/closing/start", {"confirmed": "yes"})
    back = {"reason": "The clinic sent a late bill.", "confirmed": "yes"}
    assert browser.submit(f"{page}/closing/withdraw", back).status_code == 303
    again = browser.submit(f"{page}/closing/withdraw", back)
    assert again.status_code == 409
    assert "The clinic sent a late bill.</textarea>" in again.text
    assert "Send the final accounting" in browser.get(f"{page}/closing").text


def test_a_journey_that_never_began_is_called_off(desk: DeskWorld) -> None:
    case, browser = opened(desk), desk.of("specialist")
    assert "Call the journey off" in browser.get(f"{case}/closing").text
    form = {"reason": "The parents chose another agency.", "confirmed": "yes"}
    assert browser.submit(f"{case}/closing/call-off", form).status_code == 303
    done = desk.of("controller").submit(f"{case}/closing/approve", {"confirmed": "yes"})
    assert done.status_code == 303
    assert "Cancelled" in browser.get(case).text


def test_a_term_is_spread_over_the_calendar_and_capped_on_its_page(desk: DeskWorld) -> None:
    page = f"/admin/cases/{desk.case}/terms/new"
    browser = desk.of("specialist")
    form = {**TERM, "kind": "requested", "trigger": "", "amount_cents": "", "title": "Childcare"}
    capped = {"day_cap_cents": "100.00", "week_cap_cents": "400.00", "week_hours": "40"}
    assert browser.submit(page, {**form, **capped}).status_code == 303
    payee = desk.api.payees["carrier"].reference
    monthly = {**TERM, "payee": payee, "schedule": "monthly", "item_count": "11"}
    assert browser.submit(page, monthly).status_code == 303
    seen = browser.get(f"/admin/cases/{desk.case}/schedule").text
    for words in ("100.00 a day", "400.00 a week", "40 hours a week", "11 monthly payments"):
        assert words in seen
    refused = browser.submit(page, {**monthly, "schedule": "pregnancy_week", "item_count": ""})
    assert refused.status_code == 422
    assert "Name the week of pregnancy" in refused.text
