"""The sandbox bank's books: balanced journals, statement lines and the proof of both."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from seedtrust.sandbox import clock
from seedtrust.sandbox.problems import BankProblem
from seedtrust.sandbox.store import Connection, Row

Direction = Literal["credit", "debit"]

ACH_NETWORK: Final = "network:ach"
WIRE_NETWORK: Final = "network:wire"
CHECK_NETWORK: Final = "network:check"
OPENING: Final = "opening"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money in (credit) or out (debit) of a customer's account, against one other book."""

    account_id: str
    direction: Direction
    amount_cents: int
    contra: str
    type_code: str
    customer_reference: str
    text_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entered:
    """A statement line that was written: its row and the bank's reference on it."""

    line_id: int
    bank_reference: str


def book_of(account_id: str) -> str:
    """Return the name of a customer's book, a liability of the bank."""
    return f"customer:{account_id}"


def statement_text(text: str) -> str:
    """Return a text as a statement can carry it: capitals, plain ASCII, single blanks."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    kept = "".join(letter if letter.isprintable() else " " for letter in plain)
    return " ".join(kept.upper().split()).lstrip(",/ ")


def reference_text(text: str) -> str:
    """Return a reference as a statement field can carry it, without comma and slash."""
    return " ".join(statement_text(text).replace(",", " ").replace("/", " ").split())[:30].strip()


def _journal(
    connection: Connection, kind: str, business_on: date, postings: tuple[tuple[str, int], ...]
) -> int:
    assert sum(cents for _, cents in postings) == 0, f"the postings of a {kind} are uneven"
    journal_id = connection.execute(
        "INSERT INTO journal (business_on, posted_at, kind) VALUES (?, ?, ?)",
        (business_on.isoformat(), clock.to_text(clock.now(connection)), kind),
    ).lastrowid
    assert journal_id is not None, "a row that was inserted has an id"
    connection.executemany(
        "INSERT INTO posting (journal_id, book, business_on, amount_cents) VALUES (?, ?, ?, ?)",
        [(journal_id, book, business_on.isoformat(), cents) for book, cents in postings],
    )
    return journal_id


def enter(connection: Connection, kind: str, movement: Movement) -> Entered:
    """Post a movement on today's business date together with its statement line."""
    business_on = clock.today(connection)
    cents = movement.amount_cents
    # The customer's book is a liability: money in is a credit, which is negative here.
    own = -cents if movement.direction == "credit" else cents
    postings = ((book_of(movement.account_id), own), (movement.contra, -own))
    journal_id = _journal(connection, kind, business_on, postings)
    bank_reference = f"T{journal_id:09d}"
    line_id = connection.execute(
        "INSERT INTO line (journal_id, account_id, business_on, type_code, direction,"
        " amount_cents, bank_reference, customer_reference, text_lines)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            journal_id,
            movement.account_id,
            business_on.isoformat(),
            movement.type_code,
            movement.direction,
            cents,
            bank_reference,
            reference_text(movement.customer_reference),
            json.dumps([text for text in map(statement_text, movement.text_lines) if text]),
        ),
    ).lastrowid
    assert line_id is not None, "a row that was inserted has an id"
    connection.execute(
        "UPDATE position SET ledger_cents = ledger_cents - ? WHERE account_id = ?",
        (own, movement.account_id),
    )
    return Entered(line_id, bank_reference)


def open_book(connection: Connection, account_id: str, opening_cents: int, before: date) -> None:
    """Bring a balance forward on the day before the account opens; it is on no statement."""
    connection.execute(
        "INSERT INTO position (account_id, ledger_cents, reserved_cents) VALUES (?, ?, 0)",
        (account_id, opening_cents),
    )
    if opening_cents:
        postings = ((book_of(account_id), -opening_cents), (OPENING, opening_cents))
        _journal(connection, "opening", before, postings)


def ledger_cents(connection: Connection, account_id: str, as_of: date | None = None) -> int:
    """Return a customer's ledger balance at the end of a day, or now."""
    row = connection.execute(
        "SELECT -coalesce(sum(amount_cents), 0) AS cents FROM posting"
        " WHERE book = ? AND business_on <= ?",
        (book_of(account_id), "9999-12-31" if as_of is None else as_of.isoformat()),
    ).fetchone()
    return int(row["cents"])


def reserve(connection: Connection, account_id: str, cents: int) -> None:
    """Promise a part of an account's balance to a payment or a file, in cents."""
    connection.execute(
        "UPDATE position SET reserved_cents = reserved_cents + ? WHERE account_id = ?",
        (cents, account_id),
    )


def release(connection: Connection, account_id: str, cents: int) -> None:
    """Take a promise back, because the money has moved or will not move any more."""
    reserve(connection, account_id, -cents)


def promised_cents(connection: Connection, account_id: str) -> int:
    """Add up what open payments and ACH credits of files will still take from an account."""
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(amount_cents), 0) FROM payment"
        "        WHERE account_id = :account AND status IN ('accepted', 'in_review', 'sent'))"
        "     + (SELECT coalesce(sum(e.amount_cents), 0) FROM ach_entry e"
        "        JOIN ach_batch b ON b.id = e.batch_id JOIN ach_file f ON f.id = b.file_id"
        "        WHERE b.account_id = :account AND f.status = 'accepted'"
        "        AND e.direction = 'credit' AND e.status = 'received') AS cents",
        {"account": account_id},
    ).fetchone()
    return int(row["cents"])


def _position(connection: Connection, account_id: str) -> tuple[int, int]:
    """Return the running totals of an account: ledger and reserved, in cents."""
    row = connection.execute(
        "SELECT ledger_cents, reserved_cents FROM position WHERE account_id = ?", (account_id,)
    ).fetchone()
    return (0, 0) if row is None else (int(row["ledger_cents"]), int(row["reserved_cents"]))


def current_cents(connection: Connection, account_id: str) -> int:
    """Return a customer's ledger balance now; the proof compares it with the postings."""
    return _position(connection, account_id)[0]


def available_cents(connection: Connection, account_id: str) -> int:
    """Return the ledger balance less what is promised already."""
    ledger, reserved = _position(connection, account_id)
    return ledger - reserved


def require_available(connection: Connection, account_id: str, cents: int) -> None:
    """Raise BankProblem if an account does not cover an amount: there is no overdraft."""
    available = available_cents(connection, account_id)
    if cents > available:
        raise BankProblem(
            "insufficient_funds",
            "The account does not cover this amount. Send it again when it does.",
            available_cents=available,
            amount_cents=cents,
        )


def bank_reference(connection: Connection, line_id: int | None) -> str | None:
    """Return the bank's reference on a statement line, or None if there is no line (yet)."""
    row = connection.execute("SELECT bank_reference FROM line WHERE id = ?", (line_id,)).fetchone()
    return None if row is None else str(row["bank_reference"])


def line_as_json(row: Row) -> dict[str, object]:
    """Return a statement line as replies show it; ``signed_cents`` is positive for money in."""
    text_lines = json.loads(row["text_lines"])
    cents = row["amount_cents"]
    return {
        "id": row["bank_reference"],
        "account_id": row["account_id"],
        "business_on": row["business_on"],
        "bai_code": row["type_code"],
        "direction": row["direction"],
        "amount_cents": cents,
        "signed_cents": cents if row["direction"] == "credit" else -cents,
        "bank_reference": row["bank_reference"],
        "customer_reference": row["customer_reference"],
        "text": "".join(text_lines),
        "text_lines": text_lines,
    }


def lines_between(connection: Connection, account_id: str, first: date, last: date) -> list[Row]:
    """Return the lines of an account on the days from first to last, in posting order."""
    return connection.execute(
        "SELECT * FROM line WHERE account_id = ? AND business_on BETWEEN ? AND ? ORDER BY id",
        (account_id, first.isoformat(), last.isoformat()),
    ).fetchall()


def proof(connection: Connection) -> dict[str, object]:
    """Return the trial balance and whether journals, lines and statements agree with it."""
    books = connection.execute(
        "SELECT book, sum(max(amount_cents, 0)) AS debit_cents,"
        " sum(max(-amount_cents, 0)) AS credit_cents FROM posting GROUP BY book ORDER BY book"
    ).fetchall()
    uneven = connection.execute(
        "SELECT j.id FROM journal j LEFT JOIN posting p ON p.journal_id = j.id"
        " GROUP BY j.id HAVING coalesce(sum(p.amount_cents), 1) <> 0"
    ).fetchall()
    debit_cents = sum(row["debit_cents"] for row in books)
    credit_cents = sum(row["credit_cents"] for row in books)
    accounts = [_account_proof(connection, row) for row in _accounts(connection)]
    return {
        "books": [
            {
                "book": row["book"],
                "debit_cents": row["debit_cents"],
                "credit_cents": row["credit_cents"],
                "balance_cents": row["debit_cents"] - row["credit_cents"],
            }
            for row in books
        ],
        "debit_cents": debit_cents,
        "credit_cents": credit_cents,
        "uneven_journals": [row["id"] for row in uneven],
        "accounts": accounts,
        "is_proved": debit_cents == credit_cents
        and not uneven
        and all(account["is_proved"] for account in accounts),
    }


def _accounts(connection: Connection) -> list[Row]:
    return connection.execute("SELECT * FROM account ORDER BY id").fetchall()


def _account_proof(connection: Connection, account: Row) -> dict[str, object]:
    """Compare the ledger with the lines, and each statement's closing with the ledger that day."""
    lines_cents = connection.execute(
        "SELECT coalesce(sum(CASE direction WHEN 'credit' THEN amount_cents"
        " ELSE -amount_cents END), 0) FROM line WHERE account_id = ?",
        (account["id"],),
    ).fetchone()[0]
    postings = connection.execute(
        "SELECT business_on, -sum(amount_cents) AS cents FROM posting WHERE book = ?"
        " GROUP BY business_on ORDER BY business_on",
        (book_of(account["id"]),),
    ).fetchall()
    statements = connection.execute(
        "SELECT as_of_on, closing_cents FROM statement WHERE account_id = ? ORDER BY as_of_on",
        (account["id"],),
    ).fetchall()
    wrong: list[dict[str, object]] = []
    index = running = 0
    for row in statements:
        while index < len(postings) and postings[index]["business_on"] <= row["as_of_on"]:
            running += postings[index]["cents"]
            index += 1
        if running != row["closing_cents"]:
            wrong.append(
                {
                    "as_of_on": row["as_of_on"],
                    "closing_cents": row["closing_cents"],
                    "ledger_cents": running,
                }
            )
    ledger = ledger_cents(connection, account["id"])
    promised = promised_cents(connection, account["id"])
    return {
        "account_id": account["id"],
        "ledger_cents": ledger,
        "opening_cents": account["opening_cents"],
        "lines_cents": lines_cents,
        "statements": len(statements),
        "wrong_statements": wrong,
        "reserved_cents": promised,
        "is_proved": not wrong
        and ledger == account["opening_cents"] + lines_cents
        and _position(connection, account["id"]) == (ledger, promised),
    }
