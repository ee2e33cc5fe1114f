"""Cases as the staff's list shows them: filtered, sorted, with their money and its total."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVarTuple

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from seedtrust.core.db import is_text
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.checks import why_on_hold
from seedtrust.domain.cases.funding_rules import WITHOUT_MINIMUM
from seedtrust.domain.cases.models import Agency, Case, CaseTeamMember
from seedtrust.domain.cases.queries import CaseFilters, cases_in_scope
from seedtrust.domain.cases.scope import missing_case, reach
from seedtrust.domain.cases.states import STAGE_LABELS, CaseKind, Stage
from seedtrust.domain.cases.views import KIND_LABELS, CaseView, view_of
from seedtrust.domain.desk.funding import FundingRow, funding_of_case
from seedtrust.domain.disbursements.forecast import Forecast, forecast_of
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.ledger.queries import Balance
from seedtrust.domain.ledger.totals import AccountsTotal, total_of

SORTS: Final = {
    "number": Case.number,
    "name": Case.name,
    "stage": Case.stage,
    "since": Case.stage_since_on,
    "opened": Case.opened_on,
}
_LONGEST_NUMBER: Final = 9
Columns = TypeVarTuple("Columns")


@dataclass(frozen=True)
class CaseLine:
    """One case of the list with its money, in cents."""

    reference: str
    number: int
    name: str
    kind_label: str
    stage: Stage
    stage_label: str
    since_on: date
    agency: str
    opened_on: date
    balance: Balance
    minimum_cents: int

    @property
    def is_short(self) -> bool:
        """Tell whether less is available than the contract asks to keep while the case goes on."""
        if self.stage in WITHOUT_MINIMUM:
            return False
        return self.balance.available_cents < self.minimum_cents


@dataclass(frozen=True)
class CaseTable:
    """One page of cases and the money of everything that the filters leave."""

    rows: tuple[CaseLine, ...]
    total: AccountsTotal


@dataclass(frozen=True)
class CaseHead:
    """What stands above every tab of a case."""

    id: int
    reference: str
    number: int
    name: str
    kind_label: str
    stage: Stage
    stage_label: str
    hold_reason: str
    agency: str
    rail: str
    anonymous: bool
    ledger_account_id: int
    trust_account_id: int


@dataclass(frozen=True)
class Overview:
    """The first tab of a case: its people and course, its money, and how that will go on."""

    head: CaseHead
    view: CaseView
    balance: Balance
    forecast: Forecast
    funding: tuple[FundingRow, ...]


def case_table(
    session: Session,
    actor: Actor,
    *,
    filters: CaseFilters,
    sort: str = "-number",
    page: int = 1,
    per_page: int = 50,
) -> CaseTable:
    """Return a page of the cases in reach. Three queries, whatever the number of rows."""
    chosen = _narrowed(select(Case, Agency.name), actor, filters)
    key = SORTS.get(sort.removeprefix("-"), Case.number)
    order = key.desc() if sort.startswith("-") else key.asc()
    found = session.execute(
        chosen.order_by(order, Case.id.desc()).limit(per_page).offset((page - 1) * per_page)
    ).all()
    balances = ledger.balances_of(session, [case.ledger_account_id for case, _ in found])
    rows = tuple(_line(case, agency, balances[case.ledger_account_id]) for case, agency in found)
    return CaseTable(
        rows, total_of(session, _narrowed(select(Case.ledger_account_id), actor, filters))
    )


def _line(case: Case, agency: str | None, balance: Balance) -> CaseLine:
    stage = Stage(case.stage)
    return CaseLine(
        case.reference,
        case.number,
        case.name,
        KIND_LABELS[CaseKind(case.kind)],
        stage,
        STAGE_LABELS[stage],
        case.stage_since_on,
        agency or "",
        case.opened_on,
        balance,
        case.minimum_balance_cents,
    )


def _narrowed(query: Select[*Columns], actor: Actor, filters: CaseFilters) -> Select[*Columns]:
    query = cases_in_scope(query, actor, Permission.CASES_VIEW).outerjoin(
        Agency, Agency.id == Case.agency_id
    )
    if filters.stages:
        query = query.where(Case.stage.in_([stage.value for stage in filters.stages]))
    if filters.kind is not None:
        query = query.where(Case.kind == filters.kind.value)
    if filters.agency_ref:
        query = query.where(Agency.reference == filters.agency_ref)
    if filters.assigned_to_me:
        mine = select(CaseTeamMember.case_id).where(CaseTeamMember.user_id == actor.user_id)
        query = query.where(Case.id.in_(mine))
    text = filters.search.strip()
    if text.isdigit() and len(text) <= _LONGEST_NUMBER:
        return query.where(Case.number == int(text))
    if text:
        query = query.where(
            or_(
                is_text(Case.reference, text.upper()),
                Case.name.icontains(text, autoescape=True),
                Agency.name.icontains(text, autoescape=True),
            )
        )
    return query


def agency_names(session: Session) -> list[tuple[str, str]]:
    """Return reference and name of every agency, for a filter. One query."""
    rows = session.execute(select(Agency.reference, Agency.name).order_by(Agency.name))
    return [(reference, name) for reference, name in rows]


def held_case(session: Session, actor: Actor, reference: str) -> tuple[Case, CaseHead]:
    """Return a case in reach with what stands above its tabs. One query. Raises NotFound."""
    found = session.execute(
        select(Case, Agency)
        .outerjoin(Agency, Agency.id == Case.agency_id)
        .where(Case.reference == reference, reach(actor, Permission.CASES_VIEW))
    ).one_or_none()
    if found is None:
        raise missing_case()
    case: Case = found[0]
    agency: Agency | None = found[1]
    stage = Stage(case.stage)
    return case, CaseHead(
        case.id,
        case.reference,
        case.number,
        case.name,
        KIND_LABELS[CaseKind(case.kind)],
        stage,
        STAGE_LABELS[stage],
        why_on_hold(case),
        agency.name if agency is not None else "",
        case.rail,
        case.anonymous,
        case.ledger_account_id,
        case.trust_account_id,
    )


def overview(session: Session, actor: Actor, reference: str, today: date) -> Overview:
    """Return the first tab of a case. Eight queries at most. Raises NotFound."""
    case, head = held_case(session, actor, reference)
    balance = ledger.balance_of(session, case.ledger_account_id)
    return Overview(
        head,
        view_of(session, actor, case),
        balance,
        forecast_of(session, case, today, stands=balance),
        funding_of_case(session, case),
    )
