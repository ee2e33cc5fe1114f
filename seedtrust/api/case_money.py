"""The money of a case: balance, ledger, forecast, and the proof that it lies at the bank."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.pagination import PageQuery, Position, page_of, paginate
from seedtrust.api.schemas import Instant, Output
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases import queries as cases
from seedtrust.domain.disbursements.forecast import forecast_of
from seedtrust.domain.ledger.queries import LineCursor
from seedtrust.domain.reconciliation.days import last_clean_on
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.statements import queries
from seedtrust.domain.statements.queries import BalanceView, StatementLine
from seedtrust.ext import reading
from seedtrust.web.actor import business_today, current_actor
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("case_money", description="Balance, ledger and forecast of a case")

_NEWEST = "newest"


class BalanceOutput(Output):
    """The figures of a case; null where the case keeps them from the caller."""

    case = fields.String(required=True, attribute="case_ref")
    as_of_on = fields.Date(required=True)
    visibility = fields.String(
        required=True, metadata={"description": "`full`, `sufficient` or `hidden`"}
    )
    is_sufficient = fields.Boolean(
        required=True, metadata={"description": "Available money reaches the minimum"}
    )
    ledger_cents = fields.Integer(required=True, allow_none=True)
    reserved_cents = fields.Integer(required=True, allow_none=True)
    uncollected_cents = fields.Integer(required=True, allow_none=True)
    available_cents = fields.Integer(required=True, allow_none=True)
    minimum_cents = fields.Integer(required=True, allow_none=True)


class LedgerQuery(PageQuery):
    """Which end of the ledger comes first."""

    order = fields.String(
        load_default="oldest",
        validate=validate.OneOf(["oldest", _NEWEST]),
        metadata={"description": "A cursor goes on in the order in which it was given"},
    )


class LedgerLineOutput(Output):
    """One line of the ledger, in effective order with its running balance."""

    effective_on = fields.Date(required=True)
    type = fields.String(required=True, metadata={"description": "For example `DISBURSEMENT`"})
    category = fields.String(required=True)
    amount_cents = fields.Integer(
        required=True, metadata={"description": "Positive into the case, negative out of it"}
    )
    balance_cents = fields.Integer(required=True)
    counterparty = fields.String(required=True)
    description = fields.String(required=True)
    request = fields.String(
        required=True, allow_none=True, metadata={"description": "Reference of the request"}
    )
    posted_at = Instant(required=True)


class ForecastPointOutput(Output):
    """The balance at the end of a day: booked, or expected."""

    on = fields.Date(required=True)
    balance_cents = fields.Integer(required=True)
    label = fields.String(required=True)
    is_past = fields.Boolean(required=True)


class ForecastOutput(Output):
    """How the balance went and will go, and the first day on which money is missing."""

    today = fields.Date(required=True)
    minimum_cents = fields.Integer(required=True)
    points = fields.List(fields.Nested(ForecastPointOutput), required=True)
    shortfall_on = fields.Date(required=True, allow_none=True)
    shortfall_cents = fields.Integer(
        required=True, metadata={"description": "What is missing on the worst day"}
    )
    needed_by_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The banking day by which money has to be there"},
    )
    first_shortfall_cents = fields.Integer(
        required=True, metadata={"description": "What is missing on the day of the shortfall"}
    )


class ProofOfFundsOutput(Output):
    """What the case owns, and the proof that the trust account holds all that is owed."""

    case = fields.String(required=True)
    as_of_on = fields.Date(required=True)
    case_ledger_cents = fields.Integer(required=True)
    trust_account = fields.String(required=True)
    trust_total_cents = fields.Integer(
        required=True, metadata={"description": "What all cases of the trust account own"}
    )
    book_cents = fields.Integer(required=True)
    adjusted_bank_cents = fields.Integer(required=True)
    statement_cents = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The bank's last statement"}
    )
    statement_on = fields.Date(required=True, allow_none=True)
    bank_book_owners_agree = fields.Boolean(required=True)
    last_three_way_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day that the bank's statement proves"},
    )


@blueprint.route("/cases/<case>/balance")
@requires(Permission.CASES_VIEW)
@blueprint.response(200, BalanceOutput)
def show_balance(case: str) -> BalanceView:
    """Show what is on the case, what is reserved, and what is available.

    A donor or surrogate learns by default only whether the money suffices.
    """
    actor, today = current_actor(), business_today()
    return reading(lambda session: queries.balance_for(session, actor, case, today))


@blueprint.route("/cases/<case>/ledger")
@requires(Permission.LEDGER_VIEW)
@blueprint.arguments(LedgerQuery, location="query")
@blueprint.response(200, page_of(LedgerLineOutput))
def list_ledger(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List the lines of the case's ledger in effective order."""
    actor = current_actor()

    def fetch(after: Position | None, limit: int) -> list[StatementLine]:
        return reading(
            lambda session: queries.ledger_for(
                session,
                actor,
                case,
                after=_line_cursor(after),
                limit=limit,
                newest_first=query["order"] == _NEWEST,
            )
        )

    return paginate(query, fetch, lambda line: [line.effective_on.isoformat(), line.seq])


def _line_cursor(position: Position | None) -> LineCursor | None:
    if position is None:
        return None
    return LineCursor(date.fromisoformat(str(position[0])), int(position[1] or 0))


@blueprint.route("/cases/<case>/forecast")
@requires(Permission.LEDGER_VIEW)
@blueprint.response(200, ForecastOutput)
def show_forecast(case: str) -> dict[str, Any]:
    """Show how the balance of the case went, and how it will go by what is known today."""
    actor, today = current_actor(), business_today()

    def work(session: Session) -> dict[str, Any]:
        held = cases.case_for(session, actor, case, Permission.LEDGER_VIEW)
        veil = cases.veil_for(session, actor, held)
        found = forecast_of(session, held, today)
        short = found.until(date.max)
        return {
            "today": found.today,
            "minimum_cents": found.minimum_cents,
            "points": [
                {
                    "on": point.on,
                    "balance_cents": point.balance_cents,
                    "label": veil.text(point.label),
                    "is_past": point.is_past,
                }
                for point in found.points
            ],
            "shortfall_on": None if short is None else short.on,
            "shortfall_cents": 0 if short is None else short.most_cents,
            "needed_by_on": None if short is None else short.needed_by_on,
            "first_shortfall_cents": 0 if short is None else short.first_cents,
        }

    return reading(work)


@blueprint.route("/cases/<case>/proof-of-funds")
@requires(Permission.LEDGER_VIEW)
@blueprint.response(200, ProofOfFundsOutput)
def show_proof_of_funds(case: str) -> dict[str, Any]:
    """Prove that the money is there: the case, all cases of its trust account, and the bank."""
    actor, today = current_actor(), business_today()

    def work(session: Session) -> dict[str, Any]:
        held = cases.case_for(session, actor, case, Permission.LEDGER_VIEW)
        balance = queries.balance_for(session, actor, case, today)
        proof = three_way(session, held.trust_account_id, today, with_items=False)
        known = proof.statement_on is not None
        return {
            "case": held.reference,
            "as_of_on": today,
            "case_ledger_cents": balance.ledger_cents,
            "trust_account": proof.trust_account,
            "trust_total_cents": proof.cases_cents,
            "book_cents": proof.book_cents,
            "adjusted_bank_cents": proof.adjusted_bank_cents,
            "statement_cents": proof.statement_cents if known else None,
            "statement_on": proof.statement_on,
            "bank_book_owners_agree": proof.agrees,
            "last_three_way_on": proof.statement_on
            if proof.agrees
            else last_clean_on(session, held.trust_account_id, today),
        }

    return reading(work)
