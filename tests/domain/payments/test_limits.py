"""The limit of first payments to changed accounts: two people change it, once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from seedtrust.core.errors import Forbidden, Invalid, InvalidAmount, NotFound, WrongState
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.payments import limits
from seedtrust.domain.payments.errors import LimitChangeOpen, LimitProposerCannotDecide
from seedtrust.domain.payments.models import LimitChange
from seedtrust.domain.payments.service import limit_first_payments
from tests.concurrency.test_runs import DONE, Act, at_once
from tests.factories.payment_world import SYSTEM, PaymentWorld, moment_at
from tests.support.databases import on_both_databases

AT = moment_at()


def propose(world: PaymentWorld, cents: int | None = 2_000_000, reason: str = "Lump sum") -> Act:
    """Return the act of proposing a limit as the payments lead."""
    reference = world.account().reference
    return lambda s: limits.propose_limit(
        s, world.lead, trust_account_ref=reference, limit_cents=cents, reason=reason, moment=AT
    )


def proposed(world: PaymentWorld, cents: int | None = 2_000_000) -> LimitChange:
    """Propose a limit and return the change."""
    world.do(propose(world, cents))
    query = select(LimitChange).order_by(LimitChange.id.desc()).limit(1)
    return world.do(lambda s: s.execute(query).scalar_one())


def decide(world: PaymentWorld, row: LimitChange, *, approve: bool = True) -> Act:
    """Return the act of deciding as the controller."""
    return lambda s: limits.decide_limit(
        s, world.controller, change_ref=row.reference, approve=approve, moment=AT
    )


@on_both_databases
def test_two_people_change_the_limit_and_the_trail_keeps_why(world: PaymentWorld) -> None:
    before = world.account().first_payment_limit_cents
    row = proposed(world)
    assert world.account().first_payment_limit_cents == before
    assert [item.kind for item in world.do(open_exceptions)] == ["limit.change"]
    world.do(decide(world, row))
    assert world.account().first_payment_limit_cents == 2_000_000
    assert world.do(open_exceptions) == []
    with pytest.raises(WrongState, match="decided this already"):
        world.do(decide(world, row))
    query = select(AuditEvent.action, AuditEvent.actor_name, AuditEvent.reason).where(
        AuditEvent.action.like("limit_change.%")
    )
    assert [tuple(one) for one in world.do(lambda s: s.execute(query).all())] == [
        ("limit_change.proposed", world.lead.name, "Lump sum"),
        ("limit_change.approved", world.controller.name, ""),
    ]


@on_both_databases
def test_a_limit_that_is_turned_down_stays_and_may_be_proposed_anew(world: PaymentWorld) -> None:
    before = world.account().first_payment_limit_cents
    row = proposed(world, None)
    with pytest.raises(LimitChangeOpen):
        world.do(propose(world, 1))
    world.do(decide(world, row, approve=False))
    assert world.account().first_payment_limit_cents == before
    world.do(decide(world, proposed(world, None)))
    assert world.account().first_payment_limit_cents is None


def test_nobody_changes_it_alone(world: PaymentWorld) -> None:
    row = proposed(world)
    with pytest.raises(Forbidden):
        world.do(
            lambda s: limits.decide_limit(
                s, world.lead, change_ref=row.reference, approve=True, moment=AT
            )
        )
    with pytest.raises(LimitProposerCannotDecide):
        world.do(
            lambda s: limits.decide_limit(
                s, SYSTEM, change_ref=row.reference, approve=True, moment=AT
            )
        )
    with pytest.raises(NotFound):
        world.do(
            lambda s: limits.decide_limit(
                s, world.controller, change_ref="NOSUCH", approve=True, moment=AT
            )
        )
    with pytest.raises(Forbidden, match="Limits"):
        world.do(
            lambda s: limit_first_payments(s, world.lead, code="main", limit_cents=1, moment=AT)
        )
    assert world.account().first_payment_limit_cents == 750_000


@pytest.mark.parametrize(
    "cents, reason, refusal",
    [(750_000, "x", WrongState), (0, "x", InvalidAmount), (1, " ", Invalid)],
    ids=["the same", "nothing", "no reason"],
)
def test_a_proposal_says_another_amount_and_why(
    world: PaymentWorld, cents: int, reason: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        world.do(propose(world, cents, reason))
    assert world.do(open_exceptions) == []


def test_a_limit_that_the_shell_has_changed_meanwhile_is_not_overwritten(
    world: PaymentWorld,
) -> None:
    row = proposed(world)
    world.do(lambda s: limit_first_payments(s, SYSTEM, code="main", limit_cents=1, moment=AT))
    with pytest.raises(WrongState, match="changed since"):
        world.do(decide(world, row))
    assert world.account().first_payment_limit_cents == 1


@on_both_databases
def test_two_who_decide_at_once_decide_once(world: PaymentWorld) -> None:
    row = proposed(world)
    outcomes = at_once(world, decide(world, row), decide(world, row, approve=False))
    assert sorted(outcomes) == sorted([DONE, "wrong_state"])
    approved = outcomes[0] == DONE
    assert world.account().first_payment_limit_cents == (2_000_000 if approved else 750_000)


@on_both_databases
def test_two_who_propose_at_once_leave_one_proposal(world: PaymentWorld) -> None:
    outcomes = at_once(world, propose(world), propose(world, 3_000_000))
    assert sorted(outcomes) == sorted([DONE, "limit_change_open"])
