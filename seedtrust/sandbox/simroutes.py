"""Routes that only a simulator has: they play the world around the bank."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from flask import Blueprint, Response, request

from seedtrust.sandbox import (
    accounts,
    achentries,
    books,
    checks,
    corrections,
    faults,
    issuedchecks,
    madeproof,
    payments,
    receivers,
    returns,
    settings,
    wires,
)
from seedtrust.sandbox.bank import clock_as_json
from seedtrust.sandbox.problems import ACCOUNT_NUMBER, BankProblem, Values
from seedtrust.sandbox.receivers import Change
from seedtrust.sandbox.replies import json_body, reply, the_bank

_TRACE_NUMBER: Final = re.compile(r"[0-9]{15}")
_RETURN_CODE: Final = re.compile(r"R[0-9]{2}")
_CHANGE_CODE: Final = re.compile(r"C[0-9]{2}")
_LAST_CHECK: Final = 9_999_999_999
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")

simulator = Blueprint("simulator", __name__, url_prefix="/sim")


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise BankProblem("malformed", "The Idempotency-Key has at most 200 visible characters.")
    return key


@simulator.get("/clock")
def show_clock() -> Response:
    """Show the bank's time."""
    with the_bank().unit() as connection:
        return reply(clock_as_json(connection))


@simulator.put("/clock")
def move_clock() -> Response:
    """Move the bank's time forward, through all that is due."""
    values = Values(json_body())
    target = values.instant("now")
    values.done()
    bank = the_bank()
    steps = bank.move_clock(target)
    with bank.unit() as connection:
        return reply(clock_as_json(connection) | {"steps": steps})


@simulator.post("/scan")
def scan() -> Response:
    """Look into the drop folder now."""
    result = the_bank().scan()
    return reply({"files": result.files, "totals": result.totals})


@simulator.get("/settings")
def show_settings() -> Response:
    """Show the switches."""
    with the_bank().unit() as connection:
        return reply(settings.as_json(connection))


@simulator.put("/settings")
def change_settings() -> Response:
    """Turn the switches that the body names."""
    body = json_body()
    with the_bank().unit() as connection:
        settings.change(connection, body)
        return reply(settings.as_json(connection))


@simulator.post("/accounts")
def open_account() -> Response:
    """Open an account; the same body again changes nothing."""
    new = accounts.parse(json_body())
    with the_bank().unit() as connection:
        row, is_new = accounts.open_account(connection, new)
        body = accounts.as_json(connection, row)
    return reply(body, 201 if is_new else 200, is_replay=not is_new)


@simulator.post("/inbound/wire")
def receive_wire() -> Response:
    """Have somebody send a wire to an account; an Idempotency-Key makes it safe to repeat."""
    key = _idempotency_key()
    wanted = wires.parse_inbound(json_body())
    with the_bank().unit() as connection:
        row, is_replay = wires.receive(connection, wanted, key)
        body = wires.inbound_as_json(connection, row)
    status = 202 if row["status"] == "queued" else 201
    return reply(body, 200 if is_replay else status, is_replay=is_replay)


@simulator.post("/inbound/check-deposit")
def deposit_check() -> Response:
    """Have a check deposited to an account; an Idempotency-Key makes it safe to repeat."""
    key = _idempotency_key()
    wanted = wires.parse_inbound(json_body())
    with the_bank().unit() as connection:
        row, is_replay = checks.deposit(connection, wanted, key)
        body = checks.as_json(connection, row)
    status = 202 if row["status"] == "queued" else 201
    return reply(body, 200 if is_replay else status, is_replay=is_replay)


@simulator.post("/deposits/<deposit_id>/return")
def return_deposit(deposit_id: str) -> Response:
    """Have a deposited check bounce on the next banking day; ordering it again changes nothing."""
    values = Values(json_body())
    reason = values.text("reason", longest=60)
    values.done()
    with the_bank().unit() as connection:
        row, is_replay = checks.order_return(connection, deposit_id, reason)
        body = checks.as_json(connection, row)
    return reply(body, 200 if is_replay else 202, is_replay=is_replay)


@simulator.post("/checks/hold")
def hold_check() -> Response:
    """Have the payee of a check that a customer drew keep it in a drawer."""
    account_id, number = _check_of(json_body())
    with the_bank().unit() as connection:
        return reply(issuedchecks.as_json(issuedchecks.hold(connection, account_id, number)))


@simulator.post("/checks/present")
def present_check() -> Response:
    """Have the payee of a check that a customer drew present it now."""
    account_id, number = _check_of(json_body())
    with the_bank().unit() as connection:
        return reply(issuedchecks.as_json(issuedchecks.present(connection, account_id, number)))


def _check_of(body: object) -> tuple[str, int]:
    values = Values(body)
    account_id = values.text("account_id", longest=60)
    number = values.number("number", highest=_LAST_CHECK, default=None, lowest=1)
    values.done()
    return account_id, number


@simulator.post("/counterparties/close")
def close_counterparty() -> Response:
    """Close an account at another bank; entries that settle from that day on come back R02."""
    values = Values(json_body())
    routing_number = values.routing_number("routing_number")
    account_number = values.text("account_number", longest=17, pattern=ACCOUNT_NUMBER)
    closed_on = values.day("on")
    values.done()
    with the_bank().unit() as connection:
        receivers.close(connection, routing_number, account_number, closed_on)
    return reply(
        {
            "routing_number": routing_number,
            "account_number_last4": account_number[-4:],
            "on": closed_on.isoformat(),
        }
    )


@simulator.post("/entries/return")
def return_entry() -> Response:
    """Have an entry come back with a return code, in the time that the rules give."""
    values = Values(json_body())
    trace_number = values.text("trace_number", longest=15, pattern=_TRACE_NUMBER)
    code, wanted_on = _return_wish(values)
    with the_bank().unit() as connection:
        returns.require_code(code)
        entry = achentries.require_trace(connection, trace_number)
        return reply(returns.order(connection, entry, code, wanted_on), 202)


@simulator.post("/entries/noc")
def correct_entry() -> Response:
    """Have a notification of change come for an entry."""
    values = Values(json_body())
    trace_number = values.text("trace_number", longest=15, pattern=_TRACE_NUMBER)
    wanted = _change_wish(values)
    with the_bank().unit() as connection:
        corrections.require_code(wanted.code)
        entry = achentries.require_trace(connection, trace_number)
        return reply(corrections.order(connection, entry, wanted), 202)


@simulator.post("/payments/<payment_id>/return")
def return_payment(payment_id: str) -> Response:
    """Have a payment come back with a return code."""
    code, wanted_on = _return_wish(Values(json_body()))
    with the_bank().unit() as connection:
        return reply(payments.order_return(connection, payment_id, code, wanted_on), 202)


@simulator.post("/payments/<payment_id>/noc")
def correct_payment(payment_id: str) -> Response:
    """Have a notification of change come for a payment."""
    wanted = _change_wish(Values(json_body()))
    with the_bank().unit() as connection:
        return reply(payments.order_change(connection, payment_id, wanted), 202)


def _return_wish(values: Values) -> tuple[str, date | None]:
    code = values.text("code", longest=3, pattern=_RETURN_CODE)
    wanted_on = values.day("on") if values.has("on") else None
    values.done()
    return code, wanted_on


def _change_wish(values: Values) -> Change:
    code = values.text("code", longest=3, pattern=_CHANGE_CODE)
    data = values.text("data", longest=29, pattern=corrections.CORRECTED_DATA)
    values.done()
    return Change(code, data)


@simulator.post("/payments/<payment_id>/reject")
def reject_payment(payment_id: str) -> Response:
    """Have the bank refuse a payment that it has not sent."""
    values = Values(json_body())
    reason = values.text("reason", longest=140)
    values.done()
    with the_bank().unit() as connection:
        return reply(payments.reject(connection, payment_id, reason))


@simulator.post("/payments/<payment_id>/hold")
def hold_payment(payment_id: str) -> Response:
    """Have the bank look at a payment before it sends it."""
    with the_bank().unit() as connection:
        return reply(payments.hold(connection, payment_id))


@simulator.post("/payments/<payment_id>/release")
def release_payment(payment_id: str) -> Response:
    """Let a payment go on after a review."""
    with the_bank().unit() as connection:
        return reply(payments.release(connection, payment_id))


@simulator.post("/faults")
def add_fault() -> Response:
    """Order a fault: which call, from the nth on, how often, and what goes wrong."""
    body = json_body()
    bank = the_bank()
    with bank.unit() as connection:
        fault = faults.add(connection, body)
        bank.has_faults = True
    return reply(fault, 201)


@simulator.get("/faults")
def list_faults() -> Response:
    """List the faults that were ordered, with how often each has struck."""
    with the_bank().unit() as connection:
        return reply({"data": faults.everyone(connection)})


@simulator.delete("/faults")
@simulator.delete("/faults/<int:fault_id>")
def remove_faults(fault_id: int | None = None) -> Response:
    """Remove a fault, or all of them."""
    bank = the_bank()
    with bank.unit() as connection:
        faults.remove(connection, fault_id)
        bank.has_faults = faults.are_ordered(connection)
        return reply({"data": faults.everyone(connection)})


@simulator.get("/ledger")
def show_ledger() -> Response:
    """Show the trial balance, how often each payment was made, and the proof of all of it."""
    with the_bank().unit() as connection:
        shown, made = books.proof(connection), madeproof.proof(connection)
    is_proved = bool(shown["is_proved"]) and not made["wrong_payments"]
    return reply(shown | made | {"is_proved": is_proved})
