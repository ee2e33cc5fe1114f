"""The thread that brings events to subscribers of the sandbox bank, and forges some on order."""

from __future__ import annotations

import json
import logging
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import requests

from seedtrust.sandbox import webhooks
from seedtrust.sandbox.bank import Bank
from seedtrust.sandbox.problems import Values

REPLY_SECONDS: Final = 5.0
_STALE: Final = timedelta(hours=1)
FORGERIES: Final = ("bad_signature", "unsigned", "tampered", "old_timestamp", "signed")
_MADE_UP_ID: Final = 999_999_999

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forgery:
    """A message that no event of the bank stands behind."""

    kind: str
    type: str
    data: dict[str, object]


def parse_forgery(body: object) -> Forgery:
    """Check what is to be forged; raise BankProblem naming the fields."""
    values = Values(body)
    kind = values.choice("kind", FORGERIES)
    event_type = values.text("type", longest=60, is_required=False) or "payment.settled"
    data = values.anything("data") or {"id": "PMT-99999999", "status": "settled"}
    if not isinstance(data, dict):
        values.refuse("data", "Give an object.")
    values.done()
    return Forgery(kind, event_type, dict(data) if isinstance(data, dict) else {})


class Courier:
    """Brings each event to each subscriber, in order, again and again until one says 2xx.

    What was brought is noted afterwards, so that after a kill in between it is brought twice.
    """

    def __init__(self, bank: Bank) -> None:
        """Take the bank whose events are brought."""
        self._bank = bank
        self._session = requests.Session()
        self._session.trust_env = False

    def run(self) -> None:
        """Bring what is due, until the bank ends."""
        bank = self._bank
        while not bank.ended.is_set():
            bank.courier_called.clear()
            try:
                seconds = self.bring_due()
            except sqlite3.Error:
                log.exception("sandbox_webhooks_failed")
                seconds = REPLY_SECONDS
            bank.courier_called.wait(seconds)
        self._session.close()

    def bring_due(self) -> float | None:
        """Bring all that is due; return the seconds until more is, None if nothing waits."""
        bank = self._bank
        while not bank.ended.is_set():
            now = bank.real.now()
            with bank.unit() as connection:
                delivery = webhooks.next_delivery(connection, now)
                due_at = None if delivery else webhooks.next_due(connection)
            if delivery is None:
                return None if due_at is None else max(0.0, (due_at - now).total_seconds())
            if delivery.copies == 0:
                continue
            status = None
            for _ in range(delivery.copies):
                status = self._post(delivery, now)
            with bank.unit() as connection:
                webhooks.note_attempt(connection, delivery, status, bank.real.now())
        return None

    def _post(self, delivery: webhooks.Delivery, now: datetime) -> int | None:
        message_id, timestamp = str(delivery.event_id), int(now.timestamp())
        signatures = [
            webhooks.signature(secret, message_id, timestamp, delivery.body)
            for secret in delivery.secrets
        ]
        headers = _headers(message_id, timestamp, " ".join(signatures))
        return self.send(delivery.url, delivery.body, headers)

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        """Post a message; return the status of the reply, None if there was none."""
        try:
            response = self._session.post(
                url, data=body, headers=headers, timeout=REPLY_SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            return None
        return response.status_code


def _headers(message_id: str, timestamp: int, signatures: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Sandbox": "no real money",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures,
    }


def forge(bank: Bank, forgery: Forgery) -> list[dict[str, object]]:
    """Send a forged message to every subscriber now; return what each replied."""
    now = bank.real.now()
    with bank.unit() as connection:
        receivers = [
            (row["url"], webhooks.secrets_of(row, now)[0])
            for row in webhooks.subscriptions(connection)
        ]
    courier = Courier(bank)
    return [
        {"url": url, "status": courier.send(url, *_forged(forgery, secret, now))}
        for url, secret in receivers
    ]


def _forged(forgery: Forgery, secret: str, now: datetime) -> tuple[bytes, dict[str, str]]:
    told = {
        "id": _MADE_UP_ID,
        "type": forgery.type,
        "timestamp": now.isoformat(),
        "data": forgery.data,
    }
    body = json.dumps(told).encode()
    sent_at = now - _STALE if forgery.kind == "old_timestamp" else now
    timestamp, message_id = int(sent_at.timestamp()), str(_MADE_UP_ID)
    key = webhooks.new_secret() if forgery.kind == "bad_signature" else secret
    headers = _headers(message_id, timestamp, webhooks.signature(key, message_id, timestamp, body))
    if forgery.kind == "unsigned":
        del headers["webhook-signature"]
    if forgery.kind == "tampered":
        body = body.replace(b'"data"', b'"more": 1, "data"')
    return body, headers
