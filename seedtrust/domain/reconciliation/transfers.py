"""Transfers that a person makes at the bank: receipts that go back, fees and repaid advances.

The order is booked at once as money under way, with a reference that stands on the bank's line;
that line settles it. Until then it is part of both the book and the adjusted bank.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.funding import advances, clearing
from seedtrust.domain.funding.locks import locked_deposit
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.states import UNIDENTIFIED_KIND, DecisionKind, DepositState
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.account_kinds import AccountKind, BookCode
from seedtrust.domain.ledger.ownership import kinds_by_owner
from seedtrust.domain.ledger.service import TxnKind
from seedtrust.domain.operations.service import close_exceptions_of
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.reconciliation.errors import NothingToSweep, NotYetCollected
from seedtrust.domain.reconciliation.models import BankTransfer
from seedtrust.domain.reconciliation.proof import owned_accounts
from seedtrust.domain.reconciliation.states import TransferKind, TransferState

_LIABILITY: Final = {
    TransferKind.SEND_BACK: AccountKind.UNIDENTIFIED_RECEIPTS,
    TransferKind.FEE_SWEEP: AccountKind.FEES_PAYABLE,
}
# What the company's own book gains with the transfer: a fee, or an expense that was none.
_EARNED: Final = {
    TransferKind.FEE_SWEEP: AccountKind.FEE_INCOME,
    TransferKind.REPAYMENT: AccountKind.SHORTAGE_EXPENSE,
}
_MEMOS: Final = {
    TransferKind.SEND_BACK: "Sent back to its sender",
    TransferKind.FEE_SWEEP: "Fees swept",
    TransferKind.REPAYMENT: "Advance repaid to the company",
}


def send_back(session: Session, actor: Actor, *, deposit_ref: str, moment: Moment) -> BankTransfer:
    """Order a receipt that belongs to no case back to its sender.

    Raises WrongState once it is matched or sent back, NotYetCollected for a check that may still
    bounce, NotFound and Forbidden.
    """
    actor.require(Permission.DEPOSITS_MATCH)
    known = session.execute(select(Deposit.id).where(Deposit.reference == deposit_ref))
    _, deposit = locked_deposit(session, known.scalar_one_or_none() or 0)
    if deposit.state != DepositState.UNIDENTIFIED:
        message = "Only a deposit without a case can be sent back."
        raise WrongState(message)
    clearance = clearing.of(session, deposit.id)
    if clearance is not None and clearance.collected_on is None:
        message = "This check may still bounce. Send the money back once it is collected."
        raise NotYetCollected(message)
    account = session.get_one(TrustAccount, deposit.trust_account_id)
    kind = TransferKind.SEND_BACK
    row = _row(actor, kind, account, deposit.amount_cents, moment)
    row.deposit_id = deposit.id
    _order(session, actor, row, account, _liability(session, kind), moment)
    deposit.state = DepositState.SENT_BACK.value
    close_exceptions_of(
        session, UNIDENTIFIED_KIND, deposit.reference, closed_by=actor.name, now=moment.at
    )
    return row


def sweep_fees(
    session: Session, actor: Actor, *, trust_account_ref: str, moment: Moment
) -> BankTransfer:
    """Order all fees that a trust account owes the company to its operating account.

    Raises NothingToSweep, NotFound and Forbidden.
    """
    actor.require(Permission.RECONCILIATION_REVIEW)
    # Two sweeps at once: the second one waits here, and finds what the first has left.
    rows = lock_where(
        session, select(TrustAccount).where(TrustAccount.reference == trust_account_ref)
    )
    if not rows:
        message = "There is no such trust account."
        raise NotFound(message)
    account = rows[0]
    sums = kinds_by_owner(session, owned_accounts(account.id), moment.today)
    cents = sums.get(account.id, {}).get(AccountKind.FEES_PAYABLE, 0)
    if cents <= 0:
        message = "No fees wait on this account."
        raise NothingToSweep(message)
    kind = TransferKind.FEE_SWEEP
    row = _row(actor, kind, account, cents, moment)
    return _order(session, actor, row, account, _liability(session, kind), moment)


def repay_advance(
    session: Session, actor: Actor, *, decision_ref: str, moment: Moment
) -> BankTransfer:
    """Decide as the second person that a case repays the company, and order the transfer.

    Only what the company advanced for this case and has not got back, and only out of what the
    case has available. Raises NothingToRepay, ProposerCannotDecide, InsufficientFunds,
    WrongState, NotFound and Forbidden.
    """
    case, shortage, decision = advances.decision_for(session, actor, decision_ref)
    if decision.kind != DecisionKind.REPAYMENT:
        message = "This is no repayment."
        raise WrongState(message)
    account = session.get_one(TrustAccount, case.trust_account_id)
    row = _row(actor, TransferKind.REPAYMENT, account, decision.amount_cents, moment)
    advances.approve_repayment(
        session, actor, case, shortage, decision, transfer_ref=row.reference, moment=moment
    )
    return _order(session, actor, row, account, case.ledger_account_id, moment)


def settle_transfer(
    session: Session, actor: Actor, row: BankTransfer, *, on: date, moment: Moment
) -> None:
    """Book that the bank has moved the money; the caller has found its line and holds the row."""
    account = session.get_one(TrustAccount, row.trust_account_id)
    cash = chart.account_id(session, BookCode.TRUST, chart.bank_cash_code(account.code))
    _post(session, actor, row, (_under_way_account(session, account, moment), cash), on, moment)
    earned = _EARNED.get(TransferKind(row.kind))
    if earned is not None:
        kinds = (AccountKind.OPERATING_CASH, earned)
        ours = chart.account_ids(session, BookCode.OPERATING, kinds)
        legs = (ours[kinds[0]], ours[kinds[1]])
        _post(session, actor, row, legs, on, moment, kind=TxnKind.INCOME)
    row.state, row.settled_on = TransferState.SETTLED.value, on
    _record(session, actor, "bank_transfer.settled", row, moment)


def cancel_transfer(session: Session, actor: Actor, *, reference: str, moment: Moment) -> None:
    """Take an order back that nobody made at the bank. Raises WrongState, NotFound, Forbidden."""
    actor.require(Permission.DEPOSITS_MATCH)
    known = session.execute(select(BankTransfer).where(BankTransfer.reference == reference))
    found = known.scalar_one_or_none()
    if found is None:
        message = "There is no such transfer."
        raise NotFound(message)
    if found.deposit_id is not None:
        locked_deposit(session, found.deposit_id)
    case = _indebted_case(session, found)
    row = lock(session, BankTransfer, found.id)
    if row is None or row.state != TransferState.ORDERED:
        message = "The bank has made this transfer, or it was taken back before."
        raise WrongState(message)
    account = session.get_one(TrustAccount, row.trust_account_id)
    if case is not None:
        advances.take_repayment_back(session, actor, transfer_ref=row.reference, moment=moment)
        owed = case.ledger_account_id
    else:
        owed = _liability(session, TransferKind(row.kind))
    legs = (_under_way_account(session, account, moment), owed)
    _post(session, actor, row, legs, moment.today, moment, kind=TxnKind.CANCELLATION)
    row.state, row.cancelled_on = TransferState.CANCELLED.value, moment.today
    if row.deposit_id is not None:
        deposit = session.get_one(Deposit, row.deposit_id)
        deposit.state = DepositState.UNIDENTIFIED.value
    _record(session, actor, "bank_transfer.cancelled", row, moment)


def _indebted_case(session: Session, row: BankTransfer) -> Case | None:
    """Lock and return the case that a repayment came from; None for other transfers."""
    if row.kind != TransferKind.REPAYMENT:
        return None
    return advances.case_of_repayment(session, row.reference)


def _liability(session: Session, kind: TransferKind) -> int:
    return chart.account_id(session, BookCode.TRUST, _LIABILITY[kind])


def _row(
    actor: Actor, kind: TransferKind, account: TrustAccount, cents: int, moment: Moment
) -> BankTransfer:
    return BankTransfer(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=account.id,
        kind=kind.value,
        state=TransferState.ORDERED.value,
        amount_cents=cents,
        ordered_on=moment.today,
        ordered_by=actor.name,
    )


def _order(  # noqa: PLR0917 - who orders which transfer, and out of what
    session: Session,
    actor: Actor,
    row: BankTransfer,
    account: TrustAccount,
    owed_account_id: int,
    moment: Moment,
) -> BankTransfer:
    session.add(row)
    session.flush()  # the row is there before its posting
    legs = (owed_account_id, _under_way_account(session, account, moment))
    _post(session, actor, row, legs, moment.today, moment, kind=TxnKind.SEND_BACK)
    _record(session, actor, "bank_transfer.ordered", row, moment)
    return row


def _under_way_account(session: Session, account: TrustAccount, moment: Moment) -> int:
    """Return the trust account's own account of money under way, which no other shares."""
    return chart.open_account(
        session,
        BookCode.TRUST,
        AccountKind.IN_TRANSIT,
        f"{AccountKind.IN_TRANSIT}:transfer:{account.code}",
        moment.at,
        owner=("trust_account", account.id),
    )


def _post(  # noqa: PLR0917 - which transfer moves between which accounts, and when
    session: Session,
    actor: Actor,
    row: BankTransfer,
    legs: tuple[int, int],
    on: date,
    moment: Moment,
    *,
    kind: TxnKind = TxnKind.SETTLEMENT,
) -> None:
    ledger.transfer(
        session,
        actor,
        debit_account_id=legs[0],
        credit_account_id=legs[1],
        amount_cents=row.amount_cents,
        kind=kind,
        key=f"transfer:{row.reference}:{kind}",
        effective_on=on,
        memo=_MEMOS[TransferKind(row.kind)],
        source_type="bank_transfer",
        source_ref=row.reference,
        now=moment.at,
    )


def _record(session: Session, actor: Actor, action: str, row: BankTransfer, moment: Moment) -> None:
    record(
        session,
        actor,
        action,
        "bank_transfer",
        row.reference,
        facts={"kind": row.kind, "amount_cents": row.amount_cents},
        now=moment.at,
    )
