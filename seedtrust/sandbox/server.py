"""Runs the sandbox bank on a socket, with a watch on its drop folder."""

from __future__ import annotations

import logging
import signal
import sqlite3
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from seedtrust.core.clock import Clock
from seedtrust.sandbox.bank import Bank
from seedtrust.sandbox.courier import Courier
from seedtrust.sandbox.http import build_app
from seedtrust.sandbox.replies import EXTENSION
from seedtrust.sandbox.tokens import Keys

SCAN_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.05
LOOPBACK: Final = "127.0.0.1"
CLIENT_ID: Final = "seedtrust"

log = logging.getLogger(__name__)


class _QuietHandler(WSGIRequestHandler):
    """Handles requests without a line on the terminal for each."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def create_bank_app(
    data_dir: Path,
    api_key: str,
    *,
    client_id: str = CLIENT_ID,
    client_secret: str = "",
    real: Clock | None = None,
) -> Flask:
    """Open the bank in a folder and return its HTTP application, without a watch on the folder.

    An empty client secret means the key; ``real`` stands in for the machine's clock.
    """
    return build_app(Bank(data_dir, real=real), Keys(api_key, client_id, client_secret))


class RunningBank:
    """A bank that serves HTTP and watches its drop folder, in threads of this process."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        api_key: str,
        *,
        host: str = LOOPBACK,
        scan_seconds: float | None = SCAN_SECONDS,
        client_id: str = CLIENT_ID,
        client_secret: str = "",
        real: Clock | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Bind the port (0 for any free one); ``scan_seconds`` None leaves the folder alone.

        With ``tls`` the bank is called by https, and may demand a certificate of who calls.
        """
        app = create_bank_app(
            data_dir, api_key, client_id=client_id, client_secret=client_secret, real=real
        )
        bank = app.extensions[EXTENSION]
        assert isinstance(bank, Bank), "the application was made for a bank"
        self.bank = bank
        self._server = make_server(
            host, port, app, threaded=True, request_handler=_QuietHandler, ssl_context=tls
        )
        self.port = self._server.server_port
        self.url = f"{'http' if tls is None else 'https'}://{host}:{self.port}"
        self._ended = threading.Event()
        self._scan_seconds = scan_seconds
        self._threads = [
            threading.Thread(target=self._serve, name="bank-http"),
            threading.Thread(target=Courier(bank).run, name="bank-courier"),
        ]
        if scan_seconds is not None:
            self._threads.append(threading.Thread(target=self._watch, name="bank-watch"))

    def start(self) -> None:
        """Begin to serve and to watch."""
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def stop(self) -> None:
        """Finish what is running, close the socket and the database."""
        self._ended.set()
        self.bank.end()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self.bank.close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=POLL_SECONDS)

    def _watch(self) -> None:
        while not self._ended.wait(self._scan_seconds):
            try:
                self.bank.scan()
            except (OSError, sqlite3.Error):
                log.exception("sandbox_scan_failed")


def serve(
    data_dir: Path,
    port: int,
    api_key: str,
    *,
    host: str = LOOPBACK,
    client_id: str = CLIENT_ID,
    client_secret: str = "",
    announce: Callable[[str], None] = log.info,
) -> None:
    """Serve until SIGTERM or Ctrl-C; ``announce`` is told the address."""
    running = RunningBank(
        data_dir, port, api_key, host=host, client_id=client_id, client_secret=client_secret
    )
    ended = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
    running.start()
    announce(f"The sandbox bank serves {running.url}; no money there is real.")
    ended.wait()
    running.stop()
