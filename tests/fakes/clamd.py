"""A virus scanner that knows one harmless file, on a real socket, as clamd speaks."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The harmless file that every scanner reports, put together so that none reports this one.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + b"$H+H*"
MOST_BYTES = 300_000


class Daemon(socketserver.BaseRequestHandler):
    """Speaks clamd's side of INSTREAM: chunks with their length, a last one of none, one line."""

    def handle(self) -> None:
        """Take one stream and say what is in it."""
        line: socket.socket = self.request
        command = line.recv(10)
        mood = getattr(self.server, "mood", "")
        if mood == "silent":
            self.server.stop.wait()  # type: ignore[attr-defined]
            return
        if mood == "strange":
            line.sendall(b"INSTREAM temporary failure. ERROR\0")
            return
        if mood == "hangs up" or command != b"zINSTREAM\0":
            return
        held = self._stream(line)
        if held is None:
            line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
        elif EICAR in held:
            line.sendall(b"stream: Eicar-Test-Signature FOUND\0")
        else:
            line.sendall(b"stream: OK\0")

    def _stream(self, line: socket.socket) -> bytes | None:
        held = b""
        while size := struct.unpack("!L", self._exactly(line, 4))[0]:
            held += self._exactly(line, size)
            if len(held) > MOST_BYTES:
                return None
        return held

    def _exactly(self, line: socket.socket, size: int) -> bytes:
        got = b""
        while len(got) < size:
            part = line.recv(size - len(got))
            if not part:
                return got.ljust(size, b"\0")
            got += part
        return got


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def daemon(mood: str = "", path: Path | None = None) -> Iterator[str]:
    """Run the daemon and give its address."""
    server = _Tcp(("127.0.0.1", 0), Daemon) if path is None else _Unix(str(path), Daemon)
    server.mood = mood  # type: ignore[union-attr]
    server.stop = threading.Event()  # type: ignore[union-attr]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        where = server.server_address
        yield f"unix://{path}" if path is not None else f"tcp://127.0.0.1:{where[1]}"  # type: ignore[index]
    finally:
        server.stop.set()  # type: ignore[union-attr]
        server.shutdown()
        server.server_close()
        thread.join()
