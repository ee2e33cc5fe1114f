"""Shortages: made good by the parents' money or by the company's, and bank = book throughout."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, InsufficientFunds, NotFound, WrongState
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import CaseFrozen
from seedtrust.domain.cases.models import CaseParty
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.funding import advances, shortages
from seedtrust.domain.funding.errors import (
    AdvanceDoesNotFit,
    DecisionOpen,
    NothingToRepay,
    ProposerCannotDecide,
)
from seedtrust.domain.funding.models import Deposit, ShortageCure, ShortageDecision
from seedtrust.domain.funding.service import match_deposit, receive_wire
from seedtrust.domain.funding.states import DecisionKind
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.reconciliation import transfers
from seedtrust.domain.reconciliation.models import BankTransfer
from seedtrust.jobs.bank import poll_events
from tests.concurrency.test_runs import DONE, Act, at_once
from tests.factories.case_world import REAL_TIME
from tests.factories.payment_world import SYSTEM
from tests.factories.payment_world import deposit as give
from tests.factories.shortages import (
    AT,
    FRIDAY,
    NEXT_DAY,
    SHORT,
    advanced,
    approve,
    operating,
    owed,
    propose,
    refused,
    shortage,
    wired,
)
from tests.factories.statements import Line, statement
from tests.factories.till import AMOUNT, Till, bring
from tests.support.databases import on_both_databases

WAYS: Final = ("wire", "advance", "by hand", "repayment")


@on_both_databases
def test_a_shortage_stands_in_both_books_alike(short: Till) -> None:
    assert abs(owed(short)) == SHORT
    assert operating(short) == {"shortage_expense": SHORT, "due_to_trust": SHORT}


@on_both_databases
def test_the_parents_wire_makes_it_good_once_and_the_case_goes_on(short: Till) -> None:
    wired(short, 200_000, times=2)
    assert short.shortages() == []
    assert owed(short) == 0
    assert operating(short) == {}
    assert short.lines()[-2:] == [
        ("2026-01-21", "DEPOSIT", "funding", 200_000),
        ("2026-01-21", "SHORTAGE_CURE", "funding", -SHORT),
    ]
    # The request that had to give way is ready again, in the same unit.
    assert short.requests() == ["IN_PAYMENT", "READY"]
    assert short.balance() == Balance(120_000, 50_000, 0, 70_000)
    assert short.stage() == Stage.CYCLE_IN_PROGRESS
    assert short.waiting() == ["deposit.returned"]
    assert short.is_proved(NEXT_DAY)
    row = shortage(short)
    assert (row.state, row.cured_cents, row.advanced_cents) == ("CURED", SHORT, 0)
    assert (row.cured_on, row.cured_by) == (NEXT_DAY, "payments.poll")


@on_both_databases
def test_a_part_makes_good_a_part_and_the_case_stands_still_until_the_rest(short: Till) -> None:
    wired(short, 30_000)
    assert (short.shortages(), short.stage()) == ([SHORT], "ON_HOLD")
    assert short.balance() == Balance(0, 0, 0, 0)
    assert abs(owed(short)) == 50_000
    assert operating(short) == {"shortage_expense": 50_000, "due_to_trust": 50_000}
    assert short.is_proved(NEXT_DAY)
    wired(short, 50_000, reference="WIRE-2", on=FRIDAY)
    assert (short.shortages(), short.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert (owed(short), operating(short)) == (0, {})
    query = select(ShortageCure.number, ShortageCure.amount_cents).order_by(ShortageCure.number)
    parts = short.world.do(lambda s: [tuple(row) for row in s.execute(query)])
    assert parts == [(1, 30_000), (2, 50_000)]
    assert short.is_proved(FRIDAY)


@on_both_databases
def test_a_new_check_makes_it_good_only_when_it_is_collected(short: Till) -> None:
    short.desk.bank.tell(
        "deposit.received",
        NEXT_DAY,
        id="CHK-2",
        kind="check",
        account_id="trust",
        amount_cents=AMOUNT,
        sender_name="Rosalind Ashgrove",
        text=f"Escrow {short.case.reference}",
        business_on=NEXT_DAY.isoformat(),
        bank_reference="LINE-7",
    )
    assert poll_events(short.desk.at(NEXT_DAY)) == (1, 0)
    assert (short.shortages(), short.stage()) == ([SHORT], "ON_HOLD")
    assert short.collect(date(2026, 1, 28)) == (1, 0)
    assert (short.shortages(), short.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert short.balance() == Balance(170_000, 50_000, 0, 120_000)
    # It bounces late: what the case has pays first, the rest is a shortage of its own.
    told = {"id": "CHK-2", "bank_reference": "LINE-7", "return_bank_reference": "LINE-8"}
    assert short.bounced(date(2026, 1, 30), **told) == (1, 0)
    assert (short.shortages(), short.stage()) == ([SHORT], "ON_HOLD")
    assert abs(owed(short)) == SHORT
    assert short.is_proved(date(2026, 1, 30))


@on_both_databases
def test_a_wire_that_a_person_matches_makes_it_good_too(short: Till) -> None:
    stray = wired(short, SHORT, "thank you")
    assert short.shortages() == [SHORT]
    short.world.do(
        lambda s: match_deposit(
            s,
            short.world.builder,
            deposit_ref=stray.reference,
            case_ref=short.case.reference,
            moment=AT,
        )
    )
    assert (short.shortages(), short.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert short.is_proved(NEXT_DAY)


@on_both_databases
def test_the_company_advances_with_two_people_and_its_wire_makes_it_good(short: Till) -> None:
    row = propose(short)
    assert short.waiting().count("shortage.advance") == 1
    approve(short, row)
    assert short.waiting().count("shortage.advance_due") == 1
    assert short.shortages() == [SHORT]  # decided is not paid
    wired(short, SHORT, f"SEEDTRUST OPERATING {row.reference}", reference="ADV-1", times=2)
    assert (short.shortages(), short.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert owed(short) == 0
    # The money of the company left its own book, and the expense stays with it.
    assert operating(short) == {"shortage_expense": SHORT, "operating_cash": SHORT}
    assert short.balance() == Balance(0, 0, 0, 0)
    assert short.is_proved(NEXT_DAY)
    assert short.waiting() == ["deposit.returned", "request.on_hold"]
    bring(short.world, statement(NEXT_DAY, 100_000, Line(SHORT, "ADV-1"), file_id="9"))
    assert short.is_proved(NEXT_DAY)


@on_both_databases
def test_an_advance_without_its_reference_is_found_by_a_person(short: Till) -> None:
    row = approve(short, propose(short))
    stray = wired(short, SHORT, "OPERATING ACCOUNT")
    short.world.do(
        lambda s: advances.match_advance(
            s,
            short.world.builder,
            deposit_ref=stray.reference,
            decision_ref=row.reference,
            moment=AT,
        )
    )
    assert (short.shortages(), short.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert operating(short) == {"shortage_expense": SHORT, "operating_cash": SHORT}
    assert short.is_proved(NEXT_DAY)
    refused(
        short,
        WrongState,
        lambda s: advances.match_advance(
            s,
            short.world.builder,
            deposit_ref=stray.reference,
            decision_ref=row.reference,
            moment=AT,
        ),
    )


@on_both_databases
def test_another_amount_is_not_the_advance(short: Till) -> None:
    row = approve(short, propose(short))
    other = wired(short, SHORT - 1, row.reference)
    assert (other.state, short.shortages()) == ("UNIDENTIFIED", [SHORT])
    refused(
        short,
        AdvanceDoesNotFit,
        lambda s: advances.match_advance(
            s,
            short.world.builder,
            deposit_ref=other.reference,
            decision_ref=row.reference,
            moment=AT,
        ),
    )
    assert short.is_proved(NEXT_DAY)


@on_both_databases
def test_the_parents_money_comes_first_and_the_advance_is_not_needed(short: Till) -> None:
    row = approve(short, propose(short))
    wired(short, SHORT)
    assert (short.shortages(), short.waiting()) == ([], ["deposit.returned", "request.on_hold"])
    late = wired(short, SHORT, row.reference, reference="ADV-1")
    assert late.state == "UNIDENTIFIED"
    assert operating(short) == {}
    assert short.is_proved(NEXT_DAY)


@on_both_databases
def test_the_case_repays_the_company_out_of_what_it_has(short: Till) -> None:
    advanced(short)
    row = propose(short, DecisionKind.REPAYMENT)
    refused(short, InsufficientFunds, lambda s: _repay(s, short, row))
    wired(short, 200_000, reference="WIRE-2")
    assert short.requests() == ["IN_PAYMENT", "READY"]
    transfer = short.world.do(lambda s: _repay(s, short, row))
    assert short.balance() == Balance(120_000, 50_000, 0, 70_000)
    assert short.is_proved(NEXT_DAY)
    refused(short, WrongState, lambda s: _repay(s, short, row))
    lines = (Line(SHORT, "ADV-1"), Line(200_000, "WIRE-2"))
    bring(short.world, statement(NEXT_DAY, 100_000, *lines, file_id="2"))
    line = Line(-SHORT, "OUT-1", customer_reference=transfer.reference)
    bring(short.world, statement(FRIDAY, 380_000, line, file_id="3"))
    assert operating(short) == {}
    assert short.is_proved(FRIDAY)
    refused(short, NothingToRepay, _again(short, DecisionKind.REPAYMENT))


@on_both_databases
def test_a_repayment_that_nobody_made_is_taken_back(short: Till) -> None:
    advanced(short)
    wired(short, 200_000, reference="WIRE-2")
    row = propose(short, DecisionKind.REPAYMENT)
    transfer = short.world.do(lambda s: _repay(s, short, row))
    short.world.do(
        lambda s: transfers.cancel_transfer(
            s, short.world.builder, reference=transfer.reference, moment=AT
        )
    )
    assert short.balance() == Balance(200_000, 50_000, 0, 150_000)
    assert shortage(short).repaid_cents == 0
    assert short.is_proved(NEXT_DAY)
    # It may be proposed anew, once.
    propose(short, DecisionKind.REPAYMENT)
    refused(short, DecisionOpen, _again(short, DecisionKind.REPAYMENT))


@on_both_databases
def test_a_person_lets_the_case_pay_from_money_that_came_another_way(short: Till) -> None:
    row, controller = shortage(short), short.world.controller

    def by_hand(session: Session) -> int:
        return shortages.cure_by_hand(session, controller, shortage_ref=row.reference, moment=AT)

    refused(short, InsufficientFunds, by_hand)
    refused(
        short,
        Forbidden,
        lambda s: shortages.cure_by_hand(
            s, short.world.lead, shortage_ref=row.reference, moment=AT
        ),
    )
    short.world.do(lambda s: _give(s, short, 100_000))
    assert short.world.do(by_hand) == SHORT
    assert (short.shortages(), short.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert short.balance() == Balance(20_000, 0, 0, 20_000)
    refused(short, WrongState, by_hand)


@on_both_databases
def test_nobody_lifts_the_freeze_alone(short: Till) -> None:
    ref = short.case.reference
    refused(
        short,
        CaseFrozen,
        lambda s: cases.resume(
            s, short.world.controller, case_ref=ref, reason="It will come", moment=AT
        ),
    )
    row = propose(short, DecisionKind.LIFT)
    refused(
        short,
        Forbidden,
        lambda s: advances.approve(s, short.world.lead, decision_ref=row.reference, moment=AT),
    )
    approve(short, row)
    assert (short.stage(), short.shortages()) == ("CYCLE_IN_PROGRESS", [SHORT])
    assert short.waiting() == ["case.shortage", "deposit.returned", "request.on_hold"]
    refused(short, WrongState, _again(short, DecisionKind.LIFT))
    # The debt stays, and later money still makes it good.
    wired(short, SHORT)
    assert (short.shortages(), owed(short)) == ([], 0)
    assert short.is_proved(NEXT_DAY)


@on_both_databases
def test_a_persons_hold_stays_when_the_freeze_ends_and_the_other_way_round(short: Till) -> None:
    ref, controller = short.case.reference, short.world.controller
    short.world.do(
        lambda s: cases.put_on_hold(s, controller, case_ref=ref, reason="Court", moment=AT)
    )
    wired(short, SHORT)
    assert (short.shortages(), short.stage()) == ([], "ON_HOLD")
    short.world.do(lambda s: cases.resume(s, controller, case_ref=ref, reason="Over", moment=AT))
    assert short.stage() == Stage.CYCLE_IN_PROGRESS


@on_both_databases
def test_a_hold_that_ends_first_leaves_the_freeze(short: Till) -> None:
    ref, controller = short.case.reference, short.world.controller
    short.world.do(
        lambda s: cases.put_on_hold(s, controller, case_ref=ref, reason="Court", moment=AT)
    )
    short.world.do(lambda s: cases.resume(s, controller, case_ref=ref, reason="Over", moment=AT))
    assert short.stage() == Stage.ON_HOLD
    wired(short, SHORT)
    assert short.stage() == Stage.CYCLE_IN_PROGRESS


def test_who_proposes_does_not_decide(short: Till) -> None:
    row = short.world.do(
        lambda s: advances.propose(
            s,
            SYSTEM,
            shortage_ref=shortage(short).reference,
            kind=DecisionKind.ADVANCE,
            reason="x",
            moment=AT,
        )
    )
    refused(
        short,
        ProposerCannotDecide,
        lambda s: advances.approve(s, SYSTEM, decision_ref=row.reference, moment=AT),
    )
    refused(
        short,
        Forbidden,
        lambda s: advances.approve(s, short.world.escrow, decision_ref=row.reference, moment=AT),
    )
    refused(
        short,
        NotFound,
        lambda s: advances.approve(s, short.world.controller, decision_ref="NOSUCH", moment=AT),
    )
    assert short.shortages() == [SHORT]


def test_an_advance_may_be_withdrawn_and_proposed_anew(short: Till) -> None:
    row = approve(short, propose(short))
    refused(short, DecisionOpen, _again(short, DecisionKind.ADVANCE))

    def withdraw(session: Session) -> object:
        return advances.withdraw(
            session,
            short.world.controller,
            decision_ref=row.reference,
            reason="They wire today",
            moment=AT,
        )

    short.world.do(withdraw)
    refused(short, WrongState, withdraw)
    late = wired(short, SHORT, row.reference)
    assert late.state == "UNIDENTIFIED"
    propose(short)


def test_the_parents_are_told_once_that_the_case_goes_on(short: Till) -> None:
    def add_parent(session: Session) -> None:
        session.add(
            CaseParty(
                id=1,
                reference="PARENT000000001",
                case_id=short.case.id,
                role="intended_parent",
                side="recipient",
                name="Rosalind Ashgrove",
                email="rosalind@families.example",
                must_sign=True,
                must_certify=True,
                added_at=REAL_TIME,
            )
        )

    short.world.do(add_parent)
    wired(short, SHORT, times=2)
    query = select(NoticeDelivery.event).where(NoticeDelivery.channel == "mail")
    told = short.world.do(lambda s: sorted(s.execute(query).scalars()))
    assert told == ["case.goes_on", "deposit.received"]


@on_both_databases
@pytest.mark.parametrize("way", WAYS)
def test_what_dies_halfway_leaves_nothing_and_is_done_by_the_next_try(
    short: Till, way: str
) -> None:
    work = _prepared(short, way)
    before = _figures(short)

    def dies(session: Session) -> None:
        work(session)
        message = "the plug"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the plug"):
        short.world.do(dies)
    assert _figures(short) == before
    short.world.do(work)
    assert (short.shortages(), owed(short)) == ([], 0)
    assert way == "by hand" or short.is_proved(NEXT_DAY)


@on_both_databases
@pytest.mark.parametrize("way", WAYS)
def test_what_two_do_at_once_is_done_once(short: Till, way: str) -> None:
    work = _prepared(short, way)
    # The bank's word may be heard often; a person's act is done by one of them.
    second = DONE if way == "wire" else "wrong_state"
    assert sorted(at_once(short.world, work, work)) == sorted([DONE, second])
    assert (short.shortages(), owed(short)) == ([], 0)
    cures = short.world.do(lambda s: list(s.execute(select(ShortageCure.amount_cents)).scalars()))
    assert cures == [SHORT]
    assert shortage(short).repaid_cents == (SHORT if way == "repayment" else 0)
    assert way == "by hand" or short.is_proved(NEXT_DAY)


@on_both_databases
def test_the_parents_wire_and_the_companys_at_once_make_it_good_once(short: Till) -> None:
    row = approve(short, propose(short))
    outcomes = at_once(
        short.world,
        lambda s: _receive(s, short, f"Escrow {short.case.reference}", "WIRE-1"),
        lambda s: _receive(s, short, row.reference, "ADV-1"),
    )
    assert outcomes == [DONE, DONE]
    assert (short.shortages(), owed(short)) == ([], 0)
    query = select(ShortageCure.source, ShortageCure.amount_cents)
    [(source, cents)] = short.world.do(lambda s: [tuple(r) for r in s.execute(query)])
    assert cents == SHORT
    # Whoever came second has its money still: the case, or the unidentified receipts.
    spare = short.balance().ledger_cents
    assert spare == (SHORT if source == "advance" else 0)
    assert short.is_proved(NEXT_DAY)


def _prepared(till: Till, way: str) -> Act:
    """Return the last step of a way to make good or to repay, all before it being done."""
    world = till.world
    if way == "wire":
        return lambda s: _receive(s, till, f"Escrow {till.case.reference}", "WIRE-1")
    if way == "by hand":
        world.do(lambda s: _give(s, till, SHORT))
        ref = shortage(till).reference
        return lambda s: shortages.cure_by_hand(s, world.controller, shortage_ref=ref, moment=AT)
    if way == "repayment":
        advanced(till)
        wired(till, 200_000, reference="WIRE-2")
        asked = propose(till, DecisionKind.REPAYMENT)
        return lambda s: _repay(s, till, asked)
    stray = wired(till, SHORT, "OPERATING ACCOUNT", reference="ADV-9")
    row = approve(till, propose(till))
    return lambda s: advances.match_advance(
        s, world.builder, deposit_ref=stray.reference, decision_ref=row.reference, moment=AT
    )


def _figures(till: Till) -> tuple[object, ...]:
    return till.balance(), till.shortages(), owed(till), operating(till), till.waiting()


def _receive(session: Session, till: Till, text: str, reference: str) -> Deposit:
    return receive_wire(
        session,
        SYSTEM,
        trust_account_id=till.world.trust_account_id,
        trust_code="main",
        bank="main",
        bank_reference=reference,
        amount_cents=SHORT,
        sender_name="",
        text=text,
        received_on=NEXT_DAY,
        moment=AT,
    )


def _give(session: Session, till: Till, cents: int) -> None:
    give(session, till.case, till.world.account_code(session), cents, AT)


def _repay(session: Session, till: Till, row: ShortageDecision) -> BankTransfer:
    return transfers.repay_advance(
        session, till.world.controller, decision_ref=row.reference, moment=AT
    )


def _again(till: Till, kind: DecisionKind) -> Act:
    ref = shortage(till).reference
    return lambda s: advances.propose(
        s, till.world.builder, shortage_ref=ref, kind=kind, reason="Again", moment=AT
    )
