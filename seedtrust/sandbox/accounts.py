"""Customers' accounts at the sandbox bank and the companies that may originate from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from seedtrust.core.bankdays import is_banking_day
from seedtrust.sandbox import books, clock
from seedtrust.sandbox.problems import (
    ACCOUNT_NUMBER,
    COMPANY_IDENTIFICATION,
    IDENTIFIER,
    BankProblem,
    Values,
)
from seedtrust.sandbox.store import Connection, Row


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as it is set up; the companies are those of NACHA batch headers."""

    id: str
    name: str
    routing_number: str
    account_number: str
    company_identifications: tuple[str, ...]
    opening_cents: int


def parse(body: object) -> NewAccount:
    """Check the request that opens an account; raise BankProblem naming the fields."""
    values = Values(body)
    account = NewAccount(
        id=values.text("id", longest=40, pattern=IDENTIFIER),
        name=values.text("name", longest=60),
        routing_number=values.routing_number("routing_number"),
        account_number=values.text("account_number", longest=17, pattern=ACCOUNT_NUMBER),
        company_identifications=tuple(
            item.strip()
            for item in values.texts(
                "company_identifications", longest=10, pattern=COMPANY_IDENTIFICATION
            )
        ),
        opening_cents=values.cents("opening_cents", lowest=0),
    )
    values.done()
    return account


def open_account(connection: Connection, new: NewAccount) -> tuple[Row, bool]:
    """Open an account, or find it as it is; tell whether it is new.

    Raises BankProblem if the id, the number or a company belongs to something else.
    """
    existing = find(connection, new.id)
    if existing is not None:
        if _values_of(connection, existing) != new:
            message = f"The account {new.id} exists with other values."
            raise BankProblem("already_exists", message)
        return existing, False
    _require_free(connection, new)
    opened_on = clock.today(connection)
    connection.execute(
        "INSERT INTO account (id, name, routing_number, account_number, opening_cents, opened_on)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            new.id,
            new.name,
            new.routing_number,
            new.account_number,
            new.opening_cents,
            opened_on.isoformat(),
        ),
    )
    connection.executemany(
        "INSERT INTO company (identification, account_id) VALUES (?, ?)",
        [(company, new.id) for company in new.company_identifications],
    )
    books.open_book(connection, new.id, new.opening_cents, opened_on - timedelta(days=1))
    return require(connection, new.id), True


def _require_free(connection: Connection, new: NewAccount) -> None:
    taken = connection.execute(
        "SELECT id FROM account WHERE routing_number = ? AND account_number = ?",
        (new.routing_number, new.account_number),
    ).fetchone()
    if taken is not None:
        raise BankProblem("already_exists", "Another account has this account number.")
    for company in new.company_identifications:
        owner = connection.execute(
            "SELECT account_id FROM company WHERE identification = ?", (company,)
        ).fetchone()
        if owner is not None:
            message = f"The company identification {company} belongs to another account."
            raise BankProblem("already_exists", message)


def _values_of(connection: Connection, row: Row) -> NewAccount:
    return NewAccount(
        row["id"],
        row["name"],
        row["routing_number"],
        row["account_number"],
        _companies(connection, row["id"]),
        row["opening_cents"],
    )


def _companies(connection: Connection, account_id: str) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT identification FROM company WHERE account_id = ? ORDER BY rowid", (account_id,)
    ).fetchall()
    return tuple(row["identification"] for row in rows)


def find(connection: Connection, account_id: str) -> Row | None:
    """Return an account, or None."""
    row: Row | None = connection.execute(
        "SELECT * FROM account WHERE id = ?", (account_id,)
    ).fetchone()
    return row


def require(connection: Connection, account_id: str) -> Row:
    """Return an account; raise BankProblem 404 if there is none."""
    row = find(connection, account_id)
    if row is None:
        raise BankProblem("not_found", f"There is no account {account_id}.")
    return row


def named_in_body(connection: Connection, account_id: str) -> Row:
    """Return an account that a request body names; raise BankProblem 422 if there is none."""
    row = find(connection, account_id)
    if row is None:
        message = f"There is no account {account_id}."
        raise BankProblem("invalid", message, errors={"account_id": [message]})
    return row


def everyone(connection: Connection) -> list[Row]:
    """Return all accounts."""
    return connection.execute("SELECT * FROM account ORDER BY id").fetchall()


def by_number(connection: Connection, routing_number: str, account_number: str) -> Row | None:
    """Return the account with a number at this bank, or None."""
    row: Row | None = connection.execute(
        "SELECT * FROM account WHERE routing_number = ? AND account_number = ?",
        (routing_number, account_number),
    ).fetchone()
    return row


def by_company(connection: Connection, identification: str) -> Row | None:
    """Return the account that a company originates from, or None."""
    row: Row | None = connection.execute(
        "SELECT a.* FROM account a JOIN company c ON c.account_id = a.id"
        " WHERE c.identification = ?",
        (identification.strip(),),
    ).fetchone()
    return row


def as_json(connection: Connection, row: Row) -> dict[str, object]:
    """Return an account as replies show it; its number is masked."""
    return {
        "id": row["id"],
        "name": row["name"],
        "routing_number": row["routing_number"],
        "account_number_last4": row["account_number"][-4:],
        "company_identifications": list(_companies(connection, row["id"])),
        "currency": "USD",
        "opened_on": row["opened_on"],
    }


def balances(connection: Connection, account_id: str, as_of: date | None) -> dict[str, object]:
    """Return the balances at the end of a day, or now, in cents."""
    require(connection, account_id)
    today = clock.today(connection)
    day = today if as_of is None else as_of
    if day > today:
        message = f"Today is {today} at the bank; ask for that day or an earlier one."
        raise BankProblem("invalid", message, errors={"as_of": [message]})
    is_now = day == today
    if is_now:
        ledger = books.current_cents(connection, account_id)
    else:
        ledger = books.ledger_cents(connection, account_id, day)
    return {
        "account_id": account_id,
        "as_of": day.isoformat(),
        "kind": "realtime" if is_now else "prior_day",
        "ledger_cents": ledger,
        "available_cents": books.available_cents(connection, account_id) if is_now else ledger,
        "currency": "USD",
        "is_banking_day": is_banking_day(day),
    }
