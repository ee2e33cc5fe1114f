"""The bank's word: applied once, in any order that the bank can send it, and never guessed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments import queries
from seedtrust.domain.payments.files import seal_file
from seedtrust.domain.payments.models import BankInboxItem, PaymentRun
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories.bank_answers import (
    THURSDAY,
    WEDNESDAY,
    balance,
    lines,
    open_items,
    payments,
    request_states,
    return_file,
    run_state,
    sent,
    settled,
    tell_of_return,
)
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import (
    KEYRING,
    MONDAY,
    SYSTEM,
    TUESDAY,
    PaymentWorld,
    moment_at,
)
from tests.fakes.bank import FakeBank


def test_each_event_of_a_file_takes_run_payments_and_file_one_step(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk, 2)
    assert run_state(world, run) == ("TRANSMITTED", "TRANSMITTED")
    desk.bank.tell_of_file("file.accepted", MONDAY)
    poll_events(desk.tools)
    assert run_state(world, run) == ("ACKNOWLEDGED", "ACKNOWLEDGED")
    assert {row.state for row in payments(world, run)} == {"ACCEPTED"}
    desk.bank.tell_of_file("file.settled", WEDNESDAY, settles_on="2026-01-07")
    poll_events(desk.at(WEDNESDAY))
    assert run_state(world, run) == ("SETTLED", "SETTLED")
    assert request_states(world) == ["PAID", "PAID"]
    # The case's line keeps the expected day; the bank's leg carries the actual one.
    assert lines(world) == [
        ("DISBURSEMENT", TUESDAY, -10_000, 990_000),
        ("DISBURSEMENT", TUESDAY, -10_001, 979_999),
    ]
    assert balance(world, "bank_cash:main") == 979_999


def test_the_same_event_twice_changes_nothing(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    run = settled(world, desk)
    before = (lines(world), balance(world, "bank_cash:main"), payments(world, run)[0].version)
    first = desk.bank.events[0]
    desk.bank.events += [first]
    assert poll_events(desk.tools)[1] == 0
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.tools)[1] == 0
    after = (lines(world), balance(world, "bank_cash:main"), payments(world, run)[0].version)
    assert after == before
    assert request_states(world) == ["PAID"]


def test_a_lower_word_after_a_higher_one_changes_nothing(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    desk.bank.tell_of_file("file.accepted", TUESDAY)
    assert poll_events(desk.tools) == (1, 0)
    assert run_state(world, run) == ("SETTLED", "SETTLED")


def test_settled_before_accepted_is_settled_all_the_same(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk, 2)
    assert run_state(world, run) == ("SETTLED", "SETTLED")
    assert {row.settled_on for row in payments(world, run)} == {TUESDAY}


def test_a_file_settled_in_part_waits_for_the_rest(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=False)
    assert poll_events(desk.at(TUESDAY)) == (1, 0)
    assert run_state(world, run)[0] == "TRANSMITTED"


def test_a_rejected_file_gives_the_money_and_the_requests_back(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk, 2)
    desk.bank.tell_of_file("file.rejected", MONDAY, detail="The company is not known.")
    assert poll_events(desk.tools) == (1, 0)
    assert run_state(world, run) == ("REJECTED", "REJECTED")
    assert {row.state for row in payments(world, run)} == {"REJECTED"}
    assert request_states(world) == ["READY", "READY"]
    # By effective date nothing comes back before it has left.
    assert [line[:3] for line in lines(world)] == [
        ("DISBURSEMENT", TUESDAY, -10_000),
        ("DISBURSEMENT", TUESDAY, -10_001),
        ("REVERSAL", TUESDAY, 10_000),
        ("REVERSAL", TUESDAY, 10_001),
    ]
    assert balance(world, "in_transit:ach:out") == 0
    assert open_items(world) == ["run.rejected"]
    desk.bank.tell_of_file("file.rejected", MONDAY)
    assert poll_events(desk.tools) == (1, 0)
    assert len(lines(world)) == 4
    again = world.released()
    assert [row.amount_cents for row in payments(world, again)] == [10_000, 10_001]
    transmit_run(desk.tools, {"run": again.reference})
    assert [line[0] for line in lines(world)[4:]] == ["DISBURSEMENT", "DISBURSEMENT"]


def test_a_payment_that_comes_back_returns_to_its_case_and_may_be_paid_again(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    [payment] = payments(world, run)
    tell_of_return(desk, payment)
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    [payment] = payments(world, run)
    assert (payment.state, payment.return_code) == ("RETURNED", "R01")
    assert request_states(world) == ["RETURNED"]
    assert lines(world)[1] == ("RETURN", THURSDAY, 10_000, 1_000_000)
    assert balance(world, "bank_cash:main") == 1_000_000
    account = world.do(lambda s: s.execute(select(PayeeAccount.state)).scalar_one())
    assert account == "ACTIVE"

    def again(session: Session) -> None:
        request = session.execute(select(DisbursementRequest)).scalar_one()
        paying.pay_again(
            session, SYSTEM, request, reason="Funds are there now.", moment=moment_at(THURSDAY)
        )

    world.do(again)
    second = world.released(moment=moment_at(THURSDAY))
    transmit_run(desk.at(THURSDAY), {"run": second.reference})
    assert lines(world)[2][:3] == ("REISSUE", date(2026, 1, 9), -10_000)
    assert payments(world, second)[0].replaces_id == payment.id


@pytest.mark.parametrize("code", ["R02", "R03", "R04"])
def test_a_return_that_says_the_account_is_wrong_blocks_it_and_holds_other_payments(
    world: PaymentWorld, desk: JobDesk[FakeBank], code: str
) -> None:
    case, payee = world.case(), world.payee()
    world.request(case, payee, amount_cents=10_000)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    waiting = world.request(case, payee, amount_cents=20_000)
    [payment] = payments(world, run)
    tell_of_return(desk, payment, code=code)
    assert poll_events(desk.at(THURSDAY)) == (2, 0)
    assert world.do(lambda s: s.execute(select(PayeeAccount.state)).scalar_one()) == "BLOCKED"
    nxt = world.collect(moment=moment_at(THURSDAY))
    assert nxt is not None
    view = world.do(lambda s: queries.run_view(s, world.builder, nxt.reference))
    assert [row.request_ref for row in view.exceptions] == [waiting.reference]
    assert view.payments == ()


def test_a_return_heard_of_before_the_settlement_settles_first(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk)
    [payment] = payments(world, run)
    tell_of_return(desk, payment)
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.tools) == (1, 0)
    assert balance(world, "in_transit:ach:out") == 0
    assert (balance(world, "bank_cash:main"), request_states(world)) == (1_000_000, ["RETURNED"])
    assert run_state(world, run)[0] == "SETTLED"


def test_a_return_on_a_closed_case_goes_to_returned_payments(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    [payment] = payments(world, run)

    def close(session: Session) -> None:
        session.get_one(Case, payment.case_id).stage = Stage.CLOSED.value

    world.do(close)
    tell_of_return(desk, payment)
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    assert balance(world, "returned_payments") == 10_000
    assert len(lines(world)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_cents": 9_999},
        {"trace_number": "044000020009999"},
        {"identification": "AAAAAAAAAAAAAAA"},
        {"returned_on": "soon"},
        {"return_code": None},
    ],
)
def test_a_return_that_does_not_fit_is_kept_for_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank], wrong: dict[str, object]
) -> None:
    run = settled(world, desk)
    [payment] = payments(world, run)
    tell_of_return(desk, payment, **wrong)  # type: ignore[arg-type]
    assert poll_events(desk.at(THURSDAY)) == (0, 1)
    assert (request_states(world), open_items(world)) == (["PAID"], ["bank.not_applied"])
    tell_of_return(desk, payment)
    assert poll_events(desk.tools) == (1, 1)
    assert request_states(world) == ["RETURNED"]


def test_an_event_that_comes_too_early_is_kept_and_applied_later(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk)
    upload = desk.bank.files[desk.bank.deliveries[-1]]

    def hide(session: Session, reference: str) -> None:
        session.get_one(PaymentRun, run.id).reference = reference

    world.do(lambda session: hide(session, "A" * 15))
    desk.bank.tell_of_file("file.accepted", MONDAY)
    assert poll_events(desk.tools) == (0, 1)
    assert open_items(world) == ["bank.not_applied"]
    world.do(lambda session: hide(session, upload.client_reference))
    assert poll_events(desk.tools) == (1, 0)
    assert (run_state(world, run)[0], open_items(world)) == ("ACKNOWLEDGED", [])


def test_an_event_about_other_bytes_under_our_reference_is_not_believed(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk)
    desk.bank.tell(
        "file.settled",
        TUESDAY,
        id="FILE-7",
        sha256="0" * 64,
        client_reference=run.reference,
        settles_on="2026-01-06",
    )
    assert poll_events(desk.tools) == (0, 1)
    assert (run_state(world, run)[0], request_states(world)) == ("TRANSMITTED", ["IN_PAYMENT"])


def test_a_word_that_we_do_not_know_is_kept_and_shown(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    desk.bank.tell("file.frobnicated", MONDAY, id="FILE-1")
    desk.bank.tell("statement.available", MONDAY, account_id="trust")
    assert poll_events(desk.tools) == (2, 0)
    assert open_items(world) == ["bank.unknown_word"]
    kinds = select(BankInboxItem.kind).order_by(BankInboxItem.id)
    assert world.do(lambda s: s.execute(kinds).scalars().all()) == [
        "file.frobnicated",
        "statement.available",
    ]


def test_a_file_that_the_bank_holds_back_is_put_before_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = sent(world, desk)
    desk.bank.tell_of_file("file.suspended", MONDAY, detail="The totals differ.")
    assert poll_events(desk.tools) == (1, 0)
    assert (run_state(world, run)[0], open_items(world)) == ("TRANSMITTED", ["run.suspended"])


def test_a_file_delivered_by_hand_counts_once_the_bank_has_it(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    file = world.do(
        lambda s: seal_file(s, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at())
    )
    desk.bank.tell(
        "file.accepted",
        MONDAY,
        id="FILE-1",
        sha256=file.sha256,
        client_reference=run.reference,
    )
    assert poll_events(desk.tools) == (1, 0)
    assert run_state(world, run) == ("ACKNOWLEDGED", "ACKNOWLEDGED")
    assert {row.state for row in payments(world, run)} == {"ACCEPTED"}
    transmit_run(desk.tools, {"run": run.reference})
    assert desk.bank.deliveries == []


def test_a_wire_that_comes_in_is_booked_once(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    case = world.case()
    told = {
        "id": "IN-1",
        "account_id": "trust",
        "amount_cents": 2_850_000,
        "sender_name": "Rosalind Ashgrove",
        "text": f"Escrow {case.reference}",
        "business_on": "2026-01-05",
        "bank_reference": "LINE-1",
    }
    desk.bank.tell("wire.received", MONDAY, **told)  # type: ignore[arg-type]
    desk.bank.tell("wire.received", MONDAY, **told)  # type: ignore[arg-type]
    assert poll_events(desk.tools) == (2, 0)
    [deposit] = world.do(lambda s: s.execute(select(Deposit)).scalars().all())
    assert (deposit.case_id, deposit.amount_cents) == (case.id, 2_850_000)
    assert balance(world, "bank_cash:main") == 3_850_000


@pytest.mark.parametrize(
    "wrong", [{"account_id": "nobody"}, {"amount_cents": 0}, {"amount_cents": "5"}]
)
def test_a_wire_that_makes_no_sense_is_kept_for_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank], wrong: dict[str, object]
) -> None:
    told: dict[str, object] = {
        "id": "IN-1",
        "account_id": "trust",
        "amount_cents": 5,
        "business_on": "2026-01-05",
        "bank_reference": "LINE-1",
    }
    desk.bank.tell("wire.received", MONDAY, **(told | wrong))  # type: ignore[arg-type]
    assert poll_events(desk.tools) == (0, 1)
    assert (open_items(world), balance(world, "bank_cash:main")) == (["bank.not_applied"], 0)
    desk.bank.tell("wire.received", MONDAY, **told)  # type: ignore[arg-type]
    assert poll_events(desk.tools)[0] == 1
    assert balance(world, "bank_cash:main") == 5


def test_a_bank_that_is_down_is_seen_on_the_today_page(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    assert world.do(queries.bank_link).healthy
    desk.bank.down = True
    assert poll_events(desk.tools) == (0, 1)
    assert not world.do(queries.bank_link).healthy
    desk.bank.down = False
    assert poll_events(desk.tools) == (0, 0)
    link = world.do(queries.bank_link)
    assert (link.healthy, link.read_at) == (True, desk.tools.clock.now())


def test_a_return_file_is_applied_once_and_agrees_with_the_event(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    [payment] = payments(world, run)
    desk.bank.outbox["RET-2026-01-08-1.ach"] = return_file(payment, code="R03")
    assert fetch_inbound(desk.at(THURSDAY)) == (1, 0)
    [payment] = payments(world, run)
    assert (payment.state, payment.returned_on) == ("RETURNED", THURSDAY)
    before = lines(world)
    tell_of_return(desk, payment, code="R03")
    desk.bank.outbox["RET-2026-01-08-2.ach"] = return_file(payment, code="R03")
    assert (poll_events(desk.tools), fetch_inbound(desk.tools)) == ((1, 0), (1, 0))
    assert lines(world) == before


def test_a_return_file_of_nothing_of_ours_or_of_nonsense_is_put_before_a_person(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    [payment] = payments(world, run)
    payment.reference = "A" * 15
    desk.bank.outbox["RET-2026-01-08-1.ach"] = return_file(payment)
    desk.bank.outbox["RET-2026-01-08-2.ach"] = b"nonsense"
    desk.bank.outbox["OTHER.txt"] = b"not for us"
    assert fetch_inbound(desk.at(THURSDAY)) == (1, 1)
    assert open_items(world) == ["bank_file.refused", "return.unknown"]
    assert request_states(world) == ["PAID"]
    assert fetch_inbound(desk.tools) == (0, 1)
    assert open_items(world) == ["bank_file.refused", "return.unknown"]
