"""Checks that pay payees: numbers in order, two people, stops that race, and the long wait."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound, WrongState
from seedtrust.domain.checks import service
from seedtrust.domain.checks.errors import AskerCannotStop, CheckNotPossible, PreparerCannotIssue
from seedtrust.domain.checks.issuefile import positive_pay_of
from seedtrust.domain.checks.queries import check_view
from seedtrust.domain.ledger import queries as ledger_queries
from tests.factories import check_world, payment_world
from tests.factories.bank_answers import balance, open_items
from tests.factories.check_world import ADDRESS, CENTS, CheckWorld
from tests.factories.payment_world import MONDAY, SYSTEM, moment_at
from tests.support.databases import on_both_databases

REASON = "Lost in the mail"
LAST_DAY = MONDAY + timedelta(days=180)
STALE_DAY = MONDAY + timedelta(days=181)


@pytest.fixture
def checks(session_factory: sessionmaker[Session]) -> CheckWorld:
    """Return a case with money, and people who draw checks on it."""
    return check_world.build(payment_world.build(session_factory))


def available(checks: CheckWorld) -> tuple[int, int]:
    """Return the ledger and the available balance of the case."""

    def work(session: Session) -> tuple[int, int]:
        found = ledger_queries.balance_of(session, checks.case.ledger_account_id)
        return found.ledger_cents, found.available_cents

    return checks.world.do(work)


def stale(checks: CheckWorld, reference: str, on: date = STALE_DAY) -> bool:
    """Let the daily job look at a check."""
    row = checks.check(reference)
    return checks.world.do(
        lambda session: service.make_stale(session, SYSTEM, row.id, moment=moment_at(on))
    )


@on_both_databases
def test_a_check_is_outstanding_from_its_issue_until_the_bank_pays_it(checks: CheckWorld) -> None:
    reference = checks.prepared()
    assert available(checks) == (1_000_000, 960_000)
    checks.do(service.issue_check, checks.world.lead, reference)
    assert available(checks) == (960_000, 960_000)
    assert balance(checks.world, "checks_outstanding") == CENTS
    assert checks.request_of(reference).state == "IN_PAYMENT"
    assert checks.present(reference) is not None
    assert balance(checks.world, "checks_outstanding") == 0
    assert balance(checks.world, "bank_cash:main") == 960_000
    assert (checks.check(reference).state, checks.request_of(reference).state) == (
        "PRESENTED",
        "PAID",
    )


def test_the_same_line_again_changes_nothing(checks: CheckWorld) -> None:
    reference = checks.issued()
    assert checks.present(reference) is not None
    assert checks.present(reference) is not None
    assert balance(checks.world, "bank_cash:main") == 960_000
    assert open_items(checks.world) == []


def test_numbers_ascend_without_a_gap_in_the_order_of_issue(checks: CheckWorld) -> None:
    prepared = [checks.prepared(10_000 + n) for n in range(4)]
    checks.do(service.cancel_prepared, checks.world.builder, prepared.pop(1), reason="Not needed")
    for reference in reversed(prepared):
        checks.do(service.issue_check, checks.world.lead, reference)
    numbers = [checks.check(reference).number or 0 for reference in reversed(prepared)]
    assert numbers[0] == 1001
    assert all(after == before + 1 for before, after in pairwise(numbers))


def test_who_prepared_a_check_does_not_issue_it(checks: CheckWorld) -> None:
    reference = checks.prepared()
    with pytest.raises(Forbidden):
        checks.do(service.issue_check, checks.world.builder, reference)
    with pytest.raises(PreparerCannotIssue):
        checks.do(service.issue_check, SYSTEM, reference)


def test_a_request_has_one_check_and_no_payment_beside_it(checks: CheckWorld) -> None:
    reference = checks.prepared()
    request = checks.request_of(reference)
    with pytest.raises(CheckNotPossible):
        checks.world.do(
            lambda session: service.prepare_check(
                session,
                checks.world.builder,
                request_ref=request.reference,
                mail_to=ADDRESS,
                moment=moment_at(),
            )
        )
    assert checks.world.collect() is None
    checks.do(service.issue_check, checks.world.lead, reference)
    with pytest.raises(WrongState):
        checks.do(service.issue_check, checks.world.lead, reference)


def test_a_check_needs_an_address_and_a_request(checks: CheckWorld) -> None:
    def prepare(request_ref: str, mail_to: str) -> None:
        checks.world.do(
            lambda session: service.prepare_check(
                session,
                checks.world.builder,
                request_ref=request_ref,
                mail_to=mail_to,
                moment=moment_at(),
            )
        )

    with pytest.raises(Invalid):
        prepare(checks.ready(), " ")
    with pytest.raises(NotFound):
        prepare("NOSUCH", ADDRESS)


def test_a_stop_takes_two_people_and_gives_the_money_back(checks: CheckWorld) -> None:
    reference, world = checks.issued(), checks.world
    with pytest.raises(Invalid):
        checks.do(service.ask_to_stop, world.builder, reference, reason="")
    checks.do(service.ask_to_stop, world.builder, reference, reason=REASON)
    assert available(checks) == (960_000, 960_000)
    with pytest.raises(AskerCannotStop):
        checks.do(service.confirm_stop, SYSTEM, reference)
    checks.do(service.confirm_stop, world.lead, reference)
    assert available(checks) == (1_000_000, 960_000)
    assert checks.request_of(reference).state == "READY"
    assert balance(world, "checks_outstanding") == 0


def test_a_refused_stop_leaves_the_check_outstanding(checks: CheckWorld) -> None:
    reference, world = checks.issued(), checks.world
    checks.do(service.ask_to_stop, world.builder, reference, reason=REASON)
    checks.do(service.keep_check, world.lead, reference)
    assert checks.check(reference).state == "ISSUED"
    with pytest.raises(WrongState):
        checks.do(service.keep_check, world.lead, reference)


def test_a_check_that_the_bank_paid_first_is_not_stopped(checks: CheckWorld) -> None:
    reference, world = checks.issued(), checks.world
    checks.do(service.ask_to_stop, world.builder, reference, reason=REASON)
    assert checks.present(reference) is not None
    with pytest.raises(WrongState):
        checks.do(service.confirm_stop, world.lead, reference)
    assert available(checks) == (960_000, 960_000)


def test_a_stopped_check_that_the_bank_paid_is_told_and_moves_no_money(
    checks: CheckWorld,
) -> None:
    reference, world = checks.issued(), checks.world
    checks.do(service.ask_to_stop, world.builder, reference, reason=REASON)
    checks.do(service.confirm_stop, world.lead, reference)
    assert checks.present(reference) is None
    assert open_items(world) == ["check.paid_anyway"]
    assert balance(world, "bank_cash:main") == 1_000_000


def test_another_amount_than_the_register_has_is_told(checks: CheckWorld) -> None:
    reference = checks.issued()
    assert checks.present(reference, cents=CENTS + 1) is None
    assert open_items(checks.world) == ["check.paid_anyway"]
    assert checks.check(reference).state == "ISSUED"


def test_a_spoiled_check_is_made_void_by_another_than_who_issued_it(checks: CheckWorld) -> None:
    reference, world = checks.issued(), checks.world
    with pytest.raises(PreparerCannotIssue):
        checks.do(service.void_check, world.lead, reference, reason="Spoiled in the printer")
    checks.do(service.void_check, world.other_lead, reference, reason="Spoiled in the printer")
    assert checks.check(reference).state == "VOIDED"
    again = checks.world.do(
        lambda session: (
            service.prepare_check(
                session,
                world.builder,
                request_ref=check_view(session, SYSTEM, reference).request_ref,
                mail_to=ADDRESS,
                moment=moment_at(),
            ).reference
        )
    )
    checks.do(service.issue_check, world.lead, again)
    assert (checks.check(again).number, available(checks)) == (1002, (960_000, 960_000))


def test_an_old_check_stays_owed_as_a_stale_item_and_is_replaced(checks: CheckWorld) -> None:
    reference, world = checks.issued(), checks.world
    assert not stale(checks, reference, LAST_DAY)
    assert stale(checks, reference)
    assert not stale(checks, reference)
    assert balance(world, "checks_outstanding") == 0
    assert balance(world, "stale_items") == CENTS
    assert available(checks) == (960_000, 960_000)
    assert open_items(world) == ["check.stale"]
    later = moment_at(STALE_DAY)
    again = checks.do(
        service.prepare_reissue, world.builder, reference, mail_to=ADDRESS, moment=later
    )
    with pytest.raises(WrongState):
        checks.do(service.ask_to_stop, world.builder, reference, reason=REASON)
    checks.do(service.issue_check, world.lead, again.reference, moment=later)
    assert checks.check(reference).state == "REISSUED"
    assert (balance(world, "stale_items"), balance(world, "checks_outstanding")) == (0, CENTS)
    assert open_items(world) == []
    assert checks.present(again.reference, STALE_DAY) is not None
    assert checks.request_of(reference).state == "PAID"
    assert balance(world, "bank_cash:main") == 960_000


def test_a_stale_check_that_the_bank_pays_all_the_same_counts(checks: CheckWorld) -> None:
    reference = checks.issued()
    stale(checks, reference)
    assert checks.present(reference, STALE_DAY) is not None
    assert balance(checks.world, "stale_items") == 0
    assert checks.request_of(reference).state == "PAID"


def test_the_bank_is_told_what_it_may_pay_and_what_not(checks: CheckWorld) -> None:
    reference = checks.issued()
    row = checks.world.do(lambda session: positive_pay_of(session, reference, "ISSUED"))
    expected = f"trust,400.00,1001,2026-01-05,CARROLL CLINIC,{reference},"
    assert row.decode() == f"{expected}IS\n"
    row = checks.world.do(lambda session: positive_pay_of(session, reference, "STOPPED"))
    assert row.decode() == f"{expected}CN\n"
