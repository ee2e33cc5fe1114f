"""Importing the bank's statements, whole or not at all, and saying what each line belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.booking import identities
from seedtrust.domain.reconciliation.errors import StatementRefused
from seedtrust.domain.reconciliation.matching import (
    keep_decisions,
    match_open_lines,
    release_matches,
    restore_matches,
)
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.domain.reconciliation.signing import follow_correction
from seedtrust.formats import bai2

_OPENING: Final = "010"
_CLOSING: Final = "015"
_COUNTS: Final = frozenset({bai2.UPDATE, bai2.DELETION, bai2.CORRECTION})
CORRECTED_KIND: Final = "statement.corrected"
WITHDRAWN_KIND: Final = "statement.withdrawn"
GAP_KIND: Final = "statement.gap"
_Lines = Sequence[bai2.Transaction]


def import_statement(
    session: Session, actor: Actor, *, file_name: str, data: bytes, moment: Moment
) -> list[BankStatement]:
    """Import a BAI2 prior-day statement and match its lines; returns what was new.

    The same bytes again change nothing. Other bytes for a day that is known become a new version
    that takes the place of the old one, and a person is told. A deletion group (status 2) takes
    the statement of its day away until the bank sends the day anew: what its lines belonged to
    stays written on them and is looked for again. Only final prior-day groups count. Raises
    StatementRefused, and imports nothing, when the file is damaged, does not add up, or belongs
    to an account that is not ours.
    """
    actor.require(Permission.RECONCILIATION_VIEW)
    file = _read(file_name, data)
    sha256 = hashlib.sha256(data).hexdigest()
    imported = []
    for group in file.groups:
        if not group.is_final_previous_day or group.status not in _COUNTS:
            continue
        for account in group.accounts:
            trust = _trust_account(session, file_name, group, account)
            if group.status == bai2.DELETION:
                withdraw(session, actor, trust.id, group.as_of_on, sha256=sha256, moment=moment)
                continue
            statement = _take(
                session,
                actor,
                trust,
                account,
                file_name=file_name,
                sha256=sha256,
                as_of_on=group.as_of_on,
                moment=moment,
            )
            if statement is None:
                continue
            imported.append(statement)
            record(
                session,
                actor,
                "statement.imported",
                "statement",
                statement.reference,
                facts={"sha256": sha256, "version": statement.version_number},
                now=moment.at,
            )
    session.flush()  # the new lines are matched together with those that were left over before
    match_open_lines(session, actor, moment=moment)
    return imported


def _read(file_name: str, data: bytes) -> bai2.Bai2File:
    try:
        return bai2.read(data)
    except bai2.Bai2Error as error:
        first = next((item for item in error.findings if not item.is_warning), None)
        reason = str(error) if first is None else f"{first.message} (line {first.line})"
        message = f"{file_name} is not a usable BAI2 statement: {reason}"
        raise StatementRefused(message, errors={"file": [message]}) from error


def _trust_account(
    session: Session, file_name: str, group: bai2.Group, account: bai2.Account
) -> TrustAccount:
    found = session.execute(
        select(TrustAccount).where(
            TrustAccount.routing_number == group.originator,
            TrustAccount.last_four == account.account_number[-4:],
        )
    ).scalars()
    ours = [row for row in found if group.ultimate_receiver in {"", row.bank_account_ref}]
    if len(ours) != 1:
        message = f"{file_name} is of an account that is not one of ours. Ask the bank."
        raise StatementRefused(message, errors={"file": [message]})
    return ours[0]


def _take(
    session: Session,
    actor: Actor,
    trust: TrustAccount,
    account: bai2.Account,
    *,
    file_name: str,
    sha256: str,
    as_of_on: date,
    moment: Moment,
) -> BankStatement | None:
    earlier = lock_where(
        session,
        select(BankStatement)
        .where(BankStatement.trust_account_id == trust.id, BankStatement.as_of_on == as_of_on)
        .order_by(BankStatement.version_number),
    )
    again = next((row for row in earlier if row.sha256 == sha256), None)
    if again is not None:
        return _restored(session, actor, earlier, again, moment)
    opening, closing = _balances(file_name, account)
    for old in earlier:
        old.current_on = None
        release_matches(session, old)
        follow_correction(session, actor, old, moment=moment)
    session.flush()  # the day is free for the statement that now counts
    statement = BankStatement(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=trust.id,
        as_of_on=as_of_on,
        version_number=len(earlier) + 1,
        current_on=as_of_on,
        file_name=file_name[:80],
        sha256=sha256,
        opening_cents=opening,
        closing_cents=closing,
        imported_at=moment.at,
    )
    session.add(statement)
    session.flush()  # the lines refer to the row
    lines = _lines(statement, account.transactions)
    session.add_all(lines)
    if earlier:
        session.flush()
        keep_decisions(session, before=earlier[-1], lines=lines, moment=moment)
        sentence = f"The bank corrected its statement of {as_of_on.isoformat()}."
        _tell(session, CORRECTED_KIND, statement, sentence, moment)
        _nothing_withdrawn(session, actor, earlier, moment)
    _check_continuity(session, statement, moment)
    return statement


def withdraw(
    session: Session,
    actor: Actor,
    trust_account_id: int,
    as_of_on: date,
    *,
    sha256: str,
    moment: Moment,
) -> BankStatement | None:
    """Take away the statement of a day that the bank has deleted; None when nothing is there.

    The same deletion again changes nothing, also when the day has been sent anew meanwhile. What
    was booked from its lines stays in the books; a person is told that the day is open.
    """
    rows = lock_where(
        session,
        select(BankStatement)
        .where(
            BankStatement.trust_account_id == trust_account_id,
            BankStatement.as_of_on == as_of_on,
        )
        .order_by(BankStatement.version_number),
    )
    current = next((row for row in rows if row.current_on is not None), None)
    if current is None or any(row.withdrawn_by_sha256 == sha256 for row in rows):
        return None
    current.current_on, current.withdrawn_by_sha256 = None, sha256
    release_matches(session, current)
    follow_correction(session, actor, current, moment=moment)
    sentence = (
        f"The bank has deleted its statement of {as_of_on.isoformat()}. The day is open until it "
        "sends another one; ask the bank if none comes."
    )
    _tell(session, WITHDRAWN_KIND, current, sentence, moment)
    record(
        session,
        actor,
        "statement.withdrawn",
        "statement",
        current.reference,
        facts={"sha256": sha256, "version": current.version_number},
        now=moment.at,
    )
    return current


def _restored(
    session: Session,
    actor: Actor,
    earlier: Sequence[BankStatement],
    again: BankStatement,
    moment: Moment,
) -> BankStatement | None:
    """Let a statement count again that was deleted and now comes as it was; else change nothing."""
    if not again.withdrawn_by_sha256 or any(row.current_on is not None for row in earlier):
        return None
    again.current_on = again.as_of_on
    restore_matches(session, again)
    _nothing_withdrawn(session, actor, earlier, moment)
    _check_continuity(session, again, moment)
    return again


def _nothing_withdrawn(
    session: Session, actor: Actor, earlier: Sequence[BankStatement], moment: Moment
) -> None:
    for row in earlier:
        close_exceptions_of(
            session, WITHDRAWN_KIND, row.reference, closed_by=actor.name, now=moment.at
        )


def _balances(file_name: str, account: bai2.Account) -> tuple[int, int]:
    opening, closing = account.balance_cents(_OPENING), account.balance_cents(_CLOSING)
    if opening is None or closing is None:
        message = f"{file_name} names no opening or closing balance, so it proves nothing."
        raise StatementRefused(message, errors={"file": [message]})
    moved = sum(line.signed_cents for line in account.transactions)
    if opening + moved != closing:
        message = (
            f"{file_name} does not add up: {format_dollars(opening)} and lines of "
            f"{format_dollars(moved)} do not make {format_dollars(closing)}. Ask the bank."
        )
        raise StatementRefused(message, errors={"file": [message]})
    return opening, closing


def _lines(statement: BankStatement, lines: _Lines) -> list[BankStatementLine]:
    return [
        BankStatementLine(
            id=new_id(),
            statement_id=statement.id,
            trust_account_id=statement.trust_account_id,
            number=number,
            identity=identity,
            as_of_on=statement.as_of_on,
            type_code=line.type_code,
            amount_cents=line.signed_cents,
            bank_reference=line.bank_reference[:80],
            customer_reference=line.customer_reference[:80],
            text=" / ".join(line.text_lines)[:500],
            status=ReconciliationStatus.UNMATCHED.value,
        )
        for number, (line, identity) in enumerate(
            zip(lines, identities(lines), strict=True), start=1
        )
        if line.signed_cents != 0
    ]


def _check_continuity(session: Session, statement: BankStatement, moment: Moment) -> None:
    before = session.execute(
        select(func.max(BankStatement.current_on)).where(
            BankStatement.trust_account_id == statement.trust_account_id,
            BankStatement.current_on < statement.as_of_on,
        )
    ).scalar_one_or_none()
    if before is None:
        return
    closing = session.execute(
        select(BankStatement.closing_cents).where(
            BankStatement.trust_account_id == statement.trust_account_id,
            BankStatement.current_on == before,
        )
    ).scalar_one()
    if closing != statement.opening_cents:
        sentence = (
            f"The statement of {statement.as_of_on.isoformat()} opens with another balance than "
            f"that of {before.isoformat()} closed with. A day may be missing: ask the bank."
        )
        _tell(session, GAP_KIND, statement, sentence, moment)


def _tell(
    session: Session, kind: str, statement: BankStatement, sentence: str, moment: Moment
) -> None:
    open_exception(session, kind, "statement", statement.reference, sentence, now=moment.at)
