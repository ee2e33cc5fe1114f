"""What a line without any reference may belong to: by account, sum and day, to the cent.

A payment run shows as one line of its entries' sum, a wire and a deposit as lines of their own.
A line finds its candidate by itself only if the two want each other alone: two candidates, or
two lines for one, are for a person. Nothing is rounded, and no sums are tried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import banking_days_between
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import InstructionState, Rail, ReconciliationStatus
from seedtrust.domain.reconciliation.models import BankStatementLine, BankTransfer
from seedtrust.domain.reconciliation.states import TransferState

RUN: Final = "run"
INSTRUCTION: Final = "instruction"
RETURNED: Final = "return"
DEPOSIT: Final = "deposit"
BOUNCED: Final = "deposit_return"
# The money of a run of e-checks, which the bank shows in one line.
DEBITS: Final = "debits"
CHECK: Final = "check"
# What a line belongs to: its kind, its reference, and by which rule it was found.
Match = tuple[str, str, str]
TRANSFER: Final = "transfer"
RULE: Final = "account, amount and day"
_UNMATCHED: Final = ReconciliationStatus.UNMATCHED.value
# Banking days between what we know and what the bank shows.
_WINDOW: Final = {Rail.ACH.value: 2, Rail.WIRE.value: 1, "check": 5}
_REACH: Final = timedelta(days=12)
# Within these days a consumer's bank may still return a payment.
_FIRST_SIXTY: Final = timedelta(days=60)
_NOT_HERE: Final = (DepositState.EXPECTED.value, DepositState.IN_PROCESS.value)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something of ours that a line may stand for; `amount_cents` is signed as at the bank."""

    kind: str
    reference: str
    trust_account_id: int
    amount_cents: int
    on: date
    rail: str
    text: str

    def fits(self, line: BankStatementLine) -> bool:
        """Tell whether account, sum and day agree."""
        first, last = sorted((self.on, line.as_of_on))
        return (
            self.trust_account_id == line.trust_account_id
            and self.amount_cents == line.amount_cents
            and banking_days_between(first, last) <= _WINDOW.get(self.rail, 1)
        )


def candidates_for(
    session: Session, lines: Sequence[BankStatementLine]
) -> dict[int, list[Candidate]]:
    """Return what each line may stand for. Four queries, whatever the number of lines."""
    if not lines:
        return {}
    known = [*_runs(session, lines), *_wires(session, lines), *_deposits(session, lines)]
    return {line.id: [one for one in known if one.fits(line)] for line in lines}


def candidates_for_person(
    session: Session, lines: Sequence[BankStatementLine]
) -> dict[int, list[Candidate]]:
    """Return what a person may choose for each line, more than finds its line by itself.

    Transfers that wait for the bank, whatever the line names, and payments of this amount that
    came back, or may have. Six queries, whatever the number of lines.
    """
    found = candidates_for(session, lines)
    if not lines:
        return found
    more = [*_transfers(session, lines), *_returns(session, lines)]
    return {
        line.id: [*found[line.id], *(one for one in more if _may_be(one, line))] for line in lines
    }


def _may_be(one: Candidate, line: BankStatementLine) -> bool:
    return (
        one.trust_account_id == line.trust_account_id
        and one.amount_cents == line.amount_cents
        and timedelta() <= line.as_of_on - one.on <= _FIRST_SIXTY
    )


def sole_candidates(session: Session, lines: Sequence[BankStatementLine]) -> dict[int, Candidate]:
    """Return the lines that have one candidate which no other line wants."""
    found = candidates_for(session, [line for line in lines if not _names_something(line)])
    wanted = Counter(one for several in found.values() for one in several)
    return {
        line_id: several[0]
        for line_id, several in found.items()
        if len(several) == 1 and wanted[several[0]] == 1
    }


def _names_something(line: BankStatementLine) -> bool:
    """Tell whether a line names a payment, or a receipt by the bank's own reference."""
    return bool(line.customer_reference or (line.bank_reference and line.amount_cents > 0))


def _span(lines: Iterable[BankStatementLine]) -> tuple[date, date]:
    days = [line.as_of_on for line in lines]
    return min(days) - _REACH, max(days) + _REACH


def _runs(session: Session, lines: Sequence[BankStatementLine]) -> list[Candidate]:
    row, run, total = PaymentInstruction, PaymentRun, func.sum(PaymentInstruction.amount_cents)
    rows = session.execute(
        select(run.reference, run.trust_account_id, row.settled_on, total, func.count())
        .join(run, run.id == row.run_id)
        .where(
            row.settled_on.between(*_span(lines)),
            row.reconciliation_status == _UNMATCHED,
            run.rail == Rail.ACH.value,
        )
        .group_by(run.reference, run.trust_account_id, row.settled_on)
    )
    return [
        Candidate(RUN, ref, account, -int(cents), day, Rail.ACH.value, f"Run of {count}")
        for ref, account, day, cents, count in rows
        if day is not None
    ]


def _wires(session: Session, lines: Sequence[BankStatementLine]) -> list[Candidate]:
    row = PaymentInstruction
    rows = session.execute(
        select(
            row.reference, row.trust_account_id, row.settled_on, row.amount_cents, row.payee_name
        ).where(
            row.settled_on.between(*_span(lines)),
            row.reconciliation_status == _UNMATCHED,
            row.rail == Rail.WIRE.value,
            row.amount_cents.in_({abs(line.amount_cents) for line in lines}),
        )
    )
    return [
        Candidate(INSTRUCTION, ref, account, -cents, day, Rail.WIRE.value, payee)
        for ref, account, day, cents, payee in rows
        if day is not None
    ]


def _deposits(session: Session, lines: Sequence[BankStatementLine]) -> list[Candidate]:
    row = Deposit
    rows = session.execute(
        select(
            row.reference,
            row.trust_account_id,
            row.amount_cents,
            row.received_on,
            row.rail,
            row.sender_name,
        ).where(
            row.received_on.between(*_span(lines)),
            row.reconciliation_status == _UNMATCHED,
            row.state.not_in(_NOT_HERE),
            row.amount_cents.in_({abs(line.amount_cents) for line in lines}),
        )
    )
    return [Candidate(DEPOSIT, *found) for found in rows]


def _transfers(session: Session, lines: Sequence[BankStatementLine]) -> list[Candidate]:
    row = BankTransfer
    rows = session.execute(
        select(
            row.reference, row.trust_account_id, row.amount_cents, row.ordered_on, row.ordered_by
        ).where(
            row.state == TransferState.ORDERED.value,
            row.amount_cents.in_({-line.amount_cents for line in lines}),
        )
    )
    return [
        Candidate(TRANSFER, ref, account, -cents, day, "transfer", f"Ordered by {who}")
        for ref, account, cents, day, who in rows
    ]


def _returns(session: Session, lines: Sequence[BankStatementLine]) -> list[Candidate]:
    row, line = PaymentInstruction, BankStatementLine
    shown = select(line.matched_ref).where(
        line.matched_type == RETURNED, line.status == ReconciliationStatus.MATCHED.value
    )
    first, last = _span(lines)
    rows = session.execute(
        select(
            row.reference,
            row.trust_account_id,
            row.amount_cents,
            row.settled_on,
            row.rail,
            row.payee_name,
        ).where(
            row.settled_on.between(first - _FIRST_SIXTY, last),
            row.amount_cents.in_({line.amount_cents for line in lines}),
            row.state.in_((InstructionState.SETTLED.value, InstructionState.RETURNED.value)),
            row.reference.not_in(shown),
        )
    )
    return [Candidate(RETURNED, *found[:3], found[3], *found[4:]) for found in rows if found[3]]
