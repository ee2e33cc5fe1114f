"""Checks at the sandbox bank: credited at once, sent back on the next banking day, once."""

from __future__ import annotations

from tests.sandbox.support import Caller, Json, wire_body

CHECK = {
    "account_id": "trust",
    "amount_cents": 250_000,
    "sender_name": "Marisol Ellery",
    "text": "Case 100397",
    "reference": "CHECK 1042",
}


def deposit(bank: Caller, key: str | None = None, **changes: object) -> Json:
    """Deposit a check and return it."""
    headers = {} if key is None else {"Idempotency-Key": key}
    response = bank.send("POST", "/sim/inbound/check-deposit", CHECK | changes, headers=headers)
    assert response.ok, response.text
    found: Json = response.json()
    return found


def test_a_check_is_credited_with_a_line_and_an_event_of_its_own(bank: Caller) -> None:
    check = deposit(bank)
    assert (check["kind"], check["status"], check["returned_on"]) == ("check", "received", None)
    (line,) = bank.listed("/v1/accounts/trust/transactions")
    assert (line["bai_code"], line["signed_cents"]) == ("175", 250_000)
    assert line["text_lines"] == [
        "CHECK DEPOSIT FROM MARISOL ELLERY",
        "TEXT=CASE 100397",
        "REF=CHECK 1042",
    ]
    (event,) = bank.events("deposit.received")
    assert event["data"] == check
    bank.prove()


def test_a_check_outside_hours_waits_for_the_next_opening(bank: Caller) -> None:
    bank.at("2026-01-24", 10)
    check = deposit(bank)
    assert (check["status"], check["business_on"]) == ("queued", "2026-01-26")
    refused = bank.send("POST", f"/sim/deposits/{check['id']}/return", {"reason": "NSF"})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    bank.at("2026-01-26")
    assert bank.ledger_cents() == 250_000


def test_the_same_key_deposits_once_and_another_check_under_it_is_refused(bank: Caller) -> None:
    first = deposit(bank, "journey-1")
    assert deposit(bank, "journey-1") == first
    assert bank.ledger_cents() == 250_000
    other = bank.send(
        "POST",
        "/sim/inbound/check-deposit",
        CHECK | {"amount_cents": 1},
        headers={"Idempotency-Key": "journey-1"},
    )
    assert (other.status_code, other.json()["code"]) == (409, "reference_reused")


def test_a_bounced_check_comes_back_on_the_next_banking_day_once(bank: Caller) -> None:
    check = deposit(bank)
    path = f"/sim/deposits/{check['id']}/return"
    ordered = bank.send("POST", path, {"reason": "Insufficient funds"})
    assert (ordered.status_code, ordered.json()["returned_on"]) == (202, "2026-01-23")
    assert bank.ledger_cents() == 250_000
    bank.at("2026-01-23")
    again = bank.send("POST", path, {"reason": "Another"})
    assert (again.status_code, again.json()["status"]) == (200, "returned")
    bank.at("2026-01-27")
    assert bank.ledger_cents() == 0
    (event,) = bank.events("deposit.returned")
    returned = again.json()
    assert event["data"] == returned
    assert returned["return_reason"] == "Insufficient funds"
    line = bank.statement("2026-01-23").transactions[0]
    assert (line.type_code, line.amount_cents) == ("555", 250_000)
    assert line.bank_reference == returned["return_bank_reference"]
    bank.prove()


def test_a_check_bounces_also_when_its_money_is_spent(bank: Caller) -> None:
    check = deposit(bank)
    bank.post("/v1/payments", wire_body(200_000, "WIREREF00000001"))
    bank.post(f"/sim/deposits/{check['id']}/return", {"reason": "Account closed"})
    bank.at("2026-01-27")
    assert bank.ledger_cents() == -200_000
    bank.prove()


def test_what_is_wrong_with_a_check_or_its_return_is_named(bank: Caller) -> None:
    wrong = bank.send("POST", "/sim/inbound/check-deposit", CHECK | {"amount_cents": 0})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["amount_cents"])
    unknown = bank.send("POST", "/sim/deposits/CHK-99999999/return", {"reason": "NSF"})
    assert unknown.status_code == 404
    check = deposit(bank)
    unexplained = bank.send("POST", f"/sim/deposits/{check['id']}/return", {})
    assert (unexplained.status_code, list(unexplained.json()["errors"])) == (422, ["reason"])
