"""Two people and the bank at once: one number each, one outcome of a race, one e-check."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.checks import service
from seedtrust.domain.echecks import pulling
from tests.concurrency.test_requests import at_once
from tests.factories import check_world, echeck_world, payment_world
from tests.factories.bank_answers import balance
from tests.factories.check_world import CENTS, CheckWorld
from tests.factories.payment_world import MONDAY, SYSTEM, moment_at
from tests.support.databases import on_both_databases

Make = sessionmaker[Session]


@pytest.fixture
def checks(session_factory: Make) -> CheckWorld:
    """Return a case with money, and people who draw checks on it."""
    return check_world.build(payment_world.build(session_factory))


@on_both_databases
def test_checks_that_are_issued_at_once_have_numbers_of_their_own(checks: CheckWorld) -> None:
    prepared = [checks.prepared(10_000 + n) for n in range(3)]
    leads = (checks.world.lead, checks.world.other_lead, checks.world.controller)
    outcomes = at_once(
        checks.world.sessions,
        *(
            lambda session, who=who, ref=ref: service.issue_check(
                session, who, check_ref=ref, moment=moment_at()
            )
            for who, ref in zip(leads, prepared, strict=True)
        ),
    )
    assert outcomes == ["done"] * 3
    assert sorted(checks.check(ref).number or 0 for ref in prepared) == [1001, 1002, 1003]


@on_both_databases
def test_one_check_issued_twice_at_once_leaves_the_case_once(checks: CheckWorld) -> None:
    reference, world = checks.prepared(), checks.world
    outcomes = at_once(
        world.sessions,
        lambda s: service.issue_check(s, world.lead, check_ref=reference, moment=moment_at()),
        lambda s: service.issue_check(s, world.other_lead, check_ref=reference, moment=moment_at()),
    )
    assert sorted(outcomes) == ["done", "wrong_state"]
    assert balance(world, "checks_outstanding") == CENTS


@on_both_databases
def test_of_a_stop_and_the_banks_line_one_counts(checks: CheckWorld) -> None:
    reference, world = checks.issued(), checks.world
    checks.do(service.ask_to_stop, world.builder, reference, reason="Lost")
    row = checks.check(reference)
    outcomes = at_once(
        world.sessions,
        lambda s: service.confirm_stop(s, world.lead, check_ref=reference, moment=moment_at()),
        lambda s: service.present_check(
            s,
            SYSTEM,
            trust_account_id=row.trust_account_id,
            number=row.number or 0,
            amount_cents=CENTS,
            on=MONDAY,
            moment=moment_at(),
        ),
    )
    cash = balance(world, "bank_cash:main")
    state = checks.check(reference).state
    assert (state, cash) in {("PRESENTED", 960_000), ("STOPPED", 1_000_000)}
    assert outcomes[1] == "done"
    assert outcomes[0] == ("done" if state == "STOPPED" else "wrong_state")
    assert balance(world, "checks_outstanding") == 0


@on_both_databases
def test_two_taps_at_once_draw_one_echeck(session_factory: Make) -> None:
    echecks = echeck_world.build(payment_world.build(session_factory))

    def ask(session: Session) -> object:
        return pulling.ask_for_pull(
            session,
            echecks.parent,
            authorisation_ref=echecks.authorisation_ref,
            funding_request_ref=echecks.request_ref,
            amount_cents=1_000,
            moment=moment_at(),
        )

    outcomes = at_once(session_factory, ask, ask)
    assert sorted(outcomes) == ["done", "echeck_under_way"]
