"""A trust account, people who pay, payees with accounts, and requests that are ready to be paid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, TypeVar

from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.clock import Moment, at_new_york
from seedtrust.core.crypto import Keyring
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import CaseKind, Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reservation import reserve
from seedtrust.domain.disbursements.states import RequestKind, RequestState
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import AccountType, PayeeKind
from seedtrust.domain.payments import release, runs
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.domain.payments.service import open_trust_account
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.terms.states import Category, TaxClass
from tests.factories.case_world import REAL_TIME, person

KEYRING: Final = Keyring({"k1": bytes(range(32))}, "k1", bytes(range(32, 64)))
SYSTEM: Final = Actor.system("tests")
STEP_UP_SECONDS: Final = 300
MONDAY: Final = date(2026, 1, 5)
TUESDAY: Final = date(2026, 1, 6)
ROUTING: Final = "044000024"
OTHER_ROUTING: Final = "021000021"
ACCOUNT_NUMBER: Final = "2200418806"

Result = TypeVar("Result")


def moment_at(day: date = MONDAY, hour: int = 10, minute: int = 0) -> Moment:
    """Return a moment at a wall-clock time in New York."""
    return Moment(REAL_TIME, at_new_york(day, hour, minute))


@dataclass
class PaymentWorld:
    """Everybody and everything that a payment needs, in a database of its own."""

    sessions: sessionmaker[Session]
    trust_account_id: int
    escrow: Actor
    builder: Actor
    other_builder: Actor
    lead: Actor
    other_lead: Actor
    controller: Actor
    checker: Actor
    approver: Actor
    numbers: list[int] = field(default_factory=lambda: [1])
    rail: str = "nacha"

    def do(self, work: Callable[[Session], Result]) -> Result:
        """Do something in a unit of work and commit it."""
        with self.sessions() as session, session.begin():
            return work(session)

    def account(self) -> TrustAccount:
        """Return the trust account as it stands."""
        return self.do(lambda session: session.get_one(TrustAccount, self.trust_account_id))

    def case(self, *, funds_cents: int = 1_000_000, stage: Stage = Stage.CYCLE_IN_PROGRESS) -> Case:
        """Open a case with money on it, in a stage that lets money out."""

        def work(session: Session) -> Case:
            moment = moment_at(date(2026, 1, 2))
            case = cases.open_case(
                session,
                self.escrow,
                kind=CaseKind.EGG_DONATION.value,
                name="Ashgrove_Quarles",
                agency_id=None,
                rail=self.rail,
                trust_account_id=self.trust_account_id,
                anonymous=True,
                funding_required_cents=2_850_000,
                moment=moment,
            )
            case.stage = stage.value
            session.flush()
            if funds_cents:
                deposit(session, case, self.account_code(session), funds_cents, moment)
            return case

        return self.do(work)

    def account_code(self, session: Session) -> str:
        """Return the code of the trust account."""
        return session.get_one(TrustAccount, self.trust_account_id).code

    def payee(
        self,
        *,
        kind: PayeeKind = PayeeKind.PERSON,
        name: str = "Delphine Quarles",
        active: bool = True,
        account_type: AccountType = AccountType.CHECKING,
    ) -> Payee:
        """Open a payee, by default with an active account."""

        def work(session: Session) -> Payee:
            payee = payees.open_payee(
                session, self.escrow, kind=kind, name=name, moment=moment_at(date(2025, 11, 3))
            )
            session.flush()
            if active:
                account = self.submit(session, payee, account_type=account_type)
                self.approve(session, account)
            return payee

        return self.do(work)

    def submit(
        self,
        session: Session,
        payee: Payee,
        *,
        on: date = date(2025, 11, 3),
        number: str = "",
        account_type: AccountType = AccountType.CHECKING,
    ) -> PayeeAccount:
        """Submit an account of a payee, another number each time."""
        self.numbers.append(self.numbers[-1] + 1)
        account = payees.submit_account(
            session,
            self.escrow,
            payee_ref=payee.reference,
            account_type=account_type,
            holder_name=payee.name,
            routing_number=OTHER_ROUTING,
            account_number=number or f"77{self.numbers[-1]:08d}",
            keyring=KEYRING,
            moment=moment_at(on),
        )
        session.flush()
        return account

    def approve(
        self, session: Session, account: PayeeAccount, *, on: date = date(2025, 11, 3)
    ) -> None:
        """Take an account from submission to use, by two other people."""
        reference, moment = account.reference, moment_at(on)
        payees.check_account(session, self.checker, account_ref=reference, moment=moment)
        payees.verify_account(
            session,
            self.checker,
            account_ref=reference,
            call_back_note="Called the number on file; holder confirmed the last four.",
            moment=moment,
        )
        payees.approve_account(session, self.approver, account_ref=reference, moment=moment)

    def request(
        self,
        case: Case,
        payee: Payee,
        *,
        amount_cents: int = 10_000,
        kind: RequestKind = RequestKind.REQUEST,
        category: Category = Category.PER_DIEM,
        tax_class: TaxClass = TaxClass.REIMBURSEMENT,
        pay_on: date | None = None,
        requested_on: date = MONDAY,
    ) -> DisbursementRequest:
        """Write an approved request and reserve its money."""

        def work(session: Session) -> DisbursementRequest:
            row = DisbursementRequest(
                id=new_id(),
                reference=new_reference(),
                case_id=case.id,
                client_key=None,
                kind=kind.value,
                state=RequestState.APPROVED.value,
                state_since_at=REAL_TIME,
                category=category.value,
                tax_class=tax_class.value,
                payee_id=payee.id,
                requester_name="Delphine Quarles",
                requester_role="donor",
                amount_cents=amount_cents,
                approved_cents=amount_cents,
                description="Meals",
                requested_on=requested_on,
                pay_on=pay_on,
            )
            session.add(row)
            session.flush()
            current = session.get_one(Case, case.id)
            return reserve(session, SYSTEM, current, row, moment=moment_at())

        return self.do(work)

    def ready(self, count: int = 1, *, kind: PayeeKind = PayeeKind.PERSON) -> list[str]:
        """Write some requests of different amounts on one case; return their references."""
        case, payee = self.case(), self.payee(kind=kind)
        made = [self.request(case, payee, amount_cents=10_000 + n) for n in range(count)]
        return [row.reference for row in made]

    def collect(
        self,
        actor: Actor | None = None,
        *,
        rail: Rail = Rail.ACH,
        moment: Moment | None = None,
    ) -> PaymentRun | None:
        """Collect what is due."""
        return self.do(
            lambda session: runs.collect_due(
                session,
                actor or self.builder,
                trust_account_id=self.trust_account_id,
                rail=rail,
                moment=moment or moment_at(),
            )
        )

    def locked(self, *, rail: Rail = Rail.ACH, moment: Moment | None = None) -> PaymentRun:
        """Collect what is due and lock the run."""
        run = self.collect(rail=rail, moment=moment)
        assert run is not None, "nothing is due"
        return self.do(
            lambda session: runs.lock_run(
                session, self.builder, run_ref=run.reference, moment=moment or moment_at()
            )
        )

    def release(
        self, run: PaymentRun, actor: Actor | None = None, *, moment: Moment | None = None
    ) -> PaymentRun:
        """Release a locked run as somebody who has just given a second factor."""
        at = moment or moment_at()
        return self.do(
            lambda session: release.release_run(
                session,
                fresh(actor or self.lead, at),
                run_ref=run.reference,
                content_hash=run.content_hash,
                moment=at,
                step_up_seconds=STEP_UP_SECONDS,
            )
        )

    def released(self, *, rail: Rail = Rail.ACH, moment: Moment | None = None) -> PaymentRun:
        """Collect, lock and release."""
        return self.release(self.locked(rail=rail, moment=moment), moment=moment)


def fresh(actor: Actor, moment: Moment) -> Actor:
    """Return the actor with a second factor given just now."""
    return replace(actor, stepped_up_at=moment.at)


def deposit(session: Session, case: Case, code: str, cents: int, moment: Moment) -> None:
    """Book money in, as a matched wire does."""
    cash = chart.account_id(session, "trust", chart.bank_cash_code(code))
    ledger.transfer(
        session,
        SYSTEM,
        debit_account_id=cash,
        credit_account_id=case.ledger_account_id,
        amount_cents=cents,
        kind=ledger.TxnKind.DEPOSIT,
        key=f"deposit:{new_reference()}",
        effective_on=moment.today,
        now=moment.at,
    )


def build(
    sessions: sessionmaker[Session],
    *,
    second_release_above_cents: int | None = None,
    rail: str = "nacha",
) -> PaymentWorld:
    """Open the books, a trust account, and hire the people."""
    with sessions() as session, session.begin():
        account = open_trust_account(
            session,
            SYSTEM,
            code="main",
            name="Client trust",
            case_rail=rail,
            bank_name="Sandbox bank",
            bank_account_ref="trust",
            routing_number=ROUTING,
            last_four=ACCOUNT_NUMBER[-4:],
            immediate_destination=f" {ROUTING}",
            immediate_origin="1844200017",
            company_name="SEEDTRUST ESCROW",
            company_identification="1844200017",
            odfi_identification=ROUTING[:8],
            second_release_above_cents=second_release_above_cents,
            moment=moment_at(date(2025, 11, 3)),
        )
        return PaymentWorld(
            sessions,
            account.id,
            escrow=person(session, "Esme Wolcott", Role.ESCROW_SPECIALIST),
            builder=person(session, "Bo Larsen", Role.PAYMENTS_SPECIALIST),
            other_builder=person(session, "Bea Ostrow", Role.PAYMENTS_SPECIALIST),
            lead=person(session, "Piet Vandermeer", Role.PAYMENTS_LEAD),
            other_lead=person(session, "Paula Reyes", Role.PAYMENTS_LEAD),
            controller=person(session, "Carla Whitlock", Role.CONTROLLER),
            checker=person(session, "Chen Duarte", Role.PAYMENTS_SPECIALIST),
            approver=person(session, "Ada Nowak", Role.PAYMENTS_LEAD),
            rail=rail,
        )
