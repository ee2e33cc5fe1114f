"""Recording milestones: they move the stage and give schedule items their day."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.core.pregnancy import EMBRYO_AGES_DAYS, USUAL_EMBRYO_AGE_DAYS
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import (
    clean_text,
    one_word_of,
    refuse_field,
    require_active,
    require_open,
)
from seedtrust.domain.cases.errors import CaseOnHold
from seedtrust.domain.cases.models import Agreement, Case, CaseMilestone
from seedtrust.domain.cases.moves import catch_up, move_by_milestone
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.stages import (
    EARLY_MILESTONES,
    MILESTONE_LABELS,
    MILESTONE_STAGES,
    REPEATABLE,
)
from seedtrust.domain.cases.states import (
    STAGE_LABELS,
    AgreementKind,
    AgreementState,
    CaseKind,
    Milestone,
    Stage,
)
from seedtrust.domain.documents.models import Document
from seedtrust.domain.terms.errors import (
    MilestoneAlreadyRecorded,
    MilestoneNotByHand,
    MilestoneOutOfOrder,
    ProofMissing,
)
from seedtrust.domain.terms.schedule import date_items, stop_series

_BY_SIGNING: Final = frozenset({Milestone.ESCROW_AGREEMENT_EXECUTED, Milestone.AGREEMENT_EXECUTED})
_BY_STAFF: Final = frozenset({Milestone.AGREEMENT_TERMINATED, Milestone.OBLIGATIONS_ENDED})
_EARLIEST: Final = date(2000, 1, 1)

# What ends a journey before its last stage, so that its obligations can end there.
_ENDINGS: Final = frozenset(
    {
        Milestone.AGREEMENT_TERMINATED,
        Milestone.CYCLE_CANCELLED,
        Milestone.PREGNANCY_LOST,
        Milestone.PREGNANCY_TEST_NEGATIVE,
    }
)
_LAST_STAGES: Final = frozenset(
    {Stage.POST_DELIVERY, Stage.POST_RETRIEVAL, Stage.AWAITING_CLOSE_APPROVAL}
)
# After a termination the journey takes none of these steps.
_NOT_AFTER_TERMINATION: Final = frozenset(
    {
        Milestone.MEDICATION_STARTED,
        Milestone.EMBRYO_TRANSFERRED,
        Milestone.HEARTBEAT_CONFIRMED,
        Milestone.RETRIEVAL_DONE,
    }
)


def record_milestone(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    code: str,
    occurred_on: date,
    document_id: int | None = None,
    note: str = "",
    embryo_age_days: int | None = None,
    moment: Moment,
) -> CaseMilestone:
    """Record a dated event with its proof, move the stage and date what waited for it.

    Agencies prove it with a document. Signed agreements and money record their own milestones;
    termination and the end of obligations are the company's to record. Raises
    MilestoneNotByHand, MilestoneOutOfOrder, MilestoneAlreadyRecorded, ProofMissing, Invalid,
    CaseClosed, CaseOnHold, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.MILESTONES_RECORD, locked=True)
    require_active(case)
    milestone = one_word_of(Milestone, code, "code")
    _by_hand(actor, milestone)
    if document_id is None and not (actor.is_staff or actor.is_system):
        message = "Attach the letter or report that proves this."
        raise ProofMissing(message, errors={"document": [message]})
    return record_milestone_on(
        session,
        actor,
        case,
        milestone,
        occurred_on=occurred_on,
        document_id=document_id,
        note=note,
        embryo_age_days=embryo_age_days,
        moment=moment,
    )


def _by_hand(actor: Actor, code: Milestone) -> None:
    label = MILESTONE_LABELS[code]
    if code in _BY_SIGNING:
        message = f"“{label}” is recorded when the last party signs. Record the signatures."
    elif code is Milestone.INITIAL_FUNDING_RECEIVED:
        message = f"“{label}” is recorded when the money is collected."
    elif code in _BY_STAFF and not (actor.is_staff or actor.is_system):
        message = f"“{label}” is recorded by SeedTrust. Write to the escrow team."
    else:
        return
    raise MilestoneNotByHand(message, code_of_milestone=code.value)


def record_milestone_on(
    session: Session,
    actor: Actor,
    case: Case,
    code: Milestone,
    *,
    occurred_on: date,
    document_id: int | None = None,
    note: str = "",
    embryo_age_days: int | None = None,
    moment: Moment,
) -> CaseMilestone:
    """Do the same on a case whose lock the caller holds and whose right it has checked.

    A signed agreement or money on a case that is on hold is recorded and counts on resuming. The
    age of the embryo, 3 or 5 days, belongs to a transfer; without it the usual five are taken.
    """
    require_open(case)
    require_past(occurred_on, moment)
    before = _occurrences(session, case)
    _in_order(case, code, before)
    milestone = CaseMilestone(
        id=new_id(),
        case_id=case.id,
        code=code.value,
        occurrence=before.get(code, 0) + 1,
        occurred_on=occurred_on,
        embryo_age_days=_embryo_age(code, embryo_age_days),
        document_id=_proof(session, case, document_id),
        note=clean_text(note, "note", most=500, required=False),
        recorded_by=actor.name,
        recorded_at=moment.at,
    )
    session.add(milestone)
    session.flush()  # catching up reads it
    record(
        session,
        actor,
        "milestones.recorded",
        "milestone",
        code.value,
        case_id=case.id,
        facts={"occurred_on": occurred_on.isoformat(), "occurrence": milestone.occurrence},
        now=moment.at,
    )
    if code is Milestone.AGREEMENT_TERMINATED:
        _terminate_agreements(session, actor, case, moment=moment)
    move_by_milestone(session, actor, case, code, moment=moment)
    catch_up(session, actor, case, moment=moment)
    date_items(session, case, code)
    if code is Milestone.AGREEMENT_TERMINATED:
        stop_series(session, case, occurred_on)
    session.flush()  # what is due is read in the same unit
    return milestone


def _embryo_age(code: Milestone, days: int | None) -> int | None:
    if code is not Milestone.EMBRYO_TRANSFERRED:
        if days is not None:
            raise refuse_field("embryo_age_days", "Only an embryo transfer has an embryo's age.")
        return None
    if days is not None and days not in EMBRYO_AGES_DAYS:
        raise refuse_field("embryo_age_days", "An embryo is transferred on day 3 or day 5.")
    return days or USUAL_EMBRYO_AGE_DAYS


def require_past(occurred_on: date, moment: Moment) -> None:
    """Raise Invalid for a day that has not come or makes no sense."""
    if occurred_on > moment.today:
        raise refuse_field("occurred_on", "A milestone is recorded once it has happened.")
    if occurred_on < _EARLIEST:
        raise refuse_field("occurred_on", "Check the year of this day.")


def _occurrences(session: Session, case: Case) -> dict[Milestone, int]:
    rows = session.execute(
        select(CaseMilestone.code, CaseMilestone.occurrence)
        .where(CaseMilestone.case_id == case.id)
        .order_by(CaseMilestone.occurrence)
    )
    return {Milestone(code): occurrence for code, occurrence in rows}


def _in_order(case: Case, code: Milestone, before: dict[Milestone, int]) -> None:
    label = MILESTONE_LABELS[code]
    if code in before and code not in REPEATABLE:
        raise MilestoneAlreadyRecorded(
            f"“{label}” is recorded already. Correct its day if it is wrong.", milestone=code.value
        )
    stage = Stage(case.stage)
    allowed = MILESTONE_STAGES[CaseKind(case.kind)].get(code)
    if allowed is None:
        raise _out_of_order(f"“{label}” does not happen on this kind of case.", code, stage)
    if stage is Stage.ON_HOLD and code not in EARLY_MILESTONES:
        raise CaseOnHold(f"Case {case.number} is on hold. Resume it first.", stage=stage.value)
    if stage not in allowed:
        message = f"“{label}” cannot happen in the stage “{STAGE_LABELS[stage]}”."
        raise _out_of_order(message, code, stage)
    if code in _NOT_AFTER_TERMINATION and Milestone.AGREEMENT_TERMINATED in before:
        message = f"The agreement is terminated, so “{label}” cannot follow."
        raise _out_of_order(message, code, stage)
    if (
        code is Milestone.OBLIGATIONS_ENDED
        and stage not in _LAST_STAGES
        and not _ENDINGS & before.keys()
    ):
        message = (
            f"Obligations do not end in the stage “{STAGE_LABELS[stage]}”. "
            "Record the termination or what ended the journey first."
        )
        raise _out_of_order(message, code, stage)


def _out_of_order(message: str, code: Milestone, stage: Stage) -> MilestoneOutOfOrder:
    return MilestoneOutOfOrder(
        message, errors={"code": [message]}, milestone=code.value, stage=stage.value
    )


def _proof(session: Session, case: Case, document_id: int | None) -> int | None:
    if document_id is None:
        return None
    document = session.get(Document, document_id)
    if document is None or document.case_id != case.id:
        raise refuse_field("document", "Choose a document of this case.")
    return document_id


def _terminate_agreements(session: Session, actor: Actor, case: Case, *, moment: Moment) -> None:
    rows = lock_where(
        session,
        select(Agreement).where(
            Agreement.case_id == case.id,
            Agreement.kind.in_((AgreementKind.DONOR.value, AgreementKind.SURROGACY.value)),
            Agreement.state == AgreementState.EXECUTED.value,
        ),
    )
    for agreement in rows:
        agreement.state = AgreementState.TERMINATED.value
        record(
            session,
            actor,
            "agreements.terminated",
            "agreement",
            agreement.reference,
            case_id=case.id,
            now=moment.at,
        )
