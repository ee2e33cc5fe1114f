"""One batch on its way out: header, entries with their addenda, offset and control record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.addenda import addenda_values, objections
from seedtrust.formats.nacha.codes import (
    SEC_CODES,
    TRANSACTION_CODES,
    Account,
    Meaning,
    Purpose,
    SecCode,
    ServiceClass,
    reserved_description,
)
from seedtrust.formats.nacha.faults import WriteError
from seedtrust.formats.nacha.fields import Layout
from seedtrust.formats.nacha.outgoing import (
    AnyAddenda,
    Offset,
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingChange,
    OutgoingContest,
    OutgoingDishonour,
    OutgoingEntry,
    OutgoingRefusal,
    OutgoingReturn,
)
from seedtrust.formats.nacha.routing import is_valid_routing_number
from seedtrust.formats.nacha.rules import (
    HASH_MODULUS,
    MAX_BATCH_RECORDS,
    MAX_ENTRY_CENTS,
    MAX_TOTAL_CENTS,
    EntryRule,
    entry_rules,
    refusal_of_code,
)
from seedtrust.formats.nacha.text import fit_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import BinaryIO

_FLUSH_RECORDS: Final = 2000
_KNOWN_ROUTING: Final = 20_000
_CENTURY: Final = range(2000, 2100)
_MICRO_CENTS: Final = 99
_INBOUND: Final = frozenset({Purpose.RETURN, Purpose.CHANGE})
_OWN_TEXT: Final = frozenset({Purpose.REVERSAL, Purpose.RETRY, Purpose.ACCOUNT_CHECK})
_PAYEE_ACCOUNTS: Final = frozenset({Account.CHECKING, Account.SAVINGS})
_BATCH_NUMBERS: Final = range(1, 10_000_000)
_SERVICE_CLASSES: Final = frozenset({200, 220, 225})
_CHANGES: Final = (OutgoingChange, OutgoingRefusal)
_RETURNS: Final = (OutgoingReturn, OutgoingDishonour, OutgoingContest)
_PAYMENT_TYPES: Final = frozenset({"R", "S", "ST"})
_REMITTANCE: Final = layouts.ADDENDA_05.template
# The count of addenda, where there is one, is rendered together with the name after it.
_TEMPLATES: Final = {
    layouts.ENTRY: layouts.ENTRY.template,
    layouts.NAMELESS_ENTRY: layouts.NAMELESS_ENTRY.template,
    layouts.CTX_ENTRY: layouts.CTX_ENTRY.template.replace("%04d%-16s", "%-20s"),
}
_is_remittance: Final = layouts.ADDENDA_05.match.match


class Place(NamedTuple):
    """Where in the file the writer stands, for its errors."""

    batch_number: int | None = None
    trace_number: str | None = None


class Traces:
    """The trace numbers used in a file, a hundred to a bit mask, so that a million take 2 MB."""

    def __init__(self) -> None:
        """Start with none used."""
        self._pages: dict[str, int] = {}

    def take(self, trace_number: str) -> bool:
        """Mark fifteen digits as used; tell whether they were free."""
        page = trace_number[:13]
        bit = 1 << int(trace_number[13:])
        mask = self._pages.get(page, 0)
        self._pages[page] = mask | bit
        return not mask & bit


class Lines:
    """The records written so far, handed to the sink some thousand at a time."""

    def __init__(self, sink: BinaryIO, line_end: bytes) -> None:
        """Start with nothing written."""
        self.count = 0
        self.pending: list[str] = []
        self.traces = Traces()
        self._sink = sink
        self._line_end = line_end.decode("ascii")

    def put(self, record: str) -> None:
        """Add one record."""
        self.pending.append(record)

    def flush(self) -> int:
        """Hand everything to the sink; return the number of records written so far."""
        self.count += len(self.pending)
        self.pending.append("")
        self._sink.write(self._line_end.join(self.pending).encode("ascii"))
        self.pending.clear()
        return self.count


def refuse(code: str, field: str, message: str, place: Place) -> NoReturn:
    """Raise WriteError for a field at a place."""
    raise WriteError(
        code,
        field,
        message,
        batch_number=place.batch_number,
        trace_number=place.trace_number,
    )


def checked_record(layout: Layout, values: Mapping[str, str | int], place: Place) -> str:
    """Return the record; raise WriteError for the first value that does not fit its field."""
    record = layout.render(dict(values))
    if layout.match.match(record):
        return record
    for name in layout.inputs:
        field = layout.field(name)
        if len(str(values.get(name, ""))) > field.length:
            message = f"The {field.title} is longer than {field.length} characters."
            refuse("too-long", name, message, place)
    field = next(layout.misfits(record))
    refuse(field.code, field.name, f"The {field.title} {field.requirement}.", place)


class BatchWriter:
    """Writes one batch: the header at once, then entry by entry, then the control record."""

    def __init__(self, batch: OutgoingBatch, lines: Lines, last_number: int) -> None:
        """Check and write the batch header; raise WriteError if it may not be sent."""
        self.records = 0
        self.entry_hash = 0
        self.debit_cents = 0
        self.credit_cents = 0
        self._batch = batch
        self._lines = lines
        self._place = Place(batch.batch_number)
        self._service_class = _service_class(batch, self._place)
        self._sec = _sec_code(batch, self._place)
        if batch.batch_number not in _BATCH_NUMBERS or batch.batch_number <= last_number:
            message = "Batch numbers run from 1 to 9999999 and must ascend in a file."
            refuse("batch-order", "batch_number", message, self._place)
        _check_description(batch, self._place)
        self._rules = _rules(batch, self._service_class)
        self._layout = self._sec.entry
        self._match = self._layout.match.match
        self._template = _TEMPLATES[self._layout]
        self._name_width = self._layout.field("name").length
        self._has_payment_type = self._sec.has_payment_type
        self._counts_addenda = "addenda_count" in self._layout.slices
        self._odfi = batch.odfi_identification
        self._last_trace = ""
        self._take = lines.traces.take
        self._routing: dict[str, int] = {}
        lines.put(self._header())

    def _header(self) -> str:
        batch = self._batch
        day = batch.settlement_day
        values: dict[str, str | int] = {
            "service_class": str(self._service_class),
            "company_name": fit_name(batch.company_name, 16),
            "company_discretionary_data": batch.company_discretionary_data,
            "company_identification": batch.company_identification,
            "sec_code": batch.sec_code,
            "entry_description": batch.entry_description,
            "descriptive_date": batch.descriptive_date,
            "effective_on": short_date(batch.effective_on, "effective_on", self._place),
            "settlement_day": "" if day is None else f"{day:03d}",
            "originator_status": "1",
            "odfi_identification": self._odfi,
            "batch_number": batch.batch_number,
        }
        return checked_record(layouts.BATCH_HEADER, values, self._place)

    def write(self, entry: OutgoingEntry) -> None:
        """Write one entry with its addenda; raise WriteError if it may not be sent."""
        rule = self._checked(entry)
        first_eight = self._routing.get(entry.routing_number)
        if first_eight is None:
            first_eight = self._learn(entry)
        pending = self._lines.pending
        pending.append(self._record(entry))
        if not self._take(entry.trace_number):
            self._refuse_trace(entry)
        self.records += 1
        self.entry_hash += first_eight
        if rule.is_debit:
            self.debit_cents += entry.amount_cents
        else:
            self.credit_cents += entry.amount_cents
        addenda = entry.addenda
        if addenda or rule.wants_addenda:
            if len(addenda) == 1 and rule.takes_remittance:
                self._write_remittance(entry, addenda[0])
            else:
                self._write_addenda(entry, rule)
        if len(pending) > _FLUSH_RECORDS:
            self._lines.flush()

    def _checked(self, entry: OutgoingEntry) -> EntryRule:
        """Return the rule of the entry; refuse what depends on more than one field."""
        rule = self._rules.get(entry.transaction_code)
        if rule is None:
            self._refuse_code(entry)
        amount = entry.amount_cents
        if type(amount) is not int or not rule.least_cents <= amount <= rule.most_cents:
            self._refuse_amount(entry, rule)
        trace = entry.trace_number
        if trace <= self._last_trace or trace[:8] != self._odfi:
            self._refuse_trace(entry)
        self._last_trace = trace
        if self._has_payment_type and not rule.is_inbound:
            self._check_payment_type(entry)
        return rule

    def _record(self, entry: OutgoingEntry) -> str:
        """Return the entry record; refuse what does not fit its field."""
        routing = entry.routing_number
        account = entry.account_number
        addenda = entry.addenda
        name = entry.name.strip()
        if "  " in name or len(name) > self._name_width:
            name = fit_name(name, self._name_width)
        record = self._template % (
            entry.transaction_code,
            routing[:8],
            routing[8],
            account,
            entry.amount_cents,
            entry.identification,
            f"{len(addenda):04d}{name}" if self._counts_addenda else name,
            entry.discretionary,
            "1" if addenda else "0",
            entry.trace_number,
        )
        if not self._match(record) or account[0] == " ":
            record = self._fitted(entry)
        return record

    def _write_remittance(self, entry: OutgoingEntry, addendum: AnyAddenda) -> None:
        """Write the one addenda that most entries with addenda have."""
        if type(addendum) is OutgoingAddenda:
            record = _REMITTANCE % (addendum.text, 1, entry.trace_number[8:])
            if _is_remittance(record):
                self._lines.put(record)
                self.records += 1
                return
        self._write_addenda(entry, self._rules[entry.transaction_code])

    def _check_payment_type(self, entry: OutgoingEntry) -> None:
        if entry.discretionary not in _PAYMENT_TYPES:
            message = "A WEB or TEL entry needs a payment type: R, S or ST."
            place = Place(self._batch.batch_number, entry.trace_number)
            refuse("payment-type", "discretionary", message, place)

    def close(self) -> None:
        """Write the offset entry, if the batch is balanced, and the control record."""
        batch = self._batch
        if batch.offset is not None:
            self._write_offset(batch.offset)
        if self.records == 0:
            refuse("empty-batch", "entries", "A batch needs at least one entry.", self._place)
        if self.records > MAX_BATCH_RECORDS:
            message = f"A batch holds at most {MAX_BATCH_RECORDS} entries and addenda."
            refuse("too-many", "entries", message, self._place)
        if max(self.debit_cents, self.credit_cents) > MAX_TOTAL_CENTS:
            message = "The total of the batch is too large for its control record."
            refuse("total-too-large", "entries", message, self._place)
        if batch.purpose is Purpose.ACCOUNT_CHECK and self.debit_cents > self.credit_cents:
            message = "The debits of micro-entries must not exceed their credits."
            refuse("micro-entries", "entries", message, self._place)
        values: dict[str, str | int] = {
            "service_class": str(self._service_class),
            "entry_addenda_count": self.records,
            "entry_hash": self.entry_hash % HASH_MODULUS,
            "debit_cents": self.debit_cents,
            "credit_cents": self.credit_cents,
            "company_identification": batch.company_identification,
            "odfi_identification": self._odfi,
            "batch_number": batch.batch_number,
        }
        self._lines.put(checked_record(layouts.BATCH_CONTROL, values, self._place))

    def _write_addenda(self, entry: OutgoingEntry, rule: EntryRule) -> None:
        place = Place(self._batch.batch_number, entry.trace_number)
        self._check_addenda(entry, rule, place)
        tail = entry.trace_number[8:]
        for sequence, addendum in enumerate(entry.addenda, 1):
            if type(addendum) is OutgoingAddenda:
                record = _REMITTANCE % (addendum.text, sequence, tail)
                if _is_remittance(record):
                    self._lines.put(record)
                    self.records += 1
                    continue
            layout, values = addenda_values(addendum, sequence, entry.trace_number)
            record = checked_record(layout, values, place)
            for objection in objections(layout, record, entry.trace_number):
                refuse(objection.code, objection.field, objection.message, place)
            self._lines.put(record)
            self.records += 1

    def _check_addenda(self, entry: OutgoingEntry, rule: EntryRule, place: Place) -> None:
        addenda = entry.addenda
        count = len(addenda)
        if count == 0:
            code = entry.transaction_code
            message = f"An entry with the transaction code {code} needs an addenda."
            refuse("addenda-missing", "addenda", message, place)
        if rule.is_inbound:
            is_change = self._batch.purpose is Purpose.CHANGE
            if count != 1 or not isinstance(addenda[0], _CHANGES if is_change else _RETURNS):
                message = "A return or change needs exactly one addenda that says why."
                refuse("addenda-type", "addenda", message, place)
            return
        if not all(type(addendum) is OutgoingAddenda for addendum in addenda):
            message = "Only returned entries carry an addenda that says why."
            refuse("addenda-type", "addenda", message, place)
        limit = self._sec.max_remittance
        if count > limit:
            message = f"A {self._sec.code} entry takes at most {limit} addenda, this has {count}."
            refuse("addenda-count", "addenda", message, place)

    def _write_offset(self, offset: Offset) -> None:
        if self.debit_cents and self.credit_cents:
            message = "A balanced batch holds credits or debits, not both. Make two batches."
            refuse("offset", "offset", message, self._place)
        amount = self.debit_cents or self.credit_cents
        if amount == 0:
            return
        row = TRANSACTION_CODES.get(offset.transaction_code)
        if row is None or row.meaning is not Meaning.LIVE or row.is_debit is bool(self.debit_cents):
            message = "The offset must be a live debit against credits, or credit against debits."
            refuse("offset", "offset", message, self._place)
        if amount > MAX_ENTRY_CENTS:
            message = "The total is larger than one entry can hold. Make two batches."
            refuse("total-too-large", "offset", message, self._place)
        self._rules = {
            int(code): rule
            for code, rule in entry_rules(self._sec.code, self._service_class).items()
        }
        self.write(
            OutgoingEntry(
                transaction_code=offset.transaction_code,
                routing_number=offset.routing_number,
                account_number=offset.account_number,
                amount_cents=amount,
                identification=offset.identification,
                name=offset.name,
                trace_number=offset.trace_number,
                discretionary="S" if self._has_payment_type else "",
            ),
        )

    def _learn(self, entry: OutgoingEntry) -> int:
        """Return the eight digits that the hash adds up, and remember a good routing number."""
        if not is_valid_routing_number(entry.routing_number):
            place = Place(self._batch.batch_number, entry.trace_number)
            message = f"The routing number {entry.routing_number[:9]} is not valid."
            refuse("routing-number", "routing_number", message, place)
        if len(self._routing) >= _KNOWN_ROUTING:
            self._routing.clear()
        number = int(entry.routing_number[:8])
        self._routing[entry.routing_number] = number
        return number

    def _fitted(self, entry: OutgoingEntry) -> str:
        """Return the record of an entry with its name brought to ASCII; refuse other misfits."""
        place = Place(self._batch.batch_number, entry.trace_number)
        values: dict[str, str | int] = {
            "transaction_code": str(entry.transaction_code),
            "routing_first_eight": entry.routing_number[:8],
            "check_digit": entry.routing_number[8:],
            "account_number": entry.account_number,
            "amount_cents": entry.amount_cents,
            "identification": entry.identification,
            "addenda_count": len(entry.addenda),
            "name": fit_name(entry.name, self._name_width),
            "discretionary": entry.discretionary,
            "addenda_indicator": "1" if entry.addenda else "0",
            "trace_number": entry.trace_number,
        }
        record = checked_record(self._layout, values, place)
        if entry.account_number.startswith(" "):
            message = "The account number must not begin with a blank."
            refuse("not-left-justified", "account_number", message, place)
        return record

    def _refuse_code(self, entry: OutgoingEntry) -> NoReturn:
        place = Place(self._batch.batch_number, entry.trace_number)
        code = str(entry.transaction_code)
        if code in entry_rules(self._sec.code, self._service_class):
            message = (
                f"The transaction code {code} may not stand in a batch for the purpose "
                f"{self._batch.purpose} with this description."
            )
        else:
            message = refusal_of_code(self._sec.code, self._service_class, code)
        refuse("transaction-code", "transaction_code", message, place)

    def _refuse_amount(self, entry: OutgoingEntry, rule: EntryRule) -> NoReturn:
        place = Place(self._batch.batch_number, entry.trace_number)
        least, most = rule.least_cents, rule.most_cents
        between = f"between {least} and {most}" if most else "zero"
        message = f"The amount in cents must be a whole number, here {between}."
        refuse("amount", "amount_cents", message, place)

    def _refuse_trace(self, entry: OutgoingEntry) -> NoReturn:
        place = Place(self._batch.batch_number, entry.trace_number)
        if entry.trace_number[:8] != self._odfi:
            message = "The trace number must begin with the ODFI identification of the batch."
            refuse("trace-odfi", "trace_number", message, place)
        message = "The trace numbers of a batch must ascend, and none may come twice in a file."
        refuse("trace-order", "trace_number", message, place)


def short_date(day: date, field: str, place: Place) -> str:
    """Return the date as YYMMDD; raise WriteError outside of this century."""
    if day.year not in _CENTURY:
        refuse("bad-date", field, "The date must be in this century.", place)
    return f"{day:%y%m%d}"


def _service_class(batch: OutgoingBatch, place: Place) -> int:
    number = batch.service_class
    if isinstance(number, ServiceClass):
        number = number.value
    if number not in _SERVICE_CLASSES:
        message = "The service class must be 200 (mixed), 220 (credits) or 225 (debits)."
        refuse("wrong-value", "service_class", message, place)
    if batch.offset is not None and number != ServiceClass.MIXED.value:
        message = "A balanced batch holds a credit and a debit: its service class must be 200."
        refuse("offset", "service_class", message, place)
    return number


def _sec_code(batch: OutgoingBatch, place: Place) -> SecCode:
    sec = SEC_CODES.get(batch.sec_code)
    is_change = batch.purpose is Purpose.CHANGE
    if sec is None or (sec.code != "COR" if is_change else not sec.is_originated):
        message = "The entry class must be PPD, CCD, CTX, WEB or TEL, or COR for a change."
        refuse("sec-code", "sec_code", message, place)
    return sec


def _check_description(batch: OutgoingBatch, place: Place) -> None:
    """Refuse reserved descriptions where they do not belong, and their absence where they do."""
    if batch.purpose in _INBOUND:
        return
    text = batch.entry_description
    row = reserved_description(text)
    if row is None:
        if batch.purpose in _OWN_TEXT:
            message = f"A batch for the purpose {batch.purpose} has a description of its own."
            refuse("description-reserved", "entry_description", message, place)
        return
    is_exact = text == row.text or (row.prefix_only and text.startswith(row.text))
    if not is_exact or row.purpose is not batch.purpose:
        message = f"The description {row.text} is reserved ({row.meaning})."
        refuse("description-reserved", "entry_description", message, place)
    if row.sec_codes and batch.sec_code not in row.sec_codes:
        message = f"The description {row.text} goes with {' and '.join(row.sec_codes)} only."
        refuse("description-reserved", "entry_description", message, place)


def _rules(batch: OutgoingBatch, service_class: int) -> dict[int, EntryRule]:
    """Return what each transaction code asks of an entry, for the codes we may send."""
    is_inbound = batch.purpose in _INBOUND
    found = {
        int(code): rule
        for code, rule in entry_rules(batch.sec_code, service_class).items()
        if rule.is_inbound is is_inbound
    }
    if is_inbound:
        return found
    row = reserved_description(batch.entry_description)
    only = None if row is None else row.is_debit
    is_reversal = batch.purpose is Purpose.REVERSAL
    most = _MICRO_CENTS if batch.purpose is Purpose.ACCOUNT_CHECK else MAX_ENTRY_CENTS
    return {
        code: rule._replace(most_cents=min(rule.most_cents, most))
        for code, rule in found.items()
        if TRANSACTION_CODES[code].account in _PAYEE_ACCOUNTS
        and (only is None or only is rule.is_debit)
        and (TRANSACTION_CODES[code].meaning is Meaning.LIVE or not is_reversal)
    }
