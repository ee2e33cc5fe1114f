"""A run at the bank, what became of it, and the bank's answers in events and in files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payments.models import BankFile, PaymentInstruction, PaymentRun
from seedtrust.formats import nacha
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import OTHER_ROUTING, ROUTING, TUESDAY, PaymentWorld
from tests.fakes.bank import FakeBank

WEDNESDAY = date(2026, 1, 7)
THURSDAY = date(2026, 1, 8)


def sent(world: PaymentWorld, desk: JobDesk[FakeBank], count: int = 1) -> PaymentRun:
    """Take some requests to the bank."""
    world.ready(count)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    return run


def settled(world: PaymentWorld, desk: JobDesk[FakeBank], count: int = 1) -> PaymentRun:
    """Take some requests to the bank and have it settle them."""
    run = sent(world, desk, count)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.at(TUESDAY)) == (1, 0)
    return run


def payments(world: PaymentWorld, run: PaymentRun) -> list[PaymentInstruction]:
    """Return the payments of a run."""
    statement = (
        select(PaymentInstruction)
        .where(PaymentInstruction.run_id == run.id)
        .order_by(PaymentInstruction.position)
    )
    return world.do(lambda session: list(session.execute(statement).scalars()))


def run_state(world: PaymentWorld, run: PaymentRun) -> tuple[str, str]:
    """Return the states of a run and its file."""

    def work(session: Session) -> tuple[str, str]:
        file = session.execute(select(BankFile.state).where(BankFile.run_id == run.id))
        return session.get_one(PaymentRun, run.id).state, file.scalar_one()

    return world.do(work)


def request_states(world: PaymentWorld) -> list[str]:
    """Return the states of all requests."""
    statement = select(DisbursementRequest.state).order_by(DisbursementRequest.id)
    return world.do(lambda session: list(session.execute(statement).scalars()))


def lines(world: PaymentWorld) -> list[tuple[str, date, int, int]]:
    """Return the lines of the first case after its deposit."""

    def work(session: Session) -> list[tuple[str, date, int, int]]:
        row_id = session.execute(select(Case.ledger_account_id).order_by(Case.id)).scalars().first()
        assert row_id is not None
        return [
            (line.kind.value, line.effective_on, line.amount_cents, line.balance_cents)
            for line in ledger_queries.case_lines(session, row_id)[1:]
        ]

    return world.do(work)


def balance(world: PaymentWorld, code: str) -> int:
    """Return the balance of an account of the trust book."""

    def work(session: Session) -> int:
        return ledger_queries.balance_of(
            session, chart.account_id(session, "trust", code)
        ).ledger_cents

    return world.do(work)


def open_items(world: PaymentWorld) -> list[str]:
    """Return the kinds of open exception items."""
    statement = select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_(None))
    return world.do(lambda session: sorted(session.execute(statement).scalars()))


def tell_of_return(
    desk: JobDesk[FakeBank], payment: PaymentInstruction, *, code: str = "R01", **other: object
) -> None:
    """Have the bank say that a payment came back on Thursday."""
    told: dict[str, object] = {
        "identification": payment.reference,
        "trace_number": payment.trace_number,
        "amount_cents": payment.amount_cents,
        "return_code": code,
        "returned_on": "2026-01-08",
    } | other
    desk.bank.tell("entry.returned", THURSDAY, **told)  # type: ignore[arg-type]


def return_entry(
    payment: PaymentInstruction,
    *,
    code: str = "R01",
    amount_cents: int = 0,
    number: int = 1,
    trace_number: str | None = None,
    identification: str | None = None,
) -> nacha.OutgoingEntry:
    """Write the entry by which a bank sends a payment back."""
    trace = payment.trace_number or "" if trace_number is None else trace_number
    return nacha.OutgoingEntry(
        transaction_code=21,
        routing_number=ROUTING,
        account_number="1234567",
        amount_cents=amount_cents or payment.amount_cents,
        identification=payment.reference if identification is None else identification,
        name="Delphine Quarles",
        trace_number=f"{OTHER_ROUTING[:8]}{number:07d}",
        addenda=(nacha.OutgoingReturn(code, trace, OTHER_ROUTING[:8]),),
    )


def return_file(
    payment: PaymentInstruction, *, code: str = "R01", amount_cents: int = 0, modifier: str = "A"
) -> bytes:
    """Write the return file of a bank with one entry."""
    entry = return_entry(payment, code=code, amount_cents=amount_cents)
    return file_of([entry], modifier=modifier)


def file_of(
    entries: Sequence[nacha.OutgoingEntry],
    *,
    purpose: nacha.Purpose = nacha.Purpose.RETURN,
    modifier: str = "A",
) -> bytes:
    """Write a file of a bank with the answers given."""
    changes = purpose is nacha.Purpose.CHANGE
    batch = nacha.OutgoingBatch(
        service_class=nacha.ServiceClass.CREDITS,
        company_name="SEEDTRUST ESCROW",
        company_discretionary_data="",
        company_identification="1844200017",
        sec_code="COR" if changes else "PPD",
        entry_description="REIMBURSE",
        descriptive_date="",
        effective_on=THURSDAY,
        odfi_identification=OTHER_ROUTING[:8],
        batch_number=1,
        entries=list(entries),
        purpose=purpose,
        settlement_day=8,
    )
    return nacha.render_file(
        nacha.OutgoingFile(
            immediate_destination=ROUTING,
            immediate_origin=f" {OTHER_ROUTING}",
            created_at=datetime(2026, 1, 8, 8, 30),  # noqa: DTZ001 - local wall time, as the format says
            file_id_modifier=modifier,
            destination_name="CLIENT TRUST",
            origin_name="OTHER BANK",
            reference_code="RETURNS",
            batches=[batch],
        )
    )
