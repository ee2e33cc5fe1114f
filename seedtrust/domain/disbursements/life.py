"""The only place that moves a request from state to state."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import WrongState
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.disbursements.models import DisbursementRequest, DisbursementStep
from seedtrust.domain.disbursements.states import (
    STATE_LABELS,
    STEPS,
    RequestEvent,
    RequestState,
)


def state_of(request: DisbursementRequest) -> RequestState:
    """Return the request's state as its enum."""
    return RequestState(request.state)


def may(request: DisbursementRequest, event: RequestEvent) -> bool:
    """Tell whether the event is a step from where the request stands."""
    return (state_of(request), event) in STEPS


def move(
    session: Session,
    actor: Actor,
    request: DisbursementRequest,
    event: RequestEvent,
    *,
    reason: str = "",
    clause: str = "",
    amount_cents: int | None = None,
    moment: Moment,
) -> DisbursementRequest:
    """Take one step and write it down, with its audit row. Raises WrongState if there is none."""
    before = state_of(request)
    after = STEPS.get((before, event))
    if after is None:
        message = (
            f"This request is {STATE_LABELS[before].lower()}; "
            f"it cannot be moved by “{event.value.replace('_', ' ')}” from there."
        )
        raise WrongState(message, state=before.value, event=event.value)
    request.state = after.value
    request.state_since_at = moment.at
    request.state_reason = reason
    session.add(
        DisbursementStep(
            id=new_id(),
            request_id=request.id,
            event=event.value,
            from_state=before.value,
            to_state=after.value,
            actor_user_id=actor.user_id,
            actor_name=actor.name,
            amount_cents=amount_cents,
            clause=clause,
            reason=reason,
            on_business_date=moment.today,
            at=moment.at,
        )
    )
    record(
        session,
        actor,
        f"request.{event.value}",
        "request",
        request.reference,
        case_id=request.case_id,
        reason=reason,
        facts={"from": before.value, "to": after.value, "amount_cents": amount_cents},
        now=moment.at,
    )
    return request
