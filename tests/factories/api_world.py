"""A case whose people can sign in at the doors, with a contract, money, papers and requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.states import AgreementKind, Milestone
from seedtrust.domain.disbursements import review
from seedtrust.domain.funding.service import receive_wire
from seedtrust.domain.identity import second_factor
from seedtrust.domain.identity.models import User, UserRole
from seedtrust.domain.identity.refresh import RefreshLimits, open_family
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.identity.views import IssuedTokens
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payees.states import AccountType, PayeeKind
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.service import open_trust_account
from seedtrust.domain.terms.states import Category, TaxClass, TermApprover, TermKind
from seedtrust.ext import in_transaction
from seedtrust.web.actor import Wiring
from seedtrust.web.tokens import make_access_token
from tests.factories import case_world
from tests.factories.case_world import World
from tests.factories.identity import PASSWORD, SEED, Person, password_hash
from tests.support.doors import ApiClient, Browser

Result = TypeVar("Result")

TODAY: Final = date(2026, 2, 20)
NOW: Final = datetime(2026, 2, 20, 15, tzinfo=UTC)
PDF: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
PEOPLE: Final = (
    "specialist", "second", "legal", "payments_lead", "controller", "auditor",
    "agency_admin", "case_manager", "parent", "carrier", "attorney",
)  # fmt: skip
FIRM: Final = "Ardent Psychology Associates"
_keys = count(1)


@dataclass
class ApiWorld:
    """One case at the doors; `world` holds its rows and actors."""

    app: Flask
    world: World
    logins: dict[str, Person]
    payees: dict[str, Payee]
    clients: dict[str, ApiClient] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def case(self) -> str:
        """Return the reference of the case."""
        return self.world.case.reference

    def program(self, who: str) -> ApiClient:
        """Return a signed-in program of one of the people."""
        if who not in self.clients:
            self.clients[who] = ApiClient(self.app, self._token(who))
        return self.clients[who]

    def _token(self, who: str) -> str:
        """Begin a session without the password, whose hash is slow on purpose."""
        person, wiring = self.logins[who], wiring_of(self.app)
        now = wiring.clock.now()

        def work(session: Session) -> IssuedTokens:
            return open_family(
                session,
                session.get_one(User, person.user_id),
                second_factor=person.seed is not None,
                client=Client("127.0.0.1", "tests"),
                limits=RefreshLimits(86_400, 864_000, 10),
                now=now,
            )

        issued = self.do(work)
        with self.app.app_context():
            return make_access_token(issued, wiring.settings, now=now)

    def browser(self, who: str) -> Browser:
        """Return a signed-in browser of one of the staff."""
        if who not in self.browsers:
            browser = Browser(self.app)
            browser.sign_in(self.logins[who])
            self.browsers[who] = browser
        return self.browsers[who]

    def do(self, work: Callable[[Session], Result]) -> Result:
        """Do something in a unit of work of the application."""
        with self.app.app_context():
            return in_transaction(work)

    def moment(self) -> Moment:
        """Return the application's moment."""
        now = wiring_of(self.app).clock.now()
        return Moment(now, now)

    def body(self, payee: str = "carrier", **changes: Any) -> dict[str, Any]:
        """Return what asks for lost wages, with changes."""
        asked: dict[str, Any] = {
            "category": "lost_wages",
            "payee": self.payees[payee].reference,
            "amount_cents": 12_345,
            "description": "8 hours at the clinic",
        }
        return asked | changes

    def ask(self, who: str = "carrier", *, key: str = "", **changes: Any) -> TestResponse:
        """Ask for money as somebody; a new key each time unless one is given."""
        path = f"/cases/{self.case}/disbursement-requests"
        return self.program(who).post(path, self.body(**changes), key=key or new_key())

    def act(self, who: str, reference: str, verb: str, **body: Any) -> TestResponse:
        """Submit, withdraw, answer, approve or deny a request as somebody."""
        return self.program(who).post(
            f"/disbursement-requests/{reference}/{verb}", body, key=new_key()
        )

    def upload(
        self, who: str, content: bytes = PDF, *, name: str = "receipt.pdf", **form: str
    ) -> TestResponse:
        """Upload a file to the case as somebody."""
        from io import BytesIO

        return self.program(who).call(
            "POST",
            f"/cases/{self.case}/documents",
            data={"file": (BytesIO(content), name), **form},
            headers={"Idempotency-Key": new_key()},
        )

    def accepted(self, *, amount_cents: int = 40_000) -> str:
        """Return a request of the agency that the escrow has accepted and parents must approve."""
        asked = self.ask(
            "agency_admin",
            payee="firm",
            category="psych",
            amount_cents=amount_cents,
            description="Evaluation",
        )
        assert asked.status_code == 201, asked.text
        reference: str = asked.get_json()["reference"]
        self.do(
            lambda session: review.accept(
                session,
                self.world.specialist,
                request_ref=reference,
                amount_cents=amount_cents,
                moment=self.moment(),
            )
        )
        return reference


def new_key() -> str:
    """Return an idempotency key that was not used before."""
    return f"key-of-test-{next(_keys)}"


def wiring_of(app: Flask) -> Wiring:
    """Return what create_app wired."""
    wiring: Wiring = app.extensions["seedtrust"]
    return wiring


def build(app: Flask, **kwargs: Any) -> ApiWorld:
    """Build a case in its cycle on 20 February 2026, and move the application's clock there.

    Keywords go to `case_world.build`.
    """
    clock = wiring_of(app).clock
    clock.advance(NOW - clock.now() if clock.now() < NOW else timedelta())  # type: ignore[attr-defined]

    def work(session: Session) -> ApiWorld:
        world = case_world.build(session, **kwargs)
        _at_the_bank(session, world)
        _contract(session, world)
        case_world.sign(session, world, AgreementKind.ESCROW, on=date(2026, 1, 16))
        _receive(session, world)
        case_world.sign(session, world, case_world.donation_agreement(world), on=date(2026, 2, 18))
        logins = {who: _login(session, app, getattr(world, who)) for who in PEOPLE}
        return ApiWorld(app, world, logins, {**world.payees, "firm": _firm(session, app, world)})

    with app.app_context():
        return in_transaction(work)


def _at_the_bank(session: Session, world: World) -> None:
    known = session.execute(select(TrustAccount.id)).scalars().first()
    world.case.trust_account_id = known or _open_account(session).id


def _open_account(session: Session) -> TrustAccount:
    account = open_trust_account(
        session,
        Actor.system("tests"),
        code="main",
        name="Client trust",
        case_rail="nacha",
        bank_name="Sandbox bank",
        bank_account_ref="trust",
        routing_number="044000024",
        last_four="8806",
        immediate_destination=" 044000024",
        immediate_origin="1844200017",
        company_name="SEEDTRUST ESCROW",
        company_identification="1844200017",
        odfi_identification="04400002",
        moment=case_world.moment_on(date(2026, 1, 5)),
    )
    session.flush()
    return account


def _contract(session: Session, world: World) -> None:
    case_world.propose(
        session, world, category=Category.LOST_WAGES, cap_cents=150_000,
        tax_class=TaxClass.REIMBURSEMENT, title="Lost wages",
    )  # fmt: skip
    case_world.propose(
        session, world, category=Category.PSYCH, cap_cents=90_000,
        approver=TermApprover.INTENDED_PARENTS, title="Psychological evaluation",
    )  # fmt: skip
    case_world.propose(
        session, world, category=Category.MILEAGE, cap_cents=50_000,
        tax_class=TaxClass.REIMBURSEMENT, title="Mileage",
    )  # fmt: skip
    case_world.propose(
        session, world, category=Category.DONOR_COMPENSATION, kind=TermKind.SCHEDULED,
        payee="carrier", amount_cents=240_000, trigger=Milestone.MEDICATION_STARTED,
        pay_after_days=4, tax_class=TaxClass.COMPENSATION, title="Compensation, first part",
    )  # fmt: skip
    case_world.activate(session, world)


def _receive(session: Session, world: World) -> None:
    on = date(2026, 1, 22)
    receive_wire(
        session,
        Actor.system("tests"),
        trust_account_id=world.case.trust_account_id,
        trust_code="main",
        bank="sandbox",
        bank_reference=f"wire-{world.case.number}",
        amount_cents=2_850_000,
        sender_name=world.parent.name,
        text=f"CASE {world.case.number}",
        received_on=on,
        moment=case_world.moment_on(on),
    )
    session.flush()


def _firm(session: Session, app: Flask, world: World) -> Payee:
    moment = case_world.moment_on(date(2026, 1, 6))
    firm = payees.open_payee(
        session,
        world.specialist,
        kind=PayeeKind.COMPANY,
        name=FIRM,
        label="Psychologist",
        case_id=world.case.id,
        moment=moment,
    )
    session.flush()
    for payee, actor in ((firm, world.specialist), (world.payees["carrier"], world.carrier)):
        payees.submit_account(
            session,
            actor,
            payee_ref=payee.reference,
            account_type=AccountType.CHECKING,
            holder_name=payee.name,
            bank_name="Summit Business Bank",
            routing_number="021000021",
            account_number=f"30041{payee.id % 10_000:04d}",
            keyring=wiring_of(app).keyring,
            moment=moment,
        )
        session.flush()
    return firm


def _login(session: Session, app: Flask, actor: Actor) -> Person:
    user = session.get_one(User, actor.user_id)
    wiring = wiring_of(app)
    user.password_hash, user.password_set_at = password_hash(), wiring.clock.now()
    held = set(session.execute(select(UserRole.role).where(UserRole.user_id == user.id)).scalars())
    for role in actor.roles - held:
        session.add(
            UserRole(
                id=new_id(),
                user_id=user.id,
                role=role.value,
                current=True,
                granted_at=wiring.clock.now(),
            )
        )
    seed = SEED if actor.is_staff else None
    if seed is not None:
        second_factor.give_seed(user, wiring.keyring, seed)
        user.totp_confirmed_at = wiring.clock.now()
    return Person(user.id, user.reference, user.email, actor.name, actor.roles, PASSWORD, seed)
