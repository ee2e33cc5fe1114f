"""A case in the middle of its journey, served to Chromium, beside a real bank and worker."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from seedtrust.app import create_app, make_tools
from seedtrust.core.bankdays import next_banking_day
from seedtrust.core.clock import FixedClock, at_new_york
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements import review
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.identity import second_factor
from seedtrust.domain.notices.ports import Mail
from seedtrust.domain.operations.service import set_business_clock
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments import runs
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.states import Rail
from seedtrust.ext import db, in_transaction, reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.relay import drain
from seedtrust.jobs.schedule import tick
from seedtrust.jobs.tools import Tools
from seedtrust.journeys import asking, scenes
from seedtrust.journeys.cast import Cast, Login
from seedtrust.journeys.player import Player
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.scenes import Scene
from seedtrust.journeys.script import Journey, RequestSpec
from seedtrust.journeys.setting import set_up
from seedtrust.journeys.shipped import journey_folders
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings

Result = TypeVar("Result")

NAME: Final = "case-b"
LAST_ACT_ON: Final = date(2026, 3, 18)
# The calendar runs on for some days after the last act; the browser takes over this morning.
TODAY: Final = date(2026, 3, 23)
TRAVEL, WAGES, MILEAGE, LEGAL = "travel_advance", "lost_wages", "mileage", "legal"
INSURANCE: Final = "donor_insurance"
COPAY: Final = "medical_copay"
PARENT: Final = "maren.holt@families.example"
BANK_KEY: Final = "test-key"
CHROMIUM_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
PATIENCE_MS: Final = 60_000
# Kept by the page itself, because a report of the policy is no console message everywhere.
_WATCH_POLICY: Final = """
window.brokenPolicies = [];
document.addEventListener("securitypolicyviolation", event =>
  window.brokenPolicies.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


class Letterbox:
    """Keeps every mail instead of sending it."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """Keep one mail."""
        self.mails.append(mail)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing; the application logs its requests itself."""


def shortened(journey: Journey) -> Journey:
    """Return the beginning of a journey, with nothing after the day above."""
    return replace(
        journey,
        milestones=tuple(one for one in journey.milestones if one.on <= LAST_ACT_ON),
        requests=tuple(one for one in journey.requests if one.on <= LAST_ACT_ON),
        closing=None,
    )


@dataclass
class World:
    """Everything beside the browser; clock and worker move when the test says so."""

    folder: Path
    app: Flask
    tools: Tools
    clock: FixedClock
    control: HttpSandboxControl
    base_url: str = ""
    staff: dict[str, Login] = field(default_factory=dict)

    def do(self, work: Any) -> Any:
        """Do something in one unit of work of the application."""
        with self.app.app_context():
            return in_transaction(work)

    def read(self, work: Any) -> Any:
        """Read something in the application's database."""
        with self.app.app_context():
            return reading(work)

    def work(self) -> None:
        """Let the worker do what waits, the bank look into its folder, and the worker again."""
        with self.app.app_context():
            drain(self.tools)
            self.control.scan()
            tick(self.tools)
            poll_events(self.tools)
            drain(self.tools)

    def code(self, key: str) -> str:
        """Wait for the next code of somebody's authenticator, and return it."""
        secret = self.staff[key].totp_secret
        assert secret is not None, f"{key} has no authenticator"
        self.clock.advance(timedelta(seconds=second_factor.STEP_SECONDS))
        return second_factor.code_at(secret, self.clock.now())

    def follow(self, day: date, hour: int = 9) -> None:
        """Let real time follow the business date, so that pages read as they do in life."""
        self.clock.at = max(self.clock.at, at_new_york(day, hour))

    @property
    def case(self) -> str:
        """Return the reference of the case."""
        found: str = self.read(lambda session: session.execute(select(Case.reference)).scalar_one())
        return found

    def request(self, category: str) -> str:
        """Return the reference of the newest request of a category."""
        newest = (
            select(DisbursementRequest.reference)
            .where(DisbursementRequest.category == category)
            .order_by(DisbursementRequest.id.desc())
        )
        found: str = self.read(lambda session: session.execute(newest).scalars().first())
        return found


@contextmanager
def opened(folder: Path, at: datetime) -> Iterator[World]:
    """Give the application over a folder's data, beside a running bank, until the block ends."""
    bank_dir = folder / "bank"
    bank = RunningBank(bank_dir, 0, BANK_KEY, scan_seconds=None)
    bank.start()
    settings = Settings.from_env(
        env="test",
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'seedtrust.sqlite3'}",
        business_clock="database",
        bank_url=bank.url,
        bank_api_key=BANK_KEY,
        bank_drop_dir=bank_dir / "drop",
    )
    clock = FixedClock(at)
    app = create_app(settings, clock=clock)
    tools = replace(make_tools(settings, clock=clock), mailer=Letterbox())
    try:
        yield World(folder, app, tools, clock, HttpSandboxControl(bank.url, BANK_KEY))
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        bank.stop()


@contextmanager
def served(folder: Path) -> Iterator[World]:
    """Give a prepared folder's application on a port of its own, with everybody's login."""
    with opened(folder, at_new_york(TODAY, 9)) as world:
        cast = Cast(world.tools.keyring)
        logins = world.do(lambda session: cast.hire(session, now=world.clock.now()))
        world.staff = {login.email.partition("@")[0]: login for login in logins}
        server = make_server("127.0.0.1", 0, world.app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, name="pages")
        thread.start()
        world.base_url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield world
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def prepare(database: Path, folder: Path) -> Path:
    """Play the shipped journey into a folder up to a morning on which much waits; return it.

    The real clock goes with the business date, so that the record reads as it does in life.
    """
    shutil.copyfile(database, folder / "seedtrust.sqlite3")
    whole = read_journey(
        next(found for found in journey_folders() if found.name == NAME) / "journey.toml"
    )
    with opened(folder, at_new_york(whole.opened_on, 9)) as world, world.app.app_context():
        tools = world.tools
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, world.control)

        def report(day: date, _done: int, _total: int) -> None:
            world.follow(next_banking_day(day))

        Player(tools, world.control, cast, report).play([shortened(whole)])
        world.follow(TODAY)
        in_transaction(lambda session: _begin_the_day(session, world))
        world.work()
        asking = replace(whole, name="the-morning", requests=_waiting(whole))
        _ask(Scene(tools, cast, asking))
        _send_a_wire_without_a_name(world)
        world.work()
    return folder


def _begin_the_day(session: Session, world: World) -> None:
    actor = Actor.system("tests")
    set_business_clock(session, actor, at_new_york(TODAY, 9), now=world.clock.now())


def _waiting(journey: Journey) -> tuple[RequestSpec, ...]:
    """Return what people ask for on the morning: from the file, and two small bills besides."""
    asked = {one.category: one for one in journey.requests}
    return (
        replace(
            asked[LEGAL],
            amount_cents=15_000,
            description="Addendum to the donor agreement",
            evidence=("Invoice for the addendum",),
        ),
        replace(
            asked[INSURANCE],
            amount_cents=9_800,
            description="Travel rider for the companion",
            evidence=("Invoice for the rider",),
        ),
        *(one for one in journey.requests if one.on > LAST_ACT_ON and one.category != COPAY),
    )


def _ask(scene: Scene) -> None:
    """Ask for what waits, and submit a change of the donor's bank details."""
    moment = scene.tools.moment()
    for index in range(len(scene.journey.requests)):
        asking.ask(scene, index, scene.journey.requests[index], moment)
    donor = next(party for party in scene.journey.parties if party.key == "donor")

    def change(session: Session) -> None:
        payees.submit_account(
            session,
            scene.cast.party(session, donor.email),
            payee_ref=scenes.payee_ref(session, scene.journey, "donor"),
            account_type=AccountType.CHECKING,
            holder_name=donor.name,
            bank_name="Columbia River Bank",
            routing_number="323171904",
            account_number="5520998811",
            keyring=scene.tools.keyring,
            moment=moment,
        )

    in_transaction(change)


def _send_a_wire_without_a_name(world: World) -> None:
    world.control.receive_wire(
        {
            "account_id": "trust-nacha",
            "amount_cents": 120_000,
            "sender_name": "Holt Family Trust",
            "text": "top up",
            "reference": "W7C1D20B4A9E3",
        },
        key="a-wire-without-a-name",
    )


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGUMENTS)
    )


@dataclass
class Seat:
    """One person at one browser, and everything that the browser had to say."""

    world: World
    key: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def sign_in(self) -> None:
        """Sign in with the password and a code, as a person does."""
        self.page.goto("/admin/sign-in")
        self.page.get_by_label("E-mail address").fill(self.world.staff[self.key].email)
        self.page.get_by_label("Password").fill(self.world.staff[self.key].password)
        self.page.get_by_role("button", name="Continue").click()
        self.page.get_by_label("Code").fill(self.world.code(self.key))
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.get_by_role("navigation", name="Main").wait_for(state="attached")

    def broken_policies(self) -> list[str]:
        """Return what the content policy of the page that is open has refused."""
        found: list[str] = self.page.evaluate("window.brokenPolicies")
        return found


def take_seat(browser: Browser, world: World, key: str, **options: Any) -> Seat:
    """Open a browser window of somebody's own; nothing is signed in yet."""
    options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
    context = browser.new_context(base_url=world.base_url, **options)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_WATCH_POLICY)
    page = context.new_page()
    seat = Seat(world, key, context, page)
    page.on("console", lambda said: seat.complaints.append(said.text))
    page.on("pageerror", lambda error: seat.complaints.append(str(error)))
    page.on("request", lambda asked: _note_strangers(seat, asked.url))
    return seat


def _note_strangers(seat: Seat, url: str) -> None:
    # The browser's own pages, such as its PDF viewer, have schemes of their own.
    if url.startswith(("http", "ws")) and not url.startswith(f"{seat.world.base_url}/"):
        seat.complaints.append(f"asked a stranger: {url}")


def fill_the_desk(world: World) -> str:
    """Bring requests so far that a run waits for its release; return the run's reference."""
    tools = world.tools
    cast, moment = Cast(tools.keyring), world.read(tools.moment_in)
    wages, of_parents = world.request(WAGES), {LEGAL: 15_000, INSURANCE: 9_800, TRAVEL: 101_340}
    asked = {world.request(category): cents for category, cents in of_parents.items()}

    def decide(session: Session) -> None:
        escrow, parent = cast.staff(session, "escrow1"), cast.party(session, PARENT)
        for reference, cents in {wages: 53_040, **asked}.items():
            reason = "The folio shows six nights; the seventh is not on it."
            review.accept(
                session,
                escrow,
                request_ref=reference,
                amount_cents=cents,
                reason=reason if cents == of_parents[TRAVEL] else "",
                moment=moment,
            )
        for reference in asked:
            review.approve(session, parent, request_ref=reference, moment=moment)

    def build(session: Session) -> str:
        builder = cast.staff(session, "payments1")
        account = session.execute(
            select(TrustAccount.id).where(TrustAccount.code == "trust-nacha")
        ).scalar_one()
        run = runs.collect_due(
            session, builder, trust_account_id=account, rail=Rail.ACH, moment=moment
        )
        assert run is not None, "payments are due"
        session.flush()
        runs.lock_run(session, builder, run_ref=run.reference, moment=moment)
        return run.reference

    world.do(decide)
    found: str = world.do(build)
    return found
