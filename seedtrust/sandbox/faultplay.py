"""Plays faults on real connections: silence, resets, refusals and replies that are not right."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from flask import Flask, Response, g, request

from seedtrust.sandbox import faults
from seedtrust.sandbox.bank import Bank
from seedtrust.sandbox.faults import Fault
from seedtrust.sandbox.problems import BankProblem

UNKNOWN_STATUS: Final = "teleported"
_LOOK_SECONDS: Final = 0.02
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_STRUCK: Final = "struck_by"
_REFUSALS: Final = {
    "rate_limit": ("rate_limited", "There were too many requests. Try again later."),
    "error_500_before": ("internal_error", "The bank could not do this."),
    "error_503_before": ("unavailable", "The bank is closed for maintenance."),
    "expired_token": ("token_expired", "The token is over. Ask for a new one."),
}
_ASK_TO_WAIT: Final = frozenset({"rate_limited", "unavailable"})


def install(app: Flask, bank: Bank) -> None:
    """Have the application play faults; routes of the simulator itself are never struck."""
    app.before_request(_player_before(bank))
    app.after_request(_player_after(bank))


def _player_before(bank: Bank) -> Callable[[], Response | None]:
    def play() -> Response | None:
        fault = None if request.path.startswith("/sim/") else _strike(bank)
        if fault is None:
            return None
        if fault.effect in faults.AFTER:
            setattr(g, _STRUCK, fault)
            return None
        return _play_before(bank, fault)

    return play


def _strike(bank: Bank) -> Fault | None:
    body = request.get_json(silent=True) if request.is_json else None
    call = faults.call_of(request.method, request.path, request.args, body)
    if not bank.has_faults and faults.ending_of(call) is None:
        return None
    with bank.unit() as connection:
        return faults.strike(connection, call)


def _play_before(bank: Bank, fault: Fault) -> Response | None:
    """Play a fault of a call whose work has not begun; None lets the work begin after all."""
    if fault.effect == "reset_before_commit":
        return _reset()
    if fault.effect == "timeout_before_commit":
        _hold(bank.ended, fault.seconds)
        return _silence()
    if fault.effect == "hang":
        # The caller may be gone by then; what it asked for is done all the same.
        return _silence() if bank.ended.wait(fault.seconds) else None
    if fault.effect == "error_502_before":
        return _page(502, "Bad Gateway")
    code, message = _REFUSALS[fault.effect]
    if code in _ASK_TO_WAIT:
        raise BankProblem(code, message, retry_after_seconds=max(1, round(fault.seconds)))
    raise BankProblem(code, message)


def _player_after(bank: Bank) -> Callable[[Response], Response]:
    def play(response: Response) -> Response:
        fault = g.pop(_STRUCK, None)
        return response if fault is None else _play_after(bank, fault, response)

    return play


def _play_after(bank: Bank, fault: Fault, response: Response) -> Response:
    """Play a fault of a call whose work is done and committed."""
    if fault.effect == "reset_after_commit":
        return _reset()
    if fault.effect == "timeout_after_commit":
        _hold(bank.ended, fault.seconds)
        return _silence()
    if fault.effect == "error_500_after":
        return _page(500, "Internal Server Error")
    if fault.effect == "error_504_after":
        return _page(504, "Gateway Time-out")
    if fault.effect == "wrong_content_type":
        return _page(response.status_code, "Welcome to online banking")
    data = response.get_data()
    if fault.effect == "malformed_json":
        response.set_data(data[: len(data) * 2 // 3])
    elif fault.effect == "truncated_body":
        response.set_data(data[: len(data) // 2])
        response.headers["Content-Length"] = str(len(data))
    else:
        response.set_data(json.dumps(_distorted(json.loads(data), fault.effect)))
    return response


def _page(status: int, title: str) -> Response:
    """Return a page for people, as the machines in front of a bank send it."""
    return Response(f"<html><h1>{title}</h1></html>\n", status, content_type="text/html")


def _distorted(body: object, effect: str) -> object:
    """Return a reply with amounts that are a cent too high, or statuses that nobody knows."""
    if isinstance(body, list):
        return [_distorted(item, effect) for item in body]
    if not isinstance(body, dict):
        return body
    changed = {name: _distorted(value, effect) for name, value in body.items()}
    cents = changed.get("amount_cents")
    if effect == "wrong_amount" and isinstance(cents, int):
        changed["amount_cents"] = cents + 1
    if effect == "unknown_status" and isinstance(changed.get("status"), str):
        changed["status"] = UNKNOWN_STATUS
    return changed


def _connection() -> socket.socket | None:
    """Return the connection of this request; a test client without a server has none."""
    found = request.environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) else None


def _hold(ended: threading.Event, seconds: float) -> None:
    """Keep the caller waiting until it goes, the time is over, or the bank ends."""
    until = monotonic() + seconds
    connection = _connection()
    while monotonic() < until and not ended.wait(_LOOK_SECONDS):
        if connection is not None and _has_left(connection):
            return


def _has_left(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


class _Nothing:
    """A body that breaks off before its first byte, so that the server just hangs up."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        message = "The caller gets no reply."
        raise ConnectionAbortedError(message)


def _silence() -> Response:
    """Return a reply that never comes: the server closes the connection without a byte."""
    return Response(_Nothing())


def _reset() -> Response:
    """Reset the connection at once (TCP RST), and reply nothing."""
    connection = _connection()
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # The server holds on to the object, so that only closing its number closes the connection.
        os.close(connection.detach())
    return _silence()
