"""A case whose parents were asked for money and let us draw it from their bank account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Side, Stage
from seedtrust.domain.echecks import authorising, pulling
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.funding import asking
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.payments.models import PaymentRun
from seedtrust.jobs.payments import collect_echecks, transmit_echecks
from seedtrust.jobs.tools import Tools
from tests.factories.case_world import REAL_TIME, person
from tests.factories.payment_world import (
    KEYRING,
    OTHER_ROUTING,
    PaymentWorld,
    moment_at,
)

ASKED_CENTS: Final = 500_000
ADDRESS: Final = "192.0.2.17"


@dataclass
class EcheckWorld:
    """A parent with an authorised account and an open request for funds."""

    world: PaymentWorld
    case_id: int
    case_ref: str
    parent: Actor
    authorisation_ref: str
    request_ref: str

    def ask(
        self,
        cents: int = ASKED_CENTS,
        *,
        actor: Actor | None = None,
        moment: Moment | None = None,
        request_ref: str = "",
    ) -> EcheckPull:
        """Ask for an e-check, as the parent unless told."""
        return self.world.do(
            lambda session: pulling.ask_for_pull(
                session,
                actor or self.parent,
                authorisation_ref=self.authorisation_ref,
                funding_request_ref=request_ref or self.request_ref,
                amount_cents=cents,
                moment=moment or moment_at(),
            )
        )

    def request(self, cents: int = ASKED_CENTS) -> str:
        """Ask the parents for more and return the request's reference."""
        return self.world.do(lambda session: _asked(session, self.world, self.case_ref, cents))

    def pull(self, reference: str) -> EcheckPull:
        """Return an e-check as it stands."""
        wanted = select(EcheckPull).where(EcheckPull.reference == reference)
        return self.world.do(lambda session: session.execute(wanted).scalar_one())

    def authorisation(self) -> DebitAuthorisation:
        """Return the authorisation as it stands."""
        wanted = select(DebitAuthorisation).where(
            DebitAuthorisation.reference == self.authorisation_ref
        )
        return self.world.do(lambda session: session.execute(wanted).scalar_one())

    def balance(self) -> Balance:
        """Return the balance of the case."""

        def work(session: Session) -> Balance:
            case = session.get_one(Case, self.case_id)
            return ledger_queries.balance_of(session, case.ledger_account_id)

        return self.world.do(work)


def drawn(tools: Tools, echecks: EcheckWorld, reference: str) -> str:
    """Take an e-check to the bank in a file of its own; return the run's reference."""
    assert collect_echecks(tools)[1] == 0
    run_id = echecks.pull(reference).run_id
    run_ref = echecks.world.do(lambda session: _run_ref(session, run_id or 0))
    transmit_echecks(tools, {"run": run_ref})
    return run_ref


def _run_ref(session: Session, run_id: int) -> str:
    return session.get_one(PaymentRun, run_id).reference


def build(
    world: PaymentWorld,
    *,
    account_number: str = "5501882200",
    funds_cents: int = 0,
    stage: Stage = Stage.CYCLE_IN_PROGRESS,
) -> EcheckWorld:
    """Open a case, ask its parents for money, and have one of them authorise an account."""
    case = world.case(funds_cents=funds_cents, stage=stage)

    def work(session: Session) -> EcheckWorld:
        parent = person(session, "Rosalind Ashgrove", Role.INTENDED_PARENT)
        session.add(
            CaseParty(
                id=new_id(),
                reference=new_reference(),
                case_id=case.id,
                user_id=parent.user_id,
                role=Role.INTENDED_PARENT.value,
                side=Side.RECIPIENT.value,
                name="Rosalind Ashgrove",
                email="rosalind@parents.example",
                alias="",
                must_sign=True,
                must_certify=True,
                added_at=REAL_TIME,
            )
        )
        session.flush()
        request_ref = _asked(session, world, case.reference, ASKED_CENTS)
        moment = moment_at(date(2026, 1, 2))
        row = authorising.give_authorisation(
            session,
            parent,
            case_ref=case.reference,
            holder_name="Rosalind Ashgrove",
            account_type="checking",
            routing_number=OTHER_ROUTING,
            account_number=account_number,
            accepted_text=authorising.text_for(session, parent, case.reference),
            given_from=ADDRESS,
            keyring=KEYRING,
            moment=moment,
        )
        session.flush()
        authorising.check_account(
            session,
            world.lead,
            authorisation_ref=row.reference,
            note="Micro-entries confirmed.",
            moment=moment,
        )
        return EcheckWorld(world, case.id, case.reference, parent, row.reference, request_ref)

    return world.do(work)


def _asked(session: Session, world: PaymentWorld, case_ref: str, cents: int) -> str:
    moment = moment_at(date(2026, 1, 2))
    row = asking.draft_request(
        session,
        world.escrow,
        case_ref=case_ref,
        amount_cents=cents,
        reason="The next trimester",
        moment=moment,
    )
    session.flush()
    asking.send_request(session, world.escrow, funding_ref=row.reference, moment=moment)
    session.flush()
    return row.reference
