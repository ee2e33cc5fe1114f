"""A payment whose outcome is unknown: asked about by a schedule, and never paid twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import Forbidden, Invalid, StepUpRequired, WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.payments import sending, unknown
from seedtrust.domain.payments.errors import SecondConfirmerMustDiffer, StillBeingAsked
from seedtrust.domain.payments.inquiries import wait_after
from seedtrust.domain.payments.models import PaymentInquiry, PaymentInstruction
from seedtrust.domain.payments.ports import (
    BankStatus,
    Declined,
    NotSupported,
    OutcomeUnknown,
    PaymentSnapshot,
    ProtocolError,
)
from seedtrust.domain.payments.states import Rail
from seedtrust.jobs.sending import inquire_due, send_payment
from tests.domain.payments.test_sending import case_figures, open_items, refund, states
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import (
    MONDAY,
    STEP_UP_SECONDS,
    SYSTEM,
    PaymentWorld,
    fresh,
    moment_at,
)
from tests.fakes.bank import FakeBank


def lost(
    world: PaymentWorld, desk: JobDesk[FakeBank], *, consistent: bool = False
) -> PaymentInstruction:
    """Send a payment whose answer is lost before the bank has it."""
    _run, payment = refund(world)
    desk.bank.consistent = consistent
    desk.bank.fail_before = OutcomeUnknown("No answer came.", word="ReadTimeout")
    send_payment(desk.tools, {"instruction": payment.reference})
    return payment


def ask(desk: JobDesk[FakeBank], seconds: float) -> tuple[int, int]:
    """Let real time pass and ask the bank about what is due."""
    desk.later(int(seconds))
    return inquire_due(desk.tools, "filedrop")


def later(seconds: int = 601) -> Moment:
    """Return the moment of the desk after a while."""
    moment = moment_at()
    return replace(moment, at=moment.at + timedelta(seconds=seconds))


def confirm(
    world: PaymentWorld,
    payment: PaymentInstruction,
    actor: Actor,
    *,
    note: str = "Ms Oduya of the wire room finds nothing under our reference.",
    moment: Moment | None = None,
) -> PaymentInstruction:
    """Give somebody's word that the payment was not sent."""
    at = moment or later()
    return world.do(
        lambda session: unknown.confirm_not_sent(
            session,
            fresh(actor, at),
            instruction_ref=payment.reference,
            note=note,
            moment=at,
            step_up_seconds=STEP_UP_SECONDS,
        )
    )


def inquiry(world: PaymentWorld) -> PaymentInquiry:
    """Return the only inquiry."""
    return world.do(lambda session: session.execute(select(PaymentInquiry)).scalar_one())


def state(world: PaymentWorld, payment: PaymentInstruction) -> str:
    """Return where a payment stands."""
    return world.do(lambda session: session.get_one(PaymentInstruction, payment.id).state)


def test_the_bank_is_asked_soon_and_then_ever_more_rarely_without_end() -> None:
    waits = [wait_after(number).total_seconds() for number in range(8)]
    assert waits == [5, 15, 60, 300, 900, 1800, 1800, 1800]


def test_each_asking_is_written_down_before_it_happens(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk)
    assert ask(desk, 4) == (0, 0)
    assert ask(desk, 1) == (0, 1)
    assert ask(desk, 0) == (0, 0)
    found = inquiry(world)
    assert (found.asked, found.last_answer) == (1, "The bank does not know this payment.")
    assert found.next_ask_at == desk.tools.clock.now() + timedelta(seconds=15)
    assert state(world, payment) == "UNKNOWN"


def test_what_the_bank_provably_lacks_is_sent_again_byte_for_byte_at_most_three_times(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk, consistent=True)
    orders = []
    for seconds in (5, 15, 60, 300, 900, 1800, 1800, 1800, 1800):
        desk.bank.fail_before = OutcomeUnknown("No answer came.")
        desk.bank.tried.clear()
        ask(desk, seconds)
        orders += desk.bank.tried
    assert len(orders) == unknown.MOST_RESENDS == inquiry(world).resends
    assert len(set(orders)) == 1
    assert orders[0].client_reference == payment.reference
    assert state(world, payment) == "UNKNOWN"
    assert case_figures(world) == (155_783, 155_783)


def test_a_payment_sent_again_is_not_failed_by_a_refusal_of_the_second_time(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk, consistent=True)
    ask(desk, 5)
    desk.bank.fail_before = Declined("Duplicate payment.", word="409")
    ask(desk, 15)
    assert state(world, payment) == "UNKNOWN"
    assert inquiry(world).last_answer == "Sent again and refused: Duplicate payment."


def test_a_bank_that_cannot_be_asked_leaves_it_to_statement_and_people(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk, consistent=True)
    for seconds in (5, 15, 60):
        desk.bank.fail_lookup = NotSupported("The bank has no look-up.")
        assert ask(desk, seconds) == (0, 1)
    assert desk.bank.orders == []
    assert inquiry(world).last_answer == "The bank has no look-up."
    assert state(world, payment) == "UNKNOWN"


def test_an_answer_that_cannot_be_holds_the_money_and_tells_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.fail_after = ProtocolError("The bank confirms another payment.", word="accepted")
    send_payment(desk.tools, {"instruction": payment.reference})
    assert states(world, run, payment) == ("UNKNOWN", "UNKNOWN", "IN_PAYMENT")
    assert case_figures(world) == (155_783, 155_783)
    assert set(open_items(world)) == {"payment.incident", "wire.unclear"}
    desk.bank.fail_lookup = ProtocolError("Two payments under one reference.")
    assert ask(desk, 5) == (0, 1)
    assert state(world, payment) == "UNKNOWN"


def test_two_people_end_it_and_the_request_is_paid_by_a_new_payment_that_names_the_old(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk)
    assert confirm(world, payment, world.lead).state == "UNKNOWN"
    assert confirm(world, payment, world.controller).state == "FAILED"
    assert case_figures(world) == (155_783, 155_783)
    assert open_items(world) == []
    assert inquiry(world).next_ask_at is None
    again = world.released(rail=Rail.WIRE)

    def replacement(session: Session) -> PaymentInstruction:
        statement = select(PaymentInstruction).where(PaymentInstruction.run_id == again.id)
        return session.execute(statement).scalar_one()

    new = world.do(replacement)
    assert (new.replaces_id, new.amount_cents) == (payment.id, payment.amount_cents)
    assert new.reference != payment.reference
    said = world.do(
        lambda session: list(
            session.execute(
                select(AuditEvent.actor_name, AuditEvent.reason).where(
                    AuditEvent.action == "payment.confirmed_not_sent"
                )
            ).all()
        )
    )
    assert [name for name, _ in said] == ["Piet Vandermeer", "Carla Whitlock"]
    assert all("wire room" in reason for _, reason in said)


def test_while_it_is_unknown_nothing_else_may_pay_the_same_request(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk)
    confirm(world, payment, world.lead)
    assert world.collect(rail=Rail.WIRE) is None
    assert state(world, payment) == "UNKNOWN"


def test_one_person_does_not_count_twice(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    payment = lost(world, desk)
    confirm(world, payment, world.lead)
    with pytest.raises(SecondConfirmerMustDiffer):
        confirm(world, payment, world.lead)
    assert state(world, payment) == "UNKNOWN"
    confirm(world, payment, world.other_lead)
    assert state(world, payment) == "FAILED"


def test_nobody_confirms_while_a_call_may_be_under_way(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk, consistent=True)
    with pytest.raises(StillBeingAsked):
        confirm(world, payment, world.lead, moment=later(599))
    ask(desk, 5)
    desk.bank.fail_before = OutcomeUnknown("No answer came.")
    ask(desk, 15)
    with pytest.raises(StillBeingAsked):
        confirm(world, payment, world.lead, moment=later(619))
    confirm(world, payment, world.lead, moment=later(621))


def test_who_may_confirm_and_with_what(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    payment = lost(world, desk)
    with pytest.raises(Forbidden):
        confirm(world, payment, world.builder)
    with pytest.raises(Forbidden):
        confirm(world, payment, SYSTEM)
    with pytest.raises(Invalid) as refusal:
        confirm(world, payment, world.lead, note="  ")
    assert list(refusal.value.errors) == ["note"]
    at = later()
    with pytest.raises(StepUpRequired):
        world.do(
            lambda session: unknown.confirm_not_sent(
                session,
                world.lead,
                instruction_ref=payment.reference,
                note="Nothing found.",
                moment=at,
                step_up_seconds=STEP_UP_SECONDS,
            )
        )
    assert state(world, payment) == "UNKNOWN"


def test_what_is_known_cannot_be_confirmed_away(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    _run, payment = refund(world)
    send_payment(desk.tools, {"instruction": payment.reference})
    with pytest.raises(WrongState):
        confirm(world, payment, world.lead)


def test_a_payment_that_turns_up_after_all_is_an_incident_and_moves_no_money(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk)
    confirm(world, payment, world.lead)
    confirm(world, payment, world.controller)
    snapshot = PaymentSnapshot("PMT-1", payment.reference, 155_783, BankStatus.SETTLED, "settled")
    world.do(lambda s: sending.record_answer(s, SYSTEM, snapshot, moment=later()))
    assert (state(world, payment), open_items(world)) == ("FAILED", ["payment.incident"])
    assert case_figures(world) == (155_783, 155_783)


def test_the_statement_of_the_day_decides_for_an_unclear_payment(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    payment = lost(world, desk)

    def settle(session: Session, cents: int) -> bool:
        return unknown.settle_from_statement(
            session,
            SYSTEM,
            instruction_ref=payment.reference,
            amount_cents=cents,
            settled_on=MONDAY,
            moment=later(),
        )

    assert not world.do(lambda session: settle(session, 155_784))
    assert "payment.incident" in open_items(world)
    assert world.do(lambda session: settle(session, 155_783))
    assert (state(world, payment), case_figures(world)) == ("SETTLED", (0, 0))
    assert not world.do(lambda session: settle(session, 155_783))
