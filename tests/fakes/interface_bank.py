"""A small bank on a real socket that speaks in the words of any profile, and breaks on command."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import Profile

CLIENT = Client("seedtrust", "a-secret-of-the-bank")
HARD_END = b"\x01\x00\x00\x00\x00\x00\x00\x00"

Answer = tuple[int, Any]
# Takes the path of a call; returns what to answer instead of the truth, or None for the truth.
Script = Callable[[str], "Fault | None"]


@dataclass
class Fault:
    """What happens to one call; `after` lets the bank do its work first."""

    answer: Answer | None = None
    hangs: bool = False
    resets: bool = False
    truncates: bool = False
    after: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class InterfaceBank:
    """Its state: tokens, payments by reference, events, and the faults that wait."""

    profile: Profile
    tokens: list[str] = field(default_factory=list)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    word: str = ""
    release: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def fault(self, path: str, fault: Fault, times: int = 1) -> None:
        """Let the next calls to a path fail."""
        self.faults.setdefault(path, []).extend([fault] * times)

    def expire_tokens(self) -> None:
        """Forget every token that was given out."""
        self.tokens = [f"expired-{token}" for token in self.tokens]

    def tell(self, reference: str, kind: str) -> None:
        """Write an event about a payment into the log."""
        part = self.profile.events
        event: dict[str, Any] = {}
        put(event, part.id, str(len(self.events) + 1))
        put(event, part.kind, kind)
        put(event, part.business_on, "2026-01-05")
        put(event, part.data, self.payments.get(reference, {}))
        self.events.append(event)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        """Do what a bank does."""
        paths = self.profile.paths
        if path == paths.health:
            return 200, {"status": "ok"}
        if path == paths.balance.format(account="trust"):
            return 200, self._balance()
        if path == paths.payments and method == "POST":
            return self._create(json.loads(body))
        if path == paths.payments:
            return self._find(query[self.profile.lookup.query])
        if path == paths.events:
            return self._events(query)
        found = [
            row
            for row in self.payments.values()
            if path == paths.payment.format(id=at(row, self.profile.payment.id))
        ]
        return (200, found[0]) if found else (404, self._refusal("not_found"))

    def _create(self, body: dict[str, Any]) -> Answer:
        create, payment = self.profile.create, self.profile.payment
        reference = str(at(body, create.client_reference))
        self.bodies.append(body)
        if reference in self.payments:
            return 200, self.payments[reference]
        row: dict[str, Any] = {}
        put(row, payment.id, f"PMT-{len(self.payments) + 1}")
        put(row, payment.client_reference, reference)
        put(row, payment.amount, at(body, create.amount))
        put(row, payment.status, self.word or word_for(self.profile, "accepted"))
        if payment.rail:
            put(row, payment.rail, at(body, create.rail))
        self.payments[reference] = row
        self.tell(reference, next(iter(self.profile.events.kinds)))
        return 201, row

    def _find(self, reference: str) -> Answer:
        found: dict[str, Any] = {}
        known = self.payments.get(reference)
        put(found, self.profile.lookup.rows, [] if known is None else [known])
        return 200, found

    def _events(self, query: dict[str, str]) -> Answer:
        part = self.profile.events
        after, limit = int(query[part.after]), int(query[part.limit])
        page = self.events[after : after + limit]
        found: dict[str, Any] = {}
        put(found, part.rows, page)
        put(found, part.next_cursor, str(after + len(page)))
        put(found, part.has_more, after + len(page) < len(self.events))
        return 200, found

    def _balance(self) -> dict[str, Any]:
        part, found = self.profile.balance, dict[str, Any]()
        amount: int | str = 100 if self.profile.amounts == "cents" else "1.00"
        put(found, part.ledger, amount)
        put(found, part.available, amount)
        put(found, part.as_of, "2026-01-05")
        return found

    def _refusal(self, code: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        put(found, self.profile.refusal.code, code)
        put(found, self.profile.refusal.detail, "No.")
        return found


@contextmanager
def running(profile: Profile) -> Iterator[InterfaceBank]:
    """Run such a bank for the length of a block."""
    bank = InterfaceBank(profile)

    class Handler(_Door):
        """This bank's door."""

        state = bank

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    bank.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bank
    finally:
        bank.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def at(body: Any, place: str) -> Any:
    """Return what stands at a dotted place."""
    for name in place.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def put(body: dict[str, Any], place: str, value: Any) -> None:
    """Write something at a dotted place."""
    *outer, last = place.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def word_for(profile: Profile, status: str) -> str:
    """Return a bank's word for a status of ours."""
    return next(word for word, ours in profile.words.statuses.items() if ours == status)


class _Door(BaseHTTPRequestHandler):
    state: InterfaceBank

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        state = self.state
        state.calls.append(f"{self.command} {url.path}")
        waiting = state.faults.get(url.path, [])
        fault = waiting.pop(0) if waiting else None
        if fault is not None and not fault.after:
            self._break(fault)
            return
        if url.path == state.profile.token.path:
            self._reply(*self._token(body.decode()))
            return
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in state.tokens:
            self._reply(401, {"code": "token_expired"})
            return
        truth = state.answer(self.command, url.path, query, body)
        if fault is not None:
            self._break(fault)
            return
        self._reply(*truth)

    do_GET = do_POST = _serve  # noqa: N815 - the names that the server looks for

    def _token(self, form: str) -> Answer:
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        if self.state.profile.token.credentials == "basic":
            given = self.headers.get("Authorization", "")
            wanted = base64.b64encode(f"{CLIENT.id}:{CLIENT.secret}".encode()).decode()
            knows_us = given == f"Basic {wanted}"
        else:
            given_pair = (fields.get("client_id"), fields.get("client_secret"))
            knows_us = given_pair == (CLIENT.id, CLIENT.secret)
        if not knows_us:
            return 401, {"error": "invalid_client"}
        token = f"token-{len(self.state.calls)}"
        self.state.tokens.append(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 600}

    def _break(self, fault: Fault) -> None:
        if fault.hangs:
            self.state.release.wait(20)
        if fault.hangs or fault.resets:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD_END)
            self.close_connection = True
            self.connection.close()
            return
        status, body = fault.answer or (200, {})
        self._reply(status, body, truncates=fault.truncates, headers=fault.headers)

    def _reply(
        self,
        status: int,
        body: Any,
        *,
        truncates: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) + (10 if truncates else 0)))
        self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
