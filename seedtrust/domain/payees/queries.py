"""Named reads of payees: views for doors, and where money can go for payment runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.payees.access import payee_for, visible
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import (
    OPEN_CHANGE,
    STATE_LABELS,
    STATE_TONES,
    STEPS,
    AccountState,
    AccountType,
    PayeeKind,
)
from seedtrust.domain.payees.views import AccountView, Destination, PayeeView

__all__ = [
    "destinations",
    "list_payees",
    "masked",
    "own_payees",
    "payee_for",
    "payee_view",
    "waiting_accounts",
]

_MAX_PAGE: Final = 200


def masked(last_four: str) -> str:
    """Return an account number as people may see it."""
    return f"••••{last_four}"


def payee_view(session: Session, actor: Actor, reference: str) -> PayeeView:
    """Return one payee with its accounts, masked. Raises NotFound."""
    permission = _view_permission(actor)
    return _views(session, actor, [payee_for(session, actor, reference, permission)])[0]


def own_payees(session: Session, actor: Actor) -> list[PayeeView]:
    """Return the payees that stand for the actor: as a party, or of the actor's agency."""
    condition = visible(actor, Permission.PAYEES_SUBMIT)
    rows = session.execute(select(Payee).where(condition).order_by(Payee.id)).scalars()
    return _views(session, actor, rows)


def list_payees(
    session: Session,
    actor: Actor,
    *,
    case_id: int | None = None,
    search: str = "",
    after_id: int = 0,
    limit: int = 50,
) -> list[PayeeView]:
    """Return a page of payees by id: those of a case with the shared ones, or all."""
    statement = select(Payee).where(visible(actor, Permission.PAYEES_VIEW), Payee.id > after_id)
    if case_id is not None:
        statement = statement.where(or_(Payee.case_id == case_id, Payee.case_id.is_(None)))
    if search.strip():
        statement = statement.where(Payee.name.icontains(search.strip(), autoescape=True))
    rows = session.execute(statement.order_by(Payee.id).limit(min(limit, _MAX_PAGE))).scalars()
    return _views(session, actor, rows)


def waiting_accounts(session: Session, actor: Actor, *, limit: int = 200) -> list[AccountView]:
    """Return the accounts that wait for a check, a call-back, an approval, or cooling off."""
    rows = session.execute(
        select(PayeeAccount, Payee)
        .join(Payee, Payee.id == PayeeAccount.payee_id)
        .where(
            visible(actor, Permission.PAYEES_VIEW),
            PayeeAccount.state.in_(tuple(state.value for state in OPEN_CHANGE)),
        )
        .order_by(PayeeAccount.id)
        .limit(limit)
    )
    return [_account_view(actor, account, payee) for account, payee in rows]


def destinations(session: Session, payee_ids: Collection[int]) -> dict[int, Destination]:
    """Return for each payee the account that may be paid, or why there is none.

    While a change is open nothing is paid, so `account_id` is None then as well.
    """
    found: dict[int, list[PayeeAccount]] = {payee_id: [] for payee_id in payee_ids}
    interesting = (*OPEN_CHANGE, AccountState.ACTIVE, AccountState.BLOCKED)
    rows = session.execute(
        select(PayeeAccount).where(
            PayeeAccount.payee_id.in_(found),
            PayeeAccount.state.in_(tuple(state.value for state in interesting)),
        )
    ).scalars()
    for row in rows:
        found[row.payee_id].append(row)
    return {payee_id: _destination(payee_id, accounts) for payee_id, accounts in found.items()}


def _destination(payee_id: int, accounts: list[PayeeAccount]) -> Destination:
    states = {AccountState(row.state) for row in accounts}
    change_open = bool(states & OPEN_CHANGE)
    active = next((row.id for row in accounts if row.state == AccountState.ACTIVE.value), None)
    return Destination(
        payee_id=payee_id,
        account_id=None if change_open else active,
        change_open=change_open,
        cooling=AccountState.COOLING in states,
        blocked_because=next((row.state_reason for row in accounts if _is_blocked(row)), ""),
    )


def _is_blocked(row: PayeeAccount) -> bool:
    return row.state == AccountState.BLOCKED.value


def _view_permission(actor: Actor) -> Permission:
    staff = actor.may(Permission.PAYEES_VIEW)
    return Permission.PAYEES_VIEW if staff else Permission.PAYEES_SUBMIT


def _views(session: Session, actor: Actor, rows: Iterable[Payee]) -> list[PayeeView]:
    payees = list(rows)
    accounts: dict[int, list[PayeeAccount]] = {payee.id: [] for payee in payees}
    for account in session.execute(
        select(PayeeAccount)
        .where(PayeeAccount.payee_id.in_(accounts))
        .order_by(PayeeAccount.id.desc())
    ).scalars():
        accounts[account.payee_id].append(account)
    case_ids = {payee.case_id for payee in payees if payee.case_id is not None}
    found = session.execute(select(Case.id, Case.reference).where(Case.id.in_(case_ids)))
    cases = dict(found.all())
    return [
        PayeeView(
            reference=payee.reference,
            kind=PayeeKind(payee.kind),
            name=payee.name,
            label=payee.label,
            case_ref=cases.get(payee.case_id or 0, ""),
            accounts=tuple(_account_view(actor, row, payee) for row in accounts[payee.id]),
            created_by=payee.created_by,
            created_at=payee.created_at,
        )
        for payee in payees
    ]


def _account_view(actor: Actor, row: PayeeAccount, payee: Payee) -> AccountView:
    state = AccountState(row.state)
    next_states = STEPS[state]
    may_check = actor.may(Permission.PAYEES_CHECK)
    may_approve = actor.may(Permission.PAYEES_APPROVE)
    touched = {row.submitted_by_user_id, row.checked_by_user_id, row.verified_by_user_id}
    return AccountView(
        reference=row.reference,
        payee_ref=payee.reference,
        payee_name=payee.name,
        state=state,
        state_label=STATE_LABELS[state],
        state_tone=STATE_TONES[state],
        account_type=AccountType(row.account_type),
        holder_name=row.holder_name,
        bank_name=row.bank_name,
        routing_number=row.routing_number,
        masked_number=masked(row.last_four),
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        checked_by=row.checked_by,
        verified_by=row.verified_by,
        call_back_note=row.call_back_note,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        cooling_until_on=row.cooling_until_on,
        active_on=row.active_on,
        state_reason=row.state_reason,
        may_check=may_check and AccountState.CHECKED in next_states,
        may_verify=may_check and AccountState.VERIFIED in next_states,
        may_approve=(
            may_approve and AccountState.APPROVED in next_states and actor.user_id not in touched
        ),
        may_reject=(may_check or may_approve) and AccountState.REJECTED in next_states,
    )
