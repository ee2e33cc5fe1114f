"""NACHA files at the sandbox bank: totals, refusals, duplicates and acknowledgements."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from seedtrust.formats import nacha
from tests.sandbox.support import (
    BANK,
    COMPANY,
    TRUST,
    Caller,
    Json,
    Pay,
    ach,
    batch_of,
    simple_ach,
    totals_of,
)


def codes_of(file: Json) -> list[str]:
    faults = file["faults"]
    assert isinstance(faults, list)
    return [fault["code"] for fault in faults]


def ack(bank: Caller, name: str) -> Json:
    found: Json = json.loads((bank.drop / "outbox" / f"{name}.ack.json").read_text())
    return found


def test_a_file_with_its_totals_is_accepted(bank: Caller) -> None:
    bank.fund(10_000)
    file = bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    assert file["status"] == "accepted"
    assert file["client_reference"] == "RUN1"
    assert file["faults"] == []
    assert file["settlements"] == [
        {
            "account_id": "trust",
            "settles_at": "2026-01-23T13:30:00Z",
            "settles_on": "2026-01-23",
            "customer_reference": "RUNREF123456789",
            "direction": "credit",
            "entries": 1,
            "amount_cents": 4_000,
            "is_settled": False,
        }
    ]
    assert ack(bank, "RUN1") == file
    assert bank.get(f"/v1/files/{file['id']}") == file
    assert bank.listed("/v1/files", client_reference="RUN1") == [file]
    assert [event["type"] for event in bank.events()][1:] == [
        "file.received",
        "file.awaiting_totals",
        "file.accepted",
    ]
    assert sorted(path.name for path in (bank.drop / "inbox").iterdir()) == []
    balances = bank.get("/v1/accounts/trust/balances")
    assert (balances["ledger_cents"], balances["available_cents"]) == (10_000, 6_000)


def test_a_file_without_totals_waits_for_them(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    sha256 = bank.drop_file("RUN1", data)
    assert bank.post("/sim/scan") == {"files": ["RUN1.ach"], "totals": []}
    assert bank.file(sha256)["status"] == "awaiting_totals"
    assert not (bank.drop / "outbox" / "RUN1.ack.json").exists()
    bank.at("2026-01-22", 10)
    (bank.drop / "inbox" / "RUN1.totals.json").write_text(
        json.dumps(totals_of(data, reference="RUN1"))
    )
    assert bank.post("/sim/scan") == {"files": [], "totals": ["RUN1.totals.json"]}
    assert bank.file(sha256)["status"] == "accepted"
    assert ack(bank, "RUN1")["status"] == "accepted"


def test_totals_that_come_before_their_file_wait_for_it(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    totals = bank.drop / "inbox" / "RUN1.totals.json"
    totals.write_text(json.dumps(totals_of(data, reference="RUN1")))
    bank.post("/sim/scan")
    assert totals.exists()
    sha256 = bank.drop_file("RUN1", data)
    bank.post("/sim/scan")
    assert bank.file(sha256)["status"] == "accepted"
    assert not totals.exists()


def test_totals_that_do_not_match_suspend_a_file_until_right_ones_come(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    file = bank.drop_and_scan("RUN1", data, credit_cents=4_001)
    assert file["status"] == "suspended"
    assert file["faults"] == [
        {
            "line": 0,
            "column": 0,
            "field": "credit_cents",
            "code": "totals-mismatch",
            "message": "The totals say 4001, the file says 4000.",
        }
    ]
    assert ack(bank, "RUN1")["status"] == "suspended"
    path = f"/v1/files/{file['id']}/control-totals"
    right = totals_of(data, reference="RUN1")
    assert bank.post(path, right | {"credit_cents": 4_001})["status"] == "suspended"
    assert len(bank.events("file.suspended")) == 1
    assert bank.post(path, right)["status"] == "accepted"
    assert bank.post(path, right)["status"] == "accepted"
    assert len(bank.events("file.accepted")) == 1
    assert ack(bank, "RUN1")["status"] == "accepted"
    late = bank.send("POST", path, right | {"batch_count": 9})
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")


def test_totals_for_another_content_suspend_a_file(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    sha256 = bank.drop_file("RUN1", data)
    bank.post("/sim/scan")
    path = f"/v1/files/{bank.file(sha256)['id']}/control-totals"
    wrong = totals_of(data, reference="RUN1") | {"sha256": "0" * 64}
    assert [fault["field"] for fault in bank.post(path, wrong)["faults"]] == ["sha256"]  # type: ignore[attr-defined]


def test_a_client_reference_belongs_to_one_file(bank: Caller) -> None:
    bank.fund(10_000)
    bank.drop_and_scan("RUN1", simple_ach(1, "2026-01-23", created="2026-01-22"))
    second = simple_ach(2, "2026-01-23", created="2026-01-22", modifier="B")
    file = bank.drop_and_scan("RUN2", second, client_reference="RUN1")
    assert (file["status"], codes_of(file)) == ("suspended", ["reference-reused"])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": 1}', "[" * 5000, " " * 20_000])
def test_totals_that_cannot_be_read_stay_in_the_inbox(bank: Caller, text: str) -> None:
    sha256 = bank.drop_file("RUN1", simple_ach(1, "2026-01-23", created="2026-01-22"))
    totals = bank.drop / "inbox" / "RUN1.totals.json"
    totals.write_text(text)
    bank.post("/sim/scan")
    assert bank.file(sha256)["status"] == "awaiting_totals"
    assert totals.exists()


def test_a_malformed_file_is_rejected_with_line_and_column(bank: Caller) -> None:
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22").replace(
        b"0000004000", b"0000004001", 1
    )
    file = bank.drop_and_scan("RUN1", data)
    assert file["status"] == "rejected"
    faults = file["faults"]
    assert isinstance(faults, list)
    assert faults
    assert all(fault["line"] > 0 for fault in faults)
    (event,) = bank.events("file.rejected")
    assert event["data"] == file
    assert ack(bank, "RUN1") == file
    assert bank.events("file.awaiting_totals") == []


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xfe", b"\n" * 100])
def test_what_is_no_nacha_file_is_rejected(bank: Caller, data: bytes) -> None:
    sha256 = bank.drop_file("JUNK", data)
    bank.post("/sim/scan")
    assert bank.file(sha256)["status"] == "rejected"
    assert codes_of(bank.file(sha256))


@pytest.mark.parametrize(
    "effective, code",
    [
        ("2026-01-21", "effective-date-past"),
        ("2026-01-24", "effective-date-closed"),
        ("2026-02-16", "effective-date-closed"),
    ],
)
def test_an_effective_date_that_cannot_be_kept_is_rejected(
    bank: Caller, effective: str, code: str
) -> None:
    bank.fund(10_000)
    file = bank.drop_and_scan("RUN1", simple_ach(1, effective, created="2026-01-20"))
    assert (file["status"], codes_of(file)) == ("rejected", [code])


def test_an_effective_date_that_passes_while_a_file_waits_is_rejected(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(1, "2026-01-23", created="2026-01-22")
    bank.drop_file("RUN1", data)
    bank.at("2026-01-26")
    file = bank.drop_and_scan("RUN1", data)
    assert (file["status"], codes_of(file)) == ("rejected", ["effective-date-past"])


def test_a_company_that_is_not_registered_is_rejected(bank: Caller) -> None:
    data = ach([batch_of([Pay(1)], "2026-01-23", company="9999999999")], created="2026-01-22")
    assert codes_of(bank.drop_and_scan("RUN1", data)) == ["company-unknown"]


def test_an_originating_bank_that_is_not_the_accounts_is_rejected(bank: Caller) -> None:
    other = TRUST | {
        "id": "elsewhere",
        "routing_number": "021000021",
        "company_identifications": ["2222222222"],
    }
    bank.post("/sim/accounts", other)
    data = ach([batch_of([Pay(1)], "2026-01-23", company="2222222222")], created="2026-01-22")
    assert codes_of(bank.drop_and_scan("RUN1", data)) == ["odfi-unknown"]


def test_a_file_that_the_account_does_not_cover_is_rejected(bank: Caller) -> None:
    bank.fund(3_999)
    file = bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    assert (file["status"], codes_of(file)) == ("rejected", ["insufficient-funds"])


def test_what_one_file_will_take_is_not_there_for_the_next(bank: Caller) -> None:
    bank.fund(4_000)
    first = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    second = simple_ach(1, "2026-01-23", created="2026-01-22", modifier="B")
    assert bank.drop_and_scan("RUN1", first)["status"] == "accepted"
    assert codes_of(bank.drop_and_scan("RUN2", second)) == ["insufficient-funds"]


def test_a_balanced_batch_is_rejected(bank: Caller) -> None:
    own = Pay(100, code=27, routing=BANK, account=str(TRUST["account_number"]))
    data = ach([batch_of([Pay(100), own], "2026-01-23")], created="2026-01-22")
    assert codes_of(bank.drop_and_scan("RUN1", data)) == ["balanced-not-enabled"]


def test_a_debit_of_another_account_of_the_bank_is_rejected(bank: Caller) -> None:
    fees = Pay(100, code=27, routing=BANK, account="01234567891")
    data = ach([batch_of([fees], "2026-01-23")], created="2026-01-22")
    assert codes_of(bank.drop_and_scan("RUN1", data)) == ["on-us-debit"]


def test_the_same_file_again_changes_nothing(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    file = bank.drop_and_scan("RUN1", data)
    events = bank.events()
    assert bank.drop_and_scan("RUN1", data) == file
    assert bank.events() == events


def test_the_same_content_under_another_name_is_rejected(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    first = bank.drop_and_scan("RUN1", data)
    bank.drop_file("RUN2", data)
    bank.post("/sim/scan")
    second, same = bank.listed("/v1/files", sha256=str(first["sha256"]))
    assert same == first
    assert (second["status"], codes_of(second)) == ("rejected", ["duplicate-content"])
    assert ack(bank, "RUN2")["status"] == "rejected"
    assert ack(bank, "RUN1")["status"] == "accepted"


def test_another_content_under_the_same_name_is_rejected_without_hiding_the_first(
    bank: Caller,
) -> None:
    bank.fund(10_000)
    bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    other = simple_ach(5, "2026-01-23", created="2026-01-22", modifier="B")
    file = bank.drop_and_scan("RUN1", other)
    assert codes_of(file) == ["duplicate-name"]
    assert ack(bank, "RUN1")["status"] == "accepted"
    assert ack(bank, f"RUN1-{str(file['sha256'])[:8]}")["status"] == "rejected"


def test_the_same_date_and_modifier_is_rejected(bank: Caller) -> None:
    bank.fund(10_000)
    bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    file = bank.drop_and_scan("RUN2", simple_ach(5, "2026-01-23", created="2026-01-22"))
    assert codes_of(file) == ["duplicate-file"]


def test_a_rejected_file_may_be_replaced_under_its_modifier(bank: Caller) -> None:
    bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    bank.fund(10_000)
    file = bank.drop_and_scan("RUN2", simple_ach(4_000, "2026-01-26", created="2026-01-22"))
    assert file["status"] == "accepted"


def test_half_written_and_strange_names_are_left_alone(bank: Caller) -> None:
    inbox = bank.drop / "inbox"
    for name in ("RUN1.part", ".RUN1.ach", "a b.ach", "notes.txt"):
        (inbox / name).write_bytes(b"x")
    (inbox / "folder.ach").mkdir()
    assert bank.post("/sim/scan") == {"files": [], "totals": []}
    assert len(list(inbox.iterdir())) == 5


def test_moving_the_clock_counts_what_lies_in_the_folder_as_received_before(bank: Caller) -> None:
    bank.fund(10_000)
    data = simple_ach(4_000, "2026-01-23", created="2026-01-22")
    sha256 = bank.drop_file("RUN1", data, totals_of(data, reference="RUN1"))
    bank.at("2026-01-23", 8, 30)
    file = bank.file(sha256)
    assert file["received_at"] == "2026-01-22T14:00:00Z"
    assert file["status"] == "settled"


def test_a_file_that_does_not_exist_is_not_found(bank: Caller) -> None:
    for file_id in ("FILE-000009", "FILE-", "9", "FILE-x", f"FILE-{'9' * 30}"):
        assert bank.send("GET", f"/v1/files/{file_id}").status_code == 404
    assert bank.listed("/v1/files", sha256="0" * 64) == []


def test_company_of_files_is_the_one_of_the_account(bank: Caller) -> None:
    (trust,) = [row for row in bank.listed("/v1/accounts") if row["id"] == "trust"]
    assert trust["company_identifications"] == [COMPANY]


def test_an_entry_class_that_is_not_enabled_is_rejected(bank: Caller) -> None:
    data = ach([batch_of([Pay(1, code=27)], "2026-01-23")], created="2026-01-22")
    file = bank.drop_and_scan("RUN1", data.replace(b"PPD", b"ARC"))
    assert codes_of(file) == ["sec-code-not-enabled"]


def test_returns_do_not_come_from_customers(bank: Caller) -> None:
    batch = batch_of([Pay(1, code=21)], "2026-01-23")
    (entry,) = batch.entries
    addenda = (nacha.OutgoingReturn("R02", "021000020000001", BANK[:8]),)
    batch = replace(batch, entries=[replace(entry, addenda=addenda)], purpose=nacha.Purpose.RETURN)
    file = bank.drop_and_scan("RUN1", ach([batch], created="2026-01-22"))
    assert codes_of(file) == ["entry-kind"]
