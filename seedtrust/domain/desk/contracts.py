"""What staff choose from when they write a contract down, and what an act on a case changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Agreement, Case
from seedtrust.domain.cases.people import milestones_of
from seedtrust.domain.cases.queries import cases_in_scope
from seedtrust.domain.cases.scope import case_for
from seedtrust.domain.cases.stages import (
    EARLY_MILESTONES,
    MILESTONE_LABELS,
    MILESTONE_STAGES,
    REPEATABLE,
)
from seedtrust.domain.cases.states import STAGE_LABELS, CaseKind, Milestone, Stage
from seedtrust.domain.documents.models import Document
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.terms.models import ContractTerm
from seedtrust.domain.terms.views import ScheduleLine, schedule_of


@dataclass(frozen=True)
class Chosen:
    """One thing that a form offers: the row behind it, its reference and its words."""

    id: int
    reference: str
    words: str


@dataclass(frozen=True)
class Choices:
    """What the forms of a contract offer on one case."""

    payees: tuple[Chosen, ...]
    documents: tuple[Chosen, ...]
    agreements: tuple[Chosen, ...]


@dataclass(frozen=True)
class ItemChange:
    """One expected payment before and after an act, in cents."""

    title: str
    payee: str
    amount_cents: int
    before_on: date | None
    after_on: date | None
    before_label: str
    after_label: str


@dataclass(frozen=True)
class Consequence:
    """What an act does to a case: its stage, and every expected payment that moves."""

    stage_before: str
    stage_after: str
    items: tuple[ItemChange, ...]

    @property
    def moves_stage(self) -> bool:
        """Tell whether the case goes to another stage."""
        return self.stage_before != self.stage_after


def choices_on(session: Session, case: Case) -> Choices:
    """Return payees, documents and agreements of a case. Three queries."""
    of_agency = Payee.agency_id == case.agency_id if case.agency_id is not None else None
    belongs = [Payee.case_id == case.id, *([] if of_agency is None else [of_agency])]
    payees = session.execute(select(Payee).where(or_(*belongs)).order_by(Payee.name)).scalars()
    documents = session.execute(
        select(Document).where(Document.case_id == case.id).order_by(Document.id.desc())
    ).scalars()
    agreements = session.execute(
        select(Agreement)
        .where(Agreement.case_id == case.id)
        .order_by(Agreement.kind, Agreement.version_number.desc())
    ).scalars()
    return Choices(
        tuple(Chosen(row.id, row.reference, row.name) for row in payees),
        tuple(Chosen(row.id, row.reference, row.title) for row in documents),
        tuple(
            Chosen(row.id, row.reference, f"{row.title}, version {row.version_number}")
            for row in agreements
        ),
    )


def case_of_agreement(session: Session, actor: Actor, reference: str) -> str:
    """Return the case of an agreement in reach. One query. Raises NotFound."""
    query = select(Case.reference).join(Agreement, Agreement.case_id == Case.id)
    found = session.execute(
        cases_in_scope(
            query.where(Agreement.reference == reference), actor, Permission.DOCUMENTS_VIEW
        )
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such agreement, or it is not yours to see.")
    return found


def case_of_term(session: Session, actor: Actor, reference: str) -> tuple[str, str]:
    """Return the case and the title of a term in reach. One query. Raises NotFound."""
    query = select(Case.reference, ContractTerm.title).join(
        ContractTerm, ContractTerm.case_id == Case.id
    )
    found = session.execute(
        cases_in_scope(
            query.where(ContractTerm.reference == reference), actor, Permission.SCHEDULE_VIEW
        )
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such term, or it is not yours to see.")
    return found[0], found[1]


def milestones_of_kind(kind: CaseKind) -> list[tuple[str, str]]:
    """Return the milestones of a kind of case, in their order, as code and words."""
    known = MILESTONE_STAGES[kind]
    return [(code.value, MILESTONE_LABELS[code]) for code in Milestone if code in known]


def milestones_to_record(session: Session, case: Case) -> list[tuple[str, str]]:
    """Return what people may record in the case's stage, as code and words. One query.

    Signatures and money record their own milestones.
    """
    done, stage = milestones_of(session, case.id), Stage(case.stage)
    return [
        (code.value, MILESTONE_LABELS[code])
        for code, stages in MILESTONE_STAGES[CaseKind(case.kind)].items()
        if stage in stages
        and code not in EARLY_MILESTONES
        and (code not in done or code in REPEATABLE)
    ]


def foreseen(
    session: Session, actor: Actor, case_ref: str, act: Callable[[Session], object]
) -> Consequence:
    """Do an act and return what it changed on the case; whoever only asks undoes the unit.

    Eleven queries besides the act's own. Raises what the act raises, and NotFound out of reach.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_VIEW)
    stage_before, before = case.stage, _schedule(session, actor, case)
    act(session)
    session.flush()
    after = _schedule(session, actor, case)
    return Consequence(
        STAGE_LABELS[Stage(stage_before)],
        STAGE_LABELS[Stage(case.stage)],
        tuple(
            _change(before.get(reference), line)
            for reference, line in after.items()
            if _moved(before.get(reference), line)
        ),
    )


def _schedule(session: Session, actor: Actor, case: Case) -> dict[str, ScheduleLine]:
    return {line.reference: line for line in schedule_of(session, actor, case)}


def _moved(before: ScheduleLine | None, after: ScheduleLine) -> bool:
    return before is None or (before.due_on, before.state) != (after.due_on, after.state)


def _change(before: ScheduleLine | None, after: ScheduleLine) -> ItemChange:
    return ItemChange(
        after.title,
        after.payee,
        after.amount_cents,
        None if before is None else before.due_on,
        after.due_on,
        "" if before is None else before.state_label,
        after.state_label,
    )
