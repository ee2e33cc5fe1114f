"""Money that people move at the bank by hand: receipts sent back, and fees swept."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, NotFound, WrongState
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding import service as funding
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.service import Receipt, receive
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.ledger import chart, queries
from seedtrust.domain.ledger import check as books
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.reconciliation import by_hand, days, transfers
from seedtrust.domain.reconciliation.errors import NothingToSweep, NotYetCollected
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine, BankTransfer
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.formats import bai2
from seedtrust.jobs.housekeeping import roll_up
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank
from tests.support.databases import on_both_databases

WEDNESDAY = date(2026, 1, 7)


def wire(world: PaymentWorld, rail: ReceiptRail = ReceiptRail.WIRE, cents: int = 7_000) -> Deposit:
    """Have money come in that names no case."""
    receipt = Receipt(
        trust_account_id=world.trust_account_id,
        trust_code="main",
        bank="main",
        bank_reference=f"L-{rail}",
        amount_cents=cents,
        sender_name="Somebody",
        text="No case named",
        received_on=MONDAY,
    )
    return world.do(lambda s: receive(s, SYSTEM, receipt, rail, moment=moment_at(MONDAY)))


def send_back(world: PaymentWorld, deposit: Deposit, on: date = MONDAY) -> BankTransfer:
    """Order a deposit back."""
    return world.do(
        lambda s: transfers.send_back(
            s, world.builder, deposit_ref=deposit.reference, moment=moment_at(on)
        )
    )


def sweep(world: PaymentWorld, on: date = MONDAY) -> BankTransfer:
    """Order the fees to the company."""
    reference = world.account().reference
    return world.do(
        lambda s: transfers.sweep_fees(
            s, world.lead, trust_account_ref=reference, moment=moment_at(on)
        )
    )


def cancel(world: PaymentWorld, row: BankTransfer) -> None:
    """Take an order back."""
    world.do(
        lambda s: transfers.cancel_transfer(
            s, world.builder, reference=row.reference, moment=moment_at(TUESDAY)
        )
    )


def told(world: PaymentWorld, on: date, opening: int, *lines: Line, **more: str) -> str:
    """Import a statement and return its reference."""
    data = statement(on, opening, *lines, **more)  # type: ignore[arg-type]
    found = world.do(
        lambda s: import_statement(
            s, SYSTEM, file_name="STMT", data=data, moment=moment_at(WEDNESDAY)
        )
    )
    return found[0].reference


def proof(world: PaymentWorld, on: date) -> ThreeWay:
    """Return the proof of a day, after the books have proved themselves."""
    assert world.do(books.check) == []
    return world.do(lambda s: three_way(s, world.trust_account_id, on))


def charged(world: PaymentWorld, cents: int = 1_500, on: date = MONDAY, key: str = "f") -> Case:
    """Charge a fee to a case that holds money."""
    case = world.case(funds_cents=10_000)

    def work(session: Session) -> None:
        ledger.transfer(
            session,
            SYSTEM,
            debit_account_id=case.ledger_account_id,
            credit_account_id=chart.account_id(session, "trust", "fees_payable"),
            amount_cents=cents,
            kind=ledger.TxnKind.FEE,
            key=key,
            effective_on=on,
            now=moment_at(on).at,
        )

    world.do(work)
    return case


@on_both_databases
def test_a_receipt_goes_back_and_the_three_agree_on_every_day(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    deposit = wire(world)
    told(world, MONDAY, 0, Line(7_000, "L-wire"))
    row = send_back(world, deposit, TUESDAY)
    ordered = proof(world, TUESDAY)
    assert (ordered.agrees, ordered.book_cents, ordered.payments_in_transit_cents) == (
        True,
        0,
        -7_000,
    )
    assert [item.kind for item in ordered.items] == ["transfer_in_transit"]
    told(world, TUESDAY, 7_000)
    told(world, WEDNESDAY, 7_000, Line(-7_000, "B1", row.reference))
    roll_up(desk.tools)
    for on, cash in ((MONDAY, 7_000), (TUESDAY, 7_000), (WEDNESDAY, 0)):
        found = proof(world, on)
        assert (found.agrees, found.bank_cash_cents) == (True, cash)
    assert proof(world, WEDNESDAY).items == ()
    assert world.do(lambda s: s.get_one(Deposit, deposit.id).state) == "SENT_BACK"
    assert world.do(lambda s: [one.kind for one in open_exceptions(s)]) == []


def test_a_deposit_goes_back_once(world: PaymentWorld) -> None:
    deposit = wire(world)
    send_back(world, deposit)
    with pytest.raises(WrongState):
        send_back(world, deposit)
    assert proof(world, MONDAY).agrees
    deposit.reference = "NOSUCH"
    with pytest.raises(NotFound):
        send_back(world, deposit)


def test_a_matched_deposit_does_not_go_back(world: PaymentWorld) -> None:
    deposit, case = wire(world), world.case(funds_cents=0)
    world.do(
        lambda s: funding.match_deposit(
            s,
            world.builder,
            deposit_ref=deposit.reference,
            case_ref=case.reference,
            moment=moment_at(),
        )
    )
    with pytest.raises(WrongState):
        send_back(world, deposit)


def test_a_check_that_may_bounce_does_not_go_back(world: PaymentWorld) -> None:
    with pytest.raises(NotYetCollected):
        send_back(world, wire(world, ReceiptRail.CHECK))


@on_both_databases
def test_fees_leave_the_trust_and_arrive_in_the_companys_book_under_one_reference(
    world: PaymentWorld,
) -> None:
    charged(world)
    charged(world, 400, TUESDAY, "later")
    told(world, MONDAY, 0, Line(20_000, "D", "", "Two wires", type_code="399"))
    row = sweep(world)
    # The fee that falls due tomorrow stays for the next sweep.
    assert row.amount_cents == 1_500
    assert proof(world, MONDAY).owners_cents == 18_500
    with pytest.raises(NothingToSweep):
        sweep(world)
    told(world, TUESDAY, 20_000, Line(-1_500, "B1", row.reference))
    day = proof(world, TUESDAY)
    assert (day.agrees, day.book_cents) == (True, 18_500)
    assert [(one.code, one.amount_cents) for one in day.liabilities] == [("fees_payable", 400)]

    def income(session: Session) -> list[int]:
        ids = chart.account_ids(session, "operating", ["operating_cash", "fee_income"])
        return [queries.balance_of(session, one).ledger_cents for one in ids.values()]

    assert world.do(income) == [1_500, 1_500]


def test_only_those_who_review_sweep_fees(world: PaymentWorld) -> None:
    charged(world)
    reference = world.account().reference
    with pytest.raises(Forbidden):
        world.do(
            lambda s: transfers.sweep_fees(
                s, world.builder, trust_account_ref=reference, moment=moment_at()
            )
        )
    with pytest.raises(NotFound):
        world.do(
            lambda s: transfers.sweep_fees(
                s, world.lead, trust_account_ref="NOSUCH", moment=moment_at()
            )
        )


def test_an_order_that_nobody_made_is_taken_back_and_can_be_given_again(
    world: PaymentWorld,
) -> None:
    deposit = wire(world)
    charged(world)
    before = proof(world, MONDAY).owners_cents
    rows = [send_back(world, deposit), sweep(world)]
    assert len(world.do(lambda s: days.open_transfers(s, world.lead))) == 2
    for row in rows:
        cancel(world, row)
        with pytest.raises(WrongState):
            cancel(world, row)
    assert world.do(lambda s: days.open_transfers(s, world.lead)) == []
    assert proof(world, TUESDAY).owners_cents == before
    assert world.do(lambda s: s.get_one(Deposit, deposit.id).state) == "UNIDENTIFIED"
    send_back(world, deposit, TUESDAY)
    sweep(world, TUESDAY)
    rows[0].reference = "NOSUCH"
    with pytest.raises(NotFound):
        cancel(world, rows[0])


@pytest.mark.parametrize("cents", [-6_999, 7_000])
def test_another_amount_under_the_reference_settles_nothing(
    world: PaymentWorld, cents: int
) -> None:
    row = send_back(world, wire(world))
    told(world, TUESDAY, 0, Line(cents, "B1", row.reference, type_code="699" if cents < 0 else ""))
    assert world.do(lambda s: s.get_one(BankTransfer, row.id).state) == "ORDERED"


def test_a_transfer_that_the_bank_made_twice_settles_once_and_the_second_line_stays_open(
    world: PaymentWorld,
) -> None:
    row = send_back(world, wire(world))
    twin = Line(-7_000, "B1", row.reference)
    told(world, TUESDAY, 14_000, twin, twin)
    wanted = select(BankStatementLine.status).order_by(BankStatementLine.number)
    assert list(world.do(lambda s: s.execute(wanted).scalars())) == ["matched", "unmatched"]
    assert world.do(books.check) == []


def test_a_settled_transfer_is_neither_taken_back_nor_undone(world: PaymentWorld) -> None:
    row = send_back(world, wire(world))
    reference = told(world, TUESDAY, 7_000, Line(-7_000, "B1", row.reference))
    with pytest.raises(WrongState):
        cancel(world, row)
    with pytest.raises(WrongState):
        world.do(
            lambda s: by_hand.undo_match(
                s,
                world.builder,
                statement_ref=reference,
                number=1,
                reason="No",
                moment=moment_at(WEDNESDAY),
            )
        )


def test_a_corrected_statement_finds_its_transfer_again_or_tells_that_it_is_gone(
    world: PaymentWorld,
) -> None:
    row = send_back(world, wire(world))
    line = Line(-7_000, "B1", row.reference)
    told(world, TUESDAY, 7_000, line)
    told(world, TUESDAY, 7_000, line, status=bai2.CORRECTION, file_id="2")
    current = (
        select(BankStatementLine.matched_type)
        .join(BankStatement, BankStatement.id == BankStatementLine.statement_id)
        .where(BankStatement.current_on.is_not(None))
    )
    assert world.do(lambda s: s.execute(current).scalar_one()) == "transfer"
    assert world.do(books.check) == []
    told(world, TUESDAY, 7_000, status=bai2.CORRECTION, file_id="3")
    kinds = world.do(lambda s: {one.kind for one in open_exceptions(s)})
    assert "statement.line_gone" in kinds
