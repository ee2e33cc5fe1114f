"""Bank, book and owners of a trust account: equal to the cent, or the difference is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding import service as funding
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.payments import queries as payment_queries
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.domain.payments.service import open_trust_account
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank

FUNDED_ON = date(2026, 1, 2)
WEDNESDAY = date(2026, 1, 7)


def proof(world: PaymentWorld, on: date, account_id: int | None = None) -> ThreeWay:
    """Return the proof of a day."""
    chosen = account_id or world.trust_account_id
    return world.do(lambda s: three_way(s, chosen, on))


def bank_says(world: PaymentWorld, data: bytes) -> None:
    """Import a statement."""
    world.do(
        lambda s: import_statement(
            s, SYSTEM, file_name="STMT.bai2", data=data, moment=moment_at(WEDNESDAY)
        )
    )


def wire_in(world: PaymentWorld, case: Case | None, *, cents: int, on: date, ref: str) -> None:
    """Have a wire come in, for a case or for nobody."""
    world.do(
        lambda s: funding.receive_wire(
            s,
            SYSTEM,
            trust_account_id=world.trust_account_id,
            trust_code="main",
            bank="main",
            bank_reference=ref,
            amount_cents=cents,
            sender_name="Rosalind Ashgrove",
            text="" if case is None else case.reference,
            received_on=on,
            moment=moment_at(on),
        )
    )


def paid(world: PaymentWorld, desk: JobDesk[FakeBank], case: Case, cents: int) -> PaymentRun:
    """Send a payment that is expected to settle on Tuesday."""
    world.request(case, world.payee(), amount_cents=cents)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    return run


def settle(desk: JobDesk[FakeBank], on: date = TUESDAY) -> None:
    """Have the bank settle the last file."""
    desk.bank.tell_of_file("file.settled", on, settles_on=on.isoformat())
    poll_events(desk.at(on))


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that reach the database."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_an_empty_account_proves_itself(world: PaymentWorld) -> None:
    day = proof(world, MONDAY)
    assert (day.agrees, day.adjusted_bank_cents, day.statement_on) == (True, 0, None)
    with pytest.raises(NotFound):
        proof(world, MONDAY, 1)


def test_a_day_of_deposits_and_payments_agrees_with_the_statement(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    run = paid(world, desk, case, 10_000)
    settle(desk)
    bank_says(world, statement(FUNDED_ON, 0, Line(1_000_000, "L1")))
    bank_says(world, statement(TUESDAY, 1_000_000, Line(-10_000, "L2", run.reference)))
    day = proof(world, TUESDAY)
    assert (day.statement_cents, day.since_statement_cents) == (990_000, 0)
    assert (day.adjusted_bank_cents, day.book_cents, day.owners_cents) == (990_000,) * 3
    assert (day.agrees, day.items) == (True, ())


def test_an_earlier_day_is_proved_as_it_was(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    paid(world, desk, case, 10_000)
    settle(desk)
    before = proof(world, MONDAY)
    assert (before.agrees, before.owners_cents) == (True, 1_000_000)
    assert proof(world, date(2026, 1, 1)).owners_cents == 0


def test_before_the_statement_comes_the_banks_events_speak_and_it_says_so(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    bank_says(world, statement(FUNDED_ON, 0, Line(1_000_000, "L1")))
    paid(world, desk, case, 10_000)
    settle(desk)
    day = proof(world, TUESDAY)
    assert (day.statement_on, day.statement_cents) == (FUNDED_ON, 1_000_000)
    assert (day.since_statement_cents, day.agrees) == (-10_000, True)


def test_a_payment_that_has_not_settled_in_time_is_in_transit_and_listed(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    paid(world, desk, case, 10_000)
    bank_says(world, statement(TUESDAY, 0, Line(1_000_000, "L1")))
    day = proof(world, TUESDAY)
    assert (day.payments_in_transit_cents, day.in_transit_cents) == (-10_000, -10_000)
    assert (day.adjusted_bank_cents, day.owners_cents, day.agrees) == (990_000, 990_000, True)
    [item] = day.items
    assert (item.kind, item.amount_cents, item.on) == ("payment_in_transit", -10_000, TUESDAY)
    settle(desk, WEDNESDAY)
    assert proof(world, TUESDAY).items == day.items
    assert proof(world, WEDNESDAY).items == ()


def test_a_rejected_file_leaves_nothing_in_transit(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    paid(world, desk, case, 10_000)
    desk.bank.tell_of_file("file.rejected", MONDAY)
    poll_events(desk.tools)
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        found = proof(world, day)
        assert (found.agrees, found.owners_cents, found.items) == (True, 1_000_000, ())


def test_money_that_the_bank_has_and_we_do_not_is_a_difference_with_its_line(
    world: PaymentWorld,
) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    bank_says(world, statement(TUESDAY, 0, Line(1_000_000, "L1"), Line(-2_500, "FEE", text="FEE")))
    day = proof(world, TUESDAY)
    assert (day.agrees, day.difference_cents) == (False, -2_500)
    assert [(item.kind, item.amount_cents, item.text) for item in day.items] == [
        ("unmatched_line", -2_500, "FEE")
    ]


def test_an_unidentified_wire_is_owed_and_listed(world: PaymentWorld) -> None:
    wire_in(world, None, cents=7_000, on=MONDAY, ref="L9")
    day = proof(world, MONDAY)
    assert (day.agrees, day.cases_cents, day.owners_cents) == (True, 0, 7_000)
    assert [(row.code, row.amount_cents) for row in day.liabilities] == [
        ("unidentified_receipts", 7_000)
    ]
    assert [item.kind for item in day.items] == ["unidentified_deposit"]


def test_fees_payable_are_owed_too(world: PaymentWorld) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")

    def charge(session: Session) -> None:
        ledger.transfer(
            session,
            SYSTEM,
            debit_account_id=case.ledger_account_id,
            credit_account_id=chart.account_id(session, "trust", "fees_payable"),
            amount_cents=75_000,
            kind=ledger.TxnKind.FEE,
            key="fee",
            effective_on=MONDAY,
            now=moment_at().at,
        )

    world.do(charge)
    day = proof(world, MONDAY)
    assert (day.cases_cents, day.owners_cents, day.agrees) == (925_000, 1_000_000, True)
    assert proof(world, FUNDED_ON).liabilities == ()


def test_two_trust_accounts_are_proved_apart_though_they_share_accounts(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    def second(session: Session) -> int:
        first = session.get_one(TrustAccount, world.trust_account_id)
        other = open_trust_account(
            session,
            SYSTEM,
            code="other",
            name="Other trust",
            case_rail="huntington",
            bank_name="Sandbox bank",
            bank_account_ref="other",
            routing_number=first.routing_number,
            last_four="8814",
            immediate_destination=first.immediate_destination,
            immediate_origin="1844200025",
            company_name="SEEDTRUST ESCROW",
            company_identification="1844200025",
            odfi_identification=first.odfi_identification,
            moment=moment_at(),
        )
        return other.id

    other_id = world.do(second)
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    paid(world, desk, case, 10_000)
    ours, theirs = proof(world, TUESDAY), proof(world, TUESDAY, other_id)
    assert (ours.agrees, ours.in_transit_cents, ours.owners_cents) == (True, -10_000, 990_000)
    assert (theirs.agrees, theirs.in_transit_cents, theirs.owners_cents) == (True, 0, 0)
    assert theirs.items == ()


@pytest.mark.broken_books
def test_books_that_were_tampered_with_show_as_a_difference(
    world: PaymentWorld, engine: Engine
) -> None:
    case = world.case(funds_cents=0)
    wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref="L1")
    assert proof(world, MONDAY).agrees
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE ledger_balance SET cr_posted = cr_posted + 100 WHERE account_id = :id"),
            {"id": case.ledger_account_id},
        )
    day = proof(world, MONDAY)
    assert (day.agrees, day.owners_difference_cents) == (False, -100)


def test_the_number_of_queries_does_not_grow(
    world: PaymentWorld, desk: JobDesk[FakeBank], engine: Engine
) -> None:
    def grow(payments: int) -> PaymentRun:
        case = world.case(funds_cents=0)
        wire_in(world, case, cents=1_000_000, on=FUNDED_ON, ref=f"L{payments}")
        for number in range(payments):
            world.request(case, world.payee(), amount_cents=1_000 + number)
        run = world.released()
        transmit_run(desk.tools, {"run": run.reference})
        return run

    counts = []
    for payments in (1, 6):
        run = grow(payments)
        with counted(engine) as seen:
            proof(world, TUESDAY)
            world.do(
                lambda s, ref=run.reference: payment_queries.run_view(s, world.lead, ref)  # type: ignore[misc]
            )
            world.do(lambda s: payment_queries.list_runs(s, world.lead))
        counts.append(len([row for row in seen if row.lstrip().upper().startswith("SELECT")]))
    assert counts[0] == counts[1]
    assert counts[0] <= 20


def test_the_figures_alone_cost_three_queries(world: PaymentWorld, engine: Engine) -> None:
    wire_in(world, None, cents=7_000, on=MONDAY, ref="L9")
    with counted(engine) as seen:
        day = world.do(lambda s: three_way(s, world.trust_account_id, MONDAY, with_items=False))
    assert (day.agrees, day.items) == (True, ())
    assert len([row for row in seen if row.lstrip().upper().startswith("SELECT")]) == 3
