"""Reads a BAI2 file into typed values, or refuses it as a whole with every reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from seedtrust.formats.bai2.codes import Direction, direction_of
from seedtrust.formats.bai2.findings import Bai2Error, Finding
from seedtrust.formats.bai2.lexer import FieldCursor, LogicalRecord, decode, logical_records
from seedtrust.formats.bai2.model import Account, Bai2File, Balance, Funds, Group, Transaction

_AMOUNT: Final = re.compile(r"[+-]?[0-9]{1,18}")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]|2400|9999")
_DATE: Final = re.compile(r"[0-9]{6}")
_TYPE_CODE: Final = re.compile(r"[0-9]{3}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_PIVOT: Final = 80
_PLAIN_FUNDS: Final = frozenset({"", "0", "1", "2", "Z"})


class _Fields:
    """Takes typed fields from one record and notes what is wrong with them."""

    def __init__(self, record: LogicalRecord, findings: list[Finding]) -> None:
        self.cursor = FieldCursor(record)
        self._record = record
        self._findings = findings
        self._is_short = False

    def note(self, code: str, message: str, *, is_warning: bool = False) -> None:
        line = self.cursor.line
        self._findings.append(Finding(line, self._record.code, code, message, is_warning))

    def text(self) -> str:
        value = self.cursor.next()
        if value is None and not self._is_short:
            self._is_short = True
            message = "The record ends early; the fields that are missing count as empty."
            self.note("short_record", message, is_warning=True)
        return value or ""

    def required(self, name: str) -> str:
        value = self.text()
        if not value:
            self.note("missing_field", f"The {name} is missing.")
        return value

    def choice(self, name: str, allowed: frozenset[str]) -> str:
        value = self.text()
        if value not in allowed:
            expected = ", ".join(sorted(item or "nothing" for item in allowed))
            self.note("bad_value", f"The {name} is {value!r}; expected {expected}.")
        return value

    def pattern(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        value = self.text()
        if value and not pattern.fullmatch(value):
            self.note("bad_value", f"The {name} is {value!r}; expected {expected}.")
            return ""
        return value

    def amount(self, name: str) -> int | None:
        value = self.pattern(name, _AMOUNT, "whole cents without a decimal point")
        return int(value) if value else None

    def count(self, name: str) -> int | None:
        value = self.pattern(name, _COUNT, "a whole number")
        return int(value) if value else None

    def time(self, name: str) -> str:
        return self.pattern(name, _TIME, "HHMM, 2400 or 9999")

    def currency(self) -> str:
        return self.pattern("currency", _CURRENCY, "three capital letters")

    def day(self, name: str) -> date | None:
        value = self.pattern(name, _DATE, "YYMMDD")
        if not value:
            return None
        year, month, day = (int(value[start : start + 2]) for start in (0, 2, 4))
        try:
            return date(2000 + year if year < _PIVOT else 1900 + year, month, day)
        except ValueError:
            self.note("bad_value", f"The {name} is {value!r}; no such day exists.")
            return None

    def required_day(self, name: str) -> date:
        value = self.day(name)
        if value is None:
            self.note("missing_field", f"The {name} is missing or unusable.")
        # The file is refused when a date is missing, so nobody ever sees this stand-in.
        return value or date.min

    def type_code(self) -> str:
        value = self.text()
        if not _TYPE_CODE.fullmatch(value):
            self.note("bad_type_code", f"The type code is {value!r}; expected three digits.")
        return value

    def funds(self) -> Funds:
        kind = self.text().upper()
        if kind in _PLAIN_FUNDS:
            return Funds(kind)
        if kind == "V":
            return Funds(kind, value_on=self.day("value date"), value_time=self.time("value time"))
        if kind == "S":
            return Funds(kind, parts=tuple((day, self._part()) for day in range(3)))
        if kind == "D":
            pairs = self.count("number of availability parts") or 0
            return Funds(kind, parts=self._pairs(pairs))
        self.note("bad_funds_type", f"The funds type is {kind!r}; expected 0, 1, 2, V, S, D or Z.")
        return Funds()

    def _part(self) -> int:
        return self.amount("available amount") or 0

    def _pairs(self, pairs: int) -> tuple[tuple[int, int], ...]:
        parts: list[tuple[int, int]] = []
        for _ in range(pairs):
            if self.cursor.finished:
                self.note("missing_field", f"{pairs} availability parts are announced, not given.")
                break
            days = self.count("days until available") or 0
            parts.append((days, self._part()))
        return tuple(parts)

    def end(self) -> None:
        while not self.cursor.finished:
            line = self.cursor.line
            value = self.cursor.next()
            if value:
                message = f"The record has a field too many: {value!r}."
                code = self._record.code
                self._findings.append(Finding(line, code, "extra_field", message))


@dataclass(slots=True)
class _OpenAccount:
    fields: Account
    transactions: list[Transaction] = field(default_factory=list)
    total_cents: int = 0
    records: int = 0


@dataclass(slots=True)
class _OpenGroup:
    fields: Group
    accounts: list[Account] = field(default_factory=list)
    total_cents: int = 0
    records: int = 0


class _Assembler:
    """Follows the nesting of records and checks each trailer against what was read."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self.header: Bai2File | None = None
        self.groups: list[Group] = []
        self.is_closed = False
        self._group: _OpenGroup | None = None
        self._account: _OpenAccount | None = None
        self._total_cents = 0
        self._records = 0
        self._steps = {
            "01": self._open_file,
            "02": self._open_group,
            "03": self._open_account,
            "16": self._add_transaction,
            "49": self._close_account,
            "98": self._close_group,
            "99": self._close_file,
        }

    def feed(self, record: LogicalRecord) -> None:
        if self.is_closed:
            self._structure(record, "after_file", "There are records after the file trailer (99).")
            return
        if self.header is None and record.code != "01":
            self._structure(record, "no_header", "The file does not begin with a header (01).")
            self.header = _BLANK
        self._records += record.physical_count
        if self._group is not None:
            self._group.records += record.physical_count
        if self._account is not None:
            self._account.records += record.physical_count
        self._steps[record.code](record)

    def _structure(self, record: LogicalRecord, code: str, message: str) -> None:
        self.findings.append(Finding(record.line, record.code, code, message))

    def _compare(self, record: LogicalRecord, name: str, said: int | None, found: int) -> None:
        if said is None:
            self._structure(record, "missing_field", f"The {name} is missing.")
        elif said != found:
            message = f"The {name} says {said}, but the records give {found}."
            self._structure(record, "wrong_" + name.replace(" ", "_"), message)

    def _open_file(self, record: LogicalRecord) -> None:
        if self.header is not None:
            self._structure(record, "second_header", "A second file begins before the first ends.")
            return
        fields = _Fields(record, self.findings)
        self.header = Bai2File(
            sender=fields.required("sender"),
            receiver=fields.required("receiver"),
            created_on=fields.required_day("creation date"),
            created_time=fields.time("creation time"),
            file_id=fields.required("file identification"),
            record_length=fields.count("physical record length"),
            block_size=fields.count("block size"),
            source=record.source,
        )
        fields.choice("version", frozenset({"2"}))
        fields.end()

    def _open_group(self, record: LogicalRecord) -> None:
        if self._group is not None:
            self._structure(
                record, "missing_group_trailer", "The group before has no trailer (98)."
            )
            self._finish_group(self._group)
        fields = _Fields(record, self.findings)
        group = Group(
            ultimate_receiver=fields.text(),
            originator=fields.required("originator"),
            status=fields.choice("group status", frozenset("1234")),
            as_of_on=fields.required_day("as-of date"),
            as_of_time=fields.time("as-of time"),
            currency=fields.currency(),
            as_of_modifier=fields.choice("as-of date modifier", frozenset({"", *"1234"})),
            source=record.source,
        )
        fields.end()
        self._group = _OpenGroup(group, records=record.physical_count)

    def _open_account(self, record: LogicalRecord) -> None:
        if self._account is not None:
            message = "The account before has no trailer (49)."
            self._structure(record, "missing_account_trailer", message)
            self._finish_account()
        if self._group is None:
            self._structure(record, "account_outside_group", "An account stands outside a group.")
            self._group = _OpenGroup(Group("", date.min))
        fields = _Fields(record, self.findings)
        number, currency = fields.required("account number"), fields.currency()
        balances = _balances(fields)
        account = Account(number, currency, balances, source=record.source)
        total_cents = sum(item.amount_cents or 0 for item in balances)
        self._account = _OpenAccount(account, [], total_cents, record.physical_count)

    def _add_transaction(self, record: LogicalRecord) -> None:
        if self._account is None:
            message = "A transaction stands outside an account."
            self._structure(record, "transaction_outside_account", message)
            return
        item = _transaction(record, self.findings)
        self._account.transactions.append(item)
        self._account.total_cents += item.amount_cents or 0

    def _close_account(self, record: LogicalRecord) -> None:
        if self._account is None:
            message = "An account trailer (49) has no account (03)."
            self._structure(record, "stray_trailer", message)
            return
        fields = _Fields(record, self.findings)
        self._compare(
            record, "account total", fields.amount("account total"), self._account.total_cents
        )
        self._compare(
            record, "account record count", fields.count("record count"), self._account.records
        )
        fields.end()
        self._finish_account()

    def _finish_account(self) -> None:
        if self._account is not None and self._group is not None:
            begun = self._account
            account = replace(begun.fields, transactions=tuple(begun.transactions))
            self._group.accounts.append(account)
            self._group.total_cents += begun.total_cents
        self._account = None

    def _close_group(self, record: LogicalRecord) -> None:
        if self._account is not None:
            message = "The account before has no trailer (49)."
            self._structure(record, "missing_account_trailer", message)
            self._finish_account()
        if self._group is None:
            self._structure(record, "stray_trailer", "A group trailer (98) has no group (02).")
            return
        fields, group = _Fields(record, self.findings), self._group
        self._compare(record, "group total", fields.amount("group total"), group.total_cents)
        self._compare(
            record, "account count", fields.count("number of accounts"), len(group.accounts)
        )
        self._compare(record, "group record count", fields.count("record count"), group.records)
        fields.end()
        self._finish_group(self._group)

    def _finish_group(self, group: _OpenGroup) -> None:
        self._finish_account()
        self.groups.append(replace(group.fields, accounts=tuple(group.accounts)))
        self._total_cents += group.total_cents
        self._group = None

    def _close_file(self, record: LogicalRecord) -> None:
        if self._group is not None:
            self._structure(
                record, "missing_group_trailer", "The group before has no trailer (98)."
            )
            self._finish_group(self._group)
        fields = _Fields(record, self.findings)
        self._compare(record, "file total", fields.amount("file total"), self._total_cents)
        self._compare(record, "group count", fields.count("number of groups"), len(self.groups))
        self._compare(record, "file record count", fields.count("record count"), self._records)
        fields.end()
        self.is_closed = True


_BLANK: Final = Bai2File("", "", date.min, "", "")


def _balances(fields: _Fields) -> tuple[Balance, ...]:
    """Read the repeated sets of a 03 record; a set of nothing but empty fields is no set."""
    balances: list[Balance] = []
    while True:
        fields.cursor.skip_dangling()
        if fields.cursor.finished:
            return tuple(balances)
        type_code = fields.text()
        is_signed_at = fields.cursor.line
        item = Balance(
            type_code, fields.amount("amount"), fields.count("item count"), fields.funds()
        )
        if not type_code and item == Balance(""):
            continue
        if not _TYPE_CODE.fullmatch(type_code):
            fields.note("bad_type_code", f"The type code is {type_code!r}; expected three digits.")
        if (item.amount_cents or 0) < 0 and direction_of(type_code) is not Direction.NONE:
            message = f"The summary {type_code} on line {is_signed_at} has a sign."
            fields.note("signed_summary", message, is_warning=True)
        balances.append(item)


def _transaction(record: LogicalRecord, findings: list[Finding]) -> Transaction:
    fields = _Fields(record, findings)
    type_code = fields.type_code()
    amount_cents = fields.amount("amount")
    if (amount_cents or 0) < 0:
        message = "The amount of a transaction has a sign; its direction comes from the type code."
        fields.note("signed_amount", message, is_warning=True)
    funds = fields.funds()
    bank_reference, customer_reference = fields.text(), fields.text()
    lines = fields.cursor.text_lines()
    if lines and lines[0].startswith("/"):
        message = "There is something after the end of the record."
        fields.note("after_end", message)
    return Transaction(
        type_code, amount_cents, funds, bank_reference, customer_reference, lines, record.source
    )


def read(data: bytes) -> Bai2File:
    """Read a whole BAI2 file (version 2), with its warnings in ``findings``.

    Raises Bai2Error, with every error found, if the structure, a field or a control total is
    wrong: there is never a partial result.
    """
    findings: list[Finding] = []
    text = decode(data, findings)
    assembler = _Assembler(findings)
    for record in logical_records(text, findings):
        assembler.feed(record)
    if assembler.header is None:
        findings.append(Finding(0, "", "empty_file", "The file holds no BAI2 record."))
    elif not assembler.is_closed:
        findings.append(Finding(0, "99", "no_trailer", "The file ends without a trailer (99)."))
    findings.sort(key=lambda item: item.line)
    if assembler.header is None or any(not item.is_warning for item in findings):
        raise Bai2Error(tuple(findings))
    groups = tuple(assembler.groups)
    return replace(assembler.header, groups=groups, findings=tuple(findings))
