"""The interface's adapter among faults, in the words of two banks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from seedtrust.domain.payments.ports import (
    AuthFailed,
    BankCall,
    BankError,
    BankStatus,
    CutoffPassed,
    Declined,
    NotSent,
    NotSupported,
    OutcomeUnknown,
    PaymentOrder,
    ProtocolError,
)
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import Profile, load_profile
from tests.fakes.interface_bank import CLIENT, Fault, InterfaceBank, at, put, running, word_for
from tests.gateways.test_bank_contract import ORDER, upload
from tests.support.processes import wait_until

OTHER = str(Path(__file__).parent / "data" / "other_bank.toml")
ACH = replace(
    ORDER,
    rail="ach",
    account_type="savings",
    party_kind="company",
    sec_code="CCD",
    entry_description="VENDORPAY",
    company_identification="1844200017",
)


@dataclass
class Line:
    """A bank, the adapter that speaks to it, and what the adapter logged."""

    bank: InterfaceBank
    adapter: HuntingtonBank
    profile: Profile
    calls: list[BankCall] = field(default_factory=list)

    def fail(self, fault: Fault, times: int = 1) -> None:
        """Let the next payments fail."""
        self.bank.fault(self.profile.paths.payments, fault, times)

    def impatient(self) -> HuntingtonBank:
        """Return an adapter that leaves a bank that hangs, and no other."""
        timeouts = LineTimeouts(10.0, 1.0)
        log = self.calls.append
        return HuntingtonBank(self.bank.url, CLIENT, self.profile, timeouts=timeouts, call_log=log)

    def refusal(self, code: str, detail: str = "No.") -> dict[str, Any]:
        """Write a refusal as this bank does."""
        body: dict[str, Any] = {}
        put(body, self.profile.refusal.code, code)
        put(body, self.profile.refusal.detail, detail)
        return body


@pytest.fixture(params=["neutral", OTHER], ids=["neutral", "other"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """Start a bank that speaks the profile, and the adapter."""
    profile = load_profile(request.param)
    with running(profile) as bank:
        calls: list[BankCall] = []
        adapter = HuntingtonBank(
            bank.url,
            CLIENT,
            profile,
            timeouts=LineTimeouts(10.0, 30.0),
            call_log=calls.append,
        )
        yield Line(bank, adapter, profile, calls)


@pytest.mark.parametrize("order", [ORDER, ACH], ids=["wire", "ach"])
def test_a_payment_goes_out_in_the_banks_words_and_comes_back_in_ours(
    line: Line, order: PaymentOrder
) -> None:
    snapshot = line.adapter.create_payment(order)
    create, words = line.profile.create, line.profile.words
    [body] = line.bank.bodies
    assert at(body, create.client_reference) == order.client_reference
    assert at(body, create.rail) == words.rails[order.rail]  # type: ignore[index]
    wanted = 155_783 if line.profile.amounts == "cents" else "1557.83"
    assert at(body, create.amount) == wanted
    assert at(body, create.account_number) == "7700000002"
    assert at(body, create.sec_code) == (order.sec_code or None)
    assert (snapshot.client_reference, snapshot.amount_cents) == (ORDER.client_reference, 155_783)
    assert (snapshot.status, snapshot.rail) == (BankStatus.ACCEPTED, order.rail)
    assert line.adapter.get_payment(snapshot.bank_ref) == snapshot


def test_every_status_word_of_a_bank_is_told_in_ours(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    row = line.bank.payments[ORDER.client_reference]
    for word, status in line.profile.words.statuses.items():
        put(row, line.profile.payment.status, word)
        put(row, line.profile.payment.settles_on, "2026-01-06")
        found = line.adapter.find_payment(ORDER.client_reference)
        assert found is not None
        assert (found.status, found.word) == (status, word)
        is_over = status in {BankStatus.SETTLED, BankStatus.RETURNED}
        assert found.settled_on == (date(2026, 1, 6) if is_over else None)


def test_a_return_is_read_with_code_and_day(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    row, part = line.bank.payments[ORDER.client_reference], line.profile.payment
    put(row, part.status, word_for(line.profile, "returned"))
    put(row, part.return_code, "R03")
    put(row, part.return_on, "2026-01-08")
    found = line.adapter.find_payment(ORDER.client_reference)
    assert found is not None
    assert found.returned is not None
    assert (found.returned.code, found.returned.returned_on) == ("R03", date(2026, 1, 8))


def test_one_token_serves_many_calls(line: Line) -> None:
    for _ in range(3):
        line.adapter.find_payment(ORDER.client_reference)
    assert line.bank.calls.count(f"POST {line.profile.token.path}") == 1


def test_an_expired_token_is_renewed_exactly_once(line: Line) -> None:
    line.adapter.find_payment(ORDER.client_reference)
    line.bank.expire_tokens()
    assert line.adapter.create_payment(ORDER).status is BankStatus.ACCEPTED
    assert line.bank.calls.count(f"POST {line.profile.token.path}") == 2
    assert len(line.bank.payments) == 1


def test_a_bank_that_takes_no_new_token_either_is_not_asked_a_third_time(line: Line) -> None:
    line.fail(Fault((401, {"code": "token_expired"})), times=9)
    with pytest.raises(AuthFailed):
        line.adapter.create_payment(ORDER)
    assert line.bank.calls.count(f"POST {line.profile.paths.payments}") == 2
    assert line.bank.calls.count(f"POST {line.profile.token.path}") == 2


def test_a_wrong_secret_is_told_and_nothing_is_sent(line: Line) -> None:
    calls: list[BankCall] = []
    adapter = HuntingtonBank(
        line.bank.url, Client("seedtrust", "wrong"), line.profile, call_log=calls.append
    )
    with pytest.raises(AuthFailed):
        adapter.create_payment(ORDER)
    assert not line.bank.payments
    assert [(call.verb, call.outcome, call.status) for call in calls] == [
        ("token", "AuthFailed", 401),
        ("create_payment", "AuthFailed", 0),
    ]
    assert not adapter.health().ok


@pytest.mark.parametrize(
    "fault,error,bank_has_it",
    [
        (Fault(resets=True), OutcomeUnknown, False),
        (Fault(resets=True, after=True), OutcomeUnknown, True),
        (Fault(hangs=True), OutcomeUnknown, False),
        (Fault(hangs=True, after=True), OutcomeUnknown, True),
        (Fault((500, {"code": "oops"})), OutcomeUnknown, False),
        (Fault((500, {"code": "oops"}), after=True), OutcomeUnknown, True),
        (Fault((502, b"<html>")), OutcomeUnknown, False),
        (Fault((503, {})), OutcomeUnknown, False),
        (Fault((504, b"")), OutcomeUnknown, False),
        (Fault((302, b"")), OutcomeUnknown, False),
        (Fault((404, b"<html>")), OutcomeUnknown, False),
        (Fault((200, b'{"id": "PMT'), after=True), OutcomeUnknown, True),
        (Fault((201, b'{"id": "PMT-1"'), truncates=True, after=True), OutcomeUnknown, True),
        (Fault((202, {}), after=True), ProtocolError, True),
        (Fault((200, b"[]")), OutcomeUnknown, False),
        (Fault((429, {"code": "rate_limited"})), NotSent, False),
    ],
)
def test_every_fault_says_what_may_be_done_next(
    line: Line, fault: Fault, error: type[BankError], *, bank_has_it: bool
) -> None:
    line.fail(fault)
    adapter = line.impatient() if fault.hangs else line.adapter
    with pytest.raises(BankError) as refusal:
        adapter.create_payment(ORDER)
    line.bank.release.set()
    assert type(refusal.value) is error
    if bank_has_it:
        wait_until(lambda: ORDER.client_reference in line.bank.payments, "the bank's own work")
    assert (ORDER.client_reference in line.bank.payments) is bank_has_it
    assert line.calls[-1].outcome == error.__name__


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_with_a_reason_is_final(line: Line, status: int) -> None:
    line.fail(Fault((status, line.refusal("insufficient_funds", "Too little on 2200418806."))))
    with pytest.raises(Declined) as refusal:
        line.adapter.create_payment(ORDER)
    assert refusal.value.sentence == "Too little on …8806."
    assert type(refusal.value) is Declined


def test_a_cut_off_and_a_used_reference_have_their_own_errors(line: Line) -> None:
    part = line.profile.refusal
    line.fail(Fault((409, line.refusal(part.cutoff[0]))))
    with pytest.raises(CutoffPassed):
        line.adapter.create_payment(ORDER)
    line.fail(Fault((409, line.refusal(part.conflict[0]))))
    with pytest.raises(ProtocolError):
        line.adapter.create_payment(ORDER)


@pytest.mark.parametrize("name", ["amount", "client_reference", "rail", "status", "id"])
def test_an_answer_about_another_payment_or_in_unknown_words_is_not_believed(
    line: Line, name: str
) -> None:
    line.adapter.create_payment(ORDER)
    wrong = {
        "amount": 155_784 if line.profile.amounts == "cents" else "1557.84",
        "client_reference": "SOMEBODYELSE222",
        "rail": line.profile.words.rails["ach"],
        "status": "frobnicated",
        "id": "",
    }[name]
    put(line.bank.payments[ORDER.client_reference], getattr(line.profile.payment, name), wrong)
    with pytest.raises(ProtocolError):
        line.adapter.create_payment(ORDER)


def test_amounts_that_are_no_whole_cents_are_not_believed(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    for wrong in ("1557.835", "NaN", "ten", 1557.83, True, None):
        put(line.bank.payments[ORDER.client_reference], line.profile.payment.amount, wrong)
        with pytest.raises(ProtocolError):
            line.adapter.find_payment(ORDER.client_reference)


def test_a_bank_without_a_look_up_says_so(line: Line) -> None:
    for status in (404, 501):
        line.fail(Fault((status, {"code": "not_found"})))
        with pytest.raises(NotSupported):
            line.adapter.find_payment(ORDER.client_reference)


def test_two_payments_under_one_reference_are_an_incident(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    row = line.bank.payments[ORDER.client_reference]
    body: dict[str, Any] = {}
    put(body, line.profile.lookup.rows, [row, row])
    line.fail(Fault((200, body)))
    with pytest.raises(ProtocolError):
        line.adapter.find_payment(ORDER.client_reference)


def test_files_are_not_for_this_bank(line: Line) -> None:
    assert not line.adapter.capabilities().takes_files
    with pytest.raises(NotSupported):
        line.adapter.submit_file(upload(), still_ours=lambda: True)
    with pytest.raises(NotSupported):
        line.adapter.find_file(upload())
    with pytest.raises(NotSupported):
        line.adapter.download("STMT-1.bai2")
    assert line.adapter.list_inbound() == ()


def test_the_log_has_every_call_and_neither_secrets_nor_account_numbers(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    line.fail(Fault((422, line.refusal("invalid", "Account 7700000002 is closed."))))
    with pytest.raises(Declined):
        line.adapter.create_payment(ORDER)
    written = [(call.verb, call.reference, call.outcome, call.status) for call in line.calls]
    assert written == [
        ("token", "", "ok", 200),
        ("create_payment", ORDER.client_reference, "ok", 201),
        ("create_payment", ORDER.client_reference, "Declined", 422),
    ]
    text = repr(line.calls)
    assert line.calls[-1].sentence == "Account …0002 is closed."
    assert all(call.bank == "huntington" and call.duration_ms >= 0 for call in line.calls)
    for secret in ("7700000002", CLIENT.secret, *line.bank.tokens):
        assert secret not in text


def test_a_bank_that_asks_us_to_slow_down_is_left_alone_so_long(line: Line) -> None:
    line.fail(Fault((429, line.refusal("x")), headers={"Retry-After": "60"}))
    with pytest.raises(NotSent):
        line.adapter.create_payment(ORDER)
    count = len(line.bank.calls)
    with pytest.raises(NotSent) as refusal:
        line.adapter.create_payment(ORDER)
    assert (refusal.value.word, len(line.bank.calls)) == ("paused", count)


def test_a_bank_that_keeps_failing_is_left_alone_for_a_while(line: Line) -> None:
    many = line.profile.limits.failures_until_open
    line.fail(Fault((500, {})), times=many)
    for _ in range(many):
        with pytest.raises(OutcomeUnknown):
            line.adapter.create_payment(ORDER)
    count = len(line.bank.calls)
    with pytest.raises(NotSent) as refusal:
        line.adapter.create_payment(ORDER)
    assert (refusal.value.word, len(line.bank.calls)) == ("breaker", count)
    assert not line.adapter.health().ok


def test_a_refused_connection_has_sent_nothing() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    adapter = HuntingtonBank(url, CLIENT, load_profile("neutral"))
    with pytest.raises(NotSent) as refusal:
        adapter.create_payment(ORDER)
    assert CLIENT.secret not in repr(refusal.value.args) + repr(CLIENT)


def test_events_that_cannot_be_read_move_no_cursor(line: Line) -> None:
    for body in ({}, {"data": "x"}, b"nonsense"):
        line.bank.fault(line.profile.paths.events, Fault((200, body)))
        with pytest.raises(NotSent):
            line.adapter.list_events("7")


def test_an_event_names_its_payment_and_keeps_a_word_that_is_new(line: Line) -> None:
    line.adapter.create_payment(ORDER)
    line.bank.tell(ORDER.client_reference, "frobnicated")
    page = line.adapter.list_events("")
    assert [event.kind for event in page.events] == ["payment.changed", "frobnicated"]
    assert {event.data["client_reference"] for event in page.events} == {ORDER.client_reference}
    assert {event.bank for event in page.events} == {"huntington"}
