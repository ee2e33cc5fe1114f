"""Webhooks of the sandbox bank: who wants events, what is to be delivered, and the tricks on it.

Signed as Standard Webhooks says (www.standardwebhooks.com): an id, a time and the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from seedtrust.sandbox import clock, settings
from seedtrust.sandbox.problems import BankProblem, Values
from seedtrust.sandbox.store import Connection, Row

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix, as the standard publishes it
TRICKS: Final = ("drop", "duplicate")
_SECRET_BYTES: Final = 24
_URL: Final = re.compile(r"https?://[\x21-\x7e]{1,300}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_KEEP_SECONDS: Final = 86_400
_MOST: Final = 1_000_000
_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to bring to one subscriber now; ``copies`` is 0 if it gets lost on purpose."""

    id: int
    event_id: int
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    body: bytes
    attempts: int
    copies: int


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message: version 1, HMAC-SHA256 under the decoded secret."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def new_secret() -> str:
    """Return a new secret, as Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def message(event: Row) -> bytes:
    """Return the body of the message that tells an event."""
    told = {
        "id": event["id"],
        "type": event["type"],
        "timestamp": clock.shown(event["at"]),
        "data": json.loads(event["data"]),
    }
    return json.dumps(told).encode()


def subscribe(connection: Connection, body: object, now: datetime) -> dict[str, object]:
    """Note where to bring events from now on; the secret is shown in this reply only.

    Raises BankProblem unless the address is https, or http on this machine.
    """
    values = Values(body)
    url = values.text("url", longest=300, pattern=_URL)
    parts = urlsplit(url)
    if url and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        values.refuse("url", "Give an https address; http is for this machine only.")
    values.done()
    number = connection.execute(
        "SELECT coalesce(max(number), 0) + 1 AS number FROM webhook_subscription"
    ).fetchone()["number"]
    secret = new_secret()
    connection.execute(
        "INSERT INTO webhook_subscription (number, url, secret, old_secret, old_until, created_at)"
        " VALUES (?, ?, ?, '', '', ?)",
        (number, url, secret, clock.to_text(now)),
    )
    return _shown(require(connection, _id(number))) | {"secret": secret}


def _id(number: int) -> str:
    return f"WHS-{number:06d}"


def _shown(row: Row) -> dict[str, object]:
    return {
        "id": _id(row["number"]),
        "url": row["url"],
        "created_at": clock.shown(row["created_at"]),
    }


def require(connection: Connection, subscription_id: str) -> Row:
    """Return a subscription; raise BankProblem 404 if there is none."""
    rows = connection.execute("SELECT * FROM webhook_subscription WHERE is_ended = 0").fetchall()
    for row in rows:
        if _id(row["number"]) == subscription_id:
            found: Row = row
            return found
    raise BankProblem("not_found", f"There is no subscription {subscription_id}.")


def subscriptions(connection: Connection) -> list[Row]:
    """Return the subscriptions, oldest first."""
    return connection.execute(
        "SELECT * FROM webhook_subscription WHERE is_ended = 0 ORDER BY number"
    ).fetchall()


def listed(connection: Connection) -> list[dict[str, object]]:
    """Return the subscriptions as replies show them, without their secrets."""
    return [_shown(row) for row in subscriptions(connection)]


def unsubscribe(connection: Connection, subscription_id: str) -> None:
    """End a subscription; what it has not received is not brought any more."""
    number = require(connection, subscription_id)["number"]
    connection.execute("UPDATE webhook_subscription SET is_ended = 1 WHERE number = ?", (number,))
    connection.execute(
        "UPDATE webhook_delivery SET state = 'dropped'"
        " WHERE subscription_number = ? AND state = 'pending'",
        (number,),
    )


def rotate(
    connection: Connection, subscription_id: str, body: object, now: datetime
) -> dict[str, object]:
    """Give a subscription a new secret; messages carry both signatures while the old one lasts."""
    values = Values(body)
    keep = values.seconds("keep_seconds", highest=_KEEP_SECONDS * 30, default=_KEEP_SECONDS)
    values.done()
    row = require(connection, subscription_id)
    secret = new_secret()
    connection.execute(
        "UPDATE webhook_subscription SET secret = ?, old_secret = secret, old_until = ?"
        " WHERE number = ?",
        (secret, clock.to_text(now + timedelta(seconds=keep)), row["number"]),
    )
    return _shown(row) | {"secret": secret}


def secrets_of(row: Row, now: datetime) -> tuple[str, ...]:
    """Return the secrets with which a subscriber's messages are signed at an instant."""
    is_old_kept = row["old_secret"] and row["old_until"] > clock.to_text(now)
    return (row["secret"], row["old_secret"]) if is_old_kept else (row["secret"],)


def next_delivery(connection: Connection, now: datetime) -> Delivery | None:
    """Return what is to be brought next, in the order of events; use up a trick if one is armed."""
    due_at = next_due(connection)
    if due_at is None or due_at > now:
        return None
    row = connection.execute(
        "SELECT d.*, s.url, s.secret, s.old_secret, s.old_until FROM webhook_delivery d"
        " JOIN webhook_subscription s ON s.number = d.subscription_number"
        " WHERE d.state = 'pending' AND d.next_at <= ? ORDER BY d.position, d.id LIMIT 1",
        (clock.to_text(now),),
    ).fetchone()
    if row is None:
        return None
    event = connection.execute("SELECT * FROM event WHERE id = ?", (row["event_id"],)).fetchone()
    copies = 1
    if _use_trick(connection, "drop"):
        copies = 0
        connection.execute(
            "UPDATE webhook_delivery SET state = 'dropped' WHERE id = ?", (row["id"],)
        )
    elif _use_trick(connection, "duplicate"):
        copies = 2
    return Delivery(
        id=row["id"],
        event_id=row["event_id"],
        url=row["url"],
        secrets=secrets_of(row, now),
        body=message(event),
        attempts=row["attempts"],
        copies=copies,
    )


def note_attempt(
    connection: Connection, delivery: Delivery, status: int | None, now: datetime
) -> None:
    """Note what a subscriber replied (None: nothing), and when to try again after a failure."""
    is_good = status is not None and 200 <= status < 300  # noqa: PLR2004 - the class of statuses
    waits = settings.read(connection).webhook_retry_seconds
    wait = waits[min(delivery.attempts, len(waits) - 1)]
    connection.execute(
        "UPDATE webhook_delivery SET attempts = attempts + 1, last_status = ?, state ="
        " CASE WHEN state = 'pending' AND ? THEN 'delivered' ELSE state END, next_at = ?"
        " WHERE id = ?",
        (status, is_good, clock.to_text(now + timedelta(seconds=wait)), delivery.id),
    )


def next_due(connection: Connection) -> datetime | None:
    """Return when the next delivery is due, None if nothing waits or all is paused."""
    if is_paused(connection):
        return None
    row = connection.execute(
        "SELECT min(next_at) AS next_at FROM webhook_delivery WHERE state = 'pending'"
    ).fetchone()
    return None if row["next_at"] is None else clock.from_text(row["next_at"])


def _use_trick(connection: Connection, name: str) -> bool:
    query = "UPDATE webhook_trick SET remaining = remaining - 1 WHERE name = ? AND remaining > 0"
    return connection.execute(query, (name,)).rowcount == 1


def is_paused(connection: Connection) -> bool:
    """Tell whether deliveries wait until they are resumed."""
    query = "SELECT 1 FROM webhook_trick WHERE name = 'pause' AND remaining > 0"
    return connection.execute(query).fetchone() is not None


def arm(connection: Connection, name: str, count: int) -> None:
    """Arm a trick for the next deliveries, a number of times; 0 ends it."""
    connection.execute(
        "INSERT INTO webhook_trick (name, remaining) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET remaining = excluded.remaining",
        (name, count),
    )


def parse_count(body: object) -> int:
    """Return how many deliveries a trick is for, 1 without a word."""
    values = Values(body)
    count = values.number("count", lowest=0, highest=_MOST, default=1)
    values.done()
    return count


def shuffle(connection: Connection) -> None:
    """Turn the order of what waits round: the latest comes first."""
    connection.execute("UPDATE webhook_delivery SET position = -position WHERE state = 'pending'")


def redeliver(connection: Connection, body: object) -> None:
    """Bring an event, or all after a cursor, to every subscriber again.

    Raises BankProblem if neither is named.
    """
    values = Values(body)
    event_id = values.number("event_id", highest=10**15, default=0)
    after = values.number("after", highest=10**15, default=0) if values.has("after") else None
    if not event_id and after is None:
        values.refuse("event_id", "Give an event_id, or a cursor as after.")
    values.done()
    connection.execute(
        "INSERT INTO webhook_delivery (subscription_number, event_id, position, state, attempts,"
        " next_at) SELECT s.number, e.id, e.id, 'pending', 0, ? FROM webhook_subscription s"
        " JOIN event e ON e.id = ? OR e.id > ? WHERE s.is_ended = 0 ORDER BY e.id, s.number",
        (clock.EARLIEST, event_id, 10**18 if after is None else after),
    )


def as_json(connection: Connection) -> dict[str, object]:
    """Return the state of deliveries and tricks, the latest deliveries first."""
    counts = {"pending": 0, "delivered": 0, "dropped": 0}
    for row in connection.execute(
        "SELECT state, count(*) AS n FROM webhook_delivery GROUP BY state"
    ):
        counts[row["state"]] = row["n"]
    tricks = dict.fromkeys(TRICKS, 0)
    for row in connection.execute("SELECT name, remaining FROM webhook_trick"):
        if row["name"] in tricks:
            tricks[row["name"]] = row["remaining"]
    latest = connection.execute(
        "SELECT * FROM webhook_delivery ORDER BY id DESC LIMIT ?", (_LISTED,)
    ).fetchall()
    return {
        "is_paused": is_paused(connection),
        **tricks,
        **counts,
        "deliveries": [
            {
                "subscription_id": _id(row["subscription_number"]),
                "event_id": row["event_id"],
                "state": row["state"],
                "attempts": row["attempts"],
                "last_status": row["last_status"],
            }
            for row in latest
        ],
    }
