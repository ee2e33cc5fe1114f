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

from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Agreement, Case
from seedtrust.domain.checks.models import Check
from seedtrust.domain.checks.states import CheckState
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.documents.models import Document
from seedtrust.domain.echecks import authorising
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.states import PullState
from seedtrust.domain.funding.asking import draft_request
from seedtrust.domain.funding.models import (
    Deposit,
    FundingRequest,
    Shortage,
    ShortageDecision,
)
from seedtrust.domain.funding.states import DecisionKind, DecisionState, ShortageState
from seedtrust.domain.identity import service as identity
from seedtrust.domain.identity.models import User
from seedtrust.domain.identity.passwords import new_hash
from seedtrust.domain.identity.states import UserKind
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payments.corrections import Noted, note_correction
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction, TrustAccount
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
        world.do(self._write_a_check)
        self.authorisation = world.do(self._authorise)
        world.do(self._draw)
        world.do(self._fall_short)
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

    def _write_a_check(self, session: Any) -> None:
        """Have a check in the register whose stop is asked for."""
        request = session.execute(
            select(DisbursementRequest).where(DisbursementRequest.reference == self.mileage)
        ).scalar_one()
        today = self.world.tools.moment_in(session).today
        session.add(
            Check(
                id=new_id(),
                reference=new_reference(),
                trust_account_id=session.get_one(Case, request.case_id).trust_account_id,
                number=1001,
                request_id=request.id,
                case_id=request.case_id,
                payee_id=request.payee_id,
                payee_name="Carroll Clinic",
                mail_to="12 Elm Street, Dover DE 19901",
                amount_cents=request.amount_cents,
                state=CheckState.STOP_ASKED.value,
                state_since_at=self.world.clock.now(),
                reason="It never arrived",
                prepared_by="Payments",
                prepared_on=today,
                issued_by="Lead",
                issued_on=today,
            )
        )

    def _authorise(self, session: Any) -> str:
        """Have two accounts that may be debited on file, one of them checked; return its name."""
        tools = self.world.tools
        cast, moment = Cast(tools.keyring), tools.moment_in(session)
        specialist, lead = cast.staff(session, SPECIALIST), cast.staff(session, LEAD)
        given = [
            authorising.give_authorisation(
                session,
                specialist,
                case_ref=self.world.case,
                holder_name="Rosalind Ashgrove",
                account_type="checking",
                routing_number="323171904",
                account_number=number,
                accepted_text=authorising.text_for(session, specialist, self.world.case),
                given_from="192.0.2.17",
                paper="Binder 4, sheet 12",
                keyring=tools.keyring,
                moment=moment,
            ).reference
            for number in ("5501882200", "5501882201")
        ]
        session.flush()
        authorising.check_account(
            session, lead, authorisation_ref=given[0], note="Micro-entries.", moment=moment
        )
        return given[0]

    def _draw(self, session: Any) -> None:
        """Have an e-check that came back for want of money."""
        authorisation = session.execute(
            select(DebitAuthorisation).where(DebitAuthorisation.reference == self.authorisation)
        ).scalar_one()
        funding = session.execute(select(FundingRequest).order_by(FundingRequest.id.desc()))
        row_id, today = new_id(), self.world.tools.moment_in(session).today
        case = session.get_one(Case, authorisation.case_id)
        session.add(
            EcheckPull(
                id=row_id,
                reference=new_reference(),
                authorisation_id=authorisation.id,
                case_id=case.id,
                trust_account_id=case.trust_account_id,
                funding_request_id=funding.scalars().first().id,
                first_pull_id=row_id,
                presentment=1,
                amount_cents=250_000,
                state=PullState.RETURNED.value,
                state_since_at=self.world.clock.now(),
                state_reason="Not enough money",
                asked_by="Payments",
                asked_on=today,
                sec_code="PPD",
                entry_description="ESCROWDEP",
                return_code="R01",
                ended_on=today,
            )
        )

    def _fall_short(self, session: Any) -> None:
        """Have a shortage about which one person has proposed something."""
        deposit = session.execute(select(Deposit).order_by(Deposit.id.desc())).scalars().first()
        case = session.execute(select(Case).where(Case.reference == self.world.case)).scalar_one()
        row_id, now = new_id(), self.world.clock.now()
        today = self.world.tools.moment_in(session).today
        session.add(
            Shortage(
                id=row_id,
                reference=new_reference(),
                case_id=case.id,
                deposit_id=deposit.id,
                amount_cents=12_345,
                state=ShortageState.OPEN.value,
                opened_on=today,
                opened_at=now,
            )
        )
        session.flush()
        session.add(
            ShortageDecision(
                id=new_id(),
                reference=new_reference(),
                shortage_id=row_id,
                kind=DecisionKind.ADVANCE.value,
                open_kind=DecisionKind.ADVANCE.value,
                state=DecisionState.PROPOSED.value,
                amount_cents=12_345,
                reason="The parents wire on Friday",
                proposed_on=today,
                proposed_by="Payments",
            )
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


def debited(tab: str) -> Callable[[Stage], str]:
    """Return where a page of an authorisation of the case is."""
    return lambda stage: case(f"/debit-authorisations/{stage.authorisation}{tab}")(stage)


# Who opens which page; a page that is not here fails the first test.
PAGES: Final[dict[str, tuple[str, Callable[[Stage], str]]]] = {
    "account": (LEAD, at("account")),
    "cases_activity": (LEAD, case("/activity")),
    "cases_agreement": (ESCROW, one("agreements", Agreement)),
    "cases_agreement_new": (ESCROW, case("/agreements/new")),
    "cases_agreement_text": (ESCROW, one("agreements", Agreement, "/text")),
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
    "checks_cancel": (SPECIALIST, one("checks", Check, "/cancel")),
    "checks_confirm_stop": (LEAD, one("checks", Check, "/confirm-stop")),
    "checks_detail": (LEAD, one("checks", Check)),
    "checks_issue": (LEAD, one("checks", Check, "/issue")),
    "checks_keep": (LEAD, one("checks", Check, "/keep")),
    "checks_list": (LEAD, at("checks")),
    "checks_new": (SPECIALIST, lambda stage: f"/admin/requests/{stage.mileage}/check"),
    "checks_replace": (SPECIALIST, one("checks", Check, "/replace")),
    "checks_stop": (SPECIALIST, one("checks", Check, "/stop")),
    "checks_void": (LEAD, one("checks", Check, "/void")),
    "clock": (LEAD, at("clock")),
    "corrections_detail": (LEGAL, one("corrections", MilestoneCorrection)),
    "documents_detail": (LEGAL, one("documents", Document, "/details")),
    "deposits_detail": (LEAD, one("deposits", Deposit)),
    "deposits_list": (LEAD, at("deposits")),
    "echecks_authorisations": (LEAD, case("/debit-authorisations")),
    "echecks_cancel": (SPECIALIST, one("echecks", EcheckPull, "/cancel")),
    "echecks_check": (LEAD, debited("/check")),
    "echecks_detail": (SPECIALIST, one("echecks", EcheckPull)),
    "echecks_list": (LEAD, at("echecks")),
    "echecks_new": (SPECIALIST, one("funding", FundingRequest, "/draw")),
    "echecks_present": (SPECIALIST, one("echecks", EcheckPull, "/present-again")),
    "echecks_release": (LEAD, one("echecks", EcheckPull, "/release")),
    "echecks_revoke": (SPECIALIST, debited("/revoke")),
    "enrol": (NEWCOMER, at("sign-in/enrol")),
    "funding_detail": (LEAD, one("funding", FundingRequest)),
    "funding_list": (LEAD, at("funding")),
    "funding_new": (ESCROW, case("/funding/new")),
    "funding_rules": (ESCROW, case("/funding/rules")),
    "funding_send": (ESCROW, one("funding", FundingRequest, "/send")),
    "funding_withdraw": (ESCROW, one("funding", FundingRequest, "/withdraw")),
    "jobs_overview": (IT, at("jobs")),
    "jobs_runs": (IT, at("jobs/runs")),
    "limits_list": (LEAD, at("limits")),
    "limits_propose": (LEAD, one("limits", TrustAccount, "/propose")),
    "payees_account": (SPECIALIST, one("payees/accounts", PayeeAccount)),
    "payees_detail": (SPECIALIST, one("payees", Payee)),
    "payees_submit": (SPECIALIST, one("payees", Payee, "/account")),
    "payees_list": (SPECIALIST, at("payees")),
    "payments_detail": (LEAD, one("payments", PaymentInstruction)),
    "payments_list": (LEAD, at("payments")),
    "payments_not_sent": (LEAD, one("payments", PaymentInstruction, "/not-sent")),
    "payments_stop": (LEAD, one("payments", PaymentInstruction, "/stop")),
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
    "shortages_detail": (SPECIALIST, one("shortages", Shortage)),
    "shortages_list": (LEAD, at("shortages")),
    "shortages_propose": (SPECIALIST, one("shortages", Shortage, "/propose/advance")),
    "shortages_withdraw": (
        SPECIALIST,
        one("shortages/decisions", ShortageDecision, "/withdraw"),
    ),
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
