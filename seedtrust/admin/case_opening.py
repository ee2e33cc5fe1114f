"""Opening a case, and putting people on it."""

from __future__ import annotations

from typing import Final

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, act_page
from seedtrust.admin.contract_forms import CaseForm, PartyForm
from seedtrust.admin.forms import choices_of
from seedtrust.core.permissions import ROLE_LABELS, Permission, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.queries import AgencyRow, agencies
from seedtrust.domain.cases.states import CaseKind, Side
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.identity.queries import people
from seedtrust.domain.identity.states import UserKind
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments.caserails import join_case
from seedtrust.domain.payments.queries import trust_accounts
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_OPENING: Final = Act(
    "Open a case",
    "A match sheet has come in: the case gets its number and its own ledger.",
    "Open the case",
    consequences=(
        "The case gets a number, which parents write on their wire, and an empty ledger.",
        "It waits for its escrow agreement; nothing is paid before it is signed and funded.",
        "Nobody outside knows of it until you put people on it.",
    ),
    optional=("number", "agency", "new_agency", "minimum_balance_cents"),
)
_SIDE_WORDS: Final = {
    Side.RECIPIENT: "for the parents",
    Side.CARRIER: "for the donor or surrogate",
    Side.AGENCY: "for the agency",
}


@blueprint.route("/cases/new", methods=["GET", "POST"])
@requires(Permission.CASES_OPEN, back="admin.cases_new")
def cases_new() -> ResponseReturnValue:
    """Open a case, after showing what that does."""
    actor, when, form = current_actor(), moment(), CaseForm()
    known, accounts = reading(lambda unit: (agencies(unit, actor), trust_accounts(unit, actor)))
    form.agency.choices = choices_of(("", "None"), *((row.reference, row.name) for row in known))
    form.trust_account.choices = choices_of(
        *((account.reference, f"{account.name} {account.masked_number}") for account in accounts)
    )

    def page() -> ResponseReturnValue:
        return act_page(_OPENING, form, None)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    account = next(row for row in accounts if row.reference == form.trust_account.data)

    def work(unit: Session) -> tuple[str, int]:
        agency_id = _agency_of(form, known)
        if form.new_agency.data:
            agency_id = cases.open_agency(unit, actor, name=form.new_agency.data, moment=when).id
        case = cases.open_case(
            unit,
            actor,
            kind=form.kind.data,
            name=form.name.data,
            agency_id=agency_id,
            rail=account.case_rail,
            trust_account_id=account.id,
            anonymous=form.anonymous.data,
            funding_required_cents=form.funding_required_cents.cents or 0,
            minimum_balance_cents=form.minimum_balance_cents.cents or 0,
            all_parents_approve=form.all_parents_approve.data,
            number=form.number.data,
            moment=when,
        )
        return case.reference, case.number

    reference, number = in_transaction(work)
    flash_done(f"Case {number} is open. Put the parties on it next.")
    return redirect(url_for("admin.cases_overview", reference=reference), code=303)


def _agency_of(form: CaseForm, known: list[AgencyRow]) -> int | None:
    return next((row.id for row in known if row.reference == form.agency.data), None)


@blueprint.route("/cases/<reference>/parties/new", methods=["GET", "POST"])
@requires(Permission.CASES_OPEN, back="admin.cases_overview")
def cases_party_new(reference: str) -> ResponseReturnValue:
    """Put somebody on a case."""
    actor, when, form = current_actor(), moment(), PartyForm()
    case, head = reading(lambda unit: held_case(unit, actor, reference))
    parts = cases.roles_on(CaseKind(case.kind))
    form.part.choices = choices_of(
        ("", "Choose"), *((f"{role}:{side}", _part_words(role, side)) for role, side in parts)
    )
    act = _adding(head)

    def page() -> ResponseReturnValue:
        return act_page(act, form, head)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    role, side = next(part for part in parts if f"{part[0]}:{part[1]}" == form.part.data)

    def work(unit: Session) -> str:
        login = _login_of(unit, form.email.data or "")
        party = join_case(
            unit,
            actor,
            case_ref=reference,
            role=role,
            side=side,
            name=form.name.data,
            email=form.email.data or "",
            alias=form.alias.data or "",
            user_id=login,
            region=form.region.data or "",
            country=form.country.data or "",
            must_sign=form.must_sign.data,
            must_certify=form.must_certify.data,
            moment=when,
        )
        if form.is_paid.data:
            payees.open_payee(
                unit,
                actor,
                kind=PayeeKind.PERSON,
                name=party.name,
                party_id=party.id,
                moment=when,
            )
        return "" if login is None else " Their login is connected."

    connected = in_transaction(work)
    flash_done(f"{form.name.data} is on the case.{connected}")
    return redirect(url_for("admin.cases_overview", reference=reference), code=303)


def _adding(head: CaseHead) -> Act:
    lines = ["The person reads of the case what their side may read, once they have a login."]
    if head.anonymous:
        lines.append("This case is anonymous: the other side reads the alias and never the name.")
    return Act(
        "Add a party",
        "Parents, the donor or surrogate, their counsel, and the agency's people.",
        "Add the party",
        consequences=lines,
        optional=("email", "alias", "region"),
    )


def _part_words(role: Role, side: Side) -> str:
    label = ROLE_LABELS[role]
    return f"{label} {_SIDE_WORDS[side]}" if role is Role.ATTORNEY else label


def _login_of(unit: Session, email: str) -> int | None:
    """Return the account outside the company that signs in with this address, or None."""
    wanted = email.strip().lower()
    if not wanted:
        return None
    found = people(unit, current_actor(), kind=UserKind.PARTY, text=wanted)
    return next((person.id for person in found if person.email.lower() == wanted), None)
