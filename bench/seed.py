"""Fill the books of a database with a long history, so that reads can be measured beside it.

    python -m bench seed --entries 1000000 --url mysql+pymysql://...

Half of all entries stand on the bank's account, dates lie over two years and three in a hundred
are back-dated. The rows are those that posting would have written, loaded in ready files; the
books are proved by `seedtrust ledger check` afterwards. Seeding again adds to what is there.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from bench.ledger import (
    DAY,
    Fixture,
    connect,
    escaped,
    load_data,
    prepare,
)
from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from seedtrust.core.ids import new_id
from seedtrust.domain.ledger import chart, daily, statements
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.fingerprints import digest_key, digest_request, posting_request
from seedtrust.domain.ledger.models import LedgerAccount
from seedtrust.domain.ledger.posting import Posting, TxnKind, credit, debit

CHUNK: Final = 50_000
FIRST_DAY: Final = date(2024, 2, 1)
DAYS: Final = (DAY - FIRST_DAY).days
BACK_DATED: Final = 0.03
_ACCOUNTS: Final = 10_000

# An account and the sign of its side.
_Leg = tuple[int, int]


@dataclass
class _Running:
    """The counters of an account while rows are worked out."""

    dr_posted: int
    cr_posted: int
    seq: int


@dataclass
class _Files:
    """One part of the history, as files for LOAD DATA."""

    headers: list[bytes] = field(default_factory=list)
    entries: list[tuple[int, ...]] = field(default_factory=list)
    days: list[str] = field(default_factory=list)


def seed(url: URL, entries: int, *, accounts: int = _ACCOUNTS) -> Fixture:
    """Bring a database to at least so many entries and return its accounts.

    An empty database is migrated and opened with `accounts` funded cases first.
    """
    fixture = _books(url, accounts)
    connection = connect(url)
    missing = entries - _count(connection)
    chance = random.Random(entries)  # noqa: S311 - no secret, the same history in every run
    with tempfile.TemporaryDirectory() as folder:
        running = _balances(connection)
        transfers = max(0, -(-missing // 2))
        for start in range(0, transfers, CHUNK):
            part = range(start, min(start + CHUNK, transfers))
            _load(connection, Path(folder), _write(fixture, running, part, transfers, chance))
            _store(connection, running)
            connection.commit()
    with connection.cursor() as cursor:
        # Statistics of the small table would mislead the optimiser.
        cursor.execute("ANALYZE TABLE ledger_entry, ledger_txn, ledger_balance, ledger_account")
        cursor.fetchall()
    connection.close()
    roll_up(url)
    return fixture


def roll_up(url: URL) -> None:
    """Bring the daily sums of busy accounts up to date, as the nightly job does."""
    engine = make_engine(url)
    moved = 1
    while moved:
        with Session(engine) as session, session.begin():
            moved = daily.roll_up(session)
    engine.dispose()


def _books(url: URL, accounts: int) -> Fixture:
    migrations.upgrade(url)
    engine = make_engine(url)
    with Session(engine) as session, session.begin():
        cases = list(
            session.execute(
                select(LedgerAccount.id).where(LedgerAccount.kind == AccountKind.CASE.value)
            ).scalars()
        )
        if cases:
            bank = session.execute(
                select(LedgerAccount).where(LedgerAccount.kind == AccountKind.BANK_CASH.value)
            ).scalar_one()
            transit = chart.account_id(session, "trust", chart.in_transit_code("ach", "out"))
            return Fixture(bank.book_id, bank.id, transit, cases)
    engine.dispose()
    return prepare(url, accounts)


def _count(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT SUM(seq) FROM ledger_balance")
        found = cursor.fetchone()[0]
    connection.commit()
    return int(found or 0)


def _balances(connection: Any) -> dict[int, _Running]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id, dr_posted, cr_posted, seq FROM ledger_balance")
        found = {row[0]: _Running(*map(int, row[1:])) for row in cursor.fetchall()}
    connection.commit()
    return found


def _write(
    fixture: Fixture,
    running: dict[int, _Running],
    numbers: range,
    of: int,
    chance: random.Random,
) -> _Files:
    files = _Files()
    cases, bank = fixture.cases, fixture.bank
    for number in numbers:
        day = _day(number, of, chance)
        case = cases[chance.randrange(len(cases))]
        cents, txn_id = chance.randrange(1, 5_000), new_id()
        # One deposit for every three payments, as in a real book.
        legs = ((bank, 1), (case, -1)) if number % 4 == 0 else ((case, 1), (bank, -1))
        files.headers.append(_header(fixture, txn_id, number, day, (*legs, cents)))
        for leg, (account, side) in enumerate(legs):
            mine = running[account]
            mine.seq += 1
            if side == 1:
                mine.dr_posted += cents
            else:
                mine.cr_posted += cents
            normal = 1 if account == bank else -1
            after = normal * (mine.dr_posted - mine.cr_posted)
            files.entries.append((account, mine.seq, txn_id, leg, side, cents, after))
            files.days.append(day)
    return files


def _day(number: int, of: int, chance: random.Random) -> str:
    """Return an effective day: time goes on with the history, and some lines are back-dated."""
    on = FIRST_DAY + timedelta(days=DAYS * number // of)
    if chance.random() < BACK_DATED:
        on -= timedelta(days=chance.randrange(1, 40))
    return on.isoformat()


def _header(
    fixture: Fixture, txn_id: int, number: int, day: str, moved: tuple[_Leg, _Leg, int]
) -> bytes:
    """Return a line of the header file, with the hash that the proof of the books expects."""
    debited, credited, cents = moved
    posting = Posting(
        TxnKind.DISBURSEMENT if number % 4 else TxnKind.DEPOSIT,
        f"seed:{txn_id}",
        date.fromisoformat(day),
        (debit(debited[0], cents), credit(credited[0], cents)),
        memo="A line of a long history",
        category="monthly_allowance",
        source_type="seed",
        source_ref=f"S{number}",
    )
    fields: Iterator[bytes] = iter(
        (
            str(fixture.book).encode(),
            str(txn_id).encode(),
            escaped(digest_key(posting.key)),
            escaped(digest_request(posting_request(posting))),
            posting.source_ref.encode(),
            b"",
            posting.memo.encode(),
            posting.kind.encode(),
            b"0",
            day.encode(),
            day.encode() + b" 15:00:00.000000",
            b"\\N",
            b"seed",
            b"monthly_allowance",
            b"seed",
        )
    )
    return b"\t".join(fields)


def _load(connection: Any, folder: Path, files: _Files) -> None:
    headers, entries = folder / "headers", folder / "entries"
    headers.write_bytes(b"\n".join(files.headers) + b"\n")
    rows = sorted(zip(files.entries, files.days, strict=True))
    entries.write_text(
        "".join(
            f"{account}\t{seq}\t{txn}\t{leg}\t0\t{side}\t{cents}\t{after}\t0\t{day}\t"
            f"{day} 15:00:00.000000\n"
            for (account, seq, txn, leg, side, cents, after), day in rows
        )
    )
    with connection.cursor() as cursor:
        cursor.execute(load_data(headers, "ledger_txn", statements.TXN_COLUMNS))
        cursor.execute(load_data(entries, "ledger_entry", statements.ENTRY_COLUMNS))


def _store(connection: Any, running: dict[int, _Running]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS seeded_balance (account_id BIGINT PRIMARY KEY, "
            "dr_posted BIGINT, cr_posted BIGINT, seq BIGINT)"
        )
        cursor.execute("DELETE FROM seeded_balance")
        cursor.executemany(
            "INSERT INTO seeded_balance VALUES (%s, %s, %s, %s)",
            [(one, row.dr_posted, row.cr_posted, row.seq) for one, row in running.items()],
        )
        cursor.execute(
            "UPDATE ledger_balance b JOIN seeded_balance s ON s.account_id = b.account_id "
            "SET b.dr_posted = s.dr_posted, b.cr_posted = s.cr_posted, b.seq = s.seq"
        )


def report(url: URL, entries: int) -> str:
    """Seed and return one line that says what stands there now."""
    begun = time.monotonic()
    seed(url, entries)
    connection = connect(url)
    standing = _count(connection)
    connection.close()
    return f"{standing:,} entries stand in {url.database}, after {time.monotonic() - begun:.0f} s."
