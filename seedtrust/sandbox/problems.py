"""The refusals of the sandbox bank and the checking of what callers send it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from seedtrust.core.money import MAX_AMOUNT_CENTS
from seedtrust.formats.nacha import is_valid_routing_number

_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")
_FIRST_YEAR: Final = 2000
# Statements carry years of two digits, and a clock moved by mistake cannot be moved back.
_LAST_YEAR: Final = 2078
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
CLIENT_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
ACCOUNT_NUMBER: Final = re.compile(r"[A-Za-z0-9-]{1,17}")
COMPANY_IDENTIFICATION: Final = re.compile(r"[\x20-\x7e]{1,10}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")

TITLES: Final[dict[str, tuple[int, str]]] = {
    "malformed": (400, "The request could not be read"),
    "unauthenticated": (401, "The API key is missing or wrong"),
    "token_expired": (401, "The access token is over"),
    "not_entitled": (403, "The account may not use this rail"),
    "not_found": (404, "Not found"),
    "reference_reused": (409, "This reference belongs to another request"),
    "already_exists": (409, "This already exists with other values"),
    "clock_backwards": (409, "The clock only moves forward"),
    "insufficient_funds": (409, "The available balance is too low"),
    "wrong_state": (409, "This is not possible any more"),
    "cutoff_passed": (409, "Today's cut-off has passed"),
    "too_late": (409, "This cannot be stopped any more"),
    "invalid": (422, "Please check the values"),
    "rate_limited": (429, "Too many requests"),
    "internal_error": (500, "Something went wrong at the bank"),
    "not_supported": (501, "The bank does not offer this"),
    "unavailable": (503, "The bank is not available now"),
}


class BankProblem(Exception):
    """A refusal, rendered as RFC 9457 problem details; ``code`` is a key of ``TITLES``."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Mapping[str, list[str]] | None = None,
        **facts: str | int | None,
    ) -> None:
        """Keep the sentence, the messages by field and the facts."""
        super().__init__(detail)
        self.code = code
        self.status, self.title = TITLES[code]
        self.detail = detail
        self.errors = dict(errors or {})
        self.facts = facts

    def as_json(self) -> dict[str, object]:
        """Return the body of the reply."""
        body: dict[str, object] = {
            "type": f"urn:sandbox-bank:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = self.errors
        return body | self.facts


class Values:
    """Takes checked values out of a JSON object, collecting what is wrong by field."""

    def __init__(self, values: object, *, prefix: str = "") -> None:
        """Take the object; raise BankProblem if it is none and is not part of another."""
        self._prefix = prefix
        self._errors: dict[str, list[str]] = {}
        self._taken: set[str] = set()
        self._parts: list[Values] = []
        if isinstance(values, Mapping):
            self._values: Mapping[str, object] = values
        elif prefix:
            self._values = {}
            self._errors[prefix.rstrip(".")] = ["Give an object."]
        else:
            raise BankProblem("malformed", "Send a JSON object.")

    def refuse(self, name: str, message: str) -> None:
        """Note that a field is wrong."""
        self._errors.setdefault(self._prefix + name, []).append(message)

    def _take(self, name: str) -> object:
        self._taken.add(name)
        return self._values.get(name)

    def text(
        self,
        name: str,
        *,
        longest: int,
        pattern: re.Pattern[str] = _PRINTABLE,
        is_required: bool = True,
    ) -> str:
        """Take a text; the message for a misfit names the longest length."""
        value = self._take(name)
        if value is None and not is_required:
            return ""
        if not isinstance(value, str) or (is_required and not value.strip()):
            self.refuse(name, "Give a text.")
            return ""
        if len(value) > longest or not pattern.fullmatch(value):
            self.refuse(name, f"Give at most {longest} of the characters that are allowed here.")
        return value

    def cents(self, name: str, *, lowest: int = 1) -> int:
        """Take a whole number of cents, up to the widest amount of the application."""
        value = self._take(name)
        if type(value) is not int or not lowest <= value <= MAX_AMOUNT_CENTS:
            self.refuse(name, f"Give a whole number of cents from {lowest} to {MAX_AMOUNT_CENTS}.")
            return 0
        return value

    def count(self, name: str) -> int:
        """Take a whole number that is not negative."""
        value = self._take(name)
        if type(value) is not int or not 0 <= value < 10**15:
            self.refuse(name, "Give a whole number that is not negative.")
            return 0
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Take true or false."""
        value = self._take(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, "Give true or false.")
            return default
        return value

    def number(self, name: str, *, highest: int, default: int | None, lowest: int = 0) -> int:
        """Take a whole number within bounds; without a default it must be there."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        if type(value) is not int or not lowest <= value <= highest:
            self.refuse(name, f"Give a whole number from {lowest} to {highest}.")
            return lowest
        return value

    def seconds(self, name: str, *, highest: int, default: float) -> float:
        """Take a duration in seconds, whole or not."""
        value = self._take(name)
        if value is None:
            return default
        if not _is_number(value) or not 0 <= value <= highest:  # type: ignore[operator]
            self.refuse(name, f"Give a number of seconds from 0 to {highest}.")
            return default
        return float(value)  # type: ignore[arg-type]

    def some_of(
        self, name: str, allowed: tuple[str, ...], *, default: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Take a list of some of a few words."""
        value = self._take(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(item in allowed for item in value):
            self.refuse(name, f"Give a list of some of: {', '.join(allowed)}.")
            return default
        return tuple(word for word in allowed if word in value)

    def choice(self, name: str, allowed: Iterable[str], *, default: str | None = None) -> str:
        """Take one of a few words; without a default it must be there."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        known = sorted(allowed)
        if not isinstance(value, str) or value not in known:
            self.refuse(name, f"Give one of: {', '.join(known)}.")
            return ""
        return value

    def routing_number(self, name: str) -> str:
        """Take nine digits whose check digit fits."""
        value = self._take(name)
        if not isinstance(value, str) or not is_valid_routing_number(value):
            self.refuse(name, "Give nine digits whose check digit is right.")
            return ""
        return value

    def texts(self, name: str, *, longest: int, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Take a list of different texts."""
        value = self._take(name)
        if not isinstance(value, list):
            self.refuse(name, "Give a list of texts.")
            return ()
        good = [item for item in value if isinstance(item, str) and pattern.fullmatch(item)]
        if len(good) != len(value) or len(set(good)) != len(good):
            self.refuse(name, f"Give different texts of at most {longest} characters each.")
        return tuple(good)

    def day(self, name: str) -> date:
        """Take a date, YYYY-MM-DD."""
        value = self._take(name)
        found = parse_day(value) if isinstance(value, str) else None
        if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            self.refuse(name, f"Give a date as YYYY-MM-DD, from {_FIRST_YEAR} to {_LAST_YEAR}.")
        return found or date.min

    def instant(self, name: str) -> datetime:
        """Take an instant with its zone, RFC 3339."""
        value = self._take(name)
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self.refuse(name, "Give an instant with its zone, for example 2026-01-22T15:00:00Z.")
            return datetime.max.replace(tzinfo=UTC)
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            self.refuse(name, f"Give an instant from {_FIRST_YEAR} to {_LAST_YEAR}.")
            return datetime.max.replace(tzinfo=UTC)
        return found.astimezone(UTC)

    def part(self, name: str) -> Values:
        """Take an object inside the object; its errors are reported with this one's."""
        part = Values(self._take(name), prefix=f"{self._prefix}{name}.")
        self._parts.append(part)
        return part

    def anything(self, name: str) -> object:
        """Take a value of any kind, None if it is not there."""
        return self._take(name)

    def amounts_of_seconds(
        self, name: str, *, highest: int, default: tuple[float, ...]
    ) -> tuple[float, ...]:
        """Take a list of durations in seconds, at least one."""
        value = self._take(name)
        if value is None:
            return default
        is_list = isinstance(value, list) and bool(value)
        if not is_list or not all(_is_number(item) and 0 <= item <= highest for item in value):  # type: ignore[attr-defined]
            self.refuse(name, f"Give a list of seconds from 0 to {highest}.")
            return default
        return tuple(float(item) for item in value)  # type: ignore[attr-defined]

    def has(self, name: str) -> bool:
        """Tell whether a field is there."""
        return self._values.get(name) is not None

    def is_object(self, name: str) -> bool:
        """Tell whether a field holds an object."""
        return isinstance(self._values.get(name), Mapping)

    def optional_part(self, name: str) -> Values | None:
        """Take an object inside the object, or None if it is not there."""
        if self._values.get(name) is None:
            self._taken.add(name)
            return None
        return self.part(name)

    def done(self) -> None:
        """Raise BankProblem naming every field that is wrong or not known."""
        errors = self._all_errors()
        if errors:
            fields = ", ".join(errors)
            raise BankProblem("invalid", f"Correct these fields: {fields}.", errors=errors)

    def _all_errors(self) -> dict[str, list[str]]:
        for name in self._values:
            if name not in self._taken:
                self.refuse(name, "This field is not known.")
        errors = dict(self._errors)
        for part in self._parts:
            errors |= part._all_errors()  # noqa: SLF001 - of the same class
        return errors


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse_day(text: str) -> date | None:
    """Return the date, or None if the text is no date as YYYY-MM-DD."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
