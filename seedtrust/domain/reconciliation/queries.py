"""Reads of the bank's statements. Query counts never depend on row counts."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.domain.reconciliation.views import StatementLineView, StatementView
from seedtrust.formats import bai2


def list_statements(
    session: Session,
    actor: Actor,
    *,
    trust_account_id: int | None = None,
    limit: int = 60,
) -> list[StatementView]:
    """Return the statements, the newest day first, superseded ones too."""
    actor.require(Permission.RECONCILIATION_VIEW)
    statement = _statement_rows().order_by(
        BankStatement.as_of_on.desc(), BankStatement.trust_account_id, BankStatement.id.desc()
    )
    if trust_account_id is not None:
        statement = statement.where(BankStatement.trust_account_id == trust_account_id)
    return [_statement(*row) for row in session.execute(statement.limit(limit)).all()]


def statement_view(
    session: Session, actor: Actor, reference: str
) -> tuple[StatementView, list[StatementLineView]]:
    """Return a statement with its lines. Raises NotFound."""
    actor.require(Permission.RECONCILIATION_VIEW)
    found = session.execute(
        _statement_rows().where(BankStatement.reference == reference)
    ).one_or_none()
    if found is None:
        message = "There is no such statement."
        raise NotFound(message)
    lines = session.execute(
        select(BankStatementLine)
        .where(BankStatementLine.statement_id == found[0].id)
        .order_by(BankStatementLine.number)
    ).scalars()
    return _statement(*found), [_line(line, reference) for line in lines]


def line_view(
    session: Session, actor: Actor, reference: str, number: int
) -> tuple[StatementView, StatementLineView]:
    """Return one line of a statement with the statement. Raises NotFound."""
    statement, lines = statement_view(session, actor, reference)
    for line in lines:
        if line.number == number:
            return statement, line
    message = "There is no such line."
    raise NotFound(message)


def unmatched_lines(session: Session, actor: Actor, *, limit: int = 100) -> list[StatementLineView]:
    """Return the lines of current statements that belong to nothing known, oldest first."""
    actor.require(Permission.RECONCILIATION_VIEW)
    rows = session.execute(
        select(BankStatementLine, BankStatement.reference)
        .join(BankStatement, BankStatement.id == BankStatementLine.statement_id)
        .where(
            BankStatementLine.status == ReconciliationStatus.UNMATCHED.value,
            BankStatement.current_on.is_not(None),
        )
        .order_by(BankStatementLine.as_of_on, BankStatementLine.id)
        .limit(limit)
    )
    return [_line(row, reference) for row, reference in rows]


def _statement_rows() -> Select[BankStatement, str, int, int]:
    line = BankStatementLine
    count = (
        select(func.count())
        .where(line.statement_id == BankStatement.id)
        .correlate(BankStatement)
        .scalar_subquery()
    )
    unmatched = (
        select(func.count())
        .where(
            line.statement_id == BankStatement.id,
            line.status == ReconciliationStatus.UNMATCHED.value,
        )
        .correlate(BankStatement)
        .scalar_subquery()
    )
    return select(BankStatement, TrustAccount.name, count, unmatched).join(
        TrustAccount, TrustAccount.id == BankStatement.trust_account_id
    )


def _statement(row: BankStatement, account: str, lines: int, unmatched: int) -> StatementView:
    return StatementView(
        reference=row.reference,
        trust_account=account,
        as_of_on=row.as_of_on,
        version_number=row.version_number,
        is_current=row.current_on is not None,
        file_name=row.file_name,
        sha256=row.sha256,
        opening_cents=row.opening_cents,
        closing_cents=row.closing_cents,
        lines=lines,
        unmatched=unmatched,
        imported_at=row.imported_at,
    )


def _line(row: BankStatementLine, statement_ref: str) -> StatementLineView:
    return StatementLineView(
        number=row.number,
        as_of_on=row.as_of_on,
        type_code=row.type_code,
        type_name=bai2.name_of(row.type_code),
        amount_cents=row.amount_cents,
        bank_reference=row.bank_reference,
        customer_reference=row.customer_reference,
        text=row.text,
        status=ReconciliationStatus(row.status),
        matched_type=row.matched_type,
        matched_ref=row.matched_ref,
        match_rule=row.match_rule,
        statement_ref=statement_ref,
        matched_by=row.matched_by,
    )
