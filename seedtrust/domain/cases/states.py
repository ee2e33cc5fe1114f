"""The stages of a case, its kinds, and the other words of a case's life."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class CaseKind(StrEnum):
    """What the journey is."""

    SURROGACY = "surrogacy"
    EGG_DONATION = "egg_donation"


class Stage(StrEnum):
    """Where a case stands, over all kinds."""

    INTAKE = "INTAKE"
    AWAITING_ESCROW_AGREEMENT = "AWAITING_ESCROW_AGREEMENT"
    PENDING_FUNDING = "PENDING_FUNDING"
    AWAITING_EXECUTED_AGREEMENT = "AWAITING_EXECUTED_AGREEMENT"
    AWAITING_HEARTBEAT = "AWAITING_HEARTBEAT"
    PREGNANT = "PREGNANT"
    POST_DELIVERY = "POST_DELIVERY"
    CYCLE_IN_PROGRESS = "CYCLE_IN_PROGRESS"
    POST_RETRIEVAL = "POST_RETRIEVAL"
    AWAITING_CLOSE_APPROVAL = "AWAITING_CLOSE_APPROVAL"
    FINAL_ACCOUNTING = "FINAL_ACCOUNTING"
    FINAL_DISBURSEMENT = "FINAL_DISBURSEMENT"
    CLOSED = "CLOSED"
    ON_HOLD = "ON_HOLD"
    CANCELLED = "CANCELLED"


class Milestone(StrEnum):
    """A dated event with proof; the codes that terms and stages hang on."""

    MATCH_CONFIRMED = "match_confirmed"
    ESCROW_AGREEMENT_EXECUTED = "escrow_agreement_executed"
    INITIAL_FUNDING_RECEIVED = "initial_funding_received"
    MEDICAL_CLEARANCE = "medical_clearance"
    PSYCH_CLEARANCE = "psych_clearance"
    AGREEMENT_EXECUTED = "agreement_executed"
    MEDICATION_STARTED = "medication_started"
    CYCLE_CANCELLED = "cycle_cancelled"
    EMBRYO_TRANSFERRED = "embryo_transferred"
    PREGNANCY_TEST_POSITIVE = "pregnancy_test_positive"
    PREGNANCY_TEST_NEGATIVE = "pregnancy_test_negative"
    HEARTBEAT_CONFIRMED = "heartbeat_confirmed"
    MULTIPLES_CONFIRMED = "multiples_confirmed"
    WEEKS_12 = "weeks_12"
    WEEKS_14 = "weeks_14"
    WEEKS_16 = "weeks_16"
    WEEKS_20 = "weeks_20"
    PARENTAGE_ORDER = "parentage_order"
    BED_REST_STARTED = "bed_rest_started"
    BED_REST_ENDED = "bed_rest_ended"
    PROCEDURE_PERFORMED = "procedure_performed"
    PREGNANCY_LOST = "pregnancy_lost"
    DELIVERED = "delivered"
    RETRIEVAL_DONE = "retrieval_done"
    AGREEMENT_TERMINATED = "agreement_terminated"
    OBLIGATIONS_ENDED = "obligations_ended"


class Side(StrEnum):
    """Which side of the contract a party stands on; donor cases hide one from the other."""

    RECIPIENT = "recipient"
    CARRIER = "carrier"
    AGENCY = "agency"


class AgreementKind(StrEnum):
    """The contracts that the escrow acts on."""

    ESCROW = "escrow"
    DONOR = "donor"
    SURROGACY = "surrogacy"
    AGENCY = "agency"


class AgreementState(StrEnum):
    """The life of an agreement version."""

    DRAFT = "DRAFT"
    SENT = "SENT"
    PART_SIGNED = "PART_SIGNED"
    EXECUTED = "EXECUTED"
    AMENDED = "AMENDED"
    TERMINATED = "TERMINATED"
    WITHDRAWN = "WITHDRAWN"


AGREEMENT_STEPS: Final = {
    AgreementState.DRAFT: {AgreementState.SENT, AgreementState.WITHDRAWN},
    AgreementState.SENT: {
        AgreementState.PART_SIGNED,
        AgreementState.EXECUTED,
        AgreementState.WITHDRAWN,
    },
    AgreementState.PART_SIGNED: {AgreementState.EXECUTED, AgreementState.WITHDRAWN},
    AgreementState.EXECUTED: {AgreementState.AMENDED, AgreementState.TERMINATED},
    AgreementState.AMENDED: set(),
    AgreementState.TERMINATED: set(),
    AgreementState.WITHDRAWN: set(),
}

STAGES_OF: Final = {
    CaseKind.SURROGACY: (
        Stage.INTAKE,
        Stage.AWAITING_ESCROW_AGREEMENT,
        Stage.PENDING_FUNDING,
        Stage.AWAITING_EXECUTED_AGREEMENT,
        Stage.AWAITING_HEARTBEAT,
        Stage.PREGNANT,
        Stage.POST_DELIVERY,
        Stage.AWAITING_CLOSE_APPROVAL,
        Stage.FINAL_ACCOUNTING,
        Stage.FINAL_DISBURSEMENT,
        Stage.CLOSED,
    ),
    CaseKind.EGG_DONATION: (
        Stage.INTAKE,
        Stage.AWAITING_ESCROW_AGREEMENT,
        Stage.PENDING_FUNDING,
        Stage.AWAITING_EXECUTED_AGREEMENT,
        Stage.CYCLE_IN_PROGRESS,
        Stage.POST_RETRIEVAL,
        Stage.AWAITING_CLOSE_APPROVAL,
        Stage.FINAL_ACCOUNTING,
        Stage.FINAL_DISBURSEMENT,
        Stage.CLOSED,
    ),
}

STAGE_LABELS: Final = {
    Stage.INTAKE: "Intake",
    Stage.AWAITING_ESCROW_AGREEMENT: "Awaiting escrow agreement",
    Stage.PENDING_FUNDING: "Pending funding",
    Stage.AWAITING_EXECUTED_AGREEMENT: "Awaiting executed agreement",
    Stage.AWAITING_HEARTBEAT: "Awaiting heartbeat",
    Stage.PREGNANT: "Pregnant",
    Stage.POST_DELIVERY: "Post delivery",
    Stage.CYCLE_IN_PROGRESS: "Cycle in progress",
    Stage.POST_RETRIEVAL: "Post retrieval",
    Stage.AWAITING_CLOSE_APPROVAL: "Awaiting close approval",
    Stage.FINAL_ACCOUNTING: "Final accounting",
    Stage.FINAL_DISBURSEMENT: "Final disbursement",
    Stage.CLOSED: "Closed",
    Stage.ON_HOLD: "On hold",
    Stage.CANCELLED: "Cancelled",
}

SHORTAGE: Final = "shortage"
# What freezes a case by itself, by the key that lifts it again.
FREEZE_REASONS: Final = {SHORTAGE: "A bounced deposit had already been spent."}
