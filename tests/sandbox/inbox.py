"""An endpoint for webhooks on a real socket, which keeps what it gets and may fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.sandbox.support import Json


@dataclass
class Message:
    """A message as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Json:
        """Return what the body says."""
        told: Json = json.loads(self.body)
        return told

    def is_signed(self, secret: object) -> bool:
        """Check one of the signatures, as the standard says."""
        key = base64.b64decode(str(secret).removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        digest = hmac.new(key, signed + self.body, hashlib.sha256).digest()
        expected = "v1," + base64.b64encode(digest).decode()
        return expected in self.headers.get("webhook-signature", "").split(" ")


@dataclass
class Inbox:
    """An endpoint that keeps what it gets and answers what the test wants."""

    messages: list[Message] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    def take(self, message: Message) -> int:
        """Keep a message and return the status to answer with."""
        with self.came:
            self.messages.append(message)
            self.came.notify_all()
            return self.answers.pop(0) if self.answers else 204

    def wait_for(self, count: int) -> list[Message]:
        """Wait until that many messages have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.messages) >= count, 30), self.types
            return list(self.messages)

    @property
    def types(self) -> list[object]:
        """Return the types of the events that came, in order."""
        return [message.told["type"] for message in self.messages]

    @property
    def ids(self) -> list[object]:
        """Return the ids of the events that came, in order."""
        return [message.told["id"] for message in self.messages]


@contextmanager
def serving() -> Iterator[Inbox]:
    """Serve an endpoint on this machine."""
    found = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep the message and answer as the test wants."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.take(Message(headers, body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/webhooks/bank/main"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
