"""Reading journey.toml: every fault is found, with line and reason, before anything is played."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from seedtrust.core.bankdays import is_banking_day
from seedtrust.core.errors import InvalidAmount
from seedtrust.core.money import parse_dollars
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.funding_rules import FundingPolicy, due_milestones
from seedtrust.domain.cases.states import STAGES_OF, CaseKind, Milestone
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.states import CaseRail
from seedtrust.domain.terms.states import Category, TaxClass, TermApprover, TermKind
from seedtrust.formats.nacha import RETURN_CODES, is_valid_routing_number
from seedtrust.journeys import coherence
from seedtrust.journeys.lines import line_numbers
from seedtrust.journeys.script import (
    ACCOUNT_CLOSED,
    BOUNCED_DEPOSIT,
    RETURN,
    AccountChangeSpec,
    BankAccount,
    BankEventSpec,
    ClosingSpec,
    DepositSpec,
    Journey,
    LineSpec,
    MilestoneSpec,
    PartySpec,
    PayeeSpec,
    RequestSpec,
    TermSpec,
)

FORMAT: Final = 1
ANSWERS: Final = ("approved", "denied", "refused", "withdrawn")
# Which keys each event needs besides its day, and which it may have.
BANK_EVENTS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    ACCOUNT_CLOSED: (("payee",), ()),
    RETURN: (("payee", "code"), ("settled_on", "category")),
    BOUNCED_DEPOSIT: (("deposit_on",), ()),
}
# Codes with which a payee's own bank sends a payment back.
RETURNABLE_WITH: Final = tuple(
    code for code, row in sorted(RETURN_CODES.items()) if not row.is_bank_to_bank
)
PARTY_ROLES: Final = (
    Role.INTENDED_PARENT,
    Role.IP_REPRESENTATIVE,
    Role.DONOR,
    Role.SURROGATE,
    Role.AGENCY_ADMINISTRATOR,
    Role.CASE_MANAGER,
    Role.ATTORNEY,
)
_TABLES: Final = {
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
        "evidence",
    ),
    "milestones": ("code", "on", "occurred_on", "proof"),
    "deposits": ("on", "amount", "from", "names_the_case", "matched_on", "by"),
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
    ),
    "account_changes": ("on", "payee", "account"),
    "bank_events": ("on", "event", "payee", "code", "settled_on", "category", "deposit_on"),
    "closing": ("obligations_ended_on", "accounting_on", "certified_on", "refund_to", "refund_on"),
}
_LISTS: Final = frozenset(_TABLES) - {"", "case", "closing"}
_MISSING: Final = object()
Value = TypeVar("Value")


class JourneyRefused(Exception):
    """The file cannot be played; `faults` holds one sentence with its line for each reason."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        """Keep the file and every fault in it."""
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))
        self.path = path
        self.faults = faults


def read_journey(path: Path) -> Journey:
    """Read and check one journey.toml. Raises JourneyRefused with every fault that it has."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise JourneyRefused(path, [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise JourneyRefused(path, [f"is not UTF-8 text at byte {error.start}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise JourneyRefused(path, [f"is not valid TOML: {error}"]) from error
    return _Reader(path, text, data).journey()


class _Table:
    """One table of the file, read key by key; faults are collected, not raised."""

    def __init__(self, reader: _Reader, name: str, index: int, values: Mapping[str, Any]) -> None:
        self._reader, self._name, self._index, self._values = reader, name, index, values
        for key in values:
            if key not in _TABLES[name] and not (name == "" and key in _TABLES):
                known = ", ".join(_TABLES[name])
                self.fault(key, f"“{key}” is not known here; choose from {known}")

    def fault(self, key: str, reason: str) -> None:
        """Note a fault at the key's line, or at the table's when the key is missing."""
        self._reader.fault(self._name, self._index, key, reason)

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
    if not isinstance(value, dict) or set(value) != {"what", "amount"}:
        message = 'each line is written as { what = "…", amount = "12.50" }'
        raise ValueError(message)
    try:
        return LineSpec(str(value["what"]), parse_dollars(str(value["amount"]), "lines"))
    except InvalidAmount as error:
        raise ValueError(error.detail) from error


class _Reader:
    """Reads the whole file and raises once, with every fault."""

    def __init__(self, path: Path, text: str, data: Mapping[str, Any]) -> None:
        self._path = path
        self._data = data
        self._lines = line_numbers(text)
        self._faults: list[tuple[int, str]] = []

    def fault(self, table: str, index: int, key: str, reason: str) -> None:
        """Note a fault with its line."""
        line = self._lines.get((table, index, key)) or self._lines.get((table, index, ""), 1)
        self._faults.append((line, f"line {line}: {reason}"))

    def _one(self, name: str) -> _Table:
        values = self._data.get(name)
        if not isinstance(values, dict):
            self.fault("", 0, name, f"the table [{name}] is missing")
            values = {}
        return _Table(self, name, 0, values)

    def _many(self, name: str) -> list[_Table]:
        values = self._data.get(name, [])
        if not isinstance(values, list) or any(not isinstance(item, dict) for item in values):
            self.fault(name, 0, "", f"write each of these as its own [[{name}]]")
            return []
        return [_Table(self, name, index, item) for index, item in enumerate(values)]

    def journey(self) -> Journey:
        """Return the journey. Raises JourneyRefused."""
        top = _Table(self, "", 0, self._data)
        if top.number("format") != FORMAT:
            top.fault("format", f"this program reads format {FORMAT}")
        name = top.text("name")
        case = self._one("case")
        parties = tuple(map(self._party, self._many("parties")))
        payees = tuple(map(self._payee, self._many("payees")))
        journey = self._assembled(name, case, parties, payees)
        if not self._faults:
            for place, reason in coherence.faults_of(journey):
                self.fault(*place, reason)
        if self._faults:
            raise JourneyRefused(self._path, [text for _, text in sorted(self._faults)])
        return journey

    def _assembled(
        self,
        name: str,
        case: _Table,
        parties: tuple[PartySpec, ...],
        payees: tuple[PayeeSpec, ...],
    ) -> Journey:
        agency_account = case.account("agency_account", needed=True)
        kind = case.word("kind", tuple(CaseKind))
        stages = {stage.value.lower(): stage.value for stage in STAGES_OF[CaseKind(kind)]}
        milestones = {code.value: code.value for code in due_milestones(CaseKind(kind))}
        by_stage = case.is_table("minimum_balance")
        return Journey(
            name=name,
            kind=kind,
            number=self._number(case),
            case_name=case.text("name"),
            rail=case.word("rail", tuple(CaseRail)),
            anonymous=case.flag("anonymous", default=False),
            agency=case.text("agency"),
            agency_account=agency_account or BankAccount("", "", "checking", ""),
            minimum_cents=0 if by_stage else case.cents("minimum_balance", 0),
            funding=FundingPolicy(
                case.amounts("minimum_balance", stages, may_be_none=True) if by_stage else {},
                case.amounts("due_at", milestones),
                case.cents("top_up", None),
            ),
            funding_required_cents=case.cents("funding_required"),
            all_parents_approve=case.flag("all_parents_approve", default=False),
            opened_on=case.banking_day("opened_on"),
            escrow_agreement_on=case.banking_day("escrow_agreement_on"),
            agreement_on=case.banking_day("agreement_on"),
            parties=parties,
            payees=payees,
            terms=tuple(map(self._term, self._many("terms"))),
            milestones=tuple(map(self._milestone, self._many("milestones"))),
            deposits=tuple(map(self._deposit, self._many("deposits"))),
            requests=tuple(map(self._request, self._many("requests"))),
            account_changes=tuple(map(self._account_change, self._many("account_changes"))),
            bank_events=tuple(map(self._bank_event, self._many("bank_events"))),
            closing=self._closing(),
            terminated_on=case.banking_day("terminated_on", None),
        )

    @staticmethod
    def _number(case: _Table) -> int:
        number = case.number("number")
        if case.has("number") and len(str(number)) != 6:  # noqa: PLR2004 - as the product wants it
            case.fault("number", "the case number must have six digits, such as 100398")
        return number

    def _party(self, table: _Table) -> PartySpec:
        role = table.word("role", tuple(role.value for role in PARTY_ROLES))
        principal = role in {Role.INTENDED_PARENT, Role.DONOR, Role.SURROGATE}
        return PartySpec(
            table.text("key"),
            role,
            table.text("name"),
            table.text("email"),
            table.text("alias", ""),
            table.text("state", ""),
            table.account("account", needed=False),
            table.flag("signs", default=principal),
            table.flag("certifies", default=principal),
        )

    def _payee(self, table: _Table) -> PayeeSpec:
        account = table.account("account", needed=True)
        name = table.text("name")
        return PayeeSpec(
            table.text("key"),
            name,
            table.text("label", name),
            account or BankAccount("", "", "checking", ""),
        )

    def _term(self, table: _Table) -> TermSpec:
        kind = table.word("kind", tuple(TermKind))
        scheduled = kind in {TermKind.SCHEDULED, TermKind.FEE}
        if scheduled and not table.has("trigger"):
            table.fault("trigger", f"a {kind} term needs the milestone that triggers it")
        if scheduled and not table.has("amount"):
            table.fault("amount", f"a {kind} term needs its amount")
        approver = TermApprover.PRE_AUTHORISED if scheduled else TermApprover.ESCROW
        return TermSpec(
            table.text("clause"),
            table.text("title"),
            table.word("category", tuple(Category)),
            table.word("tax_class", tuple(TaxClass)),
            kind,
            table.word("approver", tuple(TermApprover), approver.value),
            table.text("payee", None),
            table.cents("amount", None),
            table.cents("cap", None),
            table.word("trigger", tuple(Milestone), None),
            table.number("pay_after", 0),
            table.texts("evidence"),
        )

    def _milestone(self, table: _Table) -> MilestoneSpec:
        on = table.banking_day("on")
        return MilestoneSpec(
            table.word("code", tuple(Milestone)),
            on,
            table.day("occurred_on", on),
            table.text("proof", "Letter"),
        )

    def _deposit(self, table: _Table) -> DepositSpec:
        on = table.banking_day("on")
        rail = table.word("by", tuple(ReceiptRail), ReceiptRail.WIRE.value)
        named = table.flag("names_the_case", default=True)
        matched_on = table.banking_day("matched_on", on)
        if named and table.has("matched_on"):
            table.fault("matched_on", f"a {rail} that names the case is matched as it comes in")
        elif matched_on < on:
            table.fault("matched_on", f"this is before the {rail} comes in on {on}")
        sender = table.text("from")
        return DepositSpec(on, table.cents("amount"), sender, named, matched_on, rail)

    def _request(self, table: _Table) -> RequestSpec:
        on = table.banking_day("on")
        reviewed_on = table.banking_day("reviewed_on", on)
        cents = table.cents("amount")
        answer = table.word("answer", ANSWERS, "approved")
        if answer in {"denied", "refused"} and not table.has("reason"):
            table.fault("reason", f"a request that is {answer} needs the reason")
        lines = table.lines("lines")
        if lines and sum(line.amount_cents for line in lines) != cents:
            table.fault("lines", "the lines do not add up to the amount")
        return RequestSpec(
            on,
            table.text("by"),
            table.text("payee"),
            table.word("category", tuple(Category)),
            cents,
            table.text("description"),
            table.texts("evidence"),
            lines,
            reviewed_on,
            table.banking_day("approved_on", reviewed_on),
            table.cents("approved", cents),
            answer,
            table.text("reason", ""),
        )

    def _account_change(self, table: _Table) -> AccountChangeSpec:
        account = table.account("account", needed=True)
        return AccountChangeSpec(
            table.banking_day("on"),
            table.text("payee"),
            account or BankAccount("", "", "checking", ""),
        )

    def _bank_event(self, table: _Table) -> BankEventSpec:
        event = table.word("event", tuple(BANK_EVENTS))
        needed, allowed = BANK_EVENTS[event]
        for key in ("payee", "code", "settled_on", "category", "deposit_on"):
            if table.has(key) and key not in needed + allowed:
                table.fault(
                    key, f"“{key}” says nothing about {event}; it needs {', '.join(needed)}"
                )
        is_return = event == RETURN
        if is_return and not (table.has("settled_on") or table.has("category")):
            reason = "say which payment comes back: give settled_on, category, or both"
            table.fault("event", reason)
        return BankEventSpec(
            table.banking_day("on"),
            event,
            table.text("payee") if "payee" in needed else None,
            table.word("code", RETURNABLE_WITH) if is_return else "",
            table.banking_day("settled_on", None) if is_return else None,
            table.word("category", tuple(Category), None) if is_return else None,
            table.banking_day("deposit_on") if event == BOUNCED_DEPOSIT else None,
        )

    def _closing(self) -> ClosingSpec | None:
        if "closing" not in self._data:
            return None
        table = self._one("closing")
        certified_on = table.banking_day("certified_on")
        return ClosingSpec(
            table.banking_day("obligations_ended_on"),
            table.banking_day("accounting_on"),
            certified_on,
            table.text("refund_to"),
            table.banking_day("refund_on", certified_on),
        )
