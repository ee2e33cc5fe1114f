"""Random lives of the sandbox bank: whatever is done in whatever order, its books hold."""

# ruff: noqa: D102 - rules read as sentences, like tests

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from werkzeug.test import TestResponse

from seedtrust.formats import bai2
from seedtrust.sandbox import create_bank_app
from seedtrust.sandbox.bank import Bank
from seedtrust.sandbox.replies import EXTENSION
from tests.sandbox.support import (
    API_KEY,
    FEES,
    OTHER_BANK,
    TRUST,
    Json,
    Pay,
    ach,
    ach_body,
    batch_of,
    totals_of,
    wire_body,
)

CENTS = st.integers(min_value=1, max_value=5_000)
ENDINGS = st.sampled_from(
    ["0001", "9901", "9902", "9910", "9851", "9801", "9802", "9812", "9813", "0002"]
)
STEPS = st.sampled_from([0, 1, 3, 8, 24, 24 * 4])
DONE = frozenset({"settled", "returned"})


class BankMachine(RuleBasedStateMachine):
    """Plays customers, receivers, tests that order faults, restarts and the passing of days."""

    root: Path
    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.folder = self.root / f"bank{len(list(self.root.iterdir()))}"
        self.numbers = itertools.count(1)
        self.sent: dict[str, Json] = {}
        self.client = self._open()

    def _open(self) -> FlaskClient:
        app = create_bank_app(self.folder, API_KEY)
        bank = app.extensions[EXTENSION]
        assert isinstance(bank, Bank)
        self.bank = bank
        return app.test_client()

    def call(self, method: str, path: str, body: object = None, **query: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        reply: TestResponse = self.client.open(
            path, method=method, json=body, headers=headers, query_string=query
        )
        assert reply.status_code < 500 or reply.is_json, reply.text
        return reply

    def got(self, path: str, **query: str) -> Json:
        reply = self.call("GET", path, **query)
        assert reply.status_code == 200, reply.text
        found: Json = reply.get_json()
        return found

    def _first(self, path: str, **query: str) -> Json:
        data = self.got(path, **query)["data"]
        assert isinstance(data, list)
        found: Json = data[0]
        return found

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(str(self.got("/sim/clock")["now"]))

    @property
    def today(self) -> str:
        return str(self.got("/sim/clock")["business_on"])

    @initialize()
    def open_accounts(self) -> None:
        self.call("POST", "/sim/accounts", TRUST)
        self.call("POST", "/sim/accounts", FEES)
        self.call("PUT", "/sim/clock", {"now": "2026-01-22T14:00:00Z"})
        self.money_comes_in(20_000)

    @rule(cents=CENTS)
    def money_comes_in(self, cents: int) -> None:
        body = {"account_id": "trust", "amount_cents": cents, "sender_name": "A parent"}
        assert self.call("POST", "/sim/inbound/wire", body).status_code in {201, 202}

    @rule(cents=CENTS, is_returned=st.booleans())
    def a_check_comes_in(self, cents: int, is_returned: bool) -> None:
        body = {"account_id": "trust", "amount_cents": cents, "sender_name": "A parent"}
        deposit = self.call("POST", "/sim/inbound/check-deposit", body).get_json()
        if is_returned:
            path = f"/sim/deposits/{deposit['id']}/return"
            assert self.call("POST", path, {"reason": "NSF"}).status_code in {202, 409}

    @rule(target=payments, cents=CENTS, ending=ENDINGS, rail=st.sampled_from(["ach", "wire"]))
    def pay(self, cents: int, ending: str, rail: str) -> object:
        reference = f"REF{next(self.numbers):06d}"
        body = ach_body(cents, reference, self.today, account=f"7777{ending}")
        if rail == "wire":
            body = wire_body(cents, reference, self.today) | {"counterparty": body["counterparty"]}
        return self._ask(body)

    def _ask(self, body: Json) -> object:
        reply = self.call("POST", "/v1/payments", body)
        if reply.status_code not in {200, 201}:
            assert reply.status_code in {409, 429, 500}
            return multiple()
        self.sent[str(body["client_reference"])] = body
        return reply.get_json()["id"]

    @rule()
    def everything_is_sent_again(self) -> None:
        """Find that a replay adds nothing, to the lines or to anything else."""
        before = self.got("/sim/ledger")
        for body in self.sent.values():
            assert self.call("POST", "/v1/payments", body).status_code == 200
        assert self.got("/sim/ledger") == before

    @rule(payment=payments)
    def a_payment_is_cancelled(self, payment: str) -> None:
        status = self.got(f"/v1/payments/{payment}")["status"]
        reply = self.call("POST", f"/v1/payments/{payment}/cancel")
        is_possible = status in {"accepted", "in_review", "cancelled"}
        assert reply.status_code == (200 if is_possible else 409)

    @rule(payment=payments, verb=st.sampled_from(["hold", "release"]))
    def a_payment_is_reviewed(self, payment: str, verb: str) -> None:
        assert self.call("POST", f"/sim/payments/{payment}/{verb}").status_code in {200, 409}

    @rule(payment=consumes(payments))
    def a_payment_is_rejected(self, payment: str) -> None:
        reply = self.call("POST", f"/sim/payments/{payment}/reject", {"reason": "No"})
        assert reply.status_code in {200, 409}

    @rule(payment=payments, code=st.sampled_from(["R01", "R03", "R10"]))
    def a_payment_is_ordered_back(self, payment: str, code: str) -> None:
        reply = self.call("POST", f"/sim/payments/{payment}/return", {"code": code})
        assert reply.status_code in {202, 409}

    @rule(cents=st.lists(CENTS, min_size=1, max_size=3), ending=ENDINGS)
    def a_file_is_dropped(self, cents: list[int], ending: str) -> None:
        number = next(self.numbers)
        name = f"RUN{number}"
        account = f"8888{ending}"
        pays = [Pay(amount, f"{name}-{place}", account) for place, amount in enumerate(cents)]
        batch = batch_of(pays, self._banking_day(), reference=name, first_trace=number * 10)
        data = ach([batch], created=self.today, modifier="ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26])
        (self.bank.drop.inbox / f"{name}.ach").write_bytes(data)
        self.call("POST", "/sim/scan")
        totals = totals_of(data, reference=name)
        file = self._first("/v1/files", sha256=str(totals["sha256"]))
        reply = self.call("POST", f"/v1/files/{file['id']}/control-totals", totals)
        assert reply.status_code in {200, 409}

    def _banking_day(self) -> str:
        clock = self.got("/sim/clock")
        if clock["is_banking_day"]:
            return str(clock["business_on"])
        self.hours_pass(24 * 4)
        return self._banking_day()

    @rule(ending=ENDINGS)
    def a_receiver_closes_the_account(self, ending: str) -> None:
        body = {"routing_number": OTHER_BANK, "account_number": f"7777{ending}", "on": self.today}
        assert self.call("POST", "/sim/counterparties/close", body).status_code == 200

    @rule(hours=STEPS)
    def hours_pass(self, hours: int) -> None:
        target = (self.now + timedelta(hours=hours)).isoformat()
        assert self.call("PUT", "/sim/clock", {"now": target}).status_code == 200

    @rule()
    def the_bank_is_opened_anew(self) -> None:
        before = self.got("/sim/ledger")
        self.bank.close()
        self.client = self._open()
        assert self.got("/sim/ledger") == before

    @invariant()
    def the_books_hold(self) -> None:
        proof = self.got("/sim/ledger")
        assert proof["is_proved"] is True, proof
        assert proof["debit_cents"] == proof["credit_cents"]
        assert proof["payments"]["doubled"] == {}  # type: ignore[index]

    def teardown(self) -> None:
        self.hours_pass(24 * 40)
        self.the_books_hold()
        self._check_statements()
        self.bank.close()

    def _check_statements(self) -> None:
        """Each payment is on exactly one statement or still open, and statements follow on."""
        on_statement: Counter[str] = Counter()
        opening = 0
        for event in self._events("statement.available"):
            if event["account_id"] != "trust":
                continue
            reply = self.call(
                "GET", "/v1/statements", account_id="trust", date=str(event["as_of_on"])
            )
            (group,) = bai2.read(reply.data).groups
            (account,) = group.accounts
            balances = {row.type_code: row.amount_cents for row in account.balances}
            assert balances["010"] == opening
            opening = balances["015"] or 0
            on_statement.update(
                line.customer_reference
                for line in account.transactions
                if line.type_code in {"466", "495"}
            )
        for reference in self.sent:
            payment = self._first("/v1/payments", client_reference=reference)
            assert on_statement[reference] == (payment["status"] in DONE)

    def _events(self, kind: str) -> list[Json]:
        found: list[Json] = []
        page: Json = {"next_cursor": 0, "has_more": True}
        while page["has_more"]:
            page = self.got("/v1/events", after=str(page["next_cursor"]), limit="500")
            data = page["data"]
            assert isinstance(data, list)
            found.extend(event["data"] for event in data if event["type"] == kind)
        return found


def live(root: Path, *, lives: int, steps: int) -> None:
    class Machine(BankMachine):
        pass

    Machine.root = root
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_books_hold_in_every_life(tmp_path: Path) -> None:
    live(tmp_path, lives=10, steps=25)
    assert (tmp_path / "bank0" / "bank.sqlite3").exists()


@pytest.mark.night
def test_the_books_hold_in_long_lives(tmp_path: Path) -> None:
    live(tmp_path, lives=100, steps=60)
    assert (tmp_path / "bank0" / "bank.sqlite3").exists()
