"""Signatures execute agreements; milestones come in their order, with proof, from who may tell."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import CaseOnHold
from seedtrust.domain.cases.models import Agreement, CaseMilestone
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone, Stage
from seedtrust.domain.documents.intake import looked_at
from seedtrust.domain.documents.service import store
from seedtrust.domain.terms import agreements, milestones
from seedtrust.domain.terms.errors import (
    AgreementStepRefused,
    AlreadySigned,
    MilestoneAlreadyRecorded,
    MilestoneNotByHand,
    MilestoneOutOfOrder,
    NobodySigns,
    NotYourSignature,
    ProofMissing,
)
from seedtrust.domain.terms.queries import agreements_of
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
TODAY = date(2026, 1, 16)
MOMENT = world_of.moment_on(TODAY)


def _sent(session: Session, world: world_of.World, kind: str = "escrow") -> Agreement:
    agreement = agreements.create_agreement(
        session,
        world.specialist,
        case_ref=world.case.reference,
        kind=kind,
        title="Agreement",
        moment=MOMENT,
    )
    return agreements.send_agreement(
        session, world.specialist, agreement_ref=agreement.reference, moment=MOMENT
    )


def _sign(
    session: Session,
    world: world_of.World,
    agreement: Agreement,
    key: str,
    *,
    actor: Actor | None = None,
    signed_on: date | None = None,
) -> Agreement:
    return agreements.sign_agreement(
        session,
        actor or getattr(world, key),
        agreement_ref=agreement.reference,
        party_ref=world.parties[key].reference,
        signed_on=signed_on,
        moment=MOMENT,
    )


def test_the_last_signature_executes_the_agreement_and_moves_the_case(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        agreement = _sent(session, world)
        _sign(session, world, agreement, "carrier")
        assert agreement.state == "PART_SIGNED"
        assert world.case.stage == Stage.AWAITING_ESCROW_AGREEMENT
        with pytest.raises(AlreadySigned):
            _sign(session, world, agreement, "carrier")
        (view,) = agreements_of(session, world.parent, world.case)
        assert view.may_sign
        _sign(session, world, agreement, "parent")
        assert (agreement.state, agreement.executed_on) == ("EXECUTED", TODAY)
        assert world.case.stage == Stage.PENDING_FUNDING
        with pytest.raises(AgreementStepRefused) as refusal:
            _sign(session, world, agreement, "parent")
        assert "signed by all" in refusal.value.detail


def test_a_party_signs_for_itself_today_and_staff_record_paper(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        agreement = _sent(session, world)
        with pytest.raises(NotYourSignature):
            _sign(session, world, agreement, "carrier", actor=world.parent)
        with pytest.raises(Forbidden):
            _sign(session, world, agreement, "carrier", actor=world.agency_admin)
        with pytest.raises(NotFound):
            _sign(session, world, agreement, "carrier", actor=world_of.build(session).carrier)
        with pytest.raises(Invalid) as refusal:
            _sign(session, world, agreement, "carrier", signed_on=date(2026, 1, 14))
        assert "signed_on" in refusal.value.errors
        staff = world.specialist
        with pytest.raises(Invalid):
            _sign(session, world, agreement, "carrier", actor=staff, signed_on=date(2026, 1, 19))
        _sign(session, world, agreement, "carrier", actor=staff, signed_on=date(2026, 1, 14))
        _sign(session, world, agreement, "parent", actor=staff, signed_on=date(2026, 1, 13))
        assert agreement.executed_on == date(2026, 1, 14)


def test_a_draft_cannot_be_signed_and_a_case_without_signers_cannot_send(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        draft = agreements.create_agreement(
            session,
            world.specialist,
            case_ref=world.case.reference,
            kind="escrow",
            title="Agreement",
            moment=MOMENT,
        )
        assert agreements_of(session, world.parent, world.case) == []
        with pytest.raises(AgreementStepRefused):
            _sign(session, world, draft, "parent")
        for party in world.parties.values():
            party.must_sign = False
        session.flush()
        with pytest.raises(NobodySigns):
            agreements.send_agreement(
                session, world.specialist, agreement_ref=draft.reference, moment=MOMENT
            )


def test_a_later_version_replaces_the_one_in_force_without_a_second_milestone(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for _ in range(2):
            agreement = _sent(session, world)
            _sign(session, world, agreement, "carrier")
            _sign(session, world, agreement, "parent")
        rows = session.execute(
            select(Agreement.version_number, Agreement.state).order_by(Agreement.version_number)
        )
        assert [tuple(row) for row in rows] == [(1, "AMENDED"), (2, "EXECUTED")]
        codes = session.execute(select(CaseMilestone.code)).scalars().all()
        assert list(codes) == ["escrow_agreement_executed"]


def test_a_withdrawn_agreement_is_no_longer_signed(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        agreement = _sent(session, world)

        def withdraw() -> None:
            agreements.withdraw_agreement(
                session,
                world.specialist,
                agreement_ref=agreement.reference,
                reason="Wrong annex",
                moment=MOMENT,
            )

        withdraw()
        with pytest.raises(AgreementStepRefused):
            _sign(session, world, agreement, "parent")
        with pytest.raises(AgreementStepRefused):
            withdraw()


def test_the_agencys_contract_is_neither_shown_to_the_carrier_nor_signed_by_it(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        agreement = _sent(session, world, "agency")
        assert agreements_of(session, world.carrier, world.case) == []
        with pytest.raises(Invalid):
            _sign(session, world, agreement, "carrier", actor=world.specialist)
        _sign(session, world, agreement, "parent")
        assert agreement.state == "EXECUTED"
        assert world.case.stage == Stage.AWAITING_ESCROW_AGREEMENT


def test_each_kind_of_case_has_its_own_contract(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        for kind, wrong in (
            (CaseKind.EGG_DONATION, "surrogacy"),
            (CaseKind.SURROGACY, "donor"),
        ):
            world = world_of.build(session, kind=kind, anonymous=False)
            with pytest.raises(Invalid) as refusal:
                _sent(session, world, wrong)
            assert "kind" in refusal.value.errors


def _tell(
    session: Session,
    world: world_of.World,
    code: str,
    *,
    actor: Actor | None = None,
    on: date = TODAY,
    today: date = TODAY,
    document_id: int | None = None,
) -> CaseMilestone:
    return milestones.record_milestone(
        session,
        actor or world.specialist,
        case_ref=world.case.reference,
        code=code,
        occurred_on=on,
        document_id=document_id,
        moment=world_of.moment_on(today),
    )


@pytest.mark.parametrize(
    "code", ["escrow_agreement_executed", "agreement_executed", "initial_funding_received"]
)
def test_signatures_and_money_are_not_recorded_by_hand(
    session_factory: Sessions, code: str
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(MilestoneNotByHand):
            _tell(session, world, code)
        assert world.case.stage == Stage.AWAITING_ESCROW_AGREEMENT


@pytest.mark.parametrize(
    "code",
    ["medication_started", "retrieval_done", "cycle_cancelled", "obligations_ended"],
)
def test_medical_milestones_are_refused_before_their_stage(
    session_factory: Sessions, code: str
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(MilestoneOutOfOrder) as refusal:
            _tell(session, world, code)
        assert "Awaiting escrow agreement" in refusal.value.detail
        assert session.execute(select(CaseMilestone)).first() is None


def test_a_milestone_of_another_kind_of_case_is_refused(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        with pytest.raises(MilestoneOutOfOrder) as refusal:
            _tell(session, world, "heartbeat_confirmed", today=date(2026, 3, 1))
        assert "this kind of case" in refusal.value.detail


def test_a_day_in_the_future_or_a_mistyped_year_is_refused(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for day in (date(2026, 1, 17), date(206, 1, 1)):
            with pytest.raises(Invalid) as refusal:
                _tell(session, world, "medical_clearance", on=day)
            assert list(refusal.value.errors) == ["occurred_on"]
        with pytest.raises(Invalid):
            _tell(session, world, "full_moon")


def test_what_happens_once_is_recorded_once_and_cycles_count(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        later = date(2026, 3, 20)
        _tell(session, world, "medical_clearance", today=later)
        with pytest.raises(MilestoneAlreadyRecorded):
            _tell(session, world, "medical_clearance", today=later)
        first = _tell(session, world, "medication_started", on=date(2026, 3, 6), today=later)
        again = _tell(session, world, "medication_started", on=date(2026, 3, 19), today=later)
        assert (first.occurrence, again.occurrence) == (1, 2)


def test_an_agency_proves_what_it_reports_and_does_not_end_obligations(
    session_factory: Sessions,
) -> None:
    later = date(2026, 3, 6)
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        with pytest.raises(ProofMissing) as refusal:
            _tell(session, world, "medication_started", actor=world.agency_admin, today=later)
        assert "document" in refusal.value.errors
        letter = store(
            session,
            world.agency_admin,
            case_ref=world.case.reference,
            kind="milestone_proof",
            title="Clinic calendar.txt",
            visibility="agency",
            paper=looked_at(b"Injectables began", "text/plain"),
            moment=world_of.moment_on(later),
        )
        told = _tell(
            session,
            world,
            "medication_started",
            actor=world.agency_admin,
            on=later,
            today=later,
            document_id=letter.id,
        )
        assert (told.document_id, told.recorded_by) == (letter.id, "Petra Lark")
        with pytest.raises(MilestoneNotByHand):
            _tell(
                session,
                world,
                "obligations_ended",
                actor=world.agency_admin,
                today=later,
                document_id=letter.id,
            )
        for actor in (world.parent, world.carrier, world.controller):
            with pytest.raises(Forbidden):
                _tell(session, world, "retrieval_done", actor=actor, today=later)
        other = world_of.build(session)
        with pytest.raises(Invalid):
            _tell(session, other, "medical_clearance", document_id=letter.id)


def test_a_terminated_agreement_stops_the_cycle_and_lets_the_obligations_end(
    session_factory: Sessions,
) -> None:
    later = date(2026, 3, 9)
    with session_factory() as session, session.begin():
        world = world_of.begun(session)
        with pytest.raises(MilestoneOutOfOrder):
            _tell(session, world, "obligations_ended", today=later)
        _tell(session, world, "agreement_terminated", today=later)
        state = session.execute(
            select(Agreement.state).where(Agreement.kind == AgreementKind.DONOR.value)
        ).scalar_one()
        assert state == "TERMINATED"
        with pytest.raises(MilestoneOutOfOrder):
            _tell(session, world, "retrieval_done", today=later)
        _tell(session, world, "obligations_ended", today=later)
        assert world.case.stage == Stage.CYCLE_IN_PROGRESS
        recorded = set(session.execute(select(CaseMilestone.code)).scalars())
        assert Milestone.OBLIGATIONS_ENDED.value in recorded


def test_an_agreement_has_a_document_of_its_case_or_none(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world, other = world_of.build(session), world_of.build(session)
        scan = store(
            session,
            world.specialist,
            case_ref=world.case.reference,
            kind="agreement",
            title="Escrow agreement.txt",
            visibility="staff",
            paper=looked_at(b"We agree", "text/plain"),
            moment=MOMENT,
        )

        def draft(case_ref: str) -> Agreement:
            return agreements.create_agreement(
                session,
                world.specialist,
                case_ref=case_ref,
                kind="escrow",
                title="Agreement",
                document_id=scan.id,
                moment=MOMENT,
            )

        assert draft(world.case.reference).document_id == scan.id
        with pytest.raises(Invalid) as refusal:
            draft(other.case.reference)
        assert "document" in refusal.value.errors


def test_an_unknown_agreement_is_not_found(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(NotFound):
            agreements.send_agreement(
                session, world.specialist, agreement_ref="AAAAAAAAAAAAAAA", moment=MOMENT
            )


def test_only_paper_and_money_are_recorded_while_a_case_is_held(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        cases.put_on_hold(
            session,
            world.legal,
            case_ref=world.case.reference,
            reason="Court order",
            moment=MOMENT,
        )
        with pytest.raises(CaseOnHold):
            milestones.record_milestone_on(
                session,
                Actor.system("tests"),
                world.case,
                Milestone.MEDICAL_CLEARANCE,
                occurred_on=TODAY,
                moment=MOMENT,
            )
