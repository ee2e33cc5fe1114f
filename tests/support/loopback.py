"""Keeps the tests on this machine: a connection to anywhere else is refused before it is made."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Final

_LOCAL_NAMES: Final = frozenset({"", "localhost", socket.gethostname()})
_CONNECTS: Final = frozenset({"socket.connect", "socket.sendto"})
_LOOK_UPS: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})


class OutsideConnection(RuntimeError):
    """A test tried to reach another machine."""


def is_local(host: object) -> bool:
    """Tell whether a host, or the path of a Unix socket, is on this machine."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(text, str) or text in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    if event in _CONNECTS:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else None
    elif event in _LOOK_UPS:
        host = arguments[0]
    else:
        return
    if not is_local(host):
        message = f"a test may not reach {host!r}; serve it on 127.0.0.1"
        raise OutsideConnection(message)


def stay_on_this_machine() -> None:
    """Refuse every outside connection of this process, for good; an audit hook has no way back."""
    sys.addaudithook(_refuse_outside)
