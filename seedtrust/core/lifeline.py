"""A pipe that ends with the parent: a child of the supervisor never outlives it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

VARIABLE: Final = "LIFELINE_FD"
_GRACE_SECONDS: Final = 5.0


def hold() -> bool:
    """End this process, and what it started, once the parent is gone; False without a parent.

    The parent keeps the writing end and never writes. However it dies, the reading end closes.
    """
    number = os.environ.pop(VARIABLE, "")
    if not number.isdigit():
        return False
    threading.Thread(target=_watch, args=(int(number),), name="lifeline", daemon=True).start()
    return True


def _watch(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_GRACE_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
