"""Every page of the staff: wide and narrow, light and dark, sound, quiet and accessible."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Agreement
from seedtrust.domain.documents.models import Document
from seedtrust.domain.funding.asking import draft_request
from seedtrust.domain.funding.models import Deposit, FundingRequest
from seedtrust.domain.identity import service as identity
from seedtrust.domain.identity.models import User
from seedtrust.domain.identity.passwords import new_hash
from seedtrust.domain.identity.states import UserKind
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payments.corrections import Noted, note_correction
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine, Reconciliation
from seedtrust.domain.terms.corrections import propose_correction
from seedtrust.domain.terms.models import ContractTerm, MilestoneCorrection
from seedtrust.formats import nacha
from seedtrust.journeys.cast import PASSWORD, Cast
from seedtrust.web.guard import Door, route_table
from tests.browser.conftest import photograph
from tests.support.browser import (
    MILEAGE,
    Letterbox,
    Seat,
    World,
    fill_the_desk,
    served,
    take_seat,
)

pytestmark = pytest.mark.browser

LEAD, ESCROW, SPECIALIST, LEGAL, IT = "lead1", "escrow1", "payments1", "legal1", "it1"
CONTROLLER = "controller1"
# Somebody who has not signed in, who has given the password only, who has no authenticator yet.
NOBODY, HALF_WAY, NEWCOMER = "", "lead2", "newcomer"
WIDTHS: Final = {1440: 900, 360: 780}
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING: Final = {"type": "tag", "values": TAGS}
COLOURS: Final = {"type": "rule", "values": ["color-contrast"]}
# What answers with a file, or leads elsewhere at once.
NO_PAGES: Final = frozenset({"documents_content", "documents_thumbnail", "home", "runs_file"})


class Stage:
    """A served world with a locked run, and one signed-in window for each person."""

    def __init__(self, world: World, chromium: Browser) -> None:
        """Bring a run to its release, and invite two people."""
        self.world, self._chromium = world, chromium
        self._seats: dict[str, Seat] = {}
        self.run = fill_the_desk(world)
        self.mileage = world.request(MILEAGE)
        self.person = world.do(self._welcome)
        payment = self.payment()
        world.do(lambda session: self._correct(session, payment))
        world.do(self._ask_for_funds)
        world.do(self._propose_a_day)
        world.work()

    def _welcome(self, session: Any) -> str:
        keys, now = self.world.tools.keyring, self.world.clock.now()
        person = identity.create_user(
            session,
            Actor.system("tests"),
            email=f"{NEWCOMER}@seedtrust.example",
            display_name="Noor Haddad",
            kind=UserKind.STAFF,
            roles=[Role.AUDITOR],
            password_hash=new_hash(PASSWORD, UserKind.STAFF, ()),
            keyring=keys,
            now=now,
        )
        identity.invite(
            session,
            Actor.system("tests"),
            email="invited@seedtrust.example",
            display_name="Ida Lund",
            kind=UserKind.STAFF,
            valid_seconds=3600,
            keyring=keys,
            now=now,
        )
        return person.reference

    def _correct(self, session: Any, payment: str) -> None:
        """Have the bank correct the account of a payment."""
        tools = self.world.tools
        when = tools.moment_in(session)
        data = nacha.corrected_data("C01", account_number="99887766554")
        noted = Noted("", payment, "C01", data, when.today)
        bank = Actor.system("tests")
        note_correction(session, bank, noted, keyring=tools.keyring, moment=when)

    def _ask_for_funds(self, session: Any) -> None:
        draft_request(
            session,
            Actor.system("tests"),
            case_ref=self.world.case,
            amount_cents=250_000,
            reason="A second clinic has sent its estimate",
            moment=self.world.tools.moment_in(session),
        )

    def _propose_a_day(self, session: Any) -> None:
        tools = self.world.tools
        propose_correction(
            session,
            Cast(tools.keyring).staff(session, ESCROW),
            case_ref=self.world.case,
            code="agreement_executed",
            occurred_on=date(2026, 2, 17),
            reason="The last signature is of Tuesday",
            moment=tools.moment_in(session),
        )

    def newest(self, model: Any) -> str:
        """Return the reference of the newest row of a table."""
        query = select(model.reference).order_by(model.id.desc())
        found: str = self.world.read(lambda session: session.execute(query).scalars().first())
        return found

    def payment(self) -> str:
        """Return a payment that waits for its release, or is on its way in a quiet run."""
        return self.newest(PaymentInstruction)

    def invitation(self) -> str:
        """Return the way in that the invitation's mail holds."""
        box = self.world.tools.mailer
        assert isinstance(box, Letterbox)
        ways = [re.search(r"/admin/welcome/[\w.~-]+", mail.text) for mail in box.mails]
        return next(way[0] for way in ways if way is not None)

    def seat(self, who: str) -> Seat:
        """Return the window of somebody, as far signed in as the name says."""
        if who not in self._seats:
            seat = self._seats[who] = take_seat(self._chromium, self.world, who)
            if who in {HALF_WAY, NEWCOMER}:
                seat.page.goto("/admin/sign-in")
                seat.page.get_by_label("E-mail address").fill(f"{who}@seedtrust.example")
                seat.page.get_by_label("Password").fill(PASSWORD)
                seat.page.get_by_role("button", name="Continue").click()
                seat.page.get_by_label("Code").wait_for()
            elif who != NOBODY:
                seat.sign_in()
        return self._seats[who]

    def close(self) -> None:
        """Close every window."""
        for seat in self._seats.values():
            seat.context.close()


def case(tab: str = "") -> Callable[[Stage], str]:
    """Return where a tab of the case is."""
    return lambda stage: f"/admin/cases/{stage.world.case}{tab}"


def of_run(tab: str = "") -> Callable[[Stage], str]:
    """Return where a page of the locked run is."""
    return lambda stage: f"/admin/runs/{stage.run}{tab}"


def at(path: str) -> Callable[[Stage], str]:
    """Return an address that needs no reference."""
    return lambda _stage: f"/admin/{path}"


def one(path: str, model: Any, tab: str = "") -> Callable[[Stage], str]:
    """Return where the newest thing of a kind is."""
    return lambda stage: f"/admin/{path}/{stage.newest(model)}{tab}"


def a_line(stage: Stage) -> str:
    """Return where the newest line of a statement is; many statements have none."""
    query = (
        select(BankStatement.reference, BankStatementLine.number)
        .join(BankStatementLine, BankStatementLine.statement_id == BankStatement.id)
        .order_by(BankStatementLine.id.desc())
    )
    reference, number = stage.world.read(lambda session: session.execute(query).first())
    return f"/admin/statements/{reference}/lines/{number}"


# Who opens which page; a page that is not here fails the first test.
PAGES: Final[dict[str, tuple[str, Callable[[Stage], str]]]] = {
    "account": (LEAD, at("account")),
    "cases_activity": (LEAD, case("/activity")),
    "cases_agreement": (ESCROW, one("agreements", Agreement)),
    "cases_agreement_new": (ESCROW, case("/agreements/new")),
    "cases_closing": (LEAD, case("/closing")),
    "cases_closing_approve": (CONTROLLER, case("/closing/approve")),
    "cases_closing_call_off": (ESCROW, case("/closing/call-off")),
    "cases_closing_reopen": (CONTROLLER, case("/closing/reopen")),
    "cases_closing_start": (ESCROW, case("/closing/start")),
    "cases_closing_statement": (LEAD, case("/closing/statement")),
    "cases_closing_withdraw": (ESCROW, case("/closing/withdraw")),
    "cases_ledger": (LEAD, case("/ledger")),
    "cases_list": (LEAD, at("cases")),
    "cases_document_new": (ESCROW, case("/documents/new")),
    "cases_milestone_correct": (ESCROW, case("/milestones/agreement_executed/correct")),
    "cases_milestone_new": (ESCROW, case("/milestones/new")),
    "cases_new": (ESCROW, at("cases/new")),
    "cases_overview": (LEAD, case()),
    "cases_papers": (LEAD, case("/papers")),
    "cases_party_new": (ESCROW, case("/parties/new")),
    "cases_rail": (LEAD, case("/rail")),
    "cases_requests": (LEAD, case("/requests")),
    "cases_schedule": (LEAD, case("/schedule")),
    "cases_statement": (LEAD, case("/statement")),
    "cases_term_end": (ESCROW, one("terms", ContractTerm, "/end")),
    "cases_term_new": (ESCROW, case("/terms/new")),
    "cases_terms_activate": (LEGAL, case("/terms/activate")),
    "clock": (LEAD, at("clock")),
    "corrections_detail": (LEGAL, one("corrections", MilestoneCorrection)),
    "documents_detail": (LEGAL, one("documents", Document, "/details")),
    "deposits_detail": (LEAD, one("deposits", Deposit)),
    "deposits_list": (LEAD, at("deposits")),
    "enrol": (NEWCOMER, at("sign-in/enrol")),
    "funding_detail": (LEAD, one("funding", FundingRequest)),
    "funding_list": (LEAD, at("funding")),
    "funding_new": (ESCROW, case("/funding/new")),
    "funding_rules": (ESCROW, case("/funding/rules")),
    "funding_send": (ESCROW, one("funding", FundingRequest, "/send")),
    "funding_withdraw": (ESCROW, one("funding", FundingRequest, "/withdraw")),
    "jobs_overview": (IT, at("jobs")),
    "jobs_runs": (IT, at("jobs/runs")),
    "payees_account": (SPECIALIST, one("payees/accounts", PayeeAccount)),
    "payees_detail": (SPECIALIST, one("payees", Payee)),
    "payees_submit": (SPECIALIST, one("payees", Payee, "/account")),
    "payees_list": (SPECIALIST, at("payees")),
    "payments_detail": (LEAD, one("payments", PaymentInstruction)),
    "payments_list": (LEAD, at("payments")),
    "payments_not_sent": (LEAD, one("payments", PaymentInstruction, "/not-sent")),
    "payments_unknown": (LEAD, one("payments", PaymentInstruction, "/unknown")),
    "people_close": (IT, lambda stage: f"/admin/people/{stage.person}/close"),
    "people_detail": (LEGAL, one("people", User)),
    "people_invite": (ESCROW, at("people/invite")),
    "people_list": (LEGAL, at("people")),
    "people_revoke": (LEGAL, lambda stage: f"/admin/people/{stage.person}/roles/auditor/revoke"),
    "returns_codes": (LEAD, at("returns/codes")),
    "returns_correction": (SPECIALIST, one("returns/corrections", AccountCorrection)),
    "returns_corrections": (SPECIALIST, at("returns/corrections")),
    "returns_list": (LEAD, at("returns?view=all")),
    "rails_list": (LEAD, at("rails")),
    "rails_stop": (LEAD, at("rails/huntington/ach/stop")),
    "reconciliation_behind": (LEAD, one("reconciliation", Reconciliation, "/behind/bank_cash")),
    "reconciliation_detail": (LEAD, one("reconciliation", Reconciliation)),
    "reconciliation_list": (LEAD, at("reconciliation")),
    "requests_detail": (ESCROW, lambda stage: f"/admin/requests/{stage.mileage}"),
    "requests_list": (ESCROW, at("requests")),
    "requests_new": (ESCROW, lambda stage: f"/admin/requests/new?case={stage.world.case}"),
    "runs_build": (SPECIALIST, at("runs/build")),
    "runs_cancel": (SPECIALIST, of_run("/cancel")),
    "runs_detail": (LEAD, of_run()),
    "runs_list": (LEAD, at("runs")),
    "runs_release": (LEAD, of_run("/release")),
    "runs_remove": (SPECIALIST, lambda stage: of_run(f"/remove/{stage.payment()}")(stage)),
    "runs_reopen": (SPECIALIST, of_run("/reopen")),
    "search": (LEAD, at("search?q=br")),
    "sign_in": (NOBODY, at("sign-in")),
    "sign_in_code": (HALF_WAY, at("sign-in/code")),
    "statements_detail": (LEAD, one("statements", BankStatement)),
    "statements_line": (LEAD, a_line),
    "statements_list": (LEAD, at("statements")),
    "statements_proof": (LEAD, at("statements/proof")),
    "step_up": (LEAD, at("confirm")),
    "today": (LEAD, at("today")),
    "today_exceptions": (LEAD, at("today/exceptions")),
    "welcome": (NOBODY, lambda stage: stage.invitation()),
    "welcome_done": (NOBODY, at("welcome")),
}


@pytest.fixture(scope="module")
def stage(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> Iterator[Stage]:
    """Give one served world for all pages: nothing here changes it."""
    folder = tmp_path_factory.mktemp("pages") / "data"
    shutil.copytree(prepared, folder)
    with served(folder) as world:
        stage = Stage(world, chromium)
        yield stage
        stage.close()


def violations(page: Page, rules: dict[str, Any]) -> dict[str, list[str]]:
    """Return what axe finds, by rule; frames hold evidence, which is not ours to judge."""
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], iframes: false})",
        rules,
    )
    return {
        rule["id"]: [" ".join(node["target"]) for node in rule["nodes"]]
        for rule in found["violations"]
    }


def faults_at(page: Page, width: int, height: int) -> list[str]:
    """Return what is wrong at a size, in light and in dark."""
    faults: list[str] = []
    page.set_viewport_size({"width": width, "height": height})
    for theme, rules in (("light", EVERYTHING), ("dark", COLOURS)):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        scheme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        assert scheme is (theme == "dark")
        faults += [f"{theme} {width}: {rule}" for rule in violations(page, rules).items()]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return faults if wide <= width else [*faults, f"{width}: scrolls sideways to {wide}"]


def test_every_page_of_the_route_table_is_looked_at(stage: Stage) -> None:
    pages = {
        route.endpoint.partition(".")[2]
        for route in route_table(stage.world.app)
        if route.door is Door.ADMIN and "GET" in route.methods
    }
    assert pages - NO_PAGES == PAGES.keys()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_quiet_and_accessible(name: str, stage: Stage) -> None:
    who, where = PAGES[name]
    seat = stage.seat(who)
    seat.complaints.clear()
    answer = seat.page.goto(where(stage), wait_until="load")
    assert answer is not None
    seat.page.evaluate(AXE_SCRIPT)
    faults = [fault for size in WIDTHS.items() for fault in faults_at(seat.page, *size)]
    faults += seat.complaints + seat.broken_policies()
    if faults or answer.status != 200:
        photograph(seat, f"page-{name}")
    assert answer.status == 200
    assert faults == []
    assert seat.page.locator("h1").count() == 1
    assert seat.page.title().endswith("SeedTrust")
    assert len(seat.page.title()) > len("SeedTrust")
