"""A case with a check that came in: what the bank tells of it, and what the books say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select

from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.funding.models import Deposit, Shortage
from seedtrust.domain.ledger.queries import Balance, balance_of, case_lines
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.cases import collect_deposits
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank

WEDNESDAY: Final = date(2026, 1, 7)
# Five banking days after the deposit on Monday, 5 January.
COLLECTED_ON: Final = date(2026, 1, 12)
LATER: Final = date(2026, 1, 20)
AMOUNT: Final = 250_000


@dataclass
class Till:
    """A case, the bank that tells of checks, and what the books say of both."""

    world: PaymentWorld
    desk: JobDesk[FakeBank]
    case: Case

    def deposited(self, *, named: bool = True, on: date = MONDAY) -> Deposit:
        """Have the bank tell of a check, and return what became of it."""
        self.desk.bank.tell(
            "deposit.received",
            on,
            id="CHK-1",
            kind="check",
            account_id="trust",
            amount_cents=AMOUNT,
            sender_name="Rosalind Ashgrove",
            text=f"Escrow {self.case.reference}" if named else "thank you",
            business_on=on.isoformat(),
            bank_reference="LINE-1",
        )
        assert poll_events(self.desk.at(on)) == (1, 0)
        return self.deposit()

    def bounced(self, on: date = TUESDAY, **changes: str | int) -> tuple[int, int]:
        """Have the bank tell that the check bounced."""
        told: dict[str, str | int] = {
            "id": "CHK-1",
            "kind": "check",
            "account_id": "trust",
            "amount_cents": AMOUNT,
            "bank_reference": "LINE-1",
            "return_reason": "Insufficient funds",
            "returned_on": on.isoformat(),
            "return_bank_reference": "LINE-2",
        }
        self.desk.bank.tell("deposit.returned", on, **(told | changes))
        return poll_events(self.desk.at(on))

    def collect(self, on: date = COLLECTED_ON) -> tuple[int, int]:
        """Run the daily job."""
        return collect_deposits(self.desk.at(on))

    def deposit(self) -> Deposit:
        """Return the deposit as it stands."""
        return self.world.do(lambda s: s.execute(select(Deposit)).scalar_one())

    def balance(self) -> Balance:
        """Return the case's figures."""
        return self.world.do(lambda s: balance_of(s, self.case.ledger_account_id))

    def lines(self) -> list[tuple[str, str, str | None, int]]:
        """Return day, kind, category and amount of each line of the case, without the first."""
        found = self.world.do(lambda s: case_lines(s, self.case.ledger_account_id, limit=50))
        rows = [(str(li.effective_on), str(li.kind), li.category, li.amount_cents) for li in found]
        return [row for row in rows if row[0] != "2026-01-02"]

    def stage(self) -> str:
        """Return where the case stands."""
        return self.world.do(lambda s: s.get_one(Case, self.case.id).stage)

    def requests(self) -> list[str]:
        """Return the states of the requests, the oldest first."""
        query = select(DisbursementRequest.state).order_by(DisbursementRequest.id)
        return self.world.do(lambda s: list(s.execute(query).scalars()))

    def shortages(self) -> list[int]:
        """Return the amounts of the open shortages."""
        query = select(Shortage.amount_cents).where(Shortage.state == "OPEN")
        return self.world.do(lambda s: list(s.execute(query).scalars()))

    def waiting(self) -> list[str]:
        """Return the kinds of what waits for a person."""
        return sorted(self.world.do(lambda s: [item.kind for item in open_exceptions(s)]))

    def is_proved(self, on: date) -> bool:
        """Tell whether bank, book and owners agree on a day."""
        return self.world.do(lambda s: three_way(s, self.world.trust_account_id, on)).agrees


def opened(world: PaymentWorld, desk: JobDesk[FakeBank]) -> Till:
    """Return a case with 1,000.00 of collected money that the bank's statement shows."""
    case = world.case(funds_cents=100_000)
    data = statement(date(2026, 1, 2), 0, Line(100_000, "LINE-0"))
    bring(world, data)
    return Till(world, desk, case)


def bring(world: PaymentWorld, data: bytes) -> None:
    """Import what the bank's statement says."""
    world.do(
        lambda s: import_statement(
            s, SYSTEM, file_name="STMT.bai2", data=data, moment=moment_at(WEDNESDAY)
        )
    )
