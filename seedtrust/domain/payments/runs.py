"""Building payment runs: everything due goes into the open run or onto its exceptions list."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import canonical_json, lock, lock_where
from seedtrust.core.errors import Conflict, Forbidden, Invalid, NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements import paying
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reservation import amount_to_pay
from seedtrust.domain.disbursements.states import RequestKind, RequestState
from seedtrust.domain.operations.service import close_exceptions_of
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import (
    account_of,
    locked_instruction,
    locked_run,
    move_run,
)
from seedtrust.domain.payments.calendar import earliest_day
from seedtrust.domain.payments.eligibility import Obstacle, Payable, sort_out
from seedtrust.domain.payments.errors import PaymentsNotPossible, RunIsEmpty
from seedtrust.domain.payments.files import discard, live_file
from seedtrust.domain.payments.models import (
    PaymentInstruction,
    PaymentRun,
    RunException,
    TrustAccount,
)
from seedtrust.domain.payments.states import (
    LIVE_STATES,
    NOT_SENT_KIND,
    RETURNED_KIND,
    InstructionState,
    Rail,
    RunState,
)
from seedtrust.domain.terms.states import TaxClass

_DUE: Final = (RequestState.READY, RequestState.INSUFFICIENT, RequestState.ON_HOLD)
# What stands in the receiver's statement (Nacha: PAYROLL for compensation of a person).
_DESCRIPTIONS: Final = {
    TaxClass.COMPENSATION: "PAYROLL",
    TaxClass.REIMBURSEMENT: "REIMBURSE",
    TaxClass.VENDOR: "VENDORPAY",
}
_REFUND: Final = "REFUND"
_PAID_ANEW: Final = (
    InstructionState.RETURNED,
    InstructionState.REJECTED,
    InstructionState.CANCELLED,
    InstructionState.FAILED,
)


def collect_due(
    session: Session,
    actor: Actor,
    *,
    trust_account_id: int,
    rail: Rail | str,
    moment: Moment,
) -> PaymentRun | None:
    """Put everything that is due into the open run of a trust account and rail.

    What cannot be paid stands on the run's exceptions list with the reason; both are worked out
    anew at each call. Due is a request whose pay day is not after the day on which the run would
    settle. Refunds go by wire, everything else by ACH. Returns None when nothing is due and no
    run is open. Raises NotFound, Forbidden.
    """
    actor.require(Permission.RUNS_BUILD)
    rail = Rail(rail)
    # One builder at a time per account: the second finds the run that the first has opened.
    account = lock(session, TrustAccount, trust_account_id)
    if account is None:
        message = "There is no such trust account."
        raise NotFound(message)
    effective_on = earliest_day(session, account, rail, moment)
    run = _open_run(session, account, rail)
    kept = [] if run is None else _in_run(session, run)
    due = _due_requests(session, account, rail, effective_on, {row.case_id for row in kept})
    if run is None and not due:
        return None
    if run is None:
        run = _start(session, actor, account, rail, effective_on=effective_on, moment=moment)
    run.effective_on = effective_on
    obstacles = _drop_unpayable(session, actor, kept, moment)
    found = sort_out(session, [row for row in due if row.id not in obstacles])
    _add(session, actor, run, found.payable, moment)
    _note(session, run, {**obstacles, **found.obstacles}, moment)
    for row in kept:
        row.effective_on = effective_on
    if found.payable or obstacles:
        facts = {"added": len(found.payable), "exceptions": len(obstacles) + len(found.obstacles)}
        _log(session, actor, "run.collected", run, moment, facts=facts)
    return run


def lock_run(session: Session, actor: Actor, *, run_ref: str, moment: Moment) -> PaymentRun:
    """Close an open run for release: its content is hashed and changes no more.

    Raises RunIsEmpty, PaymentsNotPossible when something in it can no longer be paid,
    WrongState, NotFound, Forbidden for a job: a person builds a run.
    """
    actor.require(Permission.RUNS_BUILD)
    if actor.user_id is None:
        message = "A person has to lock a payment run."
        raise Forbidden(message)
    run = locked_run(session, run_ref)
    move_run(run, RunState.LOCKED)
    rows = _in_run(session, run)
    if not rows:
        message = "This run has no payments. Collect what is due first."
        raise RunIsEmpty(message, run=run.reference)
    require_payable(session, rows)
    account = account_of(session, run.trust_account_id)
    run.effective_on = earliest_day(session, account, Rail(run.rail), moment)
    for row in rows:
        row.effective_on = run.effective_on
    run.builder_user_id, run.builder_name = actor.user_id, actor.name
    run.built_on, run.locked_at = moment.today, moment.at
    run.content_hash = content_hash(run, rows)
    _log(session, actor, "run.locked", run, moment, facts={"payments": len(rows)})
    return run


def reopen_run(
    session: Session, actor: Actor, *, run_ref: str, reason: str, moment: Moment
) -> PaymentRun:
    """Open a locked run again; what was released by one of two people is void.

    Raises WrongState, Conflict while another run of the account is open, Invalid without a
    reason, NotFound.
    """
    actor.require(Permission.RUNS_BUILD)
    reason = _reason(reason)
    run = locked_run(session, run_ref)
    other = _open_run(session, account_of(session, run.trust_account_id), Rail(run.rail))
    if other is not None and other.id != run.id:
        message = (
            f"Run {other.reference} is open for this account and rail. Lock or cancel it first."
        )
        raise Conflict(message, run=other.reference)
    if run.state != RunState.LOCKED:
        message = "Only a locked run can be opened again. A released one can be cancelled."
        raise Conflict(message, run=run.reference, state=run.state)
    move_run(run, RunState.OPEN)
    void_release(run)
    run.state_reason = reason
    _log(session, actor, "run.reopened", run, moment, reason=reason)
    return run


def cancel_run(
    session: Session, actor: Actor, *, run_ref: str, reason: str, moment: Moment
) -> PaymentRun:
    """Give up a run that has not been sent; its requests are READY again.

    A released run can be cancelled only before its first byte is on the way. Raises WrongState,
    Invalid without a reason, NotFound.
    """
    actor.require(Permission.RUNS_BUILD)
    reason = _reason(reason)
    run = locked_run(session, run_ref)
    if run.state == RunState.LOCKED:
        move_run(run, RunState.OPEN)
    move_run(run, RunState.CANCELLED)
    rows = life.of_run(session, run.id, {InstructionState.CREATED, InstructionState.RELEASED})
    everything = life.of_run(session, run.id, LIVE_STATES)
    if len(rows) != len(everything):
        message = "Payments of this run are on their way to the bank, so it cannot be cancelled."
        raise Conflict(message, run=run.reference)
    take_out(session, actor, rows, moment)
    file = live_file(session, run)
    if file is not None:
        discard(file)
    run.state_reason = reason
    _log(session, actor, "run.cancelled", run, moment, reason=reason)
    return run


def remove_payment(
    session: Session, actor: Actor, *, instruction_ref: str, reason: str, moment: Moment
) -> PaymentRun:
    """Take one payment out of an open run and put it on the exceptions list.

    It is collected again the next time that due payments are collected. Raises WrongState,
    Invalid without a reason, NotFound.
    """
    actor.require(Permission.RUNS_BUILD)
    reason = _reason(reason)
    run, row = locked_instruction(session, instruction_ref)
    if run.state != RunState.OPEN:
        message = "Payments can be taken out while the run is open. Reopen it first."
        raise Conflict(message, run=run.reference, state=run.state)
    take_out(session, actor, [row], moment)
    _log(session, actor, "run.payment_removed", run, moment, reason=reason)
    return run


def content_hash(run: PaymentRun, rows: Sequence[PaymentInstruction]) -> str:
    """Return the SHA-256 of what a releaser agrees to: who gets how much, where and when."""
    content = {
        "run": run.reference,
        "trust_account": run.trust_account_id,
        "rail": run.rail,
        "effective_on": run.effective_on.isoformat(),
        "payments": [
            [
                row.reference,
                row.request_id,
                row.payee_id,
                row.payee_name,
                row.account_fingerprint,
                row.routing_number,
                row.amount_cents,
                row.sec_code,
                row.entry_description,
                row.addenda_text,
            ]
            for row in rows
        ],
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def require_payable(session: Session, rows: Sequence[PaymentInstruction]) -> None:
    """Refuse when a payment may no longer be made, or no longer to the account it names.

    Raises PaymentsNotPossible.
    """
    obstacles = _obstacles(session, rows)
    if obstacles:
        first = next(iter(obstacles.values()))
        message = (
            f"{len(obstacles)} of these payments cannot be made now. {first.sentence} "
            "Reopen the run, collect what is due again and lock it anew."
        )
        raise PaymentsNotPossible(message, payments=len(obstacles), reason=first.reason.value)


def take_out(
    session: Session, actor: Actor, rows: Sequence[PaymentInstruction], moment: Moment
) -> None:
    """Cancel payments that have not left; their requests are READY again and stay reserved."""
    requests = life.requests_of(session, rows)
    for row in rows:
        life.step(session, actor, row, InstructionState.CANCELLED, moment=moment)
        paying.leave_run(
            session, actor, requests[row.request_id], reason="Taken out of its run", moment=moment
        )
    session.flush()  # the unique key on a request's live payment is free before the next one


def void_release(run: PaymentRun) -> None:
    """Forget who released a run, because what they saw does not hold any more."""
    run.content_hash = ""
    run.releaser_user_id, run.releaser_name = None, ""
    run.second_releaser_user_id, run.second_releaser_name = None, ""
    run.released_at = run.locked_at = None


def _open_run(session: Session, account: TrustAccount, rail: Rail) -> PaymentRun | None:
    key = f"{account.id}:{rail.value}"
    rows = lock_where(session, select(PaymentRun).where(PaymentRun.open_key == key))
    return rows[0] if rows else None


def _in_run(session: Session, run: PaymentRun) -> list[PaymentInstruction]:
    return life.of_run(session, run.id, {InstructionState.CREATED})


def _start(
    session: Session,
    actor: Actor,
    account: TrustAccount,
    rail: Rail,
    *,
    effective_on: date,
    moment: Moment,
) -> PaymentRun:
    run = PaymentRun(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=account.id,
        rail=rail.value,
        state=RunState.OPEN.value,
        open_key=f"{account.id}:{rail.value}",
        effective_on=effective_on,
        built_on=moment.today,
        builder_user_id=actor.user_id,
        builder_name=actor.name,
    )
    session.add(run)
    session.flush()  # payments and exceptions refer to the row
    _log(session, actor, "run.opened", run, moment)
    return run


def _due_requests(
    session: Session,
    account: TrustAccount,
    rail: Rail,
    effective_on: date,
    other_cases: set[int],
) -> list[DisbursementRequest]:
    """Lock and return what is due, after its cases and those of what is in the run already."""
    is_refund = DisbursementRequest.kind == RequestKind.REFUND.value
    due = (
        DisbursementRequest.state.in_(tuple(state.value for state in _DUE)),
        or_(DisbursementRequest.pay_on.is_(None), DisbursementRequest.pay_on <= effective_on),
        is_refund if rail is Rail.WIRE else ~is_refund,
    )
    of_account = (Case.trust_account_id == account.id, Case.rail == account.case_rail)
    case_ids = (
        select(DisbursementRequest.case_id)
        .join(Case, Case.id == DisbursementRequest.case_id)
        .where(*due, *of_account)
    )
    cases = lock_where(
        session,
        select(Case).where(or_(Case.id.in_(case_ids), Case.id.in_(other_cases))).order_by(Case.id),
    )
    return lock_where(
        session,
        select(DisbursementRequest)
        .where(*due, DisbursementRequest.case_id.in_([case.id for case in cases]))
        .order_by(DisbursementRequest.id),
    )


def _obstacles(session: Session, rows: Sequence[PaymentInstruction]) -> dict[int, Obstacle]:
    requests = life.requests_of(session, rows)
    found = sort_out(session, list(requests.values()))
    obstacles = dict(found.obstacles)
    now_paid_to = {item.request.id: item.account.account_fingerprint for item in found.payable}
    for row in rows:
        known = now_paid_to.get(row.request_id)
        if known is not None and known != row.account_fingerprint:
            obstacles[row.request_id] = Obstacle.account_changed()
    return obstacles


def _drop_unpayable(
    session: Session, actor: Actor, rows: Sequence[PaymentInstruction], moment: Moment
) -> dict[int, Obstacle]:
    obstacles = _obstacles(session, rows)
    take_out(session, actor, [row for row in rows if row.request_id in obstacles], moment)
    return obstacles


def _add(
    session: Session, actor: Actor, run: PaymentRun, items: Sequence[Payable], moment: Moment
) -> None:
    if not items:
        return
    position = _last_position(session, run)
    replaced = _latest_of(session, {item.request.id for item in items})
    rows = [
        _instruction(run, item, number, actor, moment)
        for number, item in enumerate(items, start=position + 1)
    ]
    for row in rows:
        row.replaces_id = replaced.get(row.request_id)
    session.add_all(rows)
    session.flush()  # the unique key on live payments speaks before anything else is written
    for row, item in zip(rows, items, strict=True):
        session.add(life.first_event(actor, row, None, moment=moment))
        paying.mark_in_payment(session, actor, item.request, moment=moment)
    _close_replaced(session, actor, replaced.values(), moment)


def _close_replaced(
    session: Session, actor: Actor, replaced_ids: Collection[int], moment: Moment
) -> None:
    """Close what waited for somebody to pay again: another payment replaces it."""
    replaced = session.execute(
        select(PaymentInstruction.reference).where(
            PaymentInstruction.id.in_(replaced_ids),
            PaymentInstruction.state.in_([state.value for state in _PAID_ANEW]),
        )
    ).scalars()
    for reference in list(replaced):
        for kind in (RETURNED_KIND, NOT_SENT_KIND):
            close_exceptions_of(session, kind, reference, closed_by=actor.name, now=moment.at)


def _instruction(
    run: PaymentRun, item: Payable, position: int, actor: Actor, moment: Moment
) -> PaymentInstruction:
    is_company = item.payee.kind == PayeeKind.COMPANY
    is_ach = run.rail == Rail.ACH
    return PaymentInstruction(
        id=new_id(),
        reference=new_reference(),
        request_id=item.request.id,
        live_request_id=item.request.id,
        case_id=item.case.id,
        trust_account_id=run.trust_account_id,
        run_id=run.id,
        position=position,
        payee_id=item.payee.id,
        payee_account_id=item.account.id,
        payee_name=item.payee.name,
        account_fingerprint=item.account.account_fingerprint,
        routing_number=item.account.routing_number,
        last_four=item.account.last_four,
        rail=run.rail,
        amount_cents=amount_to_pay(item.request),
        added_by_user_id=actor.user_id,
        state=InstructionState.CREATED.value,
        state_since_at=moment.at,
        sec_code=("CCD" if is_company else "PPD") if is_ach else "",
        entry_description=_description(item) if is_ach else "",
        addenda_text=_addenda(item) if is_company or not is_ach else "",
        effective_on=run.effective_on,
    )


def _description(item: Payable) -> str:
    if item.request.kind == RequestKind.REFUND:
        return _REFUND
    if item.payee.kind == PayeeKind.COMPANY:
        return _DESCRIPTIONS[TaxClass.VENDOR]
    return _DESCRIPTIONS.get(TaxClass(item.request.tax_class), _DESCRIPTIONS[TaxClass.VENDOR])


def _addenda(item: Payable) -> str:
    # Numbers and references only: a bank statement must not tell who is on a case.
    return f"CASE {item.case.number} REQUEST {item.request.reference}"


def _last_position(session: Session, run: PaymentRun) -> int:
    rows = life.of_run(session, run.id)
    return max((row.position for row in rows), default=0)


def _latest_of(session: Session, request_ids: Collection[int]) -> dict[int, int]:
    """Return the newest earlier payment of each request, which a new one replaces."""
    rows = session.execute(
        select(PaymentInstruction.request_id, PaymentInstruction.id)
        .where(PaymentInstruction.request_id.in_(request_ids))
        .order_by(PaymentInstruction.id)
    )
    return dict(rows.all())


def _note(
    session: Session, run: PaymentRun, obstacles: dict[int, Obstacle], moment: Moment
) -> None:
    session.execute(delete(RunException).where(RunException.run_id == run.id))
    for request_id, obstacle in obstacles.items():
        session.add(
            RunException(
                id=new_id(),
                run_id=run.id,
                request_id=request_id,
                reason=obstacle.reason.value,
                sentence=obstacle.sentence,
                noted_at=moment.at,
            )
        )


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        message = "Say why."
        raise Invalid(message, errors={"reason": [message]})
    return reason[:500]


def _log(
    session: Session,
    actor: Actor,
    action: str,
    run: PaymentRun,
    moment: Moment,
    *,
    reason: str = "",
    facts: dict[str, int] | None = None,
) -> None:
    record(
        session,
        actor,
        action,
        "run",
        run.reference,
        reason=reason,
        facts={"rail": run.rail, **(facts or {})},
        now=moment.at,
    )
