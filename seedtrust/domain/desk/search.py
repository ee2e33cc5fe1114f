"""Searching everything at once: by number, reference, name or alias, one query for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeVarTuple

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import ColumnElement

from seedtrust.core.db import is_text
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Agency, Case, CaseParty
from seedtrust.domain.cases.scope import cases_in_scope
from seedtrust.domain.cases.states import STAGE_LABELS, Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import STATE_LABELS, STATE_TONES, RequestState
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.identity.models import User
from seedtrust.domain.payees.access import visible
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import (
    INSTRUCTION_LABELS,
    INSTRUCTION_TONES,
    MONEY_OUT,
    RUN_LABELS,
    RUN_TONES,
    InstructionState,
    RunState,
)

MOST_HITS: Final = 10
_SHORTEST_REFERENCE: Final = 4
_SHORTEST_NAME: Final = 2
_LONGEST_NUMBER: Final = 9
Columns = TypeVarTuple("Columns")


class Found(StrEnum):
    """The kinds of things that are searched, in the order in which they are shown."""

    CASE = "case"
    REQUEST = "request"
    RUN = "run"
    PAYMENT = "payment"
    PAYEE = "payee"
    DEPOSIT = "deposit"
    PERSON = "person"


@dataclass(frozen=True)
class Hit:
    """One thing that fits; `exact` when its number or its whole reference was typed."""

    reference: str
    title: str
    note: str
    on: date | None = None
    amount_cents: int | None = None
    label: str = ""
    tone: str = "neutral"
    exact: bool = False


@dataclass(frozen=True)
class Group:
    """What fits of one kind; `has_more` when the list holds more than is shown."""

    kind: Found
    hits: tuple[Hit, ...]
    has_more: bool


def search(session: Session, actor: Actor, text: str) -> list[Group]:
    """Return what the actor may see and the text fits, by kind. Seven queries at most.

    Cases by number, name, alias, agency and reference; everything else by reference; payments
    also by trace number, payees and people by name. Kinds without a hit are left out.
    """
    wanted = text.strip()
    if len(wanted) < _SHORTEST_NAME:
        return []
    groups = []
    for kind, permission, find in _SEARCHES:
        if not actor.may(permission):
            continue
        hits = find(session, actor, wanted)
        if hits:
            groups.append(Group(kind, tuple(hits[:MOST_HITS]), len(hits) > MOST_HITS))
    return groups


def only_one(groups: Iterable[Group]) -> tuple[Found, str] | None:
    """Return the one thing whose number or whole reference was typed, or None."""
    exact = [(group.kind, hit.reference) for group in groups for hit in group.hits if hit.exact]
    return exact[0] if len(exact) == 1 else None


def _reference(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a reference begins with the text; too short a text fits none."""
    if len(text) < _SHORTEST_REFERENCE or not (text.isascii() and text.isalnum()):
        return false()
    return column.startswith(text.upper())


def _named(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def _is(reference: str, text: str) -> bool:
    return reference == text.upper()


def _limited(query: Select[*Columns]) -> Select[*Columns]:
    return query.limit(MOST_HITS + 1)


def _cases(session: Session, actor: Actor, text: str) -> list[Hit]:
    number = int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
    on_it = select(CaseParty.case_id).where(
        or_(_named(CaseParty.alias, text), _named(CaseParty.name, text))
    )
    fits = [
        _reference(Case.reference, text),
        _named(Case.name, text),
        _named(Agency.name, text),
        Case.id.in_(on_it),
    ]
    if number is not None:
        fits = [Case.number == number, *fits]
    query = select(Case, Agency.name).outerjoin(Agency, Agency.id == Case.agency_id)
    rows = session.execute(
        _limited(
            cases_in_scope(query.where(or_(*fits)), actor, Permission.CASES_VIEW).order_by(
                Case.id.desc()
            )
        )
    )
    return [
        Hit(
            case.reference,
            f"{case.number} {case.name}",
            agency or "",
            on=case.opened_on,
            label=STAGE_LABELS[Stage(case.stage)],
            exact=case.number == number or _is(case.reference, text),
        )
        for case, agency in rows
    ]


def _requests(session: Session, actor: Actor, text: str) -> list[Hit]:
    row = DisbursementRequest
    query = select(row, Case, Payee.name).select_from(row).join(Case, Case.id == row.case_id)
    query = query.join(Payee, Payee.id == row.payee_id).where(_reference(row.reference, text))
    rows = session.execute(
        _limited(cases_in_scope(query, actor, Permission.REQUESTS_VIEW).order_by(row.id.desc()))
    )
    return [
        Hit(
            request.reference,
            request.description,
            f"{payee} · {case.number} {case.name}",
            on=request.requested_on,
            amount_cents=request.approved_cents or request.amount_cents,
            label=STATE_LABELS[RequestState(request.state)],
            tone=STATE_TONES[RequestState(request.state)],
            exact=_is(request.reference, text),
        )
        for request, case, payee in rows
    ]


def _runs(session: Session, actor: Actor, text: str) -> list[Hit]:
    del actor
    rows = session.execute(
        _limited(
            select(PaymentRun)
            .where(_reference(PaymentRun.reference, text), PaymentRun.direction == MONEY_OUT)
            .order_by(PaymentRun.id.desc())
        )
    ).scalars()
    return [
        Hit(
            run.reference,
            run.reference,
            f"built by {run.builder_name}",
            on=run.effective_on,
            label=RUN_LABELS[RunState(run.state)],
            tone=RUN_TONES[RunState(run.state)],
            exact=_is(run.reference, text),
        )
        for run in rows
    ]


def _payments(session: Session, actor: Actor, text: str) -> list[Hit]:
    row = PaymentInstruction
    query = select(row, Case).join(Case, Case.id == row.case_id)
    query = query.where(or_(_reference(row.reference, text), is_text(row.trace_number, text)))
    rows = session.execute(
        _limited(cases_in_scope(query, actor, Permission.RUNS_VIEW).order_by(row.id.desc()))
    )
    return [
        Hit(
            payment.reference,
            payment.payee_name,
            f"{case.number} {case.name}",
            on=payment.effective_on,
            amount_cents=payment.amount_cents,
            label=INSTRUCTION_LABELS[InstructionState(payment.state)],
            tone=INSTRUCTION_TONES[InstructionState(payment.state)],
            exact=_is(payment.reference, text) or payment.trace_number == text,
        )
        for payment, case in rows
    ]


def _payees(session: Session, actor: Actor, text: str) -> list[Hit]:
    fits = or_(_reference(Payee.reference, text), _named(Payee.name, text))
    rows = session.execute(
        _limited(
            select(Payee)
            .where(visible(actor, Permission.PAYEES_VIEW), fits)
            .order_by(Payee.id.desc())
        )
    ).scalars()
    return [Hit(row.reference, row.name, row.label, exact=_is(row.reference, text)) for row in rows]


def _deposits(session: Session, actor: Actor, text: str) -> list[Hit]:
    del actor
    row = Deposit
    rows = session.execute(
        _limited(
            select(row)
            .where(or_(_reference(row.reference, text), is_text(row.bank_reference, text)))
            .order_by(row.id.desc())
        )
    ).scalars()
    return [
        Hit(
            deposit.reference,
            deposit.sender_name or deposit.reference,
            deposit.text,
            on=deposit.received_on,
            amount_cents=deposit.amount_cents,
            exact=_is(deposit.reference, text) or deposit.bank_reference == text,
        )
        for deposit in rows
    ]


def _people(session: Session, actor: Actor, text: str) -> list[Hit]:
    del actor
    fits = or_(
        _reference(User.reference, text),
        _named(User.display_name, text),
        _named(User.email, text.lower()) if text.isascii() else false(),
    )
    rows = session.execute(
        _limited(select(User).where(fits).order_by(User.display_name, User.id))
    ).scalars()
    return [
        Hit(row.reference, row.display_name, row.email, exact=_is(row.reference, text))
        for row in rows
    ]


_SEARCHES: Final[
    tuple[tuple[Found, Permission, Callable[[Session, Actor, str], list[Hit]]], ...]
] = (
    (Found.CASE, Permission.CASES_VIEW, _cases),
    (Found.REQUEST, Permission.REQUESTS_VIEW, _requests),
    (Found.RUN, Permission.RUNS_VIEW, _runs),
    (Found.PAYMENT, Permission.RUNS_VIEW, _payments),
    (Found.PAYEE, Permission.PAYEES_VIEW, _payees),
    (Found.DEPOSIT, Permission.DEPOSITS_VIEW, _deposits),
    (Found.PERSON, Permission.USERS_VIEW, _people),
)
