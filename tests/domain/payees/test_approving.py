"""From submission to use: two people, a call-back, and three banking days of cooling off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.payees import queries, service
from seedtrust.domain.payees.errors import CheckerCannotApprove, SubmitterCannotApprove
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import AccountState
from tests.factories.payment_world import SYSTEM, PaymentWorld, moment_at

FRIDAY = date(2026, 1, 16)
MLK_WEEK_WEDNESDAY = date(2026, 1, 21)
MLK_WEEK_THURSDAY = date(2026, 1, 22)


def check(world: PaymentWorld, account: PayeeAccount, actor: Actor | None = None) -> PayeeAccount:
    """Check an account."""
    return world.do(
        lambda session: service.check_account(
            session,
            actor or world.checker,
            account_ref=account.reference,
            moment=moment_at(FRIDAY),
        )
    )


def verify(
    world: PaymentWorld,
    account: PayeeAccount,
    actor: Actor | None = None,
    *,
    note: str = "Called back on the number on file.",
) -> PayeeAccount:
    """Verify an account."""
    return world.do(
        lambda session: service.verify_account(
            session,
            actor or world.checker,
            account_ref=account.reference,
            call_back_note=note,
            moment=moment_at(FRIDAY),
        )
    )


def approve(world: PaymentWorld, account: PayeeAccount, actor: Actor | None = None) -> PayeeAccount:
    """Approve an account."""
    return world.do(
        lambda session: service.approve_account(
            session,
            actor or world.approver,
            account_ref=account.reference,
            moment=moment_at(FRIDAY),
        )
    )


def cool(world: PaymentWorld, on: date) -> list[PayeeAccount]:
    """Run the job that ends cooling off."""
    return world.do(lambda session: service.activate_cooled(session, SYSTEM, moment=moment_at(on)))


def changed(world: PaymentWorld, payee: Payee) -> PayeeAccount:
    """Submit another account for a payee that has one."""
    return world.do(lambda session: world.submit(session, payee, on=FRIDAY))


def states(world: PaymentWorld, payee: Payee) -> list[str]:
    """Return the states of a payee's accounts in order."""
    statement = (
        select(PayeeAccount.state)
        .where(PayeeAccount.payee_id == payee.id)
        .order_by(PayeeAccount.id)
    )
    return world.do(lambda session: list(session.execute(statement).scalars()))


def test_a_first_account_is_active_as_soon_as_a_second_person_approves(
    world: PaymentWorld,
) -> None:
    account = changed(world, world.payee(active=False))
    check(world, account)
    verify(world, account)
    approved = approve(world, account)
    assert (approved.state, approved.active_on) == ("ACTIVE", FRIDAY)
    assert approved.active_for_payee_id == approved.payee_id


def test_an_account_that_replaces_another_cools_off_for_three_banking_days(
    world: PaymentWorld,
) -> None:
    payee = world.payee()
    account = changed(world, payee)
    check(world, account)
    verify(world, account)
    approved = approve(world, account)
    # The Monday between is the birthday of Martin Luther King, when banks are closed.
    assert (approved.state, approved.cooling_until_on) == ("COOLING", MLK_WEEK_THURSDAY)
    assert cool(world, MLK_WEEK_WEDNESDAY) == []
    assert states(world, payee) == ["ACTIVE", "COOLING"]
    assert [row.id for row in cool(world, MLK_WEEK_THURSDAY)] == [account.id]
    assert states(world, payee) == ["SUPERSEDED", "ACTIVE"]
    assert cool(world, MLK_WEEK_THURSDAY) == []


def test_an_account_that_replaces_a_blocked_one_cools_off_too(world: PaymentWorld) -> None:
    payee = world.payee()
    [active] = world.do(
        lambda session: list(
            session.execute(select(PayeeAccount).where(PayeeAccount.payee_id == payee.id)).scalars()
        )
    )
    world.do(
        lambda session: service.block_account(
            session,
            SYSTEM,
            account_ref=active.reference,
            reason="R03",
            moment=moment_at(FRIDAY),
        )
    )
    account = changed(world, payee)
    check(world, account)
    verify(world, account)
    assert approve(world, account).state == "COOLING"
    cool(world, MLK_WEEK_THURSDAY)
    assert states(world, payee) == ["SUPERSEDED", "ACTIVE"]


def test_who_submitted_cannot_approve(world: PaymentWorld) -> None:
    payee = world.payee(active=False)
    account = world.do(lambda session: world.submit(session, payee))

    def by_approver(session: Session) -> None:
        session.get_one(PayeeAccount, account.id).submitted_by_user_id = world.approver.user_id

    world.do(by_approver)
    check(world, account)
    verify(world, account)
    with pytest.raises(SubmitterCannotApprove) as refusal:
        approve(world, account)
    assert refusal.value.code == "submitter_cannot_approve"
    assert approve(world, account, world.lead).state == "ACTIVE"


@pytest.mark.parametrize("step", ["checked_by_user_id", "verified_by_user_id"])
def test_who_checked_or_verified_cannot_approve(world: PaymentWorld, step: str) -> None:
    account = changed(world, world.payee(active=False))
    check(world, account)
    verify(world, account)

    def by_approver(session: Session) -> None:
        setattr(session.get_one(PayeeAccount, account.id), step, world.approver.user_id)

    world.do(by_approver)
    with pytest.raises(CheckerCannotApprove) as refusal:
        approve(world, account)
    assert refusal.value.code == "checker_cannot_approve"
    assert approve(world, account, world.lead).state == "ACTIVE"


def test_a_job_cannot_approve_bank_details(world: PaymentWorld) -> None:
    account = changed(world, world.payee(active=False))
    check(world, account)
    verify(world, account)
    with pytest.raises(Forbidden):
        approve(world, account, SYSTEM)
    assert approve(world, account).state == "ACTIVE"


def test_the_builder_of_runs_checks_but_cannot_approve(world: PaymentWorld) -> None:
    account = changed(world, world.payee(active=False))
    assert check(world, account, world.builder).checked_by == world.builder.name
    verify(world, account, world.builder)
    with pytest.raises(Forbidden):
        approve(world, account, world.other_builder)
    assert approve(world, account).state == "ACTIVE"


def test_a_call_back_needs_a_note(world: PaymentWorld) -> None:
    account = changed(world, world.payee(active=False))
    check(world, account)
    with pytest.raises(Invalid) as refusal:
        verify(world, account, note=" ")
    assert "call_back_note" in refusal.value.errors
    assert verify(world, account).state == "VERIFIED"


@pytest.mark.parametrize("act", [verify, approve])
def test_no_step_can_be_left_out(
    world: PaymentWorld, act: Callable[[PaymentWorld, PayeeAccount], PayeeAccount]
) -> None:
    account = changed(world, world.payee(active=False))
    with pytest.raises(WrongState) as refusal:
        act(world, account)
    assert refusal.value.facts["state"] == "SUBMITTED"
    assert check(world, account).state == "CHECKED"
    with pytest.raises(WrongState):
        check(world, account)


def test_an_active_account_cannot_be_rejected_and_a_new_one_not_blocked(
    world: PaymentWorld,
) -> None:
    payee = world.payee()
    account = changed(world, payee)
    with pytest.raises(WrongState):
        world.do(
            lambda session: service.block_account(
                session,
                world.approver,
                account_ref=account.reference,
                reason="Suspicious",
                moment=moment_at(),
            )
        )
    rejected = world.do(
        lambda session: service.reject_account(
            session,
            world.approver,
            account_ref=account.reference,
            reason="The payee says it was not them.",
            moment=moment_at(),
        )
    )
    assert rejected.state == "REJECTED"
    with pytest.raises(WrongState):
        check(world, account)


def test_an_account_that_does_not_exist_is_not_found(world: PaymentWorld) -> None:
    with pytest.raises(NotFound):
        world.do(
            lambda session: service.check_account(
                session, world.checker, account_ref="AAAAAAAAAAAAAAA", moment=moment_at()
            )
        )
    assert states(world, world.payee()) == ["ACTIVE"]


def test_while_a_change_is_open_nothing_is_paid(world: PaymentWorld) -> None:
    payee = world.payee()

    def where(session: Session) -> tuple[bool, bool]:
        found = queries.destinations(session, [payee.id])[payee.id]
        return found.account_id is not None, found.change_open

    assert world.do(where) == (True, False)
    account = changed(world, payee)
    assert world.do(where) == (False, True)
    check(world, account)
    verify(world, account)
    approve(world, account)
    assert world.do(where) == (False, True)
    cool(world, MLK_WEEK_THURSDAY)
    assert world.do(where) == (True, False)


def test_the_work_list_shows_who_may_do_what_next(world: PaymentWorld) -> None:
    account = changed(world, world.payee(active=False))
    check(world, account)
    verify(world, account)

    def listed(session: Session, actor: Actor) -> list[tuple[bool, bool, bool]]:
        rows = queries.waiting_accounts(session, actor)
        return [(row.may_check, row.may_approve, row.may_reject) for row in rows]

    assert world.do(lambda session: listed(session, world.checker)) == [(False, False, True)]
    assert world.do(lambda session: listed(session, world.approver)) == [(False, True, True)]
    assert world.do(lambda session: listed(session, world.escrow)) == [(False, False, False)]


def test_payees_are_listed_by_case_and_by_name(world: PaymentWorld) -> None:
    shared = world.payee(name="Dr. Ng, psychologist", active=False)
    world.payee(name="Percent % sign", active=False)

    def found(session: Session, **filters: object) -> list[str]:
        rows = queries.list_payees(session, world.escrow, **filters)  # type: ignore[arg-type]
        return [row.name for row in rows]

    assert world.do(lambda session: found(session, search="ng, ps")) == [shared.name]
    assert world.do(lambda session: found(session, search="%")) == ["Percent % sign"]
    assert len(world.do(lambda session: found(session, case_id=1))) == 2
    assert world.do(lambda session: found(session, after_id=shared.id)) == ["Percent % sign"]


def test_every_state_has_a_way_to_it_and_words() -> None:
    from seedtrust.domain.payees.states import STATE_LABELS, STATE_TONES, STEPS

    assert set(STEPS) == set(STATE_LABELS) == set(STATE_TONES) == set(AccountState)
    reached = {to for steps in STEPS.values() for to in steps} | {AccountState.SUBMITTED}
    assert reached == set(AccountState)
