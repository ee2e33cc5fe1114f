"""What the sandbox bank asks of a NACHA file before it takes it in."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from seedtrust.core.bankdays import is_banking_day
from seedtrust.formats import nacha
from seedtrust.sandbox import accounts, books, clock
from seedtrust.sandbox.store import Connection

SEC_CODES: Final = frozenset({"PPD", "CCD", "CTX", "WEB", "TEL"})
SAME_DAY_LIMIT_CENTS: Final = 100_000_000
_ACCEPTED_KINDS: Final = frozenset({nacha.EntryKind.FORWARD, nacha.EntryKind.PRENOTE})


@dataclass(frozen=True, slots=True)
class BankFault:
    """One reason against a file; line and column are 0 where the file as a whole is meant."""

    line: int
    column: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The control totals of a file, as its sender confirms them."""

    batch_count: int
    entry_addenda_count: int
    entry_hash: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that has been read, with the faults of its form; only a faultless one is parsed."""

    name: str
    sha256: str
    origin: str
    created_on: str
    modifier: str
    totals: Totals
    batches: tuple[nacha.ParsedBatch, ...]
    faults: tuple[BankFault, ...]


def sha256_of(data: bytes) -> str:
    """Return the hash by which a file is known."""
    return hashlib.sha256(data).hexdigest()


def read(name: str, data: bytes) -> Candidate:
    """Read a file strictly; never raises, faults are in the result."""
    faults = tuple(
        BankFault(fault.line, fault.column, fault.field, fault.code, fault.message)
        for fault in nacha.validate(io.BytesIO(data))
        if not fault.is_warning
    )
    if faults:
        nothing = Totals(0, 0, 0, 0, 0)
        return Candidate(name, sha256_of(data), "", "", "", nothing, (), faults)
    parsed = nacha.read_file(io.BytesIO(data))
    header, control = parsed.header, parsed.control
    assert header is not None, "a valid file has a header"
    assert control is not None, "a valid file has a control record"
    totals = Totals(
        batch_count=control.batch_count or 0,
        entry_addenda_count=control.entry_addenda_count or 0,
        entry_hash=control.entry_hash or 0,
        debit_cents=control.debit_cents or 0,
        credit_cents=control.credit_cents or 0,
    )
    created_on = header.created_on
    return Candidate(
        name=name,
        sha256=sha256_of(data),
        origin=header.immediate_origin,
        created_on="" if created_on is None else created_on.isoformat(),
        modifier=header.file_id_modifier,
        totals=totals,
        batches=parsed.batches,
        faults=(),
    )


def whole_file(field: str, code: str, message: str) -> BankFault:
    """Return a fault of the file as a whole."""
    return BankFault(0, 0, field, code, message)


def faults_as_json(faults: tuple[BankFault, ...] | list[BankFault]) -> list[dict[str, object]]:
    """Return faults as replies, events and acknowledgements show them."""
    return [asdict(fault) for fault in faults]


def entry_faults(connection: Connection, candidate: Candidate) -> list[BankFault]:
    """Return what the bank's own rules have against the batches of a well-formed file."""
    today = clock.today(connection)
    faults: list[BankFault] = []
    for batch in candidate.batches:
        faults.extend(_batch_faults(connection, batch, today))
    return faults


def _batch_faults(connection: Connection, batch: nacha.ParsedBatch, today: date) -> list[BankFault]:
    header, line = batch.header, batch.header.line
    if header.sec_code not in SEC_CODES:
        message = f"The entry class {header.sec_code} is not enabled here."
        return [BankFault(line, 51, "sec_code", "sec-code-not-enabled", message)]
    faults: list[BankFault] = []
    account = accounts.by_company(connection, header.company_identification)
    if account is None:
        message = f"The company {header.company_identification} is not registered with the bank."
        faults.append(BankFault(line, 41, "company_identification", "company-unknown", message))
    elif account["routing_number"][:8] != header.odfi_identification:
        message = "The ODFI identification is not that of the company's account."
        faults.append(BankFault(line, 80, "odfi_identification", "odfi-unknown", message))
    faults.extend(date_faults(line, header.effective_on, today))
    own = None if account is None else account["id"]
    for entry in batch.entries:
        faults.extend(_one_entry(connection, entry, own))
    return faults


def date_faults(line: int, effective_on: date | None, today: date) -> list[BankFault]:
    """Return what is wrong with an effective date: past, or no banking day."""
    if effective_on is None or effective_on < today:
        message = f"The effective date is past; today is {today} at the bank."
        return [BankFault(line, 70, "effective_on", "effective-date-past", message)]
    if not is_banking_day(effective_on):
        message = f"{effective_on} is no banking day."
        return [BankFault(line, 70, "effective_on", "effective-date-closed", message)]
    return []


def _one_entry(
    connection: Connection, entry: nacha.ParsedEntry, own_account_id: str | None
) -> list[BankFault]:
    if entry.kind not in _ACCEPTED_KINDS:
        message = f"An entry of the kind {entry.kind} is for banks, not for their customers."
        return [BankFault(entry.line, 2, "transaction_code", "entry-kind", message)]
    receiver = accounts.by_number(connection, entry.routing_number, entry.account_number)
    if receiver is not None and receiver["id"] == own_account_id:
        message = "The file is balanced; the bank books the other side of each batch itself."
        return [BankFault(entry.line, 13, "account_number", "balanced-not-enabled", message)]
    if receiver is not None and entry.is_debit:
        message = "Debits of accounts at this bank are not taken from files."
        return [BankFault(entry.line, 13, "account_number", "on-us-debit", message)]
    return []


def duplicate_faults(connection: Connection, candidate: Candidate) -> list[BankFault]:
    """Return a fault if a file that was not rejected has the same content, name or number."""
    checks = (
        ("sha256", candidate.sha256, "duplicate-content", "The same content was received before"),
        ("name", candidate.name, "duplicate-name", "Another file came under this name"),
    )
    for field, value, code, message in checks:
        row = connection.execute(
            f"SELECT id FROM ach_file WHERE {field} = ?"  # noqa: S608 - one of the names above
            " AND status <> 'rejected'",
            (value,),
        ).fetchone()
        if row is not None:
            return [whole_file(field, code, f"{message}, as file {file_id_text(row['id'])}.")]
    row = connection.execute(
        "SELECT id FROM ach_file WHERE origin = ? AND created_on = ? AND modifier = ?"
        " AND status <> 'rejected'",
        (candidate.origin, candidate.created_on, candidate.modifier),
    ).fetchone()
    if row is not None:
        message = (
            "A file of the same origin, date and modifier was received, as file"
            f" {file_id_text(row['id'])}. Give the next modifier."
        )
        return [BankFault(1, 34, "file_id_modifier", "duplicate-file", message)]
    return []


def file_id_text(number: int) -> str:
    """Return a file's number as replies show it."""
    return f"FILE-{number:06d}"


def funds_faults(connection: Connection, needed: dict[str, int]) -> list[BankFault]:
    """Return a fault for each account that does not cover its part of a file, in cents."""
    faults: list[BankFault] = []
    for account_id, cents in needed.items():
        available = books.available_cents(connection, account_id)
        if cents > available:
            message = (
                f"The account {account_id} has {available} cents available, the file needs {cents}."
            )
            faults.append(whole_file("credit_cents", "insufficient-funds", message))
    return faults
