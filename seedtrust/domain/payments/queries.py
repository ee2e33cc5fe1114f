"""Named reads of payments. The number of queries never depends on the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, func, not_, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reservation import amount_to_pay
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payees.queries import masked
from seedtrust.domain.payments.access import goes_by_file
from seedtrust.domain.payments.inquiries import is_sent_singly
from seedtrust.domain.payments.models import (
    BankCursor,
    BankFile,
    ControlTotal,
    InstructionEvent,
    PaymentInstruction,
    PaymentRun,
    RunException,
    TrustAccount,
)
from seedtrust.domain.payments.release import needs_second_releaser
from seedtrust.domain.payments.states import (
    EXCEPTION_LABELS,
    INSTRUCTION_LABELS,
    INSTRUCTION_TONES,
    MONEY_OUT,
    RUN_LABELS,
    RUN_STEPS,
    RUN_TONES,
    UNCLEAR_STATES,
    ExceptionReason,
    FileState,
    InstructionState,
    Rail,
    ReconciliationStatus,
    RunState,
)
from seedtrust.domain.payments.views import (
    BankLink,
    ExceptionView,
    FileView,
    PaymentView,
    RunSummary,
    RunView,
    StepView,
    TrustAccountView,
)

LEFT_ALONE: Final = timedelta(seconds=60)
_MAX_PAGE: Final = 200
_OUT: Final = (InstructionState.CANCELLED.value,)

_PaymentRow = tuple[PaymentInstruction, str, DisbursementRequest, Case, str]


def trust_accounts(session: Session, actor: Actor) -> list[TrustAccountView]:
    """Return the trust accounts by name."""
    actor.require(Permission.BANK_ACCOUNTS_VIEW)
    rows = session.execute(select(TrustAccount).order_by(TrustAccount.name)).scalars()
    return [
        TrustAccountView(
            id=row.id,
            reference=row.reference,
            code=row.code,
            name=row.name,
            bank_name=row.bank_name,
            masked_number=masked(row.last_four),
            case_rail=row.case_rail,
            ach_cutoff_local=row.ach_cutoff_local,
            wire_cutoff_local=row.wire_cutoff_local,
            second_release_above_cents=row.second_release_above_cents,
            first_payment_limit_cents=row.first_payment_limit_cents,
        )
        for row in rows
    ]


def trust_account_ids(session: Session, *, code: str | None = None) -> list[int]:
    """Return the ids of all trust accounts, or of the one with a code, in their order."""
    statement = select(TrustAccount.id).order_by(TrustAccount.id)
    if code is not None:
        statement = statement.where(TrustAccount.code == code)
    return list(session.execute(statement).scalars())


def list_runs(
    session: Session,
    actor: Actor,
    *,
    states: Sequence[RunState] = (),
    before_id: int | None = None,
    limit: int = 50,
) -> list[RunSummary]:
    """Return a page of runs, the newest first, all or those in some states."""
    actor.require(Permission.RUNS_VIEW)
    statement = (
        select(PaymentRun)
        .where(PaymentRun.direction == MONEY_OUT)
        .order_by(PaymentRun.id.desc())
        .limit(min(limit, _MAX_PAGE))
    )
    if states:
        statement = statement.where(PaymentRun.state.in_([state.value for state in states]))
    if before_id is not None:
        statement = statement.where(PaymentRun.id < before_id)
    return _summaries(session, list(session.execute(statement).scalars()))


def run_view(session: Session, actor: Actor, reference: str) -> RunView:
    """Return a run with its payments, its exceptions and its file. Raises NotFound."""
    actor.require(Permission.RUNS_VIEW)
    run = session.execute(
        select(PaymentRun).where(PaymentRun.reference == reference)
    ).scalar_one_or_none()
    if run is None:
        message = "There is no such payment run."
        raise NotFound(message)
    summary = _summaries(session, [run])[0]
    account = session.get(TrustAccount, run.trust_account_id)
    limit_cents = None if account is None else account.second_release_above_cents
    next_states = RUN_STEPS[summary.state]
    rows = _payments(
        session,
        _payment_rows()
        .where(PaymentInstruction.run_id == run.id, PaymentInstruction.state.not_in(_OUT))
        .order_by(PaymentInstruction.position),
    )
    builds, releases = actor.may(Permission.RUNS_BUILD), actor.may(Permission.RUNS_RELEASE)
    nothing_left = not any(row.state in UNCLEAR_STATES for row in rows)
    return RunView(
        summary=summary,
        content_hash=run.content_hash,
        state_reason=run.state_reason,
        locked_at=run.locked_at,
        second_releaser_needed=needs_second_releaser(limit_cents, summary.total_cents),
        goes_by_file=account is not None and goes_by_file(account, run.rail),
        payments=tuple(rows),
        exceptions=tuple(_exceptions(session, run)),
        file=_file(session, run),
        may_lock=builds and RunState.LOCKED in next_states and bool(rows),
        may_reopen=builds and summary.state is RunState.LOCKED,
        may_release=(
            releases
            and summary.state is RunState.LOCKED
            and actor.user_id not in {run.builder_user_id, run.releaser_user_id}
        ),
        may_cancel=builds and summary.state in _CANCELLABLE and nothing_left,
    )


def payment_view(
    session: Session, actor: Actor, reference: str
) -> tuple[PaymentView, list[StepView]]:
    """Return a payment and its timeline. Raises NotFound."""
    actor.require(Permission.RUNS_VIEW)
    found = _payments(session, _payment_rows().where(PaymentInstruction.reference == reference))
    if not found:
        message = "There is no such payment."
        raise NotFound(message)
    steps = session.execute(
        select(InstructionEvent)
        .join(PaymentInstruction, PaymentInstruction.id == InstructionEvent.instruction_id)
        .where(PaymentInstruction.reference == reference)
        .order_by(InstructionEvent.id)
    ).scalars()
    return found[0], [_step(row) for row in steps]


def payments_of_request(session: Session, request_id: int) -> list[PaymentView]:
    """Return the payments of a request, oldest first; the caller has checked the scope."""
    return _payments(
        session,
        _payment_rows()
        .where(PaymentInstruction.request_id == request_id)
        .order_by(PaymentInstruction.id),
    )


def payments_in(
    session: Session, actor: Actor, states: Sequence[InstructionState], *, limit: int = 100
) -> list[PaymentView]:
    """Return payments in some states, oldest first, for the Today page."""
    actor.require(Permission.RUNS_VIEW)
    return _payments(
        session,
        _payment_rows()
        .where(PaymentInstruction.state.in_([state.value for state in states]))
        .order_by(PaymentInstruction.id)
        .limit(limit),
    )


def bank_link(session: Session) -> BankLink:
    """Return whether every bank answered when we last asked, and since when the worst is known."""
    rows = list(session.execute(select(BankCursor).order_by(BankCursor.read_at)).scalars())
    return BankLink(
        healthy=all(row.link_healthy for row in rows),
        read_at=rows[0].read_at if rows else None,
    )


def unclear_runs(session: Session, now: datetime) -> list[str]:
    """Return released file runs that have not reached the bank and that nobody works on now."""
    waiting = select(PaymentInstruction.run_id).where(
        PaymentInstruction.state.in_(_WAITING),
        PaymentInstruction.state_since_at <= now - LEFT_ALONE,
    )
    rows = session.execute(
        select(PaymentRun.reference)
        .where(
            not_(is_sent_singly()),
            PaymentRun.state.in_((RunState.RELEASED.value, RunState.UNKNOWN.value)),
            PaymentRun.id.in_(waiting),
        )
        .order_by(PaymentRun.id)
    )
    return list(rows.scalars())


def waiting_payments(session: Session, bank: str, now: datetime) -> list[str]:
    """Return payments that a bank takes singly, not sent yet, on which nobody works now."""
    rows = session.execute(
        select(PaymentInstruction.reference)
        .join(PaymentRun, PaymentRun.id == PaymentInstruction.run_id)
        .join(TrustAccount, TrustAccount.id == PaymentInstruction.trust_account_id)
        .where(
            is_sent_singly(),
            TrustAccount.bank_code == bank,
            PaymentInstruction.state.in_(_NOT_SENT),
            PaymentInstruction.state_since_at <= now - LEFT_ALONE,
        )
        .order_by(PaymentInstruction.id)
    )
    return list(rows.scalars())


_NOT_SENT: Final = (InstructionState.RELEASED.value, InstructionState.SUBMITTING.value)
_WAITING: Final = tuple(
    state.value for state in (InstructionState.RELEASED, *sorted(UNCLEAR_STATES))
)
_CANCELLABLE: Final = frozenset({RunState.OPEN, RunState.LOCKED, RunState.RELEASED})


def _summaries(session: Session, runs: list[PaymentRun]) -> list[RunSummary]:
    ids = [run.id for run in runs]
    totals = {
        run_id: (count, int(cents))
        for run_id, count, cents in session.execute(
            select(
                PaymentInstruction.run_id,
                func.count(),
                func.sum(PaymentInstruction.amount_cents),
            )
            .where(PaymentInstruction.run_id.in_(ids), PaymentInstruction.state.not_in(_OUT))
            .group_by(PaymentInstruction.run_id)
        )
    }
    noted = session.execute(
        select(RunException.run_id, func.count())
        .where(RunException.run_id.in_(ids))
        .group_by(RunException.run_id)
    )
    exceptions = dict(noted.all())
    names = dict(session.execute(select(TrustAccount.id, TrustAccount.name)).all())
    return [
        RunSummary(
            reference=run.reference,
            trust_account=names[run.trust_account_id],
            rail=Rail(run.rail),
            state=RunState(run.state),
            state_label=RUN_LABELS[RunState(run.state)],
            state_tone=RUN_TONES[RunState(run.state)],
            effective_on=run.effective_on,
            built_on=run.built_on,
            builder_name=run.builder_name,
            releaser_name=run.releaser_name,
            second_releaser_name=run.second_releaser_name,
            released_at=run.released_at,
            transmitted_at=run.transmitted_at,
            settled_on=run.settled_on,
            payments=totals.get(run.id, (0, 0))[0],
            total_cents=totals.get(run.id, (0, 0))[1],
            exceptions=exceptions.get(run.id, 0),
        )
        for run in runs
    ]


def _payment_rows() -> Select[PaymentInstruction, str, DisbursementRequest, Case, str]:
    return (
        select(
            PaymentInstruction,
            PaymentRun.reference,
            DisbursementRequest,
            Case,
            Payee.reference,
        )
        .join(PaymentRun, PaymentRun.id == PaymentInstruction.run_id)
        .join(DisbursementRequest, DisbursementRequest.id == PaymentInstruction.request_id)
        .join(Case, Case.id == PaymentInstruction.case_id)
        .join(Payee, Payee.id == PaymentInstruction.payee_id)
    )


def _payments(
    session: Session,
    statement: Select[PaymentInstruction, str, DisbursementRequest, Case, str],
) -> list[PaymentView]:
    return [_payment(row) for row in session.execute(statement)]


def _payment(found: _PaymentRow) -> PaymentView:
    row, run_ref, request, case, payee_ref = found
    state = InstructionState(row.state)
    return PaymentView(
        reference=row.reference,
        run_ref=run_ref,
        request_ref=request.reference,
        case_ref=case.reference,
        case_number=case.number,
        payee_ref=payee_ref,
        payee_name=row.payee_name,
        routing_number=row.routing_number,
        masked_number=masked(row.last_four),
        rail=Rail(row.rail),
        amount_cents=row.amount_cents,
        state=state,
        state_label=INSTRUCTION_LABELS[state],
        state_tone=INSTRUCTION_TONES[state],
        reconciliation_status=ReconciliationStatus(row.reconciliation_status),
        sec_code=row.sec_code,
        entry_description=row.entry_description,
        addenda_text=row.addenda_text,
        trace_number=row.trace_number or "",
        effective_on=row.effective_on,
        settled_on=row.settled_on,
        returned_on=row.returned_on,
        return_code=row.return_code,
        category=request.category,
    )


def _exceptions(session: Session, run: PaymentRun) -> list[ExceptionView]:
    rows = session.execute(
        select(RunException, DisbursementRequest, Case, Payee.name)
        .join(DisbursementRequest, DisbursementRequest.id == RunException.request_id)
        .join(Case, Case.id == DisbursementRequest.case_id)
        .join(Payee, Payee.id == DisbursementRequest.payee_id)
        .where(RunException.run_id == run.id)
        .order_by(RunException.request_id)
    )
    return [
        ExceptionView(
            request_ref=request.reference,
            case_ref=case.reference,
            case_number=case.number,
            payee_name=payee_name,
            amount_cents=amount_to_pay(request),
            reason=ExceptionReason(row.reason),
            reason_label=EXCEPTION_LABELS[ExceptionReason(row.reason)],
            sentence=row.sentence,
        )
        for row, request, case, payee_name in rows
    ]


def _file(session: Session, run: PaymentRun) -> FileView | None:
    found = session.execute(
        select(BankFile, ControlTotal)
        .join(ControlTotal, ControlTotal.file_id == BankFile.id)
        .where(BankFile.live_run_id == run.id)
    ).one_or_none()
    if found is None:
        return None
    file, totals = found
    return FileView(
        reference=file.reference,
        name=file.name,
        state=FileState(file.state),
        created_on=file.created_on,
        modifier=file.modifier,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        sealed_at=file.sealed_at,
        transmitted_at=file.transmitted_at,
        bank_file_ref=file.bank_file_ref,
        bank_word=file.bank_word,
        batch_count=totals.batch_count,
        entry_addenda_count=totals.entry_addenda_count,
        entry_hash=totals.entry_hash,
        debit_cents=totals.debit_cents,
        credit_cents=totals.credit_cents,
    )


def _step(row: InstructionEvent) -> StepView:
    state = InstructionState(row.to_state)
    return StepView(
        to_state=state,
        label=INSTRUCTION_LABELS[state],
        tone=INSTRUCTION_TONES[state],
        bank_word=row.bank_word,
        actor_name=row.actor_name,
        on_business_date=row.on_business_date,
        at=row.at,
    )
