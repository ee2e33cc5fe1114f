"""ACH payments over the API of the sandbox bank: windows, books, look-up, cancelling, tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from seedtrust.core.clock import FixedClock
from tests.sandbox.support import (
    API_KEY,
    FEES,
    TRUST,
    Caller,
    Json,
    ach_body,
    open_bank,
    wire_body,
)

REAL_NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def real() -> FixedClock:
    """Return the time that callers of the bank live in."""
    return FixedClock(REAL_NOW)


@pytest.fixture
def timed_bank(tmp_path: Path, real: FixedClock) -> Iterator[Caller]:
    """Start a bank whose real time the test moves."""
    caller = open_bank(tmp_path / "bank", real)
    caller.post("/sim/accounts", TRUST)
    caller.at("2026-01-22")
    caller.fund(100_000)
    yield caller
    caller.stop()


def types_of(bank: Caller) -> list[object]:
    return [event["type"] for event in bank.events() if str(event["type"]).startswith("payment.")]


def test_an_ach_payment_is_accepted_sent_and_settled(bank: Caller) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF000000000001"))
    assert payment["status"] == "accepted"
    assert payment["settles_on"] == "2026-01-23"
    assert payment["trace_number"] is None
    balances = bank.get("/v1/accounts/trust/balances")
    assert (balances["ledger_cents"], balances["available_cents"]) == (10_000, 6_000)
    bank.at("2026-01-22", 20)
    sent = bank.get(f"/v1/payments/{payment['id']}")
    assert sent["status"] == "sent"
    assert sent["sent_at"] == "2026-01-23T01:00:00Z"
    assert str(sent["trace_number"]).startswith("04400002")
    assert bank.ledger_cents() == 10_000
    bank.at("2026-01-23", 8, 30)
    settled = bank.get(f"/v1/payments/{payment['id']}")
    assert settled["status"] == "settled"
    assert settled["settled_at"] == "2026-01-23T13:30:00Z"
    assert (settled["return"], settled["corrections"]) == (None, [])
    assert bank.ledger_cents() == 6_000
    assert types_of(bank) == ["payment.accepted", "payment.sent", "payment.settled"]
    assert bank.events("payment.settled")[0]["data"] == settled
    assert "000123456789" not in str(settled)
    bank.prove()


def test_an_ach_payment_has_one_line_with_its_reference(bank: Caller) -> None:
    bank.fund(10_000)
    for number in (1, 2):
        bank.post("/v1/payments", ach_body(1_000, f"REF00000000000{number}"))
    bank.at("2026-01-26", 7)
    lines = [
        (line.type_code, line.amount_cents, line.customer_reference)
        for line in bank.statement("2026-01-23").transactions
    ]
    assert lines == [("466", 1_000, "REF000000000001"), ("466", 1_000, "REF000000000002")]
    settled = bank.listed("/v1/payments", client_reference="REF000000000001")[0]
    (first, _) = bank.listed("/v1/accounts/trust/transactions", **{"from": "2026-01-23"})
    assert first["bank_reference"] == settled["bank_reference"]
    assert first["text_lines"] == [
        "ACH CREDIT GESTATIONAL CARRIER 2207",
        f"TRACE={settled['trace_number']}",
        f"PAYMENT={settled['id']}",
    ]


@pytest.mark.parametrize(
    "now, wanted, sends, settles",
    [
        (("2026-01-22", 10, 29), "2026-01-22", "2026-01-22T15:30", "2026-01-22T18:00"),
        (("2026-01-22", 10, 30), "2026-01-22", "2026-01-22T19:45", "2026-01-22T22:00"),
        (("2026-01-22", 14, 45), "2026-01-22", "2026-01-23T01:00", "2026-01-23T13:30"),
        (("2026-01-22", 21, 0), "2026-01-23", "2026-01-23T02:00", "2026-01-23T13:30"),
        (("2026-01-22", 9, 0), "2026-01-24", "2026-01-24T01:00", "2026-01-26T13:30"),
        (("2026-01-22", 9, 0), "2026-01-20", "2026-01-22T15:30", "2026-01-22T18:00"),
        (("2026-01-24", 9, 0), "2026-01-24", "2026-01-24T14:00", "2026-01-26T13:30"),
    ],
    ids=["first window", "second window", "too late", "evening", "saturday", "past", "on saturday"],
)
def test_an_ach_payment_takes_the_windows_that_files_take(
    bank: Caller, now: tuple[str, int, int], wanted: str, sends: str, settles: str
) -> None:
    bank.fund(10_000)
    bank.at(*now)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1", wanted))
    bank.at("2026-01-28")
    done = bank.get(f"/v1/payments/{payment['id']}")
    assert str(done["sent_at"]).startswith(sends)
    assert str(done["settled_at"]).startswith(settles)


def test_an_amount_over_the_same_day_limit_goes_the_next_day(bank: Caller) -> None:
    bank.fund(200_000_000)
    payment = bank.post("/v1/payments", ach_body(100_000_001, "REF1", "2026-01-22"))
    assert payment["settles_on"] == "2026-01-23"


def test_the_same_payment_again_is_the_same_payment(bank: Caller) -> None:
    bank.fund(10_000)
    body = ach_body(4_000, "REF1")
    first = bank.send("POST", "/v1/payments", body)
    again = bank.send("POST", "/v1/payments", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    other = bank.send("POST", "/v1/payments", ach_body(4_001, "REF1"))
    assert (other.status_code, other.json()["code"]) == (409, "reference_reused")
    assert types_of(bank) == ["payment.accepted"]


def test_a_bank_without_idempotency_pays_twice(bank: Caller) -> None:
    bank.fund(10_000)
    bank.send("PUT", "/sim/settings", {"idempotent_payments": False})
    body = ach_body(4_000, "REF1")
    first, second = (bank.send("POST", "/v1/payments", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    assert len(bank.listed("/v1/payments", client_reference="REF1")) == 2
    bank.at("2026-01-23")
    assert bank.ledger_cents() == 2_000
    bank.prove()


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"ach": None}, "ach"),
        ({"rail": "rtp"}, "rail"),
        ({"ach": {"sec_code": "WEB"}}, "ach.sec_code"),
        ({"amount_cents": 0}, "amount_cents"),
        (
            {
                "ach": {
                    "sec_code": "PPD",
                    "entry_description": "ESCROWPAY",
                    "company_identification": "9999999999",
                }
            },
            "ach.company_identification",
        ),
        (
            {
                "counterparty": {
                    "name": "Ourselves",
                    "routing_number": TRUST["routing_number"],
                    "account_number": TRUST["account_number"],
                }
            },
            "counterparty.account_number",
        ),
        (
            {
                "counterparty": {
                    "name": "Carrier",
                    "routing_number": "021000021",
                    "account_number": "1",
                    "account_type": "loan",
                    "party_kind": "dog",
                }
            },
            "counterparty.party_kind",
        ),
    ],
)
def test_a_malformed_ach_payment_is_refused_by_field(
    bank: Caller, changes: Json, field: str
) -> None:
    bank.fund(10_000)
    response = bank.send("POST", "/v1/payments", ach_body(1_000, "REF1") | changes)
    assert response.status_code == 422, response.text
    assert field in response.json()["errors"]
    assert bank.listed("/v1/payments") == []


def test_a_company_pays_from_its_own_account_only(bank: Caller) -> None:
    bank.post("/sim/accounts", FEES | {"id": "ops", "account_number": "99", "opening_cents": 500})
    response = bank.send("POST", "/v1/payments", ach_body(100, "REF1", account_id="ops"))
    assert response.json()["errors"].keys() == {"ach.company_identification"}


def test_what_the_account_does_not_cover_is_refused_and_the_reference_stays_free(
    bank: Caller,
) -> None:
    bank.fund(1_000)
    refused = bank.send("POST", "/v1/payments", ach_body(1_001, "REF1"))
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_funds")
    assert bank.listed("/v1/payments", client_reference="REF1") == []
    assert bank.post("/v1/payments", ach_body(1_000, "REF1"))["status"] == "accepted"
    assert bank.send("POST", "/v1/payments", ach_body(1, "REF2")).status_code == 409


def test_a_rail_that_is_not_enabled_is_refused(bank: Caller) -> None:
    bank.fund(1_000)
    bank.send("PUT", "/sim/settings", {"rails": ["wire"]})
    refused = bank.send("POST", "/v1/payments", ach_body(1_000, "REF1"))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_entitled")


def test_a_bank_may_refuse_what_comes_after_the_cut_off(bank: Caller) -> None:
    bank.fund(10_000)
    bank.send("PUT", "/sim/settings", {"after_cutoff": "refuse"})
    bank.at("2026-01-22", 14, 45)
    late = bank.send("POST", "/v1/payments", ach_body(1_000, "REF1", "2026-01-22"))
    assert (late.status_code, late.json()["code"]) == (409, "cutoff_passed")
    assert bank.post("/v1/payments", ach_body(1_000, "REF1", "2026-01-23"))["status"] == "accepted"
    assert bank.post("/v1/payments", wire_body(1_000, "WIRE1"))["status"] == "settled"
    bank.at("2026-01-22", 18, 15)
    late = bank.send("POST", "/v1/payments", wire_body(1_000, "WIRE2"))
    assert late.json()["code"] == "cutoff_passed"


def test_a_payment_can_be_cancelled_until_it_is_sent(bank: Caller) -> None:
    bank.fund(10_000)
    first, second = (bank.post("/v1/payments", ach_body(4_000, f"REF{n}")) for n in (1, 2))
    cancelled = bank.post(f"/v1/payments/{first['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert bank.post(f"/v1/payments/{first['id']}/cancel") == cancelled
    assert bank.get("/v1/accounts/trust/balances")["available_cents"] == 6_000
    bank.at("2026-01-22", 20)
    late = bank.send("POST", f"/v1/payments/{second['id']}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "too_late")
    bank.at("2026-01-23")
    assert bank.ledger_cents() == 6_000
    assert len(bank.events("payment.cancelled")) == 1
    assert bank.send("POST", "/v1/payments/PMT-00000009/cancel").status_code == 404
    bank.prove()


def test_a_waiting_wire_can_be_cancelled(bank: Caller) -> None:
    bank.fund(10_000)
    wire = bank.post("/v1/payments", wire_body(4_000, "WIRE1", "2026-01-23"))
    bank.post(f"/v1/payments/{wire['id']}/cancel")
    bank.at("2026-01-26")
    assert bank.ledger_cents() == 10_000
    bank.prove()


def test_a_payment_in_review_waits_until_it_is_released(bank: Caller) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    path = f"/sim/payments/{payment['id']}"
    assert bank.post(f"{path}/hold")["status"] == "in_review"
    bank.at("2026-01-26")
    assert bank.get(f"/v1/payments/{payment['id']}")["status"] == "in_review"
    assert bank.get("/v1/accounts/trust/balances")["available_cents"] == 6_000
    assert bank.post(f"{path}/release")["settles_on"] == "2026-01-26"
    assert bank.send("POST", f"{path}/release").status_code == 409
    bank.at("2026-01-27")
    assert bank.get(f"/v1/payments/{payment['id']}")["status"] == "settled"
    assert bank.send("POST", f"{path}/hold").status_code == 409
    assert types_of(bank) == [
        "payment.accepted",
        "payment.in_review",
        "payment.accepted",
        "payment.sent",
        "payment.settled",
    ]
    bank.prove()


def test_a_payment_that_the_bank_rejects_gives_its_money_back(bank: Caller) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    path = f"/sim/payments/{payment['id']}/reject"
    rejected = bank.post(path, {"reason": "Receiver is on a list"})
    assert (rejected["status"], rejected["status_reason"]) == ("rejected", "Receiver is on a list")
    assert bank.send("POST", path, {"reason": "Again"}).status_code == 409
    assert bank.get("/v1/accounts/trust/balances")["available_cents"] == 10_000
    bank.at("2026-01-26")
    assert bank.ledger_cents() == 10_000
    bank.prove()


@pytest.mark.parametrize("rail", ["ach", "wire"])
def test_account_endings_stick_in_review_or_never_settle(bank: Caller, rail: str) -> None:
    bank.fund(10_000)
    stuck, endless = (
        ach_body(1_000, "STUCK", account="777759801"),
        ach_body(1_000, "ENDLESS", account="777759802"),
    )
    if rail == "wire":
        for body in (stuck, endless):
            body.update(rail="wire")
            body.pop("ach")
    assert bank.post("/v1/payments", stuck)["status"] == "in_review"
    payment = bank.post("/v1/payments", endless)
    bank.at("2026-02-09")
    assert bank.get(f"/v1/payments/{payment['id']}")["status"] == "sent"
    assert bank.ledger_cents() == 10_000
    assert bank.get("/v1/accounts/trust/balances")["available_cents"] == 8_000
    bank.prove()


def test_a_receiver_with_an_account_at_the_bank_is_credited(bank: Caller) -> None:
    bank.fund(10_000)
    body = ach_body(4_000, "REF1", account=str(FEES["account_number"]))
    body["counterparty"]["routing_number"] = FEES["routing_number"]  # type: ignore[index]
    bank.post("/v1/payments", body)
    bank.at("2026-01-23")
    assert bank.ledger_cents("fees") == 54_000
    bank.prove()


def test_the_look_up_may_lag_behind_or_be_missing(timed_bank: Caller, real: FixedClock) -> None:
    bank = timed_bank
    shown = bank.send("PUT", "/sim/settings", {"lookup": {"stale_seconds": 5}}).json()
    assert shown["lookup"] == {"stale_seconds": 5}
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    assert bank.listed("/v1/payments", client_reference="REF1") == []
    assert bank.listed("/v1/payments") == []
    assert bank.get(f"/v1/payments/{payment['id']}") == payment
    real.advance(timedelta(seconds=5))
    assert bank.listed("/v1/payments", client_reference="REF1") == [payment]
    assert bank.listed("/v1/payments") == [payment]
    bank.send("PUT", "/sim/settings", {"lookup": "off"})
    missing = bank.send("GET", "/v1/payments?client_reference=REF1")
    assert (missing.status_code, missing.json()["code"]) == (501, "not_supported")
    bank.send("PUT", "/sim/settings", {"lookup": "consistent"})
    assert bank.listed("/v1/payments", client_reference="REF1") == [payment]


@pytest.mark.parametrize(
    "body",
    [
        {"lookup": "sometimes"},
        {"lookup": {"stale_seconds": -1}},
        {"lookup": {"stale_seconds": 1, "more": 2}},
        {"after_cutoff": "maybe"},
        {"rails": ["rtp"]},
        {"rails": "ach"},
        {"token_seconds": "600"},
    ],
)
def test_settings_that_make_no_sense_are_refused(bank: Caller, body: Json) -> None:
    before = bank.get("/sim/settings")
    assert bank.send("PUT", "/sim/settings", body).status_code == 422
    assert bank.get("/sim/settings") == before


def token_of(bank: Caller, **form: str) -> requests.Response:
    return requests.post(
        f"{bank.running.url}/oauth/token",
        data={"grant_type": "client_credentials"} | form,
        timeout=30,
    )


def test_a_client_gets_a_token_that_ends(timed_bank: Caller, real: FixedClock) -> None:
    given = token_of(timed_bank, client_id="seedtrust", client_secret=API_KEY).json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 600)
    url = f"{timed_bank.running.url}/v1/accounts"
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert requests.get(url, headers=headers, timeout=30).status_code == 200
    real.advance(timedelta(seconds=600))
    over = requests.get(url, headers=headers, timeout=30)
    assert (over.status_code, over.json()["code"]) == (401, "token_expired")
    assert over.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_outlives_a_restart(timed_bank: Caller, real: FixedClock, tmp_path: Path) -> None:
    token = token_of(timed_bank, client_id="seedtrust", client_secret=API_KEY).json()
    other = open_bank(tmp_path / "bank", real)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert other.send("GET", "/v1/accounts", headers=headers).status_code == 200
    other.stop()


def test_a_client_may_prove_itself_by_basic_authentication(bank: Caller) -> None:
    url = f"{bank.running.url}/oauth/token"
    form = {"grant_type": "client_credentials"}
    good = requests.post(url, data=form, auth=("seedtrust", API_KEY), timeout=30)
    assert good.status_code == 200
    assert good.headers["X-Sandbox"] == "no real money"
    bad = requests.post(url, data=form, auth=("seedtrust", "wrong"), timeout=30)
    assert (bad.status_code, bad.json()) == (401, {"error": "invalid_client"})


def test_a_wrong_client_or_grant_gets_no_token(bank: Caller) -> None:
    assert token_of(bank).status_code == 401
    assert token_of(bank, client_id="other", client_secret=API_KEY).status_code == 401
    wrong = token_of(bank, grant_type="password", client_id="seedtrust", client_secret=API_KEY)
    assert (wrong.status_code, wrong.json()) == (400, {"error": "unsupported_grant_type"})


def test_a_made_up_token_is_refused(bank: Caller) -> None:
    headers = {"Authorization": "Bearer bm90aGluZw.c2lnbmF0dXJl"}
    refused = bank.send("GET", "/v1/accounts", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


def test_a_payment_costs_as_much_after_many_as_after_few(bank: Caller) -> None:
    """Count the steps of the bank's database, because time depends on the machine."""
    bank.fund(100_000)
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    def cost_of(reference: str) -> int:
        steps[0] = 0
        bank.post("/v1/payments", ach_body(1, reference, "2026-02-20"))
        bank.listed("/v1/payments", client_reference=reference)
        bank.get("/v1/accounts/trust/balances")
        return steps[0]

    with bank.running.bank.unit() as connection:
        connection.set_progress_handler(count, 1)
    few = cost_of("FEW")
    for number in range(200):
        bank.post("/v1/payments", ach_body(1, f"REF{number}", "2026-01-22"))
        if number == 100:
            bank.at("2026-01-23")
    many = cost_of("MANY")
    assert 0 < many < few * 1.1
    bank.prove()
