"""Where a run stands, told from where its payments stand."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import move_run
from seedtrust.domain.payments.files import live_file
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import (
    UNCLEAR_STATES,
    FileState,
    InstructionState,
    RunState,
)

_S = InstructionState
_REFUSED = frozenset({_S.REJECTED, _S.FAILED})
_FILE_STATES = {
    RunState.ACKNOWLEDGED: FileState.ACKNOWLEDGED,
    RunState.SETTLED: FileState.SETTLED,
    RunState.REJECTED: FileState.REJECTED,
}


def advance(session: Session, run: PaymentRun, moment: Moment) -> None:
    """Take a run, whose lock the caller holds, as far as its payments have come.

    Its file follows. Payments that never left do not count; a run all of whose payments the bank
    refused is REJECTED.
    """
    session.flush()  # the states that the caller has just set are what is read here
    rows = [row for row in life.of_run(session, run.id) if row.state != _S.CANCELLED]
    while (to := _next(RunState(run.state), rows)) is not None:
        move_run(run, to)
        if to is RunState.TRANSMITTED:
            run.transmitted_at = run.transmitted_at or moment.at
        if to is RunState.SETTLED:
            run.settled_on = max((row.settled_on for row in rows if row.settled_on), default=None)
        file = live_file(session, run)
        if file is not None and to in _FILE_STATES:
            file.state = _FILE_STATES[to].value


def _next(state: RunState, rows: list[PaymentInstruction]) -> RunState | None:
    states = {life.state_of(row) for row in rows}
    if state is RunState.RELEASED and _S.UNKNOWN in states:
        return RunState.UNKNOWN
    if state in {RunState.RELEASED, RunState.UNKNOWN}:
        return _after_release(state, states)
    if state is RunState.TRANSMITTED and states <= _REFUSED:
        return RunState.REJECTED
    if state is RunState.TRANSMITTED and _S.SENT not in states:
        return RunState.ACKNOWLEDGED
    if state is RunState.ACKNOWLEDGED and not states & {_S.SENT, _S.ACCEPTED}:
        return RunState.SETTLED
    return None


def _after_release(state: RunState, states: set[InstructionState]) -> RunState | None:
    if states & {_S.CREATED, _S.RELEASED, *UNCLEAR_STATES}:
        return None
    if states:
        return RunState.TRANSMITTED
    return RunState.CANCELLED if state is RunState.RELEASED else RunState.RELEASED
