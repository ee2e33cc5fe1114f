"""A day at the staff's desk: one case at the doors, people of every trade, things that wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_reference
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements import review
from seedtrust.domain.funding.asking import draft_request
from seedtrust.domain.funding.models import CheckClearance, Shortage
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.funding.service import Receipt, collect_deposit, receive, receive_wire
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.queries import balance_of
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments import runs
from seedtrust.domain.payments.models import PaymentRun
from tests.factories import api_world, case_world
from tests.factories.api_world import ApiWorld
from tests.factories.identity import Person, actor_for
from tests.support.doors import Browser, person_in

STRANGER: Final = "Top-up, thank you"


@dataclass
class DeskWorld:
    """One case with money and requests, and the staff who work on it."""

    app: Flask
    api: ApiWorld
    builder: Person
    it: Person
    browsers: dict[int, Browser] = field(default_factory=dict)

    @property
    def case(self) -> str:
        """Return the reference of the case."""
        return self.api.case

    def browser(self, person: Person) -> Browser:
        """Return a signed-in browser of somebody."""
        if person.user_id not in self.browsers:
            browser = Browser(self.app)
            assert browser.sign_in(person).status_code == 303
            self.browsers[person.user_id] = browser
        return self.browsers[person.user_id]

    def of(self, who: str) -> Browser:
        """Return a signed-in browser of one of the case's people."""
        return self.browser(self.api.logins[who])

    def request(self, amount_cents: int = 12_345) -> str:
        """Have the donor ask for lost wages; return the request's reference."""
        asked = self.api.ask(amount_cents=amount_cents)
        assert asked.status_code == 201, asked.text
        reference: str = asked.get_json()["reference"]
        return reference

    def ready(self, amount_cents: int = 12_345) -> str:
        """Have a request asked for and accepted, so that its money is reserved."""
        reference = self.request(amount_cents)
        self.api.do(
            lambda session: review.accept(
                session,
                self.api.world.second,
                request_ref=reference,
                amount_cents=amount_cents,
                moment=self.api.moment(),
            )
        )
        return reference

    def waiting_account(self) -> str:
        """Return the bank details of the donor, as submitted."""

        def work(session: Session) -> str:
            payee = self.api.payees["carrier"]
            return session.execute(
                select(PayeeAccount.reference).where(PayeeAccount.payee_id == payee.id)
            ).scalar_one()

        return self.api.do(work)

    def activate_account(self) -> str:
        """Have the donor's bank details checked, verified and approved long ago."""
        reference = self.waiting_account()
        moment = case_world.moment_on(date(2026, 1, 7))

        def work(session: Session) -> None:
            checker = actor_for(session, self.builder)
            payees.check_account(session, checker, account_ref=reference, moment=moment)
            payees.verify_account(
                session,
                checker,
                account_ref=reference,
                call_back_note="Called the number on file; the donor confirmed.",
                moment=moment,
            )
            payees.approve_account(
                session, self.api.world.payments_lead, account_ref=reference, moment=moment
            )

        self.api.do(work)
        return reference

    def locked_run(self, payments: int = 1) -> str:
        """Return a locked run that pays the donor."""
        self.activate_account()
        for number in range(payments):
            self.ready(5_000 + number)

        def collect(session: Session) -> PaymentRun:
            actor = actor_for(session, self.builder)
            run = runs.collect_due(
                session,
                actor,
                trust_account_id=self.api.world.case.trust_account_id,
                rail="ach",
                moment=self.api.moment(),
            )
            assert run is not None
            return runs.lock_run(session, actor, run_ref=run.reference, moment=self.api.moment())

        return self.api.do(collect).reference

    def stray_deposit(self, amount_cents: int = 150_000, number: int = 1) -> str:
        """Receive a wire that names no case."""
        moment = self.api.moment()
        return self.api.do(
            lambda session: receive_wire(
                session,
                Actor.system("tests"),
                trust_account_id=self.api.world.case.trust_account_id,
                trust_code="main",
                bank="main",
                bank_reference=f"stray-{number}",
                amount_cents=amount_cents,
                sender_name="E. Ashgrove",
                text=STRANGER,
                received_on=moment.today,
                moment=moment,
            )
        ).reference

    def short(self, number: int = 0, amount_cents: int = 4_000) -> str:
        """Have a check of the case bounce after its money was spent; return the shortage."""
        moment, bank = self.api.moment(), Actor.system("tests")
        account_id = self.api.world.case.trust_account_id
        name = f"check-{number}"
        receipt = Receipt(
            account_id, "main", "main", name, amount_cents, "Drawer", self.case, moment.today
        )
        said = DepositReturn(
            "main", "main", name, amount_cents, "Closed account", f"{name}-back", moment.today
        )

        def work(session: Session) -> str:
            deposit = receive(session, bank, receipt, ReceiptRail.CHECK, moment=moment)
            clearing = session.execute(
                select(CheckClearance).where(CheckClearance.deposit_id == deposit.id)
            ).scalar_one()
            # As if its time had passed and the case had paid with it.
            clearing.collects_on = moment.today
            collect_deposit(session, bank, deposit.id, moment=moment)
            case = session.get_one(Case, deposit.case_id)
            spend(session, case, moment)
            return_deposit(session, bank, said, moment=moment)
            query = select(Shortage.reference).where(Shortage.deposit_id == deposit.id)
            return session.execute(query).scalar_one()

        return self.api.do(work)

    def asked_for_funds(self, number: int = 0) -> str:
        """Prepare a request for funds by hand."""
        moment = self.api.moment()
        return self.api.do(
            lambda session: (
                draft_request(
                    session,
                    self.api.world.specialist,
                    case_ref=self.case,
                    amount_cents=500_000 + number,
                    reason="A second clinic has sent its estimate",
                    moment=moment,
                ).reference
            )
        )


def spend(session: Session, case: Case, moment: Moment) -> None:
    """Book that a case has paid all that it had."""
    cents = balance_of(session, case.ledger_account_id).available_cents
    if not cents:
        return
    ledger.transfer(
        session,
        Actor.system("tests"),
        debit_account_id=case.ledger_account_id,
        credit_account_id=chart.account_id(session, "trust", chart.bank_cash_code("main")),
        amount_cents=cents,
        kind=ledger.TxnKind.DISBURSEMENT,
        key=f"spent:{new_reference()}",
        effective_on=moment.today,
        now=moment.at,
    )


def build(app: Flask) -> DeskWorld:
    """Build the case and hire who is missing."""
    api = api_world.build(app)
    return DeskWorld(
        app, api, person_in(app, Role.PAYMENTS_SPECIALIST), person_in(app, Role.IT_ADMIN)
    )
