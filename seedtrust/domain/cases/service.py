"""Verbs that open a case and put people and agencies on it."""

from __future__ import annotations

import re
import secrets
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents
from seedtrust.core.permissions import ROLE_LABELS, Actor, Permission, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.anonymity import tells_a_name
from seedtrust.domain.cases.checks import clean_text, one_word_of, refuse_field, require_open
from seedtrust.domain.cases.errors import (
    AgencyExists,
    CaseNumberTaken,
    PartyExists,
    PartyOnBothSides,
)
from seedtrust.domain.cases.models import Agency, Case, CaseParty, CaseTeamMember
from seedtrust.domain.cases.moves import (
    cancel_case,
    move_stage,
    note_stage,
    put_on_hold,
    resume,
)
from seedtrust.domain.cases.scope import case_for
from seedtrust.domain.cases.states import CaseKind, Side, Stage
from seedtrust.domain.identity.models import User
from seedtrust.domain.ledger import chart

__all__ = [
    "add_party",
    "assign",
    "cancel_case",
    "move_stage",
    "open_agency",
    "open_case",
    "put_on_hold",
    "resume",
    "roles_on",
    "unassign",
]

RAILS: Final = ("nacha", "huntington")
_LOWEST_NUMBER: Final = 100_000
_HIGHEST_NUMBER: Final = 999_999
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_REGION: Final = re.compile(r"[A-Z0-9-]{0,10}")

# Which side a role stands on; an attorney is counsel of one side.
_SIDES: Final = {
    Role.INTENDED_PARENT: (Side.RECIPIENT,),
    Role.IP_REPRESENTATIVE: (Side.RECIPIENT,),
    Role.SURROGATE: (Side.CARRIER,),
    Role.DONOR: (Side.CARRIER,),
    Role.AGENCY_ADMINISTRATOR: (Side.AGENCY,),
    Role.CASE_MANAGER: (Side.AGENCY,),
    Role.ATTORNEY: (Side.RECIPIENT, Side.CARRIER),
}
_NOT_ON: Final = {CaseKind.SURROGACY: Role.DONOR, CaseKind.EGG_DONATION: Role.SURROGATE}
_CARRIER_WORD: Final = {CaseKind.SURROGACY: "Surrogate", CaseKind.EGG_DONATION: "Donor"}


def roles_on(kind: CaseKind) -> list[tuple[Role, Side]]:
    """Return what somebody may be on a case of this kind, with the side; counsel stands on two."""
    return [
        (role, side)
        for role, sides in _SIDES.items()
        if role is not _NOT_ON[kind]
        for side in sides
    ]


def open_agency(session: Session, actor: Actor, *, name: str, moment: Moment) -> Agency:
    """Put an agency into the directory. Raises AgencyExists, Forbidden, Invalid."""
    actor.require(Permission.CASES_OPEN)
    cleaned = clean_text(name, "name", most=120)
    known = session.execute(select(Agency.id).where(Agency.name == cleaned)).first()
    if known is not None:
        message = f"{cleaned} is in the directory already. Choose it from the list."
        raise AgencyExists(message, errors={"name": [message]})
    agency = Agency(id=new_id(), reference=new_reference(), name=cleaned, created_at=moment.at)
    session.add(agency)
    session.flush()  # cases refer to the row
    record(session, actor, "agencies.opened", "agency", agency.reference, now=moment.at)
    return agency


def open_case(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    name: str,
    agency_id: int | None,
    rail: str,
    trust_account_id: int,
    anonymous: bool,
    funding_required_cents: int,
    minimum_balance_cents: int = 0,
    all_parents_approve: bool = False,
    number: int | None = None,
    moment: Moment,
) -> Case:
    """Open a case with its ledger account; it stands in AWAITING_ESCROW_AGREEMENT.

    Without a number it gets a free one of six digits. An egg donation is anonymous or not by
    agreement of its parties. Raises CaseNumberTaken, Invalid, InvalidAmount, Forbidden.
    """
    actor.require(Permission.CASES_OPEN)
    wanted = one_word_of(CaseKind, kind, "kind")
    case_id = new_id()
    case = Case(
        id=case_id,
        reference=new_reference(),
        number=_free_number(session, number),
        kind=wanted.value,
        name=clean_text(name, "name", most=200),
        stage=Stage.INTAKE.value,
        stage_before_hold=None,
        stage_since_on=moment.today,
        hold_reason="",
        rail=_rail(rail),
        agency_id=_agency(session, agency_id),
        trust_account_id=trust_account_id,
        ledger_account_id=chart.open_case_account(session, case_id, moment.at),
        anonymous=anonymous,
        funding_required_cents=check_amount_cents(funding_required_cents, "funding_required_cents"),
        minimum_balance_cents=_minimum(minimum_balance_cents),
        all_parents_approve=all_parents_approve,
        carrier_sees_balance="sufficient",
        opened_on=moment.today,
        closed_on=None,
    )
    session.add(case)
    session.flush()  # everything of the case refers to the row
    record(
        session,
        actor,
        "cases.opened",
        "case",
        case.reference,
        case_id=case.id,
        facts={"number": case.number, "kind": case.kind, "rail": case.rail},
        now=moment.at,
    )
    note_stage(
        session, actor, case, None, Stage.INTAKE, cause="Match sheet received", moment=moment
    )
    return move_stage(
        session,
        actor,
        case,
        Stage.AWAITING_ESCROW_AGREEMENT,
        cause="Case set up",
        moment=moment,
    )


def add_party(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    role: Role,
    side: Side,
    name: str,
    email: str = "",
    alias: str = "",
    user_id: int | None = None,
    region: str = "",
    country: str = "US",
    must_sign: bool,
    must_certify: bool,
    moment: Moment,
) -> CaseParty:
    """Put a person or firm on a case.

    On an anonymous case each client's side gets an alias such as Recipient 2207, if none is
    given. Raises PartyExists, PartyOnBothSides, CaseClosed, Invalid, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_OPEN, locked=True)
    require_open(case)
    _fits(case, role, side)
    others = _parties(session, case)
    _not_twice(case, others, role, side, user_id)
    _known_user(session, user_id)
    cleaned = clean_text(name, "name", most=120)
    party = CaseParty(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        user_id=user_id,
        role=role.value,
        side=side.value,
        name=cleaned,
        email=_email(email),
        alias=_alias(case, others, role, side, name=cleaned, alias=alias),
        region=_code(region.strip().upper(), _REGION, "region", "Enter a state such as MA."),
        country=_code(country.strip().upper(), _COUNTRY, "country", "Enter a country such as US."),
        must_sign=must_sign,
        must_certify=must_certify,
        added_at=moment.at,
    )
    session.add(party)
    session.flush()  # signatures, payees and certifications refer to the row
    record(
        session,
        actor,
        "cases.party_added",
        "party",
        party.reference,
        case_id=case.id,
        facts={"role": party.role, "side": party.side},
        now=moment.at,
    )
    return party


def assign(
    session: Session, actor: Actor, *, case_ref: str, user_id: int, label: str, moment: Moment
) -> CaseTeamMember:
    """Assign a case to a user of the company or the agency; again only changes the label.

    Raises CaseClosed, Invalid, NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.CASES_OPEN, locked=True)
    require_open(case)
    _known_user(session, user_id)
    cleaned = clean_text(label, "label", most=60)
    member = _member(session, case, user_id)
    if member is None:
        member = CaseTeamMember(id=new_id(), case_id=case.id, user_id=user_id, label=cleaned)
        session.add(member)
    member.label = cleaned
    record(
        session,
        actor,
        "cases.assigned",
        "case",
        case.reference,
        case_id=case.id,
        facts={"user_id": user_id},
        now=moment.at,
    )
    return member


def unassign(
    session: Session, actor: Actor, *, case_ref: str, user_id: int, moment: Moment
) -> Case:
    """Take a user off a case's team. Raises NotFound if the user is not on it."""
    case = case_for(session, actor, case_ref, Permission.CASES_OPEN, locked=True)
    member = _member(session, case, user_id)
    if member is None:
        raise NotFound("This person is not on the team of the case.")
    session.delete(member)
    record(
        session,
        actor,
        "cases.unassigned",
        "case",
        case.reference,
        case_id=case.id,
        facts={"user_id": user_id},
        now=moment.at,
    )
    return case


def _free_number(session: Session, number: int | None) -> int:
    if number is not None:
        if not _LOWEST_NUMBER <= number <= _HIGHEST_NUMBER:
            raise refuse_field("number", "Enter a case number of six digits, such as 100398.")
        if _number_is_taken(session, number):
            message = f"Case number {number} is taken. Choose another, or leave it empty."
            raise CaseNumberTaken(message, errors={"number": [message]})
        return number
    # Drawn, not counted: a number in a wire's text should not tell how many cases there are.
    while True:
        drawn = _LOWEST_NUMBER + secrets.randbelow(_HIGHEST_NUMBER - _LOWEST_NUMBER + 1)
        if not _number_is_taken(session, drawn):
            return drawn


def _number_is_taken(session: Session, number: int) -> bool:
    return session.execute(select(Case.id).where(Case.number == number)).first() is not None


def _rail(rail: str) -> str:
    if rail not in RAILS:
        raise refuse_field("rail", f"Choose one of: {', '.join(RAILS)}.")
    return rail


def _agency(session: Session, agency_id: int | None) -> int | None:
    if agency_id is not None and session.get(Agency, agency_id) is None:
        raise refuse_field("agency", "There is no such agency. Choose one from the list.")
    return agency_id


def _minimum(cents: int) -> int:
    return (
        0
        if cents == 0 and type(cents) is int
        else check_amount_cents(cents, "minimum_balance_cents")
    )


def _parties(session: Session, case: Case) -> list[CaseParty]:
    return lock_where(
        session, select(CaseParty).where(CaseParty.case_id == case.id).order_by(CaseParty.id)
    )


def _fits(case: Case, role: Role, side: Side) -> None:
    sides = _SIDES.get(role, ())
    if not sides or _NOT_ON[CaseKind(case.kind)] is role:
        raise refuse_field("role", f"{ROLE_LABELS[role]} is not a role on this kind of case.")
    if side not in sides:
        allowed = " or ".join(one.value for one in sides)
        raise refuse_field("side", f"{ROLE_LABELS[role]} stands on this side: {allowed}.")


def _not_twice(
    case: Case, others: list[CaseParty], role: Role, side: Side, user_id: int | None
) -> None:
    if user_id is None:
        return
    for other in others:
        if other.user_id != user_id:
            continue
        if case.anonymous and other.side != side.value:
            message = "On an anonymous case nobody may stand on two sides. Choose another person."
            raise PartyOnBothSides(message, errors={"user": [message]})
        if other.role == role.value:
            message = "This person has this role on the case already."
            raise PartyExists(message, errors={"user": [message]})


def _known_user(session: Session, user_id: int | None) -> None:
    if user_id is not None and session.get(User, user_id) is None:
        raise refuse_field("user", "There is no such user. Invite the person first.")


def _email(email: str) -> str:
    cleaned = clean_text(email, "email", most=254, required=False)
    if cleaned and not _EMAIL.fullmatch(cleaned):
        raise refuse_field("email", "Enter an address such as name@example.org.")
    return cleaned


def _code(text: str, shape: re.Pattern[str], field: str, message: str) -> str:
    if not shape.fullmatch(text):
        raise refuse_field(field, message)
    return text


def _alias(
    case: Case, others: list[CaseParty], role: Role, side: Side, *, name: str, alias: str
) -> str:
    given = clean_text(alias, "alias", most=60, required=False)
    if not case.anonymous or side is Side.AGENCY:
        return given
    across = {other.alias for other in others if other.side != side.value}
    if given:
        if given in across or tells_a_name(given, name):
            raise refuse_field("alias", "Choose an alias that tells nothing, such as Donor 4471.")
        return given
    shared = next((one.alias for one in others if one.side == side.value and one.alias), "")
    if role is Role.ATTORNEY:
        return f"Attorney of {_side_word(case, side)}" if not shared else f"Attorney of {shared}"
    if shared and role in {Role.INTENDED_PARENT, Role.IP_REPRESENTATIVE}:
        return shared.removeprefix("Attorney of ")
    taken = {other.alias for other in others}
    while True:
        drawn = f"{_side_word(case, side)} {1000 + secrets.randbelow(9000)}"
        if drawn not in taken:
            return drawn


def _side_word(case: Case, side: Side) -> str:
    return "Recipient" if side is Side.RECIPIENT else _CARRIER_WORD[CaseKind(case.kind)]


def _member(session: Session, case: Case, user_id: int) -> CaseTeamMember | None:
    return session.execute(
        select(CaseTeamMember).where(
            CaseTeamMember.case_id == case.id, CaseTeamMember.user_id == user_id
        )
    ).scalar_one_or_none()
