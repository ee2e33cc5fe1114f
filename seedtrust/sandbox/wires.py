"""Wires of the sandbox bank: payments that customers send and money that reaches them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime

from seedtrust.core.clock import business_date
from seedtrust.sandbox import accounts, books, clock, events
from seedtrust.sandbox.books import Movement
from seedtrust.sandbox.problems import ACCOUNT_NUMBER, CLIENT_REFERENCE, BankProblem, Values
from seedtrust.sandbox.store import Connection, Row

PAYMENT_DUE = "payment"
INBOUND_DUE = "inbound_wire"
INCOMING_CODE = "195"
OUTGOING_CODE = "495"


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A wire that a customer asks for; the client reference is the key of idempotency."""

    client_reference: str
    rail: str
    account_id: str
    amount_cents: int
    counterparty_name: str
    counterparty_routing: str
    counterparty_account: str
    memo: str
    requested_on: date


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A wire that somebody sends to a customer."""

    account_id: str
    amount_cents: int
    sender_name: str
    text: str
    reference: str


def parse_payment(body: object) -> PaymentRequest:
    """Check a payment request; raise BankProblem naming the fields."""
    values = Values(body)
    counterparty = values.part("counterparty")
    request = PaymentRequest(
        client_reference=values.text("client_reference", longest=32, pattern=CLIENT_REFERENCE),
        rail=values.choice("rail", ["wire"]),
        account_id=values.text("account_id", longest=40),
        amount_cents=values.cents("amount_cents"),
        counterparty_name=counterparty.text("name", longest=60),
        counterparty_routing=counterparty.routing_number("routing_number"),
        counterparty_account=counterparty.text(
            "account_number", longest=17, pattern=ACCOUNT_NUMBER
        ),
        memo=values.text("memo", longest=140, is_required=False),
        requested_on=values.day("requested_on"),
    )
    values.done()
    return request


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


def _hash(request: PaymentRequest | InboundRequest) -> str:
    text = json.dumps(asdict(request), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _next_number(connection: Connection, table: str) -> int:
    row = connection.execute(
        f"SELECT count(*) + 1 AS number FROM {table}"  # noqa: S608 - one of this module's tables
    ).fetchone()
    return int(row["number"])


def _imad(moment: datetime, number: int, *, is_outgoing: bool) -> str:
    """Return an input message accountability datum: date, source, six digits."""
    source = "SANDBOXO" if is_outgoing else "SANDBOXI"
    return f"{business_date(moment):%Y%m%d}{source}{number % 1_000_000:06d}"


def send(connection: Connection, request: PaymentRequest) -> tuple[Row, bool]:
    """Take a wire, settle it if the hour allows, and tell whether this was a replay.

    Raises BankProblem if the reference belongs to another request, or the account is unknown or
    does not cover the amount; then nothing is recorded and the reference stays free.
    """
    existing = connection.execute(
        "SELECT * FROM payment WHERE client_reference = ?", (request.client_reference,)
    ).fetchone()
    if existing is not None:
        if existing["request_hash"] != _hash(request):
            raise BankProblem(
                "reference_reused",
                "A payment with this reference and other content exists. Use a new reference.",
                payment_id=existing["id"],
            )
        return existing, True
    accounts.named_in_body(connection, request.account_id)
    books.require_available(connection, request.account_id, request.amount_cents)
    received_at = clock.now(connection)
    settles_at = clock.wire_moment(received_at, request.requested_on)
    payment_id = f"PMT-{_next_number(connection, 'payment'):08d}"
    connection.execute(
        "INSERT INTO payment (id, client_reference, request_hash, rail, account_id, amount_cents,"
        " counterparty_name, counterparty_routing, counterparty_account, memo, requested_on,"
        " status, received_at, settles_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'accepted',"
        " ?, ?)",
        (
            payment_id,
            request.client_reference,
            _hash(request),
            request.rail,
            request.account_id,
            request.amount_cents,
            request.counterparty_name,
            request.counterparty_routing,
            request.counterparty_account,
            request.memo,
            request.requested_on.isoformat(),
            clock.to_text(received_at),
            clock.to_text(settles_at),
        ),
    )
    row = require_payment(connection, payment_id)
    events.record(connection, "payment.accepted", payment_as_json(connection, row))
    if settles_at <= received_at:
        settle(connection, payment_id)
    else:
        clock.schedule(connection, settles_at, PAYMENT_DUE, payment_id)
    return require_payment(connection, payment_id), False


def settle(connection: Connection, payment_id: str) -> None:
    """Move the money of an accepted wire; its statement line carries the client reference."""
    payment = require_payment(connection, payment_id)
    settled_at = clock.now(connection)
    imad = _imad(settled_at, int(payment_id.split("-")[1]), is_outgoing=True)
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
    connection.execute(
        "UPDATE payment SET status = 'settled', settled_at = ?, imad = ?, line_id = ? WHERE id = ?",
        (clock.to_text(settled_at), imad, line.line_id, payment_id),
    )
    row = require_payment(connection, payment_id)
    events.record(connection, "payment.settled", payment_as_json(connection, row))


def require_payment(connection: Connection, payment_id: str) -> Row:
    """Return a payment; raise BankProblem 404 if there is none."""
    row: Row | None = connection.execute(
        "SELECT * FROM payment WHERE id = ?", (payment_id,)
    ).fetchone()
    if row is None:
        raise BankProblem("not_found", f"There is no payment {payment_id}.")
    return row


def payments(connection: Connection, client_reference: str | None) -> list[Row]:
    """Return the payments with a client reference, or the latest hundred."""
    if client_reference is not None:
        return connection.execute(
            "SELECT * FROM payment WHERE client_reference = ?", (client_reference,)
        ).fetchall()
    return connection.execute("SELECT * FROM payment ORDER BY id DESC LIMIT 100").fetchall()


def _bank_reference(connection: Connection, line_id: int | None) -> str | None:
    row = connection.execute("SELECT bank_reference FROM line WHERE id = ?", (line_id,)).fetchone()
    return None if row is None else str(row["bank_reference"])


def payment_as_json(connection: Connection, row: Row) -> dict[str, object]:
    """Return a payment as replies and events show it; the account number is masked."""
    return {
        "id": row["id"],
        "client_reference": row["client_reference"],
        "rail": row["rail"],
        "account_id": row["account_id"],
        "amount_cents": row["amount_cents"],
        "status": row["status"],
        "counterparty": {
            "name": row["counterparty_name"],
            "routing_number": row["counterparty_routing"],
            "account_number_last4": row["counterparty_account"][-4:],
        },
        "memo": row["memo"],
        "requested_on": row["requested_on"],
        "received_at": clock.shown(row["received_at"]),
        "settles_on": business_date(clock.from_text(row["settles_at"])).isoformat(),
        "settled_at": clock.shown(row["settled_at"]),
        "imad": row["imad"],
        "bank_reference": _bank_reference(connection, row["line_id"]),
    }


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
    wire_id = f"WIN-{_next_number(connection, 'inbound_wire'):08d}"
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
        "bank_reference": _bank_reference(connection, row["line_id"]),
    }
