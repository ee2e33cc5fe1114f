"""The stage machine as data: which moves each kind of case allows, and what makes them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from seedtrust.domain.cases.states import STAGES_OF, CaseKind, Milestone, Stage

ENDED: Final = frozenset({Stage.CLOSED, Stage.CANCELLED})

# A journey that never began may be called off; afterwards it has to be closed in order.
BEFORE_THE_JOURNEY: Final = (
    Stage.INTAKE,
    Stage.AWAITING_ESCROW_AGREEMENT,
    Stage.PENDING_FUNDING,
    Stage.AWAITING_EXECUTED_AGREEMENT,
)

_BACK_TO_CLOSE_APPROVAL: Final = (
    Stage.FINAL_ACCOUNTING,
    Stage.FINAL_DISBURSEMENT,
    Stage.CLOSED,
)

_SIDE_MOVES: Final[Mapping[CaseKind, tuple[tuple[Stage, Stage], ...]]] = {
    CaseKind.SURROGACY: (
        (Stage.PREGNANT, Stage.AWAITING_HEARTBEAT),
        (Stage.AWAITING_HEARTBEAT, Stage.AWAITING_CLOSE_APPROVAL),
        (Stage.PREGNANT, Stage.AWAITING_CLOSE_APPROVAL),
    ),
    CaseKind.EGG_DONATION: ((Stage.CYCLE_IN_PROGRESS, Stage.AWAITING_CLOSE_APPROVAL),),
}


def _template(kind: CaseKind) -> dict[Stage, frozenset[Stage]]:
    moves: dict[Stage, set[Stage]] = {stage: set() for stage in STAGES_OF[kind]}
    for stage, following in pairwise(STAGES_OF[kind]):
        moves[stage].add(following)
    for stage in BEFORE_THE_JOURNEY:
        moves[stage].add(Stage.CANCELLED)
    for stage in _BACK_TO_CLOSE_APPROVAL:
        moves[stage].add(Stage.AWAITING_CLOSE_APPROVAL)
    for stage, target in _SIDE_MOVES[kind]:
        moves[stage].add(target)
    for stage, targets in moves.items():
        if stage not in ENDED:
            targets.add(Stage.ON_HOLD)
    return {stage: frozenset(targets) for stage, targets in moves.items()}


# Every move that a case may make; from ON_HOLD it only goes back to where it came from.
ALLOWED_MOVES: Final[Mapping[CaseKind, Mapping[Stage, frozenset[Stage]]]] = {
    kind: _template(kind) for kind in CaseKind
}

# Moves that a milestone makes by itself.
MILESTONE_MOVES: Final[Mapping[CaseKind, Mapping[tuple[Stage, Milestone], Stage]]] = {
    CaseKind.SURROGACY: {
        (
            Stage.AWAITING_ESCROW_AGREEMENT,
            Milestone.ESCROW_AGREEMENT_EXECUTED,
        ): Stage.PENDING_FUNDING,
        (
            Stage.PENDING_FUNDING,
            Milestone.INITIAL_FUNDING_RECEIVED,
        ): Stage.AWAITING_EXECUTED_AGREEMENT,
        (
            Stage.AWAITING_EXECUTED_AGREEMENT,
            Milestone.AGREEMENT_EXECUTED,
        ): Stage.AWAITING_HEARTBEAT,
        (Stage.AWAITING_HEARTBEAT, Milestone.HEARTBEAT_CONFIRMED): Stage.PREGNANT,
        (Stage.PREGNANT, Milestone.PREGNANCY_LOST): Stage.AWAITING_HEARTBEAT,
        (Stage.PREGNANT, Milestone.DELIVERED): Stage.POST_DELIVERY,
    },
    CaseKind.EGG_DONATION: {
        (
            Stage.AWAITING_ESCROW_AGREEMENT,
            Milestone.ESCROW_AGREEMENT_EXECUTED,
        ): Stage.PENDING_FUNDING,
        (
            Stage.PENDING_FUNDING,
            Milestone.INITIAL_FUNDING_RECEIVED,
        ): Stage.AWAITING_EXECUTED_AGREEMENT,
        (
            Stage.AWAITING_EXECUTED_AGREEMENT,
            Milestone.AGREEMENT_EXECUTED,
        ): Stage.CYCLE_IN_PROGRESS,
        (Stage.CYCLE_IN_PROGRESS, Milestone.RETRIEVAL_DONE): Stage.POST_RETRIEVAL,
    },
}

# Paper and money may arrive before their stage; they count as soon as the case gets there.
EARLY_MILESTONES: Final = frozenset(
    {
        Milestone.ESCROW_AGREEMENT_EXECUTED,
        Milestone.INITIAL_FUNDING_RECEIVED,
        Milestone.AGREEMENT_EXECUTED,
    }
)

_ALWAYS: Final = frozenset(Stage) - ENDED
_CYCLE: Final = frozenset({Stage.CYCLE_IN_PROGRESS, Stage.POST_RETRIEVAL})
_TRANSFER: Final = frozenset({Stage.AWAITING_HEARTBEAT})
_PREGNANCY: Final = frozenset({Stage.PREGNANT})
_BIRTH: Final = frozenset({Stage.PREGNANT, Stage.POST_DELIVERY})
_BEGUN: Final = frozenset({Stage.AWAITING_HEARTBEAT, Stage.PREGNANT, Stage.CYCLE_IN_PROGRESS})

_OF_EVERY_KIND: Final[Mapping[Milestone, frozenset[Stage]]] = {
    Milestone.MATCH_CONFIRMED: _ALWAYS,
    Milestone.ESCROW_AGREEMENT_EXECUTED: _ALWAYS,
    Milestone.INITIAL_FUNDING_RECEIVED: _ALWAYS,
    Milestone.MEDICAL_CLEARANCE: _ALWAYS,
    Milestone.PSYCH_CLEARANCE: _ALWAYS,
    Milestone.AGREEMENT_EXECUTED: _ALWAYS,
    Milestone.AGREEMENT_TERMINATED: _BEGUN | {Stage.AWAITING_EXECUTED_AGREEMENT},
    Milestone.OBLIGATIONS_ENDED: _BEGUN
    | {Stage.POST_RETRIEVAL, Stage.POST_DELIVERY, Stage.AWAITING_CLOSE_APPROVAL},
}

# In which stages a milestone may be recorded; one that is absent is not part of the journey.
MILESTONE_STAGES: Final[Mapping[CaseKind, Mapping[Milestone, frozenset[Stage]]]] = {
    CaseKind.SURROGACY: {
        **_OF_EVERY_KIND,
        Milestone.MEDICATION_STARTED: _TRANSFER,
        Milestone.CYCLE_CANCELLED: _TRANSFER,
        Milestone.EMBRYO_TRANSFERRED: _TRANSFER,
        Milestone.PREGNANCY_TEST_POSITIVE: _TRANSFER,
        Milestone.PREGNANCY_TEST_NEGATIVE: _TRANSFER,
        Milestone.HEARTBEAT_CONFIRMED: _TRANSFER,
        Milestone.MULTIPLES_CONFIRMED: _PREGNANCY,
        Milestone.WEEKS_12: _PREGNANCY,
        Milestone.WEEKS_14: _PREGNANCY,
        Milestone.WEEKS_16: _PREGNANCY,
        Milestone.WEEKS_20: _PREGNANCY,
        Milestone.PREGNANCY_LOST: _PREGNANCY,
        Milestone.DELIVERED: _PREGNANCY,
        Milestone.PARENTAGE_ORDER: _BIRTH,
        Milestone.BED_REST_STARTED: _BIRTH,
        Milestone.BED_REST_ENDED: _BIRTH,
        Milestone.PROCEDURE_PERFORMED: _TRANSFER | _BIRTH,
    },
    CaseKind.EGG_DONATION: {
        **_OF_EVERY_KIND,
        Milestone.MEDICATION_STARTED: _CYCLE,
        Milestone.CYCLE_CANCELLED: frozenset({Stage.CYCLE_IN_PROGRESS}),
        Milestone.RETRIEVAL_DONE: frozenset({Stage.CYCLE_IN_PROGRESS}),
        Milestone.PROCEDURE_PERFORMED: _CYCLE,
    },
}

REPEATABLE: Final = frozenset(
    {
        Milestone.MEDICATION_STARTED,
        Milestone.CYCLE_CANCELLED,
        Milestone.EMBRYO_TRANSFERRED,
        Milestone.PREGNANCY_TEST_POSITIVE,
        Milestone.PREGNANCY_TEST_NEGATIVE,
        Milestone.HEARTBEAT_CONFIRMED,
        Milestone.MULTIPLES_CONFIRMED,
        Milestone.WEEKS_12,
        Milestone.WEEKS_14,
        Milestone.WEEKS_16,
        Milestone.WEEKS_20,
        Milestone.PREGNANCY_LOST,
        Milestone.BED_REST_STARTED,
        Milestone.BED_REST_ENDED,
        Milestone.PROCEDURE_PERFORMED,
        Milestone.OBLIGATIONS_ENDED,
    }
)

MILESTONE_LABELS: Final[Mapping[Milestone, str]] = {
    Milestone.MATCH_CONFIRMED: "Match confirmed",
    Milestone.ESCROW_AGREEMENT_EXECUTED: "Escrow agreement signed by all",
    Milestone.INITIAL_FUNDING_RECEIVED: "Initial funding received",
    Milestone.MEDICAL_CLEARANCE: "Medical clearance",
    Milestone.PSYCH_CLEARANCE: "Psychological clearance",
    Milestone.AGREEMENT_EXECUTED: "Agreement signed by all",
    Milestone.MEDICATION_STARTED: "Injectable medication started",
    Milestone.CYCLE_CANCELLED: "Cycle cancelled",
    Milestone.EMBRYO_TRANSFERRED: "Embryo transferred",
    Milestone.PREGNANCY_TEST_POSITIVE: "Pregnancy test positive",
    Milestone.PREGNANCY_TEST_NEGATIVE: "Pregnancy test negative",
    Milestone.HEARTBEAT_CONFIRMED: "Heartbeat confirmed",
    Milestone.MULTIPLES_CONFIRMED: "More than one child confirmed",
    Milestone.WEEKS_12: "12 weeks reached",
    Milestone.WEEKS_14: "14 weeks reached",
    Milestone.WEEKS_16: "16 weeks reached",
    Milestone.WEEKS_20: "20 weeks reached",
    Milestone.PARENTAGE_ORDER: "Parentage order issued",
    Milestone.BED_REST_STARTED: "Bed rest started",
    Milestone.BED_REST_ENDED: "Bed rest ended",
    Milestone.PROCEDURE_PERFORMED: "Procedure performed",
    Milestone.PREGNANCY_LOST: "Pregnancy lost",
    Milestone.DELIVERED: "Delivered",
    Milestone.RETRIEVAL_DONE: "Retrieval done",
    Milestone.AGREEMENT_TERMINATED: "Agreement terminated",
    Milestone.OBLIGATIONS_ENDED: "Obligations ended",
}
