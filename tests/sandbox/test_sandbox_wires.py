"""Wires at the sandbox bank: hours, idempotency, funds and what statements show of them."""

from __future__ import annotations

import pytest

from seedtrust.formats import bai2
from tests.sandbox.support import Caller, Json, wire_body


def test_an_incoming_wire_is_credited_at_once_with_its_sender_and_text(bank: Caller) -> None:
    wire = bank.fund(2_850_000, reference="CASE-B")
    assert wire["status"] == "received"
    assert bank.ledger_cents() == 2_850_000
    (line,) = bank.listed("/v1/accounts/trust/transactions")
    assert line["bai_code"] == "195"
    assert line["signed_cents"] == 2_850_000
    assert line["text_lines"] == [
        "WIRE IN FROM RECIPIENT RE, LEE",
        "TEXT=ESCROW 2207",
        "REF=CASE-B",
        f"IMAD={wire['imad']}",
    ]
    (event,) = bank.events("wire.received")
    assert event["data"] == wire
    assert event["business_on"] == "2026-01-22"


def test_a_wire_sent_inside_hours_settles_at_once(bank: Caller) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", wire_body(4_000, "WIREREF00000001"))
    assert payment["status"] == "settled"
    assert str(payment["imad"]).startswith("20260122")
    assert bank.ledger_cents() == 6_000
    assert [event["type"] for event in bank.events()] == [
        "wire.received",
        "payment.accepted",
        "payment.settled",
    ]
    assert bank.get(f"/v1/payments/{payment['id']}") == payment
    assert bank.listed("/v1/payments", client_reference="WIREREF00000001") == [payment]
    assert bank.listed("/v1/payments", client_reference="NOBODY") == []
    assert bank.listed("/v1/payments") == [payment]
    assert "000123456789" not in str(payment)


@pytest.mark.parametrize(
    "day, hour, minute, settles",
    [
        ("2026-01-22", 18, 14, "2026-01-22"),
        ("2026-01-22", 18, 15, "2026-01-23"),
        ("2026-01-24", 10, 0, "2026-01-26"),
        ("2026-02-14", 10, 0, "2026-02-17"),
        ("2026-07-03", 10, 0, "2026-07-03"),
    ],
    ids=["last minute", "cut-off", "saturday", "holiday weekend", "open friday"],
)
def test_a_wire_outside_hours_waits_for_the_next_opening(
    bank: Caller, day: str, hour: int, minute: int, settles: str
) -> None:
    bank.fund(10_000)
    bank.at(day, hour, minute)
    payment = bank.post("/v1/payments", wire_body(4_000, "LATE", day))
    assert payment["settles_on"] == settles
    assert (payment["status"] == "settled") is (settles == day)
    bank.at(settles, 20)
    later = bank.get(f"/v1/payments/{payment['id']}")
    assert later["status"] == "settled"
    assert bank.ledger_cents() == 6_000


def test_a_waiting_wire_lowers_what_is_available(bank: Caller) -> None:
    bank.fund(10_000)
    bank.post("/v1/payments", wire_body(4_000, "FUTURE", "2026-01-30"))
    balances = bank.get("/v1/accounts/trust/balances")
    assert (balances["ledger_cents"], balances["available_cents"]) == (10_000, 6_000)
    assert balances["kind"] == "realtime"
    refused = bank.send("POST", "/v1/payments", wire_body(6_001, "TOOMUCH"))
    assert refused.status_code == 409
    assert refused.json()["code"] == "insufficient_funds"
    assert refused.json()["available_cents"] == 6_000
    assert bank.listed("/v1/payments", client_reference="TOOMUCH") == []


def test_an_incoming_wire_outside_hours_is_queued(bank: Caller) -> None:
    bank.at("2026-01-24")
    wire = bank.fund(500)
    assert (wire["status"], wire["business_on"]) == ("queued", "2026-01-26")
    assert bank.ledger_cents() == 0
    bank.at("2026-01-26")
    assert bank.ledger_cents() == 500
    (event,) = bank.events("wire.received")
    assert event["business_on"] == "2026-01-26"


def test_sending_a_wire_again_adds_nothing(bank: Caller) -> None:
    bank.fund(10_000)
    body = wire_body(4_000, "AGAIN")
    first = bank.send("POST", "/v1/payments", body)
    again = bank.send("POST", "/v1/payments", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert bank.ledger_cents() == 6_000
    assert len(bank.events()) == 3


def test_a_reference_used_for_other_content_is_a_conflict(bank: Caller) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", wire_body(4_000, "AGAIN"))
    refused = bank.send("POST", "/v1/payments", wire_body(4_001, "AGAIN"))
    assert refused.status_code == 409
    assert refused.json()["code"] == "reference_reused"
    assert refused.json()["payment_id"] == payment["id"]


def test_an_incoming_wire_with_a_key_comes_once(bank: Caller) -> None:
    body = {"account_id": "trust", "amount_cents": 7, "sender_name": "A"}
    key = {"Idempotency-Key": "deposit-1"}
    first = bank.send("POST", "/sim/inbound/wire", body, headers=key)
    again = bank.send("POST", "/sim/inbound/wire", body, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = bank.send("POST", "/sim/inbound/wire", body | {"amount_cents": 8}, headers=key)
    assert other.status_code == 409
    blank = bank.send("POST", "/sim/inbound/wire", body, headers={"Idempotency-Key": "a b"})
    assert blank.status_code == 400
    assert bank.ledger_cents() == 7


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"amount_cents": 0}, "amount_cents"),
        ({"amount_cents": -1}, "amount_cents"),
        ({"amount_cents": 1.5}, "amount_cents"),
        ({"amount_cents": "100"}, "amount_cents"),
        ({"amount_cents": True}, "amount_cents"),
        ({"amount_cents": 10**15}, "amount_cents"),
        ({"rail": "rtp"}, "rail"),
        ({"rail": "ach"}, "ach"),
        ({"account_id": "nobody"}, "account_id"),
        ({"client_reference": ""}, "client_reference"),
        ({"client_reference": "has space"}, "client_reference"),
        ({"counterparty": None}, "counterparty"),
        ({"counterparty": {}}, "counterparty.name"),
        ({"memo": "x" * 141}, "memo"),
        ({"memo": "a\nb"}, "memo"),
        ({"memo": "\ud800"}, "memo"),
        ({"requested_on": "9999-12-31"}, "requested_on"),
        ({"requested_on": "22/01/2026"}, "requested_on"),
        ({"requested_on": "2026-02-30"}, "requested_on"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_malformed_wire_is_refused_by_field(bank: Caller, changes: Json, field: str) -> None:
    bank.fund(10_000)
    refused = bank.send("POST", "/v1/payments", wire_body(1, "BAD") | changes)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert field in refused.json()["errors"]
    assert bank.ledger_cents() == 10_000


def test_a_wrong_check_digit_is_refused(bank: Caller) -> None:
    party = {"name": "A", "routing_number": "021000022", "account_number": "1"}
    refused = bank.send("POST", "/v1/payments", wire_body(1, "BAD", counterparty=party))
    assert refused.json()["errors"].keys() == {"counterparty.routing_number"}


def test_wires_are_on_the_statement_with_their_references(bank: Caller) -> None:
    bank.fund(10_000, reference="DEPOSIT-1")
    bank.post("/v1/payments", wire_body(4_000, "WIREREF00000001"))
    bank.at("2026-01-23", 6)
    account = bank.statement("2026-01-22")
    assert [
        (item.type_code, item.signed_cents, item.customer_reference)
        for item in account.transactions
    ] == [("195", 10_000, "DEPOSIT-1"), ("495", -4_000, "WIREREF00000001")]
    assert account.balances == (
        bai2.Balance("010", 0),
        bai2.Balance("015", 6_000),
        bai2.Balance("040", 0),
        bai2.Balance("045", 6_000),
        bai2.Balance("100", 10_000, 1, bai2.Funds("Z")),
        bai2.Balance("400", 4_000, 1, bai2.Funds("Z")),
    )
    bank.prove()


def test_a_wire_without_memo_has_none_on_the_statement(bank: Caller) -> None:
    bank.fund(10_000)
    bank.post("/v1/payments", wire_body(4_000, "NOMEMO") | {"memo": None})
    line = bank.listed("/v1/accounts/trust/transactions")[-1]
    assert [text.split("=")[0] for text in line["text_lines"]] == [  # type: ignore[attr-defined]
        "WIRE OUT",
        "BENEFICIARY",
        "IMAD",
    ]
