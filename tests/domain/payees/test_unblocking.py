"""A blocked account comes back to use by two people, or not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, Invalid, WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.errors import AccountChangeOpen, AskerCannotUnblock
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.unblocking import ask_unblock, confirm_unblock, refuse_unblock
from tests.factories.payment_world import SYSTEM, PaymentWorld, moment_at

WHY = "Called the payee on the number on file; the bank made a mistake."


def blocked(world: PaymentWorld) -> tuple[Payee, str]:
    """Open a payee whose account is blocked; return it and the account's reference."""
    payee = world.payee()

    def work(session: Session) -> str:
        reference = session.execute(select(PayeeAccount.reference)).scalar_one()
        payees.block_account(
            session, world.approver, account_ref=reference, reason="R02", moment=moment_at()
        )
        return reference

    return payee, world.do(work)


def ask(world: PaymentWorld, reference: str, actor: Actor | None = None, why: str = WHY) -> None:
    """Ask to use an account again."""
    world.do(
        lambda s: ask_unblock(
            s, actor or world.checker, account_ref=reference, reason=why, moment=moment_at()
        )
    )


def confirm(world: PaymentWorld, reference: str, actor: Actor | None = None) -> str:
    """Decide that an account is used again; return its state."""
    return world.do(
        lambda s: (
            confirm_unblock(
                s, actor or world.approver, account_ref=reference, moment=moment_at()
            ).state
        )
    )


def test_two_people_put_a_blocked_account_back_to_use(world: PaymentWorld) -> None:
    _, reference = blocked(world)
    with pytest.raises(WrongState):
        confirm(world, reference)
    ask(world, reference)
    with pytest.raises(WrongState):
        ask(world, reference)
    assert confirm(world, reference) == "ACTIVE"
    with pytest.raises(WrongState):
        confirm(world, reference)
    trail = select(AuditEvent.action, AuditEvent.actor_name).order_by(AuditEvent.id)
    assert world.do(lambda s: [tuple(row) for row in s.execute(trail)][-2:]) == [
        ("payee_account.unblock_asked", world.checker.name),
        ("payee_account.activated", world.approver.name),
    ]


def test_who_asked_does_not_decide_and_a_job_does_neither(world: PaymentWorld) -> None:
    _, reference = blocked(world)
    both = Actor(
        world.checker.kind,
        world.checker.user_id,
        world.checker.name,
        world.checker.roles | world.approver.roles,
    )
    ask(world, reference, both)
    with pytest.raises(AskerCannotUnblock) as refusal:
        confirm(world, reference, both)
    assert refusal.value.code == "asker_cannot_unblock"
    for act in (lambda: ask(world, reference, SYSTEM), lambda: confirm(world, reference, SYSTEM)):
        with pytest.raises(Forbidden):
            act()
    assert confirm(world, reference) == "ACTIVE"


def test_a_reason_is_needed_and_a_refusal_lets_somebody_ask_again(world: PaymentWorld) -> None:
    _, reference = blocked(world)
    for why in (" ", "x" * 501):
        with pytest.raises(Invalid):
            ask(world, reference, why=why)
    ask(world, reference)
    account = world.do(
        lambda s: refuse_unblock(
            s,
            world.approver,
            account_ref=reference,
            reason="Nobody answered.",
            moment=moment_at(),
        )
    )
    assert account.state == "BLOCKED"
    ask(world, reference)
    assert confirm(world, reference) == "ACTIVE"


def test_new_bank_details_come_first(world: PaymentWorld) -> None:
    payee, reference = blocked(world)
    ask(world, reference)
    world.do(lambda s: world.submit(s, payee))
    with pytest.raises(AccountChangeOpen):
        confirm(world, reference)


def test_an_account_in_use_has_nothing_to_unblock(world: PaymentWorld) -> None:
    world.payee()
    reference = world.do(lambda s: s.execute(select(PayeeAccount.reference)).scalar_one())
    with pytest.raises(WrongState):
        ask(world, reference)
