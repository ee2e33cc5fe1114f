"""Faults of the sandbox bank, as callers meet them on real connections."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from seedtrust.sandbox.faults import AFTER, BEFORE
from tests.sandbox.support import API_KEY, TRUST, Caller, Json, ach_body, open_bank, wire_body
from tests.support.processes import wait_until

PAYMENTS = {"method": "POST", "path": "/v1/payments"}


@pytest.fixture
def rich_bank(bank: Caller) -> Caller:
    """Put money on the trust account."""
    bank.fund(100_000)
    return bank


def order(bank: Caller, effect: str, **changes: object) -> Json:
    return bank.post("/sim/faults", {"match": PAYMENTS, "effect": effect} | changes)


def made(bank: Caller, reference: str) -> int:
    return len(bank.listed("/v1/payments", client_reference=reference))


def fired(bank: Caller) -> int:
    """Return how often faults that were ordered have struck."""
    return sum(int(str(fault["fired"])) for fault in bank.listed("/sim/faults"))


def has_struck(bank: Caller, reference: str) -> bool:
    """Tell whether an account's ending has cost this payment its answer."""
    with bank.running.bank.unit() as connection:
        struck = "SELECT sum(fired) FROM fault_by_ending WHERE client_reference = ?"
        return bool(connection.execute(struck, (reference,)).fetchone()[0])


def raw(bank: Caller, body: Json, *, timeout: float = 30) -> bytes:
    """Send a payment over a bare socket and return all that comes back until the end."""
    address = urlsplit(bank.running.url)
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/payments HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {API_KEY}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as link:
        link.sendall(head.encode() + data)
        received = b""
        while chunk := link.recv(65_536):
            received += chunk
    return received


@pytest.mark.parametrize("effect, payments", [("before", 0), ("after", 1)])
def test_a_reset_is_a_real_one(rich_bank: Caller, effect: str, payments: int) -> None:
    order(rich_bank, f"reset_{effect}_commit")
    with pytest.raises(ConnectionResetError):
        raw(rich_bank, ach_body(100, "REF1"))
    assert made(rich_bank, "REF1") == payments
    assert rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1")).ok
    assert made(rich_bank, "REF1") == 1


@pytest.mark.parametrize("effect, payments", [("before", 0), ("after", 1)])
def test_a_time_out_holds_the_caller_and_answers_nothing(
    rich_bank: Caller, effect: str, payments: int
) -> None:
    order(rich_bank, f"timeout_{effect}_commit", seconds=0.05)
    assert raw(rich_bank, ach_body(100, "REF1")) == b""
    assert made(rich_bank, "REF1") == payments
    order(rich_bank, f"timeout_{effect}_commit", seconds=600)
    with pytest.raises(TimeoutError):
        raw(rich_bank, ach_body(100, "REF2"), timeout=0.2)
    wait_until(lambda: fired(rich_bank) == 2, "the bank to have taken the call")
    wait_until(lambda: made(rich_bank, "REF2") == payments, "what it does with it")


def test_a_hang_does_the_work_although_the_caller_has_left(rich_bank: Caller) -> None:
    order(rich_bank, "hang", seconds=3)
    with pytest.raises(TimeoutError):
        raw(rich_bank, ach_body(100, "REF1"), timeout=0.1)
    wait_until(lambda: made(rich_bank, "REF1"), "the work")


def test_a_hang_ends_with_the_bank_and_leaves_nothing_behind(tmp_path: Path) -> None:
    bank = open_bank(tmp_path)
    bank.post("/sim/accounts", TRUST)
    bank.at("2026-01-22")
    bank.fund(1_000)
    order(bank, "hang", seconds=600)
    received: list[bytes] = []
    body = ach_body(100, "REF1")

    def send() -> None:
        with suppress(ConnectionError):
            received.append(raw(bank, body))

    waiting = threading.Thread(target=send)
    waiting.start()
    wait_until(lambda: fired(bank) == 1, "the bank to have taken the call")
    bank.stop()
    waiting.join()
    assert b"".join(received) == b""
    again = open_bank(tmp_path)
    assert made(again, "REF1") == 0
    again.stop()


@pytest.mark.parametrize(
    "effect, status, code, payments",
    [
        ("rate_limit", 429, "rate_limited", 0),
        ("error_500_before", 500, "internal_error", 0),
        ("error_503_before", 503, "unavailable", 0),
        ("expired_token", 401, "token_expired", 0),
    ],
)
def test_a_refusal_happens_before_anything_is_done(
    rich_bank: Caller, effect: str, status: int, code: str, payments: int
) -> None:
    order(rich_bank, effect, seconds=7)
    refused = rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1"))
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers.get("Retry-After") == ("7" if status in {429, 503} else None)
    assert refused.headers["X-Sandbox"] == "no real money"
    assert made(rich_bank, "REF1") == payments
    assert rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1")).status_code == 201


@pytest.mark.parametrize(
    "effect, status, payments",
    [
        ("error_500_after", 500, 1),
        ("error_502_before", 502, 0),
        ("error_504_after", 504, 1),
        ("wrong_content_type", 201, 1),
    ],
)
def test_a_page_for_people_does_not_tell_whether_it_was_done(
    rich_bank: Caller, effect: str, status: int, payments: int
) -> None:
    order(rich_bank, effect)
    failed = rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1"))
    assert failed.status_code == status
    assert failed.headers["Content-Type"].startswith("text/html")
    assert failed.headers["X-Sandbox"] == "no real money"
    assert made(rich_bank, "REF1") == payments


def test_a_malformed_body_comes_with_its_right_length(rich_bank: Caller) -> None:
    order(rich_bank, "malformed_json")
    broken = rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1"))
    assert broken.status_code == 201
    with pytest.raises(requests.JSONDecodeError):
        broken.json()
    assert made(rich_bank, "REF1") == 1


def test_a_truncated_body_ends_too_early(rich_bank: Caller) -> None:
    order(rich_bank, "truncated_body")
    address = urlsplit(rich_bank.running.url)
    assert address.hostname is not None
    link = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    link.request("POST", "/v1/payments", json.dumps(ach_body(100, "REF1")), headers)
    with pytest.raises(http.client.IncompleteRead):
        link.getresponse().read()
    link.close()
    assert made(rich_bank, "REF1") == 1


def test_a_wrong_amount_and_an_unknown_status_are_only_told(rich_bank: Caller) -> None:
    order(rich_bank, "wrong_amount")
    assert rich_bank.post("/v1/payments", ach_body(100, "REF1"))["amount_cents"] == 101
    order(rich_bank, "unknown_status", match={"path": "/v1/payments*", "client_reference": "REF1"})
    told = rich_bank.listed("/v1/payments", client_reference="REF1")
    assert [payment["status"] for payment in told] == ["teleported"]
    (payment,) = rich_bank.listed("/v1/payments", client_reference="REF1")
    assert (payment["status"], payment["amount_cents"]) == ("accepted", 100)


def test_a_fault_counts_its_calls(rich_bank: Caller) -> None:
    fault = order(rich_bank, "error_500_before", nth=2, times=2)
    statuses = [
        rich_bank.send("POST", "/v1/payments", ach_body(100, f"REF{number}")).status_code
        for number in range(5)
    ]
    assert statuses == [201, 500, 500, 201, 201]
    assert rich_bank.listed("/sim/faults") == [fault | {"seen": 3, "fired": 2}]


def test_a_fault_strikes_only_what_it_matches(rich_bank: Caller) -> None:
    order(rich_bank, "error_500_before", match={"account_suffix": "777", "method": "POST"})
    order(rich_bank, "error_503_before", match={"client_reference": "REF9"}, times=9)
    assert rich_bank.send("GET", "/v1/accounts").ok
    assert rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1")).ok
    sevens = ach_body(100, "REF2", account="555777")
    assert rich_bank.send("POST", "/v1/payments", sevens).status_code == 500
    assert rich_bank.send("POST", "/v1/payments", ach_body(100, "REF9")).status_code == 503
    assert rich_bank.send("GET", "/v1/payments?client_reference=REF9").status_code == 503


def test_a_fault_without_a_match_strikes_any_call_but_those_of_the_simulator(
    rich_bank: Caller,
) -> None:
    rich_bank.post("/sim/faults", {"effect": "error_500_before"})
    assert rich_bank.send("GET", "/sim/clock").ok
    assert rich_bank.send("GET", "/v1/accounts").status_code == 500
    assert rich_bank.send("GET", "/v1/accounts").ok


def test_the_first_fault_of_several_strikes_and_all_count(rich_bank: Caller) -> None:
    order(rich_bank, "error_500_before")
    order(rich_bank, "error_503_before")
    statuses = [
        rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1")).status_code for _ in range(3)
    ]
    assert statuses == [500, 503, 201]


def test_faults_are_listed_and_removed(rich_bank: Caller) -> None:
    first, second = order(rich_bank, "rate_limit"), order(rich_bank, "hang", seconds=9)
    assert rich_bank.listed("/sim/faults") == [first, second]
    assert rich_bank.send("DELETE", f"/sim/faults/{first['id']}").json()["data"] == [second]
    assert rich_bank.send("DELETE", "/sim/faults/99").status_code == 404
    assert rich_bank.send("DELETE", "/sim/faults").json()["data"] == []
    assert rich_bank.send("POST", "/v1/payments", ach_body(100, "REF1")).ok


def test_a_fault_outlives_a_restart(tmp_path: Path) -> None:
    bank = open_bank(tmp_path)
    bank.post("/sim/faults", {"effect": "error_500_before", "nth": 2})
    assert bank.send("GET", "/v1/accounts").ok
    bank.stop()
    again = open_bank(tmp_path)
    assert again.send("GET", "/v1/accounts").status_code == 500
    assert again.send("GET", "/v1/accounts").ok
    again.stop()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"effect": "earthquake"},
        {"effect": "hang", "seconds": -1},
        {"effect": "hang", "seconds": True},
        {"effect": "hang", "nth": 0},
        {"effect": "hang", "times": 0},
        {"effect": "hang", "match": {"colour": "red"}},
        {"effect": "hang", "match": {"method": "PATCH"}},
        {"effect": "hang", "match": {"path": "payments"}},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(bank: Caller, body: Json) -> None:
    assert bank.send("POST", "/sim/faults", body).status_code == 422
    assert bank.listed("/sim/faults") == []


def test_every_effect_can_be_ordered(bank: Caller) -> None:
    for effect in sorted(BEFORE | AFTER):
        assert order(bank, effect)["effect"] == effect
    assert len(bank.listed("/sim/faults")) == 17


@pytest.mark.parametrize(
    "ending, effect, payments", [("9810", "timeout", 1), ("9811", "timeout", 0), ("9812", 500, 0)]
)
@pytest.mark.parametrize("rail", ["ach", "wire"])
def test_an_account_ending_orders_a_fault_once_for_each_reference(
    rich_bank: Caller, ending: str, effect: str | int, payments: int, rail: str
) -> None:
    for reference in ("REF1", "REF2"):
        body = ach_body(100, reference, account=f"77{ending}")
        if rail == "wire":
            body = wire_body(100, reference) | {"counterparty": body["counterparty"]}
        if effect == "timeout":
            with pytest.raises(TimeoutError):
                raw(rich_bank, body, timeout=0.2)
            wait_until(lambda: has_struck(rich_bank, reference), "the bank to have taken the call")  # noqa: B023 - at once
        else:
            assert rich_bank.send("POST", "/v1/payments", body).status_code == effect
        wait_until(lambda: made(rich_bank, reference) == payments, "what it does with it")  # noqa: B023 - at once
        assert rich_bank.send("POST", "/v1/payments", body).status_code == 201 - payments
        assert made(rich_bank, reference) == 1


def test_an_account_ending_asks_to_wait_twice(rich_bank: Caller) -> None:
    body = ach_body(100, "REF1", account="779813")
    replies = [rich_bank.send("POST", "/v1/payments", body) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [429, 429, 201]
    assert replies[0].headers["Retry-After"] == "1"


def test_a_token_request_can_be_struck_too(bank: Caller) -> None:
    bank.post("/sim/faults", {"match": {"path": "/oauth/*"}, "effect": "error_503_before"})
    url = f"{bank.running.url}/oauth/token"
    form = {"grant_type": "client_credentials"}
    statuses = [
        requests.post(url, data=form, auth=("seedtrust", API_KEY), timeout=30).status_code
        for _ in range(2)
    ]
    assert statuses == [503, 200]
