"""ACH settlement and returns at the sandbox bank, by banking day on its clock."""

from __future__ import annotations

from io import BytesIO

import pytest

from seedtrust.formats import nacha
from tests.sandbox.support import (
    BANK,
    OTHER_BANK,
    Caller,
    Json,
    Pay,
    ach,
    batch_of,
    simple_ach,
)


def settles(file: Json) -> list[str]:
    settlements = file["settlements"]
    assert isinstance(settlements, list)
    return [row["settles_at"] for row in settlements]


def test_a_file_settles_at_half_past_eight_on_its_effective_date(bank: Caller) -> None:
    bank.fund(10_000)
    file = bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    bank.at("2026-01-23", 8, 29)
    assert bank.ledger_cents() == 10_000
    bank.at("2026-01-23", 8, 30)
    assert bank.ledger_cents() == 6_000
    settled = bank.file(str(file["sha256"]))
    assert settled["status"] == "settled"
    assert settled["settled_at"] == "2026-01-23T13:30:00Z"
    (event,) = bank.events("file.settled")
    assert event["data"] == {
        "id": file["id"],
        "name": "RUN1.ach",
        "sha256": file["sha256"],
        "client_reference": "RUN1",
        "settles_on": "2026-01-23",
        "is_complete": True,
        "settlements": [
            {
                "account_id": "trust",
                "direction": "debit",
                "customer_reference": "RUNREF123456789",
                "entries": 1,
                "amount_cents": 4_000,
                "bank_reference": bank.listed("/v1/accounts/trust/transactions")[1]["id"],
            }
        ],
    }


@pytest.mark.parametrize(
    "hour, minute, expected",
    [
        (10, 29, "2026-01-22T18:00:00Z"),
        (10, 30, "2026-01-22T22:00:00Z"),
        (14, 44, "2026-01-22T22:00:00Z"),
        (14, 45, "2026-01-23T13:30:00Z"),
    ],
)
def test_a_file_for_today_takes_the_next_window_or_tomorrow(
    bank: Caller, hour: int, minute: int, expected: str
) -> None:
    bank.fund(10_000)
    bank.at("2026-01-22", hour, minute)
    file = bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-22", created="2026-01-22"))
    assert settles(file) == [expected]
    bank.at("2026-01-23")
    assert bank.file(str(file["sha256"]))["status"] == "settled"


def test_an_entry_over_the_same_day_limit_goes_the_next_day(bank: Caller) -> None:
    bank.fund(100_000_001)
    data = simple_ach(100_000_001, "2026-01-22", created="2026-01-22")
    assert settles(bank.drop_and_scan("RUN1", data)) == ["2026-01-23T13:30:00Z"]


def test_daylight_saving_does_not_move_the_wall_clock(bank: Caller) -> None:
    bank.fund(10_000)
    bank.at("2026-03-06")
    data = simple_ach(1, "2026-03-09", created="2026-03-06")
    assert settles(bank.drop_and_scan("RUN1", data)) == ["2026-03-09T12:30:00Z"]


def test_each_settlement_date_and_reference_of_a_file_has_its_own_line(bank: Caller) -> None:
    bank.fund(10_000)
    data = ach(
        [
            batch_of([Pay(100), Pay(200)], "2026-01-23"),
            batch_of([Pay(50)], "2026-01-23", number=2, first_trace=3),
            batch_of([Pay(400)], "2026-01-23", number=3, first_trace=4, reference="OTHER"),
            batch_of([Pay(800)], "2026-01-26", number=4, first_trace=5),
        ],
        created="2026-01-22",
    )
    file = bank.drop_and_scan("RUN1", data)
    bank.at("2026-01-23")
    assert bank.file(str(file["sha256"]))["status"] == "accepted"
    bank.at("2026-01-27")
    assert [event["data"]["is_complete"] for event in bank.events("file.settled")] == [  # type: ignore[index]
        False,
        True,
    ]
    first = bank.statement("2026-01-23").transactions
    assert [(item.type_code, item.amount_cents, item.customer_reference) for item in first] == [
        ("466", 400, "OTHER"),
        ("466", 350, "RUNREF123456789"),
    ]
    assert first[1].text_lines == (
        "ACH SETTLEMENT 3 CREDITS IN 2 BATCHES",
        "COMPANY=SEEDTRUST",
        f"FILE={file['id']}",
    )
    (last,) = bank.statement("2026-01-26").transactions
    assert last.amount_cents == 800
    bank.prove()


def test_itemised_settlement_shows_a_line_for_each_entry(bank: Caller) -> None:
    bank.fund(10_000)
    assert bank.get("/sim/settings")["itemised_settlement"] is False
    changed = bank.send("PUT", "/sim/settings", {"itemised_settlement": True})
    assert changed.json()["itemised_settlement"] is True
    pays = [Pay(100, "PAYREF000000001"), Pay(100, "PAYREF000000002", account="555002")]
    bank.drop_and_scan("RUN1", ach([batch_of(pays, "2026-01-23")], created="2026-01-22"))
    bank.at("2026-01-26", 6)
    lines = bank.statement("2026-01-23").transactions
    assert [(item.type_code, item.customer_reference) for item in lines] == [
        ("462", "PAYREF000000001"),
        ("462", "PAYREF000000002"),
    ]
    assert lines[0].text_lines[:2] == ("ACH CREDIT GESTATIONAL CARRIER", "TRACE=044000020000001")


def test_unknown_settings_are_refused(bank: Caller) -> None:
    for body in ({"colour": True}, {"itemised_settlement": 1}):
        assert bank.send("PUT", "/sim/settings", body).status_code == 422


def test_a_prenote_moves_no_money_and_leaves_no_line(bank: Caller) -> None:
    data = ach([batch_of([Pay(0, code=23)], "2026-01-23")], created="2026-01-22")
    file = bank.drop_and_scan("RUN1", data)
    bank.at("2026-01-26", 6)
    assert bank.file(str(file["sha256"]))["status"] == "settled"
    assert bank.statement("2026-01-23").transactions == ()


def test_a_receiver_with_an_account_at_the_bank_is_credited(bank: Caller) -> None:
    bank.fund(75_000)
    fee = Pay(75_000, "FEEREF000000001", account="01234567891", routing=BANK, name="SEEDTRUST")
    bank.drop_and_scan("RUN1", ach([batch_of([fee], "2026-01-23")], created="2026-01-22"))
    bank.at("2026-01-26", 6)
    assert bank.ledger_cents() == 0
    assert bank.ledger_cents("fees") == 125_000
    (line,) = bank.statement("2026-01-23", "fees").transactions
    assert (line.type_code, line.customer_reference) == ("142", "FEEREF000000001")
    assert bank.statement("2026-01-23", "fees").balance_cents("010") == 50_000
    bank.prove()


def test_debits_bring_money_in(bank: Caller) -> None:
    data = ach([batch_of([Pay(900, code=27)], "2026-01-23")], created="2026-01-22")
    bank.drop_and_scan("RUN1", data)
    bank.at("2026-01-26", 6)
    (line,) = bank.statement("2026-01-23").transactions
    assert (line.type_code, line.signed_cents) == ("166", 900)
    bank.prove()


def close(bank: Caller, account: str, day: str) -> None:
    bank.post(
        "/sim/counterparties/close",
        {"routing_number": OTHER_BANK, "account_number": account, "on": day},
    )


def test_an_entry_to_a_closed_account_comes_back_after_two_banking_days(bank: Caller) -> None:
    bank.at("2026-07-31")
    bank.fund(1_000_000)
    pays = [Pay(25_000, "PAYREF000000001"), Pay(577_778, "PAYREF000000002", account="555002")]
    close(bank, "555002", "2026-08-03")
    bank.drop_and_scan("RUN1", ach([batch_of(pays, "2026-08-03")], created="2026-07-31"))
    bank.at("2026-08-05", 8, 29)
    assert bank.ledger_cents() == 397_222
    assert bank.events("entry.returned") == []
    bank.at("2026-08-05", 8, 30)
    assert bank.ledger_cents() == 975_000
    (event,) = bank.events("entry.returned")
    line = bank.listed("/v1/accounts/trust/transactions")[-1]
    assert event["data"] == {
        "file_id": "FILE-000001",
        "client_reference": "RUN1",
        "account_id": "trust",
        "trace_number": "044000020000002",
        "return_trace_number": "021000020000002",
        "identification": "PAYREF000000002",
        "name": "GESTATIONAL CARRIER",
        "direction": "credit",
        "amount_cents": 577_778,
        "return_code": "R02",
        "settled_on": "2026-08-03",
        "returned_on": "2026-08-05",
        "return_file": "RET-2026-08-05-1.ach",
        "bank_reference": line["id"],
    }
    assert line["bai_code"] == "257"
    assert line["customer_reference"] == "PAYREF000000002"
    assert line["text_lines"] == [
        "ACH RETURN R02 GESTATIONAL CARRIER",
        "TRACE=021000020000002",
        "ORIG=044000020000002",
        "REASON=R02",
    ]
    bank.prove()


def test_the_return_file_is_valid_and_names_the_original(bank: Caller) -> None:
    bank.fund(10_000)
    close(bank, "555001", "2026-01-01")
    bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    bank.at("2026-01-27")
    data = (bank.drop / "outbox" / "RET-2026-01-27-1.ach").read_bytes()
    assert [fault for fault in nacha.validate(BytesIO(data)) if not fault.is_warning] == []
    parsed = nacha.read_file(BytesIO(data))
    (entry,) = parsed.entries
    assert entry.kind is nacha.EntryKind.RETURN
    assert entry.return_code == "R02"
    assert entry.original_trace == "044000020000001"
    assert entry.original_routing == OTHER_BANK[:8]
    assert entry.transaction_code == 21
    assert entry.amount_cents == 4_000
    assert entry.identification == "REF000000000001"
    assert entry.batch.company_discretionary_data == "RUNREF123456789"
    assert entry.batch.settlement_day == 27


def test_an_account_closed_later_still_gets_its_money(bank: Caller) -> None:
    bank.fund(10_000)
    close(bank, "555001", "2026-01-24")
    bank.drop_and_scan("RUN1", simple_ach(4_000, "2026-01-23", created="2026-01-22"))
    bank.at("2026-02-02")
    assert bank.events("entry.returned") == []


def test_an_entry_can_be_ordered_back_before_and_after_it_settles(bank: Caller) -> None:
    bank.fund(10_000)
    pays = [Pay(900, code=27), Pay(800, code=27, account="555002")]
    bank.drop_and_scan("RUN1", ach([batch_of(pays, "2026-01-23")], created="2026-01-22"))
    early = {"trace_number": "044000020000001", "code": "R01"}
    assert bank.post("/sim/entries/return", early)["returns_at"] is None
    bank.at("2026-01-23")
    assert bank.post("/sim/entries/return", early)["returns_at"] == "2026-01-27T13:30:00Z"
    bank.at("2026-02-02")
    late = {"trace_number": "044000020000002", "code": "R10"}
    assert bank.post("/sim/entries/return", late)["returns_at"] == "2026-02-03T13:30:00Z"
    bank.at("2026-02-03")
    returned = [event["data"]["return_code"] for event in bank.events("entry.returned")]  # type: ignore[index]
    assert returned == ["R01", "R10"]
    assert bank.ledger_cents() == 10_000
    codes = [row["bai_code"] for row in bank.listed("/v1/accounts/trust/transactions")]
    assert codes == ["195", "166", "557", "557"]
    other = bank.send("POST", "/sim/entries/return", late | {"code": "R11"})
    assert other.status_code == 409
    bank.prove()


@pytest.mark.parametrize(
    "body, status",
    [
        ({"trace_number": "044000020000009", "code": "R01"}, 404),
        ({"trace_number": "1", "code": "R01"}, 422),
        ({"trace_number": "044000020000009", "code": "R99"}, 422),
        ({"trace_number": "044000020000009", "code": "R61"}, 422),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(bank: Caller, body: Json, status: int) -> None:
    assert bank.send("POST", "/sim/entries/return", body).status_code == status
