"""Days that the bank deletes and sends anew, and lines that only a person can place."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest
from sqlalchemy import select

from seedtrust.core.errors import Invalid, WrongState
from seedtrust.domain.funding import service as funding
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.reconciliation import by_hand, transfers
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine, BankTransfer
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.formats import bai2
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.concurrency.test_runs import DONE, Act, at_once
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank
from tests.support.databases import on_both_databases

WEDNESDAY: Final = date(2026, 1, 7)
CENTS: Final = 5_000
FIRST: Final = statement(MONDAY, 0, Line(CENTS, "LINE-1"))
DELETED: Final = statement(MONDAY, 0, status=bai2.DELETION, file_id="2")


def take(world: PaymentWorld, data: bytes) -> list[BankStatement]:
    """Import a file of the bank."""
    return world.do(
        lambda s: import_statement(
            s, SYSTEM, file_name="STMT", data=data, moment=moment_at(WEDNESDAY)
        )
    )


def received(world: PaymentWorld, reference: str = "LINE-1") -> Deposit:
    """Have the bank tell of a wire that names no case."""
    return world.do(
        lambda s: funding.receive_wire(
            s,
            SYSTEM,
            trust_account_id=world.trust_account_id,
            trust_code="main",
            bank="main",
            bank_reference=reference,
            amount_cents=CENTS,
            sender_name="Somebody",
            text="No case named",
            received_on=MONDAY,
            moment=moment_at(),
        )
    )


def current(world: PaymentWorld) -> list[int]:
    """Return the versions that count."""
    query = select(BankStatement.version_number).where(BankStatement.current_on.is_not(None))
    return world.do(lambda s: list(s.execute(query).scalars()))


def lines(world: PaymentWorld) -> list[tuple[str, str]]:
    """Return status and match of every line."""
    row = BankStatementLine
    query = select(row.status, row.matched_type).order_by(row.id)
    return [(one[0], one[1]) for one in world.do(lambda s: s.execute(query).all())]


def kinds(world: PaymentWorld) -> set[str]:
    """Return the kinds of what waits for a person."""
    return {item.kind for item in world.do(open_exceptions)}


def agrees(world: PaymentWorld, on: date = MONDAY) -> bool:
    """Tell whether bank, book and owners agree."""
    return world.do(lambda s: three_way(s, world.trust_account_id, on)).agrees


@on_both_databases
def test_a_deleted_day_is_open_until_the_bank_sends_it_anew(world: PaymentWorld) -> None:
    deposit = received(world)
    take(world, FIRST)
    for _ in range(2):
        assert take(world, DELETED) == []
    assert current(world) == []
    # What the line belonged to stays written on it, and the deposit waits for its line again.
    assert lines(world) == [("exception", "deposit")]
    query = select(Deposit.reconciliation_status).where(Deposit.id == deposit.id)
    assert world.do(lambda s: s.execute(query).scalar_one()) == "unmatched"
    assert kinds(world) == {"deposit.unidentified", "statement.withdrawn"}
    assert agrees(world)
    corrected = statement(MONDAY, 0, Line(CENTS, "LINE-1", text="Wire"), file_id="3")
    assert [row.version_number for row in take(world, corrected)] == [2]
    assert lines(world) == [("exception", "deposit"), ("matched", "deposit")]
    assert "statement.withdrawn" not in kinds(world)
    # The deletion comes once more, late: the day that was sent since stays.
    assert take(world, DELETED) == []
    assert current(world) == [2]
    assert agrees(world)


@on_both_databases
def test_a_deleted_day_that_comes_as_it_was_counts_again(world: PaymentWorld) -> None:
    received(world)
    take(world, FIRST)
    take(world, DELETED)
    assert [row.version_number for row in take(world, FIRST)] == [1]
    assert take(world, FIRST) == []
    assert (current(world), lines(world)) == ([1], [("matched", "deposit")])
    assert kinds(world) == {"deposit.unidentified"}
    assert agrees(world)


def test_one_file_deletes_a_day_and_sends_it_anew(world: PaymentWorld) -> None:
    take(world, FIRST)
    gone, anew = bai2.read(DELETED), bai2.read(statement(MONDAY, 0, Line(7_000, "LINE-2")))
    both = bai2.write(
        bai2.Bai2File(
            sender=gone.sender,
            receiver=gone.receiver,
            created_on=gone.created_on,
            created_time=gone.created_time,
            file_id="9",
            groups=(*gone.groups, *anew.groups),
        )
    )
    assert [row.version_number for row in take(world, both)] == [2]
    assert take(world, both) == []
    assert current(world) == [2]


def test_what_a_person_decided_comes_back_with_the_day(world: PaymentWorld) -> None:
    first, _ = received(world, "A"), received(world, "B")
    [before] = take(world, statement(MONDAY, 0, Line(CENTS, text="Wire", type_code="399")))
    match(world, before.reference, "deposit", first.reference)
    take(world, DELETED)
    take(world, statement(MONDAY, 0, Line(CENTS, text="Wire", type_code="399"), file_id="3"))
    assert lines(world) == [("exception", "deposit"), ("matched", "deposit")]
    assert take(world, DELETED) == []


@on_both_databases
def test_two_workers_delete_a_day_once(world: PaymentWorld) -> None:
    take(world, FIRST)
    delete: Act = lambda s: import_statement(  # noqa: E731 - done by two
        s, SYSTEM, file_name="STMT", data=DELETED, moment=moment_at(WEDNESDAY)
    )
    assert at_once(world, delete, delete) == [DONE, DONE]
    assert current(world) == []
    assert sum(item.kind == "statement.withdrawn" for item in world.do(open_exceptions)) == 1


def match(
    world: PaymentWorld, statement_ref: str, kind: str, reference: str, code: str = ""
) -> BankStatementLine:
    """Say as a person what the first line stands for."""
    return world.do(
        lambda s: by_hand.match_line(
            s,
            world.lead,
            statement_ref=statement_ref,
            number=1,
            kind=kind,
            reference=reference,
            return_code=code,
            moment=moment_at(WEDNESDAY),
        )
    )


@on_both_databases
def test_a_transfer_without_its_reference_is_made_with_the_line_that_a_person_chooses(
    world: PaymentWorld,
) -> None:
    deposit = received(world)
    take(world, FIRST)
    order = world.do(
        lambda s: transfers.send_back(
            s, world.builder, deposit_ref=deposit.reference, moment=moment_at()
        )
    )
    out = Line(-CENTS, "OUT-9", text="Wire out", type_code="495")
    [told] = take(world, statement(TUESDAY, CENTS, out, file_id="4"))
    offered = world.do(
        lambda s: by_hand.candidates(s, world.lead, statement_ref=told.reference, number=1)
    )
    assert [(one.kind, one.reference) for one in offered] == [("transfer", order.reference)]
    match(world, told.reference, "transfer", order.reference)
    row = world.do(lambda s: s.get_one(BankTransfer, order.id))
    assert (row.state, row.settled_on) == ("SETTLED", TUESDAY)
    assert agrees(world, TUESDAY)
    with pytest.raises(WrongState):
        match(world, told.reference, "transfer", order.reference)


def paid(world: PaymentWorld, desk: JobDesk[FakeBank]) -> PaymentInstruction:
    """Have one payment settled on Tuesday."""
    world.ready(1)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06")
    poll_events(desk.at(TUESDAY))
    return world.do(lambda s: s.execute(select(PaymentInstruction)).scalar_one())


@on_both_databases
def test_a_return_that_no_message_told_is_given_to_its_payment_with_a_code(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = paid(world, desk)
    cents = payment.amount_cents
    back = Line(cents, "BACK-1", text="ACH return", type_code="257")
    [told] = take(world, statement(WEDNESDAY, 0, back))
    for wrong in ("", "R3", "X03"):
        with pytest.raises(Invalid) as refused:
            match(world, told.reference, "return", payment.reference, wrong)
        assert list(refused.value.errors) == ["return_code"]
    match(world, told.reference, "return", payment.reference, "r03")
    row = world.do(lambda s: s.get_one(PaymentInstruction, payment.id))
    assert (row.state, row.return_code, row.returned_on) == ("RETURNED", "R03", WEDNESDAY)
    assert "payment.returned" in kinds(world)
    offered = world.do(
        lambda s: by_hand.candidates(s, world.lead, statement_ref=told.reference, number=1)
    )
    assert offered == []
