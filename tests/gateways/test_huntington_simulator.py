"""The interface's adapter against the simulated bank: both sides of one contract, on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from seedtrust.domain.payments.ports import (
    BankError,
    BankStatus,
    CorrectionNotice,
    CutoffPassed,
    Declined,
    NotSent,
    NotSupported,
    OutcomeUnknown,
    PaymentOrder,
    ProtocolError,
)
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import load_profile
from seedtrust.gateways.translation import body_of
from seedtrust.sandbox.faults import AFTER
from tests.sandbox.support import API_KEY, COMPANY, OTHER_BANK, TRUST, Caller, open_bank

ORDER = PaymentOrder(
    client_reference="STP000000000001",
    from_account="trust",
    amount_cents=25_000,
    beneficiary_name="Gestational Carrier",
    routing_number=OTHER_BANK,
    account_number="000123456789",
    requested_on=date(2026, 1, 23),
    text="Monthly allowance",
    rail="ach",
    sec_code="PPD",
    entry_description="ESCROWPAY",
    company_identification=COMPANY,
)
WIRE = replace(ORDER, rail="wire", sec_code="", entry_description="", company_identification="")
# None: the adapter gets over it by itself. A rate limit makes it keep still for a while.
ERRORS: dict[str, type[BankError] | None] = {
    "timeout_before_commit": OutcomeUnknown,
    "reset_before_commit": OutcomeUnknown,
    "rate_limit": NotSent,
    "error_500_before": OutcomeUnknown,
    "error_502_before": OutcomeUnknown,
    "error_503_before": OutcomeUnknown,
    "expired_token": None,
    "timeout_after_commit": OutcomeUnknown,
    "reset_after_commit": OutcomeUnknown,
    "error_500_after": OutcomeUnknown,
    "error_504_after": OutcomeUnknown,
    "wrong_content_type": OutcomeUnknown,
    "malformed_json": OutcomeUnknown,
    "truncated_body": OutcomeUnknown,
    "wrong_amount": ProtocolError,
    "unknown_status": ProtocolError,
}


@dataclass
class Line:
    """The simulated bank and the adapter that speaks to it."""

    bank: Caller
    adapter: HuntingtonBank

    def order_fault(self, effect: str, **changes: object) -> None:
        """Have the next payment go wrong."""
        match = {"method": "POST", "path": "/v1/payments"}
        self.bank.post("/sim/faults", {"match": match, "effect": effect} | changes)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """Start the bank with a funded account, on Thursday 22 January 2026, 09:00 in New York."""
    bank = open_bank(tmp_path / "bank")
    bank.post("/sim/accounts", TRUST)
    bank.at("2026-01-22")
    bank.fund(100_000)
    adapter = HuntingtonBank(
        bank.running.url,
        Client("seedtrust", API_KEY),
        load_profile("neutral"),
        timeouts=LineTimeouts(5.0, 5.0),
    )
    yield Line(bank, adapter)
    bank.stop()


def test_a_payment_is_followed_from_acceptance_to_return(line: Line) -> None:
    order = replace(ORDER, account_number="77779903")
    taken = line.adapter.create_payment(order)
    assert (taken.status, taken.amount_cents) == (BankStatus.ACCEPTED, 25_000)
    assert line.adapter.create_payment(order) == taken
    assert line.adapter.find_payment(order.client_reference) == taken
    assert line.adapter.find_payment("NOBODY") is None
    line.bank.at("2026-01-22", 20)
    assert line.adapter.get_payment(taken.bank_ref).status is BankStatus.SENT
    line.bank.at("2026-01-23")
    settled = line.adapter.get_payment(taken.bank_ref)
    assert (settled.status, settled.settled_on) == (BankStatus.SETTLED, date(2026, 1, 23))
    assert settled.trace_number
    line.bank.at("2026-01-27")
    returned = line.adapter.get_payment(taken.bank_ref)
    assert returned.status is BankStatus.RETURNED
    assert returned.returned is not None
    assert (returned.returned.code, returned.returned.returned_on) == ("R03", date(2026, 1, 27))
    kinds = [event.kind for event in line.adapter.list_events("").events]
    assert kinds.count("payment.changed") == 4


def test_a_wire_settles_at_once_and_a_correction_is_read(line: Line) -> None:
    wire = line.adapter.create_payment(replace(WIRE, requested_on=date(2026, 1, 22)))
    assert wire.status is BankStatus.SETTLED
    assert wire.imad
    second = replace(ORDER, client_reference="STP000000000002", account_number="77779855")
    taken = line.adapter.create_payment(second)
    line.bank.at("2026-01-27")
    assert line.adapter.get_payment(taken.bank_ref).corrections == (
        CorrectionNotice("C05", "32", date(2026, 1, 27)),
    )


def test_balance_and_health_are_read(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    balance = line.adapter.get_balance("trust")
    assert (balance.ledger_cents, balance.available_cents) == (100_000, 75_000)
    assert line.adapter.health().ok


def test_a_payment_is_cancelled_until_it_is_sent(line: Line) -> None:
    taken = line.adapter.create_payment(ORDER)
    assert line.adapter.cancel_payment(taken.bank_ref).status is BankStatus.CANCELLED
    other = line.adapter.create_payment(replace(ORDER, client_reference="STP000000000002"))
    line.bank.at("2026-01-23")
    with pytest.raises(Declined):
        line.adapter.cancel_payment(other.bank_ref)


def test_refusals_are_told_apart(line: Line) -> None:
    with pytest.raises(Declined):
        line.adapter.create_payment(replace(ORDER, amount_cents=100_001))
    line.bank.send("PUT", "/sim/settings", {"after_cutoff": "refuse"})
    line.bank.at("2026-01-22", 15)
    with pytest.raises(CutoffPassed):
        line.adapter.create_payment(replace(ORDER, requested_on=date(2026, 1, 22)))
    line.adapter.create_payment(ORDER)
    with pytest.raises(ProtocolError):
        line.adapter.create_payment(replace(ORDER, amount_cents=1))


@pytest.mark.parametrize("effect", sorted(ERRORS))
def test_after_every_fault_the_look_up_tells_and_sending_again_pays_once(
    line: Line, effect: str
) -> None:
    line.order_fault(effect, seconds=0.1)
    error = ERRORS[effect]
    if error is None:
        line.adapter.create_payment(ORDER)
    else:
        with pytest.raises(BankError) as refusal:
            line.adapter.create_payment(ORDER)
        assert type(refusal.value) is error
    if effect != "rate_limit":
        found = line.adapter.find_payment(ORDER.client_reference)
        assert (found is not None) is (effect in AFTER or error is None)
    assert line.bank.send("POST", "/v1/payments", _body()).ok
    line.bank.at("2026-01-26")
    assert line.bank.prove()["payments"]["made"] == {ORDER.client_reference: 1}  # type: ignore[index]
    assert line.bank.ledger_cents() == 75_000


def _body() -> dict[str, object]:
    """Return the order as the adapter writes it, byte for byte the same payment."""
    return dict(body_of(ORDER, load_profile("neutral")))


def test_a_bank_without_idempotency_is_found_out(line: Line) -> None:
    line.bank.send("PUT", "/sim/settings", {"idempotent_payments": False})
    line.order_fault("reset_after_commit")
    with pytest.raises(OutcomeUnknown):
        line.adapter.create_payment(ORDER)
    line.adapter.create_payment(ORDER)
    with pytest.raises(ProtocolError):
        line.adapter.find_payment(ORDER.client_reference)
    assert line.bank.prove()["payments"]["doubled"] == {ORDER.client_reference: 2}  # type: ignore[index]


def test_a_bank_without_look_up_says_so(line: Line) -> None:
    line.bank.send("PUT", "/sim/settings", {"lookup": "off"})
    with pytest.raises(NotSupported):
        line.adapter.find_payment(ORDER.client_reference)
    line.bank.send("PUT", "/sim/settings", {"lookup": {"stale_seconds": 600}})
    line.adapter.create_payment(ORDER)
    assert line.adapter.find_payment(ORDER.client_reference) is None
