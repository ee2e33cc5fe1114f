"""What each line of a statement belongs to: the ladder that stops at the first sure answer.

First a reference that names exactly one thing of ours, with the amount to the cent; then account,
sum and day, where line and candidate want each other alone. What is left is booked (`booking`) or
stays listed for a person. Nothing is matched by its amount alone, and nothing that a person
decided is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.permissions import Actor
from seedtrust.domain.checks.service import present_check
from seedtrust.domain.funding.models import CheckClearance, Deposit
from seedtrust.domain.funding.service import mark_reconciled as mark_deposit
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments import instructions as payments
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun, TrustAccount
from seedtrust.domain.payments.states import UNCLEAR_STATES, ReconciliationStatus
from seedtrust.domain.payments.unknown import settle_from_statement
from seedtrust.domain.reconciliation.booking import BOOKED, CHARGED
from seedtrust.domain.reconciliation.debits import as_debits, debits_named
from seedtrust.domain.reconciliation.ladder import (
    BOUNCED,
    CHECK,
    DEPOSIT,
    INSTRUCTION,
    RETURNED,
    RULE,
    RUN,
    TRANSFER,
    Match,
    sole_candidates,
)
from seedtrust.domain.reconciliation.marks import mark
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine, BankTransfer
from seedtrust.domain.reconciliation.states import TransferState
from seedtrust.domain.reconciliation.transfers import settle_transfer

_MATCHED: Final = ReconciliationStatus.MATCHED
_UNMATCHED: Final = ReconciliationStatus.UNMATCHED
# BAI2: a check that was paid.
_CHECK_PAID: Final = "475"
GONE_KIND: Final = "statement.line_gone"


def match_open_lines(session: Session, actor: Actor, *, moment: Moment) -> int:
    """Match every line that is still open; returns how many found what they belong to.

    What the bank's event has told later than its statement is found at the next call.
    """
    lines = lock_where(
        session,
        select(BankStatementLine)
        .join(BankStatement, BankStatement.id == BankStatementLine.statement_id)
        .where(
            BankStatementLine.status == _UNMATCHED.value,
            BankStatementLine.matched_by == "",
            BankStatement.current_on.is_not(None),
        )
        .order_by(BankStatementLine.id),
    )
    if not lines:
        return 0
    references = {line.customer_reference for line in lines} - {""}
    _decide_unclear(session, actor, lines, moment)
    by_run = _settled_runs(session, references)
    payments_by_ref = _payments(session, references)
    deposits = _deposits(session, {line.bank_reference for line in lines} - {""})
    bounced = _bounced(session, {line.bank_reference for line in lines} - {""})
    transfers = _transfers(session, references)
    drawn = debits_named(session, references)
    codes = dict(session.execute(select(TrustAccount.id, TrustAccount.code)).all())
    open_lines = []
    made: list[tuple[BankStatementLine, BankTransfer]] = []
    for line in lines:
        found = (
            _as_run(line, by_run.get((line.trust_account_id, line.customer_reference), ()))
            or as_debits(line, drawn)
            or _as_payment(line, payments_by_ref.get(line.customer_reference))
            or _as_deposit(line, deposits.get((codes[line.trust_account_id], line.bank_reference)))
            or _as_bounced(line, bounced.get((codes[line.trust_account_id], line.bank_reference)))
            or _as_transfer(line, transfers.get(line.customer_reference))
        )
        if found is None:
            open_lines.append(line)
            continue
        _settle(line, found, moment)
        if line.matched_type == TRANSFER:
            # Out of the way: a second line under the same reference is no second match.
            made.append((line, transfers.pop(line.matched_ref)))
    session.flush()  # what is matched by now is no candidate any more
    sole = sole_candidates(session, open_lines)
    for line in open_lines:
        candidate = sole.get(line.id)
        if candidate is not None:
            _settle(line, (candidate.kind, candidate.reference, RULE), moment)
            mark(session, line, _MATCHED)
    for line in open_lines:
        _present(session, actor, line, moment)
    # Balances are locked last, so what the bank made is booked when all else is done.
    for line, transfer in made:
        if transfer.state == TransferState.ORDERED:
            settle_transfer(session, actor, transfer, on=line.as_of_on, moment=moment)
    return sum(line.status == _MATCHED.value for line in lines)


def _present(session: Session, actor: Actor, line: BankStatementLine, moment: Moment) -> None:
    """Record that the bank paid a check of ours; the line names it by its number."""
    number = line.customer_reference
    if line.status != _UNMATCHED.value or line.type_code != _CHECK_PAID or not number.isdecimal():
        return
    row = present_check(
        session,
        actor,
        trust_account_id=line.trust_account_id,
        number=int(number),
        amount_cents=-line.amount_cents,
        on=line.as_of_on,
        moment=moment,
    )
    if row is not None:
        _settle(line, (CHECK, row.reference, "check number and amount"), moment)


def _decide_unclear(
    session: Session, actor: Actor, lines: Sequence[BankStatementLine], moment: Moment
) -> None:
    """Let the bank's final statement decide for payments whose outcome is unknown.

    A line that names one is the proof that it went, whatever the interface says or does not say.
    """
    debits = {line.customer_reference: line for line in lines if line.amount_cents < 0}
    unclear = session.execute(
        select(PaymentInstruction.reference).where(
            PaymentInstruction.reference.in_(debits),
            PaymentInstruction.state.in_([state.value for state in UNCLEAR_STATES]),
        )
    ).scalars()
    for reference in list(unclear):
        settle_from_statement(
            session,
            actor,
            instruction_ref=reference,
            amount_cents=-debits[reference].amount_cents,
            settled_on=debits[reference].as_of_on,
            moment=moment,
        )


def release_matches(session: Session, statement: BankStatement) -> None:
    """Forget what the lines of a superseded statement were matched to; its successor matches."""
    for line in _matched_lines(session, statement):
        mark(session, line, _UNMATCHED)
        line.status = ReconciliationStatus.EXCEPTION.value


def restore_matches(session: Session, statement: BankStatement) -> None:
    """Give the lines of a statement that counts again what people decided and what was booked.

    Everything else is open, and is matched anew.
    """
    lines = lock_where(
        session,
        select(BankStatementLine).where(
            BankStatementLine.statement_id == statement.id,
            BankStatementLine.status == ReconciliationStatus.EXCEPTION.value,
        ),
    )
    for line in lines:
        if line.matched_type and (line.matched_by or is_booked(line)):
            line.status = _MATCHED.value
            mark(session, line, _MATCHED)
        else:
            line.matched_type = line.matched_ref = line.match_rule = ""
            line.status, line.matched_at = _UNMATCHED.value, None


def is_booked(line: BankStatementLine) -> bool:
    """Tell whether the books hold something because of this very line."""
    return line.match_rule in {BOOKED, CHARGED} or line.matched_type == TRANSFER


def keep_decisions(
    session: Session,
    *,
    before: BankStatement,
    lines: Sequence[BankStatementLine],
    moment: Moment,
) -> None:
    """Carry what people decided over to the same lines of a corrected statement.

    What was booked from a line that is gone stays in the books, and a person is told.
    """
    successors = {line.identity: line for line in lines}
    earlier = session.execute(
        select(BankStatementLine).where(BankStatementLine.statement_id == before.id)
    ).scalars()
    for old in earlier:
        line = successors.get(old.identity)
        if line is None and is_booked(old):
            open_exception(
                session,
                GONE_KIND,
                "statement",
                before.reference,
                "A line that was booked is not on the corrected statement. Correct the books.",
                occurrence=str(old.number),
                now=moment.at,
            )
        elif line is not None and old.matched_by:
            line.matched_by = old.matched_by
            if old.matched_type:
                found = (old.matched_type, old.matched_ref, old.match_rule)
                _settle(line, found, moment)
                mark(session, line, _MATCHED)


def _matched_lines(session: Session, statement: BankStatement) -> list[BankStatementLine]:
    return lock_where(
        session,
        select(BankStatementLine).where(
            BankStatementLine.statement_id == statement.id,
            BankStatementLine.status == _MATCHED.value,
        ),
    )


def _settle(line: BankStatementLine, found: Match, moment: Moment) -> None:
    line.matched_type, line.matched_ref, line.match_rule = found
    line.status, line.matched_at = _MATCHED.value, moment.at


def _as_run(line: BankStatementLine, rows: Sequence[PaymentInstruction]) -> Match | None:
    settled = [row for row in rows if row.settled_on == line.as_of_on]
    if not settled or sum(row.amount_cents for row in settled) != -line.amount_cents:
        return None
    payments.mark_reconciled(settled, _MATCHED)
    return RUN, line.customer_reference, "run reference and total"


def _as_payment(line: BankStatementLine, row: PaymentInstruction | None) -> Match | None:
    if row is None or row.trust_account_id != line.trust_account_id:
        return None
    if line.amount_cents == -row.amount_cents and row.settled_on == line.as_of_on:
        payments.mark_reconciled([row], _MATCHED)
        return INSTRUCTION, row.reference, "payment reference and amount"
    if line.amount_cents == row.amount_cents and row.returned_on == line.as_of_on:
        return RETURNED, row.reference, "payment reference and amount"
    return None


def _as_deposit(line: BankStatementLine, deposit: Deposit | None) -> Match | None:
    if deposit is None or deposit.amount_cents != line.amount_cents:
        return None
    mark_deposit(deposit, _MATCHED.value)
    return DEPOSIT, deposit.reference, "bank reference and amount"


def _as_bounced(line: BankStatementLine, deposit: Deposit | None) -> Match | None:
    if deposit is None or deposit.amount_cents != -line.amount_cents:
        return None
    return BOUNCED, deposit.reference, "bank reference and amount"


def _as_transfer(line: BankStatementLine, transfer: BankTransfer | None) -> Match | None:
    if transfer is None or transfer.trust_account_id != line.trust_account_id:
        return None
    is_open = transfer.state == TransferState.ORDERED or transfer.settled_on == line.as_of_on
    if not is_open or transfer.amount_cents != -line.amount_cents:
        return None
    return TRANSFER, transfer.reference, "our reference and amount"


def _transfers(session: Session, references: set[str]) -> dict[str, BankTransfer]:
    rows = lock_where(
        session,
        select(BankTransfer)
        .where(BankTransfer.reference.in_(references))
        .order_by(BankTransfer.id),
    )
    return {row.reference: row for row in rows}


def _settled_runs(
    session: Session, references: set[str]
) -> dict[tuple[int, str], list[PaymentInstruction]]:
    runs = session.execute(
        select(PaymentRun.id, PaymentRun.trust_account_id, PaymentRun.reference).where(
            PaymentRun.reference.in_(references)
        )
    ).all()
    keys = {run_id: (account_id, reference) for run_id, account_id, reference in runs}
    rows = lock_where(
        session,
        select(PaymentInstruction)
        .where(PaymentInstruction.run_id.in_(keys), PaymentInstruction.settled_on.is_not(None))
        .order_by(PaymentInstruction.id),
    )
    found: dict[tuple[int, str], list[PaymentInstruction]] = {}
    for row in rows:
        found.setdefault(keys[row.run_id], []).append(row)
    return found


def _payments(session: Session, references: set[str]) -> dict[str, PaymentInstruction]:
    rows = lock_where(
        session,
        select(PaymentInstruction)
        .where(PaymentInstruction.reference.in_(references))
        .order_by(PaymentInstruction.id),
    )
    return {row.reference: row for row in rows}


def _deposits(session: Session, references: set[str]) -> dict[tuple[str, str], Deposit]:
    rows = lock_where(
        session,
        select(Deposit).where(Deposit.bank_reference.in_(references)).order_by(Deposit.id),
    )
    return {(row.bank, row.bank_reference): row for row in rows}


def _bounced(session: Session, references: set[str]) -> dict[tuple[str, str], Deposit]:
    rows = session.execute(
        select(CheckClearance.return_reference, Deposit)
        .join(Deposit, Deposit.id == CheckClearance.deposit_id)
        .where(CheckClearance.return_reference.in_(references))
    )
    return {(deposit.bank, str(reference)): deposit for reference, deposit in rows}
