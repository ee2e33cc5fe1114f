"""Two people who act on one case in the same moment: one after the other, never both at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError
from seedtrust.domain.cases.models import Agreement, Case, CaseMilestone, StageChange
from seedtrust.domain.cases.states import AgreementKind, Milestone, Stage
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.models import FinalAccounting
from seedtrust.domain.signing.models import SignatureProof
from seedtrust.domain.terms import agreements
from seedtrust.domain.terms import service as terms
from seedtrust.domain.terms.models import ScheduleItem
from seedtrust.domain.terms.states import Category, TermKind
from tests.factories import case_world as world_of
from tests.factories import signing_world
from tests.support.databases import on_both_databases

Sessions = sessionmaker[Session]
MOMENT = world_of.moment_on(date(2026, 5, 20))


def _at_once(make: Sessions, acts: list[Callable[[Session], object]]) -> list[str]:
    """Run each act in a thread and a unit of its own; return "done" or the refusal's code."""
    start = threading.Barrier(len(acts))
    outcomes = [""] * len(acts)

    def run(number: int, act: Callable[[Session], object]) -> None:
        start.wait()
        try:
            with make() as session, session.begin():
                act(session)
            outcomes[number] = "done"
        except DomainError as refusal:
            outcomes[number] = refusal.code

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@on_both_databases
def test_the_last_two_parties_certify_at_once_and_the_case_moves_once(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.retrieved(session)
        world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 5, 15))
        closing.start_closing(
            session, world.specialist, case_ref=world.case.reference, moment=MOMENT
        )
    ref = world.case.reference
    outcomes = _at_once(
        session_factory,
        [
            lambda session: closing.certify(session, world.parent, case_ref=ref, moment=MOMENT),
            lambda session: closing.certify(session, world.parent, case_ref=ref, moment=MOMENT),
            lambda session: closing.certify(session, world.carrier, case_ref=ref, moment=MOMENT),
        ],
    )
    assert outcomes == ["already_certified", "done", "done"]
    with session_factory() as session, session.begin():
        assert session.execute(select(Case.stage)).scalar_one() == Stage.FINAL_ACCOUNTING
        moves = session.execute(
            select(StageChange).where(StageChange.to_stage == Stage.FINAL_ACCOUNTING.value)
        ).all()
        assert len(moves) == 1


@on_both_databases
def test_the_last_two_signatures_come_at_once_and_execute_once(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        agreement = agreements.create_agreement(
            session,
            world.specialist,
            case_ref=world.case.reference,
            kind=AgreementKind.ESCROW.value,
            title="Agreement",
            moment=MOMENT,
        )
        agreements.send_agreement(
            session, world.specialist, agreement_ref=agreement.reference, moment=MOMENT
        )

    def sign(key: str) -> Callable[[Session], object]:
        return lambda session: agreements.sign_agreement(
            session,
            getattr(world, key),
            agreement_ref=agreement.reference,
            party_ref=world.parties[key].reference,
            moment=MOMENT,
        )

    assert _at_once(session_factory, [sign("parent"), sign("carrier")]) == ["done", "done"]
    with session_factory() as session, session.begin():
        assert session.execute(select(Agreement.state)).scalar_one() == "EXECUTED"
        assert session.execute(select(CaseMilestone.code)).scalars().all() == [
            "escrow_agreement_executed"
        ]


@on_both_databases
def test_electronic_signatures_given_at_once_are_each_counted_once(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        agreement = signing_world.sent(session, world, files)

    def sign(key: str) -> Callable[[Session], object]:
        return lambda session: signing_world.sign(session, getattr(world, key), agreement)

    outcomes = _at_once(session_factory, [sign("parent"), sign("carrier"), sign("carrier")])
    # The second signature of the carrier comes before the parent's, or when all have signed.
    assert outcomes in (
        ["already_signed", "done", "done"],
        ["agreement_step_refused", "done", "done"],
    )
    with session_factory() as session, session.begin():
        assert session.execute(select(Agreement.state)).scalar_one() == "EXECUTED"
        assert len(session.execute(select(SignatureProof)).all()) == 2
        assert len(session.execute(select(CaseMilestone)).all()) == 1


@on_both_databases
def test_terms_activated_twice_at_once_are_planned_once(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        world_of.propose(
            session,
            world,
            category=Category.DONOR_COMPENSATION,
            kind=TermKind.SCHEDULED,
            payee="carrier",
            amount_cents=100,
            trigger=Milestone.RETRIEVAL_DONE,
        )
    ref = world.case.reference

    def activate(session: Session) -> object:
        return terms.activate_terms(session, world.legal, case_ref=ref, moment=MOMENT)

    assert _at_once(session_factory, [activate, activate]) == ["done", "nothing_to_activate"]
    with session_factory() as session, session.begin():
        assert len(session.execute(select(ScheduleItem)).all()) == 1


@on_both_databases
def test_two_specialists_start_the_closing_at_once_and_one_accounting_is_sent(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.retrieved(session)
        world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 5, 15))
    ref = world.case.reference
    outcomes = _at_once(
        session_factory,
        [
            lambda session: closing.start_closing(
                session, world.specialist, case_ref=ref, moment=MOMENT
            ),
            lambda session: closing.start_closing(
                session, world.second, case_ref=ref, moment=MOMENT
            ),
        ],
    )
    assert outcomes == ["accounting_open", "done"]
    with session_factory() as session, session.begin():
        assert len(session.execute(select(FinalAccounting)).all()) == 1
