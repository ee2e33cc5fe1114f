"""The sandbox bank as a whole: its door, its clock, its statements, its memory."""

from __future__ import annotations

import signal
import sqlite3
import threading
from datetime import date
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from seedtrust.core.bankdays import is_banking_day
from seedtrust.formats import bai2
from seedtrust.sandbox import RunningBank, create_bank_app
from seedtrust.sandbox.cli_sandbox import sandbox_bank
from seedtrust.sandbox.store import Store
from tests.sandbox.process import start_process
from tests.sandbox.support import (
    API_KEY,
    FEES,
    OTHER_BANK,
    TRUST,
    Caller,
    Json,
    Pay,
    ach,
    batch_of,
    open_bank,
    simple_ach,
    totals_of,
    wire_body,
)
from tests.support.processes import PATIENCE_SECONDS, wait_until
from tests.support.services import free_port


@pytest.mark.parametrize("path", ["/v1/health", "/v1/accounts", "/nowhere", "/sim/clock"])
def test_every_reply_says_that_no_money_is_real(empty_bank: Caller, path: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {API_KEY}"}):
        response = requests.get(empty_bank.running.url + path, headers=headers, timeout=10)
        assert response.headers["X-Sandbox"] == "no real money"


def test_only_health_needs_no_key(empty_bank: Caller) -> None:
    url = empty_bank.running.url
    assert requests.get(f"{url}/v1/health", timeout=10).json()["status"] == "ok"
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é".encode()}):
        refused = requests.get(f"{url}/v1/accounts", headers=header, timeout=10)
        assert refused.status_code == 401
        assert refused.json()["code"] == "unauthenticated"
        assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_errors_are_problem_details(bank: Caller) -> None:
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/accounts", 405),
        ("GET", "/v1/accounts/nobody/balances", 404),
        ("GET", "/v1/accounts/nobody/transactions", 404),
        ("GET", "/v1/payments/nothing", 404),
        ("GET", "/v1/accounts/trust/balances?as_of=soon", 422),
        ("GET", "/v1/accounts/trust/balances?as_of=2099-01-01", 422),
        ("GET", "/v1/events?after=-1", 422),
        ("GET", "/v1/events?limit=501", 422),
        ("GET", "/v1/statements?account_id=trust", 422),
        ("GET", "/v1/statements?account_id=trust&date=2026-01-22", 404),
    ):
        response = bank.send(method, path)
        assert response.status_code == status, path
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == status
        assert response.json()["detail"]


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"[]", b'"x"', b"1"])
def test_a_body_that_is_no_object_is_refused(bank: Caller, data: bytes) -> None:
    response = requests.post(
        f"{bank.running.url}/v1/payments",
        data=data,
        headers={"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
        timeout=10,
    )
    assert response.status_code == 400


def test_an_account_is_opened_once(empty_bank: Caller) -> None:
    first = empty_bank.send("POST", "/sim/accounts", TRUST)
    again = empty_bank.send("POST", "/sim/accounts", TRUST)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert first.json()["account_number_last4"] == "7890"
    for changes in (
        {"opening_cents": 1},
        {"id": "b"},
        {"id": "b", "account_number": "9"},
    ):
        assert empty_bank.send("POST", "/sim/accounts", TRUST | changes).status_code == 409
    assert [row["id"] for row in empty_bank.listed("/v1/accounts")] == ["trust"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a/b"},
        {"routing_number": "044000025"},
        {"account_number": ""},
        {"company_identifications": "1"},
        {"company_identifications": ["1", "1"]},
        {"company_identifications": [1]},
        {"opening_cents": -1},
        {"name": None},
    ],
)
def test_an_account_with_wrong_values_is_refused(empty_bank: Caller, changes: Json) -> None:
    assert empty_bank.send("POST", "/sim/accounts", TRUST | changes).status_code == 422


def test_the_clock_stands_still_and_only_goes_forward(bank: Caller) -> None:
    shown = bank.get("/sim/clock")
    assert shown["now"] == "2026-01-22T14:00:00Z"
    assert (shown["business_on"], shown["is_banking_day"]) == ("2026-01-22", True)
    assert shown["next_due_at"] == "2026-01-23T11:00:00Z"
    back = bank.send("PUT", "/sim/clock", {"now": "2026-01-22T13:59:59Z"})
    assert (back.status_code, back.json()["code"]) == (409, "clock_backwards")
    same = bank.send("PUT", "/sim/clock", {"now": "2026-01-22T09:00:00-05:00"})
    assert same.json()["now"] == "2026-01-22T14:00:00Z"
    far = ("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "2206-01-22T00:00:00Z")
    for now in ("soon", "2026-01-23T10:00:00", 5, None, *far):
        assert bank.send("PUT", "/sim/clock", {"now": now}).status_code == 422


def test_the_first_move_of_an_untouched_bank_only_sets_its_start(bank: Caller) -> None:
    assert bank.events() == []
    bank.at("2026-01-23", 6)
    assert [event["data"]["as_of_on"] for event in bank.events()] == ["2026-01-22"] * 2  # type: ignore[index]


def test_a_bank_that_was_used_before_its_first_move_closes_every_day(empty_bank: Caller) -> None:
    empty_bank.post("/sim/accounts", TRUST)
    empty_bank.fund(5)
    empty_bank.at("2025-01-07")
    days = [event["data"]["as_of_on"] for event in empty_bank.events("statement.available")]  # type: ignore[index]
    assert days == ["2025-01-02", "2025-01-03", "2025-01-06"]


def test_statements_come_at_six_on_the_next_banking_day(bank: Caller) -> None:
    bank.fund(10_000)
    bank.at("2026-01-23", 5, 59)
    assert (
        bank.send(
            "GET", "/v1/statements", params={"account_id": "trust", "date": "2026-01-22"}
        ).status_code
        == 404
    )
    bank.at("2026-01-23", 6)
    path = bank.drop / "outbox" / "STMT-trust-2026-01-22.bai2"
    file = bai2.read(path.read_bytes())
    assert (file.sender, file.receiver) == ("044000024", "trust")
    assert (file.created_on, file.created_time) == (date(2026, 1, 23), "0600")
    assert file.findings == ()
    assert bank.statement("2026-01-22").account_number == TRUST["account_number"]
    event = bank.events("statement.available")[-1]
    assert event["data"] == {
        "account_id": "trust",
        "as_of_on": "2026-01-22",
        "format": "bai2",
        "file_name": path.name,
        "closing_cents": 10_000,
        "lines": 1,
    }


def test_there_is_a_statement_for_every_banking_day_and_no_other(bank: Caller) -> None:
    bank.at("2026-03-02")
    days = [
        str(event["data"]["as_of_on"])  # type: ignore[index]
        for event in bank.events("statement.available")
        if event["data"]["account_id"] == "trust"  # type: ignore[index]
    ]
    first, last = date(2026, 1, 22), date(2026, 2, 27)
    expected = [
        date.fromordinal(number).isoformat()
        for number in range(first.toordinal(), last.toordinal() + 1)
        if is_banking_day(date.fromordinal(number))
    ]
    assert days == expected


def test_balances_can_be_asked_for_a_past_day(bank: Caller) -> None:
    bank.fund(10_000)
    bank.at("2026-01-23")
    bank.fund(1)
    past = bank.get("/v1/accounts/trust/balances", as_of="2026-01-22")
    assert past["kind"] == "prior_day"
    assert (past["ledger_cents"], past["available_cents"]) == (10_000, 10_000)
    assert bank.ledger_cents(as_of="2026-01-21") == 0
    assert bank.ledger_cents() == 10_001


def test_transactions_can_be_asked_for_a_range_of_days(bank: Caller) -> None:
    bank.fund(1)
    bank.at("2026-01-23")
    bank.fund(2)
    path = "/v1/accounts/trust/transactions"
    both = bank.listed(path)
    assert [row["amount_cents"] for row in both] == [1, 2]
    assert bank.listed(path, **{"from": "2026-01-23"}) == both[1:]
    assert bank.listed(path, to="2026-01-22") == both[:1]


def test_events_are_paged_by_cursor(bank: Caller) -> None:
    for cents in (1, 2, 3):
        bank.fund(cents)
    first = bank.get("/v1/events", limit=2)
    assert first["has_more"] is True
    rest = bank.get("/v1/events", after=first["next_cursor"])
    assert [row["data"]["amount_cents"] for row in rest["data"]] == [3]  # type: ignore[attr-defined]
    assert rest["has_more"] is False
    none = bank.get("/v1/events", after=rest["next_cursor"])
    assert (none["data"], none["next_cursor"]) == ([], rest["next_cursor"])


def busy_month(bank: Caller) -> None:
    """Play wires, files, a refusal, returns and weekends."""
    bank.fund(1_000_000, reference="DEPOSIT-1")
    bank.post(
        "/sim/counterparties/close",
        {"routing_number": OTHER_BANK, "account_number": "555009", "on": "2026-01-30"},
    )
    for number, day in enumerate(["2026-01-23", "2026-01-29", "2026-02-06", "2026-02-13"]):
        bank.at(day)
        effective = {"2026-01-29": "2026-01-30", "2026-02-13": "2026-02-17"}.get(day, day)
        pays = [
            Pay(1_000 + number, f"PAY{number:012d}"),
            Pay(5_000, f"PBY{number:012d}", account="555009"),
        ]
        data = ach([batch_of(pays, effective, reference=f"RUN{number:012d}")], created=day)
        assert bank.drop_and_scan(f"RUN{number}", data)["status"] == "accepted"
        bank.post("/v1/payments", wire_body(70_000 + number, f"WIRE{number}", day))
        bank.at(day, 19)
        bank.post("/v1/payments", wire_body(80_000 + number, f"LATE{number}", day))
    bank.drop_and_scan("BIG", simple_ach(9_000_000, "2026-02-17", created="2026-02-14"))
    bank.at("2026-02-14")
    bank.fund(333)
    bank.at("2026-03-02")


def test_every_payment_is_on_exactly_one_statement_and_statements_follow_each_other(
    bank: Caller,
) -> None:
    busy_month(bank)
    proof = bank.prove()
    references: list[str] = []
    previous_cents = 0
    days = sorted(
        str(event["data"]["as_of_on"])  # type: ignore[index]
        for event in bank.events("statement.available")
        if event["data"]["account_id"] == "trust"  # type: ignore[index]
    )
    for day in days:
        account = bank.statement(day)
        assert account.balance_cents("010") == previous_cents
        moved = sum(item.signed_cents for item in account.transactions)
        previous_cents = account.balance_cents("015") or 0
        assert previous_cents == (account.balance_cents("010") or 0) + moved
        assert bank.ledger_cents(as_of=day) == previous_cents
        references.extend(item.customer_reference for item in account.transactions)
    expected = [f"WIRE{number}" for number in range(4)] + [f"LATE{number}" for number in range(4)]
    expected += [f"RUN{number:012d}" for number in range(4)]
    expected += [f"PBY{number:012d}" for number in (1, 2, 3)]
    assert sorted(references) == sorted([*expected, "DEPOSIT-1", ""])
    assert len(bank.events("file.rejected")) == 1
    assert bank.ledger_cents() == previous_cents
    assert [row["account_id"] for row in proof["accounts"]] == ["fees", "trust"]  # type: ignore[attr-defined]


def test_doing_everything_again_adds_nothing(bank: Caller) -> None:
    busy_month(bank)
    ledger, events = bank.get("/sim/ledger"), bank.events()
    for payment in bank.listed("/v1/payments"):
        cents = payment["amount_cents"]
        assert isinstance(cents, int)
        day = str(payment["requested_on"])
        body = wire_body(cents, str(payment["client_reference"]), day)
        assert bank.send("POST", "/v1/payments", body).headers["Idempotency-Replayed"] == "true"
    for path in (bank.drop / "archive").iterdir():
        path.replace(bank.drop / "inbox" / path.name)
    bank.post("/sim/scan")
    bank.post("/sim/accounts", TRUST)
    assert bank.get("/sim/ledger") == ledger
    assert bank.events() == events


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    caller = open_bank(tmp_path)
    caller.post("/sim/accounts", TRUST)
    caller.post("/sim/accounts", FEES)
    caller.at("2026-01-22")
    caller.fund(10_000)
    caller.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    before = [caller.get("/sim/ledger"), caller.events(), caller.get("/sim/clock")]
    caller.stop()
    again = open_bank(tmp_path)
    assert [again.get("/sim/ledger"), again.events(), again.get("/sim/clock")] == before
    again.at("2026-01-23", 8, 30)
    assert again.ledger_cents() == 6_000
    again.stop()


def test_an_acknowledgement_that_a_kill_held_back_is_written_at_the_next_start(
    tmp_path: Path,
) -> None:
    caller = open_bank(tmp_path)
    caller.post("/sim/accounts", TRUST)
    caller.drop_file("JUNK", b"junk")
    caller.post("/sim/scan")
    with caller.running.bank.unit() as connection:
        connection.execute("UPDATE outbox SET is_written = 0")
    acknowledgement = tmp_path / "drop" / "outbox" / "JUNK.ack.json"
    content = acknowledgement.read_bytes()
    acknowledgement.unlink()
    caller.stop()
    again = open_bank(tmp_path)
    assert acknowledgement.read_bytes() == content
    again.stop()


def test_a_file_taken_in_but_not_put_away_is_put_away_later(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    file = bank.drop_and_scan("RUN1", data)
    for name in ("RUN1.ach", "RUN1.totals.json"):
        (bank.drop / "archive" / name).replace(bank.drop / "inbox" / name)
    events = bank.events()
    assert bank.post("/sim/scan")["files"] == []
    assert bank.file(str(file["sha256"])) == file
    assert bank.events() == events
    assert list((bank.drop / "inbox").iterdir()) == []


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "bank.sqlite3")
    with store.unit() as connection:
        connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(RuntimeError, match="another version"):
        create_bank_app(tmp_path, API_KEY)


def test_the_watch_reads_the_folder_by_itself(tmp_path: Path) -> None:
    running = RunningBank(tmp_path, 0, API_KEY, scan_seconds=0.05)
    running.start()
    caller = Caller(running, tmp_path / "drop")
    caller.drop_file("JUNK", b"junk")
    wait_until(lambda: caller.events("file.rejected"), "the watch")
    assert len(caller.events("file.rejected")) == 1
    caller.stop()


def test_many_callers_at_once_never_overdraw(bank: Caller) -> None:
    bank.fund(100)
    statuses: list[int] = []

    def send(number: int) -> None:
        response = requests.post(
            f"{bank.running.url}/v1/payments",
            json=wire_body(10, f"RACE{number % 20}"),
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=30,
        )
        statuses.append(response.status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(201) == 10
    assert set(statuses) <= {200, 201, 409}
    assert bank.ledger_cents() == 0
    bank.prove()


def test_a_kill_in_the_middle_of_a_long_move_loses_and_doubles_nothing(tmp_path: Path) -> None:
    caller = open_bank(tmp_path)
    caller.post("/sim/accounts", TRUST)
    caller.at("2026-01-22")
    caller.fund(1_000_000)
    for number in range(20):
        day = date.fromordinal(date(2026, 1, 26).toordinal() + number * 7).isoformat()
        effective = day if is_banking_day(date.fromisoformat(day)) else None
        if effective:
            caller.post("/v1/payments", wire_body(100, f"W{number}", effective))
    expected = len(caller.listed("/v1/payments"))
    caller.stop()
    target: Json = {"now": "2026-12-31T17:00:00Z"}
    for day in ("2026-03-01", "2026-06-01"):
        _move_until_it_dies(tmp_path, day, target)
    again = open_bank(tmp_path)
    assert "2026-05" < str(again.get("/sim/clock")["business_on"]) < "2026-06-01"
    assert again.send("PUT", "/sim/clock", target).status_code == 200
    again.prove()
    debits = [
        row for row in again.listed("/v1/accounts/trust/transactions") if row["bai_code"] == "495"
    ]
    assert len(debits) == expected
    days = [
        path.name for path in (tmp_path / "drop" / "outbox").iterdir() if path.suffix == ".bai2"
    ]
    assert len(days) == len(again.events("statement.available"))
    again.stop()


def _move_until_it_dies(folder: Path, day: str, target: Json) -> None:
    """Send a bank on its way to a target; it is killed inside the step that reaches a day."""
    port = free_port()
    process = start_process(folder, port, dies_on=day)
    url = f"http://127.0.0.1:{port}/sim/clock"
    with pytest.raises(requests.ConnectionError):
        requests.put(url, json=target, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=120)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_the_process_says_where_it_serves_and_ends_when_asked(tmp_path: Path) -> None:
    port = free_port()
    process = start_process(tmp_path, port)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}".encode() in said
    assert b"API key" not in said


def test_a_bank_without_a_key_makes_one_and_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    arguments = ["--data", str(place / "bank"), "--port", "0"]
    result = CliRunner(env={"SEEDTRUST_SANDBOX_BANK_KEY": None}).invoke(sandbox_bank, arguments)
    assert result.exit_code == 1
    assert result.stdout.startswith("API key: ")
    assert "cannot start" in result.stderr


def test_totals_of_a_made_file_are_those_of_its_control_record() -> None:
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    assert totals_of(data, reference="X")["credit_cents"] == 4_000


def test_the_watch_outlives_a_folder_that_is_gone_for_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = RunningBank(tmp_path, 0, API_KEY, scan_seconds=0.02)
    running.start()
    inbox = tmp_path / "drop" / "inbox"
    inbox.rename(tmp_path / "away")
    wait_until(lambda: "sandbox_scan_failed" in caplog.text, "the failure")
    (tmp_path / "away").rename(inbox)
    caller = Caller(running, tmp_path / "drop")
    caller.drop_file("JUNK", b"junk")
    wait_until(lambda: caller.events("file.rejected"), "the watch")
    found = len(caller.events("file.rejected"))
    caller.stop()
    assert "sandbox_scan_failed" in caplog.text
    assert found == 1


def test_an_account_opened_later_has_no_statement_before(bank: Caller) -> None:
    bank.at("2026-01-23", 5)
    later = TRUST | {"id": "later", "account_number": "77", "company_identifications": []}
    bank.post("/sim/accounts", later)
    bank.at("2026-01-26", 6)
    days = [
        event["data"]["as_of_on"]  # type: ignore[index]
        for event in bank.events("statement.available")
        if event["data"]["account_id"] == "later"  # type: ignore[index]
    ]
    assert days == ["2026-01-23"]


def test_the_proof_finds_a_posting_that_was_slipped_in(bank: Caller) -> None:
    bank.fund(10_000)
    bank.at("2026-01-23")
    bank.prove()
    with bank.running.bank.unit() as connection:
        connection.execute(
            "INSERT INTO posting (journal_id, book, business_on, amount_cents)"
            " SELECT max(id), 'customer:trust', '2026-01-22', 1 FROM journal"
        )
    proof = bank.get("/sim/ledger")
    assert proof["is_proved"] is False
    assert len(proof["uneven_journals"]) == 1  # type: ignore[arg-type]
    (trust,) = [row for row in proof["accounts"] if row["account_id"] == "trust"]  # type: ignore[attr-defined]
    assert trust["wrong_statements"] == [
        {"as_of_on": "2026-01-22", "closing_cents": 10_000, "ledger_cents": 9_999}
    ]


def test_what_was_written_to_the_books_cannot_be_changed(bank: Caller) -> None:
    bank.fund(10_000)
    for table in ("journal", "posting", "line", "event"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="never change"),
            bank.running.bank.unit() as connection,
        ):
            connection.execute(f"DELETE FROM {table}")
    bank.prove()
