"""NACHA: how fast files are written, validated and read, and how much memory that takes.

Times are of the processor, so that other work on the machine weighs less. The floor is a bare
loop over the same bytes: it formats (or cuts up) every entry and adds up hash and amounts, and
checks nothing.
"""

from __future__ import annotations

import io
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Final

from seedtrust.formats.nacha import (
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingEntry,
    OutgoingFile,
    ServiceClass,
    check_digit,
    read_entries,
    validate,
    write_file,
)

ODFI: Final = "04400002"
PER_BATCH: Final = 100_000
AIM_MEGABYTES: Final = 64
# In this order, for the first writes what the others read.
WORKS: Final = ("write", "validate", "read", "nothing")
_FIRST_EIGHTS: Final = [f"{number:08d}" for number in range(1_000_000, 12_000_000, 30_011)]
_ROUTING: Final = [first + check_digit(first) for first in _FIRST_EIGHTS]

Line = dict[str, object]


def entries(count: int, *, with_addenda: bool, first: int = 1) -> Iterator[OutgoingEntry]:
    """Yield credits to a few hundred banks, with one remittance record each if wanted."""
    addenda = (OutgoingAddenda("RMR*IV*INV-2026-001**100.00\\"),) if with_addenda else ()
    for number in range(first, first + count):
        yield OutgoingEntry(
            transaction_code=22,
            routing_number=_ROUTING[number % len(_ROUTING)],
            account_number=f"{10_000_000 + number}",
            amount_cents=100 + number,
            identification=f"REF{number:012d}",
            name=f"RECEIVER {number}",
            trace_number=f"{ODFI}{number:07d}",
            addenda=addenda,
        )


def file_of(batches: Iterable[Iterable[OutgoingEntry]]) -> OutgoingFile:
    """Return a file of CCD batches."""
    return OutgoingFile(
        immediate_destination="044000024",
        immediate_origin="1234567890",
        created_at=datetime.fromisoformat("2026-11-23T09:30:00"),
        file_id_modifier="A",
        destination_name="HUNTINGTON",
        origin_name="SEEDTRUST",
        reference_code="",
        batches=(
            OutgoingBatch(
                service_class=ServiceClass.CREDITS,
                company_name="SEEDTRUST",
                company_discretionary_data="",
                company_identification="1234567890",
                sec_code="CCD",
                entry_description="VENDORPAY",
                descriptive_date="",
                effective_on=date(2026, 11, 24),
                odfi_identification=ODFI,
                batch_number=number,
                entries=batch,
            )
            for number, batch in enumerate(batches, 1)
        ),
    )


class Nowhere(io.BytesIO):
    """A sink that keeps nothing."""

    def write(self, data: object, /) -> int:
        """Take the data and forget it."""
        del data
        return 0


def in_batches(rows: list[OutgoingEntry]) -> list[list[OutgoingEntry]]:
    """Return the entries in batches that their control records can count."""
    return [rows[start : start + PER_BATCH] for start in range(0, len(rows), PER_BATCH)]


def write(batches: list[list[OutgoingEntry]]) -> int:
    """Write a file to nowhere."""
    return write_file(file_of(batches), Nowhere()).credit_cents


def write_floor(rows: list[OutgoingEntry]) -> int:
    """Format the same records without a single check."""
    sink = Nowhere()
    lines: list[str] = []
    total = entry_hash = 0
    for row in rows:
        total += row.amount_cents
        entry_hash += int(row.routing_number[:8])
        lines.append(
            f"622{row.routing_number}{row.account_number:<17}{row.amount_cents:010d}"
            f"{row.identification:<15}{row.name:<22}  {1 if row.addenda else 0}{row.trace_number}",
        )
        for sequence, addenda in enumerate(row.addenda, 1):
            text = getattr(addenda, "text", "")
            lines.append(f"705{text:<80}{sequence:04d}{row.trace_number[8:]}")
        if len(lines) > PER_BATCH // 50:
            sink.write("\n".join(lines).encode("ascii"))
            lines.clear()
    sink.write("\n".join(lines).encode("ascii"))
    return total


def check(data: bytes) -> int:
    """Validate a file."""
    return sum(1 for _ in validate(io.BytesIO(data)))


def read(data: bytes) -> int:
    """Read the entries of a file with full validation and look at each amount."""
    return sum(entry.amount_cents for entry in read_entries(io.BytesIO(data)))


def read_floor(data: bytes) -> int:
    """Cut the same records up and add up hash and amounts, without a single check."""
    stream = io.BytesIO(data)
    total = entry_hash = addenda = 0
    for line in stream:
        if line[:1] == b"6":
            entry_hash += int(line[3:11])
            total += int(line[29:39])
        else:
            addenda += line[:1] == b"7"
    return total


def seconds(work: Callable[[], int]) -> float:
    """Return the processor time of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compared(
    name: str,
    count: int,
    rounds: int,
    *,
    work: Callable[[], int],
    floor: Callable[[], int],
) -> Line:
    """Return one line: entries a second, beside those of the floor, round by round."""
    work()
    floor()
    pairs = [(seconds(work), seconds(floor)) for _ in range(rounds)]
    ratios = [slow / fast for fast, slow in pairs]
    return {
        "name": name,
        "figure": round(count / statistics.median(fast for fast, _ in pairs)),
        "unit": "entries/s",
        "floor_name": "bare loop over the same bytes",
        "floor": round(count / statistics.median(slow for _, slow in pairs)),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
        "note": "aim 100,000 on one core; processor time",
    }


def speed(count: int, rounds: int, *, with_addenda: bool) -> list[Line]:
    """Return the lines of one kind of file."""
    rows = list(entries(count, with_addenda=with_addenda))
    sink = io.BytesIO()
    batches = in_batches(rows)
    write_file(file_of(batches), sink)
    data = sink.getvalue()
    kind = "with one addenda each" if with_addenda else "without addenda"
    return [
        compared(
            f"NACHA write, {count:,} entries {kind}",
            count,
            rounds,
            work=lambda: write(batches),
            floor=lambda: write_floor(rows),
        ),
        compared(
            f"NACHA validate, {count:,} entries {kind}",
            count,
            rounds,
            work=lambda: check(data),
            floor=lambda: read_floor(data),
        ),
        compared(
            f"NACHA read with validation, {count:,} entries {kind}",
            count,
            rounds,
            work=lambda: read(data),
            floor=lambda: read_floor(data),
        ),
    ]


def stream_through(count: int, sink: BinaryIO) -> None:
    """Write a file of many batches whose entries are made as they are asked for."""
    batches = (
        entries(min(PER_BATCH, count + 1 - first), with_addenda=True, first=first)
        for first in range(1, count + 1, PER_BATCH)
    )
    write_file(file_of(batches), sink)


def memory_of(what: str, count: int, path: Path) -> float:
    """Return the most megabytes that a process of its own ever held while doing the work."""
    output = subprocess.run(
        [sys.executable, "-m", "bench.nacha", what, str(count), str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return round(float(output.stdout), 1)


def memory(count: int) -> list[Line]:
    """Return the lines about memory for one size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.ach"
        figures = {what: memory_of(what, count, path) for what in WORKS}
    floor = figures.pop("nothing")
    lines: list[Line] = []
    for what, figure in figures.items():
        ratio = round(figure / floor, 3)
        lines.append(
            {
                "name": f"NACHA {what}, peak memory, {count:,} entries with one addenda each",
                "figure": figure,
                "unit": "MB",
                "floor_name": "the interpreter with the same modules, idle",
                "floor": floor,
                "ratio_median": ratio,
                "ratio_min": ratio,
                "ratio_max": ratio,
                "note": f"aim under {AIM_MEGABYTES}, flat with the size of the file",
            },
        )
    return lines


def run(quick: bool) -> list[Line]:  # noqa: FBT001 - the runner's contract with every benchmark
    """Return the lines of the NACHA benchmark; the quick one leaves the million out."""
    rounds = 3 if quick else 7
    lines = speed(100_000, rounds, with_addenda=False)
    lines += speed(100_000, rounds, with_addenda=True)
    lines += memory(100_000)
    if not quick:
        lines += speed(1_000_000, 2, with_addenda=False)
        lines += memory(1_000_000)
    return lines


def peak_megabytes() -> float:
    """Return the most memory that this process ever held since it began to run Python.

    The kernel's count for `getrusage` starts with what the parent held, so it will not do.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def main(what: str, count: int, path: Path) -> None:
    """Do one piece of work in this process and print the most megabytes it ever held."""
    if what == "write":
        with path.open("wb") as sink:
            stream_through(count, sink)
    elif what == "validate":
        with path.open("rb") as stream:
            sum(1 for _ in validate(stream))
    elif what == "read":
        with path.open("rb") as stream:
            sum(entry.amount_cents for entry in read_entries(stream))
    print(peak_megabytes())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
