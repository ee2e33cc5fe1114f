"""A journey while it is being drawn: the tables of its file, and what its ledger must show."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from seedtrust.core.bankdays import add_banking_days, on_or_after, previous_banking_day
from seedtrust.core.money import plain_dollars
from seedtrust.journeys.shipped import AFTERWARDS

# People act until the first; what follows for the money is told until the second, the day on which
# the demo stands. A payment that leaves on that day stands in the ledger with the day after it.
LAST_ACT_DAY: Final = date(2026, 6, 26)
LAST_DAY: Final = AFTERWARDS
_LAST_PAYMENT_DAY: Final = add_banking_days(LAST_DAY, 1)
COLUMNS: Final = ("line", "date", "type", "category", "amount", "balance")
# What stands first on a day: fees, payments, returns, bounced deposits, deposits, the refund.
FEE, PAYMENT, RETURN, BOUNCE, DEPOSIT, REFUND = range(1, 7)

# Among the payments of a day, the calendar's come in the order of the terms, then requests.
Order = tuple[int, int, int]


@dataclass(frozen=True)
class Raw:
    """A value that is TOML already."""

    text: str


@dataclass(frozen=True)
class Entry:
    """What the ledger will show: one line with its place among the lines of its day."""

    on: date
    rank: int
    order: Order
    kind: str
    category: str
    cents: int


@dataclass
class Draft:
    """What people do goes into the blocks of the file; what follows for the books, beside it."""

    opened_on: date
    blocks: list[str] = field(default_factory=list)
    money: list[Entry] = field(default_factory=list)
    taken: set[date] = field(default_factory=set)
    count: int = 0

    def day(self, offset: int) -> date:
        """Return a banking day of the journey, counted from its opening."""
        return add_banking_days(self.opened_on, offset) if offset else self.opened_on

    def free_day(self, offset: int, *, then: int = 0) -> date:
        """Take the first banking day from an offset on that has no money line yet.

        With `then`, so many banking days after it are free as well, and taken.
        """
        while True:
            days = [self.day(offset + number) for number in range(then + 1)]
            if not self.taken.intersection(days):
                self.taken.update(days)
                return days[0]
            offset += 1

    def line(  # noqa: PLR0917 - the cells of a line
        self,
        on: date,
        rank: int,
        kind: str,
        category: str,
        cents: int,
        order: Order | None = None,
    ) -> Order:
        """Note a ledger line, unless it comes after the last day; return its place in the order."""
        self.count += 1
        place = order or (1, 0, self.count)
        self.taken.add(on)
        if on <= (_LAST_PAYMENT_DAY if rank == PAYMENT else LAST_DAY):
            self.money.append(Entry(on, rank, place, kind, category, cents))
        return place

    def block(self, header: str, **values: object) -> None:
        """Write one table of the file."""
        rows = [f"[[{header}]]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
        self.blocks.append("\n".join(rows) + "\n")

    def term(
        self, clause: str, title: str, category: str, tax: str, kind: str, **more: object
    ) -> None:
        """Write one clause of the contract."""
        self.block(
            "terms",
            clause=clause,
            title=title,
            category=category,
            tax_class=tax,
            kind=kind,
            **more,
        )

    def milestone(self, code: str, on: date) -> None:
        """Write a milestone that is recorded on the day on which it happened."""
        self.block("milestones", code=code, on=on, proof="Letter")

    def deposit(self, on: date, cents: int, **more: object) -> None:
        """Let money of the first parent come in."""
        self.block("deposits", on=on, amount=plain_dollars(cents), **{"from": "parent"}, **more)
        self.line(on, DEPOSIT, "DEPOSIT", "funding", cents)

    def unmatched_wire(self, on: date, cents: int) -> None:
        """Let a wire come in that names no case and that nobody has matched yet."""
        amount = {"amount": plain_dollars(cents), "from": "parent"}
        self.block("deposits", on=on, **amount, names_the_case=Raw("false"), matched=Raw("false"))

    def forget_payments_after(self, day: date) -> None:
        """Take out the payments that would settle later, because they cannot leave."""
        self.money = [line for line in self.money if line.rank != PAYMENT or line.on <= day]

    def scheduled(self, due_on: date, category: str, cents: int, position: int) -> None:
        """Let the calendar pay on the day on which it is due, or the next banking day."""
        order = (0, position, self.count)
        self.line(on_or_after(due_on), PAYMENT, "SCHEDULED", category, -cents, order)

    def ask(
        self, offset: int, by: str, payee: str, category: str, cents: int, **more: object
    ) -> date:
        """Let somebody ask for what is left open or refused; return the day of its review."""
        reviewed_on = previous_banking_day(self.free_day(offset))
        values: dict[str, object] = {
            "on": previous_banking_day(reviewed_on),
            "by": by,
            "payee": payee,
            "category": category,
            "amount": plain_dollars(cents),
            "description": f"Bill {len(self.blocks)}",
            "evidence": ["Bill"],
            "reviewed_on": reviewed_on,
        }
        self.block("requests", **{**values, **more})
        return reviewed_on

    def request(
        self,
        offset: int,
        by: str,
        payee: str,
        category: str,
        cents: int,
        *,
        approved: int | None = None,
        **more: object,
    ) -> tuple[date, Order]:
        """Let somebody ask for what is approved, wholly or in part; return when it settles."""
        part = {"approved": plain_dollars(approved)} if approved is not None else {}
        reviewed_on = self.ask(offset, by, payee, category, cents, **more, **part)
        settles_on = add_banking_days(reviewed_on, 1)
        paid = cents if approved is None else approved
        return settles_on, self.line(settles_on, PAYMENT, "DISBURSEMENT", category, -paid)

    def owned(self, on: date) -> int:
        """Return what the case owns at the end of a day, in cents."""
        return sum(line.cents for line in self.money if line.on <= on)

    def ledger(self) -> str:
        """Return the ledger as a CSV file, with its running balance."""
        target, balance = io.StringIO(), 0
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(COLUMNS)
        ordered = sorted(self.money, key=lambda line: (line.on, line.rank, line.order))
        for number, line in enumerate(ordered, start=1):
            balance += line.cents
            amounts = plain_dollars(line.cents), plain_dollars(balance)
            writer.writerow([f"S{number:02d}", line.on, line.kind, line.category, *amounts])
        return target.getvalue()


def firsts(day: date, count: int) -> Iterator[date]:
    """Yield the firsts of the months after a day's own month."""
    months = day.year * 12 + day.month - 1
    for number in range(1, count + 1):
        yield date((months + number) // 12, (months + number) % 12 + 1, 1)


def leaves_on(due_on: date) -> date:
    """Return the day on whose morning the calendar turns what is due on a day into a payment."""
    return previous_banking_day(on_or_after(due_on))


def later(day: date, days: int) -> date:
    """Return the day so many calendar days later."""
    return day + timedelta(days=days)


def _toml(value: object) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
