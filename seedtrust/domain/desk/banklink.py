"""How well the bank is reached, and each trust account: last file, last statement, reserved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import CompoundSelect, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.payments import answers, events, hints, inbox
from seedtrust.domain.payments.models import (
    BankCallRow,
    BankCursor,
    BankFile,
    BankInboxItem,
    PaymentRun,
    RailStop,
    TrustAccount,
)
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.domain.reconciliation.models import BankStatement

_CURSOR: Final = "cursor"
_INBOX: Final = "inbox"
_CALL: Final = "call"
_STOP: Final = "stop"
_FILES: Final = frozenset({answers.SOURCE, inbox.SOURCE})
_ANSWERED: Final = (200, 299)


@dataclass
class BankHealth:
    """One bank: when it last answered, told something or left a file, and what stands still.

    `not_applied` counts messages that fitted nothing yet, `stopped_rails` rails that a person
    has stopped.
    """

    code: str
    name: str
    accounts: tuple[str, ...] = ()
    healthy: bool = True
    called_at: datetime | None = None
    heard_at: datetime | None = None
    file_at: datetime | None = None
    not_applied: int = 0
    stopped_rails: int = 0


@dataclass(frozen=True)
class AccountLink:
    """One trust account: the last file that the bank took, the last statement, what is reserved."""

    trust_account_ref: str
    name: str
    bank_code: str
    bank_name: str
    sent_at: datetime | None
    statement_at: datetime | None
    statement_on: date | None
    reserved_cents: int


def bank_healths(session: Session) -> list[BankHealth]:
    """Return the health of every bank from what was recorded, with its accounts. Two queries."""
    found: dict[str, BankHealth] = {}
    accounts = select(TrustAccount.bank_code, TrustAccount.bank_name, TrustAccount.name)
    for code, bank_name, account in session.execute(accounts.order_by(TrustAccount.name)):
        bank = found.setdefault(code, BankHealth(code, bank_name))
        bank.accounts = (*bank.accounts, account)
    for kind, source, at, count in session.execute(_recorded()):
        code = _bank_of(source)
        _note(found.setdefault(code, BankHealth(code, code)), kind, source, at, int(count or 0))
    return list(found.values())


def _bank_of(source: str) -> str:
    """Return the bank that a record is about: it was read, or brought to our door."""
    if source in _FILES:
        return FILE_DROP
    return source.removeprefix(events.source_of("")).removeprefix(hints.SOURCE)


def _note(bank: BankHealth, kind: str, source: str, at: datetime, count: int) -> None:
    if kind == _STOP:
        bank.stopped_rails += count
    elif kind == _INBOX:
        bank.not_applied += count
        if source in _FILES:
            bank.file_at = _later(bank.file_at, at)
        else:
            bank.heard_at = _later(bank.heard_at, at)
    else:
        bank.called_at = _later(bank.called_at, at)
        bank.healthy = bank.healthy and not (kind == _CURSOR and count)


def _later(before: datetime | None, at: datetime) -> datetime:
    return at if before is None else max(before, at)


def _recorded() -> CompoundSelect[str, str, datetime, int]:
    cursor, item, call, stop = BankCursor, BankInboxItem, BankCallRow, RailStop
    failing = case((cursor.link_healthy.is_(False), 1), else_=0)
    waiting = func.count() - func.count(item.applied_at)
    return union_all(
        select(literal(_CURSOR), cursor.source, cursor.read_at, failing),
        select(literal(_INBOX), item.source, func.max(item.received_at), waiting).group_by(
            item.source
        ),
        select(literal(_CALL), call.bank, func.max(call.at), func.count())
        .where(call.status.between(*_ANSWERED))
        .group_by(call.bank),
        select(literal(_STOP), stop.bank, func.max(stop.stopped_at), func.count())
        .where(stop.lifted_at.is_(None))
        .group_by(stop.bank),
    )


def account_links(session: Session, actor: Actor) -> list[AccountLink]:
    """Return every trust account with its last file, last statement and reservations. One query.

    Raises Forbidden without the permission.
    """
    actor.require(Permission.BANK_ACCOUNTS_VIEW)
    sent_at = (
        select(func.max(BankFile.transmitted_at))
        .join(PaymentRun, PaymentRun.id == BankFile.run_id)
        .where(PaymentRun.trust_account_id == TrustAccount.id)
        .scalar_subquery()
    )
    statement = BankStatement
    statement_at = (
        select(func.max(statement.imported_at))
        .where(statement.trust_account_id == TrustAccount.id)
        .scalar_subquery()
    )
    statement_on = (
        select(func.max(statement.current_on))
        .where(statement.trust_account_id == TrustAccount.id)
        .scalar_subquery()
    )
    request = DisbursementRequest
    reserved = (
        select(func.sum(func.coalesce(request.approved_cents, request.amount_cents)))
        .join(Case, Case.id == request.case_id)
        .where(Case.trust_account_id == TrustAccount.id, request.state == RequestState.READY.value)
        .scalar_subquery()
    )
    rows = session.execute(
        select(TrustAccount, sent_at, statement_at, statement_on, reserved).order_by(
            TrustAccount.name
        )
    )
    return [
        AccountLink(
            account.reference,
            account.name,
            account.bank_code,
            account.bank_name,
            sent,
            imported,
            on,
            int(cents or 0),
        )
        for account, sent, imported, on, cents in rows
    ]
