"""Requests that are paid by check, and the people who prepare, issue and stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.cases.models import Case
from seedtrust.domain.checks import service
from seedtrust.domain.checks.models import Check
from seedtrust.domain.disbursements.models import DisbursementRequest
from tests.factories.payment_world import MONDAY, PaymentWorld, moment_at

ADDRESS: Final = "12 Elm Street, Dover DE 19901"
CENTS: Final = 40_000
Verb = Callable[..., Check]


@dataclass
class CheckWorld:
    """One case with money, and checks that leave it."""

    world: PaymentWorld
    case: Case

    def ready(self, cents: int = CENTS) -> str:
        """Have a request ready for a payee without a bank account; return its reference."""
        payee = self.world.payee(name="Carroll Clinic", active=False)
        return self.world.request(self.case, payee, amount_cents=cents).reference

    def do(self, verb: Verb, actor: object, reference: str, **more: object) -> Check:
        """Do something with a check in a unit of work of its own."""
        return self.world.do(
            lambda session: verb(
                session, actor, check_ref=reference, **{"moment": moment_at()} | more
            )
        )

    def prepared(self, cents: int = CENTS) -> str:
        """Prepare a check; return its reference."""
        request = self.ready(cents)
        return self.world.do(
            lambda session: (
                service.prepare_check(
                    session,
                    self.world.builder,
                    request_ref=request,
                    mail_to=ADDRESS,
                    moment=moment_at(),
                ).reference
            )
        )

    def issued(self, cents: int = CENTS) -> str:
        """Prepare a check and have another person issue it; return its reference."""
        reference = self.prepared(cents)
        self.do(service.issue_check, self.world.lead, reference)
        return reference

    def check(self, reference: str) -> Check:
        """Return a check as it stands."""
        wanted = select(Check).where(Check.reference == reference)
        return self.world.do(lambda session: session.execute(wanted).scalar_one())

    def request_of(self, reference: str) -> DisbursementRequest:
        """Return the request that a check pays."""
        request_id = self.check(reference).request_id
        return self.world.do(lambda session: session.get_one(DisbursementRequest, request_id))

    def present(self, reference: str, on: date = MONDAY, *, cents: int = 0) -> Check | None:
        """Have the bank's line say that a check was paid."""
        row = self.check(reference)

        def work(session: Session) -> Check | None:
            return service.present_check(
                session,
                self.world.approver,
                trust_account_id=row.trust_account_id,
                number=row.number or 0,
                amount_cents=cents or row.amount_cents,
                on=on,
                moment=moment_at(on),
            )

        return self.world.do(work)


def build(world: PaymentWorld) -> CheckWorld:
    """Open a case with ten thousand dollars."""
    return CheckWorld(world, world.case())
