"""The promises of the bank port, kept alike by both real adapters and by the bank in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest

from seedtrust.core.clock import NEW_YORK
from seedtrust.domain.payments.ports import (
    Bank,
    BankStatus,
    FileUpload,
    NotSent,
    PaymentOrder,
    Totals,
)
from seedtrust.formats import nacha
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import load_profile
from tests.fakes import interface_bank
from tests.fakes.bank import FakeBank
from tests.fakes.interface_bank import CLIENT, InterfaceBank
from tests.gateways.conftest import API_KEY, Simulator

MONDAY = date(2026, 1, 5)
TUESDAY = date(2026, 1, 6)
ORDER = PaymentOrder(
    client_reference="ABCDEFGHIJKLMN2",
    from_account="trust",
    amount_cents=155_783,
    beneficiary_name="Rosalind Ashgrove",
    routing_number="021000021",
    account_number="7700000002",
    requested_on=MONDAY,
    text="CASE 100398",
)


def upload(name: str = "ST20260105A-ABCDEFGHIJKLMN2", cents: int = 10_000) -> FileUpload:
    """Write a file of one entry with its totals."""
    entry = nacha.OutgoingEntry(
        transaction_code=22,
        routing_number="021000021",
        account_number="7700000002",
        amount_cents=cents,
        identification="ABCDEFGHIJKLMN2",
        name="Delphine Quarles",
        trace_number="044000020000001",
    )
    batch = nacha.OutgoingBatch(
        service_class=nacha.ServiceClass.CREDITS,
        company_name="SEEDTRUST ESCROW",
        company_discretionary_data="ABCDEFGHIJKLMN2",
        company_identification="1844200017",
        sec_code="PPD",
        entry_description="REIMBURSE",
        descriptive_date="",
        effective_on=TUESDAY,
        odfi_identification="04400002",
        batch_number=1,
        entries=[entry],
    )
    content = nacha.render_file(
        nacha.OutgoingFile(
            immediate_destination=" 044000024",
            immediate_origin="1844200017",
            created_at=datetime(2026, 1, 5, 10, tzinfo=NEW_YORK),
            file_id_modifier="A",
            destination_name="SANDBOX BANK",
            origin_name="SEEDTRUST ESCROW",
            reference_code="ABCDEFGH",
            batches=[batch],
        )
    )
    return FileUpload(
        name=name,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        client_reference="ABCDEFGHIJKLMN2",
        totals=Totals(1, 1, 2_100_002, 0, cents),
    )


@pytest.fixture
def interface() -> Iterator[InterfaceBank]:
    """Start a bank that takes single payments over its interface."""
    with interface_bank.running(load_profile("neutral")) as found:
        yield found


@pytest.fixture(params=["memory", "simulator"])
def file_bank(request: pytest.FixtureRequest) -> Bank:
    """Give one bank that takes files after the other."""
    return _bank(request)


@pytest.fixture(params=["memory", "simulator", "interface", "huntington"])
def bank(request: pytest.FixtureRequest) -> Bank:
    """Give one bank after the other, with 1,000,000.00 on the trust account."""
    return _bank(request)


def _bank(request: pytest.FixtureRequest) -> Bank:
    if request.param == "memory":
        return FakeBank()
    if request.param == "interface":
        found: InterfaceBank = request.getfixturevalue("interface")
        return HuntingtonBank(found.url, CLIENT, found.profile)
    simulator: Simulator = request.getfixturevalue("simulator")
    by_interface = HuntingtonBank(
        simulator.running.url, Client("seedtrust", API_KEY), load_profile("neutral")
    )
    simulator.control.receive_wire(
        {
            "account_id": "trust",
            "amount_cents": 100_000_000,
            "sender_name": "Rosalind Ashgrove",
            "text": "",
            "reference": "",
        },
        key="opening",
    )
    return by_interface if request.param == "huntington" else simulator.bank


def test_a_file_that_was_never_handed_over_is_not_found(file_bank: Bank) -> None:
    assert file_bank.find_file(upload()) is None


def test_a_file_that_was_handed_over_is_found_by_its_bytes(file_bank: Bank) -> None:
    file = upload()
    receipt = file_bank.submit_file(file, still_ours=lambda: True)
    assert receipt is not None
    assert (receipt.sha256, receipt.status) == (file.sha256, BankStatus.RECEIVED)
    found = file_bank.find_file(file)
    assert found is not None
    assert found.sha256 == file.sha256
    assert file_bank.find_file(upload(cents=10_001)) is None


def test_a_file_that_is_not_ours_any_more_is_not_handed_over(file_bank: Bank) -> None:
    file = upload()
    assert file_bank.submit_file(file, still_ours=lambda: False) is None
    assert file_bank.find_file(file) is None
    assert file_bank.submit_file(file, still_ours=lambda: True) is not None


def test_a_payment_is_taken_once_and_found_by_our_reference(bank: Bank) -> None:
    assert bank.find_payment(ORDER.client_reference) is None
    first = bank.create_payment(ORDER)
    assert (first.client_reference, first.amount_cents) == (ORDER.client_reference, 155_783)
    assert first.status in {BankStatus.ACCEPTED, BankStatus.SETTLED}
    again = bank.create_payment(ORDER)
    found = bank.find_payment(ORDER.client_reference)
    assert found is not None
    assert first.bank_ref == again.bank_ref == found.bank_ref


def test_events_are_read_in_pages_and_the_cursor_stays_at_the_end(bank: Bank) -> None:
    if isinstance(bank, FakeBank):
        for number in range(3):
            bank.tell("statement.available", MONDAY, account_id=str(number))
    else:
        for number in range(3):
            letter = "ABC"[number]
            reference = f"{ORDER.client_reference[:-1]}{letter}"
            bank.create_payment(replace(ORDER, client_reference=reference))
    page = bank.list_events("", limit=2)
    assert (len(page.events), page.has_more) == (2, True)
    seen = list(page.events)
    while page.has_more:
        page = bank.list_events(page.next_cursor, limit=2)
        seen += page.events
    assert len({event.id for event in seen}) == len(seen) >= 3
    end = bank.list_events(page.next_cursor)
    assert (end.events, end.next_cursor, end.has_more) == ((), page.next_cursor, False)


def test_a_bank_says_that_it_is_well_and_what_its_look_up_is_worth(bank: Bank) -> None:
    assert bank.health().ok
    assert bank.capabilities().lookup_is_consistent
    assert bank.get_balance("trust").ledger_cents >= 0


def test_what_the_bank_left_is_listed_and_read(
    file_bank: Bank, request: pytest.FixtureRequest
) -> None:
    bank = file_bank
    if isinstance(bank, FakeBank):
        bank.outbox["STMT-trust-2026-01-05.bai2"] = b"01,"
    else:
        request.getfixturevalue("simulator").at(TUESDAY)
    names = [file.name for file in bank.list_inbound()]
    assert "STMT-trust-2026-01-05.bai2" in names
    assert bank.download("STMT-trust-2026-01-05.bai2").startswith(b"01,")


def test_a_bank_that_is_gone_has_got_nothing(bank: Bank, request: pytest.FixtureRequest) -> None:
    if isinstance(bank, FakeBank):
        bank.down = True
    elif isinstance(bank, HuntingtonBank):
        bank = HuntingtonBank("http://127.0.0.1:1", CLIENT, load_profile("neutral"))
    else:
        request.getfixturevalue("simulator").running.stop()
    with pytest.raises(NotSent):
        bank.find_payment(ORDER.client_reference)
    with pytest.raises(NotSent):
        bank.create_payment(ORDER)
    with pytest.raises(NotSent):
        bank.list_events("")
    assert not bank.health().ok
