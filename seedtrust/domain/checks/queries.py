"""Reading the check register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import NotFound
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.models import Case
from seedtrust.domain.checks.models import Check
from seedtrust.domain.checks.states import (
    CHECK_LABELS,
    CHECK_TONES,
    OUTSTANDING,
    STALE_AFTER_DAYS,
    CheckState,
)
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.payments.models import TrustAccount

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check of the register, in cents; `stale_after` is its last day as an outstanding one."""

    reference: str
    number: int | None
    trust_account: str
    case_ref: str
    case_number: int
    case_name: str
    request_ref: str
    payee_name: str
    mail_to: str
    amount_cents: int
    state: CheckState
    state_label: str
    state_tone: str
    reason: str
    prepared_by: str
    prepared_by_user_id: int | None
    prepared_on: date
    issued_by: str
    issued_by_user_id: int | None
    issued_on: date | None
    stop_asked_by: str
    stop_asked_by_user_id: int | None
    ended_by: str
    ended_on: date | None
    stale_on: date | None
    stale_after: date | None


def list_checks(
    session: Session, actor: Actor, *, state: CheckState | None = None
) -> list[CheckView]:
    """Return the register, what has no number yet first, then by number downwards. One query."""
    actor.require(Permission.RUNS_VIEW)
    wanted = _rows()
    if state is not None:
        wanted = wanted.where(Check.state == state.value)
    order = (Check.number.is_not(None), Check.number.desc(), Check.id.desc())
    return [_view(*row) for row in session.execute(wanted.order_by(*order).limit(_MOST))]


def check_view(session: Session, actor: Actor, reference: str) -> CheckView:
    """Return one check. Raises NotFound, Forbidden."""
    actor.require(Permission.RUNS_VIEW)
    row = session.execute(_rows().where(Check.reference == reference)).one_or_none()
    if row is None:
        message = "There is no such check."
        raise NotFound(message)
    return _view(*row)


def _rows() -> Select[Check, Case, str, str]:
    return (
        select(Check, Case, DisbursementRequest.reference, TrustAccount.name)
        .join(Case, Case.id == Check.case_id)
        .join(DisbursementRequest, DisbursementRequest.id == Check.request_id)
        .join(TrustAccount, TrustAccount.id == Check.trust_account_id)
    )


def _view(row: Check, case: Case, request_ref: str, trust_account: str) -> CheckView:
    state = CheckState(row.state)
    is_out = row.issued_on is not None and state in OUTSTANDING
    return CheckView(
        reference=row.reference,
        number=row.number,
        trust_account=trust_account,
        case_ref=case.reference,
        case_number=case.number,
        case_name=case.name,
        request_ref=request_ref,
        payee_name=row.payee_name,
        mail_to=row.mail_to,
        amount_cents=row.amount_cents,
        state=state,
        state_label=CHECK_LABELS[state],
        state_tone=CHECK_TONES[state],
        reason=row.reason,
        prepared_by=row.prepared_by,
        prepared_by_user_id=row.prepared_by_user_id,
        prepared_on=row.prepared_on,
        issued_by=row.issued_by,
        issued_by_user_id=row.issued_by_user_id,
        issued_on=row.issued_on,
        stop_asked_by=row.stop_asked_by,
        stop_asked_by_user_id=row.stop_asked_by_user_id,
        ended_by=row.ended_by,
        ended_on=row.ended_on,
        stale_on=row.stale_on,
        stale_after=(
            row.issued_on + timedelta(days=STALE_AFTER_DAYS) if is_out and row.issued_on else None
        ),
    )
