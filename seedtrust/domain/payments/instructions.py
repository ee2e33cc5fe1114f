"""The life of one payment: every state it takes, and what each does to the books."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import WrongState
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.chart import AccountKind, BookCode
from seedtrust.domain.ledger.service import Link, Posting, Relation, TxnKind
from seedtrust.domain.outbox.service import promise
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.eligibility import paid_before
from seedtrust.domain.payments.models import InstructionEvent, PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import (
    INSTRUCTION_LABELS,
    INSTRUCTION_STEPS,
    LIVE_STATES,
    InstructionState,
    Rail,
    ReconciliationStatus,
)

SOURCE: Final = "instruction"
REFUND_SETTLED: Final = "closing.refund_settled"
CAME_BACK_CLOSED: Final = "closing.payment_came_back"

_S = InstructionState
_LINE_KINDS: Final = {
    RequestKind.REQUEST: TxnKind.DISBURSEMENT,
    RequestKind.SCHEDULED: TxnKind.SCHEDULED,
    RequestKind.REFUND: TxnKind.REFUND,
}


def state_of(instruction: PaymentInstruction) -> InstructionState:
    """Return where a payment stands."""
    return InstructionState(instruction.state)


def of_run(
    session: Session, run_id: int, states: Collection[InstructionState] | None = None
) -> list[PaymentInstruction]:
    """Lock and return the payments of a run in its order, all or those in some states."""
    statement = select(PaymentInstruction).where(PaymentInstruction.run_id == run_id)
    if states is not None:
        wanted = tuple(state.value for state in states)
        statement = statement.where(PaymentInstruction.state.in_(wanted))
    return lock_where(session, statement.order_by(PaymentInstruction.position))


def requests_of(
    session: Session, instructions: Collection[PaymentInstruction]
) -> dict[int, DisbursementRequest]:
    """Lock and return the requests of payments by id, in their order."""
    ids = {row.request_id for row in instructions}
    rows = lock_where(
        session,
        select(DisbursementRequest)
        .where(DisbursementRequest.id.in_(ids))
        .order_by(DisbursementRequest.id),
    )
    return {row.id: row for row in rows}


def step(
    session: Session,
    actor: Actor,
    instruction: PaymentInstruction,
    to: InstructionState,
    *,
    word: str = "",
    moment: Moment,
) -> None:
    """Move a payment one step of its life; `word` is the bank's own. Raises WrongState."""
    state = state_of(instruction)
    if to not in INSTRUCTION_STEPS[state]:
        message = (
            f"Payment {instruction.reference} is {INSTRUCTION_LABELS[state].lower()} and cannot "
            f"become {INSTRUCTION_LABELS[to].lower()}."
        )
        raise WrongState(message, instruction=instruction.reference, state=state.value)
    instruction.state, instruction.state_since_at = to.value, moment.at
    if to not in LIVE_STATES:
        instruction.live_request_id = None
    session.add(first_event(actor, instruction, state, word=word, moment=moment))


def first_event(
    actor: Actor,
    instruction: PaymentInstruction,
    from_state: InstructionState | None,
    *,
    word: str = "",
    moment: Moment,
) -> InstructionEvent:
    """Return the line of a payment's timeline for the state that it has just taken."""
    return InstructionEvent(
        id=new_id(),
        instruction_id=instruction.id,
        from_state=None if from_state is None else from_state.value,
        to_state=instruction.state,
        bank_word=word[:200],
        actor_name=actor.name,
        on_business_date=moment.today,
        at=moment.at,
    )


def mark_sent(
    session: Session,
    actor: Actor,
    instructions: Sequence[PaymentInstruction],
    *,
    word: str = "",
    moment: Moment,
) -> None:
    """Record that the bank has payments: each reservation becomes money under way.

    The case line carries the expected settlement day and stands in the order given.
    """
    if not instructions:
        return
    requests = requests_of(session, instructions)
    came_back = paid_before(session, requests)
    payees = _payee_references(session, instructions)
    transit = _transit_accounts(session, instructions)
    for row in instructions:
        request = requests[row.request_id]
        assert request.hold_id is not None, "a payment in a run has its money reserved"
        captured = ledger.capture(
            session,
            actor,
            request.hold_id,
            amount_cents=row.amount_cents,
            key=f"send:{row.reference}",
            effective_on=row.effective_on,
            credit_account_id=transit[row.rail],
            kind=_line_kind(request, came_back),
            category=request.category,
            memo=f"Request {request.reference}",
            source_type=SOURCE,
            source_ref=row.reference,
            counterparty_ref=payees[row.payee_id],
            now=moment.at,
        )
        row.capture_txn_id = captured.txn_id
        row.sent_on = moment.today
        step(session, actor, row, _S.SENT, word=word, moment=moment)


def mark_settled(
    session: Session,
    actor: Actor,
    instructions: Sequence[PaymentInstruction],
    *,
    settled_on: date,
    word: str = "",
    moment: Moment,
) -> None:
    """Record that the bank has moved the money on a day, and that the requests are paid."""
    if not instructions:
        return
    requests = requests_of(session, instructions)
    cash = _cash_accounts(session, instructions)
    transit = _transit_accounts(session, instructions)
    postings = [
        _settlement(row, transit[row.rail], cash[row.trust_account_id], settled_on)
        for row in instructions
    ]
    ledger.post_many(session, actor, postings, now=moment.at)
    for row in instructions:
        row.settled_on = settled_on
        step(session, actor, row, _S.SETTLED, word=word, moment=moment)
        request = requests[row.request_id]
        paying.mark_paid(session, actor, request, payment=row.reference, moment=moment)
        if request.kind == RequestKind.REFUND:
            payload = {"instruction": row.reference}
            promise(session, REFUND_SETTLED, row.reference, payload, now=moment.at)


def mark_reconciled(rows: Collection[PaymentInstruction], status: ReconciliationStatus) -> None:
    """Record whether the bank's statement shows payments; the caller holds their locks."""
    for row in rows:
        row.reconciliation_status = status.value


def mark_refused(
    session: Session,
    actor: Actor,
    instructions: Sequence[PaymentInstruction],
    *,
    to: InstructionState = InstructionState.REJECTED,
    on: date,
    word: str = "",
    moment: Moment,
) -> None:
    """Record that the bank did not carry payments out: the money goes back to its case.

    A payment that was under way is reversed and reserved again; one that never left keeps its
    reservation. Its request is READY again either way.
    """
    requests = requests_of(session, instructions)
    for row in instructions:
        was_under_way = row.capture_txn_id is not None
        if row.capture_txn_id is not None:
            # By effective date nothing comes back before it has left.
            row.returned_on = max(on, row.effective_on)
            ledger.reverse(
                session,
                actor,
                row.capture_txn_id,
                key=f"refused:{row.reference}",
                effective_on=row.returned_on,
                memo=f"Request {requests[row.request_id].reference}",
                category=requests[row.request_id].category,
                source_type=SOURCE,
                source_ref=row.reference,
                now=moment.at,
            )
        step(session, actor, row, to, word=word, moment=moment)
        paying.leave_run(
            session,
            actor,
            requests[row.request_id],
            reason=INSTRUCTION_LABELS[to],
            money_came_back=was_under_way,
            moment=moment,
        )


def mark_returned(
    session: Session,
    actor: Actor,
    instruction: PaymentInstruction,
    *,
    code: str,
    returned_on: date,
    reason: str,
    word: str = "",
    moment: Moment,
) -> None:
    """Record that the receiving bank sent a payment back: the money returns to its case.

    `reason` is what the parties may read, `word` the bank's own.

    What comes back had settled, even when the return is heard of first. On a CLOSED case it goes
    to returned payments, because that case's ledger takes nothing any more, and the case is to be
    reopened.
    """
    if state_of(instruction) is not _S.SETTLED:
        expected = instruction.effective_on
        mark_settled(session, actor, [instruction], settled_on=expected, moment=moment)
    request = requests_of(session, [instruction])[instruction.request_id]
    case = session.get(Case, instruction.case_id)
    assert case is not None, "a payment belongs to a case"
    instruction.returned_to_case = case.stage != Stage.CLOSED
    target = case.ledger_account_id if instruction.returned_to_case else _returned(session)
    cash = _cash_accounts(session, [instruction])[instruction.trust_account_id]
    assert instruction.capture_txn_id is not None, "what came back had been sent"
    amount = instruction.amount_cents
    ledger.post(
        session,
        actor,
        Posting(
            TxnKind.RETURN,
            f"return:{instruction.reference}",
            returned_on,
            (ledger.debit(cash, amount), ledger.credit(target, amount)),
            memo=f"Request {request.reference}",
            category=request.category,
            source_type=SOURCE,
            source_ref=instruction.reference,
            links=(Link(Relation.CORRECTS, instruction.capture_txn_id),),
        ),
        now=moment.at,
    )
    instruction.returned_on, instruction.return_code = returned_on, code
    step(session, actor, instruction, _S.RETURNED, word=word, moment=moment)
    paying.mark_returned(
        session, actor, request, reason=reason, payment=instruction.reference, moment=moment
    )
    if not instruction.returned_to_case:
        payload = {"instruction": instruction.reference}
        promise(session, CAME_BACK_CLOSED, instruction.reference, payload, now=moment.at)


def move_to_case(
    session: Session, actor: Actor, instruction: PaymentInstruction, case: Case, moment: Moment
) -> bool:
    """Give a reopened case the money that came back while it was closed; False if it has it.

    The caller holds the locks of case and payment.
    """
    if instruction.returned_to_case or state_of(instruction) is not _S.RETURNED:
        return False
    request = requests_of(session, [instruction])[instruction.request_id]
    ledger.transfer(
        session,
        actor,
        debit_account_id=_returned(session),
        credit_account_id=case.ledger_account_id,
        amount_cents=instruction.amount_cents,
        kind=TxnKind.RETURN,
        key=f"return-to-case:{instruction.reference}",
        effective_on=moment.today,
        memo=f"Request {request.reference}",
        category=request.category,
        source_type=SOURCE,
        source_ref=instruction.reference,
        now=moment.at,
    )
    instruction.returned_to_case = True
    return True


def _line_kind(request: DisbursementRequest, came_back: Collection[int]) -> TxnKind:
    return TxnKind.REISSUE if request.id in came_back else _LINE_KINDS[RequestKind(request.kind)]


def _settlement(
    row: PaymentInstruction, transit_account_id: int, cash_account_id: int, settled_on: date
) -> Posting:
    return Posting(
        TxnKind.SETTLEMENT,
        f"settle:{row.reference}",
        settled_on,
        (
            ledger.debit(transit_account_id, row.amount_cents),
            ledger.credit(cash_account_id, row.amount_cents),
        ),
        source_type=SOURCE,
        source_ref=row.reference,
    )


def _transit_accounts(
    session: Session, instructions: Collection[PaymentInstruction]
) -> dict[str, int]:
    codes = {row.rail: chart.in_transit_code(Rail(row.rail).value, "out") for row in instructions}
    found = chart.account_ids(session, BookCode.TRUST, set(codes.values()))
    return {rail: found[code] for rail, code in codes.items()}


def _returned(session: Session) -> int:
    return chart.account_id(session, BookCode.TRUST, AccountKind.RETURNED_PAYMENTS.value)


def _cash_accounts(
    session: Session, instructions: Collection[PaymentInstruction]
) -> dict[int, int]:
    ids = {row.trust_account_id for row in instructions}
    rows = session.execute(
        select(TrustAccount.id, TrustAccount.ledger_account_id).where(TrustAccount.id.in_(ids))
    )
    return dict(rows.all())


def _payee_references(
    session: Session, instructions: Collection[PaymentInstruction]
) -> dict[int, str]:
    ids = {row.payee_id for row in instructions}
    rows = session.execute(select(Payee.id, Payee.reference).where(Payee.id.in_(ids)))
    return dict(rows.all())
