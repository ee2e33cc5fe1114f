"""Reads of reconciled days: the history by date, one day, and which days wait for the night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.ownership import OwnerLine, account_balances, lines_of_kind
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.reconciliation.models import BankStatement, BankTransfer, Reconciliation
from seedtrust.domain.reconciliation.proof import owned_accounts, three_way
from seedtrust.domain.reconciliation.states import DayState, TransferKind, TransferState
from seedtrust.domain.reconciliation.views import CaseShare, DayView, ThreeWay, TransferView

_MAX_DAYS: Final = 31
_PROOF: Final = TypeAdapter(ThreeWay)


def history(
    session: Session,
    actor: Actor,
    *,
    trust_account_id: int | None = None,
    page: int = 1,
    per_page: int = 50,
) -> tuple[list[DayView], int]:
    """Return a page of reconciled days, the newest first, and how many there are in all.

    Versions that no longer count are among them. Two queries.
    """
    actor.require(Permission.RECONCILIATION_VIEW)
    row = Reconciliation
    mine = [] if trust_account_id is None else [row.trust_account_id == trust_account_id]
    wanted = (
        _rows()
        .where(*mine)
        .order_by(row.as_of_on.desc(), TrustAccount.name, row.version_number.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    count = session.execute(select(func.count(row.id)).where(*mine)).scalar_one()
    return [_view(found, account) for found, account in session.execute(wanted)], count


def day_for(
    session: Session, actor: Actor, reference: str, *, with_items: bool = True
) -> tuple[DayView, ThreeWay]:
    """Return a day with its proof: computed now while it is open, else as it was kept.

    Raises NotFound.
    """
    actor.require(Permission.RECONCILIATION_VIEW)
    found = session.execute(_rows().where(Reconciliation.reference == reference)).one_or_none()
    if found is None:
        message = "There is no such reconciliation."
        raise NotFound(message)
    row, account = found
    if row.state == DayState.OPEN:
        live = three_way(session, row.trust_account_id, row.as_of_on, with_items=with_items)
        return _view(row, account), live
    return _view(row, account), kept_proof(row.figures)


def last_clean_on(session: Session, trust_account_id: int, on: date) -> date | None:
    """Return the latest day up to `on` whose kept figures agree, or None."""
    row = Reconciliation
    return session.execute(
        select(row.current_on)
        .where(
            row.trust_account_id == trust_account_id,
            row.current_on <= on,
            row.state != DayState.STALE.value,
            row.adjusted_bank_cents == row.book_cents,
            row.book_cents == row.owners_cents,
        )
        .order_by(row.current_on.desc())
        .limit(1)
    ).scalar_one_or_none()


def days_to_check(session: Session, trust_account_id: int, today: date) -> list[date]:
    """Return the days that the night has to look at, the oldest first, at most 31.

    Days with a statement that nobody looked at yet, stale ones, and open ones that differed: what
    was booked meanwhile may have cured them.
    """
    row, statement = Reconciliation, BankStatement
    new = session.execute(
        select(statement.current_on)
        .outerjoin(
            row,
            (row.trust_account_id == statement.trust_account_id)
            & (row.current_on == statement.current_on),
        )
        .where(
            statement.trust_account_id == trust_account_id,
            statement.current_on < today,
            or_(
                row.id.is_(None),
                row.state == DayState.STALE.value,
                (row.state == DayState.OPEN.value)
                & or_(
                    row.adjusted_bank_cents != row.book_cents, row.book_cents != row.owners_cents
                ),
            ),
        )
        .order_by(statement.current_on.desc())
        .limit(_MAX_DAYS)
    ).scalars()
    return sorted(day for day in new if day is not None)


def kept_proof(figures: Mapping[str, object]) -> ThreeWay:
    """Return a proof as its figures were kept."""
    return _PROOF.validate_python(figures)


def _rows() -> Select[Reconciliation, TrustAccount]:
    return select(Reconciliation, TrustAccount).join(
        TrustAccount, TrustAccount.id == Reconciliation.trust_account_id
    )


def _view(row: Reconciliation, account: TrustAccount) -> DayView:
    return DayView(
        reference=row.reference,
        trust_account=account.name,
        trust_account_ref=account.reference,
        on=row.as_of_on,
        version_number=row.version_number,
        is_current=row.current_on is not None,
        state=DayState(row.state),
        adjusted_bank_cents=row.adjusted_bank_cents,
        book_cents=row.book_cents,
        owners_cents=row.owners_cents,
        items=row.items,
        content_hash=row.content_hash,
        checked_at=row.checked_at,
        note=row.note,
        prepared_by=row.prepared_by,
        prepared_at=row.prepared_at,
        prepared_by_user_id=row.prepared_by_user_id,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
        locked_by=row.locked_by,
        locked_at=row.locked_at,
        lock_hash=row.lock_hash,
        stale_because=row.stale_because,
    )


def open_transfers(session: Session, actor: Actor) -> list[TransferView]:
    """Return the transfers that wait for the bank's line, the oldest first. One query."""
    actor.require(Permission.RECONCILIATION_VIEW)
    row = BankTransfer
    rows = session.execute(
        select(
            row.reference,
            TrustAccount.name,
            row.kind,
            row.amount_cents,
            row.ordered_on,
            row.ordered_by,
        )
        .join(TrustAccount, TrustAccount.id == row.trust_account_id)
        .where(row.state == TransferState.ORDERED.value)
        .order_by(row.ordered_on, row.id)
        .limit(200)
    )
    return [
        TransferView(reference, account, TransferKind(kind), cents, on, who)
        for reference, account, kind, cents, on, who in rows
    ]


def lines_behind(
    session: Session, actor: Actor, day: DayView, kind: AccountKind
) -> list[OwnerLine]:
    """Return the latest postings behind one of a day's figures, the newest first. Two queries."""
    actor.require(Permission.RECONCILIATION_VIEW)
    account = _account(session, day)
    return lines_of_kind(session, owned_accounts(account), account, kind, day.on)


def cases_behind(session: Session, actor: Actor, day: DayView) -> list[CaseShare]:
    """Return the largest case ledgers on a day, in cents. Three queries."""
    actor.require(Permission.RECONCILIATION_VIEW)
    mine = Case.trust_account_id == _account(session, day)
    shares = account_balances(session, select(Case.ledger_account_id).where(mine), day.on)
    rows = session.execute(
        select(Case.ledger_account_id, Case.reference, Case.number, Case.name).where(
            Case.ledger_account_id.in_(shares)
        )
    )
    names = {account: (reference, number, name) for account, reference, number, name in rows}
    return [CaseShare(*names[account], cents) for account, cents in shares.items()]


def _account(session: Session, day: DayView) -> int:
    return session.execute(
        select(TrustAccount.id).where(TrustAccount.reference == day.trust_account_ref)
    ).scalar_one()
