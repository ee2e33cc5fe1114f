"""Reading one table of journey.toml key by key; faults are collected with their line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol, TypeVar

from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.errors import InvalidAmount
from seedtrust.core.money import parse_dollars
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.terms.plans import MOST_HUNDREDTHS
from seedtrust.domain.terms.states import CapPeriod
from seedtrust.formats.nacha import is_valid_routing_number
from seedtrust.journeys.script import BankAccount, CapSpec, LineSpec

TABLES: Final = {
    "": ("format", "name"),
    "case": (
        "kind",
        "number",
        "name",
        "rail",
        "anonymous",
        "agency",
        "agency_account",
        "minimum_balance",
        "top_up",
        "due_at",
        "funding_required",
        "all_parents_approve",
        "opened_on",
        "escrow_agreement_on",
        "agreement_on",
        "terminated_on",
        "cancelled_on",
        "until",
    ),
    "parties": ("key", "role", "name", "email", "alias", "state", "account", "signs", "certifies"),
    "payees": ("key", "name", "label", "account"),
    "terms": (
        "clause",
        "title",
        "category",
        "tax_class",
        "kind",
        "approver",
        "payee",
        "amount",
        "cap",
        "trigger",
        "pay_after",
        "schedule",
        "times",
        "week",
        "last_trigger",
        "last_pay_after",
        "caps",
        "evidence",
    ),
    "milestones": ("code", "on", "occurred_on", "proof", "embryo_days"),
    "deposits": ("on", "amount", "from", "names_the_case", "matched", "matched_on", "by"),
    "requests": (
        "on",
        "by",
        "payee",
        "category",
        "amount",
        "description",
        "evidence",
        "lines",
        "reviewed_on",
        "approved_on",
        "approved",
        "answer",
        "reason",
        "pay_on",
        "question_on",
        "question",
        "reply_on",
        "reply",
        "reply_evidence",
    ),
    "account_changes": ("on", "payee", "account", "submitted_on", "approved"),
    "bank_events": ("on", "event", "payee", "code", "settled_on", "category", "deposit_on"),
    "closing": (
        "obligations_ended_on",
        "accounting_on",
        "certified_on",
        "refund_to",
        "refund_on",
        "reviewed",
    ),
}
_MISSING: Final = object()
Value = TypeVar("Value")


class Faults(Protocol):
    """Whoever collects the faults of a file."""

    def fault(self, table: str, index: int, key: str, reason: str) -> None:
        """Note a fault with its line."""


class Table:
    """One table of the file, read key by key; faults are collected, not raised."""

    def __init__(self, faults: Faults, name: str, index: int, values: Mapping[str, Any]) -> None:
        self._faults, self._name, self._index, self._values = faults, name, index, values
        for key in values:
            if key not in TABLES[name] and not (name == "" and key in TABLES):
                known = ", ".join(TABLES[name])
                self.fault(key, f"“{key}” is not known here; choose from {known}")

    def fault(self, key: str, reason: str) -> None:
        """Note a fault at the key's line, or at the table's when the key is missing."""
        self._faults.fault(self._name, self._index, key, reason)

    def has(self, key: str) -> bool:
        """Tell whether the key is there."""
        return key in self._values

    def _get(
        self, key: str, default: Any, kind: type, read: Callable[[Any], Value], blank: Value
    ) -> Value:
        value = self._values.get(key, _MISSING)
        if value is _MISSING:
            if default is _MISSING:
                self.fault(key, f"“{key}” is missing")
                return blank
            return default  # type: ignore[no-any-return]
        if type(value) is not kind:
            self.fault(key, f"“{key}” must be {_NAMES[kind]}")
            return blank
        try:
            return read(value)
        except ValueError as error:
            self.fault(key, f"“{key}”: {error}")
            return blank

    def text(self, key: str, default: Any = _MISSING) -> str:
        """Return a text that is not empty."""

        def read(value: str) -> str:
            if not value.strip():
                message = "must not be empty"
                raise ValueError(message)
            return value.strip()

        return self._get(key, default, str, read, "")

    def word(self, key: str, words: tuple[str, ...], default: Any = _MISSING) -> str:
        """Return one of the given words."""

        def read(value: str) -> str:
            if value not in words:
                message = f"must be one of {', '.join(words)}, not “{value}”"
                raise ValueError(message)
            return value

        return self._get(key, default, str, read, words[0])

    def day(self, key: str, default: Any = _MISSING) -> date:
        """Return a date, written as 2026-01-31 without quotes."""
        return self._get(key, default, date, lambda value: value, date(2000, 1, 3))

    def banking_day(self, key: str, default: Any = _MISSING) -> date:
        """Return a date on which the bank works."""

        def read(value: date) -> date:
            if not is_banking_day(value):
                message = f"{value} is not a banking day"
                raise ValueError(message)
            return value

        return self._get(key, default, date, read, date(2000, 1, 3))

    def cents(self, key: str, default: Any = _MISSING) -> int:
        """Return an amount, written as text with two decimals, in cents."""

        def read(value: str) -> int:
            try:
                return parse_dollars(value, key)
            except InvalidAmount as error:
                message = f"“{value}” is not an amount: {error.detail}"
                raise ValueError(message) from error

        return self._get(key, default, str, read, 1)

    def is_table(self, key: str) -> bool:
        """Tell whether the key holds an inline table and not a plain value."""
        return isinstance(self._values.get(key), dict)

    def amounts(
        self, key: str, words: Mapping[str, str], *, may_be_none: bool = False
    ) -> dict[str, int]:
        """Return an inline table of amounts in cents, by what its words mean.

        With `may_be_none` the amount “0.00” is taken as well.
        """

        def read(value: dict[str, Any]) -> dict[str, int]:
            found: dict[str, int] = {}
            for word, text in value.items():
                if word not in words:
                    message = f"“{word}” is not known; choose from {', '.join(words)}"
                    raise ValueError(message)
                try:
                    is_none = may_be_none and text == "0.00"
                    found[words[word]] = 0 if is_none else parse_dollars(str(text), key)
                except InvalidAmount as error:
                    message = f"“{text}” for {word} is not an amount: {error.detail}"
                    raise ValueError(message) from error
            return found

        return self._get(key, {}, dict, read, {})

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        return self._get(key, default, bool, lambda value: value, default)

    def number(self, key: str, default: Any = _MISSING) -> int:
        """Return a whole number that is not negative."""

        def read(value: int) -> int:
            if value < 0:
                message = "must not be negative"
                raise ValueError(message)
            return value

        return self._get(key, default, int, read, 0)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when the key is missing."""
        return self._get(key, (), list, lambda value: tuple(str(item) for item in value), ())

    def account(self, key: str, *, needed: bool) -> BankAccount | None:
        """Return a bank account, written as an inline table."""
        if not needed and not self.has(key):
            return None

        def read(value: dict[str, Any]) -> BankAccount:
            return _bank_account(value)

        blank = BankAccount("", "", "checking", "")
        return self._get(key, _MISSING, dict, read, blank)

    def lines(self, key: str) -> tuple[LineSpec, ...]:
        """Return the items of a request."""
        return self._get(key, (), list, lambda value: tuple(map(_line, value)), ())

    def caps(self, key: str) -> tuple[CapSpec, ...]:
        """Return the caps of a term, empty when the key is missing."""
        return self._get(key, (), list, lambda value: tuple(map(_cap, value)), ())


_NAMES: Final = {
    str: "text in quotes",
    date: "a date like 2026-01-31, without quotes",
    bool: "true or false",
    int: "a whole number",
    list: "a list in square brackets",
    dict: "an inline table in braces",
}


def _bank_account(value: dict[str, Any]) -> BankAccount:
    unknown = set(value) - {"routing", "number", "type", "bank"}
    if unknown:
        message = f"“{min(unknown)}” is not known; give routing, number, type and bank"
        raise ValueError(message)
    routing, number = str(value.get("routing", "")), str(value.get("number", ""))
    if not is_valid_routing_number(routing):
        message = f"routing “{routing}” is not a routing number; its check digit does not fit"
        raise ValueError(message)
    if not number.isdigit() or not 4 <= len(number) <= 17:  # noqa: PLR2004 - NACHA's field
        message = "number must have 4 to 17 digits"
        raise ValueError(message)
    kind = str(value.get("type", AccountType.CHECKING))
    if kind not in set(AccountType):
        message = "type must be checking or savings"
        raise ValueError(message)
    return BankAccount(routing, number, kind, str(value.get("bank", "")))


def _line(value: Any) -> LineSpec:
    known = {"what", "amount", "on", "quantity"}
    if not isinstance(value, dict) or not {"what", "amount"} <= set(value) <= known:
        message = (
            'each line is written as { what = "…", amount = "12.50" }; '
            'it may name a day, on = 2026-01-31, and units, quantity = "7.5"'
        )
        raise ValueError(message)
    on = value.get("on")
    if on is not None and type(on) is not date:
        message = "the day of a line is a date like 2026-01-31, without quotes"
        raise ValueError(message)
    units = None if "quantity" not in value else _hundredths(str(value["quantity"]))
    return LineSpec(str(value["what"]), _amount(value["amount"], "lines"), on, units)


def _amount(value: Any, field: str) -> int:
    try:
        return parse_dollars(str(value), field)
    except InvalidAmount as error:
        raise ValueError(error.detail) from error


def _hundredths(text: str) -> int:
    try:
        hundredths = Decimal(text) * 100
    except InvalidOperation as error:
        message = f"“{text}” is not a number of units such as 40 or 7.5"
        raise ValueError(message) from error
    if not hundredths.is_finite() or hundredths != int(hundredths):
        message = f"“{text}” has more than two decimals"
        raise ValueError(message)
    if not 1 <= hundredths <= MOST_HUNDREDTHS:
        message = f"“{text}” units are none, or more than a contract counts"
        raise ValueError(message)
    return int(hundredths)


def _cap(value: Any) -> CapSpec:
    shape = set(value) if isinstance(value, dict) else set()
    if shape not in ({"amount", "per"}, {"quantity", "unit", "per"}):
        message = (
            'each cap is written as { amount = "100.00", per = "day" } '
            'or { quantity = "40", unit = "hours", per = "week" }'
        )
        raise ValueError(message)
    if value["per"] not in set(CapPeriod):
        message = f"per must be one of {', '.join(CapPeriod)}, not “{value['per']}”"
        raise ValueError(message)
    if "amount" in shape:
        return CapSpec(value["per"], _amount(value["amount"], "caps"), None, "")
    unit = str(value["unit"]).strip()
    if not unit:
        message = "unit must not be empty"
        raise ValueError(message)
    return CapSpec(value["per"], None, _hundredths(str(value["quantity"])), unit)
