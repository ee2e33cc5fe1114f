"""Which rail carries a case's payments: by rule, or by a decision before money has moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NotRequired, TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import Invalid
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.scope import case_for
from seedtrust.domain.cases.service import add_party
from seedtrust.domain.cases.states import Side
from seedtrust.domain.ledger.queries import case_lines, open_holds
from seedtrust.domain.payments.errors import MoneyHasMoved
from seedtrust.domain.payments.models import RailChoice, TrustAccount
from seedtrust.domain.payments.states import CaseRail

_CALIFORNIA = ("CA", "US")


@dataclass(frozen=True, slots=True)
class RailOfCase:
    """A case's rail, the one that the rule gives, and who decided otherwise why."""

    rail: CaseRail
    by_rule: CaseRail
    chosen_by: str
    reason: str
    may_change: bool


def rail_by_rule(session: Session, case: Case) -> CaseRail:
    """Return the rail of a case whose parents live in California, or of any other.

    California's parents are paid for by the bank's interface, everybody else's by files.
    """
    lives_there = session.execute(
        select(CaseParty.id).where(
            CaseParty.case_id == case.id,
            CaseParty.role == Role.INTENDED_PARENT.value,
            CaseParty.region == _CALIFORNIA[0],
            CaseParty.country == _CALIFORNIA[1],
        )
    ).first()
    return CaseRail.NACHA if lives_there is None else CaseRail.HUNTINGTON


class PartyFacts(TypedDict):
    """What is known of somebody who comes onto a case, as `cases.add_party` takes it."""

    role: Role
    side: Side
    name: str
    email: NotRequired[str]
    alias: NotRequired[str]
    user_id: NotRequired[int | None]
    region: NotRequired[str]
    country: NotRequired[str]
    must_sign: bool
    must_certify: bool


def join_case(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    moment: Moment,
    **facts: Unpack[PartyFacts],
) -> CaseParty:
    """Put a person or firm on a case, which then is paid as the rule of the rails says.

    Every door comes through here, so that no case is left on another rail than its parents'. A
    decision stays, and nothing changes once money has moved. Raises what `cases.add_party` raises.
    """
    party = add_party(session, actor, case_ref=case_ref, moment=moment, **facts)
    if party.role == Role.INTENDED_PARENT:
        follow_rule(session, actor, case_ref=case_ref, moment=moment)
    return party


def follow_rule(session: Session, actor: Actor, *, case_ref: str, moment: Moment) -> Case:
    """Give a case the rail of the rule, unless somebody decided or money has moved.

    Called when a party comes onto a case. Raises NotFound, Forbidden.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_OPEN, locked=True)
    rail = rail_by_rule(session, case)
    account = _account_for(session, rail)
    is_settled = _choice(session, case) is not None or _money_has_moved(session, case)
    if is_settled or account is None or case.rail == rail.value:
        return case
    _move(session, actor, case, rail, account, reason="By rule", moment=moment)
    return case


def choose_rail(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    rail: CaseRail | str,
    reason: str,
    moment: Moment,
) -> Case:
    """Decide the rail of a case against, or with, the rule; the case then keeps it.

    The case moves to the trust account of that rail, so this ends with the first cent. Raises
    MoneyHasMoved, Invalid without a reason or for a rail without an account, NotFound, Forbidden.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_CHOOSE_RAIL, locked=True)
    reason = reason.strip()
    if not reason:
        message = "Say why the case is paid this way."
        raise Invalid(message, errors={"reason": [message]})
    if str(rail) not in {item.value for item in CaseRail}:
        message = "Choose one of the rails."
        raise Invalid(message, errors={"rail": [message]})
    chosen = CaseRail(rail)
    account = _account_for(session, chosen)
    if account is None:
        message = "No trust account pays by this rail."
        raise Invalid(message, errors={"rail": [message]})
    if _money_has_moved(session, case):
        message = "Money has moved on this case, so its rail stays as it is."
        raise MoneyHasMoved(message)
    choice = _choice(session, case)
    if choice is None:
        choice = RailChoice(id=new_id(), case_id=case.id)
        session.add(choice)
    choice.rail, choice.reason, choice.chosen_by_name = chosen.value, reason[:500], actor.name
    choice.chosen_at = moment.at
    _move(session, actor, case, chosen, account, reason=reason[:500], moment=moment)
    return case


def rail_of_case(session: Session, actor: Actor, case_ref: str) -> RailOfCase:
    """Return how a case is paid and why. Raises NotFound, Forbidden."""
    case = case_for(session, actor, case_ref)
    choice = _choice(session, case)
    return RailOfCase(
        rail=CaseRail(case.rail),
        by_rule=rail_by_rule(session, case),
        chosen_by="" if choice is None else choice.chosen_by_name,
        reason="" if choice is None else choice.reason,
        may_change=not _money_has_moved(session, case),
    )


def _move(
    session: Session,
    actor: Actor,
    case: Case,
    rail: CaseRail,
    account: TrustAccount,
    *,
    reason: str,
    moment: Moment,
) -> None:
    case.rail, case.trust_account_id = rail.value, account.id
    record(
        session,
        actor,
        "cases.rail_chosen",
        "case",
        case.reference,
        case_id=case.id,
        reason=reason,
        facts={"rail": rail.value},
        now=moment.at,
    )


def _money_has_moved(session: Session, case: Case) -> bool:
    account_id = case.ledger_account_id
    return bool(
        case_lines(session, account_id, limit=1) or open_holds(session, account_id, limit=1)
    )


def _account_for(session: Session, rail: CaseRail) -> TrustAccount | None:
    return session.execute(
        select(TrustAccount)
        .where(TrustAccount.case_rail == rail.value)
        .order_by(TrustAccount.id)
        .limit(1)
    ).scalar_one_or_none()


def _choice(session: Session, case: Case) -> RailChoice | None:
    return session.execute(
        select(RailChoice).where(RailChoice.case_id == case.id)
    ).scalar_one_or_none()
