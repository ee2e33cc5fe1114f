"""The sandbox bank is killed while customers pay: nothing is lost and nothing is doubled."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import requests

from seedtrust.core.clock import at_new_york
from tests.sandbox.inbox import Inbox, serving
from tests.sandbox.process import start_process
from tests.sandbox.support import API_KEY, TRUST, Json, ach_body, open_bank, wire_body
from tests.support.processes import PATIENCE_SECONDS
from tests.support.services import free_port

PAYMENTS = 60
KILL_AFTER = (3, 17, 18, 31, 46)
HEADERS = {"Authorization": f"Bearer {API_KEY}"}


@dataclass
class Customer:
    """Pays again and again until the bank answers, as somebody does who was told nothing."""

    url: str
    answered: dict[str, str] = field(default_factory=dict)
    moved: threading.Condition = field(default_factory=threading.Condition)

    def call(self, method: str, path: str, body: object = None, **query: str) -> Json:
        """Call until there is a reply."""
        pause = threading.Event()
        for _ in range(2000):
            try:
                response = requests.request(
                    method,
                    self.url + path,
                    json=body,
                    headers=HEADERS,
                    params=query,
                    timeout=30,
                )
            except requests.RequestException:
                pause.wait(0.02)
            else:
                assert response.ok, response.text
                found: Json = response.json()
                return found
        message = f"the bank never answered {method} {path}"
        raise AssertionError(message)

    def pay(self) -> None:
        """Make all payments; every few of them a day passes."""
        day = date(2026, 1, 22)
        for number in range(PAYMENTS):
            make = wire_body if number % 3 == 0 else ach_body
            account = "779902" if number % 5 == 1 else "555001"
            body = make(100 + number, f"REF{number:06d}", day.isoformat())
            counterparty: Json = body["counterparty"]  # type: ignore[assignment]
            body["counterparty"] = counterparty | {"account_number": account}
            answer = self.call("POST", "/v1/payments", body)
            with self.moved:
                self.answered[f"REF{number:06d}"] = str(answer["id"])
                self.moved.notify_all()
            if number % 6 == 0:
                day += timedelta(days=1)
                self.call("PUT", "/sim/clock", {"now": at_new_york(day, 9).isoformat()})

    def wait_for(self, count: int) -> None:
        """Wait until that many payments were answered."""
        with self.moved:
            assert self.moved.wait_for(lambda: len(self.answered) >= count, 300)


def _prepared(folder: Path, inbox: Inbox) -> None:
    bank = open_bank(folder)
    bank.post("/sim/accounts", TRUST)
    bank.at("2026-01-22")
    bank.send("PUT", "/sim/settings", {"webhook_retry_seconds": [0.05]})
    bank.post("/v1/webhook-subscriptions", {"url": inbox.url})
    bank.fund(1_000_000)
    bank.stop()


def test_kills_while_customers_pay_lose_and_double_nothing(tmp_path: Path) -> None:
    with serving() as inbox:
        _prepared(tmp_path, inbox)
        port = free_port()
        customer = Customer(f"http://127.0.0.1:{port}")
        process = start_process(tmp_path, port)
        paying = threading.Thread(target=customer.pay)
        paying.start()
        for count in KILL_AFTER:
            customer.wait_for(count)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            process = start_process(tmp_path, port)
        paying.join()
        _check(customer, inbox)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


def _check(customer: Customer, inbox: Inbox) -> None:
    customer.call("PUT", "/sim/clock", {"now": "2026-03-02T14:00:00Z"})
    proof = customer.call("GET", "/sim/ledger")
    assert proof["is_proved"] is True
    assert proof["payments"]["made"] == dict.fromkeys(customer.answered, 1)  # type: ignore[index]
    assert len(customer.answered) == PAYMENTS
    for reference, payment_id in customer.answered.items():
        found = customer.call("GET", f"/v1/payments/{payment_id}")
        assert found["client_reference"] == reference
        assert found["status"] in {"settled", "returned"}
    events = customer.call("GET", "/v1/events", limit="500")
    assert events["has_more"] is False
    wanted = {event["id"] for event in events["data"]}  # type: ignore[attr-defined]
    with inbox.came:
        assert inbox.came.wait_for(lambda: wanted <= set(inbox.ids), 60)
