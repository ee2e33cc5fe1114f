"""Matching by a person: choosing among candidates, and undoing with a reason.

What a person decided stands: automatic matching never touches such a line again, also when the
bank sends the day anew. A line of a locked day keeps its match.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Invalid, NotFound, WrongState
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.payments.access import locked_instruction
from seedtrust.domain.payments.returns import apply_return
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation import booking
from seedtrust.domain.reconciliation.ladder import (
    RETURNED,
    TRANSFER,
    Candidate,
    candidates_for_person,
)
from seedtrust.domain.reconciliation.marks import mark
from seedtrust.domain.reconciliation.models import (
    BankStatement,
    BankStatementLine,
    BankTransfer,
    Reconciliation,
)
from seedtrust.domain.reconciliation.states import DayState, TransferState
from seedtrust.domain.reconciliation.transfers import settle_transfer

_BOOKED: Final = frozenset({booking.CHARGE, TRANSFER})
_RETURN_CODE: Final = re.compile(r"R[0-9]{2}")


def candidates(
    session: Session, actor: Actor, *, statement_ref: str, number: int
) -> list[Candidate]:
    """Return what a line may stand for, by account, sum and day. Raises NotFound."""
    actor.require(Permission.RECONCILIATION_VIEW)
    line = session.execute(_line(statement_ref, number)).scalar_one_or_none()
    if line is None:
        raise _no_line()
    if line.status != ReconciliationStatus.UNMATCHED:
        return []
    return candidates_for_person(session, [line])[line.id]


def match_line(
    session: Session,
    actor: Actor,
    *,
    statement_ref: str,
    number: int,
    kind: str,
    reference: str,
    return_code: str = "",
    moment: Moment,
) -> BankStatementLine:
    """Say what a line stands for.

    A transfer that waits for the bank is made with it. A payment whose return the bank has told
    in no other way comes back with the code that the bank gives, such as R03. Raises WrongState,
    NotFound, Forbidden, Invalid.
    """
    actor.require(Permission.DEPOSITS_MATCH)
    line = _locked_line(session, statement_ref, number)
    if line.status != ReconciliationStatus.UNMATCHED:
        message = "This line belongs to something already. Undo that first."
        raise WrongState(message)
    known = candidates_for_person(session, [line])[line.id]
    if not any(one.kind == kind and one.reference == reference for one in known):
        message = "Choose one of the candidates: account, amount and day have to agree."
        raise Invalid(message, errors={"candidate": [message]})
    if kind == TRANSFER:
        _make_transfer(session, actor, reference, line, moment)
    elif kind == RETURNED:
        _take_back(session, actor, reference, line, return_code, moment)
    line.matched_type, line.matched_ref, line.match_rule = kind, reference, "a person"
    line.status, line.matched_at = ReconciliationStatus.MATCHED.value, moment.at
    line.matched_by = actor.name
    mark(session, line, ReconciliationStatus.MATCHED)
    _record(session, actor, "statement_line.matched", statement_ref, line, "", moment)
    return line


def _make_transfer(
    session: Session, actor: Actor, reference: str, line: BankStatementLine, moment: Moment
) -> None:
    [row] = lock_where(session, select(BankTransfer).where(BankTransfer.reference == reference))
    if row.state != TransferState.ORDERED:
        message = "The bank has made this transfer, or it was taken back before."
        raise WrongState(message)
    settle_transfer(session, actor, row, on=line.as_of_on, moment=moment)


def _take_back(  # noqa: PLR0917 - which payment came back with which line, and why
    session: Session,
    actor: Actor,
    reference: str,
    line: BankStatementLine,
    return_code: str,
    moment: Moment,
) -> None:
    run, row = locked_instruction(session, reference)
    if row.returned_on is not None:
        return
    code = return_code.strip().upper()
    if not _RETURN_CODE.fullmatch(code):
        message = "Enter the return code that the bank gives, such as R03."
        raise Invalid(message, errors={"return_code": [message]})
    apply_return(
        session,
        actor,
        run,
        row,
        code=code,
        amount_cents=line.amount_cents,
        returned_on=line.as_of_on,
        moment=moment,
    )


def undo_match(
    session: Session,
    actor: Actor,
    *,
    statement_ref: str,
    number: int,
    reason: str,
    moment: Moment,
) -> BankStatementLine:
    """Take a match away, with a reason; the line waits for a person from now on.

    What was booked from the statement stays booked: it is corrected in the books, not here.
    Raises WrongState for a locked day or a line without a match, Invalid without a reason,
    NotFound and Forbidden.
    """
    actor.require(Permission.DEPOSITS_MATCH)
    words = " ".join(reason.split())[:500]
    if not words:
        message = "Say why the match is wrong; it is kept with the line."
        raise Invalid(message, errors={"reason": [message]})
    line = _locked_line(session, statement_ref, number)
    if line.status != ReconciliationStatus.MATCHED:
        message = "This line has no match that could be undone."
        raise WrongState(message)
    if line.matched_type in _BOOKED or line.match_rule == booking.BOOKED:
        message = "This line was booked as it came. Match or send back the deposit instead."
        raise WrongState(message)
    _record(session, actor, "statement_line.unmatched", statement_ref, line, words, moment)
    mark(session, line, ReconciliationStatus.UNMATCHED)
    line.matched_type = line.matched_ref = line.match_rule = ""
    line.status, line.matched_at = ReconciliationStatus.UNMATCHED.value, None
    line.matched_by = actor.name
    return line


def _line(statement_ref: str, number: int) -> Select[BankStatementLine]:
    return (
        select(BankStatementLine)
        .join(BankStatement, BankStatement.id == BankStatementLine.statement_id)
        .where(BankStatement.reference == statement_ref, BankStatementLine.number == number)
    )


def _locked_line(session: Session, statement_ref: str, number: int) -> BankStatementLine:
    rows = lock_where(session, _line(statement_ref, number))
    if not rows:
        raise _no_line()
    line = rows[0]
    sealed = select(Reconciliation.id).where(
        Reconciliation.trust_account_id == line.trust_account_id,
        Reconciliation.current_on == line.as_of_on,
        Reconciliation.state == DayState.LOCKED.value,
    )
    if session.execute(sealed).scalar_one_or_none() is not None:
        message = "The reconciliation of this day is locked; its lines keep what they belong to."
        raise WrongState(message)
    return line


def _no_line() -> NotFound:
    return NotFound("There is no such line.")


def _record(  # noqa: PLR0917 - who did what to which line, and why
    session: Session,
    actor: Actor,
    action: str,
    statement_ref: str,
    line: BankStatementLine,
    reason: str,
    moment: Moment,
) -> None:
    record(
        session,
        actor,
        action,
        "statement",
        statement_ref,
        reason=reason,
        facts={
            "line": line.number,
            "matched_type": line.matched_type,
            "matched_ref": line.matched_ref,
            "amount_cents": line.amount_cents,
        },
        now=moment.at,
    )
