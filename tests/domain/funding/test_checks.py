"""Checks: held until they are collected, and taken out whole when they bounce, spent or not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Invalid, NotFound
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.funding.models import CheckClearance
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.funding.service import collect_deposit, match_deposit
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from tests.factories.case_world import REAL_TIME
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, moment_at
from tests.factories.statements import Line, statement
from tests.factories.till import AMOUNT, COLLECTED_ON, LATER, WEDNESDAY, Till, bring
from tests.support.databases import on_both_databases, only_on_mariadb

DEPOSITED = ("2026-01-05", "DEPOSIT", "funding", AMOUNT)


@on_both_databases
def test_a_check_stands_on_the_case_and_cannot_be_spent_yet(till: Till) -> None:
    assert till.deposited().state == "RECEIVED"
    balance = till.balance()
    assert (balance.ledger_cents, balance.uncollected_cents) == (350_000, AMOUNT)
    assert balance.available_cents == 100_000
    till.world.request(till.case, till.world.payee(), amount_cents=200_000)
    assert till.requests() == ["INSUFFICIENT"]
    assert till.lines() == [DEPOSITED]
    assert till.is_proved(MONDAY)


@on_both_databases
def test_a_check_is_collected_after_five_banking_days_and_what_waited_goes_on(till: Till) -> None:
    till.deposited()
    till.world.request(till.case, till.world.payee(), amount_cents=200_000)
    assert till.collect(date(2026, 1, 9)) == (0, 0)
    assert till.collect() == (1, 0)
    assert till.collect() == (0, 0)
    assert (till.deposit().state, till.requests()) == ("COLLECTED", ["READY"])
    assert till.balance().available_cents == 150_000


@on_both_databases
def test_a_check_that_bounces_in_time_leaves_the_case_as_it_was(till: Till) -> None:
    till.deposited()
    assert till.bounced() == (1, 0)
    assert till.bounced() == (1, 0)  # told twice, booked once
    assert till.deposit().state == "RETURNED"
    assert till.lines() == [DEPOSITED, ("2026-01-06", "RETURN", "funding", -AMOUNT)]
    balance = till.balance()
    assert (balance.ledger_cents, balance.uncollected_cents) == (100_000, 0)
    assert (till.waiting(), till.shortages()) == (["deposit.returned"], [])
    assert till.stage() == Stage.CYCLE_IN_PROGRESS
    assert till.is_proved(TUESDAY)
    assert till.collect() == (0, 0)
    assert till.deposit().state == "RETURNED"


@on_both_databases
def test_the_statement_shows_the_check_and_its_bounce(till: Till) -> None:
    till.deposited()
    till.bounced()
    bring(till.world, statement(MONDAY, 100_000, Line(AMOUNT, "LINE-1")))
    bring(till.world, statement(TUESDAY, 350_000, Line(-AMOUNT, "LINE-2"), file_id="2"))
    query = select(BankStatementLine.matched_type).order_by(BankStatementLine.id)
    matched = till.world.do(lambda s: list(s.execute(query).scalars()))
    assert matched[1:] == ["deposit", "deposit_return"]
    assert till.is_proved(TUESDAY)


@on_both_databases
def test_a_collected_check_that_bounces_comes_out_of_what_is_there(till: Till) -> None:
    till.deposited()
    till.collect()
    assert till.bounced(LATER) == (1, 0)
    assert till.balance() == Balance(100_000, 0, 0, 100_000)
    assert (till.shortages(), till.stage()) == ([], "CYCLE_IN_PROGRESS")
    assert till.is_proved(LATER)


@on_both_databases
def test_reservations_give_way_to_a_bounced_check_the_newest_first(till: Till) -> None:
    till.deposited()
    till.collect()
    payee = till.world.payee()
    for cents in (60_000, 70_000, 80_000):
        till.world.request(till.case, payee, amount_cents=cents)
    till.bounced(LATER)
    assert till.requests() == ["READY", "ON_HOLD", "ON_HOLD"]
    assert till.balance() == Balance(100_000, 60_000, 0, 40_000)
    assert till.shortages() == []
    assert till.waiting() == ["deposit.returned", "request.on_hold", "request.on_hold"]


@on_both_databases
def test_what_was_spent_is_a_shortage_and_the_case_stands_still(till: Till) -> None:
    till.deposited()
    till.collect()
    payee = till.world.payee()
    till.world.request(till.case, payee, amount_cents=180_000)
    run = till.world.released(moment=moment_at(COLLECTED_ON))
    transmit_run(till.desk.at(COLLECTED_ON), {"run": run.reference})
    till.world.request(till.case, payee, amount_cents=50_000)
    assert till.bounced(LATER) == (1, 0)
    assert till.bounced(LATER) == (1, 0)
    # 1,000.00 + 2,500.00 - 1,800.00 were left; 800.00 of the 2,500.00 are missing.
    assert till.balance() == Balance(0, 0, 0, 0)
    assert till.lines()[-1] == ("2026-01-20", "RETURN", "funding", -170_000)
    assert till.shortages() == [80_000]
    assert till.requests() == ["IN_PAYMENT", "ON_HOLD"]
    assert till.stage() == Stage.ON_HOLD
    assert till.waiting() == ["case.shortage", "deposit.returned", "request.on_hold"]
    assert till.is_proved(LATER)


@on_both_databases
def test_what_lies_in_a_run_already_is_left_there(till: Till) -> None:
    till.deposited()
    till.collect()
    till.world.request(till.case, till.world.payee(), amount_cents=300_000)
    till.world.locked(moment=moment_at(COLLECTED_ON))
    till.bounced(LATER)
    assert till.requests() == ["IN_PAYMENT"]
    assert till.balance() == Balance(300_000, 300_000, 0, 0)
    assert till.shortages() == [200_000]
    assert till.is_proved(LATER)


@on_both_databases
def test_a_check_for_a_case_that_has_ended_is_wholly_owed_by_the_company(till: Till) -> None:
    till.deposited()
    till.collect()

    def end(session: Session) -> None:
        case = session.get_one(Case, till.case.id)
        case.stage = Stage.CLOSED.value

    till.world.request(till.case, till.world.payee(), amount_cents=350_000)
    run = till.world.released(moment=moment_at(COLLECTED_ON))
    transmit_run(till.desk.at(COLLECTED_ON), {"run": run.reference})
    till.world.do(end)
    assert till.bounced(LATER) == (1, 0)
    assert till.shortages() == [AMOUNT]
    assert till.stage() == Stage.CLOSED
    assert till.is_proved(LATER)


@on_both_databases
def test_a_check_of_nobody_bounces_out_of_the_unidentified_receipts(till: Till) -> None:
    assert till.deposited(named=False).state == "UNIDENTIFIED"
    assert till.bounced() == (1, 0)
    assert (till.deposit().state, till.waiting()) == ("RETURNED", ["deposit.returned"])
    assert till.lines() == []
    assert till.is_proved(TUESDAY)


@pytest.mark.parametrize("matched_on", [WEDNESDAY, LATER])
def test_a_check_that_is_matched_late_is_held_only_as_long_as_it_may_bounce(
    till: Till, matched_on: date
) -> None:
    deposit = till.deposited(named=False)
    if matched_on == LATER:
        assert till.collect() == (1, 0)
        assert till.deposit().state == "UNIDENTIFIED"
    till.world.do(
        lambda s: match_deposit(
            s,
            till.world.lead,
            deposit_ref=deposit.reference,
            case_ref=till.case.reference,
            moment=moment_at(matched_on),
        )
    )
    is_held = matched_on == WEDNESDAY
    assert till.deposit().state == ("RECEIVED" if is_held else "COLLECTED")
    assert till.balance().uncollected_cents == (AMOUNT if is_held else 0)


@on_both_databases
def test_a_return_that_dies_halfway_leaves_nothing_and_is_done_by_the_next_try(till: Till) -> None:
    till.deposited()
    till.collect()
    till.world.request(till.case, till.world.payee(), amount_cents=300_000)
    before = till.balance()
    _pull_the_plug_after(
        till, lambda s: return_deposit(s, SYSTEM, _said(), moment=moment_at(LATER))
    )
    assert (till.balance(), till.deposit().state) == (before, "COLLECTED")
    assert (till.waiting(), till.requests()) == ([], ["READY"])
    assert till.bounced(LATER) == (1, 0)
    assert (till.deposit().state, till.requests()) == ("RETURNED", ["ON_HOLD"])
    assert till.balance() == Balance(100_000, 0, 0, 100_000)


@only_on_mariadb
def test_a_return_that_is_told_by_two_at_once_is_booked_once(till: Till) -> None:
    till.deposited()

    def tell(_number: int) -> bool:
        return till.world.do(
            lambda s: return_deposit(s, SYSTEM, _said(), moment=moment_at(TUESDAY))
        )

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(tell, range(4)))
    assert sorted(done) == [False, False, False, True]
    assert till.balance() == Balance(100_000, 0, 0, 100_000)


@on_both_databases
def test_collecting_that_dies_halfway_holds_the_money_still(till: Till) -> None:
    deposit, moment = till.deposited(), moment_at(COLLECTED_ON)
    _pull_the_plug_after(till, lambda s: collect_deposit(s, SYSTEM, deposit.id, moment=moment))
    assert till.balance().uncollected_cents == AMOUNT
    assert till.collect() == (1, 0)
    assert till.balance().uncollected_cents == 0


def test_a_return_that_does_not_fit_is_kept_for_a_person(till: Till) -> None:
    till.deposited()
    assert till.bounced(amount_cents=AMOUNT - 1) == (0, 1)
    assert till.waiting() == ["bank.not_applied"]
    assert till.balance().ledger_cents == 350_000


@pytest.mark.parametrize(
    "reference, refusal", [("LINE-9", NotFound), ("LINE-W", Invalid)], ids=["unknown", "a wire"]
)
def test_only_a_check_that_we_know_comes_back(
    till: Till, reference: str, refusal: type[Exception]
) -> None:
    till.desk.bank.tell(
        "wire.received",
        MONDAY,
        account_id="trust",
        amount_cents=AMOUNT,
        text=f"Escrow {till.case.reference}",
        business_on="2026-01-05",
        bank_reference="LINE-W",
    )
    assert poll_events(till.desk.tools) == (1, 0)
    with pytest.raises(refusal), till.world.sessions.begin() as session:
        return_deposit(session, SYSTEM, _said(reference), moment=moment_at(TUESDAY))
    assert till.balance().ledger_cents == 350_000


def test_the_parents_are_told_once_that_a_check_came_back(till: Till) -> None:
    def add_parent(session: Session) -> None:
        session.add(
            CaseParty(
                id=1,
                reference="PARENT000000001",
                case_id=till.case.id,
                role="intended_parent",
                side="recipient",
                name="Rosalind Ashgrove",
                email="rosalind@families.example",
                must_sign=True,
                must_certify=True,
                added_at=REAL_TIME,
            )
        )

    till.world.do(add_parent)
    till.deposited()
    till.bounced()
    till.bounced()
    query = select(NoticeDelivery.event, NoticeDelivery.channel).order_by(NoticeDelivery.id)
    told = till.world.do(lambda s: [tuple(row) for row in s.execute(query)])
    assert told == [
        ("deposit.received", "mail"),
        ("deposit.received", "in_app"),
        ("deposit.returned", "mail"),
        ("deposit.returned", "in_app"),
    ]


def test_a_clearance_says_what_the_bank_said(till: Till) -> None:
    till.deposited()
    till.bounced()
    row = till.world.do(lambda s: s.execute(select(CheckClearance)).scalar_one())
    assert (row.collects_on, row.returned_on) == (COLLECTED_ON, TUESDAY)
    assert (row.return_reason, row.return_reference) == ("Insufficient funds", "LINE-2")


def _pull_the_plug_after(till: Till, work: Callable[[Session], bool]) -> None:
    def dies(session: Session) -> None:
        assert work(session)
        message = "the plug"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the plug"):
        till.world.do(dies)


def _said(reference: str = "LINE-1") -> DepositReturn:
    return DepositReturn(
        bank="main",
        trust_code="main",
        bank_reference=reference,
        amount_cents=AMOUNT,
        reason="Insufficient funds",
        return_reference="LINE-2",
        returned_on=TUESDAY,
    )
