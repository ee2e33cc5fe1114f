"""Paying again what the bank sent back, once there is an account that may be paid."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.disbursements.errors import PayeeNotPayable
from seedtrust.domain.disbursements.life import may
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.paying import pay_again
from seedtrust.domain.disbursements.queries import locked_request
from seedtrust.domain.disbursements.service import require_reason
from seedtrust.domain.disbursements.states import RequestEvent
from seedtrust.domain.payees.queries import destinations


def reissue(
    session: Session, actor: Actor, *, request_ref: str, reason: str, moment: Moment
) -> DisbursementRequest:
    """Approve a returned request anew and reserve its money; the next run pays it.

    Only when the payee has an account in use: a new one has then passed check, call-back, a second
    person and its cooling-off days, a blocked one was put back by two people. Raises
    PayeeNotPayable, WrongState unless it came back, Invalid without a reason, NotFound.
    """
    _case, request = locked_request(session, actor, request_ref, Permission.REQUESTS_LEAD)
    if may(request, RequestEvent.PAY_AGAIN):
        _require_account(session, request)
    why = require_reason(reason)
    pay_again(session, actor, request, reason=why, moment=moment)
    return request


def why_not_payable(session: Session, payee_id: int) -> str:
    """Return why a payee cannot be paid now, in a sentence; empty if it can."""
    where = destinations(session, {payee_id})[payee_id]
    if where.cooling:
        return "The payee's new account is cooling off. Pay it again when it is in use."
    if where.change_open:
        return "New bank details of the payee wait for a decision. Pay it again after that."
    if where.account_id is None and where.blocked_because:
        return (
            "The payee's account is blocked. Ask for new bank details, or let two people put it "
            "back to use."
        )
    if where.account_id is None:
        return "The payee has no approved bank account. Ask for bank details first."
    return ""


def _require_account(session: Session, request: DisbursementRequest) -> None:
    sentence = why_not_payable(session, request.payee_id)
    if sentence:
        raise PayeeNotPayable(sentence, request=request.reference)
