"""The one table of record layouts that both readers and the writer are driven by.

Positions follow from the lengths, which run to 94 in every record. Source: the Nacha operating
rules' record formats, as banks and open-source readers publish them.
"""

from __future__ import annotations

from seedtrust.formats.nacha.fields import Kind, Layout

_ODFI = ("odfi_identification", 8, Kind.ROUTING)
_BATCH_NUMBER = ("batch_number", 7, Kind.NUMBER)
_EFFECTIVE = ("effective_on", 6, Kind.DATE)
_SETTLEMENT = ("settlement_day", 3, Kind.OPTIONAL_DAY)
_STATUS = ("originator_status", 1, Kind.CHOICE, "1|2|0")
_SERVICE_CLASS = ("service_class", 3, Kind.CHOICE, "200|220|225|280")
_TRACE = ("trace_number", 15, Kind.DIGITS)
_ORIGINAL_TRACE = ("original_trace", 15, Kind.DIGITS)
_ORIGINAL_ROUTING = ("original_routing", 8, Kind.DIGITS)
_ENTRY_SEQUENCE = ("entry_sequence", 7, Kind.DIGITS)
_ADDENDA_SEQUENCE = ("addenda_sequence", 4, Kind.NUMBER)

FILE_HEADER = Layout(
    "file_header",
    ("record_type", 1, Kind.CHOICE, "1"),
    ("priority_code", 2, Kind.CHOICE, "01"),
    ("immediate_destination", 10, Kind.NAME),
    ("immediate_origin", 10, Kind.NAME),
    ("created_on", 6, Kind.DATE),
    ("created_at_time", 4, Kind.TIME),
    ("file_id_modifier", 1, Kind.MODIFIER),
    ("record_size", 3, Kind.CHOICE, "094"),
    ("blocking_factor", 2, Kind.CHOICE, "10"),
    ("format_code", 1, Kind.CHOICE, "1"),
    ("destination_name", 23, Kind.TEXT),
    ("origin_name", 23, Kind.TEXT),
    ("reference_code", 8, Kind.TEXT),
)

BATCH_HEADER = Layout(
    "batch_header",
    ("record_type", 1, Kind.CHOICE, "5"),
    _SERVICE_CLASS,
    ("company_name", 16, Kind.NAME),
    ("company_discretionary_data", 20, Kind.TEXT),
    ("company_identification", 10, Kind.NAME),
    ("sec_code", 3, Kind.TEXT),
    ("entry_description", 10, Kind.NAME),
    ("descriptive_date", 6, Kind.TEXT),
    _EFFECTIVE,
    _SETTLEMENT,
    _STATUS,
    _ODFI,
    _BATCH_NUMBER,
)

IAT_BATCH_HEADER = Layout(
    "iat_batch_header",
    ("record_type", 1, Kind.CHOICE, "5"),
    _SERVICE_CLASS,
    ("iat_indicator", 16, Kind.TEXT),
    ("exchange_indicator", 2, Kind.CHOICE, "FF|FV|VF"),
    ("exchange_reference_indicator", 1, Kind.CHOICE, "1|2|3| "),
    ("exchange_reference", 15, Kind.TEXT),
    ("destination_country", 2, Kind.NAME),
    ("company_identification", 10, Kind.NAME),
    ("sec_code", 3, Kind.TEXT),
    ("entry_description", 10, Kind.NAME),
    ("origin_currency", 3, Kind.NAME),
    ("destination_currency", 3, Kind.NAME),
    _EFFECTIVE,
    _SETTLEMENT,
    _STATUS,
    _ODFI,
    _BATCH_NUMBER,
)

_ENTRY_START = (
    ("record_type", 1, Kind.CHOICE, "6"),
    ("transaction_code", 2, Kind.DIGITS),
    ("routing_first_eight", 8, Kind.ROUTING),
    ("check_digit", 1, Kind.DIGITS),
)
_ACCOUNT_AND_AMOUNT = (
    ("account_number", 17, Kind.ACCOUNT),
    ("amount_cents", 10, Kind.NUMBER),
)
_ENTRY_END = (
    ("discretionary", 2, Kind.TEXT),
    ("addenda_indicator", 1, Kind.CHOICE, "0|1"),
    _TRACE,
)

ENTRY = Layout(
    "entry",
    *_ENTRY_START,
    *_ACCOUNT_AND_AMOUNT,
    ("identification", 15, Kind.TEXT),
    ("name", 22, Kind.NAME),
    *_ENTRY_END,
)

#: Converted checks, terminals and the like: the name may be blank.
NAMELESS_ENTRY = Layout(
    "nameless_entry",
    *_ENTRY_START,
    *_ACCOUNT_AND_AMOUNT,
    ("identification", 15, Kind.TEXT),
    ("name", 22, Kind.TEXT),
    *_ENTRY_END,
)

#: CTX and its like carry a count of addenda records in the place of six characters of the name.
CTX_ENTRY = Layout(
    "ctx_entry",
    *_ENTRY_START,
    *_ACCOUNT_AND_AMOUNT,
    ("identification", 15, Kind.TEXT),
    ("addenda_count", 4, Kind.NUMBER),
    ("name", 16, Kind.NAME),
    ("reserved", 2, Kind.BLANK),
    *_ENTRY_END,
)

#: CIE has the name before the identification.
CIE_ENTRY = Layout(
    "cie_entry",
    *_ENTRY_START,
    *_ACCOUNT_AND_AMOUNT,
    ("name", 15, Kind.NAME),
    ("identification", 22, Kind.TEXT),
    *_ENTRY_END,
)

IAT_ENTRY = Layout(
    "iat_entry",
    *_ENTRY_START,
    ("addenda_count", 4, Kind.NUMBER),
    ("reserved", 13, Kind.BLANK),
    ("amount_cents", 10, Kind.NUMBER),
    ("account_number", 35, Kind.ACCOUNT),
    ("reserved_2", 2, Kind.BLANK),
    ("gateway_screening", 1, Kind.TEXT),
    ("secondary_screening", 1, Kind.TEXT),
    ("addenda_indicator", 1, Kind.CHOICE, "0|1"),
    _TRACE,
)

#: Advices of the operator: totals of accounting, no money moves by them.
ADV_ENTRY = Layout(
    "adv_entry",
    *_ENTRY_START,
    ("account_number", 15, Kind.ACCOUNT),
    ("amount_cents", 12, Kind.NUMBER),
    ("advice_routing", 9, Kind.DIGITS),
    ("file_identification", 5, Kind.TEXT),
    ("operator_data", 1, Kind.TEXT),
    ("name", 22, Kind.TEXT),
    ("discretionary", 2, Kind.TEXT),
    ("addenda_indicator", 1, Kind.CHOICE, "0|1"),
    _TRACE,
)

_REMITTANCE = (
    ("payment_information", 80, Kind.TEXT),
    _ADDENDA_SEQUENCE,
    _ENTRY_SEQUENCE,
)

ADDENDA_05 = Layout(
    "addenda_05",
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "05"),
    *_REMITTANCE,
)

ADDENDA_02 = Layout(
    "addenda_02",
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "02"),
    ("reference_information", 10, Kind.TEXT),
    ("terminal_identification", 6, Kind.TEXT),
    ("transaction_serial", 6, Kind.TEXT),
    ("transaction_date", 4, Kind.TEXT),
    ("authorisation_code", 6, Kind.TEXT),
    ("terminal_location", 27, Kind.TEXT),
    ("terminal_city", 15, Kind.TEXT),
    ("terminal_state", 2, Kind.TEXT),
    _TRACE,
)

ADDENDA_10 = Layout(
    "addenda_10",
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "10"),
    ("transaction_type", 3, Kind.NAME),
    ("foreign_amount", 18, Kind.NUMBER),
    ("foreign_trace", 22, Kind.TEXT),
    ("name", 35, Kind.NAME),
    ("reserved", 6, Kind.BLANK),
    _ENTRY_SEQUENCE,
)


def _two_lines(type_code: str, first: str, second: str) -> Layout:
    return Layout(
        f"addenda_{type_code}",
        ("record_type", 1, Kind.CHOICE, "7"),
        ("type_code", 2, Kind.CHOICE, type_code),
        (first, 35, Kind.NAME),
        (second, 35, Kind.NAME),
        ("reserved", 14, Kind.BLANK),
        _ENTRY_SEQUENCE,
    )


def _bank(type_code: str, whose: str) -> Layout:
    return Layout(
        f"addenda_{type_code}",
        ("record_type", 1, Kind.CHOICE, "7"),
        ("type_code", 2, Kind.CHOICE, type_code),
        (f"{whose}_name", 35, Kind.NAME),
        (f"{whose}_number_qualifier", 2, Kind.NAME),
        (f"{whose}_identification", 34, Kind.NAME),
        (f"{whose}_country", 3, Kind.NAME),
        ("reserved", 10, Kind.BLANK),
        _ENTRY_SEQUENCE,
    )


ADDENDA_11 = _two_lines("11", "originator_name", "originator_street")
ADDENDA_12 = _two_lines("12", "originator_city", "originator_country")
ADDENDA_13 = _bank("13", "originating_bank")
ADDENDA_14 = _bank("14", "receiving_bank")

ADDENDA_15 = Layout(
    "addenda_15",
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "15"),
    ("identification", 15, Kind.TEXT),
    ("receiver_street", 35, Kind.NAME),
    ("reserved", 34, Kind.BLANK),
    _ENTRY_SEQUENCE,
)

ADDENDA_16 = _two_lines("16", "receiver_city", "receiver_country")

ADDENDA_17 = Layout(
    "addenda_17",
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "17"),
    *_REMITTANCE,
)

ADDENDA_18 = Layout(
    "addenda_18",
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "18"),
    ("correspondent_bank_name", 35, Kind.NAME),
    ("correspondent_bank_number_qualifier", 2, Kind.NAME),
    ("correspondent_bank_identification", 34, Kind.NAME),
    ("correspondent_bank_country", 3, Kind.NAME),
    ("reserved", 6, Kind.BLANK),
    _ADDENDA_SEQUENCE,
    _ENTRY_SEQUENCE,
)

_CHANGE_START = (
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "98"),
    ("change_code", 3, Kind.NAME),
    _ORIGINAL_TRACE,
    ("reserved", 6, Kind.BLANK),
    _ORIGINAL_ROUTING,
)

ADDENDA_98 = Layout(
    "addenda_98",
    *_CHANGE_START,
    ("corrected_data", 29, Kind.TEXT),
    ("reserved_2", 15, Kind.BLANK),
    _TRACE,
)

IAT_ADDENDA_98 = Layout(
    "iat_addenda_98",
    *_CHANGE_START,
    ("corrected_data", 35, Kind.TEXT),
    ("reserved_2", 9, Kind.BLANK),
    _TRACE,
)

REFUSED_CHANGE = Layout(
    "refused_change",
    *_CHANGE_START,
    ("corrected_data", 29, Kind.TEXT),
    ("refused_change_code", 3, Kind.NAME),
    ("change_trace_sequence", 7, Kind.DIGITS),
    ("reserved_2", 5, Kind.BLANK),
    _TRACE,
)

_RETURN_START = (
    ("record_type", 1, Kind.CHOICE, "7"),
    ("type_code", 2, Kind.CHOICE, "99"),
    ("return_code", 3, Kind.NAME),
    _ORIGINAL_TRACE,
)

ADDENDA_99 = Layout(
    "addenda_99",
    *_RETURN_START,
    ("date_of_death", 6, Kind.OPTIONAL_DATE),
    _ORIGINAL_ROUTING,
    ("information", 44, Kind.TEXT),
    _TRACE,
)

IAT_ADDENDA_99 = Layout(
    "iat_addenda_99",
    *_RETURN_START,
    ("date_of_death", 6, Kind.OPTIONAL_DATE),
    _ORIGINAL_ROUTING,
    ("original_amount", 10, Kind.NUMBER),
    ("information", 34, Kind.TEXT),
    _TRACE,
)

DISHONOURED_RETURN = Layout(
    "dishonoured_return",
    *_RETURN_START,
    ("reserved", 6, Kind.BLANK),
    _ORIGINAL_ROUTING,
    ("reserved_2", 3, Kind.BLANK),
    ("return_trace", 15, Kind.DIGITS),
    ("return_settlement_day", 3, Kind.DAY_OF_YEAR),
    ("return_reason", 2, Kind.DIGITS),
    ("information", 21, Kind.TEXT),
    _TRACE,
)

CONTESTED_RETURN = Layout(
    "contested_return",
    *_RETURN_START,
    ("original_returned_on", 6, Kind.OPTIONAL_DATE),
    _ORIGINAL_ROUTING,
    ("original_settlement_day", 3, Kind.DAY_OF_YEAR),
    ("return_trace", 15, Kind.DIGITS),
    ("return_settlement_day", 3, Kind.DAY_OF_YEAR),
    ("return_reason", 2, Kind.DIGITS),
    ("dishonoured_trace", 15, Kind.DIGITS),
    ("dishonoured_settlement_day", 3, Kind.DAY_OF_YEAR),
    ("dishonoured_reason", 2, Kind.DIGITS),
    ("reserved", 1, Kind.BLANK),
    _TRACE,
)

_CONTROL_COUNTS = (
    _SERVICE_CLASS,
    ("entry_addenda_count", 6, Kind.NUMBER),
    ("entry_hash", 10, Kind.NUMBER),
)

BATCH_CONTROL = Layout(
    "batch_control",
    ("record_type", 1, Kind.CHOICE, "8"),
    *_CONTROL_COUNTS,
    ("debit_cents", 12, Kind.NUMBER),
    ("credit_cents", 12, Kind.NUMBER),
    ("company_identification", 10, Kind.NAME),
    ("authentication_code", 19, Kind.TEXT),
    ("reserved", 6, Kind.BLANK),
    _ODFI,
    _BATCH_NUMBER,
)

#: The company identification may be left blank.
IAT_BATCH_CONTROL = Layout(
    "iat_batch_control",
    ("record_type", 1, Kind.CHOICE, "8"),
    *_CONTROL_COUNTS,
    ("debit_cents", 12, Kind.NUMBER),
    ("credit_cents", 12, Kind.NUMBER),
    ("company_identification", 10, Kind.TEXT),
    ("authentication_code", 19, Kind.TEXT),
    ("reserved", 6, Kind.BLANK),
    _ODFI,
    _BATCH_NUMBER,
)

ADV_BATCH_CONTROL = Layout(
    "adv_batch_control",
    ("record_type", 1, Kind.CHOICE, "8"),
    *_CONTROL_COUNTS,
    ("debit_cents", 20, Kind.NUMBER),
    ("credit_cents", 20, Kind.NUMBER),
    ("operator_data", 19, Kind.TEXT),
    _ODFI,
    _BATCH_NUMBER,
)

_FILE_COUNTS = (
    ("record_type", 1, Kind.CHOICE, "9"),
    ("batch_count", 6, Kind.NUMBER),
    ("block_count", 6, Kind.NUMBER),
    ("entry_addenda_count", 8, Kind.NUMBER),
    ("entry_hash", 10, Kind.NUMBER),
)

FILE_CONTROL = Layout(
    "file_control",
    *_FILE_COUNTS,
    ("debit_cents", 12, Kind.NUMBER),
    ("credit_cents", 12, Kind.NUMBER),
    ("reserved", 39, Kind.BLANK),
)

ADV_FILE_CONTROL = Layout(
    "adv_file_control",
    *_FILE_COUNTS,
    ("debit_cents", 20, Kind.NUMBER),
    ("credit_cents", 20, Kind.NUMBER),
    ("reserved", 23, Kind.BLANK),
)

#: Addenda by type code, for everything but returns and changes, whose layout the code decides.
ADDENDA = {
    "02": ADDENDA_02,
    "05": ADDENDA_05,
    "10": ADDENDA_10,
    "11": ADDENDA_11,
    "12": ADDENDA_12,
    "13": ADDENDA_13,
    "14": ADDENDA_14,
    "15": ADDENDA_15,
    "16": ADDENDA_16,
    "17": ADDENDA_17,
    "18": ADDENDA_18,
}
