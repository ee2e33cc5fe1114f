"""Command line for NACHA files: validate, show, generate."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

import click

from seedtrust.core.clock import NEW_YORK, SystemClock
from seedtrust.core.money import format_dollars
from seedtrust.formats.nacha.display import fault_as_json, file_as_json, lines_of
from seedtrust.formats.nacha.faults import Fault, WriteError
from seedtrust.formats.nacha.reader import read_events, read_file, validate
from seedtrust.formats.nacha.tables import TableError, read_outgoing
from seedtrust.formats.nacha.writer import write_file

if TYPE_CHECKING:
    from seedtrust.formats.nacha.outgoing import ControlTotals, OutgoingFile

_FAULTY: Final = 1
_UNOPENED: Final = 2
_PATH: Final = click.Path(path_type=Path, allow_dash=True)


_GENERATE: Final = """Write a file of one batch from a table and a page.

The table has a heading with these columns, in any order:

\b
  name              receiver, cut to 22 characters
  routing_number    nine digits
  account_number    at most 17 characters
  amount            dollars and cents, such as 1,234.50; 0 for a prenote
  account_type      checking (if left out) or savings
  direction         credit (if left out) or debit
  transaction_code  instead of the two above, such as 23 for a prenote
  identification    your reference, at most 15 characters (may be left out)
  discretionary     two characters; R, S or ST for WEB and TEL (may be left out)
  addenda           remittance text, at most 80 characters (may be left out)

The page looks like this; what is marked may be left out:

\b
  [file]
  immediate_destination = "044000024"
  immediate_origin = "1234567890"     # ten characters, as the bank assigned
  destination_name = "HUNTINGTON"
  origin_name = "YOUR COMPANY"
  reference_code = ""                 # optional
  file_id_modifier = "A"              # optional
  created_at = 2026-11-23T09:30:00    # optional, local time; now
  [company]
  name = "YOUR COMPANY"
  identification = "1234567890"
  discretionary_data = ""             # optional
  [batch]
  sec_code = "PPD"                    # or CCD, CTX, WEB, TEL
  entry_description = "PAYROLL"
  odfi_identification = "04400002"
  descriptive_date = ""               # optional
  effective_on = 2026-11-24           # optional; the next banking day
  batch_number = 1                    # optional
  first_sequence = 1                  # optional, of the trace numbers
  [offset]                            # optional: makes a balanced file
  routing_number = "044000024"
  account_number = "0123456789"
  account_type = "checking"           # optional
  name = "OFFSET"                     # optional

Prints the control totals, which the bank asks for. Exits with 1 and says why if the input
is refused, with 2 if a file cannot be opened; then nothing is written.
"""


@click.group()
def nacha() -> None:
    """Validate, show and write NACHA (ACH) files."""


def _open(path: Path) -> BinaryIO:
    """Open a file, or standard input for a dash."""
    return sys.stdin.buffer if str(path) == "-" else path.open("rb")


def _leave(code: int, message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _reason(path: Path, error: OSError) -> str:
    return f"{path}: {error.strerror or error}"


@nacha.command("validate")
@click.argument("files", metavar="FILE...", type=_PATH, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print each fault as a line of JSON.")
@click.option(
    "--lenient", is_flag=True, help="Count slips of form that can be repaired as warnings."
)
def validate_files(files: tuple[Path, ...], *, as_json: bool, lenient: bool) -> None:
    """Check files against every rule of the standard.

    Prints one line for each fault: file, line, column, code, field and what is wrong. Exits with
    0 if all files are valid (warnings are printed and do not count), with 1 if one is not, and
    with 2 if a file cannot be opened. A dash reads standard input.
    """
    worst = 0
    for path in files:
        try:
            with _open(path) as stream:
                faults = validate(stream, lenient=lenient)
                is_valid = _print_faults(path, faults, as_json=as_json)
        except OSError as error:
            click.echo(_reason(path, error), err=True)
            worst = _UNOPENED
            continue
        if not is_valid:
            worst = max(worst, _FAULTY)
        elif not as_json:
            click.echo(f"{path}: valid")
    sys.exit(worst)


def _print_faults(path: Path, faults: Iterable[Fault], *, as_json: bool) -> bool:
    """Print faults as they come; tell whether all of them were warnings."""
    is_valid = True
    for fault in faults:
        is_valid = is_valid and fault.is_warning
        if as_json:
            click.echo(json.dumps({"file": str(path)} | fault_as_json(fault)))
        else:
            click.echo(f"{path}:{fault}")
    return is_valid


@nacha.command("show")
@click.argument("path", metavar="FILE", type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the parsed file as JSON.")
def show(path: Path, *, as_json: bool) -> None:
    """Show a file as a table, whatever its state.

    Account numbers are cut to their last four characters. Faults go to standard error. Exits
    with 1 if the file has faults that the lenient reader does not forgive, with 2 if it cannot
    be opened.
    """
    try:
        with _open(path) as stream:
            is_valid = _show_json(stream) if as_json else _show_table(path, stream)
    except OSError as error:
        _leave(_UNOPENED, _reason(path, error))
    sys.exit(0 if is_valid else _FAULTY)


def _show_json(stream: BinaryIO) -> bool:
    file = read_file(stream, lenient=True)
    click.echo(json.dumps(file_as_json(file), indent=2))
    return file.is_valid


def _show_table(path: Path, stream: BinaryIO) -> bool:
    is_valid = True
    for event in read_events(stream, lenient=True):
        if isinstance(event, Fault):
            is_valid = is_valid and event.is_warning
            click.echo(f"{path}:{event}", err=True)
        for line in lines_of(event):
            click.echo(line)
    return is_valid


@nacha.command("generate", help=_GENERATE)
@click.option("--input", "entries", required=True, type=_PATH, help="The entries, a CSV table.")
@click.option("--company", required=True, type=_PATH, help="The company and bank, a TOML page.")
@click.option("--output", required=True, type=_PATH, help="The file to write.")
@click.option("--crlf", is_flag=True, help="End records with CR LF instead of LF.")
def generate(entries: Path, company: Path, output: Path, *, crlf: bool) -> None:
    """Write a file of one batch from a table of entries and a page about the company."""
    file = _outgoing(entries, company)
    try:
        totals = _write(file, output, b"\r\n" if crlf else b"\n")
    except WriteError as error:
        _leave(_FAULTY, f"{entries}: {error}")
    except OSError as error:
        _leave(_UNOPENED, _reason(output, error))
    click.echo(
        f"Wrote {output}: entries and addenda {totals.entry_addenda_count}, "
        f"blocks {totals.block_count}, debits {format_dollars(totals.debit_cents)}, "
        f"credits {format_dollars(totals.credit_cents)}, entry hash {totals.entry_hash:010d}.",
    )


def _outgoing(entries: Path, company: Path) -> OutgoingFile:
    """Read the table and the page; leave with a sentence if they cannot be used."""
    path = company
    try:
        with _open(company) as stream:
            page = tomllib.load(stream)
        path = entries
        with _open(entries) as stream:
            text = stream.read().decode("utf-8-sig")
        local_now = SystemClock().now().astimezone(NEW_YORK).replace(tzinfo=None)
        return read_outgoing(text.splitlines(keepends=True), page, local_now)
    except OSError as error:
        _leave(_UNOPENED, _reason(path, error))
    except UnicodeDecodeError:
        _leave(_FAULTY, f"{path}: The text is not UTF-8.")
    except (tomllib.TOMLDecodeError, TableError) as error:
        _leave(_FAULTY, f"{path}: {error}")


def _write(file: OutgoingFile, output: Path, line_end: bytes) -> ControlTotals:
    """Write beside the output and move into its place, so that no half file is ever there."""
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    half = Path(name)
    try:
        with os.fdopen(handle, "wb") as sink:
            totals = write_file(file, sink, line_end=line_end)
        half.replace(output)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    return totals
