"""The sandbox bank's proof of what it was made to pay."""

from __future__ import annotations

import pytest

from tests.sandbox.support import Caller, Json, Pay, ach, ach_body, batch_of, wire_body


def test_the_proof_counts_what_was_made(bank: Caller) -> None:
    bank.fund(100_000)
    bank.post("/v1/payments", ach_body(100, "ONCE"))
    bank.post("/v1/payments", ach_body(100, "ONCE"))
    bank.post("/v1/payments", wire_body(1_000, "WIRE"))
    bank.post("/v1/payments", ach_body(10_000, "BACK", account="779902"))
    stopped = bank.post("/v1/payments", ach_body(100, "STOPPED"))
    bank.post(f"/v1/payments/{stopped['id']}/cancel")
    bank.send("PUT", "/sim/settings", {"idempotent_payments": False})
    for _ in range(3):
        bank.post("/v1/payments", ach_body(5, "THRICE", "2026-02-20"))
    pays = [Pay(7, "ENTRY1"), Pay(8, "ENTRY2"), Pay(9, "ENTRY2")]
    bank.drop_and_scan("RUN1", ach([batch_of(pays, "2026-01-23")], created="2026-01-22"))
    bank.at("2026-02-02")
    proof = bank.prove()
    assert proof["payments"] == {
        "made": {"ONCE": 1, "WIRE": 1, "BACK": 1, "THRICE": 3},
        "doubled": {"THRICE": 3},
        "by_status": {"accepted": 3, "cancelled": 1, "returned": 1, "settled": 2},
    }
    assert proof["entries"] == {"made": {"ENTRY1": 1, "ENTRY2": 2}, "doubled": {"ENTRY2": 2}}
    assert proof["payment_totals"] == [
        {
            "account_id": "trust",
            "made": 6,
            "made_cents": 11_115,
            "open_cents": 15,
            "settled_cents": 1_100,
            "returned_cents": 10_000,
        }
    ]
    assert proof["wrong_payments"] == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE payment SET line_id = NULL WHERE client_reference = 'SETTLED'",
        "UPDATE payment SET amount_cents = amount_cents + 1 WHERE client_reference = 'SETTLED'",
        "UPDATE payment SET status = 'settled' WHERE client_reference = 'OPEN'",
        "UPDATE position SET reserved_cents = reserved_cents + 1",
        "UPDATE position SET ledger_cents = ledger_cents - 1",
    ],
)
def test_the_proof_finds_a_payment_that_does_not_fit_its_line(bank: Caller, damage: str) -> None:
    bank.fund(100_000)
    bank.post("/v1/payments", wire_body(100, "SETTLED"))
    bank.post("/v1/payments", ach_body(100, "OPEN"))
    bank.prove()
    with bank.running.bank.unit() as connection:
        connection.execute(damage)
    assert bank.get("/sim/ledger")["is_proved"] is False


def test_the_proof_of_an_empty_bank_holds(empty_bank: Caller) -> None:
    proof: Json = empty_bank.prove()
    assert proof["payment_totals"] == []
