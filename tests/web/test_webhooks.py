"""What a bank brings: believed by its signature alone, kept once, and never taken as evidence."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from seedtrust.app import create_app
from seedtrust.core.clock import FixedClock
from seedtrust.core.webhooks import SignatureRefused, sign, verify
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payments.models import BankInboxItem
from seedtrust.ext import db
from seedtrust.settings import Settings, decode_webhook_secret

NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 24).decode()
URL = "/webhooks/bank/huntington"
BODY = json.dumps(
    {
        "id": "12",
        "type": "payment.settled",
        "timestamp": "2026-01-05T15:00:00Z",
        "data": {"client_reference": "ABCDEFGHIJKLMN2", "amount_cents": 155_783},
    }
).encode()


def headers(
    body: bytes = BODY,
    *,
    secret: str = NEW,
    event_id: str = "12",
    at: datetime = NOW,
) -> dict[str, str]:
    """Sign a message as a bank does."""
    seconds = str(int(at.timestamp()))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": sign(decode_webhook_secret(secret), event_id, seconds, body),
        "Content-Type": "application/json",
    }


@dataclass
class Door:
    """The door and what lies behind it."""

    app: Flask
    sessions: sessionmaker[Session]

    def bring(self, body: bytes = BODY, signed: dict[str, str] | None = None) -> TestResponse:
        """Bring a message, signed well if nothing else is said."""
        given = headers(body) if signed is None else signed
        return self.app.test_client().post(URL, data=body, headers=given)

    def kept(self) -> list[tuple[str, str, str]]:
        """Return what the inbox holds."""
        with self.sessions() as session, session.begin():
            rows = session.execute(select(BankInboxItem).order_by(BankInboxItem.id)).scalars()
            return [(row.source, row.external_id, row.kind) for row in rows]

    def promises(self) -> list[tuple[str, str]]:
        """Return what was promised, with its lane."""
        with self.sessions() as session, session.begin():
            found = session.execute(select(OutboxMessage.topic, OutboxMessage.lane))
            return [(topic, lane) for topic, lane in found]


@pytest.fixture
def door(
    database_url: str, tmp_path: Path, session_factory: sessionmaker[Session]
) -> Iterator[Door]:
    """Open the door with two keys, as in the days of a rotation."""
    settings = Settings.from_env(
        env="test",
        data_dir=tmp_path,
        database_url=database_url,
        bank_webhook_secrets=f"{NEW},{OLD}",
    )
    app = create_app(settings, clock=FixedClock(NOW))
    yield Door(app, session_factory)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_signed_message_is_kept_and_the_bank_is_asked_about_it(door: Door) -> None:
    answer = door.bring()
    assert (answer.status_code, answer.data, "Set-Cookie" in answer.headers) == (204, b"", False)
    assert door.kept() == [("webhook.huntington", "12", "payment.settled")]
    assert door.promises() == [("bank.hint", "bank.huntington")]


def test_the_same_message_again_is_thanked_for_and_changes_nothing(door: Door) -> None:
    assert [door.bring().status_code for _ in range(3)] == [204, 204, 204]
    assert len(door.kept()) == len(door.promises()) == 1


def test_both_keys_count_while_the_bank_changes_its_key(door: Door) -> None:
    for number, secret in enumerate((OLD, NEW)):
        signed = headers(secret=secret, event_id=str(number))
        assert door.bring(signed=signed).status_code == 204
    two = headers(event_id="3")
    two["webhook-signature"] = f"v1,{'A' * 43}= {two['webhook-signature']}"
    assert door.bring(signed=two).status_code == 204
    assert len(door.kept()) == 3


@pytest.mark.parametrize("seconds,status", [(299, 204), (-299, 204), (301, 401), (-301, 401)])
def test_five_minutes_of_skew_are_forgiven(door: Door, seconds: int, status: int) -> None:
    signed = headers(at=NOW - timedelta(seconds=seconds))
    assert door.bring(signed=signed).status_code == status


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "x" * 5000, "v1,", "-1", "é", "0", "1 2"])
def test_a_message_with_broken_headers_is_refused(door: Door, name: str, value: str) -> None:
    assert door.bring(signed={**headers(), name: value}).status_code == 401
    assert door.kept() == []


def test_another_secret_is_refused(door: Door) -> None:
    other = "whsec_" + base64.b64encode(b"x" * 24).decode()
    assert door.bring(signed=headers(secret=other)).status_code == 401
    assert door.bring(signed={"webhook-id": "12"}).status_code == 401
    assert door.kept() == []


def test_only_a_bank_with_keys_is_heard(door: Door) -> None:
    client = door.app.test_client()
    for path in ("/webhooks/bank/filedrop", "/webhooks/bank/nobody"):
        assert client.post(path, data=BODY, headers=headers()).status_code == 404
    assert client.get(URL).status_code == 405


def test_a_body_that_is_too_large_is_not_read(door: Door) -> None:
    large = b"{" + b" " * 65_536 + b"}"
    assert door.bring(large).status_code == 413
    assert door.bring(b'{"type": "x"}' + b" " * 60_000).status_code == 204


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff", b'"x"'])
def test_a_signed_body_that_is_no_message_is_refused(door: Door, body: bytes) -> None:
    assert door.bring(body, headers(body)).status_code == 422
    assert door.kept() == []


def test_a_message_of_any_shape_is_kept_without_harm(door: Door) -> None:
    shapes = (
        {"type": None, "data": None},
        {"type": ["x"], "data": [1]},
        {"type": "é" * 100, "data": {"client_reference": 7}},
        {"type": "x" * 500, "data": {"client_reference": "y" * 5000}},
    )
    for number, shape in enumerate(shapes):
        body = json.dumps(shape).encode()
        assert door.bring(body, headers(body, event_id=f"s{number}")).status_code == 204
    assert len(door.kept()) == len(shapes)


def altered(dice: random.Random, count: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield a good message with one to three changes in one of its three headers or its body."""
    good = headers()
    parts = [
        good["webhook-id"].encode(),
        good["webhook-timestamp"].encode(),
        good["webhook-signature"].encode(),
        BODY,
    ]
    for _ in range(count):
        which = dice.randrange(4)
        changed = bytearray(parts[which])
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(changed) or 1)
            act = dice.randrange(3)
            if act == 0 and changed:
                changed[place % len(changed)] ^= 1 << dice.randrange(8)
            elif act == 1:
                changed.insert(place, dice.randrange(256))
            elif changed:
                del changed[place % len(changed)]
        if bytes(changed) != parts[which]:
            yield which, [*parts[:which], bytes(changed), *parts[which + 1 :]]


def is_the_same(which: int, trial: list[bytes]) -> bool:
    """Tell whether the good signature still stands, among others, over the very same message."""
    good = headers()["webhook-signature"]
    return which == 2 and good in trial[2].decode("latin-1").split(" ")


def test_none_of_ten_thousand_altered_messages_is_believed() -> None:
    dice = random.Random(20260105)  # noqa: S311 - a repeatable game of dice
    keys = (decode_webhook_secret(NEW), decode_webhook_secret(OLD))
    good = list(headers().values())[:3]
    verify(good[0], good[1], good[2], BODY, keys, NOW)
    believed = 0
    for which, trial in altered(dice, 10_000):
        words = [part.decode("latin-1") for part in trial[:3]]
        try:
            verify(words[0], words[1], words[2], trial[3], keys, NOW)
        except SignatureRefused:
            continue
        believed += not is_the_same(which, trial)
    assert believed == 0


def test_no_altered_message_gets_past_the_door(door: Door) -> None:
    dice = random.Random(20260106)  # noqa: S311 - a repeatable game of dice
    for which, trial in altered(dice, 300):
        words = [part.decode("latin-1") for part in trial[:3]]
        # What a server of the web would not take for a header never comes this far.
        if is_the_same(which, trial) or any(not word.isprintable() for word in words):
            continue
        signed = {
            "webhook-id": words[0],
            "webhook-timestamp": words[1],
            "webhook-signature": words[2],
        }
        assert door.bring(trial[3], signed).status_code == 401
    assert (door.kept(), door.promises()) == ([], [])


@pytest.mark.parametrize("text", ["", "secret", "whsec_", "whsec_!!", "whsec_YWJj", OLD[6:]])
def test_a_secret_of_the_wrong_shape_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        decode_webhook_secret(text)
