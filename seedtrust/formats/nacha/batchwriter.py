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
from seedtrust.formats.nacha.fields import RECORD_LENGTH, Layout
from seedtrust.formats.nacha.outgoing import (
    Offset,
    OutgoingAddenda,
    OutgoingBatch,
    OutgoingChange,
    OutgoingEntry,
    OutgoingRefusal,
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


class Place(NamedTuple):
    """Where in the file the writer stands, for its errors."""

    batch_number: int | None = None
    trace_number: str | None = None


class Lines:
    """The records written so far, handed to the sink some thousand at a time."""

    def __init__(self, sink: BinaryIO, line_end: bytes) -> None:
        """Start with nothing written."""
        self.count = 0
        self.pending: list[str] = []
        self._sink = sink
        self._line_end = line_end.decode("ascii")

    def put(self, record: str) -> None:
        """Add one record."""
        self.pending.append(record)
        self.count += 1
        if len(self.pending) >= _FLUSH_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the sink."""
        self.pending.append("")
        self._sink.write(self._line_end.join(self.pending).encode("ascii"))
        self.pending.clear()


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


def _first_eight_numbers() -> dict[str, int]:
    return {}


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
        self._template = self._layout.template
        self._name_width = self._layout.field("name").length
        self._counts_addenda = "addenda_count" in self._layout.slices
        self._odfi = batch.odfi_identification
        self._last_trace = ""
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
            "effective_on": _short_date(batch.effective_on, self._place),
            "settlement_day": "" if day is None else f"{day:03d}",
            "originator_status": "1",
            "odfi_identification": self._odfi,
            "batch_number": batch.batch_number,
        }
        return checked_record(layouts.BATCH_HEADER, values, self._place)

    def write(self, entry: OutgoingEntry) -> None:
        """Write one entry with its addenda; raise WriteError if it may not be sent."""
        rule = self._rules.get(entry.transaction_code)
        if rule is None:
            self._refuse_code(entry)
        amount = entry.amount_cents
        if type(amount) is not int or not rule.least_cents <= amount <= rule.most_cents:
            self._refuse_amount(entry, rule)
        routing = entry.routing_number
        first_eight = self._routing.get(routing)
        if first_eight is None:
            first_eight = self._learn(entry)
        trace = entry.trace_number
        if trace <= self._last_trace or trace[:8] != self._odfi:
            self._refuse_trace(entry)
        addenda = entry.addenda
        name = entry.name.strip()
        if "  " in name or len(name) > self._name_width:
            name = fit_name(name, self._name_width)
        record = self._template % (
            entry.transaction_code,
            routing[:8],
            routing[8],
            entry.account_number,
            amount,
            entry.identification,
            *((len(addenda), name) if self._counts_addenda else (name,)),
            entry.discretionary,
            "1" if addenda else "0",
            trace,
        )
        if not self._match(record) or entry.account_number[0] == " ":
            record = self._fitted(entry)
        self._lines.put(record)
        self._last_trace = trace
        self.records += 1
        self.entry_hash += first_eight
        if rule.is_debit:
            self.debit_cents += amount
        else:
            self.credit_cents += amount
        if addenda or rule.wants_addenda:
            self._write_addenda(entry, rule)

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
        for sequence, addendum in enumerate(entry.addenda, 1):
            layout, values = addenda_values(addendum, sequence, entry.trace_number)
            record = checked_record(layout, values, place)
            for objection in objections(layout, record, entry.trace_number):
                refuse(objection.code, objection.field, objection.message, place)
            self._lines.put(record)
            self.records += 1

    def _check_addenda(self, entry: OutgoingEntry, rule: EntryRule, place: Place) -> None:
        count = len(entry.addenda)
        if rule.wants_addenda and count == 0:
            message = f"An entry with the transaction code {entry.transaction_code} needs an addenda."
            refuse("addenda-missing", "addenda", message, place)
        if rule.is_inbound:
            is_change = self._batch.purpose is Purpose.CHANGE
            wanted = isinstance(entry.addenda[0], OutgoingChange | OutgoingRefusal) is is_change
            if count != 1 or isinstance(entry.addenda[0], OutgoingAddenda) or not wanted:
                message = "A return or change needs exactly one addenda that says why."
                refuse("addenda-type", "addenda", message, place)
            return
        if not all(isinstance(addendum, OutgoingAddenda) for addendum in entry.addenda):
            message = "Only returned entries carry an addenda that says why."
            refuse("addenda-type", "addenda", message, place)
        if count > self._sec.max_remittance:
            limit = self._sec.max_remittance
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
        """Return the record of an entry with its name brought to ASCII; refuse all other misfits."""
        place = Place(self._batch.batch_number, entry.trace_number)
        if entry.account_number[:1] == " ":
            message = "The account number must not begin with a blank."
            refuse("not-left-justified", "account_number", message, place)
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
        return checked_record(self._layout, values, place)

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
        message = "The trace numbers of a batch must ascend."
        refuse("trace-order", "trace_number", message, place)


def _short_date(day: date, place: Place) -> str:
    if day.year not in _CENTURY:
        message = "The effective date must be in this century."
        refuse("bad-date", "effective_on", message, place)
    return f"{day:%y%m%d}"


def _service_class(batch: OutgoingBatch, place: Place) -> int:
    try:
        known = ServiceClass(batch.service_class)
    except ValueError:
        known = ServiceClass.ADVICES
    if known is ServiceClass.ADVICES:
        message = "The service class must be 200 (mixed), 220 (credits) or 225 (debits)."
        refuse("wrong-value", "service_class", message, place)
    if batch.offset is not None and known is not ServiceClass.MIXED:
        message = "A balanced batch holds a credit and a debit: its service class must be 200."
        refuse("offset", "service_class", message, place)
    return known.value


def _sec_code(batch: OutgoingBatch, place: Place) -> SecCode:
    sec = SEC_CODES.get(batch.sec_code)
    is_change = batch.purpose is Purpose.CHANGE
    if sec is None or (not sec.is_originated and not is_change) or is_change is not (sec.code == "COR"):
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
    row = reserved_description(batch.entry_description)
    is_inbound = batch.purpose in _INBOUND
    found = {}
    for text, rule in entry_rules(batch.sec_code, service_class).items():
        code = int(text)
        known = TRANSACTION_CODES[code]
        if rule.is_inbound is not is_inbound:
            continue
        if not is_inbound:
            if known.account not in _PAYEE_ACCOUNTS:
                continue
            if row is not None and row.is_debit is not None and row.is_debit is not rule.is_debit:
                continue
            if batch.purpose is Purpose.REVERSAL and known.meaning is not Meaning.LIVE:
                continue
            if batch.purpose is Purpose.ACCOUNT_CHECK:
                rule = rule._replace(most_cents=min(rule.most_cents, _MICRO_CENTS))
        found[code] = rule
    return found
