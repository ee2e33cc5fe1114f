"""Memory: neither reader nor writer holds the file."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from seedtrust.formats.nacha import OutgoingEntry, read_entries, validate, write_file
from tests.formats.nacha.making import a_batch, a_file, with_remittance

SMALL, LARGE = 1_000, 10_000


class Nowhere(io.BytesIO):
    """A sink that keeps nothing."""

    def write(self, data: object, /) -> int:
        """Take the data and forget it."""
        del data
        return 0


def entries(count: int) -> Iterator[OutgoingEntry]:
    return (with_remittance(number) for number in range(1, count + 1))


def written(count: int) -> bytes:
    sink = io.BytesIO()
    write_file(a_file(a_batch(entries=entries(count), sec_code="CCD")), sink)
    return sink.getvalue()


def write(count: int) -> Callable[[], object]:
    return lambda: write_file(a_file(a_batch(entries=entries(count), sec_code="CCD")), Nowhere())


def check(count: int) -> Callable[[], object]:
    stream = io.BytesIO(written(count))
    return lambda: sum(1 for _ in validate(stream))


def read(count: int) -> Callable[[], object]:
    stream = io.BytesIO(written(count))
    return lambda: sum(entry.amount_cents for entry in read_entries(stream))


def read_leniently(count: int) -> Callable[[], object]:
    stream = io.BytesIO(written(count))
    return lambda: sum(entry.amount_cents for entry in read_entries(stream, lenient=True))


def peak_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("work", [write, check, read, read_leniently])
def test_ten_times_the_entries_take_no_more_memory(
    work: Callable[[int], Callable[[], object]],
) -> None:
    work(10)()
    small, large = peak_of(work(SMALL)), peak_of(work(LARGE))
    assert large < small + 1_000_000, (small, large)
    assert large < 8_000_000
