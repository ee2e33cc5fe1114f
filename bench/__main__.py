"""Run every benchmark, print one table and write bench/results.json.

    python scripts/with_services.py -- python -m bench [--quick] [--only pages]
    python -m bench seed --entries 1000000 --url mysql+pymysql://user:password@host/database

Figures of a shared machine mean little, ratios to a floor of the same run mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from seedtrust import __version__
from seedtrust.core.clock import SystemClock

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "bench" / "results.json"
MARIADB: Final = "SEEDTRUST_TEST_MARIADB_URL"
REDIS: Final = "SEEDTRUST_TEST_REDIS_URL"
_CPU: Final = Path("/proc/cpuinfo")

Line = dict[str, object]
Bench = Callable[[bool], list[Line]]


def _ledger(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import ledger  # noqa: PLC0415 - each bench loads what it measures

    return ledger.run(quick, mariadb_url())


def _reads(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import reads  # noqa: PLC0415 - each bench loads what it measures

    return reads.run(quick, mariadb_url())


def _hot(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import hot  # noqa: PLC0415 - each bench loads what it measures

    return hot.run(quick)


def _pages(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import pages  # noqa: PLC0415 - each bench loads what it measures

    return pages.run(quick, mariadb_url())


def _peer(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import peer  # noqa: PLC0415 - each bench loads what it measures

    return peer.run(quick, mariadb_url())


def _hang(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import hang  # noqa: PLC0415 - each bench loads what it measures

    return hang.run(quick, mariadb_url(), os.environ[REDIS])


def _nacha(quick: bool) -> list[Line]:  # noqa: FBT001 - the benches' contract
    from bench import nacha  # noqa: PLC0415 - each bench loads what it measures

    return nacha.run(quick)


BENCHES: Final[dict[str, Bench]] = {
    "ledger": _ledger,
    "hot": _hot,
    "peer": _peer,
    "reads": _reads,
    "pages": _pages,
    "hang": _hang,
    "nacha": _nacha,
}


def mariadb_url() -> str:
    """Return the address of the private server, or end with what to do."""
    url = os.environ.get(MARIADB, "")
    if not url:
        sys.exit("The benchmarks need a private MariaDB. Run: make bench")
    return url


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    model = ""
    if _CPU.exists():
        names = [line for line in _CPU.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else ""
    return {
        "processor": model or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def commit() -> str:
    """Return the commit that was measured, with a mark if files had changed since."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return f"version {__version__}"
    return answer.stdout.strip()


def measure(names: Sequence[str], *, quick: bool) -> dict[str, object]:
    """Run the benchmarks and return everything that results.json holds."""
    begun = time.monotonic()
    lines: list[Line] = []
    for name in names:
        print(f"Measuring {name} ...", file=sys.stderr, flush=True)
        lines += [{"bench": name, **line} for line in BENCHES[name](quick)]
    return {
        "at": SystemClock().now().astimezone(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "quick": quick,
        "seconds": round(time.monotonic() - begun),
        "machine": machine(),
        "lines": lines,
    }


def show(results: dict[str, object]) -> None:
    """Print the table."""
    table = Table(title=f"SeedTrust at {results['commit']}", title_justify="left")
    table.add_column("What", overflow="fold", ratio=5)
    for title in ("Figure", "Floor", "Ratio", "Min to max"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Floor is", overflow="fold", ratio=3)
    lines = results["lines"]
    for line in lines if isinstance(lines, list) else ():
        table.add_row(
            str(line["name"]),
            f"{line['figure']:,} {line['unit']}",
            f"{line['floor']:,}",
            str(line["ratio_median"]),
            f"{line['ratio_min']} to {line['ratio_max']}",
            str(line["floor_name"]),
        )
    # Without a terminal nobody has said how wide the table may be.
    Console(width=None if sys.stdout.isatty() else 150).print(table)
    print(f"{results['machine']}")
    print(f"{results['seconds']} s; written to {RESULTS.relative_to(ROOT)}")


def _seed(parser: argparse.ArgumentParser, url: str, entries: int) -> int:
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - only seeding needs it
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the same

    from bench import seed  # noqa: PLC0415 - each bench loads what it measures

    if entries < 1:
        parser.error("--entries takes a whole number from 1 on")
    try:
        print(seed.report(make_url(url), entries))
    except SQLAlchemyError as error:
        parser.error(f"The database does not take it: {error}. Give --url mysql+pymysql://...")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under 3 minutes")
    parser.add_argument(
        "--only", action="append", choices=sorted(BENCHES), help="one of them; may be repeated"
    )
    commands = parser.add_subparsers(dest="command")
    seeding = commands.add_parser("seed", help="fill a database's books with a long history")
    seeding.add_argument("--entries", type=int, default=1_000_000, help="how many must stand there")
    seeding.add_argument(
        "--url", default=os.environ.get(MARIADB, ""), help="the database's address"
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "seed":
        return _seed(parser, chosen.url, chosen.entries)
    # Installing the peer takes longer than the quick benches together: it is asked for by name.
    usual = [name for name in BENCHES if not (chosen.quick and name == "peer")]
    results = measure(chosen.only or usual, quick=chosen.quick)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    show(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
