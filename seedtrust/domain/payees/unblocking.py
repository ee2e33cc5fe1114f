"""Putting a blocked account back to use: one person asks, another one decides."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden, Invalid, WrongState
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.payees.access import account_for
from seedtrust.domain.payees.errors import AccountChangeOpen, AskerCannotUnblock
from seedtrust.domain.payees.models import AccountUnblock, Payee, PayeeAccount
from seedtrust.domain.payees.service import put_to_use
from seedtrust.domain.payees.states import OPEN_CHANGE, AccountState

_REASON_LENGTH: Final = 500


def ask_unblock(
    session: Session, actor: Actor, *, account_ref: str, reason: str, moment: Moment
) -> AccountUnblock:
    """Ask that a blocked account be used again, with what was found out; nothing changes yet.

    Raises WrongState unless it is blocked and nobody has asked, Invalid without a reason,
    Forbidden for a job, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_CHECK)
    why = _person_with_reason(actor, reason, "Write down what was found out and who confirmed it.")
    _require_blocked(account)
    if open_unblock(session, account.id) is not None:
        message = "Somebody has asked for this already. A second person decides."
        raise WrongState(message, state=account.state)
    asked = AccountUnblock(
        id=new_id(),
        account_id=account.id,
        open_account_id=account.id,
        reason=why,
        asked_by_user_id=actor.user_id,
        asked_by=actor.name,
        asked_at=moment.at,
    )
    session.add(asked)
    _log(session, actor, "payee_account.unblock_asked", payee, account, why, moment)
    return asked


def confirm_unblock(
    session: Session, actor: Actor, *, account_ref: str, moment: Moment
) -> PayeeAccount:
    """Put a blocked account back to use as a second person.

    Raises AskerCannotUnblock for the person who asked, AccountChangeOpen while new bank details of
    the payee are undecided, WrongState when nobody has asked or the account is not blocked,
    Forbidden for a job, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_APPROVE)
    asked = _decide(session, actor, account, moment)
    _require_blocked(account)
    if _change_is_open(session, payee):
        message = "New bank details of this payee wait for a decision. Decide about those first."
        raise AccountChangeOpen(message)
    asked.is_approved = True
    put_to_use(session, actor, payee, account, moment)
    return account


def refuse_unblock(
    session: Session, actor: Actor, *, account_ref: str, reason: str, moment: Moment
) -> PayeeAccount:
    """Leave a blocked account blocked, with a reason; it can be asked for again.

    Raises AskerCannotUnblock, WrongState when nobody has asked, Invalid without a reason,
    Forbidden for a job, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_APPROVE)
    why = _person_with_reason(actor, reason, "Say why it stays blocked.")
    asked = _decide(session, actor, account, moment)
    asked.is_approved, asked.decision_reason = False, why
    _log(session, actor, "payee_account.unblock_refused", payee, account, why, moment)
    return account


def open_unblock(session: Session, account_id: int) -> AccountUnblock | None:
    """Lock and return what was asked for an account and is not decided, if anything."""
    rows = lock_where(
        session, select(AccountUnblock).where(AccountUnblock.open_account_id == account_id)
    )
    return rows[0] if rows else None


def _decide(
    session: Session, actor: Actor, account: PayeeAccount, moment: Moment
) -> AccountUnblock:
    if actor.user_id is None:
        raise _needs_person()
    asked = open_unblock(session, account.id)
    if asked is None:
        message = "Nobody has asked to use this account again. One person asks, another decides."
        raise WrongState(message, state=account.state)
    if asked.asked_by_user_id == actor.user_id:
        message = "You asked for this, so another person has to decide."
        raise AskerCannotUnblock(message)
    asked.open_account_id = None
    asked.decided_by_user_id, asked.decided_by = actor.user_id, actor.name
    asked.decided_at = moment.at
    return asked


def _require_blocked(account: PayeeAccount) -> None:
    if account.state != AccountState.BLOCKED:
        message = "This account is not blocked. Reload the page to see where it stands."
        raise WrongState(message, state=account.state)


def _change_is_open(session: Session, payee: Payee) -> bool:
    states = tuple(state.value for state in OPEN_CHANGE)
    found = select(PayeeAccount.id).where(
        PayeeAccount.payee_id == payee.id, PayeeAccount.state.in_(states)
    )
    return session.execute(found.limit(1)).scalar_one_or_none() is not None


def _person_with_reason(actor: Actor, reason: str, sentence: str) -> str:
    if actor.user_id is None:
        raise _needs_person()
    why = reason.strip()
    if not why:
        raise Invalid(sentence, errors={"reason": [sentence]})
    if len(why) > _REASON_LENGTH:
        message = f"Use at most {_REASON_LENGTH} characters."
        raise Invalid(message, errors={"reason": [message]})
    return why


def _needs_person() -> Forbidden:
    message = "A person has to decide about a blocked account."
    return Forbidden(message)


def _log(  # noqa: PLR0917 - one value per part of the trail
    session: Session,
    actor: Actor,
    action: str,
    payee: Payee,
    account: PayeeAccount,
    reason: str,
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "payee_account",
        account.reference,
        case_id=payee.case_id,
        reason=reason,
        facts={"payee": payee.reference, "last_four": account.last_four},
        now=moment.at,
    )
