"""Two people at once: only outcomes that some order of theirs allows."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.db import is_retryable
from seedtrust.core.errors import DomainError
from seedtrust.domain.disbursements import review, service
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.ledger import queries as ledger
from tests.domain.disbursements.test_requests import NOW, Desk
from tests.support.databases import on_both_databases

Make = sessionmaker[Session]
Act = Callable[[Session], object]


def at_once(make: Make, *acts: Act) -> list[str]:
    """Run acts in threads that start together; return "done" or the code of each refusal."""
    barrier, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(place: int, act: Act) -> None:
        barrier.wait()
        for _ in range(10):
            try:
                with make() as session, session.begin():
                    act(session)
            except DomainError as refusal:
                outcomes[place] = refusal.code
                return
            except DBAPIError as error:
                if not is_retryable(error):
                    raise
                continue
            outcomes[place] = "done"
            return

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.fixture
def desk(session_factory: Make) -> Desk:
    """Build the case."""
    return Desk(session_factory)


def _reserved(desk: Desk) -> int:
    account = desk.world.case.ledger_account_id
    return desk.do(lambda s: ledger.balance_of(s, account)).reserved_cents


@on_both_databases
def test_approve_and_deny_at_once_leave_one_of_them(desk: Desk) -> None:
    request, parent = desk.legal(), desk.world.parent
    outcomes = at_once(
        desk.make,
        lambda s: review.approve(s, parent, request_ref=request.reference, moment=NOW),
        lambda s: review.deny(
            s, parent, request_ref=request.reference, reason="Too much", moment=NOW
        ),
    )
    state = desk.state(request)
    assert max(outcomes) != ""
    assert outcomes.count("done") == 1
    won = RequestState.READY if outcomes[0] == "done" else RequestState.DENIED
    assert state == won
    assert _reserved(desk) == (85_000 if won is RequestState.READY else 0)


@on_both_databases
def test_approve_and_withdraw_at_once_never_keep_money_for_a_withdrawn_request(
    desk: Desk,
) -> None:
    request, world = desk.legal(), desk.world
    outcomes = at_once(
        desk.make,
        lambda s: review.approve(s, world.parent, request_ref=request.reference, moment=NOW),
        lambda s: service.withdraw(s, world.attorney, request_ref=request.reference, moment=NOW),
    )
    # Withdrawing works before and after the approval; approving only before it.
    assert outcomes[1] == "done"
    assert outcomes[0] in {"done", "wrong_state"}
    assert desk.state(request) == RequestState.CANCELLED
    assert _reserved(desk) == 0


@on_both_databases
def test_the_same_yes_twice_at_once_counts_once(desk: Desk) -> None:
    request, parent = desk.legal(), desk.world.parent

    def yes(session: Session) -> object:
        return review.approve(session, parent, request_ref=request.reference, moment=NOW)

    outcomes = at_once(desk.make, yes, yes)
    assert sorted(outcomes) == ["already_decided", "done"]
    assert _reserved(desk) == 85_000
