"""Writes a BAI2 file, computing every trailer from its content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NoReturn

from seedtrust.formats.bai2.findings import Bai2Error, Finding
from seedtrust.formats.bai2.model import Account, Bai2File, Balance, Funds, Group, Transaction

_FIELD: Final = re.compile(r"(?! )[\x20-\x7e]*(?<! )|")
_TEXT: Final = re.compile(r"[\x20-\x7e]+")
_CODE: Final = re.compile(r"[0-9]{3}")
_FUNDS_KINDS: Final = frozenset({"", "0", "1", "2", "Z", "V", "S", "D"})
_WINDOW: Final = range(1980, 2080)
MIN_LINE_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class _Lines:
    lines: list[str]
    total_cents: int


def write(file: Bai2File, *, max_length: int = 80) -> bytes:
    """Return the file as bytes: ASCII, LF line ends, no line longer than ``max_length``.

    A text line that is too long is broken over continuation records; its ``text`` stays the same
    when read back. Raises Bai2Error if a value cannot be expressed in the format.
    """
    if max_length < MIN_LINE_LENGTH:
        _refuse("", "bad_length", f"Lines cannot be shorter than {MIN_LINE_LENGTH}.")
    groups = [_group(group, max_length) for group in file.groups]
    header = [
        "01",
        _field("sender", file.sender),
        _field("receiver", file.receiver),
        _day(file.created_on),
        _field("creation time", file.created_time),
        _field("file identification", file.file_id),
        _number(file.record_length),
        _number(file.block_size),
        "2",
    ]
    lines = _pack(header, max_length)
    for group in groups:
        lines.extend(group.lines)
    total_cents = sum(group.total_cents for group in groups)
    lines.append(f"99,{total_cents},{len(groups)},{len(lines) + 1}/")
    return "".join(line + "\n" for line in lines).encode("ascii")


def _refuse(record: str, code: str, message: str) -> NoReturn:
    raise Bai2Error((Finding(0, record, code, message),))


def _field(name: str, value: str) -> str:
    if not _FIELD.fullmatch(value) or "," in value or "/" in value:
        message = (
            f"The {name} {value!r} cannot be written: plain ASCII without comma, slash or blanks"
            " at its ends is needed."
        )
        _refuse("", "bad_value", message)
    return value


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _day(value: date | None) -> str:
    if value is None:
        return ""
    if value.year not in _WINDOW:
        _refuse("", "bad_value", f"The year of {value} does not fit two digits.")
    return value.strftime("%y%m%d")


def _type_code(value: str) -> str:
    if not _CODE.fullmatch(value):
        _refuse("", "bad_type_code", f"The type code {value!r} is not three digits.")
    return value


def _funds(funds: Funds) -> list[str]:
    if funds.kind not in _FUNDS_KINDS:
        _refuse("", "bad_funds_type", f"The funds type {funds.kind!r} does not exist.")
    if funds.kind == "V":
        return ["V", _day(funds.value_on), _field("value time", funds.value_time)]
    if funds.kind == "S":
        if [days for days, _ in funds.parts] != [0, 1, 2]:
            message = "Funds of type S need the amounts available after 0, 1 and 2 days."
            _refuse("", "bad_funds_type", message)
        return ["S", *(str(cents) for _, cents in funds.parts)]
    if funds.kind == "D":
        pairs = [str(value) for pair in funds.parts for value in pair]
        return ["D", str(len(funds.parts)), *pairs]
    return [funds.kind]


def _pack(fields: Iterable[str], max_length: int) -> list[str]:
    """Join fields to physical records; a slash stands where a record is continued or ends."""
    lines: list[str] = []
    line = ""
    for value in fields:
        candidate = f"{line},{value}" if line else value
        if len(candidate) + 1 > max_length:
            lines.append(line + "/")
            candidate = f"88,{value}"
            if len(candidate) + 1 > max_length:
                message = f"The value {value!r} does not fit on a line of {max_length}."
                _refuse("", "too_long", message)
        line = candidate
    lines.append(line + "/")
    return lines


def _group(group: Group, max_length: int) -> _Lines:
    header = [
        "02",
        _field("ultimate receiver", group.ultimate_receiver),
        _field("originator", group.originator),
        _field("group status", group.status),
        _day(group.as_of_on),
        _field("as-of time", group.as_of_time),
        _field("currency", group.currency),
        _field("as-of date modifier", group.as_of_modifier),
    ]
    accounts = [_account(account, max_length) for account in group.accounts]
    lines = _pack(header, max_length)
    for account in accounts:
        lines.extend(account.lines)
    total_cents = sum(account.total_cents for account in accounts)
    lines.append(f"98,{total_cents},{len(accounts)},{len(lines) + 1}/")
    return _Lines(lines, total_cents)


def _balance(item: Balance) -> list[str]:
    amount = _number(item.amount_cents)
    return [_type_code(item.type_code), amount, _number(item.item_count), *_funds(item.funds)]


def _account(account: Account, max_length: int) -> _Lines:
    fields = ["03", _field("account number", account.account_number)]
    fields.append(_field("currency", account.currency))
    for item in account.balances:
        fields.extend(_balance(item))
    if not account.balances:
        # An account without summaries still writes the empty set of four optional fields.
        fields.extend(["", "", "", ""])
    lines = _pack(fields, max_length)
    for transaction in account.transactions:
        lines.extend(_transaction(transaction, max_length))
    total_cents = sum(item.amount_cents or 0 for item in account.balances)
    total_cents += sum(item.amount_cents or 0 for item in account.transactions)
    lines.append(f"49,{total_cents},{len(lines) + 1}/")
    return _Lines(lines, total_cents)


def _transaction(item: Transaction, max_length: int) -> list[str]:
    fields = ["16", _type_code(item.type_code), _number(item.amount_cents), *_funds(item.funds)]
    fields.append(_field("bank reference", item.bank_reference))
    fields.append(_field("customer reference", item.customer_reference))
    if not item.text_lines:
        return _pack([*fields, ""], max_length)
    lines = _pack(fields, max_length)
    pieces = list(_text_pieces(item.text_lines, max_length - len("88,")))
    joined = lines[-1].removesuffix("/") + "," + pieces[0]
    if len(joined) <= max_length:
        lines[-1] = joined
        pieces = pieces[1:]
    lines.extend(f"88,{piece}" for piece in pieces)
    return lines


def _text_pieces(text_lines: tuple[str, ...], width: int) -> Iterator[str]:
    if text_lines[0].startswith((",", "/")):
        _refuse("16", "bad_text", "A text may not begin with a comma or a slash.")
    for line in text_lines:
        if not _TEXT.fullmatch(line) or line.endswith(" "):
            message = f"The text line {line!r} needs plain ASCII and no blank at its end."
            _refuse("16", "bad_text", message)
        rest = line
        while rest:
            piece = rest if len(rest) < width else rest[: width - 1].rstrip(" ")
            if not piece:
                _refuse("16", "bad_text", "A text has more blanks in a row than a line.")
            rest = rest[len(piece) :]
            # Readers take one slash at the end of a line for a terminator, so it is doubled.
            yield piece + "/" if piece.endswith("/") else piece
