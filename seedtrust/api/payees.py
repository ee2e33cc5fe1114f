"""Whom the caller may ask payments for, and the caller's own bank details, always masked."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import ONCE, idempotent
from seedtrust.api.schemas import Input, Instant, Output, Reference, Text, dump
from seedtrust.core.permissions import Permission
from seedtrust.domain.disbursements.askable import askable_payees
from seedtrust.domain.payees import queries, service
from seedtrust.domain.payees.states import AccountState, AccountType, PayeeKind
from seedtrust.domain.payees.views import AccountView, PayeeView
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor, keyring, moment
from seedtrust.web.guard import requires

blueprint = ApiBlueprint("payees", description="Whom a request may name")


class PayeeOutput(Output):
    """One payee that a request of the caller may name."""

    reference = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "Name, alias or label"})
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in PayeeKind]))
    is_me = fields.Boolean(required=True)
    has_account = fields.Boolean(
        required=True, metadata={"description": "Without an approved account nothing is paid yet"}
    )
    account = fields.String(
        required=True, metadata={"description": "The last four digits of the caller's own account"}
    )


class PayeesOutput(Output):
    """All of them; it is never many."""

    data = fields.List(fields.Nested(PayeeOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AccountInput(Input):
    """Where the money of a payee should go."""

    payee = Reference(
        required=True, metadata={"description": "One of the caller's own payees, as listed here"}
    )
    account_type = fields.String(
        required=True, validate=validate.OneOf([kind.value for kind in AccountType])
    )
    holder_name = Text(required=True, min_length=1, max_length=120)
    bank_name = Text(load_default="", max_length=120)
    routing_number = fields.String(required=True, validate=validate.Length(max=20))
    account_number = fields.String(required=True, validate=validate.Length(max=40))


class AccountOutput(Output):
    """Bank details on their way to approval, or approved; the number is masked for good."""

    reference = fields.String(required=True)
    payee = fields.String(required=True, attribute="payee_ref")
    payee_name = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf([state.value for state in AccountState])
    )
    state_label = fields.String(required=True)
    account_type = fields.String(required=True)
    holder_name = fields.String(required=True)
    bank_name = fields.String(required=True)
    account = fields.String(required=True, attribute="masked_number")
    submitted_at = Instant(required=True)
    cooling_until_on = fields.Date(required=True, allow_none=True)
    active_on = fields.Date(required=True, allow_none=True)


class OwnPayeeOutput(Output):
    """One payee that stands for the caller, with its bank details, the newest first."""

    reference = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    accounts = fields.List(fields.Nested(AccountOutput), required=True)


class OwnPayeesOutput(Output):
    """All of them."""

    data = fields.List(fields.Nested(OwnPayeeOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/cases/<case>/payees")
@requires(Permission.REQUESTS_CREATE)
@blueprint.response(200, PayeesOutput)
def list_payees(case: str) -> dict[str, Any]:
    """List whom the caller may ask payments for: parents, donors and surrogates themselves."""
    actor = current_actor()
    found = reading(lambda session: askable_payees(session, actor, case))
    return {"data": found, "next_cursor": None}


@blueprint.route("/me/payee-accounts")
@requires(Permission.PAYEES_SUBMIT)
@blueprint.response(200, OwnPayeesOutput)
def list_own_accounts() -> dict[str, Any]:
    """List the payees that stand for the caller, with their bank details."""
    return {"data": reading(_own), "next_cursor": None}


def _own(session: Session) -> list[dict[str, Any]]:
    actor = current_actor()
    found = [] if actor.is_staff else queries.own_payees(session, actor)
    return [_own_members(payee) for payee in found]


def _own_members(payee: PayeeView) -> dict[str, Any]:
    return {
        "reference": payee.reference,
        "name": payee.name,
        "kind": payee.kind.value,
        "accounts": [_account_members(account) for account in payee.accounts],
    }


def _account_members(account: AccountView) -> dict[str, Any]:
    members = {name: getattr(account, name) for name in account.__dataclass_fields__}
    return members | {
        "state": account.state.value,
        "account_type": account.account_type.value,
    }


@blueprint.route("/me/payee-accounts", methods=["POST"])
@requires(Permission.PAYEES_SUBMIT)
@blueprint.arguments(AccountInput)
@blueprint.doc(**ONCE)
@blueprint.response(201, AccountOutput)
def submit_account(values: dict[str, Any]) -> Response:
    """Submit bank details; used after a check, a call back and a second person's approval."""
    actor, when, keys = current_actor(), moment(), keyring()

    def work(session: Session) -> tuple[dict[str, Any], int]:
        made = service.submit_account(
            session,
            actor,
            payee_ref=values["payee"],
            account_type=values["account_type"],
            holder_name=values["holder_name"],
            bank_name=values["bank_name"],
            routing_number=values["routing_number"],
            account_number=values["account_number"],
            keyring=keys,
            moment=when,
        )
        session.flush()  # the answer shows what this unit of work has written
        payee = queries.payee_view(session, actor, values["payee"])
        account = next(one for one in payee.accounts if one.reference == made.reference)
        return dump(AccountOutput, _account_members(account)), 201

    return idempotent(work)
