"""The bank's answers that come at once by several ways: only what some order of them allows."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.payments import events
from seedtrust.domain.payments.answers import apply_answer_file
from seedtrust.domain.payments.files import seal_file
from seedtrust.domain.payments.models import PaymentRun
from seedtrust.domain.payments.ports import BankEvent
from seedtrust.domain.payments.transmission import begin, record_transmitted
from seedtrust.domain.reconciliation.matching import match_open_lines
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.domain.reconciliation.service import import_statement
from tests.concurrency.test_runs import DONE, Act, at_once, count
from tests.factories import payment_world
from tests.factories.bank_answers import THURSDAY, balance, payments, return_file
from tests.factories.payment_world import KEYRING, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.support.databases import on_both_databases


@pytest.fixture
def world(session_factory: sessionmaker[Session]) -> PaymentWorld:
    """Return a trust account with the people who pay from it."""
    return payment_world.build(session_factory)


def transmitted(world: PaymentWorld) -> tuple[PaymentRun, str]:
    """Send a file with two payments; return its run and its hash."""
    world.ready(2)
    run = world.released()
    at = moment_at()
    file = world.do(
        lambda s: seal_file(s, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=at)
    )
    world.do(lambda s: begin(s, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=at))
    world.do(lambda s: record_transmitted(s, SYSTEM, run_ref=run.reference, moment=at))
    return run, file.sha256


def settling(run: PaymentRun, sha256: str) -> Act:
    """Return the act of hearing that a file has settled."""
    facts = {"id": "FILE-1", "sha256": sha256, "client_reference": run.reference}
    told = BankEvent("1", "file.settled", TUESDAY, {**facts, "settles_on": "2026-01-06"})
    return lambda s: events.apply_event(s, SYSTEM, told, moment=moment_at(TUESDAY))


@on_both_databases
def test_a_return_while_the_file_settles_brings_that_payment_back_once(
    world: PaymentWorld,
) -> None:
    run, sha256 = transmitted(world)
    first, second = payments(world, run)
    told = BankEvent(
        "2",
        "entry.returned",
        THURSDAY,
        {
            "identification": first.reference,
            "trace_number": first.trace_number,
            "amount_cents": first.amount_cents,
            "return_code": "R01",
            "returned_on": "2026-01-08",
        },
    )

    def in_a_file(session: Session) -> object:
        return apply_answer_file(
            session,
            SYSTEM,
            file_name="RET-2026-01-08-1.ach",
            content=return_file(first),
            keyring=KEYRING,
            moment=moment_at(THURSDAY),
        )

    outcomes = at_once(
        world,
        settling(run, sha256),
        lambda s: events.apply_event(s, SYSTEM, told, moment=moment_at(THURSDAY)),
        in_a_file,
        settling(run, sha256),
    )
    assert outcomes == [DONE] * 4
    # Whatever came first, one is back and the other is paid, and the money is where it belongs.
    assert [row.state for row in payments(world, run)] == ["RETURNED", "SETTLED"]
    assert balance(world, "bank_cash:main") == 1_000_000 - second.amount_cents


@on_both_databases
def test_a_statement_while_events_are_read_settles_once_and_finds_its_payment(
    world: PaymentWorld,
) -> None:
    run, sha256 = transmitted(world)
    cents = sum(payment.amount_cents for payment in payments(world, run))
    data = statement(TUESDAY, 1_000_000, Line(-cents, "B1", run.reference))

    def importing(session: Session) -> object:
        return import_statement(
            session, SYSTEM, file_name="STMT-1.bai2", data=data, moment=moment_at(TUESDAY)
        )

    outcomes = at_once(world, importing, settling(run, sha256), importing, settling(run, sha256))
    assert outcomes == [DONE] * 4
    world.do(lambda s: match_open_lines(s, SYSTEM, moment=moment_at(TUESDAY)))
    assert {row.state for row in payments(world, run)} == {"SETTLED"}
    assert balance(world, "bank_cash:main") == 1_000_000 - cents
    assert count(world, BankStatement) == 1
    status = select(BankStatementLine.status, BankStatementLine.matched_ref)
    assert world.do(lambda s: s.execute(status).all()) == [("matched", run.reference)]
