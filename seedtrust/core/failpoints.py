"""Named places at which a test may end or stop the process; everywhere else they do nothing.

Every call to the outside and every commit has such a place before it and behind it. A new place
gets its name here: a test proves that this list and the source agree, and the kill tests end a
process at each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# Every unit of work of every door and job, just before its commit and just after.
UNIT_POINTS: Final = frozenset({"unit.before_commit", "unit.after_commit"})
# A file on its way to the bank's folder, from its sealing to the record that the bank has it.
FILE_POINTS: Final = frozenset(
    {
        "file.sealed",
        "file.begun",
        "file.before_lookup",
        "file.looked_up",
        "file.before_part",
        "file.part_written",
        "file.before_rename",
        "file.totals_in_place",
        "file.in_place",
        "file.delivered",
        "file.recorded",
    }
)
# One payment through the bank's interface.
WIRE_POINTS: Final = frozenset(
    {
        "wire.begun",
        "wire.before_lookup",
        "wire.looked_up",
        "wire.before_call",
        "wire.after_call",
        "wire.answered",
        "wire.recorded",
    }
)
# What is read from the bank: by its interface, its events, and the files that it leaves for us.
BANK_POINTS: Final = frozenset(
    {
        "bank.before_call",
        "bank.after_call",
        "events.read",
        "events.applied",
        "inbound.before_list",
        "inbound.listed",
        "inbound.before_download",
        "inbound.downloaded",
    }
)
# What a bank with an interface of its own is asked.
CHANNEL_POINTS: Final = frozenset({"bank.before_call", "bank.after_call"})
PAYMENT_POINTS: Final = UNIT_POINTS | FILE_POINTS | WIRE_POINTS | BANK_POINTS
MAIL_POINTS: Final = frozenset({"mail.before_send", "mail.sent"})
STORAGE_POINTS: Final = frozenset(
    {
        "storage.before_write",
        "storage.written_aside",
        "storage.in_place",
        "storage.before_read",
        "storage.read",
    }
)
# A list of checks on its way to the bank's folder, where the same again replaces it.
CHECK_POINTS: Final = frozenset({"checks.before_part", "checks.in_place"})
# The lease of what a worker has in hand, renewed beside its work in a thread of its own.
LEASE_POINTS: Final = frozenset({"lease.before_renewal", "lease.renewed"})
# A file in the process that opens it, and at the virus scanner.
INTAKE_POINTS: Final = frozenset(
    {"cleaner.before_start", "cleaner.ended", "scanner.before_call", "scanner.answered"}
)
# A sample journey on its way, which a killed command takes up again.
PLAY_POINTS: Final = frozenset(
    {"play.morning", "play.requests", "play.clock", "play.collected", "play.locked"}
)
POINTS: Final = (
    PAYMENT_POINTS
    | CHANNEL_POINTS
    | CHECK_POINTS
    | MAIL_POINTS
    | STORAGE_POINTS
    | LEASE_POINTS
    | INTAKE_POINTS
    | PLAY_POINTS
)

_armed: dict[str, Callable[[], None]] = {}
_watching: list[Callable[[str], None]] = []


def reach(name: str) -> None:
    """Pass a place around a step that touches the world outside; only a test arms it."""
    for watch in _watching:
        watch(name)
    action = _armed.get(name)
    if action is not None:
        action()


@contextmanager
def armed(name: str, action: Callable[[], None]) -> Iterator[None]:
    """Run `action` whenever the place is reached, for the length of a test's block.

    Raises KeyError for a place that is not on the list, which would never be reached.
    """
    if name not in POINTS:
        raise KeyError(name)
    _armed[name] = action
    try:
        yield
    finally:
        del _armed[name]


@contextmanager
def watched(action: Callable[[str], None]) -> Iterator[None]:
    """Run `action` with the name of every place that is reached, for the length of a block."""
    _watching.append(action)
    try:
        yield
    finally:
        _watching.remove(action)
