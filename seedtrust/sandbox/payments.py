"""Payments over the API of the sandbox bank: asked for, sent, settled, or stopped before."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from seedtrust.core.bankdays import on_or_after
from seedtrust.core.clock import business_date
from seedtrust.sandbox import (
    accounts,
    achcheck,
    achentries,
    achpayments,
    books,
    clock,
    corrections,
    paymentbook,
    returns,
    settings,
    wires,
)
from seedtrust.sandbox.paymentbook import mark, require, tell
from seedtrust.sandbox.problems import (
    ACCOUNT_NUMBER,
    CLIENT_REFERENCE,
    COMPANY_IDENTIFICATION,
    BankProblem,
    Values,
)
from seedtrust.sandbox.receivers import Change
from seedtrust.sandbox.store import Connection, Row

PAYMENT_DUE: Final = "payment"
STUCK_SUFFIX: Final = "9801"
NEVER_SETTLES_SUFFIX: Final = "9802"
_STOPPABLE: Final = frozenset({"accepted", "in_review"})
_DESCRIPTION: Final = re.compile(r"[\x20-\x7e]{1,10}")


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment that a customer asks for; the client reference is the key of idempotency."""

    client_reference: str
    rail: str
    account_id: str
    amount_cents: int
    counterparty_name: str
    counterparty_routing: str
    counterparty_account: str
    counterparty_account_type: str
    counterparty_party_kind: str
    memo: str
    requested_on: date
    sec_code: str
    entry_description: str
    company_identification: str

    def columns(self) -> dict[str, object]:
        """Return the values by the names of their columns."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"requested_on": self.requested_on.isoformat()}

    @property
    def hash(self) -> str:
        """Return what tells whether a request is the same again."""
        text = json.dumps(self.columns(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def parse(body: object) -> PaymentRequest:
    """Check a payment request; raise BankProblem naming the fields."""
    values = Values(body)
    counterparty = values.part("counterparty")
    rail = values.choice("rail", settings.RAILS)
    ach = values.part("ach") if rail == "ach" else None
    request = PaymentRequest(
        client_reference=values.text("client_reference", longest=32, pattern=CLIENT_REFERENCE),
        rail=rail,
        account_id=values.text("account_id", longest=40),
        amount_cents=values.cents("amount_cents"),
        counterparty_name=counterparty.text("name", longest=60),
        counterparty_routing=counterparty.routing_number("routing_number"),
        counterparty_account=counterparty.text(
            "account_number", longest=17, pattern=ACCOUNT_NUMBER
        ),
        counterparty_account_type=counterparty.choice(
            "account_type", ("checking", "savings"), default="checking"
        ),
        counterparty_party_kind=counterparty.choice(
            "party_kind", ("person", "company"), default="person"
        ),
        memo=values.text("memo", longest=140, is_required=False),
        requested_on=values.day("requested_on"),
        sec_code="" if ach is None else ach.choice("sec_code", ("PPD", "CCD")),
        entry_description=""
        if ach is None
        else ach.text("entry_description", longest=10, pattern=_DESCRIPTION),
        company_identification=""
        if ach is None
        else ach.text("company_identification", longest=10, pattern=COMPANY_IDENTIFICATION).strip(),
    )
    values.done()
    return request


def ask(connection: Connection, request: PaymentRequest, real_now: datetime) -> tuple[Row, bool]:
    """Take a payment, move what the hour lets move, and tell whether this was a replay.

    ``real_now`` is real time, which a look-up that lags behind goes by. Raises BankProblem if the
    reference belongs to another request, or the payment cannot be taken; then nothing is recorded
    and the reference stays free.
    """
    rules = settings.read(connection)
    existing = paymentbook.of_reference(connection, request.client_reference)
    if existing and rules.idempotent_payments:
        if existing[0]["request_hash"] != request.hash:
            raise BankProblem(
                "reference_reused",
                "A payment with this reference and other content exists. Use a new reference.",
                payment_id=existing[0]["id"],
            )
        return existing[0], True
    _require_sound(connection, request, rules)
    received_at = clock.now(connection)
    sends_at, settles_at = _moments(request, received_at)
    _require_in_time(request, rules, received_at, settles_at)
    books.require_available(connection, request.account_id, request.amount_cents)
    payment_id = _record(
        connection,
        request,
        received_at=received_at,
        real_now=real_now,
        sends_at=sends_at,
        settles_at=settles_at,
    )
    books.reserve(connection, request.account_id, request.amount_cents)
    tell(connection, payment_id, "accepted")
    if request.counterparty_account.endswith(STUCK_SUFFIX):
        mark(connection, require(connection, payment_id), "in_review")
    else:
        _go_on(connection, payment_id)
    return require(connection, payment_id), False


def _require_sound(
    connection: Connection, request: PaymentRequest, rules: settings.Settings
) -> None:
    """Raise BankProblem for an account, rail, company or receiver that cannot be."""
    account = accounts.named_in_body(connection, request.account_id)
    if request.rail not in rules.rails:
        raise BankProblem("not_entitled", f"The rail {request.rail} is not enabled here.")
    if request.rail == "wire":
        return
    company = accounts.by_company(connection, request.company_identification)
    if company is None or company["id"] != request.account_id:
        message = "This company is not registered for the account."
        raise BankProblem("invalid", message, errors={"ach.company_identification": [message]})
    receiver = (request.counterparty_routing, request.counterparty_account)
    if receiver == (account["routing_number"], account["account_number"]):
        message = "The receiver is the paying account itself."
        raise BankProblem("invalid", message, errors={"counterparty.account_number": [message]})


def _moments(request: PaymentRequest, received_at: datetime) -> tuple[datetime, datetime]:
    """Return when a payment is sent and when it settles."""
    if request.rail == "wire":
        moves_at = clock.wire_moment(received_at, request.requested_on)
        return moves_at, moves_at
    effective_on = on_or_after(max(request.requested_on, business_date(received_at)))
    same_day = request.amount_cents <= achcheck.SAME_DAY_LIMIT_CENTS
    settles_at = clock.settlement_moment(received_at, effective_on, same_day=same_day)
    return clock.sending_moment(received_at, settles_at), settles_at


def _require_in_time(
    request: PaymentRequest,
    rules: settings.Settings,
    received_at: datetime,
    settles_at: datetime,
) -> None:
    """Raise BankProblem if the wanted day cannot be kept and the bank does not roll over."""
    wanted_on = on_or_after(max(request.requested_on, business_date(received_at)))
    if rules.after_cutoff == "refuse" and business_date(settles_at) > wanted_on:
        message = f"It is too late to settle on {wanted_on}. Ask for a later day."
        raise BankProblem("cutoff_passed", message)


def _record(
    connection: Connection,
    request: PaymentRequest,
    *,
    received_at: datetime,
    real_now: datetime,
    sends_at: datetime,
    settles_at: datetime,
) -> str:
    number = connection.execute(
        "SELECT coalesce(max(rowid), 0) + 1 AS number FROM payment"
    ).fetchone()["number"]
    columns = request.columns() | {
        "id": f"PMT-{number:08d}",
        "request_hash": request.hash,
        "status": "accepted",
        "status_reason": "",
        "received_at": clock.to_text(received_at),
        "received_really_at": clock.to_text(real_now),
        "sends_at": clock.to_text(sends_at),
        "settles_at": clock.to_text(settles_at),
    }
    connection.execute(
        f"INSERT INTO payment ({', '.join(columns)})"  # noqa: S608 - names of columns
        f" VALUES ({', '.join(f':{name}' for name in columns)})",
        columns,
    )
    return str(columns["id"])


def _go_on(connection: Connection, payment_id: str) -> None:
    """Do what is due of a payment now, and put the next step on the agenda."""
    now = clock.to_text(clock.now(connection))
    payment = require(connection, payment_id)
    if payment["status"] == "accepted" and payment["sends_at"] <= now:
        _send(connection, payment)
        payment = require(connection, payment_id)
    if payment["status"] == "sent" and payment["settles_at"] <= now:
        _settle(connection, payment)
        return
    due_at = payment["sends_at"] if payment["status"] == "accepted" else payment["settles_at"]
    clock.schedule(connection, clock.from_text(due_at), PAYMENT_DUE, payment_id)


def step(connection: Connection, payment_id: str) -> None:
    """Send or settle a payment whose time has come; one that was stopped stays as it is."""
    if require(connection, payment_id)["status"] in {"accepted", "sent"}:
        _go_on(connection, payment_id)


def _send(connection: Connection, payment: Row) -> None:
    """Give a payment to its network: from now on nobody can stop it."""
    sent_at = clock.to_text(clock.now(connection))
    if payment["rail"] == "ach":
        entry_id = achpayments.send(connection, payment)
        mark(connection, payment, "sent", sent_at=sent_at, entry_id=entry_id)
        return
    # A wire moves in the moment in which it is sent, so it has no event of its own for that.
    connection.execute(
        "UPDATE payment SET status = 'sent', sent_at = ? WHERE id = ?", (sent_at, payment["id"])
    )


def _settle(connection: Connection, payment: Row) -> None:
    """Move the money of a payment; its statement line carries the client reference."""
    if payment["counterparty_account"].endswith(NEVER_SETTLES_SUFFIX):
        return
    books.release(connection, payment["account_id"], payment["amount_cents"])
    settled_at = clock.to_text(clock.now(connection))
    if payment["rail"] == "ach":
        line_id, imad = achpayments.settle(connection, payment), None
    else:
        imad, line_id = wires.pay_out(connection, payment)
    mark(connection, payment, "settled", settled_at=settled_at, imad=imad, line_id=line_id)


def _stop(connection: Connection, payment: Row, status: str, reason: str) -> dict[str, object]:
    if payment["status"] not in _STOPPABLE:
        message = f"The payment is {payment['status']}; it cannot be stopped any more."
        raise BankProblem("too_late", message, payment_status=payment["status"])
    books.release(connection, payment["account_id"], payment["amount_cents"])
    return mark(connection, payment, status, status_reason=reason)


def cancel(connection: Connection, payment_id: str) -> dict[str, object]:
    """Cancel a payment that was not sent; the same again changes nothing.

    Raises BankProblem if it is too late.
    """
    payment = require(connection, payment_id)
    if payment["status"] == "cancelled":
        return paymentbook.as_json(connection, payment)
    return _stop(connection, payment, "cancelled", "")


def reject(connection: Connection, payment_id: str, reason: str) -> dict[str, object]:
    """Have the bank itself refuse a payment that was not sent, with its reason."""
    return _stop(connection, require(connection, payment_id), "rejected", reason)


def hold(connection: Connection, payment_id: str) -> dict[str, object]:
    """Have the bank look at a payment that was not sent; it waits until it is released."""
    payment = require(connection, payment_id)
    if payment["status"] != "accepted":
        message = f"The payment is {payment['status']}; only an accepted one can be held."
        raise BankProblem("wrong_state", message, payment_status=payment["status"])
    return mark(connection, payment, "in_review")


def release(connection: Connection, payment_id: str) -> dict[str, object]:
    """Let a payment go on after a review, with the next settlement that its hour allows."""
    payment = require(connection, payment_id)
    if payment["status"] != "in_review":
        message = f"The payment is {payment['status']}, not in review."
        raise BankProblem("wrong_state", message, payment_status=payment["status"])
    request = _request_of(payment)
    sends_at, settles_at = _moments(request, clock.now(connection))
    mark(
        connection,
        payment,
        "accepted",
        sends_at=clock.to_text(sends_at),
        settles_at=clock.to_text(settles_at),
    )
    _go_on(connection, payment_id)
    return paymentbook.as_json(connection, require(connection, payment_id))


def order_return(
    connection: Connection, payment_id: str, code: str, wanted_on: date | None
) -> dict[str, object]:
    """Have an ACH payment come back with a code; see ``returns.order`` for when."""
    payment = _require_ach(connection, payment_id)
    returns.require_code(code)
    if payment["entry_id"] is not None:
        entry = achentries.entry(connection, payment["entry_id"])
        return returns.order(connection, entry, code, wanted_on)
    _order_ahead(connection, payment_id, "return", code, "")
    return {"trace_number": None, "return_code": code, "returns_at": None}


def order_change(connection: Connection, payment_id: str, wanted: Change) -> dict[str, object]:
    """Have a notification of change come for an ACH payment; see ``corrections.order``."""
    payment = _require_ach(connection, payment_id)
    corrections.require_code(wanted.code)
    if payment["entry_id"] is not None:
        entry = achentries.entry(connection, payment["entry_id"])
        return corrections.order(connection, entry, wanted)
    _order_ahead(connection, payment_id, "change", wanted.code, wanted.corrected_data)
    return {"trace_number": None, "change_code": wanted.code, "notes_at": None}


def _require_ach(connection: Connection, payment_id: str) -> Row:
    payment = require(connection, payment_id)
    if payment["rail"] != "ach" or payment["status"] in {"rejected", "cancelled"}:
        message = "Only an ACH payment that was not stopped comes back or is corrected."
        raise BankProblem("wrong_state", message, payment_status=payment["status"])
    return payment


def _order_ahead(connection: Connection, payment_id: str, kind: str, code: str, data: str) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO ordered_ahead (payment_id, kind, code, data) VALUES (?, ?, ?, ?)",
        (payment_id, kind, code, data),
    )


def _request_of(payment: Row) -> PaymentRequest:
    names = PaymentRequest.__slots__
    values = {name: payment[name] for name in names} | {
        "requested_on": date.fromisoformat(payment["requested_on"])
    }
    return PaymentRequest(**values)
