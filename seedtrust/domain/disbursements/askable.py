"""Whom the actor may ask payments for, in the words that the actor may read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.cases.anonymity import Veil, party_label
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.people import viewpoint
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.states import Side
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payees.states import AccountState

_CLIENTS = frozenset({Side.RECIPIENT, Side.CARRIER})


@dataclass(frozen=True)
class AskablePayee:
    """One payee that a request may name.

    `account` is the masked number, told to the payee itself and to the company only.
    """

    reference: str
    name: str
    kind: str
    is_me: bool
    has_account: bool
    account: str


def askable_payees(session: Session, actor: Actor, case_ref: str) -> list[AskablePayee]:
    """Return whom a request of the actor may name: parents and carriers only themselves.

    Six queries at most. Raises Forbidden without requests.create, NotFound out of reach.
    """
    case = case_for(session, actor, case_ref, Permission.REQUESTS_CREATE)
    seen = viewpoint(session, actor, case)
    side, parties = seen.side, {party.id: party for party in seen.parties}
    own = {party.id for party in parties.values() if _is_me(actor, party)}
    asks_for_itself = side in _CLIENTS and Role.ATTORNEY not in actor.roles
    payees = _payees(session, case, own if asks_for_itself else set(parties))
    if asks_for_itself:
        payees = [payee for payee in payees if payee.party_id in own]
    numbers = _active_numbers(session, [payee.id for payee in payees])
    veil = Veil(case, seen.parties, side)
    hides_firms = case.anonymous and side in _CLIENTS
    found = []
    for payee in payees:
        party = parties.get(payee.party_id or 0)
        if party is not None:
            name = party_label(case, party, side)
        else:
            name = (payee.label or veil.text(payee.name)) if hides_firms else payee.name
        is_me = payee.party_id in own or _is_my_agency(actor, payee)
        last_four = numbers.get(payee.id)
        told = last_four is not None and (is_me or side is None)
        found.append(
            AskablePayee(
                payee.reference,
                name,
                payee.kind,
                is_me,
                last_four is not None,
                masked(last_four) if told and last_four else "",
            )
        )
    return found


def _is_me(actor: Actor, party: CaseParty) -> bool:
    return actor.user_id is not None and party.user_id == actor.user_id


def _is_my_agency(actor: Actor, payee: Payee) -> bool:
    return payee.agency_id is not None and payee.agency_id == actor.agency_id


def _payees(session: Session, case: Case, party_ids: set[int]) -> list[Payee]:
    on_case = or_(Payee.case_id == case.id, Payee.party_id.in_(party_ids))
    if case.agency_id is not None:
        on_case = or_(on_case, Payee.agency_id == case.agency_id)
    return list(session.execute(select(Payee).where(on_case).order_by(Payee.id)).scalars())


def _active_numbers(session: Session, payee_ids: list[int]) -> dict[int, str]:
    rows = session.execute(
        select(PayeeAccount.payee_id, PayeeAccount.last_four).where(
            PayeeAccount.payee_id.in_(payee_ids),
            PayeeAccount.state == AccountState.ACTIVE.value,
        )
    )
    return {payee_id: last_four for payee_id, last_four in rows}  # noqa: C416 - typed rows
