"""Every fault of the bank, over a real socket: error, state, and what happens next.

| Fault | What the adapter says | The payment is | Next |
|---|---|---|---|
| time-out, reset, 500, 502, 503 before | OutcomeUnknown | UNKNOWN | twice not found: sent again |
| time-out, reset, 500, 504 after | OutcomeUnknown | UNKNOWN | found: taken as it is |
| body cut off or no JSON, bank hangs | OutcomeUnknown | UNKNOWN | found: taken as it is |
| wrong amount, unknown word | ProtocolError | UNKNOWN, and an alarm | found: taken as it is |
| asked to slow down (429) | NotSent | RELEASED | the promise is kept later |
| expired token | nothing: one new token | ACCEPTED | nothing |
| the day is closed | CutoffPassed | REJECTED, the request READY | the next run is for another day |
| a refusal | Declined | REJECTED, the request READY | a person decides |
| events doubled, reversed, forged, lost | – | as the bank says when asked | `test_bank_hints.py` |
| no look-up | NotSupported when asked | UNKNOWN | statement, or two people |

Whatever the fault, the bank makes the payment at most once and the books stay even.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.payments.ports import HUNTINGTON, BankCall
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import Profile, load_profile
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.sending import inquire_due, send_payment
from tests.factories import payment_world
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import PaymentWorld
from tests.fakes.bank import FakeBank
from tests.gateways.conftest import API_KEY, Simulator
from tests.support.processes import wait_until

PAYMENTS = {"method": "POST", "path": "/v1/payments"}
ONCE_AGAIN = "sent again"
FOUND = "found"
KEPT = "kept for later"
NOTHING = "nothing"


@dataclass
class Line:
    """A released payment, the bank, the adapter, and what the adapter logged."""

    world: PaymentWorld
    desk: JobDesk[Any]
    simulator: Simulator
    calls: list[BankCall] = field(default_factory=list)
    reference: str = ""

    def sim(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Pull a string of the simulator."""
        answer = requests.request(
            method,
            f"{self.simulator.running.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def fault(self, effect: str, times: int = 1, seconds: int = 1) -> None:
        """Let the next payments fail."""
        self.sim(
            "POST",
            "/sim/faults",
            {"match": PAYMENTS, "effect": effect, "times": times, "seconds": seconds},
        )

    def send(self) -> None:
        """Do the work of the promise; what is to be kept later is raised."""
        send_payment(self.desk.tools, {"instruction": self.reference})

    def ask(self, seconds: int) -> None:
        """Let time pass and ask the bank about what is due."""
        self.desk.later(seconds)
        inquire_due(self.desk.tools, HUNTINGTON)

    def state(self) -> str:
        """Return where the payment stands."""
        statement = select(PaymentInstruction.state).where(
            PaymentInstruction.reference == self.reference
        )
        return self.world.do(lambda session: session.execute(statement).scalar_one())

    def alarms(self) -> set[str]:
        """Return the kinds of what a person has to look at."""
        statement = select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_(None))
        return set(self.world.do(lambda session: session.execute(statement).scalars().all()))

    def made(self) -> int:
        """Return how many payments the bank has made of ours."""
        found = self.sim("GET", f"/v1/payments?client_reference={self.reference}")["data"]
        return len(found)

    def outcome(self) -> str:
        """Return what the adapter said of the first payment that it sent."""
        return next(call.outcome for call in self.calls if call.verb == "create_payment")


def _patient(profile: Profile) -> Profile:
    # Faults follow each other here faster than a bank is left alone for.
    limits = profile.limits.model_copy(update={"failures_until_open": 100})
    return profile.model_copy(update={"limits": limits})


@pytest.fixture
def line(
    database_url: str,
    session_factory: sessionmaker[Session],
    simulator: Simulator,
    request: pytest.FixtureRequest,
) -> Iterator[Line]:
    """Release one ACH payment of a case on the interface's rail."""
    # Only a bank that hangs is left by the adapter, so that a slow machine is no fault.
    read_seconds = 0.7 if "hang" in request.node.name else 30.0
    world = payment_world.build(session_factory, rail="huntington")
    calls: list[BankCall] = []
    adapter = HuntingtonBank(
        simulator.running.url,
        Client("seedtrust", API_KEY),
        _patient(load_profile("neutral")),
        timeouts=LineTimeouts(10.0, read_seconds),
        call_log=calls.append,
    )
    with database_of_jobs(database_url):
        desk = JobDesk.open(FakeBank(), adapter)
        found = Line(world, desk, simulator, calls)
        case = world.case(funds_cents=0, stage=Stage.PENDING_FUNDING)
        wire = {
            "account_id": "trust",
            "amount_cents": 1_000_000,
            "sender_name": "Rosalind Ashgrove",
            "text": case.reference,
            "reference": "",
        }
        simulator.control.receive_wire(wire, key="fund")
        assert poll_events(desk.tools, HUNTINGTON)[1] == 0

        def move(session: Session) -> None:
            session.get_one(Case, case.id).stage = Stage.CYCLE_IN_PROGRESS.value

        world.do(move)
        world.request(case, world.payee(), amount_cents=10_000)
        run = world.released()
        statement = select(PaymentInstruction.reference).where(PaymentInstruction.run_id == run.id)
        found.reference = world.do(lambda session: session.execute(statement).scalar_one())
        yield found


@pytest.mark.parametrize(
    "effect,outcome,state,then",
    [
        ("timeout_before_commit", "OutcomeUnknown", "UNKNOWN", ONCE_AGAIN),
        ("timeout_after_commit", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("reset_before_commit", "OutcomeUnknown", "UNKNOWN", ONCE_AGAIN),
        ("reset_after_commit", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("error_500_before", "OutcomeUnknown", "UNKNOWN", ONCE_AGAIN),
        ("error_500_after", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("error_502_before", "OutcomeUnknown", "UNKNOWN", ONCE_AGAIN),
        ("error_503_before", "OutcomeUnknown", "UNKNOWN", ONCE_AGAIN),
        ("error_504_after", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("wrong_content_type", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("malformed_json", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("truncated_body", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("wrong_amount", "ProtocolError", "UNKNOWN", FOUND),
        ("unknown_status", "ProtocolError", "UNKNOWN", FOUND),
        ("hang", "OutcomeUnknown", "UNKNOWN", FOUND),
        ("rate_limit", "NotSent", "RELEASED", KEPT),
        ("expired_token", "ok", "ACCEPTED", NOTHING),
    ],
)
def test_every_fault_has_its_outcome_and_pays_once(
    line: Line, effect: str, outcome: str, state: str, then: str
) -> None:
    line.fault(effect, seconds=4 if effect == "hang" else 1)
    if then == KEPT:
        with pytest.raises(DomainError):
            line.send()
    else:
        line.send()
    assert (line.outcome(), line.state()) == (outcome, state)
    if state == "UNKNOWN":
        incident = {"payment.incident"} if outcome == "ProtocolError" else set()
        assert line.alarms() == {"wire.unclear"} | incident
    _NEXT[then](line)
    assert (line.state(), line.made()) == ("ACCEPTED", 1)
    line.simulator.at(payment_world.TUESDAY)
    line.desk.at(payment_world.TUESDAY)
    assert poll_events(line.desk.tools, HUNTINGTON)[1] == 0
    assert line.state() == "SETTLED"
    assert "wire.unclear" not in line.alarms()
    proof = line.sim("GET", "/sim/ledger")
    assert proof["is_proved"] is True


def _sent_again(line: Line) -> None:
    line.ask(5)
    assert line.state() == "UNKNOWN"
    line.ask(15)
    sent = [call for call in line.calls if call.verb == "create_payment"]
    assert len(sent) == 2


def _found(line: Line) -> None:
    wait_until_made(line)
    line.ask(5)
    sent = [call for call in line.calls if call.verb == "create_payment"]
    assert len(sent) == 1


def wait_until_made(line: Line) -> None:
    """Wait for a bank that works on although its caller has left."""
    wait_until(lambda: line.made() == 1, "the payment at the bank")


def _kept(line: Line) -> None:
    def is_sent() -> bool:
        try:
            line.send()
        except DomainError:
            return False
        return True

    wait_until(is_sent, "the end of the bank's pause")


_NEXT: dict[str, Callable[[Line], None]] = {
    ONCE_AGAIN: _sent_again,
    FOUND: _found,
    KEPT: _kept,
    NOTHING: lambda _line: None,
}


@pytest.mark.parametrize(
    "settings,outcome",
    [({"rails": ["wire"]}, "Declined")],
)
def test_a_refusal_leaves_the_money_on_the_case_and_asks_a_person(
    line: Line, settings: dict[str, Any], outcome: str
) -> None:
    line.sim("PUT", "/sim/settings", settings)
    line.send()
    assert (line.outcome(), line.state(), line.made()) == (outcome, "REJECTED", 0)
    assert line.alarms() == {"wire.refused"}


def test_a_day_that_the_bank_has_closed_is_dated_anew(line: Line) -> None:
    line.sim("PUT", "/sim/settings", {"after_cutoff": "refuse"})
    # The bank is a day ahead of our table: its last chance to settle on the run's day is over.
    line.simulator.at(payment_world.TUESDAY, 15, 0)
    line.send()
    assert (line.outcome(), line.state(), line.made()) == ("CutoffPassed", "REJECTED", 0)
    assert line.alarms() == {"wire.not_sent"}
    assert line.world.released().effective_on == date(2026, 1, 7)


def test_a_bank_without_a_look_up_leaves_it_unknown_for_statement_and_people(line: Line) -> None:
    line.sim("PUT", "/sim/settings", {"lookup": "off"})
    line.fault("reset_before_commit")
    line.send()
    for seconds in (5, 15, 60, 300):
        line.ask(seconds)
    assert line.state() == "UNKNOWN"
    assert {call.outcome for call in line.calls if call.verb == "find_payment"} == {"NotSupported"}
    assert len([call for call in line.calls if call.verb == "create_payment"]) == 1


def test_an_unkeyed_bank_is_still_paid_through_once(line: Line) -> None:
    line.sim("PUT", "/sim/settings", {"idempotent_payments": False})
    line.fault("reset_after_commit")
    line.send()
    line.ask(5)
    assert (line.state(), line.made()) == ("ACCEPTED", 1)
