"""How a journey ends: termination, obligations, final accounting, certification, refund."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.moves import cancel_case
from seedtrust.domain.cases.states import Milestone, Stage
from seedtrust.domain.closing import service as closing
from seedtrust.domain.terms import milestones
from seedtrust.ext import in_transaction
from seedtrust.journeys.scenes import Scene, find_case, has_milestone


def terminate(scene: Scene, moment: Moment) -> None:
    """Record that the agreement was terminated."""

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        if not has_milestone(session, case, Milestone.AGREEMENT_TERMINATED):
            milestones.record_milestone(
                session,
                scene.cast.next_of(session, Role.ESCROW_SPECIALIST),
                case_ref=case.reference,
                code=Milestone.AGREEMENT_TERMINATED,
                occurred_on=moment.today,
                note="Agreement terminated",
                moment=moment,
            )

    in_transaction(work)


def call_off(scene: Scene, moment: Moment) -> None:
    """Call off a journey that has not begun and holds no money."""

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        if case.stage != Stage.CANCELLED:
            cancel_case(
                session,
                scene.cast.next_of(session, Role.ESCROW_SPECIALIST),
                case_ref=case.reference,
                reason="The parents have decided against it",
                moment=moment,
            )

    in_transaction(work)


def end_obligations(scene: Scene, moment: Moment) -> None:
    """Record that nothing more falls due."""

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        if not has_milestone(session, case, Milestone.OBLIGATIONS_ENDED):
            milestones.record_milestone(
                session,
                scene.cast.next_of(session, Role.ESCROW_SPECIALIST),
                case_ref=case.reference,
                code=Milestone.OBLIGATIONS_ENDED,
                occurred_on=moment.today,
                note="Nothing more falls due",
                moment=moment,
            )

    in_transaction(work)


def send_accounting(scene: Scene, moment: Moment) -> None:
    """Draw up the final accounting and send it to all parties."""

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        if case.stage not in _LATE:
            escrow = scene.cast.staff(session, "escrow1")
            closing.start_closing(session, escrow, case_ref=case.reference, moment=moment)

    in_transaction(work)


_LATE = frozenset(
    {
        Stage.AWAITING_CLOSE_APPROVAL,
        Stage.FINAL_ACCOUNTING,
        Stage.FINAL_DISBURSEMENT,
        Stage.CLOSED,
    }
)


def certify(scene: Scene, moment: Moment) -> None:
    """Let every party that must, certify that nothing more is due."""

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        if case.stage != Stage.AWAITING_CLOSE_APPROVAL:
            return
        for spec in scene.journey.parties:
            if spec.certifies:
                actor = scene.cast.party(session, spec.email)
                closing.certify(session, actor, case_ref=case.reference, moment=moment)

    in_transaction(work)


def approve_accounting(scene: Scene, moment: Moment) -> None:
    """Let a second reviewer approve the accounting, which opens the refund."""

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        if case.stage == Stage.FINAL_ACCOUNTING:
            controller = scene.cast.staff(session, "controller1")
            closing.approve_accounting(session, controller, case_ref=case.reference, moment=moment)

    in_transaction(work)
