"""One batch on its way in: every rule that spans its header, entries, addenda and control."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from seedtrust.core.bankdays import is_banking_day
from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.addenda import addenda_layout, objections
from seedtrust.formats.nacha.codes import (
    SEC_CODES,
    ServiceClass,
    reserved_description,
    sec_of_header,
)
from seedtrust.formats.nacha.fields import RECORD_LENGTH
from seedtrust.formats.nacha.parsed import BatchHeader, Control, ParsedAddenda, ParsedEntry
from seedtrust.formats.nacha.routing import is_valid_routing_number
from seedtrust.formats.nacha.rules import (
    HASH_MODULUS,
    SAME_DAY_LIMIT_CENTS,
    EntryRule,
    entry_rules,
    refusal_of_code,
)

if TYPE_CHECKING:
    from seedtrust.formats.nacha.codes import SecCode
    from seedtrust.formats.nacha.fields import Layout
    from seedtrust.formats.nacha.findings import Findings

_KNOWN_ROUTING: Final = 20_000
_CAPTURED: Final = (
    "transaction_code",
    "amount_cents",
    "addenda_indicator",
    "trace_number",
)
_MATCHERS: Final = {
    layout: layout.matcher(*_CAPTURED).match for layout in {sec.entry for sec in SEC_CODES.values()}
}
_REMITTANCE: Final = layouts.ADDENDA_05.matcher("addenda_sequence", "entry_sequence").match
_DIGITS: Final = re.compile(r" *[0-9]+ *", re.ASCII)
_SAME_DAY: Final = re.compile(r"SD[0-9]{4}", re.ASCII)
_FAR_AHEAD: Final = timedelta(days=45)
_LAST_CREDIT_DIGIT: Final = "4"
_TRACE: Final = re.compile(r"[0-9]{15}", re.ASCII)
_TWO_DIGITS: Final = re.compile(r"[0-9]{2}", re.ASCII)
_REASONS: Final = frozenset({"98", "99"})
_REPEATED: Final = (
    "service_class",
    "company_identification",
    "odfi_identification",
    "batch_number",
)
_MOST_ADDENDA: Final = 9999
_PAYMENT_TYPES: Final = frozenset({"R ", "S ", "ST"})

#: Routing numbers found good, with the eight digits that the hash adds up.
KnownRouting = dict[str, int]


def _number(text: str) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) else None


class BatchScan:
    """The state of one batch while its records pass by."""

    def __init__(
        self,
        findings: Findings,
        record: str,
        line: int,
        known: KnownRouting,
        created_on: date | None,
    ) -> None:
        """Begin a batch with its header record, or with blanks if it has none."""
        self.records = 0
        self.entry_hash = 0
        self.debit_cents = 0
        self.credit_cents = 0
        self.record = record
        self.line = line
        self.sec: SecCode = sec_of_header(record)
        self.header = BatchHeader(self.sec.batch, record, line)
        self._findings = findings
        self._known = known
        self._is_missing = self.header.is_missing
        self._service_class = self.header.service_class
        self._rules = entry_rules(self.sec.code, self._service_class)
        self._entry_match = _MATCHERS[self.sec.entry]
        self._account_start = self.sec.entry.slices["account_number"].start
        self._odfi = record[79:87]
        self._is_same_day = False
        self._lacks_date = False
        self._last_trace = ""
        self._wants_records = findings.wants_records
        self._has_count = "addenda_count" in self.sec.entry.slices
        self._is_plain = False
        self._needs_close = False
        self._has_entry = False
        self._rule: EntryRule | None = None
        self._entry = ""
        self._entry_line = 0
        self._trace = ""
        self._remittances = 0
        self._announced = 0
        self._counts: dict[str, int] = {}
        self._addenda: list[ParsedAddenda] = []
        if not self._is_missing:
            self._check_header(created_on)
        self._has_extras = self.sec.has_payment_type or self._is_same_day or self._lacks_date
        if findings.wants_records:
            findings.events.append(self.header)

    # Header

    def _check_header(self, created_on: date | None) -> None:
        layout, findings = self.sec.batch, self._findings
        self._lacks_date = not self.record[layout.slices["effective_on"]].strip("0 ")
        but = "effective_on" if self._lacks_date else ""
        if not layout.match.match(self.record) and not findings.misfits(
            layout, self.record, self.line, but=but
        ):
            self._lacks_date = False
            return
        if not self.sec.code:
            message = "There is no such standard entry class."
            findings.of_field(layout, "sec_code", self.line, "sec-code", message)
        if (self._service_class == ServiceClass.ADVICES.value) is not (self.sec.code == "ADV"):
            message = "The service class 280 goes with ADV, and ADV with nothing else."
            findings.of_field(layout, "service_class", self.line, "wrong-value", message)
        if layout is layouts.BATCH_HEADER:
            self._check_description()
            self._check_descriptive_date()
        effective_on = self.header.effective_on
        if effective_on is not None:
            self._check_effective(effective_on, created_on)

    def _check_description(self) -> None:
        text = self.header.entry_description
        row = reserved_description(text)
        if row is None:
            return
        if row.purpose is None:
            problem = f"{row.meaning}, which we do not send"
        elif not (text == row.text or (row.prefix_only and text.startswith(row.text))):
            problem = f"{row.meaning}, which is written exactly so"
        elif row.sec_codes and self.sec.code not in row.sec_codes and self.sec.code != "COR":
            problem = f"{row.meaning}, which goes with {' and '.join(row.sec_codes)} only"
        else:
            return
        message = f"The description {row.text} is reserved: {problem}."
        self._of_header("entry_description", "description-odd", message)

    def _check_descriptive_date(self) -> None:
        text = self.header.descriptive_date
        if not text.startswith("SD"):
            return
        if _SAME_DAY.fullmatch(text):
            self._is_same_day = True
        else:
            message = "The marker of same-day intent is SD and a time, such as SD1300."
            self._of_header("descriptive_date", "same-day-marker", message)

    def _check_effective(self, day: date, created_on: date | None) -> None:
        if not is_banking_day(day):
            message = f"The effective date {day} is not a banking day."
            self._of_header("effective_on", "closed-day", message)
        if created_on is not None and day < created_on:
            message = f"The effective date {day} is before the file's creation date {created_on}."
            self._of_header("effective_on", "date-before-creation", message)
        elif created_on is not None and day - created_on > _FAR_AHEAD:
            message = f"The effective date {day} is long after the creation date {created_on}."
            self._of_header("effective_on", "date-far-ahead", message)

    def _settle_date(self, *, is_inbound: bool) -> None:
        """Report the missing date, now that the first entry shows what the batch is.

        Banks leave it out of returns and changes, where it means nothing.
        """
        self._lacks_date = False
        code = "date-missing" if is_inbound else "bad-date"
        self._of_header("effective_on", code, "The effective date is missing.")

    def _of_header(self, name: str, code: str, message: str) -> None:
        self._findings.of_field(self.sec.batch, name, self.line, code, message)

    # Entries

    def entry(self, record: str, line: int) -> None:
        """Take an entry record."""
        if self._needs_close:
            if self._is_plain and self._remittances == self._announced:
                self._hand_out()
            else:
                self.close_entry()
        self.records += 1
        match = self._entry_match(record)
        if match is None:
            self._misfit_entry(record, line)
            return
        code, amount_text, indicator, trace = match.groups()
        amount = int(amount_text)
        rule = self._rules.get(code)
        number = self._known.get(record[3:12])
        if number is None:
            number = self._learn(record, line)
        if (
            rule is None
            or not rule.least_cents <= amount <= rule.most_cents
            or trace <= self._last_trace
            or trace[:8] != self._odfi
        ):
            self._explain(record, line, rule, amount)
        self._last_trace = trace
        self.entry_hash += number
        if code[1] > _LAST_CREDIT_DIGIT if rule is None else rule.is_debit:
            self.debit_cents += amount
        else:
            self.credit_cents += amount
        if self._has_extras or record[self._account_start] == " ":
            self._check_extras(record, line, rule, amount)
        self._entry = record
        self._entry_line = line
        self._rule = rule
        self._trace = trace
        self._remittances = 0
        self._announced = 1 if indicator == "1" else 0
        self._is_plain = rule is not None and rule.is_plain and not self._has_count
        if self._announced or self._wants_records or not self._is_plain:
            self._needs_close = True

    def _misfit_entry(self, record: str, line: int) -> None:
        """Report an entry that does not fit its layout, and count what can be read of it."""
        self._entry = ""
        self._has_entry = True
        findings, layout = self._findings, self.sec.entry
        is_whole = findings.misfits(layout, record, line)
        amount = _number(record[layout.slices["amount_cents"]])
        code = record[1:3]
        if not is_whole or amount is None or not _TWO_DIGITS.fullmatch(code):
            findings.unreadable(record, line)
            return
        rule = self._rules.get(code)
        if _TRACE.fullmatch(record, layout.slices["trace_number"].start):
            self._explain(record, line, rule, amount)
            self._last_trace = record[layout.slices["trace_number"]]
        self.entry_hash += _number(record[3:11]) or 0
        if code[1] > _LAST_CREDIT_DIGIT if rule is None else rule.is_debit:
            self.debit_cents += amount
        else:
            self.credit_cents += amount
        self._entry = record
        self._entry_line = line
        self._rule = rule
        self._trace = record[layout.slices["trace_number"]]
        self._remittances = 0
        self._announced = int(record[layout.slices["addenda_indicator"]] == "1")
        self._is_plain = False
        self._needs_close = True

    def _learn(self, record: str, line: int) -> int:
        """Return the eight digits that the hash adds up, and remember a good routing number."""
        routing = record[3:12]
        number = int(routing[:8])
        if is_valid_routing_number(routing):
            if len(self._known) >= _KNOWN_ROUTING:
                self._known.clear()
            self._known[routing] = number
        else:
            message = f"The check digit does not fit the routing number {routing}."
            self._of_entry("check_digit", line, "check-digit", message)
        return number

    def _explain(self, record: str, line: int, rule: EntryRule | None, amount: int) -> None:
        """Report what is wrong with an entry that fits its layout."""
        code = record[1:3]
        if rule is None:
            message = refusal_of_code(self.sec.code, self._service_class, code)
            self._of_entry("transaction_code", line, "transaction-code", message)
        elif amount > rule.most_cents:
            message = f"The amount must be zero with the transaction code {code}."
            self._of_entry("amount_cents", line, "amount", message)
        elif amount < rule.least_cents:
            message = f"The amount must not be zero with the transaction code {code}."
            self._of_entry("amount_cents", line, "amount", message)
        if self._is_missing or not self.sec.has_trace:
            return
        trace = record[self.sec.entry.slices["trace_number"]]
        if trace <= self._last_trace:
            message = "The trace numbers of a batch must ascend."
            self._of_entry("trace_number", line, "trace-order", message)
        if trace[:8] != self._odfi:
            message = "The trace number must begin with the ODFI identification of the batch."
            self._of_entry("trace_number", line, "trace-odfi", message)

    def _check_extras(self, record: str, line: int, rule: EntryRule | None, amount: int) -> None:
        if record[self._account_start] == " ":
            message = "The account number does not begin at the left edge of its field."
            self._of_entry("account_number", line, "not-left-justified", message)
        if self._lacks_date:
            self._settle_date(is_inbound=rule is not None and rule.is_inbound)
        if rule is None or rule.is_inbound:
            return
        if self._is_same_day and amount > SAME_DAY_LIMIT_CENTS:
            message = "A same-day entry may not exceed 1,000,000.00 dollars."
            self._of_entry("amount_cents", line, "over-same-day-limit", message)
        if not self.sec.has_payment_type:
            return
        kind = record[76:78]
        if kind == "  ":
            message = "The payment type (R, S or ST) is missing."
            self._of_entry("discretionary", line, "payment-type-missing", message)
        elif kind not in _PAYMENT_TYPES:
            message = f"The payment type must be R, S or ST, not {kind!r}."
            self._of_entry("discretionary", line, "payment-type", message)
        if self.sec.code == "WEB" and not rule.is_debit:
            message = "A WEB credit is for payments from person to person only."
            self._of_entry("transaction_code", line, "person-to-person", message)

    def _of_entry(self, name: str, line: int, code: str, message: str) -> None:
        self._findings.of_field(self.sec.entry, name, line, code, message)

    # Addenda

    def addenda(self, record: str, line: int) -> None:
        """Take an addenda record."""
        self.records += 1
        if record[1:3] == "05" and self._entry:
            match = _REMITTANCE(record)
            if match is not None:
                sequence, entry_sequence = match.groups()
                count = self._remittances + 1
                if int(sequence) == count and entry_sequence == self._trace[8:]:
                    self._needs_close = True
                    self._remittances = count
                    if self._wants_records:
                        self._addenda.append(ParsedAddenda(layouts.ADDENDA_05, record, line))
                    return
        self._any_addenda(record, line)

    def _any_addenda(self, record: str, line: int) -> None:
        findings = self._findings
        if not self._entry:
            if not self._has_entry:
                message = "An addenda record stands without an entry before it."
                findings.of_line(line, 1, "record-order", message)
            findings.unreadable(record, line)
            return
        self._needs_close = True
        if len(record) != RECORD_LENGTH:
            findings.length(record, line)
            findings.unreadable(record, line)
            return
        kind = record[1:3]
        layout = addenda_layout(record, is_international=self.sec.is_international)
        if layout is None:
            message = f"There is no addenda type {kind!r}."
            findings.fault(line, 2, "type_code", "addenda-type", message)
            findings.unreadable(record, line)
            return
        if not layout.match.match(record):
            findings.misfits(layout, record, line)
        else:
            for name, code, message in objections(layout, record, self._trace):
                findings.of_field(layout, name, line, code, message)
            if "addenda_sequence" in layout.slices:
                self._check_sequence(layout, record, line)
        self._is_plain = False
        if kind == "05":
            self._remittances += 1
        else:
            self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._wants_records and len(self._addenda) <= _MOST_ADDENDA:
            self._addenda.append(ParsedAddenda(layout, record, line))

    def _check_sequence(self, layout: Layout, record: str, line: int) -> None:
        kind = record[1:3]
        expected = 1 + (self._remittances if kind == "05" else self._counts.get(kind, 0))
        if int(record[layout.slices["addenda_sequence"]]) != expected:
            message = f"The addenda sequence must be {expected:04d}."
            self._findings.of_field(layout, "addenda_sequence", line, "addenda-sequence", message)

    def _hand_out(self) -> None:
        """End the entry, and hand it out if wanted."""
        self._needs_close = False
        if self._wants_records:
            entry = ParsedEntry(
                self.sec.entry,
                self._entry,
                self._entry_line,
                self.header,
                tuple(self._addenda),
            )
            self._findings.events.append(entry)
            self._addenda.clear()

    def close_entry(self) -> None:
        """Check the addenda of the entry that is complete now, and hand it out if wanted."""
        if self._remittances:
            self._counts["05"] = self._remittances
        self._check_addenda()
        if self._has_count:
            self._check_addenda_count()
        self._counts.clear()
        self._hand_out()

    def _check_addenda(self) -> None:
        counts, rule = self._counts, self._rule
        has_indicator = self._announced == 1
        if has_indicator is not bool(counts) and not (rule is not None and rule.is_inbound):
            name, line = "addenda_indicator", self._entry_line
            if has_indicator:
                self._of_entry(name, line, "addenda-missing", "The entry announces an addenda.")
            else:
                message = "The entry has an addenda but does not announce it."
                self._of_entry(name, line, "addenda-indicator", message)
        if rule is not None and (rule.wants_addenda or counts):
            self._check_types(rule, has_indicator=has_indicator)

    def _check_types(self, rule: EntryRule, *, has_indicator: bool) -> None:
        """Check which types of addenda an entry has and how many of each."""
        counts, sec = self._counts, self.sec
        reasons = counts.keys() & _REASONS
        if rule.is_inbound:
            self._check_reason(has_indicator=has_indicator)
        elif reasons:
            message = "An entry that was returned or corrected has a transaction code x1 or x6."
            self._of_entry("transaction_code", self._entry_line, "transaction-code", message)
        elif rule.wants_addenda and not counts and not has_indicator:
            message = "An entry of this kind needs an addenda."
            self._of_entry("addenda_indicator", self._entry_line, "addenda-missing", message)
        most = dict(sec.optional) | {"05": 0 if rule.is_inbound else sec.max_remittance}
        most |= dict.fromkeys((*sec.required, *reasons), 1)
        for kind, count in counts.items():
            if count > most.get(kind, 0):
                message = f"The entry has {count} addenda of type {kind}, too many."
                self._of_entry("record_type", self._entry_line, "addenda-count", message)
        if not rule.is_inbound and not reasons:
            for kind in sec.required:
                if kind not in counts:
                    message = f"The entry lacks its addenda of type {kind}."
                    self._of_entry("record_type", self._entry_line, "addenda-missing", message)

    def _check_reason(self, *, has_indicator: bool) -> None:
        wanted, other = ("98", "99") if self.sec.code == "COR" else ("99", "98")
        if self.sec.code and (self._counts.get(wanted) != 1 or other in self._counts):
            message = f"The entry needs exactly one addenda of type {wanted} that says why."
            self._of_entry("transaction_code", self._entry_line, "reason-missing", message)
        elif not has_indicator:
            message = "The entry has an addenda but does not announce it."
            self._of_entry("addenda_indicator", self._entry_line, "addenda-indicator", message)

    def _check_addenda_count(self) -> None:
        layout = self.sec.entry
        found = _number(self._entry[layout.slices["addenda_count"]])
        actual = sum(self._counts.values())
        # A returned international entry repeats the count that it had before it was returned.
        is_repeated = self.sec.is_international and "99" in self._counts
        if found is not None and found not in {actual, actual - is_repeated}:
            message = f"The entry announces {found} addenda and has {actual}."
            self._of_entry("addenda_count", self._entry_line, "addenda-count", message)

    # Control

    def control(self, record: str, line: int) -> None:
        """Take the batch control record and compare it with what went by."""
        self.close(line)
        findings, layout = self._findings, self.sec.control
        if not layout.match.match(record) and not findings.misfits(layout, record, line):
            return
        if not self._is_missing:
            for name in _REPEATED:
                if name in layout.slices:
                    self._compare_text(layout, name, record, line)
        compare_numbers(
            findings,
            layout,
            record,
            line,
            {
                "entry_addenda_count": self.records,
                "entry_hash": self.entry_hash % HASH_MODULUS,
                "debit_cents": self.debit_cents,
                "credit_cents": self.credit_cents,
            },
        )
        if findings.wants_records:
            findings.events.append(Control(layout, record, line))

    def close(self, line: int) -> None:
        """End the batch, with or without a control record."""
        if self._needs_close:
            self.close_entry()
        if self._lacks_date:
            self._settle_date(is_inbound=self.sec.code == "COR")
        if self.records == 0:
            message = "The batch has no entries."
            self._findings.of_line(line, 1, "empty-batch", message)

    def _compare_text(self, layout: Layout, name: str, record: str, line: int) -> None:
        text = record[layout.slices[name]]
        if not text.strip() and self.sec.is_international:
            return
        if text != self.record[self.sec.batch.slices[name]]:
            title = layout.field(name).title
            message = f"The {title} must be that of the batch header."
            self._findings.of_field(layout, name, line, "control-mismatch", message)


def compare_numbers(
    findings: Findings,
    layout: Layout,
    record: str,
    line: int,
    actual: dict[str, int],
    *,
    code: str = "control-mismatch",
) -> None:
    """Report the numbers of a control record that differ from what the records make."""
    for name, expected in actual.items():
        found = _number(record[layout.slices[name]])
        if found is not None and found != expected:
            title = layout.field(name).title
            unit = " (in cents)" if name.endswith("_cents") else ""
            message = f"The {title}{unit} is {found}, but the records make {expected}."
            findings.of_field(layout, name, line, code, message)
