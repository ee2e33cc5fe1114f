"""Payments that come back: whose they are, once, what each reason sets off, and who is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.failpoints import armed
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.moves import move_stage
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments.instructions import CAME_BACK_CLOSED
from seedtrust.domain.payments.return_codes import every_reason, reason_of
from seedtrust.formats.nacha import RETURN_CODES
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.cases import reopen_returned
from seedtrust.jobs.payments import transmit_run
from tests.factories.bank_answers import (
    THURSDAY,
    balance,
    file_of,
    lines,
    open_items,
    payments,
    request_states,
    return_entry,
    return_file,
    settled,
    tell_of_return,
)
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]


def leave(desk: Desk, content: bytes, name: str = "RET-2026-01-08-1.ach") -> None:
    """Have the bank leave a file for us."""
    desk.bank.outbox[name] = content


def account_state(world: PaymentWorld) -> str:
    """Return the state of the only account."""
    return world.do(lambda s: s.execute(select(PayeeAccount.state)).scalar_one())


def told(world: PaymentWorld, event: NoticeEvent) -> list[str]:
    """Return the addresses that a notice goes to by mail."""
    rows = select(NoticeDelivery.recipient).where(
        NoticeDelivery.event == event.value, NoticeDelivery.channel == "mail"
    )
    return world.do(lambda s: sorted(s.execute(rows).scalars()))


def test_every_code_of_the_format_has_its_row_in_plain_words() -> None:
    assert [reason.code for reason in every_reason()] == sorted(RETURN_CODES)
    usual = [reason_of(f"R{number:02d}") for number in range(1, 17)]
    assert all(row.meaning and row.told and row.again and row.deadline for row in usual)
    assert all(row.next_step and row.roles for row in usual)
    assert {"R02", "R03", "R04"} <= {row.code for row in usual if row.blocks_account}
    assert not reason_of("R01").blocks_account
    # What parties read never carries a code of the network.
    assert not any(row.code in row.for_parties for row in every_reason())


def test_parties_learn_no_more_of_sanctions_and_deaths_than_they_need() -> None:
    for code in ("R14", "R15", "R16"):
        reason = reason_of(code)
        assert {Role.CONTROLLER, Role.LEGAL} <= reason.roles
        assert reason.for_parties == "The bank could not deliver it."
    assert "closed" in reason_of("R02").for_parties


def test_a_code_that_nobody_knows_brings_the_money_back_all_the_same(
    world: PaymentWorld, desk: Desk
) -> None:
    [payment] = payments(world, settled(world, desk))
    tell_of_return(desk, payment, code="R99")
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    assert (request_states(world), account_state(world)) == (["RETURNED"], "ACTIVE")
    assert balance(world, "bank_cash:main") == 1_000_000
    sentence = select(ExceptionItem.sentence)
    assert "not in our table" in world.do(lambda s: s.execute(sentence).scalar_one())


@pytest.mark.parametrize("ways", [("event", "file"), ("file", "event"), ("file", "file")])
def test_the_same_return_by_two_ways_counts_once(
    world: PaymentWorld, desk: Desk, ways: tuple[str, str]
) -> None:
    [payment] = payments(world, settled(world, desk))
    for number, way in enumerate(ways):
        if way == "event":
            tell_of_return(desk, payment, code="R03")
            assert poll_events(desk.at(THURSDAY))[1] == 0
        else:
            content = return_file(payment, code="R03", modifier="AB"[number])
            leave(desk, content, f"RET-2026-01-08-{number}.ach")
            assert fetch_inbound(desk.at(THURSDAY)) == (1, 0)
    assert [line[0] for line in lines(world)] == ["DISBURSEMENT", "RETURN"]
    assert open_items(world) == ["payment.returned"]
    addresses = told(world, NoticeEvent.PAYMENT_RETURNED_STAFF)
    assert len(addresses) == len(set(addresses)) > 0


def test_a_file_returns_several_payments_and_shows_what_belongs_to_nobody(
    world: PaymentWorld, desk: Desk
) -> None:
    run = settled(world, desk, 3)
    first, second, third = payments(world, run)
    stranger = return_entry(second, number=2, identification="AAAAAAAAAAAAAAA")
    by_trace = return_entry(third, number=3, identification="")
    leave(desk, file_of([return_entry(first), stranger, by_trace]))
    assert fetch_inbound(desk.at(THURSDAY)) == (1, 0)
    assert [row.state for row in payments(world, run)] == ["RETURNED", "SETTLED", "RETURNED"]
    assert open_items(world) == ["payment.returned", "payment.returned", "return.unknown"]


def test_a_return_without_a_trace_is_matched_by_our_reference(
    world: PaymentWorld, desk: Desk
) -> None:
    [payment] = payments(world, settled(world, desk))
    tell_of_return(desk, payment, trace_number=None)
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    assert request_states(world) == ["RETURNED"]


def test_a_broken_file_is_refused_whole_and_put_before_a_person(
    world: PaymentWorld, desk: Desk
) -> None:
    [payment] = payments(world, settled(world, desk))
    content = return_file(payment)
    broken = content.replace(b"0000010000", b"0000010001", 1)
    assert broken != content
    leave(desk, broken)
    leave(desk, content[:300], "RET-2026-01-08-2.ach")
    assert fetch_inbound(desk.at(THURSDAY)) == (0, 2)
    assert request_states(world) == ["PAID"]
    assert open_items(world) == ["bank_file.refused", "bank_file.refused"]
    sentences = world.do(lambda s: list(s.execute(select(ExceptionItem.sentence)).scalars()))
    assert all("breaks the rules of its format (line" in sentence for sentence in sentences)
    # The bank sends it again, whole: the item is closed with it.
    leave(desk, content)
    assert fetch_inbound(desk.tools) == (1, 1)
    assert request_states(world) == ["RETURNED"]
    assert open_items(world) == ["bank_file.refused", "payment.returned"]


def test_a_file_of_payments_among_the_banks_answers_is_refused(
    world: PaymentWorld, desk: Desk
) -> None:
    settled(world, desk)
    ours = desk.bank.files[desk.bank.deliveries[-1]]
    leave(desk, ours.content, ours.name + ".ach")
    assert fetch_inbound(desk.at(THURSDAY)) == (0, 1)
    assert (request_states(world), open_items(world)) == (["PAID"], ["bank_file.refused"])


def test_the_table_names_who_of_the_staff_is_told(world: PaymentWorld, desk: Desk) -> None:
    run = settled(world, desk, 2)
    first, second = payments(world, run)
    tell_of_return(desk, first, code="R01")
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    addresses = told(world, NoticeEvent.PAYMENT_RETURNED_STAFF)
    assert world.builder.email in addresses
    assert world.controller.email not in addresses
    tell_of_return(desk, second, code="R16")
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    assert world.controller.email in told(world, NoticeEvent.PAYMENT_RETURNED_STAFF)


def closed(world: PaymentWorld, case_id: int) -> None:
    """End a case whose ledger is at zero."""

    def work(session: Session) -> None:
        case = session.get_one(Case, case_id)
        case.stage = Stage.FINAL_DISBURSEMENT.value
        move_stage(session, SYSTEM, case, Stage.CLOSED, cause="Done", moment=moment_at(TUESDAY))

    world.do(work)


def test_a_return_on_a_closed_case_reopens_it_and_the_money_follows(
    world: PaymentWorld, desk: Desk
) -> None:
    case = world.case(funds_cents=10_000)
    world.request(case, world.payee(), amount_cents=10_000)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    poll_events(desk.at(TUESDAY))
    closed(world, case.id)
    [payment] = payments(world, run)
    tell_of_return(desk, payment)
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    assert balance(world, "returned_payments") == 10_000
    payload = {"instruction": payment.reference}
    topic = select(OutboxMessage.topic).where(OutboxMessage.topic == CAME_BACK_CLOSED)
    assert world.do(lambda s: s.execute(topic).scalar_one())
    for _ in range(2):
        reopen_returned(desk.tools, payload)
        assert world.do(lambda s: s.get_one(Case, case.id).stage) == "AWAITING_CLOSE_APPROVAL"
        assert (balance(world, "returned_payments"), lines(world)[-1][2:]) == (0, (10_000, 10_000))
    assert [line[0] for line in lines(world)] == ["DISBURSEMENT", "RETURN"]
    assert request_states(world) == ["RETURNED"]


@pytest.mark.parametrize("point", ["unit.before_commit", "unit.after_commit"])
def test_killed_while_a_return_file_is_taken_it_counts_once(
    world: PaymentWorld, desk: Desk, point: str
) -> None:
    [payment] = payments(world, settled(world, desk))
    leave(desk, return_file(payment, code="R03"))

    def kill() -> None:
        raise KeyboardInterrupt

    with armed(point, kill), pytest.raises(KeyboardInterrupt):
        fetch_inbound(desk.at(THURSDAY))
    fetch_inbound(desk.tools)
    assert [line[0] for line in lines(world)] == ["DISBURSEMENT", "RETURN"]
    assert (request_states(world), account_state(world)) == (["RETURNED"], "BLOCKED")
    assert fetch_inbound(desk.tools) == (0, 0)
