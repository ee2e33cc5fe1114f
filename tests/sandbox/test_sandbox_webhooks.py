"""Webhooks of the sandbox bank, received on a real socket by somebody who may fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seedtrust.core.clock import FixedClock
from seedtrust.sandbox import webhooks
from tests.sandbox.inbox import Inbox, serving
from tests.sandbox.support import TRUST, Caller, Json, ach_body, open_bank

REAL_NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Serve an endpoint on this machine."""
    with serving() as found:
        yield found


@pytest.fixture
def real() -> FixedClock:
    """Return the time in which subscribers wait."""
    return FixedClock(REAL_NOW)


@pytest.fixture
def timed_bank(tmp_path: Path, real: FixedClock) -> Iterator[Caller]:
    """Start a bank whose real time the test moves."""
    caller = open_bank(tmp_path / "bank", real)
    caller.post("/sim/accounts", TRUST)
    caller.at("2026-01-22")
    yield caller
    caller.stop()


def subscribe(bank: Caller, inbox: Inbox) -> Json:
    return bank.post("/v1/webhook-subscriptions", {"url": inbox.url})


def deliveries(bank: Caller) -> list[Json]:
    listed = bank.get("/sim/webhooks")["deliveries"]
    assert isinstance(listed, list)
    return listed


def settled(bank: Caller) -> Json:
    """Wait until nothing is on its way, and return the state of the deliveries."""
    pause = threading.Event()
    state: Json = {}
    for _ in range(9000):
        state = bank.get("/sim/webhooks")
        if state["pending"] == 0:
            return state
        pause.wait(0.02)
    message = f"deliveries still wait: {state}"
    raise AssertionError(message)


def test_a_signature_is_that_of_the_standard() -> None:
    """The expected text was made with the standard's own library for Python."""
    made = webhooks.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_events_are_brought_in_order_and_signed(timed_bank: Caller, inbox: Inbox) -> None:
    bank = timed_bank
    bank.fund(10_000)
    subscription = subscribe(bank, inbox)
    payment = bank.post("/v1/payments", ach_body(100, "REF1"))
    bank.at("2026-01-23")
    messages = inbox.wait_for(4)
    assert inbox.types == [
        "payment.accepted",
        "payment.sent",
        "statement.available",
        "payment.settled",
    ]
    first = messages[0]
    (event,) = bank.events("payment.accepted")
    assert first.told == {
        "id": event["id"],
        "type": "payment.accepted",
        "timestamp": event["at"],
        "data": payment,
    }
    assert first.headers["webhook-id"] == str(event["id"])
    assert first.headers["webhook-timestamp"] == str(int(REAL_NOW.timestamp()))
    assert all(message.is_signed(subscription["secret"]) for message in messages)
    assert settled(bank)["delivered"] == 4


def test_subscriptions_are_listed_without_secret_and_ended(bank: Caller, inbox: Inbox) -> None:
    subscription = subscribe(bank, inbox)
    assert str(subscription["secret"]).startswith("whsec_")
    shown = {name: value for name, value in subscription.items() if name != "secret"}
    assert bank.listed("/v1/webhook-subscriptions") == [shown]
    path = f"/v1/webhook-subscriptions/{subscription['id']}"
    assert bank.send("DELETE", path).status_code == 204
    assert bank.send("DELETE", path).status_code == 404
    assert bank.listed("/v1/webhook-subscriptions") == []
    bank.fund(1)
    assert bank.get("/sim/webhooks")["pending"] == 0
    assert inbox.messages == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://bank.example"},
        {"url": "http://bank.example/hook"},
        {"url": "https://a b"},
        {"url": "https://bank.example", "secret": "mine"},
    ],
)
def test_an_address_that_cannot_be_is_refused(bank: Caller, body: Json) -> None:
    assert bank.send("POST", "/v1/webhook-subscriptions", body).status_code == 422


def test_a_failed_delivery_is_tried_again_until_it_is_taken(
    timed_bank: Caller, inbox: Inbox, real: FixedClock
) -> None:
    bank = timed_bank
    bank.send("PUT", "/sim/settings", {"webhook_retry_seconds": [10, 60]})
    subscribe(bank, inbox)
    inbox.answers = [500, 302, 404, 204]
    bank.fund(1)
    for attempt, seconds in enumerate((10, 60, 60), start=1):
        inbox.wait_for(attempt)
        _attempted(bank, attempt)
        real.advance(timedelta(seconds=seconds))
        bank.post("/sim/scan")
    inbox.wait_for(4)
    assert len(set(inbox.ids)) == 1
    settled(bank)
    (delivery,) = deliveries(bank)
    assert delivery["state"] == "delivered"
    assert (delivery["attempts"], delivery["last_status"]) == (4, 204)
    stamps = [int(message.headers["webhook-timestamp"]) for message in inbox.messages]
    assert [stamp - stamps[0] for stamp in stamps] == [0, 10, 70, 130]


def _attempted(bank: Caller, attempts: int) -> None:
    """Wait until an attempt is noted, so that its next one is planned."""
    pause = threading.Event()
    for _ in range(9000):
        (delivery,) = deliveries(bank)
        if delivery["attempts"] == attempts:
            return
        pause.wait(0.02)
    message = f"attempt {attempts} was not noted"
    raise AssertionError(message)


def test_a_retry_comes_by_itself_and_does_not_keep_others_back(bank: Caller, inbox: Inbox) -> None:
    bank.send("PUT", "/sim/settings", {"webhook_retry_seconds": [0.05]})
    subscribe(bank, inbox)
    inbox.answers = [503]
    bank.fund(1)
    bank.fund(2)
    inbox.wait_for(3)
    assert settled(bank)["delivered"] == 2
    assert sorted(map(str, inbox.ids)) == sorted(["1", "1", "2"])


def test_what_was_not_brought_is_brought_after_a_restart(tmp_path: Path, inbox: Inbox) -> None:
    bank = open_bank(tmp_path)
    bank.post("/sim/accounts", TRUST)
    bank.at("2026-01-22")
    subscription = subscribe(bank, inbox)
    bank.post("/sim/webhooks/pause")
    bank.fund(1)
    bank.stop()
    again = open_bank(tmp_path)
    assert again.get("/sim/webhooks")["is_paused"] is True
    again.post("/sim/webhooks/resume")
    (message,) = inbox.wait_for(1)
    assert message.is_signed(subscription["secret"])
    settled(again)
    again.stop()


def test_paused_deliveries_pile_up_and_come_in_order(bank: Caller, inbox: Inbox) -> None:
    subscribe(bank, inbox)
    assert bank.post("/sim/webhooks/pause")["is_paused"] is True
    for cents in (1, 2, 3):
        bank.fund(cents)
    assert bank.get("/sim/webhooks")["pending"] == 3
    assert inbox.messages == []
    bank.post("/sim/webhooks/resume")
    inbox.wait_for(3)
    assert inbox.ids == [1, 2, 3]


def test_shuffled_deliveries_come_the_other_way_round(bank: Caller, inbox: Inbox) -> None:
    subscribe(bank, inbox)
    bank.post("/sim/webhooks/pause")
    for cents in (1, 2, 3):
        bank.fund(cents)
    bank.post("/sim/webhooks/shuffle")
    bank.post("/sim/webhooks/resume")
    inbox.wait_for(3)
    assert inbox.ids == [3, 2, 1]


def test_deliveries_get_lost_or_come_twice(bank: Caller, inbox: Inbox) -> None:
    subscribe(bank, inbox)
    bank.post("/sim/webhooks/pause")
    assert bank.post("/sim/webhooks/drop", {"count": 2})["drop"] == 2
    assert bank.post("/sim/webhooks/duplicate")["duplicate"] == 1
    for cents in (1, 2, 3, 4):
        bank.fund(cents)
    bank.post("/sim/webhooks/resume")
    inbox.wait_for(3)
    state = settled(bank)
    assert inbox.ids == [3, 3, 4]
    assert inbox.messages[0].headers["webhook-id"] == inbox.messages[1].headers["webhook-id"]
    assert (state["delivered"], state["dropped"]) == (2, 2)
    assert (state["drop"], state["duplicate"]) == (0, 0)


def test_events_are_redelivered_on_order(bank: Caller, inbox: Inbox) -> None:
    for cents in (1, 2, 3):
        bank.fund(cents)
    subscribe(bank, inbox)
    bank.post("/sim/webhooks/redeliver", {"event_id": 2})
    inbox.wait_for(1)
    bank.post("/sim/webhooks/redeliver", {"after": 1})
    inbox.wait_for(3)
    settled(bank)
    assert inbox.ids == [2, 2, 3]
    assert bank.send("POST", "/sim/webhooks/redeliver", {}).status_code == 422


@pytest.mark.parametrize(
    "kind, is_signed, age",
    [
        ("bad_signature", False, 0),
        ("unsigned", False, 0),
        ("tampered", False, 0),
        ("old_timestamp", True, 3600),
        ("signed", True, 0),
    ],
)
def test_a_forged_message_is_sent_at_once(
    timed_bank: Caller, inbox: Inbox, kind: str, is_signed: bool, age: int
) -> None:
    subscription = subscribe(timed_bank, inbox)
    inbox.answers = [401]
    forged = {"kind": kind, "type": "payment.settled", "data": {"id": "PMT-00000001"}}
    told = timed_bank.post("/sim/webhooks/forge", forged)
    assert told["data"] == [{"url": inbox.url, "status": 401}]
    (message,) = inbox.messages
    assert message.is_signed(subscription["secret"]) is is_signed
    assert message.told["data"] == {"id": "PMT-00000001"}
    stamp = int(message.headers["webhook-timestamp"])
    assert int(REAL_NOW.timestamp()) - stamp == age
    assert timed_bank.events() == []


@pytest.mark.parametrize("body", [{}, {"kind": "rude"}, {"kind": "signed", "data": "x"}])
def test_a_forgery_that_makes_no_sense_is_refused(bank: Caller, body: Json) -> None:
    assert bank.send("POST", "/sim/webhooks/forge", body).status_code == 422


def test_a_new_secret_signs_beside_the_old_one_for_a_while(
    timed_bank: Caller, inbox: Inbox, real: FixedClock
) -> None:
    bank = timed_bank
    old = subscribe(bank, inbox)
    path = f"/v1/webhook-subscriptions/{old['id']}/rotate-secret"
    new = bank.post(path, {"keep_seconds": 60})
    bank.fund(1)
    (both,) = inbox.wait_for(1)
    assert both.is_signed(old["secret"])
    assert both.is_signed(new["secret"])
    real.advance(timedelta(seconds=60))
    bank.fund(2)
    (_, later) = inbox.wait_for(2)
    assert not later.is_signed(old["secret"])
    assert later.is_signed(new["secret"])
    settled(bank)


def test_a_subscriber_that_is_not_there_keeps_nobody_waiting(bank: Caller, inbox: Inbox) -> None:
    bank.post("/v1/webhook-subscriptions", {"url": "http://127.0.0.1:9/nobody"})
    subscribe(bank, inbox)
    bank.fund(1)
    inbox.wait_for(1)
    assert bank.post("/sim/webhooks/forge", {"kind": "unsigned"})["data"][0] == {  # type: ignore[index]
        "url": "http://127.0.0.1:9/nobody",
        "status": None,
    }
