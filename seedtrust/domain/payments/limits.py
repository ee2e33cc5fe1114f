"""The limit of first payments to changed accounts: one person proposes another, a second decides.

The limit is a guard against somebody who talks the company into paying to another account, so
nobody changes it alone, and every change keeps its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents, format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payments.errors import LimitChangeOpen, LimitProposerCannotDecide
from seedtrust.domain.payments.models import LimitChange, TrustAccount
from seedtrust.domain.payments.service import set_first_payment_limit
from seedtrust.domain.payments.states import LimitChangeState

CHANGE_KIND: Final = "limit.change"


@dataclass(frozen=True)
class LimitChangeView:
    """A proposed limit and what came of it, in cents; None stands for no limit."""

    reference: str
    account: str
    before_cents: int | None
    after_cents: int | None
    reason: str
    state: LimitChangeState
    proposed_on: date
    proposed_by: str
    proposed_by_user_id: int | None
    decided_on: date | None
    decided_by: str


def propose_limit(
    session: Session,
    actor: Actor,
    *,
    trust_account_ref: str,
    limit_cents: int | None,
    reason: str,
    moment: Moment,
) -> LimitChange:
    """Propose what a changed account may get before a first payment has settled, in cents.

    None lifts the limit. Nothing changes until another person decides. Raises LimitChangeOpen
    while one waits, WrongState for the limit that holds, InvalidAmount, Invalid without a reason,
    NotFound and Forbidden.
    """
    actor.require(Permission.LIMITS_PROPOSE)
    account = _locked_account(session, TrustAccount.reference == trust_account_ref)
    why = clean_text(reason, "reason", most=500)
    after = None if limit_cents is None else check_amount_cents(limit_cents, "limit_cents")
    if after == account.first_payment_limit_cents:
        message = "This is the limit that holds already."
        raise WrongState(message)
    waiting = select(LimitChange.id).where(LimitChange.open_account_id == account.id)
    if session.execute(waiting).first() is not None:
        message = "Another change of this limit waits for a second person. Decide that first."
        raise LimitChangeOpen(message)
    row = LimitChange(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=account.id,
        open_account_id=account.id,
        state=LimitChangeState.PROPOSED.value,
        before_cents=account.first_payment_limit_cents,
        after_cents=after,
        reason=why,
        proposed_on=moment.today,
        proposed_by_user_id=actor.user_id,
        proposed_by=actor.name,
        decided_by="",
    )
    session.add(row)
    session.flush()
    open_exception(
        session,
        CHANGE_KIND,
        "limit_change",
        row.reference,
        f"The limit of first payments of {account.name} shall become {_words(after)}. A second "
        "person has to decide.",
        now=moment.at,
    )
    _record(session, actor, "proposed", row, moment, why)
    return row


def decide_limit(
    session: Session, actor: Actor, *, change_ref: str, approve: bool, moment: Moment
) -> LimitChange:
    """Let a proposed limit hold from now on, or turn it down, as the second person.

    Payments that wait for it are taken up by the next run. Raises LimitProposerCannotDecide,
    WrongState once it is decided or when the limit has changed meanwhile, NotFound and Forbidden.
    """
    actor.require(Permission.LIMITS_DECIDE)
    known = session.execute(
        select(LimitChange.trust_account_id).where(LimitChange.reference == change_ref)
    ).scalar_one_or_none()
    if known is None:
        message = "There is no such change."
        raise NotFound(message)
    account = _locked_account(session, TrustAccount.id == known)
    [row] = lock_where(session, select(LimitChange).where(LimitChange.reference == change_ref))
    if row.state != LimitChangeState.PROPOSED:
        message = f"{row.decided_by} has decided this already."
        raise WrongState(message)
    if actor.user_id is None or actor.user_id == row.proposed_by_user_id:
        message = "You proposed this limit yourself. Another person has to decide."
        raise LimitProposerCannotDecide(message)
    if approve and account.first_payment_limit_cents != row.before_cents:
        message = "The limit has changed since this was proposed. Turn it down and propose anew."
        raise WrongState(message)
    to = LimitChangeState.APPROVED if approve else LimitChangeState.REFUSED
    row.state, row.open_account_id = to.value, None
    row.decided_on, row.decided_by = moment.today, actor.name
    row.decided_by_user_id = actor.user_id
    close_exceptions_of(session, CHANGE_KIND, row.reference, closed_by=actor.name, now=moment.at)
    _record(session, actor, to.value.lower(), row, moment)
    if approve:
        set_first_payment_limit(session, actor, account, row.after_cents, moment=moment)
    return row


def limit_changes(session: Session, actor: Actor, *, limit: int = 50) -> list[LimitChangeView]:
    """Return proposed and decided changes, the newest first. One query."""
    actor.require(Permission.BANK_ACCOUNTS_VIEW)
    rows = session.execute(
        select(LimitChange, TrustAccount.name)
        .join(TrustAccount, TrustAccount.id == LimitChange.trust_account_id)
        .order_by(LimitChange.id.desc())
        .limit(limit)
    )
    return [
        LimitChangeView(
            row.reference,
            name,
            row.before_cents,
            row.after_cents,
            row.reason,
            LimitChangeState(row.state),
            row.proposed_on,
            row.proposed_by,
            row.proposed_by_user_id,
            row.decided_on,
            row.decided_by,
        )
        for row, name in rows
    ]


def _locked_account(session: Session, wanted: ColumnElement[bool]) -> TrustAccount:
    rows = lock_where(session, select(TrustAccount).where(wanted))
    if not rows:
        message = "There is no such trust account."
        raise NotFound(message)
    return rows[0]


def _words(cents: int | None) -> str:
    return "unlimited" if cents is None else f"${format_dollars(cents)}"


def _record(  # noqa: PLR0917 - who took which step of which change
    session: Session, actor: Actor, step: str, row: LimitChange, moment: Moment, reason: str = ""
) -> None:
    record(
        session,
        actor,
        f"limit_change.{step}",
        "limit_change",
        row.reference,
        reason=reason,
        facts={"before_cents": row.before_cents, "after_cents": row.after_cents},
        now=moment.at,
    )
