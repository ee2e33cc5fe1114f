"""What the contracts say about funding: the minimum balance by stage, and what is due when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id
from seedtrust.core.money import check_amount_cents
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import refuse_field, require_open
from seedtrust.domain.cases.models import Case, CaseFundingRule
from seedtrust.domain.cases.scope import case_for
from seedtrust.domain.cases.stages import MILESTONE_STAGES
from seedtrust.domain.cases.states import STAGES_OF, CaseKind, Milestone, Stage

# From the final accounting on, the case is only paid out: no minimum holds any more.
WITHOUT_MINIMUM: Final = frozenset(
    {Stage.FINAL_ACCOUNTING, Stage.FINAL_DISBURSEMENT, Stage.CLOSED, Stage.CANCELLED}
)
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


class FundingRule(StrEnum):
    """What a rule is about; its key is a stage, a milestone, or nothing."""

    MINIMUM = "minimum"
    MILESTONE = "milestone"
    TOP_UP = "top_up"


@dataclass(frozen=True)
class FundingPolicy:
    """The rules of a case, in cents.

    `minimum_from` gives the minimum balance from a stage on, until the next stage that is named.
    `due_at` gives what the parents send when a milestone is reached. `top_up_cents` is the agreed
    amount of a request for funds when the minimum is in danger; None leaves it to a person.
    """

    minimum_from: Mapping[str, int] = field(default_factory=lambda: _NONE)
    due_at: Mapping[str, int] = field(default_factory=lambda: _NONE)
    top_up_cents: int | None = None


def due_milestones(kind: CaseKind) -> list[Milestone]:
    """Return the milestones of a kind of case at which money can be due."""
    received = Milestone.INITIAL_FUNDING_RECEIVED
    return [code for code in MILESTONE_STAGES[kind] if code is not received]


def policy_of(session: Session, case_id: int) -> FundingPolicy:
    """Return the rules of a case. One query."""
    rows = session.execute(
        select(CaseFundingRule).where(
            CaseFundingRule.case_id == case_id, CaseFundingRule.ended_on.is_(None)
        )
    ).scalars()
    minimum: dict[str, int] = {}
    due: dict[str, int] = {}
    top_up: int | None = None
    for row in rows:
        if row.rule == FundingRule.MINIMUM:
            minimum[row.key] = row.amount_cents
        elif row.rule == FundingRule.MILESTONE:
            due[row.key] = row.amount_cents
        else:
            top_up = row.amount_cents
    return FundingPolicy(minimum, due, top_up)


def set_policy(
    session: Session, actor: Actor, *, case_ref: str, policy: FundingPolicy, moment: Moment
) -> Case:
    """Replace the rules of a case; the minimum of the stage where it stands counts at once.

    Raises Invalid for a stage or milestone that the case's kind does not have, InvalidAmount,
    CaseClosed, Forbidden.
    """
    case = case_for(session, actor, case_ref, Permission.TERMS_EDIT, locked=True)
    require_open(case)
    wanted = _checked(CaseKind(case.kind), policy)
    known = {
        (row.rule, row.key): row
        for row in session.execute(
            select(CaseFundingRule).where(CaseFundingRule.case_id == case.id)
        ).scalars()
    }
    if _goes_by_stage(known.values()) and not policy.minimum_from:
        case.minimum_balance_cents = 0  # what went by stage is gone, and nothing came instead
    for (rule, key), cents in wanted.items():
        row = known.pop((rule, key), None)
        if row is None:
            row = CaseFundingRule(id=new_id(), case_id=case.id, rule=rule, key=key, amount_cents=0)
            session.add(row)
        row.amount_cents, row.ended_on = cents, None
    for row in known.values():
        row.ended_on = row.ended_on or moment.today
    session.flush()  # the minimum is read from the rows
    apply_minimum(session, case)
    record(
        session,
        actor,
        "cases.funding_rules_set",
        "case",
        case.reference,
        case_id=case.id,
        facts={f"{rule}:{key}".rstrip(":"): cents for (rule, key), cents in wanted.items()},
        now=moment.at,
    )
    return case


def apply_minimum(session: Session, case: Case) -> None:
    """Write the minimum of the stage where a case stands onto the case, if it goes by stage.

    The caller holds the case's lock. A case on hold keeps the minimum that it had.
    """
    stage = Stage(case.stage)
    if stage is Stage.ON_HOLD:
        return
    steps = policy_of(session, case.id).minimum_from
    if not steps:
        return
    order = STAGES_OF[CaseKind(case.kind)]
    if stage in WITHOUT_MINIMUM:
        case.minimum_balance_cents = 0
        return
    passed = order[: order.index(stage) + 1]
    amounts = [steps[one.value] for one in passed if one.value in steps]
    case.minimum_balance_cents = amounts[-1] if amounts else 0


def _goes_by_stage(rows: Iterable[CaseFundingRule]) -> bool:
    return any(row.rule == FundingRule.MINIMUM and row.ended_on is None for row in rows)


def _checked(kind: CaseKind, policy: FundingPolicy) -> dict[tuple[str, str], int]:
    stages = {stage.value for stage in STAGES_OF[kind]}
    milestones = {milestone.value for milestone in due_milestones(kind)}
    wanted: dict[tuple[str, str], int] = {}
    for key, cents in policy.minimum_from.items():
        if key not in stages:
            choices = ", ".join(stage.value for stage in STAGES_OF[kind])
            raise refuse_field("minimum_from", f"“{key}” is no stage of this case: {choices}.")
        amount = 0 if cents == 0 else check_amount_cents(cents, "minimum_from")
        wanted[FundingRule.MINIMUM.value, key] = amount
    for key, cents in policy.due_at.items():
        if key not in milestones:
            message = f"“{key}” is no milestone of this case at which money can be due."
            raise refuse_field("due_at", message)
        wanted[FundingRule.MILESTONE.value, key] = check_amount_cents(cents, "due_at")
    if policy.top_up_cents is not None:
        amount = check_amount_cents(policy.top_up_cents, "top_up_cents")
        wanted[FundingRule.TOP_UP.value, ""] = amount
    return wanted
