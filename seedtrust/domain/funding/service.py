"""Receiving wires, matching them to cases, and charging the fees that funding sets off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import next_banking_day
from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import InsufficientFunds, NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import require_open
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.cases.states import Milestone, Stage
from seedtrust.domain.disbursements.reservation import recheck_case
from seedtrust.domain.funding import advances, allocating, clearing
from seedtrust.domain.funding.errors import AlreadyMatched, OtherTrustAccount
from seedtrust.domain.funding.locks import locked_deposit
from seedtrust.domain.funding.models import Deposit, Shortage, ShortageDecision
from seedtrust.domain.funding.shortages import cure_from_case
from seedtrust.domain.funding.states import UNIDENTIFIED_KIND, DepositState, ReceiptRail
from seedtrust.domain.funding.telling import tell_parents
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.service import Leg, Posting, TxnKind
from seedtrust.domain.ledger.service import Side as LegSide
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.terms.milestones import record_milestone_on
from seedtrust.domain.terms.models import ContractTerm, ScheduleItem
from seedtrust.domain.terms.states import Category, ItemState, TermKind

FEE_KIND: Final = "fee.not_charged"
_WORDS: Final = re.compile(r"[A-Z0-9]+")
_MEMOS: Final = {
    ReceiptRail.WIRE: "Wire received",
    ReceiptRail.CHECK: "Check deposited",
    ReceiptRail.ECHECK: "E-check received",
}


@dataclass(frozen=True)
class Receipt:
    """What the bank told of money that reached a trust account; the reference is the bank's own."""

    trust_account_id: int
    trust_code: str
    bank: str
    bank_reference: str
    amount_cents: int
    sender_name: str
    text: str
    received_on: date


def receive_wire(
    session: Session,
    actor: Actor,
    *,
    trust_account_id: int,
    trust_code: str,
    bank: str,
    bank_reference: str,
    amount_cents: int,
    sender_name: str,
    text: str,
    received_on: date,
    moment: Moment,
) -> Deposit:
    """Book a wire that the bank received: to the case its text names, else as unidentified.

    The same bank reference is booked once. A wire is collected at receipt.
    """
    receipt = Receipt(
        trust_account_id=trust_account_id,
        trust_code=trust_code,
        bank=bank,
        bank_reference=bank_reference,
        amount_cents=amount_cents,
        sender_name=sender_name,
        text=text,
        received_on=received_on,
    )
    return receive(session, actor, receipt, ReceiptRail.WIRE, moment=moment)


def receive(
    session: Session, actor: Actor, receipt: Receipt, rail: ReceiptRail, *, moment: Moment
) -> Deposit:
    """Book what the bank received: to the case that its text names, else as unidentified.

    The same bank reference is booked once. A wire is collected at receipt; the money of a check
    stands on the case and is held as uncollected until `deposits.collect` lets it go. A wire that
    names an advance of the company makes good the shortage for which it was decided.
    """
    known = session.execute(
        select(Deposit).where(
            Deposit.bank == receipt.bank, Deposit.bank_reference == receipt.bank_reference
        )
    ).scalar_one_or_none()
    if known is not None:
        return known
    case = _named_case(session, receipt.trust_account_id, receipt.text)
    advance = None if case or rail is not ReceiptRail.WIRE else _named_advance(session, receipt)
    deposit = _deposit(actor, receipt, rail, case, moment)
    if advance is not None:
        deposit.state = DepositState.COLLECTED.value
    session.add(deposit)
    session.flush()  # refuse a second copy of the money before any posting
    owner = _owner_account(session, case, is_advance=advance is not None)
    _book(session, actor, deposit, receipt.trust_code, owner, moment)
    if rail is ReceiptRail.CHECK:
        clearing.begin(session, deposit)
    facts: dict[str, str | int | bool | None] = {
        "amount_cents": receipt.amount_cents,
        "bank_reference": receipt.bank_reference,
    }
    record(
        session,
        actor,
        "deposit.received",
        "deposit",
        deposit.reference,
        case_id=deposit.case_id,
        facts=facts,
        now=moment.at,
    )
    if advance is not None:
        advances.arrived(session, actor, *advance, deposit, moment)
    elif case is None:
        _ask_for_a_match(session, deposit, moment)
    else:
        credited(session, actor, case, deposit, moment)
    return deposit


def _deposit(
    actor: Actor, receipt: Receipt, rail: ReceiptRail, case: Case | None, moment: Moment
) -> Deposit:
    return Deposit(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=receipt.trust_account_id,
        case_id=case.id if case else None,
        rail=rail.value,
        amount_cents=check_amount_cents(receipt.amount_cents),
        state=(DepositState.RECEIVED if case else DepositState.UNIDENTIFIED).value,
        bank=receipt.bank,
        bank_reference=receipt.bank_reference,
        sender_name=receipt.sender_name[:120],
        text=receipt.text[:300],
        received_on=receipt.received_on,
        matched_on=moment.today if case else None,
        matched_by=actor.name if case else "",
        matched_at=moment.at if case else None,
        reconciliation_status="unmatched",
    )


def _named_case(session: Session, trust_account_id: int, text: str) -> Case | None:
    """Return the one case whose number or reference stands in the wire's text, locked."""
    words = set(_WORDS.findall(text.upper()))
    numbers = {int(word) for word in words if word.isdigit() and len(word) < 10}  # noqa: PLR2004 - shorter than a phone number
    found = lock_where(
        session,
        select(Case)
        .where(
            Case.trust_account_id == trust_account_id,
            Case.stage.not_in((Stage.CLOSED.value, Stage.CANCELLED.value)),
            Case.reference.in_(words) | Case.number.in_(numbers),
        )
        .order_by(Case.id),
    )
    return found[0] if len(found) == 1 else None


def _named_advance(
    session: Session, receipt: Receipt
) -> tuple[Case, Shortage, ShortageDecision] | None:
    return advances.named_advance(
        session, receipt.trust_account_id, receipt.text, receipt.amount_cents
    )


def _owner_account(session: Session, case: Case | None, *, is_advance: bool) -> int:
    if case is not None:
        return case.ledger_account_id
    kind = AccountKind.SHORTAGE_RECEIVABLE if is_advance else AccountKind.UNIDENTIFIED_RECEIPTS
    return chart.account_id(session, "trust", kind)


def _book(  # noqa: PLR0917 - the deposit and where it goes
    session: Session,
    actor: Actor,
    deposit: Deposit,
    trust_code: str,
    owner_account_id: int,
    moment: Moment,
) -> None:
    cash = chart.account_id(session, "trust", f"bank_cash:{trust_code}")
    ledger.post(
        session,
        actor,
        Posting(
            kind=TxnKind.DEPOSIT,
            key=f"deposit:{deposit.bank}:{deposit.bank_reference}",
            effective_on=deposit.received_on,
            legs=(
                Leg(cash, LegSide.DEBIT, deposit.amount_cents),
                Leg(owner_account_id, LegSide.CREDIT, deposit.amount_cents),
            ),
            memo=_MEMOS[ReceiptRail(deposit.rail)],
            category=Category.FUNDING.value,
            source_type="deposit",
            source_ref=deposit.reference,
        ),
        now=moment.at,
    )


def _ask_for_a_match(session: Session, deposit: Deposit, moment: Moment) -> None:
    open_exception(
        session,
        UNIDENTIFIED_KIND,
        "deposit",
        deposit.reference,
        f"A {deposit.rail} came in that names no open case. Match it, or send it back.",
        now=moment.at,
    )


def match_deposit(
    session: Session, actor: Actor, *, deposit_ref: str, case_ref: str, moment: Moment
) -> Deposit:
    """Give an unidentified deposit to a case, effective on the day of matching.

    Raises AlreadyMatched, OtherTrustAccount, CaseClosed, and NotFound.
    """
    case = case_for(session, actor, case_ref, Permission.DEPOSITS_MATCH, locked=True)
    rows = lock_where(session, select(Deposit).where(Deposit.reference == deposit_ref))
    if not rows:
        message = "There is no such deposit."
        raise NotFound(message)
    deposit = rows[0]
    if deposit.state != DepositState.UNIDENTIFIED:
        message = f"{deposit.matched_by or 'Somebody'} has already matched this deposit."
        raise AlreadyMatched(message)
    if deposit.trust_account_id != case.trust_account_id:
        message = "The money lies on another trust account than the case uses."
        raise OtherTrustAccount(message)
    require_open(case)
    unidentified = chart.account_id(session, "trust", "unidentified_receipts")
    ledger.post(
        session,
        actor,
        Posting(
            kind=TxnKind.DEPOSIT,
            key=f"match:{deposit.reference}",
            effective_on=moment.today,
            legs=(
                Leg(unidentified, LegSide.DEBIT, deposit.amount_cents),
                Leg(case.ledger_account_id, LegSide.CREDIT, deposit.amount_cents),
            ),
            memo="Deposit matched",
            category=Category.FUNDING.value,
            source_type="deposit",
            source_ref=deposit.reference,
        ),
        now=moment.at,
    )
    deposit.state, deposit.case_id = DepositState.RECEIVED.value, case.id
    deposit.matched_on, deposit.matched_by = moment.today, actor.name
    deposit.matched_at = moment.at
    close_exceptions_of(
        session, UNIDENTIFIED_KIND, deposit.reference, closed_by=actor.name, now=moment.at
    )
    record(
        session,
        actor,
        "deposit.matched",
        "deposit",
        deposit.reference,
        case_id=case.id,
        facts={"amount_cents": deposit.amount_cents},
        now=moment.at,
    )
    credited(session, actor, case, deposit, moment)
    return deposit


def credited(session: Session, actor: Actor, case: Case, deposit: Deposit, moment: Moment) -> None:
    """Let money that has reached a case count, or hold it as long as it may come back.

    The caller holds the locks of case and deposit and calls this once for a deposit.
    """
    allocating.allocate(session, actor, case, deposit, moment=moment)
    if clearing.is_collected(session, deposit):
        deposit.state = DepositState.COLLECTED.value
        collected_money_counts(session, actor, case, deposit=deposit, moment=moment)
    else:
        clearing.hold(session, actor, case, deposit, moment=moment)
    key = f"deposit.received:{deposit.reference}"
    tell_parents(session, NoticeEvent.DEPOSIT_RECEIVED, key, case, {}, moment=moment)


def collect_deposit(session: Session, actor: Actor, deposit_id: int, *, moment: Moment) -> bool:
    """Take a check whose time has passed for collected; False when there was nothing to do.

    What the case could not pay for want of collected money is then tried again.
    """
    case, deposit = locked_deposit(session, deposit_id)
    if not clearing.let_go(session, actor, deposit, moment=moment):
        return False
    if case is not None:
        collected_money_counts(session, actor, case, deposit=deposit, moment=moment)
    return True


def collected_money_counts(
    session: Session,
    actor: Actor,
    case: Case,
    *,
    deposit: Deposit | None = None,
    moment: Moment,
) -> None:
    """Do what collected money sets off: shortages, the funding milestone, fees, waiting requests.

    What a bounced deposit left missing is made good first. The caller holds the case's lock.
    """
    cure_from_case(session, actor, case, deposit=deposit, moment=moment)
    initial_funding(session, actor, case, moment=moment)
    recheck_case(session, actor, case, moment=moment)


def initial_funding(session: Session, actor: Actor, case: Case, *, moment: Moment) -> bool:
    """Record the milestone once the required funding is collected; True when it was recorded.

    The caller holds the case's lock. Fees that hang on it are charged in the same unit.
    """
    if case.stage != Stage.PENDING_FUNDING:
        return False
    collected = int(
        session.execute(
            select(func.coalesce(func.sum(Deposit.amount_cents), 0)).where(
                Deposit.case_id == case.id, Deposit.state == DepositState.COLLECTED.value
            )
        ).scalar_one()
    )
    if collected < case.funding_required_cents:
        return False
    record_milestone_on(
        session,
        actor,
        case,
        Milestone.INITIAL_FUNDING_RECEIVED,
        occurred_on=moment.today,
        moment=moment,
    )
    charge_due_fees(session, actor, case, moment=moment)
    return True


def charge_due_fees(session: Session, actor: Actor, case: Case, *, moment: Moment) -> int:
    """Charge the fees of the fee schedule that fall due by the next banking day.

    The caller holds the case's lock. Returns how many were charged. A fee that the balance does
    not cover opens an exception and is tried again by the daily job.
    """
    due = session.execute(
        select(ScheduleItem.id, ContractTerm.title, ContractTerm.category)
        .join(ContractTerm, ContractTerm.id == ScheduleItem.term_id)
        .where(
            ScheduleItem.case_id == case.id,
            ScheduleItem.state == ItemState.PLANNED.value,
            ScheduleItem.due_on <= next_banking_day(moment.today),
            ContractTerm.kind == TermKind.FEE.value,
        )
        .order_by(ContractTerm.position, ScheduleItem.number)
    ).all()
    return sum(
        _charge(session, actor, case, item_id, title, category, moment)
        for item_id, title, category in due
    )


def _charge(  # noqa: PLR0917 - the item, its words and its case
    session: Session,
    actor: Actor,
    case: Case,
    item_id: int,
    title: str,
    category: str,
    moment: Moment,
) -> bool:
    item = lock(session, ScheduleItem, item_id)
    if item is None or item.state != ItemState.PLANNED or item.due_on is None:
        return False
    payable = chart.account_id(session, "trust", "fees_payable")
    posting = Posting(
        kind=TxnKind.FEE,
        key=f"fee:{item.reference}",
        effective_on=max(item.due_on, moment.today),
        legs=(
            Leg(case.ledger_account_id, LegSide.DEBIT, item.amount_cents),
            Leg(payable, LegSide.CREDIT, item.amount_cents),
        ),
        memo=title,
        category=category,
        source_type="schedule_item",
        source_ref=item.reference,
    )
    try:
        ledger.post(session, actor, posting, now=moment.at)
    except InsufficientFunds:
        open_exception(
            session,
            FEE_KIND,
            "schedule_item",
            item.reference,
            "The available balance does not cover a fee that is due.",
            case_id=case.id,
            now=moment.at,
        )
        return False
    item.state = ItemState.MATERIALISED.value
    close_exceptions_of(session, FEE_KIND, item.reference, closed_by=actor.name, now=moment.at)
    record(
        session,
        actor,
        "fee.charged",
        "schedule_item",
        item.reference,
        case_id=case.id,
        facts={"amount_cents": item.amount_cents, "category": category},
        now=moment.at,
    )
    return True


def mark_reconciled(deposit: Deposit, status: str) -> None:
    """Record whether the bank's statement shows a deposit; the caller holds its lock."""
    deposit.reconciliation_status = status
