"""Wires of the sandbox bank: money that leaves by a payment and money that comes in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from seedtrust.core.clock import business_date
from seedtrust.sandbox import accounts, books, clock, events
from seedtrust.sandbox.books import Movement
from seedtrust.sandbox.problems import BankProblem, Values
from seedtrust.sandbox.store import Connection, Row

INBOUND_DUE = "inbound_wire"
INCOMING_CODE = "195"
OUTGOING_CODE = "495"


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A wire that somebody sends to a customer."""

    account_id: str
    amount_cents: int
    sender_name: str
    text: str
    reference: str


def parse_inbound(body: object) -> InboundRequest:
    """Check a wire from outside; raise BankProblem naming the fields."""
    values = Values(body)
    request = InboundRequest(
        account_id=values.text("account_id", longest=40),
        amount_cents=values.cents("amount_cents"),
        sender_name=values.text("sender_name", longest=60),
        text=values.text("text", longest=140, is_required=False),
        reference=values.text("reference", longest=35, is_required=False),
    )
    values.done()
    return request


def _hash(request: InboundRequest) -> str:
    text = json.dumps(asdict(request), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _next_number(connection: Connection) -> int:
    row = connection.execute(
        "SELECT coalesce(max(rowid), 0) + 1 AS number FROM inbound_wire"
    ).fetchone()
    return int(row["number"])


def _imad(moment: datetime, number: int, *, is_outgoing: bool) -> str:
    """Return an input message accountability datum: date, source, six digits."""
    source = "SANDBOXO" if is_outgoing else "SANDBOXI"
    return f"{business_date(moment):%Y%m%d}{source}{number % 1_000_000:06d}"


def pay_out(connection: Connection, payment: Row) -> tuple[str, int]:
    """Move the money of an outgoing wire; return its IMAD and the row of its statement line."""
    imad = _imad(clock.now(connection), int(payment["id"].split("-")[1]), is_outgoing=True)
    texts = ["WIRE OUT", f"BENEFICIARY={payment['counterparty_name']}"]
    if payment["memo"]:
        texts.append(f"MEMO={payment['memo']}")
    line = books.enter(
        connection,
        "wire_out",
        Movement(
            account_id=payment["account_id"],
            direction="debit",
            amount_cents=payment["amount_cents"],
            contra=books.WIRE_NETWORK,
            type_code=OUTGOING_CODE,
            customer_reference=payment["client_reference"],
            text_lines=(*texts, f"IMAD={imad}"),
        ),
    )
    return imad, line.line_id


def receive(
    connection: Connection, request: InboundRequest, idempotency_key: str | None
) -> tuple[Row, bool]:
    """Take a wire from outside: at once on a banking day, else at the next opening.

    Raises BankProblem if the account is unknown or the key came with another request.
    """
    if idempotency_key is not None:
        existing = connection.execute(
            "SELECT * FROM inbound_wire WHERE idempotency_key = ?", (idempotency_key,)
        ).fetchone()
        if existing is not None:
            if existing["request_hash"] != _hash(request):
                raise BankProblem("reference_reused", "This key came with another wire before.")
            return existing, True
    accounts.named_in_body(connection, request.account_id)
    now = clock.now(connection)
    posts_at = clock.wire_moment(now)
    wire_id = f"WIN-{_next_number(connection):08d}"
    connection.execute(
        "INSERT INTO inbound_wire (id, idempotency_key, request_hash, account_id, amount_cents,"
        " sender_name, text, reference, status, posts_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)",
        (
            wire_id,
            idempotency_key,
            _hash(request),
            request.account_id,
            request.amount_cents,
            request.sender_name,
            request.text,
            request.reference,
            clock.to_text(posts_at),
        ),
    )
    if posts_at <= now:
        credit(connection, wire_id)
    else:
        clock.schedule(connection, posts_at, INBOUND_DUE, wire_id)
    return _inbound(connection, wire_id), False


def credit(connection: Connection, wire_id: str) -> None:
    """Credit a wire from outside; its statement line carries sender, text and reference."""
    wire = _inbound(connection, wire_id)
    imad = _imad(clock.now(connection), int(wire_id.split("-")[1]), is_outgoing=False)
    texts = [f"WIRE IN FROM {wire['sender_name']}"]
    texts.extend(
        f"{label}={wire[field]}"
        for label, field in (("TEXT", "text"), ("REF", "reference"))
        if wire[field]
    )
    line = books.enter(
        connection,
        "wire_in",
        Movement(
            account_id=wire["account_id"],
            direction="credit",
            amount_cents=wire["amount_cents"],
            contra=books.WIRE_NETWORK,
            type_code=INCOMING_CODE,
            customer_reference=wire["reference"],
            text_lines=(*texts, f"IMAD={imad}"),
        ),
    )
    connection.execute(
        "UPDATE inbound_wire SET status = 'received', imad = ?, line_id = ? WHERE id = ?",
        (imad, line.line_id, wire_id),
    )
    row = _inbound(connection, wire_id)
    events.record(connection, "wire.received", inbound_as_json(connection, row))


def _inbound(connection: Connection, wire_id: str) -> Row:
    row: Row = connection.execute("SELECT * FROM inbound_wire WHERE id = ?", (wire_id,)).fetchone()
    return row


def inbound_as_json(connection: Connection, row: Row) -> dict[str, object]:
    """Return a wire from outside as replies and events show it."""
    return {
        "id": row["id"],
        "account_id": row["account_id"],
        "amount_cents": row["amount_cents"],
        "sender_name": row["sender_name"],
        "text": row["text"],
        "reference": row["reference"],
        "status": row["status"],
        "business_on": business_date(clock.from_text(row["posts_at"])).isoformat(),
        "imad": row["imad"],
        "bank_reference": books.bank_reference(connection, row["line_id"]),
    }
