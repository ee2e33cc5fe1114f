"""Payments one by one: sent once, looked up before anything is repeated, refused in plain words."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Unavailable
from seedtrust.core.failpoints import armed
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments import sending
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.ports import (
    BankStatus,
    Declined,
    NotSent,
    OutcomeUnknown,
    PaymentSnapshot,
)
from seedtrust.domain.payments.states import Rail
from seedtrust.domain.terms.states import Category, TaxClass
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.sending import inquire_due, recover, send_payment, take_up
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

POINTS = ("wire.begun", "wire.before_call", "wire.after_call", "wire.answered", "wire.recorded")


class Killed(BaseException):
    """Ends the work at a place, as the end of the process does; nothing of ours catches it."""


def kill() -> None:
    """End the work here."""
    raise Killed


def refund(world: PaymentWorld, cents: int = 155_783) -> tuple[PaymentRun, PaymentInstruction]:
    """Release a run with one refund of a case; return the run and the payment."""
    case = world.case(funds_cents=cents, stage=Stage.FINAL_DISBURSEMENT)
    world.request(
        case,
        world.payee(name="Rosalind Ashgrove"),
        amount_cents=cents,
        kind=RequestKind.REFUND,
        category=Category.CLOSING_REFUND,
        tax_class=TaxClass.NONE,
    )
    run = world.released(rail=Rail.WIRE)
    statement = select(PaymentInstruction).where(PaymentInstruction.run_id == run.id)
    return run, world.do(lambda session: session.execute(statement).scalar_one())


def send(desk: JobDesk[FakeBank], payment: PaymentInstruction) -> None:
    """Do the work of the promise."""
    send_payment(desk.tools, {"instruction": payment.reference})


def states(
    world: PaymentWorld, run: PaymentRun, payment: PaymentInstruction
) -> tuple[str, str, str]:
    """Return the states of run, payment and request."""

    def work(session: Session) -> tuple[str, str, str]:
        row = session.get_one(PaymentInstruction, payment.id)
        request = session.get_one(DisbursementRequest, row.request_id)
        return session.get_one(PaymentRun, run.id).state, row.state, request.state

    return world.do(work)


def case_figures(world: PaymentWorld) -> tuple[int, int]:
    """Return balance and reservations of the only case."""

    def work(session: Session) -> tuple[int, int]:
        row_id = session.execute(select(Case.ledger_account_id)).scalar_one()
        balance = ledger_queries.balance_of(session, row_id)
        return balance.ledger_cents, balance.reserved_cents

    return world.do(work)


def open_items(world: PaymentWorld) -> list[str]:
    """Return the kinds of open exception items."""
    statement = select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_(None))
    return world.do(lambda session: list(session.execute(statement).scalars()))


def test_each_wire_of_a_released_run_is_promised_by_itself(world: PaymentWorld) -> None:
    _run, payment = refund(world)
    statement = select(OutboxMessage.message_key).where(OutboxMessage.topic == "payment.send")
    assert world.do(lambda s: s.execute(statement).scalars().all()) == [payment.reference]


def test_a_wire_carries_our_reference_and_the_opened_account(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    send(desk, payment)
    [order] = desk.bank.orders
    assert order.client_reference == payment.reference
    assert order.account_number == f"77{world.numbers[-1]:08d}"
    assert (order.from_account, order.amount_cents) == ("trust", 155_783)
    assert order.text.startswith("CASE ")
    assert order.account_number not in repr(order)
    assert states(world, run, payment) == ("ACKNOWLEDGED", "ACCEPTED", "IN_PAYMENT")
    assert case_figures(world) == (0, 0)


def test_a_wire_that_settles_at_once_pays_the_request_and_tells_the_closing(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.settles_at_once = True
    send(desk, payment)
    assert states(world, run, payment) == ("SETTLED", "SETTLED", "PAID")
    statement = select(OutboxMessage.payload).where(OutboxMessage.topic == "closing.refund_settled")
    assert world.do(lambda s: s.execute(statement).scalar_one()) == {
        "instruction": payment.reference
    }


def ask(desk: JobDesk[FakeBank], seconds: int) -> tuple[int, int]:
    """Let real time pass and ask the bank about what is due."""
    desk.later(seconds)
    return inquire_due(desk.tools, "filedrop")


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_a_repeat_sends_the_wire_exactly_once(
    world: PaymentWorld, desk: JobDesk[FakeBank], point: str
) -> None:
    run, payment = refund(world)
    with armed(point, kill), pytest.raises(Killed):
        send(desk, payment)
    send(desk, payment)
    for seconds in (5, 15, 60):
        ask(desk, seconds)
    assert len(desk.bank.orders) == 1
    assert states(world, run, payment) == ("ACKNOWLEDGED", "ACCEPTED", "IN_PAYMENT")
    assert case_figures(world) == (0, 0)
    assert open_items(world) == []


def test_a_lost_answer_is_looked_up_and_not_repeated(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.fail_after = OutcomeUnknown("No answer came.", word="ReadTimeout")
    send(desk, payment)
    assert states(world, run, payment) == ("UNKNOWN", "UNKNOWN", "IN_PAYMENT")
    assert (case_figures(world), open_items(world)) == ((155_783, 155_783), ["wire.unclear"])
    send(desk, payment)
    assert states(world, run, payment)[1] == "UNKNOWN"
    assert ask(desk, 5) == (1, 0)
    assert len(desk.bank.orders) == 1
    assert states(world, run, payment) == ("ACKNOWLEDGED", "ACCEPTED", "IN_PAYMENT")
    assert open_items(world) == []


def test_an_unclear_wire_is_sent_again_only_after_the_bank_said_twice_that_it_has_none(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    _run, payment = refund(world)
    desk.bank.fail_before = OutcomeUnknown("The connection broke.")
    send(desk, payment)
    assert ask(desk, 5) == (0, 1)
    assert desk.bank.orders == []
    assert ask(desk, 15) == (1, 0)
    assert [order.client_reference for order in desk.bank.orders] == [payment.reference]


def test_a_bank_whose_look_up_is_not_consistent_never_gets_an_unclear_wire_again(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.consistent = False
    desk.bank.fail_before = OutcomeUnknown("The connection broke.")
    send(desk, payment)
    for seconds in (5, 15, 60, 300, 900, 1800, 1800):
        assert ask(desk, seconds) == (0, 1)
    assert desk.bank.orders == []
    assert states(world, run, payment) == ("UNKNOWN", "UNKNOWN", "IN_PAYMENT")
    assert case_figures(world) == (155_783, 155_783)


def test_a_bank_that_does_not_recognise_repeats_never_gets_an_unclear_wire_again(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.recognises_repeats = False
    desk.bank.fail_before = OutcomeUnknown("The connection broke.")
    send(desk, payment)
    for seconds in (5, 15, 60, 300, 900, 1800, 1800):
        assert ask(desk, seconds) == (0, 1)
    assert desk.bank.orders == []
    assert states(world, run, payment) == ("UNKNOWN", "UNKNOWN", "IN_PAYMENT")


def test_an_unclear_wire_stays_unclear_while_the_bank_is_down(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.fail_after = OutcomeUnknown("No answer came.")
    send(desk, payment)
    desk.bank.down = True
    desk.later(120)
    assert take_up(desk.tools) == (0, 1)
    desk.bank.down = False
    desk.later(120)
    assert take_up(desk.tools) == (1, 0)
    assert states(world, run, payment)[1] == "ACCEPTED"
    assert len(desk.bank.orders) == 1


def test_what_a_process_left_in_the_middle_is_unknown_when_a_worker_starts(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    with armed("wire.after_call", kill), pytest.raises(Killed):
        send(desk, payment)
    assert states(world, run, payment)[1] == "SUBMITTING"
    assert recover(desk.tools) == [payment.reference]
    assert states(world, run, payment) == ("UNKNOWN", "UNKNOWN", "IN_PAYMENT")
    assert recover(desk.tools) == []
    assert ask(desk, 5) == (1, 0)
    assert len(desk.bank.orders) == 1


def test_a_wire_that_never_left_is_simply_sent_again(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.fail_before = NotSent("The bank cannot be reached.")
    with pytest.raises(Unavailable):
        send(desk, payment)
    assert states(world, run, payment) == ("RELEASED", "RELEASED", "IN_PAYMENT")
    send(desk, payment)
    assert len(desk.bank.orders) == 1


def test_a_declined_wire_leaves_the_money_on_the_case_and_asks_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.fail_before = Declined("The available balance is too low.", word="409")
    send(desk, payment)
    assert states(world, run, payment) == ("REJECTED", "REJECTED", "READY")
    assert case_figures(world) == (155_783, 155_783)
    assert open_items(world) == ["wire.refused"]
    again = world.released(rail=Rail.WIRE)
    assert again.id != run.id


def test_an_answer_with_another_amount_is_an_incident(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.payments[payment.reference] = PaymentSnapshot(
        "PMT-9", payment.reference, 155_784, BankStatus.ACCEPTED, "accepted"
    )
    send(desk, payment)
    assert states(world, run, payment) == ("UNKNOWN", "UNKNOWN", "IN_PAYMENT")
    assert set(open_items(world)) == {"payment.incident", "wire.unclear"}
    assert case_figures(world) == (155_783, 155_783)


def test_a_word_that_the_bank_invents_is_in_progress_and_not_success(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.payments[payment.reference] = PaymentSnapshot(
        "PMT-9", payment.reference, 155_783, BankStatus.ATTENTION, "frobnicated"
    )
    send(desk, payment)
    assert states(world, run, payment) == ("TRANSMITTED", "SENT", "IN_PAYMENT")


def test_a_wire_whose_day_has_passed_is_given_up(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.at(TUESDAY)
    send(desk, payment)
    assert states(world, run, payment) == ("CANCELLED", "CANCELLED", "READY")
    assert (desk.bank.orders, open_items(world)) == ([], ["wire.not_sent"])


def test_an_altered_account_number_is_never_wired(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)

    def tamper(session: Session) -> None:
        account = session.execute(select(PayeeAccount)).scalar_one()
        body = account.account_number_sealed
        account.account_number_sealed = body[:-6] + ("A" if body[-6] != "A" else "B") + body[-5:]

    world.do(tamper)
    send(desk, payment)
    assert (desk.bank.orders, states(world, run, payment)[1]) == ([], "RELEASED")
    assert open_items(world) == ["payment.refused"]


def test_the_banks_events_take_a_wire_to_its_end_and_ranks_only_rise(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    send(desk, payment)
    told = {
        "id": "PMT-1",
        "client_reference": payment.reference,
        "amount_cents": 155_783,
        "settles_on": "2026-01-05",
    }
    desk.bank.tell("payment.settled", MONDAY, **told)  # type: ignore[arg-type]
    desk.bank.tell("payment.accepted", MONDAY, **told)  # type: ignore[arg-type]
    assert poll_events(desk.tools) == (2, 0)
    assert states(world, run, payment) == ("SETTLED", "SETTLED", "PAID")


def test_an_event_of_an_unclear_wire_proves_that_the_bank_has_it(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    with armed("wire.after_call", kill), pytest.raises(Killed):
        send(desk, payment)
    desk.bank.tell(
        "payment.settled",
        MONDAY,
        id="PMT-1",
        client_reference=payment.reference,
        amount_cents=155_783,
        settles_on="2026-01-05",
    )
    assert poll_events(desk.tools) == (1, 0)
    assert states(world, run, payment) == ("SETTLED", "SETTLED", "PAID")
    send(desk, payment)
    assert len(desk.bank.orders) == 1


def test_a_wire_rejected_after_it_was_taken_comes_back_and_is_reserved_again(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    send(desk, payment)
    assert case_figures(world) == (0, 0)
    snapshot = PaymentSnapshot("PMT-1", payment.reference, 155_783, BankStatus.REJECTED, "rejected")
    world.do(lambda s: sending.record_answer(s, SYSTEM, snapshot, moment=moment_at()))
    assert states(world, run, payment)[1:] == ("REJECTED", "READY")
    assert case_figures(world) == (155_783, 155_783)
    world.do(lambda s: sending.record_answer(s, SYSTEM, snapshot, moment=moment_at()))
    assert case_figures(world) == (155_783, 155_783)
