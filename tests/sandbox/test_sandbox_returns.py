"""Returns and notifications of change at the sandbox bank, for payments and for file entries."""

from __future__ import annotations

import io

import pytest

from seedtrust.formats import nacha
from tests.sandbox.support import (
    BANK,
    COMPANY,
    OTHER_BANK,
    Caller,
    Json,
    Pay,
    ach,
    ach_body,
    batch_of,
    wire_body,
)

# Both settle on Friday 23 January 2026; the second banking day after that is Tuesday.
FRIDAY = "2026-01-23"
TUESDAY = "2026-01-27"
TENTH = "2026-02-06"
ENDINGS = {f"99{number:02d}": f"R{number:02d}" for number in range(1, 17)}
LATE = {"R05", "R07", "R10", "R11"}


def outbox(bank: Caller, pattern: str) -> list[nacha.ParsedFile]:
    """Read files of the bank as strictly as its customers do."""
    found = []
    for path in sorted((bank.drop / "outbox").glob(pattern)):
        data = path.read_bytes()
        faults = [fault for fault in nacha.validate(io.BytesIO(data)) if not fault.is_warning]
        assert faults == []
        found.append(nacha.read_file(io.BytesIO(data)))
    return found


def entries_of(files: list[nacha.ParsedFile]) -> list[nacha.ParsedEntry]:
    return [entry for file in files for batch in file.batches for entry in batch.entries]


@pytest.mark.parametrize("ending, code", ENDINGS.items())
def test_an_account_ending_sends_payment_and_entry_back(
    bank: Caller, ending: str, code: str
) -> None:
    bank.fund(10_000)
    account = f"77775{ending}"
    payment = bank.post("/v1/payments", ach_body(4_000, "REF000000000001", account=account))
    pays = [Pay(3_000, "REF000000000002", account=account)]
    bank.drop_and_scan("RUN1", ach([batch_of(pays, FRIDAY)], created="2026-01-22"))
    back_on = TENTH if code in LATE else TUESDAY
    bank.at(back_on, 8, 29)
    assert bank.ledger_cents() == 3_000
    bank.at(back_on, 8, 30)
    assert bank.ledger_cents() == 10_000
    (told,) = bank.events("payment.returned")
    returned = bank.get(f"/v1/payments/{payment['id']}")
    assert told["data"] == returned
    assert returned["status"] == "returned"
    assert returned["return"] == {
        "code": code,
        "reason": nacha.RETURN_CODES[code].meaning,
        "returned_on": back_on,
        "trace_number": returned["return"]["trace_number"],  # type: ignore[index]
    }
    (entry,) = bank.events("entry.returned")
    assert entry["data"]["return_code"] == code  # type: ignore[index]
    found = entries_of(outbox(bank, "RET-*.ach"))
    assert [answer.return_code for answer in found] == [code, code]
    bank.prove()


def test_a_returned_payment_has_a_line_of_its_own(bank: Caller) -> None:
    bank.fund(10_000)
    body = ach_body(4_000, "A-REFERENCE-LONGER-THAN-FIFTEEN", account="77779902")
    payment = bank.post("/v1/payments", body)
    bank.at("2026-01-28", 7)
    (line,) = bank.statement(TUESDAY).transactions
    assert (line.type_code, line.amount_cents) == ("257", 4_000)
    assert line.customer_reference == "A-REFERENCE-LONGER-THAN-FIFTEE"
    returned = bank.get(f"/v1/payments/{payment['id']}")
    assert line.text_lines == (
        "ACH RETURN R02 GESTATIONAL CARRIER 22",
        f"TRACE={returned['return']['trace_number']}",  # type: ignore[index]
        f"ORIG={returned['trace_number']}",
        "REASON=R02",
    )
    (answer,) = entries_of(outbox(bank, "RET-*.ach"))
    assert answer.amount_cents == 4_000
    assert answer.account_number.strip() == "77779902"


def test_an_account_closed_from_a_day_on_sends_payments_back(bank: Caller) -> None:
    bank.fund(10_000)
    closing = {"routing_number": OTHER_BANK, "account_number": "555001", "on": FRIDAY}
    bank.post("/sim/counterparties/close", closing)
    early = bank.post("/v1/payments", ach_body(1_000, "EARLY", "2026-01-22", account="555001"))
    late = bank.post("/v1/payments", ach_body(2_000, "LATE", FRIDAY, account="555001"))
    bank.at("2026-02-02")
    assert bank.get(f"/v1/payments/{early['id']}")["status"] == "settled"
    assert bank.get(f"/v1/payments/{late['id']}")["return"]["code"] == "R02"  # type: ignore[index]
    assert bank.ledger_cents() == 9_000
    bank.prove()


@pytest.mark.parametrize("moment", ["accepted", "sent", "settled", "long settled"])
def test_a_payment_can_be_ordered_back_at_any_time(bank: Caller, moment: str) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    if moment != "accepted":
        day = {"sent": ("2026-01-22", 20), "settled": (FRIDAY, 9)}.get(moment, ("2026-03-02", 9))
        bank.at(*day)
    path = f"/sim/payments/{payment['id']}/return"
    first = bank.send("POST", path, {"code": "R03"})
    assert first.status_code == 202
    again = bank.send("POST", path, {"code": "R03"})
    assert again.json() == first.json()
    bank.at("2026-03-04")
    returned = bank.get(f"/v1/payments/{payment['id']}")
    assert returned["return"]["code"] == "R03"  # type: ignore[index]
    back_on = "2026-03-03" if moment == "long settled" else TUESDAY
    assert returned["return"]["returned_on"] == back_on  # type: ignore[index]
    assert bank.ledger_cents() == 10_000
    assert len(bank.events("payment.returned")) == 1
    bank.prove()


@pytest.mark.parametrize(
    "code, on, status",
    [
        ("R10", "2026-03-25", 202),
        ("R10", "2026-03-26", 422),
        ("R03", "2026-03-25", 202),
        ("R03", FRIDAY, 422),
        ("R03", "2026-01-26", 202),
    ],
)
def test_a_return_may_be_ordered_for_a_day(bank: Caller, code: str, on: str, status: int) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    bank.at(FRIDAY)
    path = f"/sim/payments/{payment['id']}/return"
    ordered = bank.send("POST", path, {"code": code, "on": on})
    assert ordered.status_code == status, ordered.text
    if status == 422:
        assert "on" in ordered.json()["errors"]
        return
    bank.at("2026-04-01")
    returned = bank.get(f"/v1/payments/{payment['id']}")
    assert returned["return"]["returned_on"] == on  # type: ignore[index]
    bank.prove()


@pytest.mark.parametrize(
    "order, body, status",
    [
        ("return", {"code": "R61"}, 422),
        ("return", {"code": "C01"}, 422),
        ("return", {"code": "R01", "colour": "red"}, 422),
        ("noc", {"code": "C61", "data": "1"}, 422),
        ("noc", {"code": "C01"}, 422),
        ("noc", {"code": "C01", "data": "1" * 30}, 422),
    ],
)
def test_an_order_for_a_payment_that_makes_no_sense_is_refused(
    bank: Caller, order: str, body: Json, status: int
) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    refused = bank.send("POST", f"/sim/payments/{payment['id']}/{order}", body)
    assert refused.status_code == status


def test_wires_and_stopped_payments_do_not_come_back_by_ach(bank: Caller) -> None:
    bank.fund(10_000)
    wire = bank.post("/v1/payments", wire_body(1_000, "WIRE1"))
    stopped = bank.post("/v1/payments", ach_body(1_000, "REF1"))
    bank.post(f"/v1/payments/{stopped['id']}/cancel")
    for payment in (wire, stopped):
        path = f"/sim/payments/{payment['id']}"
        assert bank.send("POST", f"{path}/return", {"code": "R01"}).status_code == 409
        change = bank.send("POST", f"{path}/noc", {"code": "C01", "data": "1"})
        assert change.status_code == 409


@pytest.mark.parametrize(
    "ending, code, corrected",
    [
        ("9851", "C01", "77774051"),
        ("9852", "C02", "011000015"),
        ("9853", "C03", "011000015   77774053"),
        ("9855", "C05", "32"),
    ],
)
def test_an_account_ending_calls_for_a_correction(
    bank: Caller, ending: str, code: str, corrected: str
) -> None:
    bank.fund(10_000)
    account = f"7777{ending}"
    payment = bank.post("/v1/payments", ach_body(4_000, "REF000000000001", account=account))
    pays = [Pay(3_000, "REF000000000002", account=account), Pay(500, "REF000000000003")]
    bank.drop_and_scan("RUN1", ach([batch_of(pays, FRIDAY)], created="2026-01-22"))
    bank.at(TUESDAY, 8, 30)
    shown = bank.get(f"/v1/payments/{payment['id']}")
    assert shown["status"] == "settled"
    correction = {"code": code, "corrected_data": corrected, "noted_on": TUESDAY}
    assert shown["corrections"] == [correction]
    (told,) = bank.events("payment.corrected")
    assert told["data"] == shown
    (entry,) = bank.events("entry.corrected")
    assert entry["data"] == {
        "file_id": "FILE-000001",
        "client_reference": "RUN1",
        "account_id": "trust",
        "trace_number": "044000020000001",
        "identification": "REF000000000002",
        "name": "GESTATIONAL CARRIER",
        "direction": "credit",
        "amount_cents": 3_000,
        "settled_on": FRIDAY,
        "change_trace_number": entry["data"]["change_trace_number"],  # type: ignore[index]
        "change_code": code,
        "corrected_data": corrected,
        "noted_on": TUESDAY,
        "change_file": "COR-2026-01-27-1.ach",
    }
    (file,) = outbox(bank, "COR-*.ach")
    assert {batch.header.sec_code for batch in file.batches} == {"COR"}
    found = entries_of([file])
    assert [answer.change_code for answer in found] == [code, code]
    texts = [answer.reason.field("corrected_data").rstrip() for answer in found if answer.reason]
    assert texts == [corrected, corrected]
    assert bank.ledger_cents() == 2_500
    bank.prove()


def test_corrected_details_are_not_corrected_again(bank: Caller) -> None:
    bank.fund(10_000)
    moved = ach_body(1_000, "REF1", account="77779852")
    moved["counterparty"]["routing_number"] = "011000015"  # type: ignore[index]
    savings = ach_body(1_000, "REF2", account="77779855")
    savings["counterparty"]["account_type"] = "savings"  # type: ignore[index]
    for body in (moved, savings, ach_body(1_000, "REF3", account="77774051")):
        bank.post("/v1/payments", body)
    bank.at("2026-02-02")
    assert bank.events("payment.corrected") == []
    assert len(bank.events("payment.settled")) == 3


@pytest.mark.parametrize("moment", ["accepted", "sent", "long settled"])
def test_a_correction_can_be_ordered(bank: Caller, moment: str) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    if moment != "accepted":
        bank.at(*{"sent": ("2026-01-22", 20)}.get(moment, ("2026-03-02", 9)))
    path = f"/sim/payments/{payment['id']}/noc"
    for _ in range(2):
        assert bank.send("POST", path, {"code": "C02", "data": "011000015"}).status_code == 202
    bank.at("2026-03-04")
    shown = bank.get(f"/v1/payments/{payment['id']}")
    (correction,) = shown["corrections"]  # type: ignore[misc]
    noted_on = correction["noted_on"]  # type: ignore[has-type]
    assert noted_on == ("2026-03-03" if moment == "long settled" else TUESDAY)
    assert len(bank.events("payment.corrected")) == 1


def test_a_correction_can_be_ordered_for_an_entry_of_a_file(bank: Caller) -> None:
    bank.fund(10_000)
    bank.drop_and_scan("RUN1", ach([batch_of([Pay(900)], FRIDAY)], created="2026-01-22"))
    order = {"trace_number": "044000020000001", "code": "C05", "data": "32"}
    assert bank.post("/sim/entries/noc", order)["notes_at"] is None
    unknown = bank.send("POST", "/sim/entries/noc", order | {"trace_number": "9" * 15})
    assert unknown.status_code == 404
    bank.at(TUESDAY)
    (told,) = bank.events("entry.corrected")
    assert told["data"]["corrected_data"] == "32"  # type: ignore[index]


def test_an_entry_of_a_payment_is_ordered_back_by_its_trace_number(bank: Caller) -> None:
    bank.fund(10_000)
    payment = bank.post("/v1/payments", ach_body(4_000, "REF1"))
    bank.at(FRIDAY)
    trace_number = bank.get(f"/v1/payments/{payment['id']}")["trace_number"]
    bank.post("/sim/entries/return", {"trace_number": trace_number, "code": "R04"})
    bank.at(TUESDAY)
    assert bank.get(f"/v1/payments/{payment['id']}")["status"] == "returned"


def test_returns_of_one_morning_share_a_file_for_each_account(bank: Caller) -> None:
    bank.fund(10_000)
    for number in range(5):
        bank.post("/v1/payments", ach_body(100, f"REF{number}", account=f"{number}9904"))
    pays = [Pay(100, account="779901"), Pay(200, account="889916")]
    bank.drop_and_scan("RUN1", ach([batch_of(pays, FRIDAY)], created="2026-01-22"))
    bank.at(TUESDAY)
    (file,) = outbox(bank, "RET-*.ach")
    assert len(entries_of([file])) == 7
    assert file.header is not None
    assert file.header.immediate_destination.strip() == COMPANY
    assert file.header.immediate_origin.strip() == BANK
    assert bank.ledger_cents() == 10_000
    bank.prove()
